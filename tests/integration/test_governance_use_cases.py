"""Use cases: registering, classifying, what the database refuses, and the tables held against the ledger."""

import json
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction

from audit import queries as log
from audit.admin.labels import event_label, kind_label
from governance import operations, queries
from governance.classification import Answer, newest
from governance.models import Classification, UseCase
from governance.operations import Recorded, Refused
from governance.snapshot import snapshot
from tests.integration.governance_story import NOW, Story, tell
from tests.services.databases import Database

VERSION = newest().version
COPY = (
    "INSERT INTO classification SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), {}))).*"
    " FROM classification c"
)
"""Another row like the first, but for some columns."""
OUT = (Answer("s1", "no", "Rules that people wrote."), Answer("s1b", "no", "There is no model."))
UNSURE = (Answer("s1", "unsure", "The vendor does not say."),)


@pytest.fixture
def story(db: None) -> Story:
    return tell()


def registered(story: Story, **other: Any) -> UseCase:
    fields: dict[str, Any] = {
        "name": "Support chatbot",
        "intended_purpose": "Answers questions about products.",
        "eu_role": "deployer",
    }
    made = operations.register_use_case(by=story.requester, now=NOW, **{**fields, **other})
    return UseCase.objects.get(pk=made.id)


def classified(story: Story, use_case: UseCase, answers: tuple[Answer, ...] = OUT, **other: Any) -> Recorded:
    fields: dict[str, Any] = {"by": story.requester, "tree_version": VERSION, "seen": use_case.row_version, **other}
    return operations.classify_use_case(use_case_id=use_case.pk, answers=answers, now=NOW, **fields)


def test_a_use_case_is_registered_unclassified(story: Story) -> None:
    first = registered(story, member_states=["FR", "DE", "FR"], begin_date=date(2027, 1, 4), end_date=date(2027, 1, 4))
    second = registered(story, name="Another")
    assert (first.ref, second.number - first.number) == (f"UC-{first.number:04}", 1)
    assert first.member_states == ["DE", "FR"]
    assert (first.tier, first.classification_id, first.owner_id) == ("unclassified", None, story.requester.person_id)
    (entry,) = log.history(f"use_case:{first.pk}")
    assert (entry.type, entry.actor) == ("use_case.registered", story.requester.actor)
    facts = log.section_facts([entry.index])[entry.index]
    assert facts["after"] == snapshot("use_case", first)
    assert snapshot("use_case", first)["begin_date"] == "2027-01-04"
    assert (event_label(entry.type), kind_label(entry.subject)) == ("Use case registered", "Use case")
    assert queries.reconcile() == []


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Support chatbot"}, "name"),
        ({"intended_purpose": " "}, "intended_purpose"),
        ({"out_of_scope_uses": "\x00"}, "out_of_scope_uses"),
        ({"eu_role": "owner"}, "eu_role"),
        ({"member_states": ["JP"]}, "member_states"),
        ({"begin_date": date(2027, 2, 1), "end_date": date(2027, 1, 1)}, "end_date"),
    ],
)
def test_a_use_case_that_cannot_be(story: Story, other: dict[str, Any], field: str) -> None:
    registered(story)
    with pytest.raises(Refused) as caught:
        registered(story, **{"name": "Another", **other})
    assert caught.value.field == field


def test_a_classification_keeps_its_path(story: Story) -> None:
    use_case = registered(story)
    before = snapshot("use_case", use_case)
    made = classified(story, use_case)
    row = Classification.objects.get(pk=made.id)
    use_case.refresh_from_db()
    assert (use_case.tier, use_case.classification_id, use_case.row_version) == ("out_of_scope", row.pk, 2)
    assert json.loads(row.path) == [
        {"node": "s1", "answer": "no", "reason": "Rules that people wrote."},
        {"node": "s1b", "answer": "no", "reason": "There is no model."},
    ]
    assert (row.number, row.tree_version, row.tree_digest) == (1, VERSION, newest().digest)
    assert (row.result, row.tier) == ("r_out_not_ai", "out_of_scope")
    told, changed = (log.entry(index) for index in made.entries)
    assert (told.type, changed.type) == ("classification.recorded", "use_case.changed")
    facts = log.section_facts(made.entries)
    assert facts[told.index]["after"] == snapshot("classification", row)
    assert facts[changed.index]["before"] == before
    assert facts[changed.index]["after"] == snapshot("use_case", use_case)
    assert queries.reconcile() == []


