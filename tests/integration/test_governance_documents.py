"""Bills of materials and model cards: the same state gives the same bytes, and a download is an entry."""

import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit import queries as log
from governance import operations, queries
from governance.formats.bomcheck import check_bom
from governance.formats.modelcard import read_card
from governance.models import ModelVersion
from tests.integration.governance_story import CONFIG, NOW, Story, tell
from tests.integration.test_governance_adapters import register
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser, queries_of

pytestmark = pytest.mark.django_db
CARD = b"""---
license: apache-2.0
base_model: Qwen/Qwen3-8B-Base
base_model_relation: finetune
datasets: [allenai/c4]
language: [en, ja, no]
tags: [chat]
---
# Model
"""


@pytest.fixture
def story() -> Story:
    return tell()


def finetuned(story: Story) -> ModelVersion:
    made = operations.register_from_files(
        by=story.requester, model_name="Claims 8B", version="1", config=json.dumps(CONFIG).encode(), card=CARD,
        source="own run", now=NOW,
    )  # fmt: skip
    return ModelVersion.objects.get(pk=made.id)


def said(component: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in component["properties"]}


def test_a_version_and_its_card(story: Story) -> None:
    version = finetuned(story)
    found = queries.version_bom(version.pk)
    check_bom(found.data)
    document = json.loads(found.data)
    (model,) = document["components"]
    assert model["modelCard"]["modelParameters"] == {
        "task": "text-generation",
        "architectureFamily": "llama",
        "modelArchitecture": "LlamaForCausalLM",
        "datasets": [{"type": "dataset", "name": "allenai/c4"}],
    }
    assert model["pedigree"]["ancestors"] == [{"type": "machine-learning-model", "name": "Qwen/Qwen3-8B-Base"}]
    assert model["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    state = log.states_at([f"model_version:{version.pk}"], log.head_size())[f"model_version:{version.pk}"]
    assert said(model)["assay:ledger:entry"] == str(state.index)
    assert document["metadata"]["timestamp"] == state.received_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    card = queries.version_card(version.pk)
    assert read_card(card.data) == read_card(CARD)
    again = operations.register_from_files(
        by=story.requester, model_name="Claims copy", version="1", config=json.dumps(CONFIG).encode(), card=card.data,
        source="own card", now=NOW,
    )  # fmt: skip
    assert read_card(queries.version_card(again.id).data) == read_card(CARD)


def test_an_adapter_and_a_deployment(story: Story) -> None:
    adapter = register(story, licence="mit")
    found = queries.adapter_bom(adapter.id)
    own, base = json.loads(found.data)["components"]
    assert own["pedigree"]["ancestors"][0] == {
        "type": "machine-learning-model", "name": "Llama 3.1 8B", "version": "2024-07",
    }  # fmt: skip
    assert own["modelCard"]["modelParameters"]["task"] == "text-generation"
    assert {"ref": own["bom-ref"], "dependsOn": [base["bom-ref"]]} in json.loads(found.data)["dependencies"]
    assert read_card(queries.adapter_card(adapter.id).data).base_models == ("meta-llama/Llama-3.1-8B",)
    request = story.submitted(adapters=(adapter.id,), runtime_image="vllm@sha256:1")
    waiting = queries.deployment_bom(request.deployment_id)
    assert queries.deployment_bom(request.deployment_id, 1) == waiting
    story.decided(request)
    approved = queries.deployment_bom(request.deployment_id)
    whole = json.loads(approved.data)["metadata"]["component"]
    assert (said(whole)["assay:revision:approved"], said(whole)["assay:request:state"]) == ("true", "approved")
    assert said(whole)["assay:revision:digest"] == request.revision_digest
    assert json.loads(waiting.data)["serialNumber"] != json.loads(approved.data)["serialNumber"]
    kinds = [item["type"] for item in json.loads(approved.data)["components"]]
    assert kinds == ["machine-learning-model"] * 2 + ["framework", "device", "container"]
    with pytest.raises(queries.DocumentNotFound):
        queries.deployment_bom(request.deployment_id, 2)


def test_a_download_is_an_entry_and_gives_the_bytes_that_rest_gives(story: Story) -> None:
    adapter, client = register(story), browser(story.bystander)
    request = story.submitted(adapters=(adapter.id,))
    version = str(story.version)
    for of, of_id, document, name in (
        ("model-version", version, "ml-bom", "api-version-bom"),
        ("model-version", version, "model-card", "api-version-card"),
        ("adapter", str(adapter.id), "ml-bom", "api-adapter-bom"),
        ("adapter", str(adapter.id), "model-card", "api-adapter-card"),
        ("deployment", str(request.deployment_id), "ml-bom", "api-deployment-bom"),
    ):
        size = log.head_size()
        made = client.post(reverse("admin:desk_document", args=[of, of_id, document]))
        data = made.getvalue()
        (entry,) = log.entries_after(size)
        told = log.section_facts([entry.index])[entry.index]
        assert (entry.type, told["document"]) == ("document.exported", document)
        assert (entry.actor, told["sha256"]) == (story.bystander.actor, hashlib.sha256(data).hexdigest())
        answer = Pipeline(story, "registry:read").get(reverse(name, args=[of_id]))
        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["Content-Type"] == made.headers["Content-Type"]
        assert Pipeline(story, "registry:read").get(reverse(name, args=[uuid4()])).status_code == 404
    assert client.post(reverse("admin:desk_document", args=["adapter", version, "ml-bom"])).status_code == 404
    assert client.post(reverse("admin:desk_document", args=["adapter", version, "poem"])).status_code == 404
    assert Client().post(reverse("admin:desk_document", args=["adapter", version, "ml-bom"])).status_code == 302
    wrong = Pipeline(story).get(reverse("api-deployment-bom", args=[request.deployment_id]), revision="x")
    assert (wrong.status_code, wrong.json()["field"]) == (400, "revision")
    for address in (
        reverse("admin:governance_modelversion_change", args=[version]),
        reverse("admin:desk_adapter", args=[adapter.id]),
        reverse("admin:desk_deployment", args=[request.deployment_id]),
    ):
        assert "Download ML-BOM" in client.get(address).content.decode(), address
    rest = browser(story.requester)
    one = queries_of(rest, reverse("api-deployment-bom", args=[request.deployment_id]))
    more = story.submitted("other", adapters=tuple(register(story, name).id for name in ("a", "b", "c")))
    assert queries_of(rest, reverse("api-deployment-bom", args=[more.deployment_id])) == one
