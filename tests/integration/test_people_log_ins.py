"""Log-ins: a reset password suspends decisions until another person confirms it; sessions are recorded."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from audit import queries as log
from audit.access import logins
from audit.access.base import Refused
from audit.access.sessions import count_refusals, note_refusal
from audit.models import Entry, RefusalWindow, SessionRefusal, User
from audit.queries.people import log_in
from audit.queries.roles import OPERATORS, REQUESTERS, REVIEWERS
from audit.tasks import count_refusals as task
from governance.queries.reconciling import reconcile
from governance.queries.rights import viewer, why_not_decide
from tests.integration.access import NOW, person
from tests.integration.governance_story import Story, login, tell
from tests.integration.people_story import REASON, People, later, members, tell_people
from tests.integration.test_governance_pages import browser, queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> People:
    return tell_people()


def act(name: str, by: User, account: User, **other: object) -> object:
    fields = {"reason": REASON, "seen": User.objects.get(pk=account.pk).row_version, "now": later(), **other}
    return getattr(logins, name)(by=User.objects.get(pk=by.pk), account_id=account.pk, **fields)


def refusal(name: str, by: User, account: User, **other: object) -> str:
    with pytest.raises(Refused) as caught:
        act(name, by, account, **other)
    return caught.value.reason


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def own_password(user: User) -> None:
    """The owner's own new password, different each time."""
    logins.change_own_password(user=fresh(user), password=f"own {later()} {fresh(user).row_version}", now=later())


def test_a_reset_suspends_until_another_person_confirms(story: People) -> None:
    assert "Only members" in refusal("reset_password", story.first, story.second)
    assert "your own" in refusal("reset_password", story.operator, story.operator)
    assert "changed meanwhile" in refusal("reset_password", story.operator, story.first, seen=9)
    made = act("reset_password", story.operator, story.first)
    assert isinstance(made, logins.FirstPassword)
    first = fresh(story.first)
    assert first.check_password(made.text) and first.suspended_because == "reset"
    told = json.dumps(log.section_facts([log.history(f"log_in:{first.pk}")[0].index])[log.head_size() - 1])
    assert made.text not in told and "decisions_suspended_at" in told
    # Suspended: proposes, decides and confirms nothing.
    change = story.propose(story.operator, story.asker)
    with pytest.raises(Refused, match="another person of your pools"):
        story.decide(first, change)
    for by, words in (
        (story.first, "another person"),
        (story.operator, "You suspended it"),
        (story.other, "Only members"),
        (story.auditor, "Only members"),
    ):
        assert words in refusal("confirm_log_in", by, story.first), by.username
    # Nobody confirms it while the operator knows the password, which typed again is none of their own.
    assert "owner changes the password first" in refusal("confirm_log_in", story.second, story.first)
    logins.change_own_password(user=fresh(first), password=made.text, now=later())
    assert "owner changes the password first" in refusal("confirm_log_in", story.second, story.first)
    own_password(story.first)
    assert fresh(story.first).decisions_suspended_at is not None
    act("confirm_log_in", story.second, story.first)
    assert fresh(story.first).decisions_suspended_at is None
    assert story.decide(fresh(story.first), change).state == "carried_out"
    # Who decides nothing is not suspended; compliance confirms every pool.
    act("reset_password", story.operator, story.auditor)
    assert fresh(story.auditor).decisions_suspended_at is None
    act("reset_password", story.operator, story.first)
    own_password(story.first)
    act("confirm_log_in", story.officer, story.first)
    kinds = [row.type for row in log.history(f"log_in:{first.pk}")]
    changed = ["password.changed"]
    assert kinds == ["log_in.confirmed", *changed, "password.reset", "log_in.confirmed", *changed * 2, "password.reset"]


