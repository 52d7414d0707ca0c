"""The desk's pages: every GET is safe, costs a constant number of queries, and says why a button is blocked."""

import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit import queries as log
from audit.models import User
from governance import operations
from governance.admin import turning
from governance.admin.registry import ReadOnly
from governance.models import ApprovalRequest, Deployment, GpuModel, GpuPool, ModelVersion
from governance.queries import desk, queue
from tests.integration.governance_story import CONFIG, INDEX, NOW, REASON, Story, tell

pytestmark = pytest.mark.django_db

LISTS = ["modelversion", "adapter", "gpumodel", "gpupool", "deployment", "agent", "comparison", "finding"]


@pytest.fixture
def story() -> Story:
    return tell()


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def contents() -> dict[str, Any]:
    """Every row of every table of governance and of the log, as text."""
    with connection.cursor() as cursor:
        names = [
            name
            for name in connection.introspection.table_names(cursor)
            if not name.startswith(("django_session", "account"))
        ]
        found = {}
        for name in sorted(names):
            cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{name}\" t")
            found[name] = cursor.fetchone()
    return found


def addresses(story: Story) -> list[str]:
    request = ApprovalRequest.objects.get()
    found = [reverse(f"admin:governance_{name}_changelist") for name in LISTS]
    found += [
        reverse(f"admin:desk_{name}") for name in ("requests", "request_new", "model_new", "adapter_new", "pool_new")
    ]
    found += [reverse("admin:desk_requests") + f"?state={state}" for state in ("approved", "nonsense", "")]
    found += [reverse("admin:desk_requests") + f"?after={after}" for after in ("2", "-1", "m1-1", "9" * 30)]
    found += [
        reverse("admin:desk_review", args=[request.pk]),
        reverse("admin:desk_deployment", args=[request.deployment_id]),
        reverse("admin:governance_modelversion_change", args=[story.version]),
        reverse("admin:governance_gpupool_change", args=[story.pool]),
        reverse("admin:governance_deployment_change", args=[request.deployment_id]),
    ]
    return found


def test_every_page_opens_and_changes_nothing(story: Story) -> None:
    operations.follow_log(now=NOW)
    story.submitted()
    before = contents()
    for user in (story.requester, story.reviewer, story.bystander):
        client = browser(user)
        for address in addresses(story):
            assert client.get(address).status_code == 200, address
    assert contents() == before


def test_pages_are_behind_a_log_in(story: Story) -> None:
    story.submitted()
    for address in addresses(story):
        assert Client().get(address).status_code == 302, address


def test_unknown_things_are_not_found(story: Story) -> None:
    client = browser(story.reviewer)
    for name in ("review", "deployment"):
        assert client.get(reverse(f"admin:desk_{name}", args=[story.version])).status_code == 404


def test_no_page_needs_what_the_content_policy_forbids(story: Story) -> None:
    story.decided(story.submitted())
    client = browser(story.reviewer)
    for address in addresses(story):
        page = client.get(address).content.decode()
        assert "<style" not in page, address
        assert " style=" not in page, address
        assert " onclick=" not in page, address


def test_a_reviewer_approves_and_comes_to_the_next_request(story: Story) -> None:
    first, second = story.submitted("first"), story.submitted("second")
    client = browser(story.reviewer)
    address = reverse("admin:desk_review", args=[first.pk])
    page = client.get(address).content.decode()
    assert first.decision_digest in page
    assert "Record decision</button>" in page
    assert "disabled" not in page.split('class="go"')[1].split(">")[0]
    entered = {"decision": "approve", "reason": REASON, "digest_seen": first.decision_digest}
    answer = client.post(address, entered)
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("admin:desk_review", args=[second.pk])
    first.refresh_from_db()
    assert first.state == "approved"
    done = client.get(address).content.decode()
    assert REASON in done
    assert 'class="go"' not in done


def test_the_requester_sees_the_button_and_why_it_is_blocked(story: Story) -> None:
    request = story.submitted()
    client = browser(story.requester)
    address = reverse("admin:desk_review", args=[request.pk])
    page = client.get(address).content.decode()
    assert "disabled" in page.split('class="go"')[1].split(">")[0]
    assert "The one who asks cannot decide" in page
    entered = {"decision": "approve", "reason": REASON, "digest_seen": request.decision_digest}
    answer = client.post(address, entered)
    assert answer.status_code == 400
    assert "Nothing was recorded" in answer.content.decode()
    request.refresh_from_db()
    assert request.state == "open"


