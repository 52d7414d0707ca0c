"""The API reference: every endpoint has a command that a shell takes as it stands."""

import json
import subprocess
from typing import Any

import pytest

from config.apidocs import document, document_json, read, reference
from config.apidocs.curl import command
from config.apidocs.rows import Operation
from config.apidocs.shapes import Shapes, written

SMALL: dict[str, Any] = {
    "info": {"title": "Small", "version": "1"},
    "tags": [{"name": "things", "description": "What there is."}],
    "paths": {
        "/things/{id}": {
            "put": {
                "tags": ["things"],
                "summary": "Change a thing",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
                    {"name": "dry", "in": "query", "required": True, "schema": {"type": "boolean"}, "example": "yes"},
                ],
                "security": [{"cookieAuth": []}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"200": {"description": "Changed."}, "409": {}},
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["name", "parts"],
                "properties": {
                    "name": {"type": "string", "maxLength": 9, "example": "it's"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                    "seen": {"type": "string", "format": "date-time", "readOnly": True},
                },
            },
            "Part": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 3}}},
        }
    },
}


def _small() -> Operation:
    (group,) = read(SMALL, "http://127.0.0.1:1").groups
    (operation,) = group.operations
    return operation


def test_fields_are_written_out_with_depth_and_limits() -> None:
    body = _small().body
    assert body
    assert [(f.name, f.depth, f.required) for f in body.fields] == [
        ("name", 0, True),
        ("parts", 0, True),
        ("size", 1, False),
        ("seen", 0, False),
    ]
    assert body.fields[0].limits == "length ≤ 9"
    assert body.fields[1].kind == "array of object"


def test_a_sample_holds_what_may_be_sent() -> None:
    body = _small().body
    assert body
    assert json.loads(body.samples[0][1]) == {"name": "it's", "parts": [{"size": 3}]}


def test_a_command_survives_the_shell() -> None:
    (found,) = _small().commands
    words = subprocess.run(
        ["sh", "-c", f"curl() {{ printf '%s\\n' \"$@\"; }}\n{found.text}"], capture_output=True, text=True, check=True
    ).stdout
    assert "http://127.0.0.1:1/things/0199f3c2-7a41-7d0e-9b55-3f1c2ae80d77?dry=yes" in words
    assert "X-CSRFToken" in words
    assert "it's" in words


def test_answers_without_a_word_get_one() -> None:
    assert [(r.status, r.reason) for r in _small().responses] == [("200", "OK"), ("409", "Conflict")]
    assert all(r.description for r in _small().responses)


def test_a_schema_that_holds_itself_ends() -> None:
    node: dict[str, Any] = {
        "type": "object",
        "required": ["child"],
        "properties": {"child": {"$ref": "#/components/schemas/Node"}},
    }
    shapes = Shapes({"schemas": {"Node": node}})
    assert len(list(shapes.fields(node))) < 20
    json.dumps(shapes.sample(node))


@pytest.mark.parametrize("value", [{}, [], {"a": []}, [1, 2], [{"a": [1]}, [2]], {"é": None, "b": {"c": "x\n"}}])
def test_written_json_reads_back(value: object) -> None:
    assert json.loads(written(value)) == value


def test_plain_lists_stay_on_one_line() -> None:
    assert written({"indexes": [0, 1, 2]}) == '{\n  "indexes": [0, 1, 2]\n}'


def test_the_token_never_stands_in_a_command() -> None:
    text = command(method="GET", address="http://x", query=[], auth=["token"], body="", media="")
    assert "$ASSAY_TOKEN" in text


def _operations() -> list[Operation]:
    return [op for group in reference("http://127.0.0.1:8000").groups for op in group.operations]


def test_every_address_of_the_interface_is_described() -> None:
    described = {(op.method, op.path) for op in _operations()}
    assert {("POST", "/api/v1/events"), ("GET", "/api/v1/entries/{index}"), ("POST", "/api/v1/bundles")} <= described
    assert all(op.summary for op in _operations())


def test_every_endpoint_has_a_command_that_a_shell_parses() -> None:
    for op in _operations():
        assert op.commands, op.path
        for found in op.commands:
            subprocess.run(["sh", "-n", "-c", found.text], check=True)
            assert "{" not in found.text.split("\n")[0], found.text


def test_every_json_body_in_the_reference_is_json() -> None:
    for op in _operations():
        if op.body and op.body.media[0] == "application/json":
            for _title, sample in op.body.samples:
                json.loads(sample)


def test_anchors_are_unique() -> None:
    anchors = [op.anchor for op in _operations()]
    assert len(anchors) == len(set(anchors))


def test_the_download_is_the_document() -> None:
    assert json.loads(document_json())["openapi"] == document()["openapi"]
