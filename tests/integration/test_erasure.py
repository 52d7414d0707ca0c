"""Erasing sections: what goes, what stays, who may, and what the log says of it for ever."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connections

from audit import erasure, ledger, queries, selfcheck
from audit.events import EventType, floor_days
from audit.models import Alarm, ErasureRequest, RetentionFloor, Section, User
from audit.queries.erasures import (
    ErasureNotFound,
    decided_requests,
    erasable,
    holds,
    request,
    waiting_for,
    waiting_requests,
    words_of,
)
from audit.queries.roles import REVIEWERS
from audit.queries.state import snapshot_erased, state_at
from tests.integration.erasure_story import NOW, PERSONAL, REASON, Erasing, at_once, person, record, tell_erasures
from tests.services.databases import Database


@pytest.fixture
def story(committed: Database) -> Erasing:
    return tell_erasures()


def facts_of(index: int) -> dict[str, object]:
    return dict(queries.section_facts([index])[index])


def standing(index: int) -> set[str]:
    return set(Section.objects.filter(entry_index=index).values_list("name", flat=True))


def test_an_erasure_before_the_floor_needs_two_and_says_so_for_ever(story: Erasing) -> None:
    asked = story.ask(story.young_log)
    told = story.decide(asked)
    assert standing(story.young_log) == {"facts"}
    facts = facts_of(told.entry)
    assert facts == {
        "request": str(asked),
        "entry": story.young_log,
        "section": "personal",
        "type": "client.event",
        "legal_basis": "gdpr-17-1-b",
        "requested_by": story.auditor.actor,
        "approved_by": story.officer.actor,
        "before_floor": True,
        "floor_ends": facts["floor_ends"],
        "erased_at": facts["erased_at"],
    }
    entry = queries.entry(told.entry)
    assert (entry.type, entry.subject, entry.actor) == ("section.erased", f"erasure:{asked}", story.officer.actor)
    # What people wrote may name somebody: it stands in a section of its own, and never in the leaf.
    assert [words["reason"] for words in words_of(f"erasure:{asked}").values()] == [REASON, REASON]
    assert REASON.encode() not in entry.leaf
    assert queries.erasures_of([story.young_log]) == {story.young_log: {"personal": told.entry}}
    row = request(asked)
    assert (row.state, row.erased_by, row.before_floor) == ("erased", told.entry, True)
    assert (row.asked_by, row.decided_by) == ("Mori", "Keller")
    # To the self-check, too, this is no contradiction.
    assert selfcheck.run(now=NOW).findings == ()
    assert not Alarm.objects.exists()


def test_after_the_floor_one_person_of_data_protection_suffices(story: Erasing) -> None:
    told = story.decide(story.ask(story.old_log, by=story.officer), by=story.officer).entry
    facts = facts_of(told)
    assert (facts["approved_by"], facts["before_floor"]) == (None, False)
    # The same age does not do for documentation, which is kept for ten years.
    asked = story.ask(story.old_document, by=story.officer)
    with pytest.raises(erasure.Refused, match="another person must approve"):
        story.decide(asked, by=story.officer)
    assert standing(story.old_document) == {"facts", "personal"}
    assert facts_of(story.decide(asked, by=story.second).entry)["before_floor"] is True
    # What tells of it can never go itself; the words of people beside it can, by two.
    with pytest.raises(erasure.Refused, match="stays for ever"):
        story.ask(told, "facts")
    again = story.erase(told, "restricted")
    assert standing(told) == {"facts"}
    assert facts_of(again)["type"] == "section.erased"


def test_the_floors_of_the_code_are_those_of_the_database(story: Erasing) -> None:
    """Every type of the catalogue, a client's own, and one that nobody knows."""
    kinds = [*(str(kind) for kind in EventType), "x:" + "0" * 64, "tomorrow.invented"]
    with connections["admin"].cursor() as admin:
        admin.execute("BEGIN")
        for number, kind in enumerate(kinds, 1000):
            admin.execute(
                "INSERT INTO entry VALUES (%s, 'x', 'x', gen_random_uuid(), %s, 's', 's', 'a', now(), '2020-01-01Z')",
                [number, kind],
            )
        for section in ("facts", "personal"):
            admin.execute(
                "SELECT e.type, CASE WHEN isfinite(f) THEN extract(epoch FROM f - e.received_at) / 86400 END"
                " FROM entry e, assay_floor_ends(e.index, %s) f WHERE e.index >= 1000",
                [section],
            )
            found = {kind: None if days is None else int(days) for kind, days in admin.fetchall()}
            assert found == {kind: floor_days(kind, section) for kind in kinds}
        admin.execute("ROLLBACK")
    assert {found.days for found in RetentionFloor.objects.all()} == {183, None}
    assert floor_days("x:1", "facts") == 183
    assert floor_days("request.approved", "facts") == 3653


