"""The table of docs/imports.md for uploads and folders: each file by page, over REST and from a folder."""

import base64
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from audit import queries as log
from governance.models import Adapter, ModelVersion
from tests.integration.governance_story import CONFIG, Story, tell
from tests.integration.test_governance_adapters import config as adapter_config
from tests.integration.test_governance_adapters import header as adapter_header
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser

pytestmark = pytest.mark.django_db

CARD = b"---\nlicense: apache-2.0\n---\n# Model\n"
MODEL = json.dumps(CONFIG).encode()
TENSORS = json.dumps({"a": {"dtype": "BF16", "shape": [1000], "data_offsets": [0, 2000]}}).encode()
HEADER = len(TENSORS).to_bytes(8, "little") + TENSORS
SAID = {"model_name": "Uploaded", "version": "1", "source": "own copy"}


@pytest.fixture
def story() -> Story:
    return tell()


def upload(story: Story, page: str, fields: dict[str, Any], **files: bytes) -> None:
    sent = {name: SimpleUploadedFile(name, data) for name, data in files.items()}
    answer = browser(story.requester).post(reverse(f"admin:{page}"), {**fields, **sent})
    assert answer.status_code == 302, answer.content.decode()


def claims() -> list[str]:
    told = [log.entries(type_=kind, limit=1) for kind in ("model_version.registered", "adapter.registered")]
    index = max(row.index for found in told for row in found)
    files = log.section_facts([index])[index]["files"]
    assert isinstance(files, list)
    return [file["name"] for file in files]


def test_a_safetensors_header_by_page_rest_and_folder(story: Story, tmp_path: Path) -> None:
    weights = HEADER + bytes(2000)
    upload(story, "desk_model_new", SAID, config=MODEL, header=weights, card=CARD)
    assert claims() == ["config.json", "model.safetensors", "README.md"]
    body = {"config": MODEL.decode(), "header": base64.b64encode(HEADER).decode(), "card": CARD.decode()}
    answer = Pipeline(story).post(reverse("api-model-versions"), {**SAID, "model_name": "Sent", **body})
    assert answer.status_code == 201, answer.content
    refused = Pipeline(story).post(reverse("api-model-versions"), {**SAID, "version": "2", **body, "header": "?"})
    assert (refused.status_code, refused.json()["field"]) == (400, "header")
    for name, data in (("config.json", MODEL), ("model.safetensors", weights), ("README.md", CARD)):
        (tmp_path / name).write_bytes(data)
    said = ["--as", "watanabe", "--name", "Folded", "--release", "1", "--source", "disk"]
    call_command("import_model", str(tmp_path), *said, stdout=StringIO())
    found = ModelVersion.objects.filter(model__name__in=["Uploaded", "Sent", "Folded"]).select_related("model")
    assert {(row.model.name, row.weight_bytes, row.model.licence) for row in found} == {
        (name, 2000, "apache-2.0") for name in ("Uploaded", "Sent", "Folded")
    }
    assert len({row.header_sha256 for row in found}) == 1


def test_an_adapter_by_page_rest_and_folder(story: Story, tmp_path: Path) -> None:
    said = {"version": "1", "source": "own run"}
    upload(
        story, "desk_adapter_new", {**said, "name": "page"}, config=adapter_config(), header=adapter_header(), card=CARD
    )
    assert claims() == ["README.md"]
    body = {"config": adapter_config().decode(), "header": base64.b64encode(adapter_header()).decode()}
    answer = Pipeline(story).post(reverse("api-adapters"), {**said, "name": "rest", **body, "card": CARD.decode()})
    assert answer.status_code == 201, answer.content
    files = {
        "adapter_config.json": adapter_config(revision=None), "adapter_model.safetensors": adapter_header(),
        "README.md": CARD,
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    words = ["--as", "watanabe", "--name", "folder", "--release", "1", "--source", "disk", "--base", str(story.version)]
    call_command("import_model", str(tmp_path), *words, "--quantised-base", "nf4", stdout=StringIO())
    found = {row.name: row for row in Adapter.objects.all()}
    assert {(row.licence, row.weight_bytes, row.base_id) for row in found.values()} == {
        ("apache-2.0", 262144, story.version)
    }
    assert (found["folder"].method, found["folder"].base_match) == ("qlora", "revision_differs")