def test_whoever_joins_with_a_known_password_decides_nothing(story: People) -> None:
    """First and reset passwords are known to an operator: joining suspends until an own one and a confirmation."""
    made = logins.add_log_in(
        by=story.operator, username="neu", display_name="Neu", email="", pools=[REQUESTERS], now=NOW
    )
    new = fresh(User(pk=made.account_id))
    assert new.password_set_by_other_at == NOW and new.decisions_suspended_at is None
    act("reset_password", story.operator, story.asker)
    assert fresh(story.asker).decisions_suspended_at is None
    # A pool that decides nothing suspends nobody; an own password before joining suffices.
    act("reset_password", story.operator, story.auditor)
    free = logins.add_log_in(by=story.operator, username="frei", display_name="F", email="", pools=[], now=NOW)
    own_password(User(pk=free.account_id))
    story.decide(story.first, story.propose(story.operator, User(pk=free.account_id)))
    assert fresh(User(pk=free.account_id)).decisions_suspended_at is None
    waiting = story.propose(story.operator, story.second, "Risk owners")
    joined = story.decide(story.first, story.propose(story.operator, new))
    founded = story.propose(story.officer, story.asker, "Security reviewers")
    for user, pool in ((new, joined), (story.asker, founded)):
        assert fresh(user).decisions_suspended_at is not None and fresh(user).suspended_because == "reset"
        [said] = log.section_facts([log.history(f"pool_change:{pool.pk}")[0].index]).values()
        assert said["suspended_log_in"] == user.pk
    assert reconcile() == []
    change = story.propose(story.operator, story.first, change="remove")
    with pytest.raises(Refused, match="Somebody else set your password"):
        story.decide(fresh(new), change)
    assert waiting.state == "proposed"
    # The page is shown to whom it waits for, with the reason why it cannot be confirmed yet.
    page = browser(story.second).get(reverse("admin:log_in", args=[new.pk]))
    assert page.status_code == 200 and "owner changes the password first" in page.content.decode()
    assert "owner changes the password first" in refusal("confirm_log_in", story.second, new)
    own_password(new)
    with pytest.raises(Refused, match="another person of your pools"):
        story.decide(fresh(new), change)
    act("confirm_log_in", story.second, new)
    assert story.decide(fresh(new), change).state == "carried_out"


