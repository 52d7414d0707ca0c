"""Standings: who may change one, four eyes of a quarantine, what it stops, and what the database refuses by itself."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from audit import queries as log
from governance import operations, queries
from governance.lifecycle import BLOCKING, CHANGES, State
from governance.models import ModelVersion, Standing
from governance.operations import Recorded, Refused
from governance.queries.objects import object_history
from governance.queries.standing import SUBJECTS
from governance.snapshot import snapshot
from tests.integration.governance_story import CONFIG, NOW, Story, login, tell
from tests.integration.test_governance_concurrency import at_once
from tests.integration.test_governance_pages import browser
from tests.services.databases import Database

WHY = "A poisoned tensor was reported for this file."


@pytest.fixture
def story(db: None) -> Story:
    return tell()


def stand(story: Story, state: str, **other: Any) -> Recorded:
    fields: dict[str, Any] = {
        "by": story.reviewer,
        "subject_kind": "model_version",
        "subject_id": story.version,
        "reason": WHY,
        "seen": Standing.objects.filter(subject_id=other.get("subject_id", story.version)).count(),
        **other,
    }
    return operations.change_standing(state=state, now=NOW, **fields)


def second_version(story: Story) -> UUID:

    return operations.register_from_files(
        by=story.requester,
        model_name="Llama 3.1 8B",
        version="2024-12",
        config=json.dumps(CONFIG).encode(),
        source="own copy, read 2026-11-24",
        now=NOW,
    ).id


def test_a_quarantine_is_recorded_and_lifted_by_another_person(story: Story) -> None:
    made = stand(story, "quarantined")
    row = Standing.objects.get(pk=made.id)
    (entry,) = (log.entry(index) for index in made.entries)
    assert (entry.type, entry.subject, entry.actor) == ("standing.changed", f"standing:{row.pk}", story.reviewer.actor)
    facts = log.section_facts(made.entries)[entry.index]
    assert facts["after"] == snapshot("standing", row)
    assert facts["reason"] == WHY
    second_log_in = login("okafor2", "Security reviewers", person=story.reviewer)
    for same in (story.reviewer, second_log_in):
        for state in ("active", "retired"):
            with pytest.raises(Refused, match="Another person"):
                stand(story, state, by=same)
    with pytest.raises(Refused, match="a token cannot"):
        stand(story, "active", by=story.service)
    with pytest.raises(Refused, match="Only members of the pools"):
        stand(story, "active", by=story.requester)
    stand(story, "active", by=story.second_reviewer)
    assert list(Standing.objects.order_by("number").values_list("number", "state")) == [
        (1, "quarantined"),
        (2, "active"),
    ]
    history = object_history("model_version", story.version, limit=20)
    assert [line.what for line in history[:2]] == ["Standing changed by Sato", "Standing changed by Okafor"]
    assert "Model version registered by Watanabe" in {line.what for line in history}
    assert queries.reconcile() == []


def test_what_is_quarantined_or_retired_is_not_asked_for(story: Story) -> None:
    request = story.submitted("waiting")
    story.decided(story.submitted("running"))
    successor = second_version(story)
    stand(story, "quarantined")
    with pytest.raises(Refused, match=f"2024-07 is quarantined: {WHY}") as caught:
        story.submitted("another")
    assert caught.value.field == "model_version"
    with pytest.raises(Refused, match="its model version is quarantined"):
        story.decided(request)
    (gap,) = queries.standing_gaps()
    assert (gap.deployment, gap.kind, gap.word) == ("running", "model version", "Quarantined")
    page = queries.deployment_page(gap.deployment_id)
    assert page.gaps == (gap,)
    stand(story, "retired", by=story.second_reviewer, successor_id=successor)
    with pytest.raises(Refused, match=r"Its successor is Llama 3\.1 8B 2024-12\."):
        story.submitted("another")
    assert queries.standing_gaps()[0].successor == "Llama 3.1 8B 2024-12"
    stand(story, "active", by=story.requester)
    assert queries.standing_gaps() == ()
    story.decided(request)


@pytest.mark.parametrize(("kind", "field"), [("gpu_pool", "gpu_pool"), ("model", "model_version")])
def test_a_pool_or_a_whole_model(story: Story, kind: str, field: str) -> None:

    subject = story.pool if kind == "gpu_pool" else ModelVersion.objects.get(pk=story.version).model_id
    request = story.submitted("waiting")
    stand(story, "retired", by=story.requester, subject_kind=kind, subject_id=subject)
    with pytest.raises(Refused) as caught:
        story.submitted("another")
    assert caught.value.field == field
    with pytest.raises(IntegrityError, match="request refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO approval_request SELECT (jsonb_populate_record(r, jsonb_build_object("
            "'id', gen_random_uuid(), 'number', 999, 'deployment_id', r.deployment_id))).* FROM approval_request r"
            " WHERE r.id = %s",
            [request.pk],
        )


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("quarantined", {"by": "requester"}, ""),
    ("quarantined", {"by": "bystander"}, ""),
    ("retired", {"by": "bystander"}, ""),
    ("deprecated", {"by": "reviewer"}, ""),
    ("active", {"by": "requester"}, "state"),
    ("gone", {}, "state"),
    ("retired", {"by": "requester", "reason": " "}, "reason"),
    ("retired", {"by": "requester", "seen": 1}, "row_version"),
    ("retired", {"by": "requester", "subject_kind": "finding"}, "subject_kind"),
    ("retired", {"by": "requester", "subject_id": uuid4(), "seen": 0}, "subject_id"),
    ("superseded", {"by": "requester"}, "successor_id"),
    ("superseded", {"by": "requester", "successor_id": uuid4()}, "successor_id"),
    ("superseded", {"by": "requester", "successor_id": "itself"}, "successor_id"),
    ("superseded", {"by": "requester", "successor_id": "pool"}, "successor_id"),
    ("quarantined", {"successor_id": uuid4()}, "successor_id"),
]
"""What nobody records: the standing, what else is asked, and the field that the refusal is about."""


def test_standings_that_cannot_be(story: Story) -> None:
    names = {"itself": story.version, "pool": story.pool}
    size = log.head_size()
    for state, other, field in WRONG:
        given = {
            key: getattr(story, value) if key == "by" else names.get(value, value) if isinstance(value, str) else value
            for key, value in other.items()
        }
        with pytest.raises(Refused) as caught:
            stand(story, state, **given)
        assert caught.value.field == field, (state, other, caught.value)
    assert (log.head_size(), Standing.objects.count()) == (size, 0)


def test_a_successor_is_in_use_itself(story: Story) -> None:
    other = second_version(story)
    stand(story, "superseded", by=story.requester, successor_id=other)
    with pytest.raises(Refused, match="is itself superseded"):
        stand(story, "superseded", by=story.requester, subject_id=other, successor_id=story.version)
    story.submitted("still allowed")


@pytest.mark.parametrize("kind", sorted(SUBJECTS))
def test_every_kind_has_a_table_of_its_own_name(kind: str) -> None:
    assert SUBJECTS[kind]._meta.db_table == kind
    assert set(Standing.State.values) == {state.value for state in State}


INSERT = (
    "INSERT INTO standing (id, subject_kind, subject_id, number, state, reason, successor_id, actor, person_id,"
    " changed_at) VALUES (gen_random_uuid(), %s, %s, %s, %s, 'because', %s, 'person:x', %s, now())"
)


def test_what_the_database_refuses_by_itself(story: Story) -> None:
    def insert(number: int, state: str, **other: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            values = (other.get("kind", "model_version"), other.get("id", story.version), number, state)
            by = other.get("person", story.reviewer.person_id)
            cursor.execute(INSERT, [*values, other.get("successor"), by])

    for wrong, words in (
        ((2, "retired"), "does not follow"),
        ((1, "active"), "active cannot become active"),
        ((1, "superseded"), "names_its_successor"),
        ((1, "elsewhere"), "cannot become"),
    ):
        with pytest.raises(IntegrityError, match=words):
            insert(*wrong)
    for other in ({"id": uuid4()}, {"kind": "adapter"}, {"successor": uuid4()}):
        with pytest.raises(IntegrityError, match="not registered"):
            insert(1, "retired", **other)
    with pytest.raises(IntegrityError, match="where_it_may_be"):
        insert(1, "retired", successor=story.version)
    insert(1, "quarantined")
    for state in ("active", "retired"):
        with pytest.raises(IntegrityError, match="another person"):
            insert(2, state)
    with pytest.raises(IntegrityError, match="cannot become deprecated"):
        insert(2, "deprecated", person=story.requester.person_id)
    insert(2, "retired", person=story.requester.person_id)


def test_the_database_allows_exactly_the_table(story: Story) -> None:
    people = [story.requester.person_id, story.reviewer.person_id]
    other = second_version(story)
    ways: dict[State, list[State]] = {State.ACTIVE: []}
    ways |= {change.end: [change.end] for change in CHANGES if change.start is State.ACTIVE}
    for start in State:
        for end in State:
            allowed = any((change.start, change.end) == (start, end) for change in CHANGES)
            with transaction.atomic(), connection.cursor() as cursor:
                try:
                    with transaction.atomic():
                        for number, state in enumerate([*ways[start], end], start=1):
                            successor = other if state is State.SUPERSEDED else None
                            values = ("model_version", story.version, number, state.value, successor)
                            cursor.execute(INSERT, [*values, people[number % 2]])
                    done = True
                except IntegrityError:
                    done = False
                transaction.set_rollback(True)
            assert done == allowed, (start, end)
    assert {state.value for state in BLOCKING} == {"retired", "quarantined"}


def test_the_pages_of_an_agent_lead_to_its_standing_and_its_change(story: Story) -> None:
    request = story.submitted("running")
    agent = operations.register_agent(
        by=story.requester,
        name="clerk",
        purpose="Files.",
        deployment_id=request.deployment_id,
        autonomy="suggest",
        now=NOW,
    )
    client = browser(story.reviewer)
    address, own = (
        reverse("admin:desk_standing", args=["agent", agent.id]),
        reverse("admin:desk_agent", args=[agent.id]),
    )
    change = reverse("admin:desk_edit", args=["agent", agent.id])
    page = client.get(reverse("admin:governance_agent_change", args=[agent.id])).content.decode()
    assert address in page
    assert change in page
    page = client.get(own).content.decode()
    assert f'href="{address}"' in page
    assert f'href="{address}?state=quarantined"' in page
    assert f'href="{change}"' not in page  # a reviewer changes no agent
    assert f'href="{own}"' in client.get(address).content.decode()
    mine = browser(story.requester)
    assert f'href="{change}"' in mine.get(own).content.decode()
    entered = {"name": "clerk", "purpose": "Files letters.", "owner_id": story.requester.person_id}
    answer = mine.post(change, {**entered, "autonomy": "suggest", "reason": WHY, "seen": "1"})
    assert (answer.status_code, answer.headers.get("Location")) == (302, own), answer.content.decode()
    assert client.post(address, {"state": "quarantined", "reason": WHY, "seen": "0"}).status_code == 302
    assert "You set this quarantine" in client.get(address).content.decode()
    assert client.get(reverse("admin:desk_standing", args=["finding", agent.id])).status_code == 404
    subjects = queries.related_subjects(request.deployment_id)
    assert f"standing:{Standing.objects.get().pk}" in subjects


def test_two_people_at_once_make_one_standing_and_no_circle(committed: Database) -> None:
    story = tell()
    other = second_version(story)
    results = at_once(
        lambda: stand(story, "quarantined", by=story.reviewer, seen=0),
        lambda: stand(story, "retired", by=story.requester, seen=0),
    )
    assert sorted(isinstance(item, Refused) for item in results) == [False, True]

    def link(child: UUID, parent: UUID) -> Recorded:
        return operations.declare_relation(
            by=story.requester, child_id=child, parent_id=parent, relation="merge", now=NOW
        )

    results = at_once(lambda: link(story.version, other), lambda: link(other, story.version))
    assert sorted(isinstance(item, Refused) for item in results) == [False, True]
    assert queries.reconcile() == []