def test_a_refused_decision_keeps_what_was_typed(story: Story) -> None:
    request = story.submitted()
    client = browser(story.reviewer)
    entered = {"decision": "reject", "reason": "no & <b>", "digest_seen": request.decision_digest}
    answer = client.post(reverse("admin:desk_review", args=[request.pk]), entered)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "at least 20 are needed" in page
    assert "no &amp; &lt;b&gt;</textarea>" in page
    assert 'value="reject" checked' in page


def test_a_decision_needs_the_token_of_the_form(story: Story) -> None:
    request = story.submitted()
    client = Client(enforce_csrf_checks=True)
    client.force_login(story.reviewer)
    assert client.post(reverse("admin:desk_review", args=[request.pk]), {}).status_code == 403


def test_the_requester_withdraws(story: Story) -> None:
    request = story.submitted()
    address = reverse("admin:desk_withdraw", args=[request.pk])
    assert browser(story.requester).get(address).status_code == 405
    assert browser(story.reviewer).post(address, {"reason": "Mine now."}).status_code == 400
    assert browser(story.requester).post(address, {"reason": "Not needed."}).status_code == 302
    request.refresh_from_db()
    assert request.state == "withdrawn"


def test_a_model_version_is_registered_by_upload(story: Story) -> None:
    size = log.head_size()
    answer = browser(story.requester).post(
        reverse("admin:desk_model_new"),
        {
            "model_name": "Llama 3.1 8B again",
            "version": "1",
            "source": "own copy",
            "config": SimpleUploadedFile("config.json", json.dumps(CONFIG).encode()),
            "index": SimpleUploadedFile("model.safetensors.index.json", json.dumps(INDEX).encode()),
        },
    )
    assert answer.status_code == 302
    made = ModelVersion.objects.get(model__name="Llama 3.1 8B again")
    assert made.params_total == 8030261248
    assert made.weight_bytes == 16060522496
    assert log.head_size() == size + 4, "the model, its version and two files"


def test_a_broken_upload_is_told_and_writes_nothing(story: Story) -> None:
    size = log.head_size()
    answer = browser(story.requester).post(
        reverse("admin:desk_model_new"),
        {
            "model_name": "Broken",
            "version": "1",
            "source": "own copy",
            "config": SimpleUploadedFile("config.json", b'{"model_type": "llama", "hidden_size": NaN}'),
        },
    )
    assert answer.status_code == 400
    assert "NaN" in answer.content.decode()
    assert log.head_size() == size


def test_a_pool_and_a_request_are_made_by_form(story: Story) -> None:
    client = browser(story.requester)
    gpu = GpuModel.objects.get(name="L40S")
    fields = {"name": "osaka", "gpu_model": gpu.name, "count": 2, "node": "n1", "region": "jp-west"}
    assert client.post(reverse("admin:desk_pool_new"), {**fields, "hosting": "on_prem"}).status_code == 302
    pool = GpuPool.objects.get(name="osaka")
    ask = {
        "name": "call-summary",
        "purpose": "Summaries of calls.",
        "justification": "Agents write them by hand.",
        "model_version": str(story.version),
        "gpu_pool": str(pool.pk),
        "gpu_count": 1,
        "context": 4096,
        "concurrency": 4,
        "weight_dtype": "fp8",
        "kv_dtype": "fp8",
        "engine": "vllm",
        "environment": "staging",
        "tool_grants": "search, lookup",
    }
    answer = client.post(reverse("admin:desk_request_new"), ask)
    request = ApprovalRequest.objects.select_related("revision").get()
    assert answer.headers["Location"] == reverse("admin:desk_review", args=[request.pk])
    assert request.revision.tool_grants == ["lookup", "search"]
    again = client.post(reverse("admin:desk_request_new"), ask)
    assert again.status_code == 400
    assert request.ref in again.content.decode()


def test_who_may_not_ask_sees_why(story: Story) -> None:
    client = browser(story.bystander)
    page = client.get(reverse("admin:desk_request_new")).content.decode()
    assert "Only members of the pool Requesters" in page
    assert client.get(reverse("admin:desk_pool_new")).content.decode().count("disabled") >= 1


def test_the_queue_opens_on_what_waits_for_me_oldest_first(story: Story) -> None:
    own = operations.request_deployment(by=story.second_reviewer, ask=story.ask("own"), now=NOW)
    first, second = story.submitted("first"), story.submitted("second")
    story.decided(story.submitted("closed"))
    page = browser(story.second_reviewer).get(reverse("admin:desk_requests")).content.decode()
    refs = [first.ref, second.ref, ApprovalRequest.objects.get(pk=own.id).ref]
    places = [page.index(f">{ref}<") for ref in refs]
    assert places == sorted(places)
    assert "2 requests wait for you" in page
    assert page.count("Your turn") == 2


