"""Who is told of what: once each, by those rules that decide, and without a word that stays behind the log-in."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.access.tokens import issue_token
from audit.events import EventType
from audit.models import Alarm, User
from audit.queries.people import deciders_of_change
from governance import operations, queries
from governance.models import Condition, Cursor, Notification, NotificationPreference
from governance.queries.matters import BY_CLOCK, FROM_LOG, KINDS, SENDABLE, kind_word, path_of
from governance.queries.notified import Rights, waiting_work
from tests.integration.governance_story import NOW, REASON, Story, login, tell
from tests.integration.people_story import tell_people
from tests.integration.test_governance_following import window
from tests.integration.test_governance_pages import browser, contents, queries_of

pytestmark = pytest.mark.django_db

FIRST_STAGE = {
    "name": "review",
    "pool": "Reviewers",
    "quorum": 1,
    "blind": False,
    "conditions_allowed": False,
    "distinct_from": [],
    "due_days": None,
}


@pytest.fixture
def story() -> Story:
    return tell()


def told(user: User) -> list[tuple[str, str]]:
    """Kinds and refs that this person was told of, in the order of the log, then of the clock."""
    rows = Notification.objects.filter(person_id=user.person_id).order_by("entry_index", "kind", "scope")
    return [(row.kind, json.loads(row.params).get("ref", "")) for row in rows]


def follow() -> operations.Told:
    return operations.follow_notices(now=NOW)


def test_the_kinds_are_known_types_or_will_be() -> None:
    assert set(FROM_LOG) <= set(EventType)
    assert set(FROM_LOG) == {
        *("request.submitted", "request.advanced", "request.approved", "request.rejected"),
        *("request.changes_requested", "request.withdrawn", "request.timed_out", "request.revoked"),
        *("request.expired", "request.invalidated", "condition.breached", "finding.raised"),
        *("approval_policy.proposed", "pool_change.proposed"),
    }
    assert set(SENDABLE) < set(KINDS)
    assert set(FROM_LOG).isdisjoint(BY_CLOCK)
    for kind in KINDS:
        assert kind_word(kind)
        assert path_of(kind, f"unknown:{uuid4()}", "{}").startswith("/admin/")


def test_a_request_is_told_to_those_who_may_decide_and_its_outcome_to_those_whose_it_is(story: Story) -> None:
    operator, other = login("root", "Operators"), login("okafor2", "Reviewers", person=story.reviewer)
    barred = login("aud", "Auditors")
    gone = login("gone", "Reviewers")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    request = story.submitted()
    assert follow().notifications == 2
    for deciding in (story.reviewer, story.second_reviewer, other):
        assert told(deciding) == [("request.submitted", request.ref)]
    # The one who asks, who only looks, who audits, and whose log-in is closed.
    for silent in (story.requester, story.bystander, barred, gone, operator):
        assert told(silent) == []
    assert Rights().of_request(request) == {story.reviewer.person_id, story.second_reviewer.person_id}

    # Read again from the start: nothing is told twice.
    Cursor.objects.filter(name="notifications").update(next_index=0)
    assert follow().notifications == 0
    assert follow() == operations.Told()

    assert list(waiting_work(limit=10)[story.reviewer.person_id]) == [request.pk]
    story.decided(request, "reject")
    follow()
    assert told(story.requester) == [("request.rejected", request.ref)]
    assert told(story.reviewer) == [("request.submitted", request.ref)]  # who did it knows
    assert waiting_work(limit=10) == {}
    stored = Notification.objects.values_list("params", flat=True)
    assert not any(REASON in params or "reject" in params for params in stored)

    # Nobody is told of what is old, as in a log that was imported.
    story.submitted("later")
    assert operations.follow_notices(now=NOW + timedelta(days=8)).notifications == 0


def test_a_proposed_change_of_a_pool_is_told_to_those_who_may_decide_it() -> None:
    people = tell_people()
    gone = login("gone", "Reviewers")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    change = people.propose(people.operator, people.asker)
    follow()
    # An operator proposed it: no operator decides, nor the one it is about, nor a log-in that is closed.
    for able in (people.first, people.second, people.officer):
        assert told(able) == [("pool_change.proposed", "")]
        assert deciders_of_change(str(change.pk)) >= {able.person_id}
    for silent in (people.operator, people.other, people.asker, people.auditor, gone):
        assert told(silent) == []
    path = reverse("admin:pool_change", args=[change.pk])
    assert [line.path for line in queries.notifications(people.first).lines] == [path]

    people.decide(people.first, change)
    assert deciders_of_change(str(change.pk)) == frozenset()


def test_a_request_that_nobody_may_decide_is_told_to_operators_and_its_requester(story: Story) -> None:
    operator = login("root", "Operators")
    User.objects.filter(pk__in=[story.reviewer.pk, story.second_reviewer.pk]).update(is_active=False)
    request = story.submitted()
    follow()
    assert told(operator) == told(story.requester) == [("request.stuck", request.ref)]


def test_the_clock_tells_each_step_once(story: Story) -> None:
    operator = login("root", "Operators")
    request = story.submitted()
    operations.decide(
        request_id=request.pk,
        decider=story.reviewer,
        decision="approve_with_conditions",
        reason=REASON,
        digest_seen=request.decision_digest,
        conditions=[operations.ConditionAsk("Measure it.", NOW + timedelta(days=5))],
        now=NOW,
    )
    issue_token(
        service_account_id=story.service.id, scopes=["registry:read"], lifetime=timedelta(days=30),
        actor="system:test", now=NOW,
    )  # fmt: skip
    request.refresh_from_db()
    assert request.valid_until
    end = request.valid_until
    for moment, kinds in (
        (NOW, ["condition.due_soon"]),
        (NOW + timedelta(days=1), []),
        (NOW + timedelta(days=4, hours=1), ["condition.due_soon"]),
        (NOW + timedelta(days=17), ["token.expires_soon"]),
        (end - timedelta(days=29), ["approval.expires_soon"]),
        (end - timedelta(days=28), []),
        (end - timedelta(days=7), ["approval.expires_soon"]),
        (end - timedelta(hours=2), ["approval.expires_soon"]),
        (end + timedelta(hours=2), []),
    ):
        before = set(Notification.objects.values_list("pk", flat=True))
        operations.sweep_notices(now=moment)
        rows = Notification.objects.filter(person_id=story.requester.person_id).exclude(pk__in=before)
        assert [row.kind for row in rows] == kinds, moment
    operations.sweep(now=NOW + timedelta(days=6))
    assert Condition.objects.get().state == "breached"
    operations.follow_notices(now=NOW + timedelta(days=6))
    assert ("condition.breached", request.ref) in told(story.requester)
    breached = Notification.objects.get(kind="condition.breached", person_id=story.requester.person_id)
    assert path_of(breached.kind, breached.subject, breached.params) == reverse("admin:desk_review", args=[request.pk])

    Alarm.objects.create(kind="section", entry_index=1, subject="", detail="secret words", raised_at=NOW)
    operations.sweep_notices(now=NOW)
    operations.sweep_notices(now=NOW)
    assert told(operator) == [("ledger.alarm", "")]
    assert "secret" not in "".join(Notification.objects.values_list("params", flat=True))


def test_a_finding_is_told_to_the_owner_of_the_deployment_and_a_policy_to_who_decides_it(story: Story) -> None:
    officer, other = login("officer", "Compliance officers"), login("officer2", "Compliance officers")
    request = story.submitted()
    story.decided(request)
    window(f"deployment:{request.deployment_id}", 9999)
    operations.follow_log(now=NOW)
    operations.propose_policy(
        by=officer,
        name="standard",
        weight=10,
        applies_when={},
        content={
            "stages": [FIRST_STAGE],
            "reject_rule": "any",
            "valid_days": {"default": 365},
        },
        reason="A policy for what is ordinary.",
        now=NOW,
    )
    follow()
    finding = Notification.objects.get(kind="finding.raised")
    assert finding.person_id == story.requester.person_id
    place = reverse("admin:desk_deployment", args=[request.deployment_id])
    assert path_of(finding.kind, finding.subject, finding.params) == place
    assert [kind for kind, _ref in told(other)] == ["approval_policy.proposed"]
    assert told(officer) == []


def test_pages_list_read_and_choose(story: Story) -> None:
    for number in range(3):
        story.submitted(f"call-summary-{number}")
    client, page = browser(story.reviewer), reverse("admin:desk_notifications")
    few = queries_of(client, page)
    assert 'class="bell"' in client.get("/admin/").content.decode()
    follow()
    assert queries_of(client, page) == few
    home = client.get("/admin/").content.decode()
    assert 'class="bell unread"' in home
    assert '<b class="n">3</b>' in home
    before = contents()
    shown = client.get(page).content.decode()
    for forbidden in ("<style", " style=", " onclick="):
        assert forbidden not in shown
    assert shown.count("waits for your decision.</a></b>") == 3
    assert contents() == before
    assert Client().get(page).status_code == 302

    rows = queries.notifications(story.reviewer, limit=2)
    rest = queries.notifications(story.reviewer, after=rows.next, limit=2)
    assert len({line.id for line in (*rows.lines, *rest.lines)}) == 3
    assert rest.next is None

    read = reverse("admin:desk_notifications_read")
    assert client.get(read).status_code == 405
    one = rows.lines[0]
    answer = client.post(read, {"id": str(one.id), "go": "1"})
    assert answer.headers["Location"] == one.path
    assert queries.unread_count(story.reviewer) == 2
    # Nobody reads another's.
    assert browser(story.bystander).post(read, {"id": str(one.id)}).status_code == 404
    assert client.post(read, {"id": "nonsense"}).status_code == 404
    assert client.post(read).headers["Location"] == page
    assert queries.unread_count(story.reviewer) == 0
    assert queries.unread_count(story.second_reviewer) == 3

    choose = reverse("admin:desk_notification_preferences")
    assert client.get(choose).status_code == 200
    fields = {"language": "ja", "waiting": "digest", "outcome": "none", "deadline": "none", "platform": "at_once"}
    assert client.post(choose, {**fields, "waiting": "never"}).status_code == 400
    assert client.post(choose, fields).headers["Location"] == page
    chosen = NotificationPreference.objects.get(pk=story.reviewer.person_id)
    assert (chosen.language, chosen.waiting, chosen.digest) == ("ja", "digest", False)


def test_rest_lists_and_reads_ones_own(story: Story) -> None:
    request = story.submitted()
    follow()
    client, address = browser(story.reviewer), reverse("api-notifications")
    found = client.get(address).json()
    assert found["unread"] == 1
    (item,) = found["items"]
    assert item["sentence"] == f"{request.ref} waits for your decision."
    assert item["url"].endswith(reverse("admin:desk_review", args=[request.pk]))
    assert client.get(address, {"limit": "x"}).status_code == 400
    one = reverse("api-notification-read", args=[item["id"]])
    assert client.post(one, "{}", content_type="application/json").status_code == 200
    assert client.get(address, {"unread": "true"}).json()["items"] == []
    missing = reverse("api-notification-read", args=[uuid4()])
    assert client.post(missing, "{}", content_type="application/json").status_code == 404
    other = browser(story.second_reviewer)
    answer = other.post(reverse("api-notifications-read"), "{}", content_type="application/json")
    assert answer.json() == {"read": 1}
    preferences = reverse("api-notification-preferences")
    chosen = {**client.get(preferences).json(), "language": "ja"}
    assert client.put(preferences, json.dumps(chosen), content_type="application/json").json() == chosen
    token = issue_token(
        service_account_id=story.service.id, scopes=["registry:read"], lifetime=timedelta(days=1),
        actor="system:test", now=timezone.now(),
    )  # fmt: skip
    assert Client(headers={"Authorization": f"Bearer {token.text}"}).get(address).status_code == 403
