"""Objects and lists as the ledger tells them at any tree size, on pages and over REST."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit import queries as log
from governance import operations, queries
from governance.models import ApprovalRequest, Deployment
from governance.queries.reconciling import TABLES
from governance.queries.wording import columns, field_label
from governance.snapshot import FIELDS
from tests.integration.governance_story import Story, tell
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_pages import browser, contents, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def test_every_kind_has_a_label_for_every_column() -> None:
    for kind, fields in FIELDS.items():
        assert set(fields) <= set(columns(kind)), kind
        assert all(field_label(kind, field) for field in fields)


def test_an_object_before_and_after_its_approval(story: Story) -> None:
    request = story.submitted()
    asked = log.head_size()
    story.decided(request)
    operations.index_log()
    deployment = request.deployment_id

    then, now = queries.object_page("deployment", deployment, at=asked), queries.object_page("deployment", deployment)
    fields = {line.name: line.values[0] for line in then.fields}
    assert (fields["approved_revision_id"].text, fields["owner_id"].text) == ("–", "Watanabe")
    ref = request.deployment.ref
    assert then.name == f"{ref} credit-memo-draft"
    assert (then.later, then.now, now.now) == (now.entry + 1 if now.entry else None, False, True)
    approved = next(line.values[0] for line in now.fields if line.name == "approved_revision_id")
    assert (approved.kind, approved.id) == ("revision", request.revision_id)
    assert approved.text == f"{ref} credit-memo-draft / 1"
    assert [item.index for item in now.steps] == [then.entry, now.entry]
    assert (now.step, now.earlier) == (1, (then.entry or 0) + 1)
    assert [(change.name, change.old[0].text) for change in now.history[0].changes] == [
        ("approved_revision_id", "–"),
        ("row_version", "1"),
    ]
    assert now.history[-1].begins
    assert {(line.kind, line.label) for line in then.referring} == {
        ("revision", "Deployment"),
        ("request", "Deployment"),
    }

    revision = queries.object_page("revision", request.revision_id, at=asked)
    assert {line.kind for line in revision.referring} == {"request"}
    revision = queries.object_page("revision", request.revision_id)
    assert {line.kind for line in revision.referring} == {"request", "deployment"}

    before = queries.object_page("deployment", deployment, at=1)
    assert (before.state, before.fields, before.name, before.history) == ("unknown", (), then.name, ())
    with pytest.raises(queries.NoSuchObject):
        queries.object_page("deployment", uuid4())
    with pytest.raises(queries.NoSuchObject):
        queries.object_page("nothing", deployment)


def test_the_page_tells_the_ledger_and_not_the_table(story: Story) -> None:
    """What somebody writes into the table behind our back is not on the page."""
    request = story.submitted()
    Deployment.objects.filter(pk=request.deployment_id).update(purpose="Something else.")
    page = browser(story.bystander).get(
        reverse("admin:desk_registry_object", args=["deployment", request.deployment_id])
    )
    assert "Drafts credit memos for officers" in page.content.decode()
    assert "Something else." not in page.content.decode()


def addresses(request: ApprovalRequest) -> list[str]:
    one = reverse("admin:desk_registry_object", args=["request", request.pk])
    many = reverse("admin:desk_registry", args=["request"])
    return [
        *(
            f"{one}{query}"
            for query in ("", "?at=3", "?at=99999999", "?at=x", "?before=4", f"?at={log.head_size() - 1}")
        ),
        *(f"{many}{query}" for query in ("", "?at=3", "?at=0", "?name=memo", "?before=0")),
        *(reverse("admin:desk_registry", args=[kind]) for kind in TABLES),
    ]


def test_pages_open_for_everybody_and_change_nothing(story: Story) -> None:
    request = story.submitted()
    story.decided(request)
    operations.index_log()
    before = contents()
    for user in (story.requester, story.bystander):
        client = browser(user)
        for address in addresses(request):
            page = client.get(address)
            assert page.status_code == 200, address
            for forbidden in ("<style", " style=", " onclick=", "<script>"):
                assert forbidden not in page.content.decode(), address
    assert contents() == before
    for address in addresses(request):
        assert Client().get(address).status_code == 302, address
    client = browser(story.bystander)
    for kind, pk in (("request", uuid4()), ("nothing", request.pk)):
        assert client.get(reverse("admin:desk_registry_object", args=[kind, pk])).status_code == 404
    assert client.get(reverse("admin:desk_registry", args=["nothing"])).status_code == 404


def test_the_slider_works_without_a_script(story: Story) -> None:
    request = story.submitted()
    story.decided(request)
    address = reverse("admin:desk_registry_object", args=["request", request.pk])
    client = browser(story.bystander)
    page = client.get(address).content.decode()
    steps = queries.object_page("request", request.pk).steps
    assert len(steps) == 2
    assert f'name="base" value="{steps[0].index}"' in page
    answer = client.get(address, {"base": steps[0].index, "step": 0})
    assert answer.headers["Location"] == f"{address}?at={steps[0].index + 1}"
    page = client.get(answer.headers["Location"]).content.decode()
    assert "As of entry" in page
    assert f'<dt title="state">State</dt><dd>\n{"open"}' in page.replace("<dd>open", "<dd>\nopen")
    assert client.get(address, {"base": steps[0].index, "step": 7}).headers["Location"] == address
    assert client.get(address, {"base": "x", "step": "y"}).status_code == 200


def test_existing_pages_lead_there(story: Story) -> None:
    request = story.submitted()
    client = browser(story.reviewer)
    for kind, pk, page in (
        ("request", request.pk, "admin:desk_review"),
        ("deployment", request.deployment_id, "admin:desk_deployment"),
    ):
        address = reverse("admin:desk_registry_object", args=[kind, pk])
        assert f'href="{address}"' in client.get(reverse(page, args=[pk])).content.decode()
    address = reverse("admin:governance_gpupool_history", args=[story.pool])
    assert client.get(address).headers["Location"] == reverse(
        "admin:desk_registry_object", args=["gpu_pool", story.pool]
    )


def test_lists_as_of(story: Story) -> None:
    for number in range(3):
        story.submitted(f"memo-{number}")
    early = log.head_size()
    letter = story.submitted("letter")
    found = queries.objects_at("deployment", at=early, limit=2)
    assert [line.name.partition(" ")[2] for line in found.lines] == ["memo-2", "memo-1"]
    rest = queries.objects_at("deployment", at=early, before=found.older, limit=2)
    assert ([line.name.partition(" ")[2] for line in rest.lines], rest.older) == (["memo-0"], None)
    assert [line.id for line in queries.objects_at("deployment", name="LETTER").lines] == [letter.deployment_id]
    assert queries.objects_at("deployment", name="letter", at=early).lines == ()
    assert queries.objects_at("deployment", at=0).lines == ()


def test_over_rest(story: Story) -> None:
    request = story.submitted()
    asked = log.head_size()
    story.decided(request)
    operations.index_log()
    pipeline = Pipeline(story)
    one = reverse("api-registry-object", args=["deployment", request.deployment_id])
    then, now = pipeline.get(one, at=str(asked)).json(), pipeline.get(one).json()
    assert (then["state"], then["after"]["approved_revision_id"]) == ("here", None)
    state = log.state_at(f"deployment:{request.deployment_id}", log.head_size())
    assert state
    assert now["after"] == state.after
    assert now["changes"] == [then["entry"], now["entry"]]
    assert then["receipt"] == reverse("api-receipt", args=[then["entry"]])
    assert {item["field"] for item in now["referring"]} == {"deployment_id"}
    history = pipeline.get(reverse("api-registry-history", args=["deployment", request.deployment_id])).json()
    assert history["items"][0]["changes"][0] == {
        "field": "approved_revision_id",
        "from": None,
        "to": str(request.revision_id),
    }
    many = pipeline.get(reverse("api-registry", args=["deployment"]), at=str(asked), limit="1").json()
    assert [(item["entry"], item["after"]["row_version"]) for item in many["items"]] == [(then["entry"], 1)]
    assert many["next"] is None
    for address, query, status, field in (
        (one, {"at": "x"}, 400, "at"),
        (one, {"at": "9999999"}, 400, "at"),
        (reverse("api-registry", args=["nothing"]), {}, 404, "kind"),
        (reverse("api-registry", args=["request"]), {"limit": "-1"}, 400, "limit"),
        (reverse("api-registry-object", args=["request", uuid4()]), {}, 404, "subject_id"),
    ):
        answer = pipeline.get(address, **query)
        assert (answer.status_code, answer.json()["field"]) == (status, field)
        assert Client().get(address).status_code == 401
        assert Pipeline(story, "events:write").get(address).status_code == 403


def test_costs_the_same_with_more_rows(story: Story) -> None:
    request = story.submitted("memo-0")
    story.decided(request)
    operations.index_log()
    pages = [
        reverse("admin:desk_registry_object", args=["deployment", request.deployment_id]),
        reverse("admin:desk_registry_object", args=["model_version", story.version]),
        reverse("admin:desk_registry", args=["deployment"]),
    ]
    client = browser(story.bystander)
    few = [queries_of(client, page) for page in pages]
    for number in range(1, 8):
        story.submitted(f"memo-{number}")
    operations.index_log()
    assert [queries_of(client, page) for page in pages] == few
    assert max(few) <= 70