def test_what_may_not_be_asked_or_decided_says_why(story: Erasing) -> None:
    root = person("root", superuser=True)
    size = queries.head_size()

    def ask(
        *,
        index: int = story.young_log,
        section: str = "personal",
        basis: str = "order",
        reason: str = REASON,
        by: User = story.auditor,
    ) -> UUID:
        return erasure.request_erasure(
            entry_index=index, section=section, legal_basis=basis, reason=reason, by=by, now=NOW
        )

    attempts: list[tuple[Callable[[], object], str]] = [
        (lambda: ask(by=root), "Only members"),
        (lambda: ask(basis="because"), "legal_basis"),
        (lambda: ask(basis=""), "legal_basis"),
        (lambda: ask(reason=" short "), "At least 10"),
        (lambda: ask(reason="x" * 2001), "At most 2000"),
        (lambda: ask(reason="holds a\x00 zero byte"), "no text"),
        (lambda: ask(section="nothing"), "no such section"),
        (lambda: ask(index=10**6), "no such section"),
        (lambda: ask(index=10**30), "no such section"),
        (lambda: ask(index=-1), "no such section"),
    ]
    for attempt, words in attempts:
        with pytest.raises(erasure.Refused, match=words):
            attempt()
    assert queries.head_size() == size
    asked = ask()
    attempts = [
        (lambda: ask(), "asked for already"),
        (lambda: story.decide(asked, by=story.auditor), "Only members"),
        (lambda: story.decide(asked, "perhaps"), "Choose"),
        (lambda: story.decide(asked, "reject", by=person("okafor", REVIEWERS)), "Only members"),
    ]
    for attempt, words in attempts:
        with pytest.raises(erasure.Refused, match=words):
            attempt()
    with pytest.raises(ErasureNotFound):
        story.decide(uuid4())
    # Who asked takes it back; then it can be asked for anew, and what is decided is decided.
    assert not story.decide(asked, "reject", by=story.auditor).erased
    with pytest.raises(erasure.Refused, match="decided already"):
        story.decide(asked)
    assert request(asked).state == "rejected"
    story.officer.is_active = False
    story.officer.save()
    with pytest.raises(erasure.Refused, match="closed"):
        story.decide(ask())
    assert standing(story.young_log) == {"facts", "personal"}


SCOPES = {
    "subject": erasure.Scope(subject="x:abc"),
    "source": erasure.Scope(source="source:a"),
    "type and range": erasure.Scope(type="client.event", first=0, last=10**6),
}


def test_what_is_held_is_not_erased_until_another_person_releases_it(story: Erasing) -> None:
    asked = story.ask(story.young_log)
    hidden = f"x:{ledger.secret_form(settings.LEDGER_HMAC_KEY, b'subject', 'order-42').hex()}"
    other = record(ledger.Section("facts", b'{"n":1}'), subject=hidden)
    asked_other = story.ask(other, "facts")
    # The pipeline's own word, as a person at a desk knows it.
    elsewhere = [erasure.Scope(subject="order-42"), erasure.Scope(source="source:a", first=0, last=1)]
    for scope in elsewhere:
        erasure.place_hold(reference="elsewhere", scope=scope, by=story.auditor, now=NOW)
    assert ("subject", hidden) in [part for row in holds() for part in row.scope]
    with pytest.raises(erasure.Refused, match="elsewhere"):
        story.decide(asked_other)
    for name, scope in SCOPES.items():
        placed = erasure.place_hold(reference=f"case {name}", scope=scope, by=story.officer, now=NOW)
        for attempt in (lambda: story.ask(story.young_log, "facts"), lambda: story.decide(asked)):
            with pytest.raises(erasure.Refused, match=f"case {name}"):
                attempt()
        for by, words in ((story.officer, "another person"), (story.auditor, "Only members")):
            with pytest.raises(erasure.Refused, match=words):
                erasure.release_hold(hold_id=placed, reason=REASON, by=by, now=NOW)
        told = erasure.release_hold(hold_id=placed, reason=REASON, by=story.second, now=NOW)
        assert facts_of(told)["released_by"] == story.second.actor
        with pytest.raises(erasure.Refused, match="released already"):
            erasure.release_hold(hold_id=placed, reason=REASON, by=story.second, now=NOW)
    assert len(holds()) == 5 and len(holds(active_only=True)) == 2
    assert story.decide(asked).erased
    for scope, words in (
        (erasure.Scope(), "Say what is held"),
        (erasure.Scope(first=3), "a first and a last"),
        (erasure.Scope(first=3, last=2), "before the first"),
        (erasure.Scope(first=-1, last=2), "before the first"),
        (erasure.Scope(subject="x" * 257), "At most 256"),
        (erasure.Scope(subject="order-43"), "No entry is about this subject"),
    ):
        with pytest.raises(erasure.Refused, match=words):
            erasure.place_hold(reference="case", scope=scope, by=story.auditor, now=NOW)
    with pytest.raises(erasure.Refused, match="reference"):
        erasure.place_hold(reference=" ", scope=SCOPES["subject"], by=story.auditor, now=NOW)