def test_it_can_be_classified_again_and_the_first_stays(story: Story) -> None:
    use_case = registered(story)
    classified(story, use_case)
    use_case.refresh_from_db()
    made = classified(story, use_case, UNSURE)
    use_case.refresh_from_db()
    assert (use_case.tier, use_case.classification_id) == ("unclassified", made.id)
    assert list(use_case.classifications.order_by("number").values_list("number", "tier")) == [
        (1, "out_of_scope"),
        (2, "unclassified"),
    ]
    page = queries.use_case_page(use_case.pk)
    assert [view.number for view in page.classifications] == [2, 1]
    assert page.classifications[0].unsure == "s1"
    assert page.classifications[1].steps[0].question == newest().questions["s1"].text
    assert (
        page.classifications[1].entry
        == log.history(f"classification:{use_case.classifications.get(number=1).pk}")[0].index
    )
    assert len(page.history) == 3
    assert queries.reconcile() == []


def test_a_tree_that_is_no_longer_here_leaves_the_path_readable(story: Story) -> None:
    use_case = registered(story)
    made = classified(story, use_case)
    row = Classification.objects.get(pk=made.id)
    assert row.tree_version == VERSION
    with connection.cursor() as cursor:
        cursor.execute(COPY.format("'number', 2, 'tree_version', '1999'"))
    newest_view = queries.use_case_page(use_case.pk).classifications[0]
    assert [step.question for step in newest_view.steps] == ["s1", "s1b"]
    assert newest_view.entry is None


@pytest.mark.parametrize(
    ("answers", "other", "field"),
    [
        (OUT[:1], {}, "answers.s1b"),
        ((*OUT, Answer("s2", "yes", "a")), {}, "answers.s2"),
        ((Answer("s1", "no", ""),), {}, "answers.s1"),
        ((Answer("s1", "no", "\x00"),), {}, "answers.s1"),
        ((Answer("s1", "perhaps", "a"),), {}, "answers.s1"),
        (OUT * 101, {}, "answers"),
        (OUT, {"tree_version": "1999"}, "tree_version"),
        (OUT, {"seen": 7}, "row_version"),
        (OUT, {"use_case": True}, "use_case"),
        (OUT, {"by": "auditor"}, ""),
    ],
)
def test_a_classification_that_cannot_be(
    story: Story, answers: tuple[Answer, ...], other: dict[str, Any], field: str
) -> None:
    use_case = registered(story)
    size = log.head_size()
    if other.pop("use_case", False):
        use_case.pk = uuid4()
    if other.get("by"):
        other["by"] = story.bystander
    with pytest.raises(Refused) as caught:
        classified(story, use_case, answers, **other)
    assert caught.value.field == field
    assert log.head_size() == size
    assert not Classification.objects.exists()


def test_an_auditor_registers_no_use_case(story: Story) -> None:
    with pytest.raises(Refused, match="Only members"):
        operations.register_use_case(by=story.bystander, name="a", intended_purpose="b", eu_role="deployer", now=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE use_case SET tier = 'minimal'",
        "UPDATE use_case SET tier = 'minimal' WHERE classification_id IS NULL",
        "UPDATE use_case SET classification_id = (SELECT id FROM classification) WHERE classification_id IS NULL",
        COPY.format("'number', 9, 'result', 'r_minimal'"),
        COPY.format("'number', 9, 'tier', 'unclassified'"),
    ],
)
def test_a_tier_is_that_of_its_own_classification(story: Story, statement: str) -> None:
    classified(story, registered(story))
    registered(story, name="Another")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_reconcile_names_a_rewritten_path(committed: Database) -> None:
    story = tell()
    classified(story, registered(story))
    with connections["admin"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("ALTER TABLE classification DISABLE TRIGGER ALL")
        cursor.execute("UPDATE classification SET outcome = '{}'")
    (found,) = queries.reconcile()
    assert found.subject.startswith("classification:")
    assert "outcome" in found.detail
