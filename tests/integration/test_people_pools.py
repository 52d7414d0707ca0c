"""Pools are changed by two persons: in the domain, and by the database when nobody asked the domain."""

import json
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import queries as log
from audit.access import logins
from audit.access.base import Refused
from audit.access.people import register_login
from audit.access.pools import COLUMNS, snapshot
from audit.events import EventType
from audit.models import PoolChange, User
from audit.queries.people import open_changes, pools, waiting_for_me
from audit.queries.poolrules import DECIDING, POOLS, conflicting
from audit.queries.roles import AUDITORS, COMPLIANCE, DATA_PROTECTION, OPERATORS, REQUESTERS, REVIEWERS, roles_of
from governance.queries.reconciling import reconcile
from governance.snapshot import snapshot as governed
from tests.integration.access import NOW, person
from tests.integration.people_story import REASON, People, members, tell_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> People:
    return tell_people()


def refusal(act: Callable[[], object]) -> str:
    """What is said when an act is refused."""
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.reason


def second_log_in(user: User, name: str, *groups: str) -> User:
    return register_login(
        username=name,
        display_name="",
        password=None,
        groups=groups,
        actor="system:test",
        now=NOW,
        person_id=user.person_id,
    )


def test_two_persons_change_who_decides(story: People) -> None:
    proposed = story.propose(story.operator, story.asker)
    assert (proposed.state, proposed.mode) == ("proposed", "two_persons")
    assert story.asker.person_id not in members(REVIEWERS)
    assert [row.for_me for row in open_changes(viewer=story.first)] == [True]
    assert [waiting_for_me(user) for user in (story.first, story.officer)] == [1, 1]
    assert [waiting_for_me(user) for user in (story.operator, story.other, story.asker, story.auditor)] == [0] * 4
    # Neither the proposer, nor an operator beside an operator, nor the one it is about, nor their second log-in.
    assert "another person" in refusal(lambda: story.decide(story.operator, proposed))
    assert "An operator proposed" in refusal(lambda: story.decide(story.other, proposed))
    assert "about you" in refusal(lambda: story.decide(story.asker, proposed))
    assert "about you" in refusal(lambda: story.decide(second_log_in(story.asker, "w2"), proposed))
    assert "Only members" in refusal(lambda: story.decide(story.auditor, proposed))
    assert "waits already" in refusal(lambda: story.propose(story.first, story.asker))
    assert "changed meanwhile" in refusal(lambda: story.decide(story.first, proposed, seen=2))
    done = story.decide(story.first, proposed)
    assert (done.state, done.decided_by_id, done.row_version) == ("carried_out", story.first.person_id, 2)
    assert REVIEWERS in roles_of(story.asker.pk)
    assert "decided already" in refusal(lambda: story.decide(story.second, done, seen=2))
    # The log tells it, so that a membership at any tree size can be read from it.
    told = log.history(f"pool_change:{done.pk}")
    assert [row.type for row in told] == ["pool_change.carried_out", "pool_change.proposed"]
    state = log.state_at(f"pool_change:{done.pk}", log.head_size())
    assert state is not None
    assert state.after == snapshot(done)
    earlier = log.state_at(f"pool_change:{done.pk}", told[0].index)
    assert earlier is not None
    assert earlier.after["state"] == "proposed"
    assert governed("pool_change", done) == state.after
    assert reconcile() == []
    assert set(COLUMNS) == {field.attname for field in PoolChange._meta.concrete_fields}


def test_leaving_refusing_and_taking_back(story: People) -> None:
    leaving = story.propose(story.operator, story.second, change="remove")
    assert "about you" in refusal(lambda: story.decide(story.second, leaving))
    story.decide(story.first, leaving)
    assert story.second.person_id not in members(REVIEWERS)
    # One is left: the next joins at once by Compliance, and the entry says why one person was enough.
    waiting = story.propose(story.operator, story.second)
    assert (waiting.state, waiting.mode) == ("proposed", "two_persons")
    story.decide(story.operator, waiting, "withdraw")
    founded = story.propose(story.officer, story.second)
    assert (founded.state, founded.mode) == ("carried_out", "founding")
    facts = log.section_facts([log.history(f"pool_change:{founded.pk}")[0].index])
    assert json.dumps(list(facts.values())).count("founding") >= 1
    refused = story.decide(story.officer, story.propose(story.first, story.asker), "refuse")
    assert (refused.state, refused.decision_reason) == ("refused", REASON)
    back = story.propose(story.first, story.asker)
    assert "Only who proposed" in refusal(lambda: story.decide(story.second, back, "withdraw"))
    assert story.decide(story.first, back, "withdraw").state == "withdrawn"
    assert story.asker.person_id not in members(REVIEWERS)
    for user in (story.auditor, story.asker):
        assert "Only members" in refusal(partial(story.propose, user, story.asker))
    assert "does not belong" in refusal(lambda: story.propose(story.first, story.asker, change="remove"))
    assert "belongs to the pool already" in refusal(lambda: story.propose(story.operator, story.first))