def test_of_two_erasures_at_once_one_is_made(story: Erasing) -> None:
    asked = story.ask(story.young_log)
    twin = ErasureRequest.objects.get(pk=asked)
    twin.pk, twin._state.adding = uuid4(), True
    twin.save()
    assert waiting_for(story.officer.pk) == 2
    results = at_once(lambda: story.decide(asked), lambda: story.decide(asked, by=story.second))
    (made,) = [item for item in results if isinstance(item, erasure.Decided)]
    (refused,) = [str(item) for item in results if isinstance(item, erasure.Refused)]
    assert "already" in refused
    assert standing(story.young_log) == {"facts"}
    assert [entry.index for entry in queries.entries(type_="section.erased")] == [made.entry]
    # And nobody asks for what is gone.
    with pytest.raises(erasure.Refused, match=f"see entry {made.entry}"):
        story.ask(story.young_log)
    # The request that came in at the same moment as the first waits for nothing any more.
    assert request(twin.pk).state == "gone" and twin.pk in {row.id for row in decided_requests()}
    assert waiting_requests() == [] and waiting_for(story.officer.pk) == 0
    assert erasable(story.young_log, now=NOW)[1].erased_by == made.entry
    assert selfcheck.run(now=NOW).findings == ()


def test_a_state_whose_snapshot_was_erased_is_not_an_older_one(story: Erasing) -> None:
    def snapshot(name: str) -> int:
        section = ledger.facts({"after": {"name": name}, "before": None})
        return record(section, kind="model.registered", subject="model:m", source="app")

    snapshot("old")
    newest = snapshot("of a person")
    told = story.erase(newest, "facts")
    size = queries.head_size()
    assert state_at("model:m", size) is None
    assert snapshot_erased("model:m", size) == told
    assert snapshot_erased("model:none", size) is None
    earlier = state_at("model:m", newest)
    assert earlier is not None and earlier.after == {"name": "old"}


def test_what_is_gone_without_an_erasure_or_told_without_one_is_found(story: Erasing) -> None:
    told = story.erase(story.young_log)
    for _untold in range(2):
        record(PERSONAL, ledger.facts({"entry": 0, "section": "facts"}), kind="section.erased", source="app")
    with connections["admin"].cursor() as admin:
        admin.execute("ALTER TABLE section DISABLE TRIGGER USER")
        admin.execute("DELETE FROM section WHERE entry_index = %s AND name = 'facts'", [story.old_log])
        # An erasure row alone excuses nothing: its entry must tell this very section.
        admin.execute("ALTER TABLE erasure DISABLE TRIGGER USER")
        admin.execute(
            "INSERT INTO erasure (entry_index, name, erased_by, legal_basis, requested_by, override, erased_at)"
            " VALUES (%s, 'facts', %s, 'order', gen_random_uuid(), false, now())",
            [story.old_document, told + 1],
        )
        admin.execute("DELETE FROM section WHERE entry_index = %s AND name = 'facts'", [story.old_document])
        for table in ("section", "erasure"):
            admin.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table])
            for (name,) in admin.fetchall():
                admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    found = {(item.kind, item.entry_index): item.detail for item in selfcheck.run(now=NOW).findings}
    assert found == {
        ("section", story.old_log): f"Section facts of entry {story.old_log} is gone without an erasure.",
        ("section", story.old_document): f"Section facts of entry {story.old_document} is gone, and entry {told + 1}"
        " does not tell its erasure.",
        ("section", told + 2): f"Entry {told + 2} tells an erasure that was not made.",
    }