def test_the_database_knows_passwords_of_others(story: People) -> None:
    act("reset_password", story.operator, story.first)
    act("reset_password", story.operator, story.asker)
    cleared = "decisions_suspended_at = NULL, suspended_because = '', confirmed_by_id = %s"
    for statement, values, words in (
        ("UPDATE account SET password_set_by_other_at = NULL WHERE id = %s", [story.first.pk], "still the one"),
        (
            f"UPDATE account SET {cleared} WHERE id = %s",
            [story.officer.pk, story.first.pk],
            "changes the password that somebody else set",
        ),
    ):
        with pytest.raises(IntegrityError, match=words), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    # A change that is carried out, without the suspension that belongs to it.
    change = story.propose(story.operator, story.asker)
    carry_out = (
        "UPDATE pool_change SET state = 'carried_out', decided_by_id = %s, decided_account_id = %s, decided_at = now(),"
        " row_version = 2 WHERE id = %s"
    )
    join = "INSERT INTO account_groups (user_id, group_id) SELECT %s, id FROM auth_group WHERE name = %s"
    with (
        pytest.raises(IntegrityError, match="somebody else set is suspended"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(carry_out, [story.second.person_id, story.second.pk, change.pk])
        cursor.execute(join, [story.asker.pk, REVIEWERS])


def test_closed_and_reopened(story: People) -> None:
    act("close_log_in", story.operator, story.first)
    assert "closed already" in refusal("close_log_in", story.other, story.first)
    assert story.first.person_id in members(REVIEWERS)
    act("reopen_log_in", story.operator, story.first)
    assert fresh(story.first).suspended_because == "reopened"
    act("confirm_log_in", story.second, story.first)
    act("close_log_in", story.operator, story.asker)
    act("reopen_log_in", story.operator, story.asker)
    assert fresh(story.asker).decisions_suspended_at is None


def test_the_database_suspends_and_confirms_by_the_rules(story: People) -> None:
    act("reset_password", story.operator, story.first)
    own_password(story.first)
    clear = (
        "UPDATE account SET decisions_suspended_at = NULL, suspended_because = '', confirmed_by_id = %s WHERE id = %s"
    )
    for confirmer in (None, story.first.pk, story.operator.pk, story.other.pk, story.auditor.pk):
        with pytest.raises(IntegrityError, match="another person"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(clear, [confirmer, story.first.pk])
    User.objects.filter(pk=story.second.pk).update(is_active=False)
    with pytest.raises(IntegrityError, match="comes back"), transaction.atomic():
        User.objects.filter(pk=story.second.pk).update(is_active=True)
    with pytest.raises(IntegrityError, match="stays with its person"), transaction.atomic():
        User.objects.filter(pk=story.second.pk).update(person_id=story.first.person_id)
    with connection.cursor() as cursor:
        asked = "SELECT assay_is_in(%s, %s, ARRAY['Reviewers', 'Compliance officers'])"
        cursor.execute(asked, [story.first.pk, story.first.person_id])
        assert cursor.fetchone() == (False,)
        cursor.execute(clear, [story.officer.pk, story.first.pk])
        cursor.execute(asked, [story.first.pk, story.first.person_id])
        assert cursor.fetchone() == (True,)


def test_a_suspended_reviewer_decides_no_request() -> None:
    told: Story = tell()
    request = told.submitted()
    operator = person("lindqvist", OPERATORS)
    act("reset_password", operator, told.reviewer)
    assert "another person of your pools" in why_not_decide(request, viewer(fresh(told.reviewer)), [])
    assert why_not_decide(request, viewer(told.second_reviewer), []) == ""
    page = browser(fresh(told.reviewer)).get(reverse("admin:desk_review", args=[request.pk])).content.decode()
    assert "another person of your pools" in page


def test_somebody_new(story: People) -> None:
    fields: dict[str, Any] = {"username": "neu", "display_name": "Neu", "email": "", "pools": [REQUESTERS], "now": NOW}
    made = logins.add_log_in(by=story.operator, **fields)
    assert fresh(User(pk=made.account_id)).check_password(made.text)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "username"),
        ({"username": "a b"}, "username"),
        ({"username": "n2", "display_name": " "}, "display_name"),
        ({"username": "n2", "email": "x"}, "email"),
        ({"username": "n2", "pools": [REVIEWERS]}, "pools"),
        ({"username": "n2", "pools": [REQUESTERS, "Auditors"]}, "pools"),
    )
    for other, field in wrong:
        with pytest.raises(Refused) as caught:
            logins.add_log_in(by=story.operator, **{**fields, **other})
        assert caught.value.field == field
    with pytest.raises(Refused):
        logins.add_log_in(by=story.officer, **{**fields, "username": "n2"})


def test_sessions_are_recorded(story: People) -> None:
    user = person("inoue", REQUESTERS)
    client = Client()
    sign_in = {"username": "inoue", "password": "correct horse"}
    client.post(reverse("admin:login"), sign_in)
    new = {"old_password": "correct horse", "new_password1": "battery staple 9", "new_password2": "battery staple 9"}
    assert client.post(reverse("admin:password_change"), {**new, "old_password": "x"}).status_code == 200
    assert client.post(reverse("admin:password_change"), new).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200
    client.post(reverse("admin:logout"))
    assert [row.type for row in log.entries(limit=3)] == ["session.ended", "password.changed", "session.started"]
    assert fresh(user).check_password("battery staple 9")
    Client().post(reverse("admin:login"), sign_in)
    Client().post(reverse("admin:login"), {"username": "correct horse", "password": "inoue"})
    assert list(SessionRefusal.objects.values_list("person_id", flat=True)) == [user.person_id, None]
    assert count_refusals(now=SessionRefusal.objects.latest("id").refused_at) == 0
    assert count_refusals(now=SessionRefusal.objects.latest("id").refused_at + timedelta(minutes=7)) in {1, 2}
    facts = log.section_facts([log.entries(limit=1)[0].index])
    [said] = facts.values()
    assert said["refused"] in {1, 2} and "correct horse" not in json.dumps(said)


def test_refusals_are_counted_once_for_each_window(story: People) -> None:
    for minute in (0, 1, 2, 5, 31):
        note_refusal(username="okafor" if minute else "nobody", now=NOW + timedelta(minutes=minute))
    assert count_refusals(now=NOW + timedelta(minutes=10)) == 1
    assert count_refusals(now=NOW + timedelta(minutes=60)) == 2
    assert count_refusals(now=NOW + timedelta(minutes=60)) == 0
    assert list(RefusalWindow.objects.order_by("begins_at").values_list("refused", flat=True)) == [3, 1, 1]
    rows = Entry.objects.filter(type="sessions.refused").order_by("index")
    [first, *_rest] = log.section_facts(list(rows.values_list("index", flat=True))).values()
    assert first["of_nobody_known"] == 1 and first["of_person"] == {f"person:{story.first.person_id}": 2}
    task()


def test_commands_of_the_machine(story: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_NEW_PASSWORD", "battery staple 9")
    call_command("changepassword", "okafor")
    assert fresh(story.first).suspended_because == "reset" and fresh(story.first).suspended_by is None
    own_password(story.first)
    act("confirm_log_in", story.second, story.first)
    call_command("add_log_in", "erste", name="Erste Person", pools=[OPERATORS])
    assert User.objects.get(username="erste").check_password("battery staple 9")
    assert log.history(f"person:{User.objects.get(username='erste').person_id}")[-1].actor == "system:command"


def test_pages_of_people(story: People) -> None:
    operator, first, auditor = browser(story.operator), browser(story.first), browser(story.auditor)
    asked = {"account": str(story.asker.pk), "change": "add", "pool": REVIEWERS, "reason": REASON}
    bad = operator.post(reverse("admin:pool_change_new"), {**asked, "reason": "no"})
    assert bad.status_code == 400
    there = operator.post(reverse("admin:pool_change_new"), asked)["Location"]
    page = operator.get(there).content.decode()
    assert page.count("disabled") >= 2 and "another person decides it" in page and "Take back" in page
    decide = {"decision": "carry_out", "reason": REASON, "seen": "1"}
    assert operator.post(there, decide).status_code == 400
    assert "P-" in first.get(reverse("admin:people")).content.decode()
    assert "Carried out" in first.post(there, decide, follow=True).content.decode()
    assert first.post(there, decide).status_code == 400
    here = reverse("admin:log_in", args=[story.first.pk])
    shown = operator.post(here, {"act": "reset", "reason": REASON, "seen": "1"})
    assert shown.status_code == 200 and "no-store" in shown["Cache-Control"]
    assert "Suspended" in auditor.get(here).content.decode()
    assert browser(login("stranger", REQUESTERS)).get(here).status_code == 403
    # Another member of the pool sees the page while it waits for them, and confirms.
    second = browser(story.second)
    assert "disabled" in second.get(here).content.decode()
    assert second.post(here, {"act": "confirm", "reason": REASON, "seen": "2"}).status_code == 400
    own_password(story.first)
    assert second.post(here, {"act": "confirm", "reason": REASON, "seen": "3"}).status_code == 302
    assert fresh(story.first).decisions_suspended_at is None
    new = operator.post(reverse("admin:log_in_new"), {"username": "neu", "display_name": "Neu", "pools": [REQUESTERS]})
    assert new.status_code == 200 and "shown this once" in new.content.decode()
    own = browser(story.asker).get(reverse("admin:person", args=[story.asker.person_id])).content.decode()
    assert "watanabe" in own
    stranger = browser(story.asker).get(reverse("admin:person", args=[story.second.person_id])).content.decode()
    assert "Only members" in stranger and "entries tell decisions" in stranger
    # An auditor reads all of it and changes nothing.
    waiting = story.propose(story.operator, story.second, "Risk owners")
    pages = [
        (reverse("admin:people"), None),
        (reverse("admin:person", args=[story.first.person_id]), None),
        (reverse("admin:pool_change_new"), asked),
        (reverse("admin:pool_change", args=[waiting.pk]), decide),
        (reverse("admin:log_in_new"), {"username": "x", "display_name": "X"}),
        (here, {"act": "close", "reason": REASON, "seen": "4"}),
    ]
    for address, body in pages:
        for text in (auditor.get(address).content.decode(), operator.get(address).content.decode()):
            assert " style=" not in text and "<script>" not in text
        assert Client().get(address).status_code == 302
        if body:
            assert auditor.post(address, body).status_code == 400, address
    before = queries_of(operator, reverse("admin:people"))
    for number in range(3):
        story.propose(story.officer, login(f"n{number}", "Risk owners"), "Security reviewers")
    assert queries_of(operator, reverse("admin:people")) == before


def test_rest_of_pools(story: People) -> None:
    def post(user: User, name: str, *args: object, **body: object) -> tuple[int, dict[str, object]]:
        answer = browser(user).post(reverse(name, args=args), json.dumps(body), content_type="application/json")
        return answer.status_code, answer.json()

    ask = {"account": story.asker.pk, "pool": REVIEWERS, "change": "add", "reason": REASON}
    assert post(story.auditor, "api-pool-changes", **ask)[0] == 403
    assert post(story.operator, "api-pool-changes", **{**ask, "pool": "Kings"})[1]["field"] == "pool"
    assert post(story.operator, "api-pool-changes", **{**ask, "account": "1"})[1]["field"] == "account"
    status, made = post(story.operator, "api-pool-changes", **ask)
    assert (status, made["state"]) == (201, "proposed")
    [row] = browser(story.first).get(reverse("api-pool-changes")).json()["changes"]
    assert row["for_me"] is True
    decide = {"decision": "carry_out", "reason": REASON, "row_version": 1}
    assert post(story.auditor, "api-pool-change-decision", made["id"], **decide)[0] == 403
    assert post(story.first, "api-pool-change-decision", made["id"], **{**decide, "row_version": 7})[0] == 409
    assert post(story.first, "api-pool-change-decision", made["id"], **decide)[1]["state"] == "carried_out"
    found = browser(story.auditor).get(reverse("api-pools")).json()["pools"]
    assert len(next(pool for pool in found if pool["name"] == REVIEWERS)["members"]) == 3
    assert browser(story.first).get(reverse("api-pool-change", args=[made["id"]])).json()["state"] == "carried_out"
    _account, row_of = log_in(story.asker.pk)
    assert row_of.pools == (REQUESTERS, REVIEWERS)
