"""Pools under two changes at once, and under somebody who takes the guards down."""

from functools import partial
from importlib import import_module

import pytest
from django.db import connections, transaction

from audit import selfcheck
from audit.access import pools
from audit.access.base import Refused
from audit.models import PoolChange, User
from audit.queries.memberships import contradictions
from audit.queries.roles import COMPLIANCE, REVIEWERS
from tests.integration.access import NOW, join
from tests.integration.erasure_story import at_once
from tests.integration.governance_story import login
from tests.integration.people_story import REASON, members, tell_people
from tests.services.databases import Database


def found_by(by: User, whom: User, pool: str) -> object:
    """Add somebody at once, or say why not."""
    try:
        return pools.propose_change(by=by, account_id=whom.pk, pool=pool, change_="add", reason=REASON, now=NOW)
    except Refused as error:
        return error


def test_of_two_that_found_a_pool_at_once_one_needs_a_second_person(committed: Database) -> None:
    story = tell_people()
    join(login("weber"), "Risk owners")
    officer = login("vogel", COMPLIANCE)
    acts = [
        partial(found_by, story.officer, story.asker, "Risk owners"),
        partial(found_by, officer, story.first, "Risk owners"),
    ]
    made = at_once(*acts)
    founded = PoolChange.objects.filter(pool="Risk owners", mode="founding", state="carried_out")
    assert founded.count() == 1, made
    assert len(members("Risk owners")) == 2
    assert selfcheck.verify()[1] == ()


def test_a_member_without_a_change_is_found(committed: Database) -> None:
    story = tell_people()
    assert contradictions().found == ()
    with connections["owner"].cursor() as owner:
        owner.execute("ALTER TABLE account_groups DISABLE TRIGGER account_groups_guard")
        owner.execute(
            "INSERT INTO account_groups (user_id, group_id) SELECT %s, id FROM auth_group WHERE name = %s",
            [story.asker.pk, REVIEWERS],
        )
        owner.execute("DELETE FROM account_groups WHERE user_id = %s", [story.second.pk])
        owner.execute("ALTER TABLE account_groups ENABLE ALWAYS TRIGGER account_groups_guard")
    details = {item.subject: item.detail for item in contradictions().found}
    assert details.keys() == {f"person:{story.asker.person_id}", f"person:{story.second.person_id}"}
    assert "no change that was carried out" in details[f"person:{story.asker.person_id}"]
    assert "has lost it" in details[f"person:{story.second.person_id}"]
    assert {finding.subject for finding in selfcheck.verify()[1]} == details.keys()
    with pytest.raises(Refused, match="does not belong"):
        pools.propose_change(
            by=story.operator, account_id=story.second.pk, pool=REVIEWERS, change_="remove", reason=REASON, now=NOW
        )


def test_the_guards_of_people_go_and_come_back(committed: Database) -> None:
    """Backwards nothing of them is left, and forwards again everything is as it was."""
    made = import_module("audit.migrations.0014_people")
    ours = (
        "SELECT (SELECT array_agg(DISTINCT proname::text) FROM pg_proc WHERE proname LIKE 'assay%%'),"
        " (SELECT array_agg(DISTINCT tgname::text || tgenabled::text) FROM pg_trigger WHERE NOT tgisinternal)"
    )
    with transaction.atomic(using="owner"), connections["owner"].cursor() as owner:
        owner.execute(ours, [])
        before = owner.fetchone()
        owner.execute(made.UNDO)
        owner.execute(ours, [])
        functions, triggers = owner.fetchone()
        gone = ("assay_token_owner_guard", "assay_writes", "assay_account_guard", "assay_pool_change_guard")
        assert not set(gone) & set(functions) and set(gone) <= set(before[0])
        assert not {"token_owner_guardA", "account_guardA"} & set(triggers)
        for statements in (made.KEEP, made.RULES, made.CHANGES, made.MEMBERSHIP, made.ACCOUNTS, made.TOKENS):
            owner.execute(statements)
        owner.execute(ours, [])
        assert owner.fetchone() == before
        transaction.set_rollback(True, using="owner")
