"""Adapters beside their base: matched and never copied, named by a revision and its digest, on pages and over REST."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from audit import queries as log
from governance import operations, queries
from governance.models import Adapter, ApprovalRequest, Revision
from governance.operations import Recorded, Refused
from tests.integration.governance_story import CONFIG, INDEX, NOW, Story, tell
from tests.integration.test_governance_api import Pipeline, ask_body
from tests.integration.test_governance_pages import browser, queries_of

pytestmark = pytest.mark.django_db

ADAPTER: dict[str, Any] = {
    "base_model_name_or_path": "meta-llama/Llama-3.1-8B",
    "lora_alpha": 32,
    "lora_dropout": 0.05,
    "peft_type": "LORA",
    "r": 16,
    "revision": "2024-07",
    "target_modules": ["q_proj", "v_proj"],
    "task_type": "CAUSAL_LM",
}
TENSORS = {
    "q.lora_A": {"dtype": "BF16", "shape": [16, 4096], "data_offsets": [0, 131072]},
    "q.lora_B": {"dtype": "BF16", "shape": [4096, 16], "data_offsets": [131072, 262144]},
}


def config(**other: object) -> bytes:
    return json.dumps({**ADAPTER, **other}).encode()


def header() -> bytes:
    text = json.dumps(TENSORS).encode()
    return len(text).to_bytes(8, "little") + text


def register(story: Story, name: str = "tone", **other: Any) -> Recorded:
    fields: dict[str, Any] = {"version": "1", "config": config(), "header": header(), "source": "own run", **other}
    return operations.register_adapter(by=story.requester, name=name, now=NOW, **fields)


def another_version(story: Story, version: str = "2025-01", name: str = "Llama 3.1 8B") -> UUID:
    return operations.register_from_files(
        by=story.requester,
        model_name=name,
        version=version,
        config=json.dumps(CONFIG).encode(),
        index=json.dumps(INDEX).encode(),
        source="own copy",
        now=NOW,
    ).id


@pytest.fixture
def story() -> Story:
    return tell()


def test_an_adapter_stands_beside_its_base(story: Story) -> None:
    size = log.head_size()
    made = register(story, weights_sha256="sha256:" + "A" * 64, licence="own")
    row = Adapter.objects.get(pk=made.id)
    assert (row.base_id, row.base_match, row.method) == (story.version, "matched", "lora")
    assert (row.params, row.weight_bytes, row.r, row.lora_dropout) == (131072, 262144, 16, "0.05")
    assert (row.target_modules, row.weights_sha256) == (["q_proj", "v_proj"], "a" * 64)
    assert made.entries == (size, size + 1, size + 2), "the adapter and its two files"
    assert log.entry(size).type == "adapter.registered"
    assert log.entry(size).subject == f"adapter:{made.id}"
    assert queries.reconcile() == []


def test_the_digest_of_a_header_does_not_depend_on_what_follows_it(story: Story) -> None:
    first, second = register(story), register(story, "whole", header=header() + b"\0" * 1000)
    assert len(set(Adapter.objects.filter(pk__in=[first.id, second.id]).values_list("header_sha256", flat=True))) == 1


@pytest.mark.parametrize(
    ("other", "quantised", "method"),
    [
        ({}, "nf4", "qlora"),
        ({"use_dora": True}, "nf4", "dora"),
        ({"peft_type": "IA3", "r": None}, "", "other"),
    ],
)
def test_the_method(story: Story, other: dict[str, object], quantised: str, method: str) -> None:
    made = register(story, config=config(**other), quantised_base=quantised)
    assert Adapter.objects.get(pk=made.id).method == method


@pytest.mark.parametrize(
    ("file", "chosen", "match"),
    [
        ({}, True, "matched"),
        ({"base_model_name_or_path": "Llama 3.1 8B"}, False, "matched"),
        ({"revision": None}, False, "revision_differs"),
        ({"revision": "other"}, True, "revision_differs"),
        ({"base_model_name_or_path": "./checkpoints/base"}, False, "unregistered"),
        ({"base_model_name_or_path": "./checkpoints/base"}, True, "unregistered"),
    ],
)
def test_how_a_base_is_matched(story: Story, file: dict[str, object], chosen: bool, match: str) -> None:
    made = register(story, config=config(**file), base_version_id=story.version if chosen else None)
    row = Adapter.objects.get(pk=made.id)
    assert row.base_match == match
    assert row.base_id == (story.version if chosen or match == "matched" else None)


def test_a_base_that_its_file_does_not_name(story: Story) -> None:
    later, stranger = another_version(story), another_version(story, "1", "Another model")
    for chosen, file in ((later, {}), (stranger, {"revision": None}), (uuid4(), {})):
        with pytest.raises(Refused) as refused:
            register(story, config=config(**file), base_version_id=chosen)
        assert refused.value.field == "base"
    assert not Adapter.objects.exists()


def test_a_name_that_stands_for_two_models_needs_a_choice(story: Story) -> None:
    twin = operations.register_from_files(
        by=story.requester,
        model_name="Llama again",
        version="2024-07",
        config=json.dumps(CONFIG).encode(),
        hf_id="meta-llama/Llama-3.1-8B",
        source="own copy",
        now=NOW,
    )
    with pytest.raises(Refused, match="registered twice"):
        register(story)
    assert Adapter.objects.get(pk=register(story, base_version_id=twin.id).id).base_id == twin.id


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"config": b"{}"}, "peft_type"),
        ({"header": b"\0"}, "safetensors header"),
        ({"header": b'\x38\0\0\0\0\0\0\0{"a":{"dtype":"BF16","shape":[0],"data_offsets":[0,0]}}    '}, "header"),
        ({"weights_sha256": "abc"}, "weights_sha256"),
        ({"source": ""}, "source"),
        ({"version": " "}, "version"),
        ({"licence": "x" * 201}, "licence"),
    ],
)
def test_what_cannot_be_registered(story: Story, other: dict[str, Any], field: str) -> None:
    size = log.head_size()
    with pytest.raises(Refused) as refused:
        register(story, **other)
    assert refused.value.field == field
    assert log.head_size() == size


def test_a_version_never_changes(story: Story) -> None:
    register(story)
    with pytest.raises(Refused, match="stands already"):
        register(story)
    for statement in ("UPDATE adapter SET name = 'x'", "DELETE FROM adapter", "TRUNCATE adapter CASCADE"):
        with (
            pytest.raises(DatabaseError, match=r"permission denied|append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    with pytest.raises(IntegrityError, match="matched_has_base"), transaction.atomic():
        Adapter.objects.create(
            name="raw",
            version="1",
            base_match="matched",
            method="lora",
            use_rslora=False,
            config_sha256="a" * 64,
            registered_at=NOW,
        )


def test_a_person_outside_the_pools_registers_nothing(story: Story) -> None:
    with pytest.raises(Refused) as refused:
        operations.register_adapter(by=story.bystander, name="a", version="1", config=config(), source="own", now=NOW)
    assert refused.value.field == ""


def test_a_revision_names_its_adapters(story: Story) -> None:
    plain = story.submitted("plain").revision
    assert json.loads(plain.content)["adapters"] == []
    second, first = register(story, "zeal", header=None), register(story, "tone")
    request = story.submitted(adapters=(second.id, first.id, first.id))
    revision = request.revision
    row = Adapter.objects.get(pk=first.id)
    named = json.loads(revision.content)["adapters"]
    assert [item["name"] for item in named] == ["tone", "zeal"]
    assert named[0] == {
        "id": str(first.id),
        "name": "tone",
        "version": "1",
        "config_sha256": row.config_sha256,
        "header_sha256": row.header_sha256,
        "weights_sha256": "",
        "base_match": "matched",
    }
    assert revision.adapters == [first.id, second.id]
    terms = {term["name"]: term["bytes"] for term in json.loads(request.evidence)["terms"]}
    assert terms["adapters"] == 262144
    assert "Nobody read the weights of 1 of 2 adapters" in request.evidence
    assert f"adapter:{first.id}" in queries.related_subjects(request.deployment_id)
    assert queries.reconcile() == []


def test_adapters_change_the_digest(story: Story) -> None:
    first, second = register(story, "tone"), register(story, "zeal")
    digests = set()
    for number, chosen in enumerate([(), (first.id,), (second.id,), (first.id, second.id)]):
        request = story.submitted("memo", adapters=chosen)
        digests.add(request.revision_digest)
        assert len(digests) == number + 1
        story.decided(request)
    with pytest.raises(Refused, match="exactly this configuration"):
        story.submitted("memo", adapters=(second.id, first.id))


def test_an_adapter_of_another_base_is_refused(story: Story) -> None:
    later = another_version(story)
    other = register(story, config=config(revision="2025-01"))
    unnamed = register(story, "loose", config=config(revision=None))
    size = log.head_size()
    for chosen, words in ((other.id, "another base"), (unnamed.id, "no registered base"), (uuid4(), "not registered")):
        with pytest.raises(Refused, match=words) as refused:
            story.submitted(adapters=(chosen,))
        assert refused.value.field == "adapters"
    with pytest.raises(Refused, match="at most 100"):
        story.submitted(adapters=tuple(uuid4() for _ in range(101)))
    assert log.head_size() == size
    assert story.submitted(model_version_id=later, adapters=(other.id,)).revision.adapters == [other.id]


def test_over_rest(story: Story) -> None:
    pipeline = Pipeline(story)
    body = {
        "name": "tone",
        "version": "1",
        "source": "own run",
        "config": config().decode(),
        "header": base64.b64encode(header()).decode(),
    }
    made = pipeline.post(reverse("api-adapters"), body)
    assert made.status_code == 201, made.content
    listed = pipeline.get(reverse("api-adapters"), name="tone").json()["items"]
    assert [(item["base_id"], item["base_match"]) for item in listed] == [(str(story.version), "matched")]
    again = pipeline.post(reverse("api-adapters"), body)
    assert (again.status_code, again.json()["field"]) == (400, "version")
    asked = pipeline.post(reverse("api-requests"), ask_body(story, adapters=[made.json()["id"]]))
    assert asked.status_code == 201, asked.content
    assert Revision.objects.get().adapters == [UUID(made.json()["id"])]


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"header": "***"}, "header"),
        ({"header": 1}, "header"),
        ({"config": {}}, "config"),
        ({"config": "{}"}, "peft_type"),
        ({"base_version_id": str(uuid4())}, "base"),
        ({"base_version_id": "x"}, "base_version_id"),
        ({"bsae": "x"}, "bsae"),
    ],
)
def test_a_body_that_cannot_be_names_its_field(story: Story, other: dict[str, object], field: str) -> None:
    body = {"name": "tone", "version": "1", "source": "own run", "config": config().decode(), **other}
    answer = Pipeline(story).post(reverse("api-adapters"), body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    ask = Pipeline(story).post(reverse("api-requests"), ask_body(story, adapters=["x"]))
    assert (ask.status_code, ask.json()["field"]) == (400, "adapters.0")


def test_by_form_and_on_the_review_page(story: Story) -> None:
    client = browser(story.requester)
    upload = {
        "name": "tone",
        "version": "1",
        "source": "own run",
        "base": str(story.version),
        "config": SimpleUploadedFile("adapter_config.json", config(revision=None)),
        "header": SimpleUploadedFile("adapter_model.safetensors", header() + b"\0" * 262144),
    }
    answer = client.post(reverse("admin:desk_adapter_new"), upload)
    row = Adapter.objects.get()
    address = reverse("admin:desk_adapter", args=[row.pk])
    assert answer.headers["Location"] == address
    assert row.weight_bytes == 262144
    assert "No revision names it." in client.get(address).content.decode()
    assert "tone 1, for Llama 3.1 8B 2024-07" in client.get(reverse("admin:desk_request_new")).content.decode()
    ask = {
        **ask_body(story),
        "model_version": str(story.version),
        "gpu_pool": str(story.pool),
        "adapters": [str(row.pk)],
        "weight_dtype": "bf16",
        "kv_dtype": "bf16",
        "engine": "vllm",
        "environment": "production",
    }
    assert client.post(reverse("admin:desk_request_new"), ask).status_code == 302
    request = ApprovalRequest.objects.get()
    page = client.get(reverse("admin:desk_review", args=[request.pk])).content.decode()
    assert address in page
    assert row.config_sha256 in page
    assert "another revision of its base, or none said" in page
    story.decided(request)
    deployment = client.get(reverse("admin:desk_deployment", args=[request.deployment_id])).content.decode()
    assert "tone 1" in deployment
    assert "call-summary" in client.get(address).content.decode()


def test_a_form_that_cannot_be_says_where(story: Story) -> None:
    another_version(story)
    other = register(story, config=config(revision="2025-01"))
    client = browser(story.requester)
    broken = {
        "name": "b",
        "version": "1",
        "source": "own",
        "config": SimpleUploadedFile("adapter_config.json", b'{"peft_type": "LORA"}'),
    }
    answer = client.post(reverse("admin:desk_adapter_new"), broken)
    assert answer.status_code == 400
    assert "base_model_name_or_path: is missing" in answer.content.decode()
    ask = {
        **ask_body(story),
        "model_version": str(story.version),
        "gpu_pool": str(story.pool),
        "adapters": [str(other.id)],
        "weight_dtype": "bf16",
        "kv_dtype": "bf16",
        "engine": "vllm",
        "environment": "production",
    }
    refused = client.post(reverse("admin:desk_request_new"), ask)
    assert refused.status_code == 400
    assert "is for another base than Llama 3.1 8B 2024-07" in refused.content.decode()
    assert not ApprovalRequest.objects.exists()


def test_pages_open_for_everybody_and_cost_the_same_with_many_rows(story: Story) -> None:
    row = register(story)
    request = story.submitted("memo-0", adapters=(row.id,))
    pages = [
        reverse("admin:governance_adapter_changelist"),
        reverse("admin:desk_adapter", args=[row.id]),
        reverse("admin:desk_adapter_new"),
        reverse("admin:desk_request_new"),
        reverse("admin:desk_review", args=[request.pk]),
    ]
    client = browser(story.reviewer)
    few = [queries_of(client, page) for page in pages]
    for number in range(1, 6):
        made = register(story, f"tone-{number}")
        story.submitted(f"memo-{number}", adapters=(row.id, made.id))
    assert [queries_of(client, page) for page in pages] == few
    assert max(few) <= 40
    for page in [*pages, reverse("admin:governance_adapter_change", args=[row.id])]:
        assert Client().get(page).status_code == 302
        text = browser(story.bystander).get(page).content.decode()
        assert "<style" not in text
        assert " style=" not in text
    assert client.get(reverse("admin:desk_adapter", args=[uuid4()])).status_code == 404
    japanese = client.get(pages[1], headers={"Accept-Language": "ja"}).content.decode()
    assert "アダプター" in japanese
