"""The document as a reference: groups of operations, each with its body, responses and a ready command."""

import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.apidocs.curl import command
from config.apidocs.document import document
from config.apidocs.rows import Body, Command, Group, Operation, Parameter, Reference, Response
from config.apidocs.shapes import Schema, Shapes, written

METHODS = ("get", "post", "put", "patch", "delete")

ORDER = ("events", "usage", "log", "registry", "models", "deployments", "agents", "approvals", "requests", "reports")
"""Groups in the order a newcomer needs them; others follow by address."""

MEANINGS = {
    "400": _("Malformed or refused; the reason names the field. Nothing was written."),
    "401": _("No token, or one that opens nothing."),
    "403": _("Not allowed with this token or log-in."),
    "404": _("Not there, or not there yet."),
    "409": _("Contradicts what is recorded."),
    "413": _("Larger than what is taken in one request."),
    "415": _("Not a media type this address takes."),
    "429": _("Too many; Retry-After says when to come back."),
    "503": _("Busy or frozen; Retry-After says when to come back."),
}
"""For answers the document gives without a word of its own."""


@cache
def reference(base: str) -> Reference:
    """The reference of this installation, with commands that call it at `base`."""
    return read(document(), base)


def read(schema: Schema, base: str) -> Reference:
    """Read an OpenAPI 3 document. Groups stand as in `ORDER`, then by their first address."""
    shapes = Shapes(schema.get("components", {}))
    described = {tag["name"]: tag.get("description", "") for tag in schema.get("tags", ())}
    grouped: dict[str, list[Operation]] = {name: [] for name in described}
    for path, methods in schema.get("paths", {}).items():
        for method in METHODS:
            if method in methods:
                found = methods[method]
                tag = str((found.get("tags") or ["other"])[0])
                grouped.setdefault(tag, []).append(_operation(shapes, schema, path, method, methods, base))
    info = schema.get("info", {})
    groups = [
        Group(
            name.replace("_", " ").replace("-", " "),
            _anchor("g", name),
            described.get(name, ""),
            tuple(found),
        )
        for name, found in sorted(grouped.items(), key=lambda item: _place(item[0]))
        if found
    ]
    return Reference(
        str(info.get("title", "")),
        str(info.get("version", "")),
        str(info.get("description", "")),
        tuple(groups),
    )


def _place(tag: str) -> int:
    name = tag.lower()
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _operation(shapes: Shapes, schema: Schema, path: str, method: str, methods: Schema, base: str) -> Operation:
    found: Schema = methods[method]
    raw = [shapes.resolve(p) for p in (*methods.get("parameters", ()), *found.get("parameters", ()))]
    parameters = tuple(
        Parameter(
            p["name"],
            p["in"],
            shapes.kind(p.get("schema", {})),
            bool(p.get("required")),
            str(p.get("description", "")),
        )
        for p in raw
    )
    values = {p["name"]: _value(shapes, p) for p in raw}
    required = [p.name for p in parameters if p.where == "query" and p.required]
    body = _body(shapes, found)
    auth = tuple(_auth(found.get("security") or schema.get("security") or []))
    text = str(found.get("description", "")).strip()
    summary = str(found.get("summary") or "").strip() or text.split("\n\n")[0].split(". ")[0].rstrip(".")
    return Operation(
        anchor=_anchor(method, path),
        method=method.upper(),
        path=path,
        summary=summary,
        description=text if text.rstrip(".") != summary.rstrip(".") else "",
        auth=auth,
        deprecated=bool(found.get("deprecated")),
        parameters=parameters,
        body=body,
        responses=tuple(_responses(shapes, found)),
        commands=tuple(
            Command(
                title,
                command(
                    method=method.upper(),
                    address=base + _filled(path, values),
                    query=[(name, values[name]) for name in required],
                    auth=auth,
                    body=sample,
                    media=body.media[0] if body else "",
                ),
            )
            for title, sample in (body.samples if body else (("", ""),))
        ),
    )


def _value(shapes: Shapes, parameter: Schema) -> str:
    examples = [example["value"] for example in parameter.get("examples", {}).values() if "value" in example]
    given = parameter.get("example", examples[0] if examples else None)
    return str(shapes.sample(parameter.get("schema", {})) if given is None else given)


def _body(shapes: Shapes, found: Schema) -> Body | None:
    if "requestBody" not in found:
        return None
    body = shapes.resolve(found["requestBody"])
    content = body.get("content", {})
    media = sorted(content, key=lambda name: name != "application/json")
    if not media:
        return None
    first = content[media[0]]
    schema = first.get("schema", {})
    return Body(
        tuple(media),
        bool(body.get("required")),
        shapes.kind(schema),
        tuple(shapes.fields(schema)),
        tuple(_samples(shapes, first)),
    )


def _responses(shapes: Shapes, found: Schema) -> Iterator[Response]:
    for status, answer in sorted(found.get("responses", {}).items(), key=lambda item: str(item[0])):
        answer = shapes.resolve(answer)
        contents: Schema = answer.get("content", {})
        media = next(iter(contents), "")
        content: Schema = contents.get(media, {})
        schema = content.get("schema", {})
        reason = HTTPStatus(int(status)).phrase if str(status).isdigit() else ""
        words = str(answer.get("description", "")).strip() or str(MEANINGS.get(str(status), ""))
        plain = schema.get("type") == "string" and not content.get("examples")
        sample = "" if plain or not content else next(_samples(shapes, content))[1]
        yield Response(str(status), reason, words, media, tuple(shapes.fields(schema)), sample)


def _samples(shapes: Shapes, content: Schema) -> Iterator[tuple[str, str]]:
    """The examples the document gives, with their titles, or one made to fit."""
    given = content.get("examples", {})
    if "example" in content:
        given = {"": {"value": content["example"]}}
    if not given:
        given = {"": {"value": shapes.sample(content.get("schema", {}))}}
    for name, example in given.items():
        value = example.get("value")
        text = value if isinstance(value, str) else written(value)
        yield (str(example.get("summary") or name) if len(given) > 1 else ""), text


def _auth(security: list[dict[str, Any]]) -> Iterator[str]:
    """`token`, `session` or `none` for each alternative."""
    for alternative in security:
        if not alternative:
            yield "none"
        for name in alternative:
            yield "session" if "cookie" in name.lower() or "session" in name.lower() else "token"


def _filled(path: str, values: dict[str, str]) -> str:
    return re.sub(r"\{([^}]+)\}", lambda match: values.get(match[1], match[1]), path)


def _anchor(kind: str, name: str) -> str:
    return f"{kind}-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