def test_operators_and_auditors_decide_nothing(story: People) -> None:
    for pool in DECIDING:
        for user in (story.other, story.auditor, second_log_in(story.auditor, f"m-{pool[:3]}")):
            assert "nobody belongs to both" in refusal(partial(story.propose, story.operator, user, pool))
    assert "nobody belongs to both" in refusal(lambda: story.propose(story.operator, story.auditor, REQUESTERS))
    assert "nobody belongs to both" in refusal(lambda: story.propose(story.operator, story.first, OPERATORS))
    # Pools that decide nothing are changed by one operator, and not by their members.
    joined = story.propose(story.operator, story.second, REQUESTERS)
    assert (joined.state, joined.mode) == ("carried_out", "ordinary")
    assert story.propose(story.operator, story.second, REQUESTERS, "remove").state == "carried_out"
    assert "Only members" in refusal(lambda: story.propose(story.asker, story.second, REQUESTERS))
    assert "their own pools" in refusal(lambda: story.propose(story.operator, story.operator, OPERATORS, "remove"))
    root = register_login(
        username="root", display_name="R", password=None, groups=(), actor="system:test", now=NOW, is_superuser=True
    )
    assert "Only members" in refusal(lambda: story.propose(root, story.asker))


def test_founding_counts_closed_members_too(story: People) -> None:
    User.objects.filter(pk__in=[story.first.pk, story.second.pk]).update(is_active=False)
    assert story.propose(story.operator, story.asker).mode == "two_persons"
    assert "their own pools" in refusal(lambda: story.propose(story.officer, story.officer, "Risk owners"))
    assert story.propose(story.officer, story.asker, "Risk owners").mode == "founding"


def test_one_operator_founds_no_pool(story: People) -> None:
    """An operator makes two log-ins and takes neither into an empty pool alone; nor does the database let them."""
    alias = second_log_in(story.officer, "brandt2")
    for number in range(2):
        made = logins.add_log_in(
            by=story.operator, username=f"puppet{number}", display_name="P", email="", pools=[], now=NOW
        )
        change = story.propose(story.operator, User.objects.get(pk=made.account_id), "Security reviewers")
        assert (change.state, change.mode) == ("proposed", "two_persons")
        for user in (story.operator, story.other, story.first):
            assert refusal(partial(story.decide, user, change))
    assert members("Security reviewers") == set()
    assert "their own pools" in refusal(lambda: story.propose(story.officer, alias, "Security reviewers"))
    for by, whom, expected in (
        (story.operator, story.asker, "Compliance alone founds"),
        (story.first, story.asker, "no pool that proposes"),
        (story.officer, alias, "their own pools"),
    ):
        with pytest.raises(IntegrityError, match=expected):
            insert(
                story, pool="Security reviewers", mode="founding", state="carried_out", account_id=whom.pk,
                person_id=whom.person_id, proposed_by_id=by.person_id, proposed_account_id=by.pk,
            )  # fmt: skip
    assert story.propose(story.officer, story.asker, "Security reviewers").mode == "founding"