@pytest.mark.parametrize(
    ("name", "further"),
    [
        ("modelversion", ("modelartefact", "standing")),
        ("gpupool", ("gpumodel", "standing")),
        ("usecase", ("oversightassignment", "standing")),
        ("deployment", ("comparison", "standing")),
    ],
)
def test_lists_lead_to_the_lists_beside_them(story: Story, name: str, further: tuple[str, ...]) -> None:
    client = browser(story.bystander)
    page = client.get(reverse(f"admin:governance_{name}_changelist")).content.decode()
    for other in further:
        address = reverse(f"admin:governance_{other}_changelist")
        assert f'href="{address}"' in page
        assert client.get(address).status_code == 200


def test_pages_cost_the_same_with_many_rows(story: Story) -> None:
    request = story.submitted("memo-0")
    pages = [
        reverse("admin:desk_requests"),
        reverse("admin:desk_review", args=[request.pk]),
        reverse("admin:desk_deployment", args=[request.deployment_id]),
        reverse("admin:governance_deployment_changelist"),
        reverse("admin:governance_modelversion_changelist"),
        reverse("admin:governance_gpupool_changelist"),
        reverse("admin:governance_finding_changelist"),
    ]
    client = browser(story.reviewer)
    few = [queries_of(client, page) for page in pages]
    for number in range(1, 12):
        story.submitted(f"memo-{number}")
    many = [queries_of(client, page) for page in pages]
    assert many == few
    assert Deployment.objects.count() == 12
    assert max(many) <= 60


def test_the_queue_turns_by_keyset_and_is_filtered(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PAGE", 2)
    own = operations.request_deployment(by=story.second_reviewer, ask=story.ask("own"), now=NOW)
    made = [story.submitted(f"memo-{number}") for number in range(3)]
    client = browser(story.second_reviewer)
    address, seen, turns = reverse("admin:desk_requests"), [], 0
    query = "?state=open"
    while query:
        page = client.get(address + query).content.decode()
        seen += re.findall(r">(REQ-\d+)<", page)
        match = re.search(r'rel="next" href="([^"]+)"', page)
        query = match[1].replace("&amp;", "&") if match else ""
        turns += 1
    assert seen == [*(request.ref for request in made), ApprovalRequest.objects.get(pk=own.id).ref]
    assert turns == 2
    for request in made:
        story.decided(request)
    newest = queue(story.requester, state="approved")
    rest = queue(story.requester, state="approved", after=newest.next)
    assert [line.ref for line in (*newest.lines, *rest.lines)] == [request.ref for request in reversed(made)]
    assert (rest.next, rest.turned) == ("", True)
    for wanted, refs in (
        ({"deployment": made[0].deployment.ref.lower()}, {made[0].ref}),
        ({"deployment": "memo-1"}, {made[1].ref}),
        ({"deployment": "nothing"}, set()),
        ({"requester": "sato"}, set()),
        ({"requester": "WATA", "kind": "deploy", "pool": "Reviewers"}, {made[2].ref, made[1].ref}),
        ({"kind": "change"}, set()),
    ):
        page = client.get(address, {"state": "approved", **wanted}).content.decode()
        assert set(re.findall(r">(REQ-\d+)<", page)) == refs, wanted
    for after in ("m", "o99999999999999999-1", "c1-2", "m1-1' OR 1=1", "x" * 500):
        assert client.get(address, {"after": after}).status_code == 200


def test_stock_lists_count_and_turn_so_far(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "MOST", 2)
    monkeypatch.setattr(ReadOnly, "list_per_page", 1)
    for number in range(3):
        story.submitted(f"memo-{number}")
    operations.index_log()
    client, address = browser(story.reviewer), reverse("admin:governance_deployment_changelist")
    page = client.get(address).content.decode()
    assert "There are more than 2" in page
    assert client.get(address, {"p": "2"}).status_code == 200
    assert client.get(address, {"p": "3"}).headers["Location"].endswith("?e=1"), "no deeper than that"
    assert ">memo-2<" in client.get(address, {"q": "memo-2"}).content.decode()
    assert ">memo-" not in client.get(address, {"q": "letter"}).content.decode()
    versions = client.get(reverse("admin:governance_modelversion_changelist")).content.decode()
    assert "?weight_dtype=bfloat16" in versions or "?weight_dtype=bf16" in versions
