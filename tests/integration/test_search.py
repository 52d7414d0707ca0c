"""One search over everything: what it finds, what it survives, how it follows the log, that it can be made again."""

from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from governance import operations, queries, tasks
from governance.admin.own import OWN_PAGES, page_of
from governance.models import Cursor, Mention, SearchDocument
from governance.queries.reconciling import TABLES
from governance.queries.words import MOST_ASKED
from tests.integration.governance_story import Story, tell
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser, contents, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def found(text: str, kind: str = "") -> list[str]:
    """Kind and name of everything found."""
    results = queries.search(text, kind=kind)
    return [f"{group.kind}: {hit.label}" for group in results.groups for hit in group.hits]


def test_by_word_reference_digest_id_and_number(story: Story) -> None:
    request = story.submitted(
        "信用メモの下書き", purpose="審査担当者のためにメモを下書きする。Überprüfung durch Menschen."
    )
    story.submitted("call-summary")
    operations.index_log()
    name = f"{request.deployment.ref} 信用メモの下書き"
    deployment = f"deployment: {name}"
    for text in (
        "信用メモ",
        "下書き",
        "書",
        "審査担当",
        "überPRÜF",
        "ÜBERPRÜFUNG menschen",
        request.deployment.ref,
        request.deployment.ref.lower(),
    ):
        assert deployment in found(text), text
    assert found("査審") == []
    assert f"request: {request.ref} {name}" in found(request.ref)
    assert not any(item.startswith("request: ") and request.ref not in item for item in found(request.ref))
    for text in (request.revision_digest, request.revision_digest[:8], request.revision_digest[:12].upper()):
        assert f"revision: {name} / 1" in found(text), text
    for text in (str(request.pk), str(request.pk).replace("-", "")[:10]):
        assert f"request: {request.ref} {name}" in found(text)
    assert "model_version: Llama 3.1 8B 2024-07" in found(
        "lla 8b 2024"
    ) or "model_version: Llama 3.1 8B 2024-07" in found("llama 8b 2024")
    assert found("llama summary", kind="gpu_pool") == []
    assert {item.partition(":")[0] for item in found("tokyo")} == {"gpu_pool"}
    assert queries.search("7").entry == 7
    assert queries.search("999,999,999").entry is None
    assert queries.search("nothing at all like this").groups == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "'",
        "a' & !b | (c <-> d):*A\\",
        "x" * 10_000,
        "%_\\",
        "\x00\x1b",
        "\u202e\u200b",
        "!!!",
        "a:*b:*",
        "' OR 1=1 --",
        "\ud83d",
    ],
)
def test_hostile_questions_are_safe(story: Story, text: str) -> None:
    operations.index_log()
    results = queries.search(text)
    assert len(results.words) <= MOST_ASKED
    assert len(results.asked) <= 200


def test_it_follows_the_log_and_can_be_made_again(story: Story) -> None:
    operations.index_log()
    request = story.submitted()
    assert found("credit-memo-draft") == []
    assert queries.search("x").behind > 0
    tasks.index_log()
    assert queries.search("x").behind == 0
    assert operations.index_log().documents == 0
    before = (
        list(SearchDocument.objects.order_by("subject").values()),
        list(Mention.objects.order_by("target", "subject").values()),
    )
    Cursor.objects.filter(name="search").update(next_index=0)
    operations.index_log()
    assert list(SearchDocument.objects.order_by("subject").values()) == before[0], "read twice, the same"
    SearchDocument.objects.filter(kind="deployment").update(label="wrong")
    call_command("rebuild_search", verbosity=0)
    assert list(SearchDocument.objects.order_by("subject").values()) == before[0]
    assert list(Mention.objects.order_by("target", "subject").values()) == before[1]
    assert SearchDocument.objects.filter(subject=f"request:{request.pk}").exists()


def test_pages_and_rest(story: Story) -> None:
    request = story.submitted()
    operations.index_log()
    address = reverse("admin:desk_search")
    client = browser(story.bystander)
    before = contents()
    for query in ("", "?q=credit", "?q=credit&kind=request", "?q=credit&kind=x", "?q=%3Cscript%3E", "?q=5", "?q='"):
        page = client.get(address + query).content.decode()
        for forbidden in ("<style", " style=", " onclick=", "<script>"):
            assert forbidden not in page, query
    page = client.get(address, {"q": "credit memo"}).content.decode()
    assert f'href="{reverse("admin:desk_review", args=[request.pk])}"' in page
    assert f'href="{reverse("admin:desk_deployment", args=[request.deployment_id])}"' in page
    assert 'id="find"' in page
    assert contents() == before
    assert Client().get(address).status_code == 302

    pipeline, rest = Pipeline(story), reverse("api-search")
    answer = pipeline.get(rest, q="credit memo", kind="deployment", limit="1").json()
    assert [(group["kind"], len(group["items"]), group["more"]) for group in answer["groups"]] == [
        ("deployment", 1, False)
    ]
    assert (answer["entry"], answer["behind"]) == (None, 0) or answer["behind"] > 0
    assert pipeline.get(rest, q="x", limit="many").json()["field"] == "limit"
    assert Client().get(rest).status_code == 401
    assert Pipeline(story, "events:write").get(rest).status_code == 403


def test_what_has_a_page_of_its_own_is_found_there(story: Story) -> None:
    story.submitted()
    operations.index_log()
    client, opened = browser(story.bystander), set()
    for kind in OWN_PAGES:
        assert client.get(page_of(kind, uuid4())).status_code == 404, kind
        for row in TABLES[kind]._default_manager.all()[:1]:
            address = page_of(kind, row.pk)
            assert client.get(address).status_code == 200, kind
            earlier = client.get(reverse("admin:desk_registry_object", args=[kind, row.pk])).content.decode()
            assert f'href="{address}"' in earlier, kind
            hits = client.get(reverse("admin:desk_search"), {"q": str(row.pk), "kind": kind}).content.decode()
            assert f'href="{address}"' in hits, kind
            opened.add(kind)
    assert {"model", "model_version", "gpu_pool", "deployment", "request"} <= opened
    assert page_of("finding", uuid4()) == ""


def test_costs_the_same_with_more_rows(story: Story) -> None:
    story.submitted("memo-0")
    operations.index_log()
    client, address = browser(story.bystander), reverse("admin:desk_search") + "?q=memo"
    few = queries_of(client, address)
    for number in range(1, 12):
        story.submitted(f"memo-{number}")
    operations.index_log()
    assert queries_of(client, address) == few <= 30
    group = next(group for group in queries.search("memo").groups if group.kind == "deployment")
    assert (len(group.hits), group.more) == (8, True)
    assert group.hits[0].label.endswith("memo-11"), "newest first"
