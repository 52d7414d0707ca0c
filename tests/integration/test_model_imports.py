"""Registering from a GGUF file and a model card: by page, over REST and from a folder; refusals write nothing."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from audit import queries as log
from audit.access.tokens import issue_token
from audit.models import User
from governance import operations, queries
from governance.capacity.parameters import count_parameters
from governance.models import Model, ModelVersion
from governance.operations import Recorded, Refused
from governance.queries.facts import model_facts
from tests.integration.governance_story import CONFIG, INDEX, NOW, Story, tell
from tests.unit.gguf_writer import Pair, Stored, llama, llama_pairs, llama_tensors, written

pytestmark = pytest.mark.django_db

CARD = b"""---
license: apache-2.0
base_model: [Qwen/Qwen3-8B]
base_model_relation: quantized
language: en
---
# Model
"""
GGUF = llama()
FILE = GGUF + bytes(-len(GGUF) % 32 + sum(-(-tensor.bytes // 32) * 32 for tensor in llama_tensors()))


@pytest.fixture
def story() -> Story:
    return tell()


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def register(by: User, **other: Any) -> Recorded:
    fields = {"model_name": "Small Llama", "version": "Q4_K_M", "source": "own copy, read 2026-11-24"}
    return operations.register_from_files(by=by, now=NOW, **{**fields, **other})


def told_files(made: Recorded) -> Any:
    (index,) = (index for index in made.entries if log.entry(index).type == "model_version.registered")
    return log.section_facts([index])[index].get("files")


def test_a_gguf_file_gives_a_version(story: Story) -> None:
    made = register(story.requester, gguf=GGUF + b"the first weights", card=CARD)
    version = ModelVersion.objects.select_related("model").get(pk=made.id)
    assert (version.facts_from, version.architecture, version.model_type) == ("gguf", "llama", "llama")
    assert (version.config_sha256, version.index_sha256, version.header_sha256) == ("", "", digest(GGUF))
    assert (version.layers, version.hidden, version.kv_heads, version.vocab) == (2, 256, 2, 320)
    assert (version.weight_dtype, version.torch_dtype) == ("gguf-q4_k_m", "")
    assert version.weight_bytes == sum(tensor.bytes for tensor in llama_tensors())
    assert version.params_total == version.params_active == sum(tensor.values for tensor in llama_tensors())
    assert count_parameters(model_facts(version, name="m")).total == version.params_total
    assert version.model.licence == "apache-2.0"
    assert version.model.licence_source == f"README.md, SHA-256 {digest(CARD)}"
    gguf, card = told_files(made)
    assert (gguf["name"], gguf["bytes"], gguf["sha256"]) == ("model.gguf", len(GGUF), digest(GGUF))
    assert gguf["says"]["file_bytes"] == len(FILE)
    assert gguf["says"]["tensor_bytes"]["F32"] == 5 * 256 * 4
    assert (card["name"], card["bytes"], card["sha256"]) == ("README.md", len(CARD), digest(CARD))
    assert card["says"] == {
        "licence": "apache-2.0",
        "base_models": ["Qwen/Qwen3-8B"],
        "relation": "quantized",
        "languages": ["en"],
    }
    assert queries.reconcile() == []


def test_it_can_be_asked_for_with_the_bytes_of_its_header(story: Story) -> None:
    made = register(story.requester, gguf=GGUF)
    request = story.submitted(model_version_id=made.id, weight_dtype="gguf-q4_k_m", engine="llama.cpp", context=2048)
    content = json.loads(request.revision.content)
    assert content["artefacts"] == [{"name": "model.gguf", "sha256": digest(GGUF)}]


def test_config_index_and_card_are_told_by_digest(story: Story) -> None:
    config, index = json.dumps(CONFIG).encode(), json.dumps(INDEX).encode()
    made = register(story.requester, config=config, index=index, card=b"---\ntags: [a]\n---\n")
    told = {item["name"]: (item["sha256"], item["says"]) for item in told_files(made)}
    assert told["config.json"] == (digest(config), {})
    assert told["model.safetensors.index.json"] == (digest(index), {})
    assert told["README.md"][1] == {"tags": ["a"]}
    assert (Model.objects.get(name="Small Llama").licence, told_files(made)[0]["bytes"]) == ("", len(config))


def test_what_a_person_says_about_the_licence_stands(story: Story) -> None:
    register(story.requester, gguf=GGUF, card=CARD, licence="Apache License 2.0")
    model = Model.objects.get(name="Small Llama")
    assert (model.licence, model.licence_source) == ("Apache License 2.0", "")
    again = register(story.requester, version="2", gguf=GGUF, card=CARD)
    assert "model.registered" not in {log.entry(index).type for index in again.entries}
    with pytest.raises(Refused) as caught:
        register(story.requester, version="3", gguf=GGUF, licence="MIT")
    assert caught.value.field == "licence"


def test_experts_that_no_token_uses_are_taken_off(story: Story) -> None:
    pairs: list[Pair] = [("llama.expert_count", "u32", 4), ("llama.expert_used_count", "u32", 1)]
    experts = [
        Stored(f"blk.{layer}.ffn_{name}_exps.weight", (256, 512, 4), 12, 256, 144)
        for layer in range(2)
        for name in ("gate", "up", "down")
    ]
    made = register(story.requester, gguf=written([*llama_pairs(), *pairs], [*llama_tensors(), *experts]))
    version = ModelVersion.objects.get(pk=made.id)
    assert version.model_type == "mixtral"
    assert version.params_total - version.params_active == 2 * 3 * 3 * 256 * 512
    lying: list[Pair] = [("llama.expert_count", "u32", 65536), ("llama.expert_used_count", "u32", 1)]
    with pytest.raises(Refused, match="fewer values than the experts"):
        register(story.requester, version="2", gguf=written([*llama_pairs(), *lying], llama_tensors()))


BROKEN: list[tuple[dict[str, bytes], str, str]] = [
    ({}, "config", "is missing"),
    ({"gguf": b"PK\x03\x04"}, "GGUF header", "not a GGUF file"),
    ({"gguf": GGUF[:1000]}, "GGUF header", "is cut short"),
    ({"gguf": llama(block_count=None)}, "llama.block_count", "is missing"),
    ({"gguf": GGUF, "config": json.dumps(CONFIG).encode()}, "config", "other weights"),
    ({"gguf": GGUF, "index": json.dumps(INDEX).encode()}, "index", "other weights"),
    ({"gguf": GGUF, "card": b"# no front matter"}, "README.md", "no front matter"),
    ({"config": json.dumps(CONFIG).encode(), "card": b"---\na: &a [*a]\n---\n"}, "README.md", "anchor or alias"),
    ({"config": json.dumps(CONFIG).encode(), "card": b"---\nlicense: {a: b}\n---\n"}, "license", "must be text"),
]


@pytest.mark.parametrize(("files", "field", "says"), BROKEN)
def test_a_page_says_what_is_wrong_and_writes_nothing(
    story: Story, files: dict[str, bytes], field: str, says: str
) -> None:
    size = log.head_size()
    client = Client()
    client.force_login(story.requester)
    uploads = {name: SimpleUploadedFile(name, data) for name, data in files.items()}
    fields = {"model_name": "Small Llama", "version": "1", "source": "own copy"}
    answer = client.post(reverse("admin:desk_model_new"), {**fields, **uploads})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert says in page
    assert field in page
    assert (log.head_size(), Model.objects.filter(name="Small Llama").exists()) == (size, False)


def test_a_page_takes_a_gguf_file_and_a_card(story: Story) -> None:
    client = Client()
    client.force_login(story.requester)
    page = client.get(reverse("admin:desk_model_new")).content.decode()
    assert 'name="gguf"' in page
    assert 'name="card"' in page
    fields = {"model_name": "Small Llama", "version": "1", "source": "own copy"}
    uploads = {"gguf": SimpleUploadedFile("a.gguf", FILE), "card": SimpleUploadedFile("README.md", CARD)}
    answer = client.post(reverse("admin:desk_model_new"), {**fields, **uploads})
    assert answer.status_code == 302
    version = ModelVersion.objects.select_related("model").get(model__name="Small Llama")
    assert answer.headers["Location"] == reverse("admin:desk_model_version", args=[version.pk])
    assert (version.header_sha256, version.model.licence) == (digest(GGUF), "apache-2.0")


def pipeline(story: Story) -> Callable[[dict[str, object]], Any]:
    scopes = ("registry:read", "registry:write")
    day, account = timedelta(days=1), story.service.id
    token = issue_token(
        service_account_id=account, scopes=scopes, lifetime=day, actor="system:test", now=datetime.now(UTC)
    )
    client = Client(headers={"Authorization": f"Bearer {token.text}"})
    address = reverse("api-model-versions")
    return lambda body: client.post(address, json.dumps(body), content_type="application/json")


def test_rest_takes_a_gguf_header_and_a_card(story: Story) -> None:
    post = pipeline(story)
    body: dict[str, object] = {"model_name": "Small Llama", "version": "1", "source": "own copy"}
    made = post({**body, "gguf": base64.b64encode(GGUF).decode(), "card": CARD.decode()})
    assert made.status_code == 201, made.content
    assert ModelVersion.objects.get(pk=made.json()["id"]).header_sha256 == digest(GGUF)
    size = log.head_size()
    refused: list[tuple[dict[str, object], str, str]] = [
        ({"gguf": "%%%"}, "gguf", "is not base64."),
        ({"gguf": "é"}, "gguf", "is not base64."),
        ({"gguf": base64.b64encode(GGUF[:99]).decode()}, "GGUF header", "is cut short"),
        ({"gguf": base64.b64encode(GGUF).decode(), "card": "# Model"}, "README.md", "no front matter"),
        ({"gguf": base64.b64encode(GGUF).decode(), "config": json.dumps(CONFIG)}, "config", "other weights"),
        ({"card": CARD.decode()}, "config", "missing"),
        ({"gguf": 5}, "gguf", "string"),
    ]
    for other, field, says in refused:
        answer = post({**body, "version": "2", **other})
        assert (answer.status_code, answer.json()["field"]) == (400, field)
        assert says in answer.json()["reason"]
    assert log.head_size() == size


def imported(folder: Path, *options: str) -> str:
    output = StringIO()
    fixed = ("--as", "watanabe", "--name", "Small Llama", "--release", "1", "--source", "own copy")
    call_command("import_model", str(folder), *fixed, *options, stdout=output)
    return output.getvalue()


def safetensors(tensors: dict[str, object]) -> bytes:
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text


def test_a_folder_with_a_gguf_file(story: Story, tmp_path: Path) -> None:
    (tmp_path / "small-Q4_K_M.gguf").write_bytes(FILE)
    (tmp_path / "README.md").write_bytes(CARD)
    output = imported(tmp_path, "--hf-id", "own/small")
    version = ModelVersion.objects.select_related("model").get(model__name="Small Llama")
    assert f"small-Q4_K_M.gguf: reading {len(FILE)} of {len(FILE)} bytes." in output
    assert f"Registered as {version.pk}" in output
    assert (version.header_sha256, version.model.hf_id) == (digest(GGUF), "own/small")
    assert version.registered_by == story.requester.actor


def test_a_folder_with_one_safetensors_file(story: Story, tmp_path: Path) -> None:
    header = safetensors({"w": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}})
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "model.safetensors").write_bytes(header + bytes(8))
    (tmp_path / "other.gguf").write_bytes(b"not looked at")
    imported(tmp_path, "--licence", "MIT")
    version = ModelVersion.objects.select_related("model").get(model__name="Small Llama")
    assert (version.weight_bytes, version.header_sha256) == (8, digest(header))
    assert version.model.licence == "MIT"


def test_a_folder_with_an_index(story: Story, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(INDEX))
    with pytest.raises(CommandError, match=r"lacks model-00001-of-00002\.safetensors"):
        imported(tmp_path)
    for number in (1, 2):
        (tmp_path / f"model-0000{number}-of-00002.safetensors").touch()
    imported(tmp_path)
    assert ModelVersion.objects.get(model__name="Small Llama").weight_bytes == 16060522496


@pytest.mark.parametrize(
    ("files", "options", "says"),
    [
        ({}, (), "holds neither"),
        ({"config.json": json.dumps(CONFIG).encode(), "a.safetensors": b"", "b.safetensors": b""}, (), "2 safetensors"),
        ({"config.json": json.dumps(CONFIG).encode(), "a.safetensors": b""}, (), "safetensors header: is cut short"),
        ({"config.json": b"{}", "model.safetensors.index.json": b"{}"}, (), "metadata.total_size: is missing"),
        ({"a.gguf": FILE, "b.gguf": FILE}, (), "must name one of a.gguf, b.gguf"),
        ({"a.gguf": FILE}, ("--gguf", "c.gguf"), "'c.gguf' is no GGUF file"),
        ({"a.gguf": FILE[:-1]}, (), "the file is not whole"),
        ({"a.gguf": b"GGUF"}, (), "is cut short"),
        ({"a.gguf": FILE}, ("--as", "nobody"), "'nobody' is no log-in"),
        ({"a.gguf": FILE}, ("--as", "mori"), "Only members of the pools"),
    ],
)
def test_a_folder_that_is_refused(
    story: Story, tmp_path: Path, files: dict[str, bytes], options: tuple[str, ...], says: str
) -> None:
    size = log.head_size()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(CommandError, match=says):
        imported(tmp_path, *options)
    assert log.head_size() == size


def test_a_folder_that_is_not_there(story: Story, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        imported(tmp_path / "absent")
