"""Pages and REST addresses of models, versions, pools, their files, family, quantisations and standings."""

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from governance import operations
from governance.models import ModelVersion
from tests.integration.governance_story import NOW, Story, tell
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser, queries_of
from tests.integration.test_model_lineage import DIGEST, link, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def addresses(story: Story) -> list[str]:
    """A model, one of its versions, a pool, and the forms about the version."""
    return [
        reverse("admin:desk_model", args=[ModelVersion.objects.get(pk=story.version).model_id]),
        reverse("admin:desk_model_version", args=[story.version]),
        reverse("admin:desk_pool", args=[story.pool]),
        reverse("admin:desk_standing", args=["model_version", story.version]),
        *(reverse(f"admin:{name}", args=[story.version]) for name in ("desk_artefact_new", "desk_relation_new")),
        reverse("admin:desk_quantisation_new", args=[story.version]),
    ]


def test_pages_of_a_version_its_model_and_a_pool(story: Story) -> None:
    client, auditor = browser(story.requester), browser(story.bystander)
    story.decided(story.submitted("running"))
    pages = addresses(story)
    for address in pages:
        assert "Only members of the pools" in auditor.get(address).content.decode(), address
        assert client.get(address.replace(str(story.version), str(uuid4()))).status_code in {200, 404}
    other = made(story, "other").id
    page = client.get(pages[1]).content.decode()
    for words in (
        "Header of the weights alone",
        "Add a file",
        "Approved now",
        "Nothing says what it was made from.",
        "Every dimension",
    ):
        assert (words in page) == (not words.startswith("Header")), words
    sent = {"name": "w.pt", "kind": "weights", "format": "pytorch_pickle", "sha256": DIGEST}
    assert client.post(pages[4], sent).status_code == 302
    assert client.post(pages[4], sent).status_code == 400
    assert client.post(pages[5], {"relation": "finetune", "parent": str(other)}).status_code == 302
    assert client.post(pages[5], {"relation": "finetune"}).status_code == 400
    assert client.post(pages[6], {"scheme": "awq", "bits": "4"}).status_code == 302
    page = client.get(pages[1]).content.decode()
    for words in ("Unsafe: loading it runs whatever code is inside.", "other 1", "AWQ", "Fine-tuned from"):
        assert words in page
    stand = {"state": "deprecated", "reason": "A newer one is better.", "seen": "0", "successor_id": str(other)}
    assert browser(story.bystander).post(pages[3], stand).status_code == 400
    assert client.post(pages[3], {**stand, "successor_id": "x"}).status_code == 400
    assert client.post(pages[3], stand).status_code == 302
    assert client.post(pages[3], stand).status_code == 400, "somebody was faster"
    page = client.get(pages[1]).content.decode()
    assert "A newer one is better." in page
    assert "Successor: other 1" in " ".join(page.split())


def test_pages_cost_the_same_with_more_rows(story: Story) -> None:
    client = browser(story.requester)
    story.decided(story.submitted("running"))
    model = ModelVersion.objects.get(pk=story.version).model_id
    link(story, made(story, "child").id, story.version)
    pages = addresses(story)
    for kind, state in (("model_version", "quarantined"), ("gpu_pool", "retired"), ("model", "deprecated")):
        ids = {"model_version": story.version, "gpu_pool": story.pool, "model": model}
        operations.change_standing(
            by=story.reviewer if state == "quarantined" else story.requester,
            subject_kind=kind, subject_id=ids[kind], state=state, reason="Because.", seen=0, now=NOW,
        )  # fmt: skip
    page = client.get(pages[3]).content.decode()
    assert "Only members of the pools Operators, Reviewers, Security reviewers" in page
    lists = [reverse(f"admin:governance_{name}_changelist") for name in ("standing", "modelartefact")]
    for address, words in zip(lists, ("Because.", "Llama 3.1 8B 2024-07"), strict=True):
        assert words in client.get(address).content.decode()
    pages += lists
    with_more = [queries_of(client, address) for address in pages]
    for number in range(3):
        made(story, "Llama 3.1 8B", f"more {number}")
        child = made(story, f"child {number}").id
        link(story, child, story.version)
    assert [queries_of(client, address) for address in pages] == with_more
    assert max(with_more) <= 60


def test_rest_of_files_lineage_quantisations_and_standings(story: Story) -> None:
    pipeline = Pipeline(story)
    other = made(story, "other").id
    version = str(story.version)
    bodies: dict[str, dict[str, Any]] = {
        "api-artefacts": {
            "model_version_id": version, "kind": "weights", "format": "gguf", "name": "m.gguf", "sha256": DIGEST,
        },
        "api-relations": {"child_id": version, "parent_id": str(other), "relation": "finetune"},
        "api-quantisations": {"model_version_id": version, "scheme": "nf4", "bits": "4"},
        "api-standing": {
            "subject_kind": "model_version", "subject_id": version, "state": "retired", "reason": "Old.",
            "row_version": 0,
        },
    }  # fmt: skip
    for name, body in bodies.items():
        address = reverse(name)
        answer = pipeline.post(address, body)
        assert answer.status_code == 201, answer.content
        assert answer.json()["id"] in {item["id"] for item in pipeline.get(address, limit="200").json()["items"]}
        again = pipeline.post(address, body)
        assert again.status_code == (409 if name == "api-standing" else 400)
        assert pipeline.post(address, {**body, "more": 1}).json()["field"] == "more"
        assert Pipeline(story, "registry:read").post(address, body).status_code == 403
    found = pipeline.get(reverse("api-family", args=[story.version])).json()
    assert [item["parent_id"] for item in found["ancestors"]] == [str(other)]
    assert found["descendants"] == []
    assert pipeline.get(reverse("api-family", args=[uuid4()])).status_code == 404
    lifted = {**bodies["api-standing"], "state": "quarantined", "row_version": 1}
    assert pipeline.post(reverse("api-standing"), lifted).status_code == 201
    refused = pipeline.post(reverse("api-standing"), {**lifted, "state": "active", "row_version": 2})
    assert (refused.status_code, refused.json()["field"]) == (403, "")
