"""What imports tell of absent sections is read once for a run, and for pages once until something new is told."""

import pytest
from django.db import transaction
from psycopg import Connection

from audit import ledger, selfcheck
from audit.queries import absences
from audit.queries.explorer import entry_page
from audit.selfcheck import entries
from tests.integration.signer_story import NOW, cheat, record
from tests.services.databases import Database


def tell(*runs: tuple[int, int, tuple[str, ...]]) -> None:
    facts = ledger.facts({"absent": [[first, end, list(names)] for first, end, names in runs]})
    with transaction.atomic(durable=True):
        ledger.append(events=[ledger.Event("log.imported", "log", "app", "system:import", NOW, (facts,))])


def test_what_imports_tell_is_read_once(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []
    load = absences.absences

    def counted(connection: Connection[absences.Row]) -> absences.Absences:
        loads.append(1)
        return load(connection)

    def kept(index: int) -> str:
        (section,) = entry_page(index, sees_everything=True).sections
        return section.kept

    monkeypatch.setattr(absences, "absences", counted)
    monkeypatch.setattr(entries, "absences", counted)
    monkeypatch.setattr(entries, "CHUNK", 8)
    monkeypatch.setattr(absences, "TOLD_AT_ONCE", 2)
    record(30)
    cheat(committed, "DELETE FROM section WHERE entry_index IN (2, 3, 9, 28)")
    assert (kept(2), loads) == ("erased", []), "nothing was imported"
    tell((2, 4, ("facts",)), (9, 10, ("facts",)))
    tell((28, 29, ("facts",)))
    tell((3, 4, ("other",)), (0, 99, ("facts",)))  # what is not before the entry is not told by it
    assert selfcheck.verify() == (33, ())
    assert len(loads) == 1, "in four chunks"
    assert [kept(index) for index in (2, 3, 9, 28, 4)] == ["absent"] * 4 + ["matches"]
    assert len(loads) == 2, "on four pages"
    record(1)
    cheat(committed, "DELETE FROM section WHERE entry_index IN (12, 33)")
    assert [kept(12), kept(33)] == ["erased", "erased"]
    assert len(loads) == 2, "nothing new was told, and nothing after entry 33"
    tell((12, 13, ("facts",)))
    monkeypatch.setattr(absences, "MOST_KEPT", 3)
    assert [kept(12), kept(9)] == ["absent", "absent"]
    assert len(loads) == 4, "four ranges are more than are kept"