def execute(statement: str, values: Sequence[Any] = ()) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def insert(story: People, **other: object) -> None:
    """A proposal by raw SQL, correct but for what `other` says."""
    pool = str(other.get("pool", REVIEWERS))
    row: dict[str, object] = {
        "id": uuid.uuid4(), "number": 10_000 + PoolChange.objects.count(), "account_id": story.asker.pk,
        "person_id": story.asker.person_id, "group_id": Group.objects.get(name=pool).pk, "pool": pool,
        "change": "add", "mode": "two_persons", "reason": REASON, "state": "proposed",
        "proposed_by_id": story.operator.person_id, "proposed_account_id": story.operator.pk, "proposed_at": NOW,
        "decision_reason": "", "row_version": 1, **other,
    }  # fmt: skip
    execute(f"INSERT INTO pool_change ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values()))


def test_the_database_takes_no_change_but_by_the_rules(story: People) -> None:
    insert(story)
    for expected, other in (
        ("pool_change_one_open", {}),
        ("names_its_log_in|does not name", {"person_id": story.first.person_id, "account_id": story.second.pk}),
        ("no pool that proposes", {"proposed_by_id": story.auditor.person_id, "proposed_account_id": story.auditor.pk}),
        ("no pool that proposes", {"proposed_by_id": story.first.person_id}),
        ("starts undecided", {"state": "carried_out"}),
        ("by two persons", {"mode": "ordinary", "state": "carried_out"}),
        ("Compliance alone founds", {"mode": "founding", "state": "carried_out"}),
        ("is founded", {
            "mode": "founding", "state": "carried_out",
            "proposed_by_id": story.officer.person_id, "proposed_account_id": story.officer.pk}),
        ("by two persons", {"pool": REQUESTERS}),
        ("proposed_by_somebody", {"mode": "installation", "state": "carried_out"}),
        ("proposed_by_somebody|no pool that proposes", {"proposed_by_id": None, "proposed_account_id": None}),
        ("only together with the membership", {
            "mode": "installation", "state": "carried_out", "proposed_by_id": None, "proposed_account_id": None}),
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match=expected):
            insert(story, **other)
    User.objects.filter(pk=story.asker.pk).update(last_login=NOW)
    used = {"mode": "installation", "state": "carried_out", "proposed_by_id": None, "proposed_account_id": None}
    with pytest.raises(IntegrityError, match="was used before"):
        insert(story, **used)


def test_the_database_takes_no_decision_but_by_the_rules(story: People) -> None:
    change = story.propose(story.operator, story.asker)
    decide = (
        "UPDATE pool_change SET state = %s, decided_by_id = %s, decided_account_id = %s, decided_at = now(),"
        " row_version = row_version + 1 WHERE id = %s"
    )
    alias = second_log_in(story.operator, "l2", OPERATORS)
    for expected, state, by, account in (
        ("by_another|operators alone", "carried_out", story.operator, story.operator),
        ("by_another|operators alone", "carried_out", story.operator, alias),
        ("operators alone", "carried_out", story.other, story.other),
        ("no pool that decides", "refused", story.asker, story.asker),
        ("no pool that decides", "carried_out", story.first, story.second),
        ("takes it back", "withdrawn", story.first, story.first),
        ("only together", "carried_out", story.first, story.first),
    ):
        with pytest.raises(IntegrityError, match=expected):
            execute(decide, [state, by.person_id, account.pk, change.pk])
    for statement in (
        "UPDATE pool_change SET pool = 'Operators', row_version = row_version + 1",
        "UPDATE pool_change SET person_id = proposed_by_id, row_version = row_version + 1",
        "UPDATE pool_change SET decision_reason = 'x'",
    ):
        with pytest.raises(IntegrityError, match=r"frozen|is decided"):
            execute(f"{statement} WHERE state = 'proposed'")
    done = story.decide(story.first, change)
    with pytest.raises(IntegrityError, match="is decided"):
        execute("UPDATE pool_change SET state = 'refused', row_version = row_version + 1 WHERE id = %s", [done.pk])


def test_a_membership_stands_only_by_a_change(story: People) -> None:
    join = "INSERT INTO account_groups (user_id, group_id) SELECT %s, id FROM auth_group WHERE name = %s"
    Group.objects.get_or_create(name=DATA_PROTECTION)
    for pool in (REVIEWERS, COMPLIANCE, DATA_PROTECTION):
        with pytest.raises(IntegrityError, match="carried-out change"):
            execute(join, [story.asker.pk, pool])
    with pytest.raises(IntegrityError, match="goes not together"):
        execute(join, [story.asker.pk, AUDITORS])
    with pytest.raises(IntegrityError, match="goes not together"):
        execute(join, [second_log_in(story.first, "o2").pk, OPERATORS])
    for statement in (
        "DELETE FROM account_groups",
        "UPDATE account_groups SET user_id = user_id + 1",
        "DELETE FROM pool_change",
        "DELETE FROM account",
        "DELETE FROM person",
        "DELETE FROM token",
        "TRUNCATE account_groups",
    ):
        with pytest.raises(DatabaseError):
            execute(statement)
    # A change that was carried out once opens nothing after the next one.
    story.decide(story.first, story.propose(story.operator, story.asker))
    story.decide(story.first, story.propose(story.operator, story.asker, change="remove"))
    with pytest.raises(IntegrityError, match="carried-out change"):
        execute(join, [story.asker.pk, REVIEWERS])


def test_a_registration_tells_its_pools(story: People) -> None:
    by_name = {pool.name: pool for pool in pools()}
    assert [row.mode for row in by_name[REVIEWERS].members] == ["installation", "installation"]
    entry = by_name[REVIEWERS].members[0].entry
    assert entry is not None
    assert log.entry(entry).type == EventType.POOL_CHANGE_CARRIED_OUT
    asked = by_name[REQUESTERS].members[0].entry
    assert asked is not None
    assert log.entry(asked).type == EventType.PERSON_REGISTERED
    with pytest.raises(IntegrityError, match="goes not together"):
        person("both", REVIEWERS, OPERATORS)


@settings(max_examples=200, deadline=None)
@given(one=st.sampled_from(POOLS), other=st.sampled_from(POOLS))
def test_the_database_and_the_domain_know_the_same_pools(one: str, other: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT assay_pools_conflict(%s, %s), assay_deciding_pools()", [one, other])
        conflict, deciding = cursor.fetchone()
    assert conflict == (other in conflicting(one)) == (one in conflicting(other))
    assert tuple(deciding) == DECIDING
