"""What the database refuses although no code of ours asked first: raw statements as the app and as the owner."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from governance.models import Decision
from governance.queries.reconciling import TABLES
from tests.integration.access import join
from tests.integration.governance_story import NOW, REASON, Story, tell

pytestmark = pytest.mark.django_db

INSERT_ONLY = [
    "model_version",
    "adapter",
    "revision",
    "decision",
    "tool_grant",
    "comparison",
    "finding",
    "classification",
    "request_stage",
    "request_exclusion",
    "request_evidence",
    "reapproval_trigger",
    "sealed_decision",
]
INSERT_ONLY += [
    "dataset_version",
    "dataset_use",
    "metric_threshold",
    "evaluation_run",
    "metric",
    "evidence",
    "evidence_revocation",
    "model_artefact",
    "model_relation",
    "quantisation",
    "standing",
]
KEPT = ["model", "gpu_model", "gpu_pool", "deployment", "approval_request", "agent", "use_case"]
KEPT += ["condition", "approval_policy"]
KEPT += ["dataset", "tool", "gpu_node"]
INSERT_ONLY += [
    *("agent_version", "tool_version", "tool_grant_revocation", "gpu_device", "mig_slice", "pool_device"),
    *("oversight_assignment", "oversight_end"),
]
KEPT += ["pool_change"]
KEPT += ["dataset"]
KEPT += ["webhook_endpoint"]


@pytest.fixture
def story() -> Story:
    return tell()


def execute(statement: str, values: Sequence[Any] = ()) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def insert_decision(story: Story, **other: object) -> None:
    """An approval by raw SQL, correct but for what `other` says."""
    request = story.submitted()
    row: dict[str, object] = {
        "id": uuid.uuid4(),
        "request_id": request.pk,
        "requester_id": request.requester_id,
        "decider_id": story.reviewer.person_id,
        "account_id": story.reviewer.pk,
        "decision": "approve",
        "reason": REASON,
        "digest_seen": request.decision_digest,
        "decided_at": NOW,
        **other,
    }
    names = ", ".join(row)
    places = ", ".join(["%s"] * len(row))
    execute(f"INSERT INTO decision ({names}) VALUES ({places})", list(row.values()))
    connection.check_constraints()


def test_a_correct_decision_is_taken(story: Story) -> None:
    insert_decision(story)
    assert Decision.objects.count() == 1


def test_the_requester_as_decider(story: Story) -> None:
    with pytest.raises(IntegrityError, match=r"not the decider|four_eyes"):
        insert_decision(story, decider_id=story.requester.person_id)


def test_the_requester_in_the_pool_with_their_own_log_in(story: Story) -> None:
    join(story.requester, "Reviewers")
    with pytest.raises(IntegrityError, match="four_eyes"):
        insert_decision(story, decider_id=story.requester.person_id, account_id=story.requester.pk)


def test_a_lie_about_who_asked(story: Story) -> None:
    join(story.requester, "Reviewers")
    with pytest.raises(IntegrityError, match="names_the_requester"):
        insert_decision(
            story,
            requester_id=story.bystander.person_id,
            decider_id=story.requester.person_id,
            account_id=story.requester.pk,
        )


def test_somebody_outside_the_pool(story: Story) -> None:
    with pytest.raises(IntegrityError, match="not in the pool"):
        insert_decision(story, decider_id=story.bystander.person_id, account_id=story.bystander.pk)


def test_somebody_elses_log_in(story: Story) -> None:
    with pytest.raises(IntegrityError, match="not the decider"):
        insert_decision(story, decider_id=story.second_reviewer.person_id)


def test_a_digest_that_was_not_asked(story: Story) -> None:
    with pytest.raises(IntegrityError, match="saw_the_digest"):
        insert_decision(story, digest_seen="0" * 64)


def test_a_reason_too_short(story: Story) -> None:
    with pytest.raises(IntegrityError, match="has_reason"):
        insert_decision(story, reason="fine")


def test_one_person_decides_once(story: Story) -> None:
    insert_decision(story)
    statement = (
        "INSERT INTO decision (id, request_id, requester_id, decider_id, account_id, decision, reason, digest_seen,"
        " decided_at) SELECT gen_random_uuid(), request_id, requester_id, decider_id, account_id, decision, reason,"
        " digest_seen, decided_at FROM decision"
    )
    with pytest.raises(IntegrityError, match="once_per_person"):
        execute(statement)


def test_an_approval_without_a_decision(story: Story) -> None:
    story.submitted()
    with pytest.raises(IntegrityError, match="0 of 1 approvals"):
        execute("UPDATE approval_request SET state = 'approved', closed_at = now()")


def test_a_rejection_without_a_decision(story: Story) -> None:
    story.submitted()
    with pytest.raises(IntegrityError, match="nobody rejected"):
        execute("UPDATE approval_request SET state = 'rejected', closed_at = now()")


@pytest.mark.parametrize("column", ["justification", "decision_digest", "requester_id", "pool", "quorum", "evidence"])
def test_what_was_asked_is_frozen(story: Story, column: str) -> None:
    story.submitted()
    values = {"requester_id": story.reviewer.person_id, "quorum": 0}
    with pytest.raises(IntegrityError, match="frozen"):
        execute(f"UPDATE approval_request SET {column} = %s", [values.get(column, "0" * 64)])


def test_a_closed_request_stays_closed(story: Story) -> None:
    story.decided(story.submitted())
    with pytest.raises(IntegrityError, match="closed"):
        execute("UPDATE approval_request SET state = 'open', closed_at = NULL")


def test_a_deployment_runs_only_what_was_approved(story: Story) -> None:
    request = story.submitted()
    with pytest.raises(IntegrityError, match="not approved"):
        execute("UPDATE deployment SET approved_revision_id = %s", [request.revision_id])


def test_a_request_does_not_start_approved(story: Story) -> None:
    request = story.submitted()
    story.decided(request, "reject")
    columns = [field.get_attname() for field in request._meta.concrete_fields]
    kept = ", ".join(name for name in columns if name not in {"id", "number", "state"})
    with pytest.raises(IntegrityError, match="starts open"):
        execute(
            f"INSERT INTO approval_request (id, number, state, {kept})"
            f" SELECT gen_random_uuid(), 999, 'approved', {kept} FROM approval_request"
        )


def test_a_revision_is_what_its_digest_says(story: Story) -> None:
    story.submitted()
    with pytest.raises(IntegrityError, match="digest_of_content"):
        execute(
            "INSERT INTO revision SELECT (jsonb_populate_record(r, jsonb_build_object("
            "'id', gen_random_uuid(), 'number', 2, 'digest', repeat('0', 64)))).* FROM revision r"
        )


@pytest.mark.parametrize("table", INSERT_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {table} SET id = id", "DELETE FROM {table}", "TRUNCATE {table}"])
def test_the_app_has_no_right_to_change_what_is_final(table: str, verb: str) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|append-only"):
        execute(verb.format(table=table))


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("verb", ["DELETE FROM {table}", "TRUNCATE {table}"])
def test_the_app_deletes_nothing(table: str, verb: str) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|append-only"):
        execute(verb.format(table=table))


def test_every_governed_table_is_guarded() -> None:
    named = {table._meta.db_table for table in TABLES.values()}
    assert named == {*INSERT_ONLY, *KEPT}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgenabled = 'A' AND c.relname = ANY(%s) GROUP BY 1",
            [sorted(named)],
        )
        guarded = dict(cursor.fetchall())
    assert {table for table in named if guarded.get(table, 0) < 2} == set()
