"""A log out of one database and into another: byte for byte, or not at all."""

import json
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from audit import ledger, selfcheck, transfer
from audit.models import Alarm, Checkpoint, Entry, Erasure, EventKey, Head, KeyStatement, Section, Tile
from audit.queries import explorer, proofs, section_facts
from audit.signer.core import Outcome
from audit.signer.rotation import rotate
from audit.signer.thawing import thaw
from audit.tlog.checkpoint import peek_checkpoint
from audit.tlog.folder import FolderReport, verify_folder
from audit.tlog.keyhistory import of_keys
from audit.tlog.leaf import parse_leaf
from audit.transfer import layout
from tests.integration.erasure_story import PERSONAL, Erasing, tell_erasures
from tests.integration.signer_story import NOW, VKEY, cheat, record, rewrite_leaf, roots, signer
from tests.services.constants import ORIGIN, SIGNING_KEY
from tests.services.databases import Database, clone_of

Clone = Callable[[str], AbstractContextManager[Database]]


@pytest.fixture
def clone(worker_name: str, django_db_blocker: DjangoDbBlocker) -> Clone:
    return lambda template: clone_of(template, worker_name, django_db_blocker)


def sent(number: int, content: bytes = b'{"n":1}') -> ledger.Appended:
    """An event that a client may send again."""
    event = ledger.Event(
        type="client.event", subject="x:abc", source="source:a", actor="service:a", occurred_at=NOW,
        sections=(ledger.Section("facts", content), PERSONAL),
        idempotency=ledger.Idempotency(f"client-{number}", content),
    )  # fmt: skip
    with transaction.atomic(durable=True):
        return ledger.append(events=[event])[0]


def sign(state: Path) -> None:
    with signer(state) as hand:
        assert hand.look() is Outcome.SIGNED
    connections.close_all()


def command(name: str, *arguments: object) -> str:
    out, err = StringIO(), StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


def content() -> dict[str, object]:
    """Every row of the log that an import rebuilds, except when checkpoints were signed, which nothing tells."""
    head = Head.objects.get()
    return {
        "entry": list(Entry.objects.order_by("index").values_list()),
        "section": list(Section.objects.order_by("entry_index", "name").values_list()),
        "tile": list(Tile.objects.order_by("level", "n").values_list()),
        "event_key": sorted(map(str, EventKey.objects.values_list())),
        "checkpoint": list(Checkpoint.objects.order_by("size").values_list("size", "root", "note")),
        "erasure": list(Erasure.objects.order_by("entry_index").values_list("entry_index", "name", "erased_by")),
        "head": (head.size, bytes(head.root), bytes(head.edge), head.received_at),
    }


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def flipped(folder: Path, target: Path) -> Iterator[str]:
    """The folder again and again, each time with one bit of one of its files turned."""
    for path, data in files(folder).items():
        for place in {len(data) // 3, len(data) - 1}:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder, target)
            changed = bytearray(data)
            changed[place] ^= 1 << place % 7
            (target / path).write_bytes(bytes(changed))
            yield f"{path} at byte {place}"


def imported(folder: Path, *, complete: bool = False) -> transfer.Loaded:
    return transfer.import_log(folder=folder, complete=complete, now=NOW)


def test_a_log_moves_and_comes_back(
    committed: Database,
    template_database: str,
    clone: Clone,
    signer_state: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(CommandError, match="Nothing is signed yet"):
        command("export_log", tmp_path / "early")
    people = tell_erasures()
    first = sent(1)
    record(90)
    sign(signer_state)
    out = tmp_path / "out"
    with clone(committed.name):
        record(200)
        last = sent(2)
        erasing = people.erase(people.old_log)
        sign(signer_state)
        shutil.copytree(signer_state, tmp_path / "newest-state")
        said = command("export_log", out)
        size = Head.objects.get().size
        assert f"{size} entries" in said
        assert "wait for a signature" not in said
        whole = content()
        _refuses_what_is_in_the_way(out, tmp_path)
        lost = tmp_path / "some"
        lost.mkdir()
        (lost / ".UNFINISHED.tmp").touch()  # killed before its first file was whole
        record(1)
        assert "wait for a signature" in command(
            "export_log", lost, "--section-of", people.old_log, last.index, "--without-event-keys"
        )
    assert verify_folder(out, of_keys([SIGNING_KEY.verifier]), strict=True).ok
    with clone(template_database):
        for what in flipped(out, tmp_path / "flipped"):
            with pytest.raises(transfer.ImportRefused):
                imported(tmp_path / "flipped")
                pytest.fail(f"{what} was not noticed")
        assert (Entry.objects.count(), Head.objects.get().size) == (0, 0)
        with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
            patch.setattr("audit.transfer.loading.Load._key_statements", lambda *_: 1 / 0)
            imported(out)
        assert not any(model.objects.exists() for model in (Entry, Section, Tile, EventKey, Checkpoint, Erasure))
        assert "lead to the signed root" in command("import_log", out)
        assert content() == whole
        assert Erasure.objects.get().erased_by == erasing
        command("export_log", tmp_path / "again")
        assert files(tmp_path / "again") == files(out)
        with pytest.raises(CommandError, match="not empty"):
            command("import_log", out)
        _goes_on(signer_state, size, first.index)
    for path in signer_state.iterdir():
        path.unlink()  # the folder itself stays: it is how a signer knows its own pen
    shutil.copytree(tmp_path / "newest-state", signer_state, dirs_exist_ok=True)
    _completes_a_restored_copy(committed, clone, signer_state, out, people, erasing)
    with clone(template_database):
        _imports_without_content(lost, size, shown=(people.old_log, last.index))


def _goes_on(state: Path, size: int, first: int) -> None:
    """A repeat is still known, other content under its name refused, and the signer signs on from its old state."""
    assert (sent(1).index, sent(2).status) == (first, "duplicate")
    with pytest.raises(ledger.IdempotencyConflict):
        sent(2, b'{"n":2}')
    assert selfcheck.verify() == (size, ())
    record(3)
    sign(state)
    assert max(roots()) == size + 3
    assert proofs.consistency(size, size + 3)


def _refuses_what_is_in_the_way(out: Path, tmp_path: Path) -> None:
    before = files(out)
    with pytest.raises(CommandError, match="not empty"):
        command("export_log", out)
    interrupted = shutil.copytree(out, tmp_path / "interrupted")
    (interrupted / "UNFINISHED").touch()
    with pytest.raises(transfer.ImportRefused, match="interrupted"):
        imported(interrupted)
    (interrupted / "tile/0/000").write_bytes(b"half")
    (interrupted / ".SHA256SUMS.tmp").touch()
    (interrupted / "precious").touch()
    with pytest.raises(CommandError, match="precious"):
        command("export_log", interrupted)
    (interrupted / "precious").unlink()
    command("export_log", interrupted)
    assert files(interrupted) == before


def _completes_a_restored_copy(
    committed: Database, clone: Clone, state: Path, out: Path, people: Erasing, erasing: int
) -> None:
    """The documented way out after a restore: the rest of the log comes back, then a person thaws the signer."""
    with clone(committed.name):
        before = Head.objects.get().size
        record(1)
        with pytest.raises(CommandError, match=f"Entry {before} here is not that of the folder"):
            command("import_log", out, "--continue")
    with clone(committed.name):
        with signer(state) as hand:
            assert hand.look() is Outcome.FROZEN, "the signer remembers more than was restored"
        said = command("import_log", out, "--continue")
        assert f"Section personal of entry {people.old_log}, which entry {erasing} erased, is back" in said
        size = Head.objects.get().size
        assert Entry.objects.count() == size
        assert max(roots()) == size
        assert not EventKey.objects.filter(entry_index__gte=before).exists() or sent(2).status == "duplicate"
        assert transfer.import_log(folder=out, complete=True, now=NOW).before == size, "twice does no harm"
        connections.close_all()
        thaw(
            folder=state, origin=ORIGIN, vkey=VKEY, reason="restored and completed", operator="test",
            acknowledge=list(Alarm.objects.values_list("id", flat=True)), tell=lambda done, whole: None,
        )  # fmt: skip
        record(1)
        sign(state)
        assert max(roots()) == size + 1
        assert [found.entry_index for found in selfcheck.verify()[1]] == [erasing]
        people.erase(people.old_log)
        assert selfcheck.verify()[1] == ()
        sign(state)
        command("export_log", out.with_name("completed"))
        assert verify_folder(out.with_name("completed"), of_keys([SIGNING_KEY.verifier])).ok
    with clone(committed.name):
        mirrored = shutil.copytree(out, out.with_name("published"))
        for name in ("manifest.json", "SHA256SUMS", "sections.jsonl", "erasures.jsonl", "event_keys.jsonl"):
            (mirrored / name).unlink()
        done = imported(mirrored, complete=True)
        assert (done.sections, done.event_keys, done.before) == (0, None, before)
        told = Entry.objects.get(type="log.imported")
        assert told.index == size
        assert (
            done.absent
            == sum(len(parse_leaf(bytes(e.leaf)).sections) for e in Entry.objects.filter(index__gte=before)) - 1
        )
        assert selfcheck.verify() == (size + 1, ())


def _imports_without_content(folder: Path, size: int, shown: tuple[int, ...]) -> None:
    """Chosen sections only: what is absent is told by the log itself, and is no finding."""
    done = imported(folder)
    assert (done.sections, done.erasures, done.event_keys) == (3, 0, None)
    told = section_facts([size])[size]
    absent = list(told["absent"]) if isinstance(told["absent"], list) else []
    assert sum((end - first) * len(names) for first, end, names in absent) == done.absent
    assert selfcheck.verify() == (size + 1, ())
    for index, state in ((shown[0] + 1, "absent"), (shown[1], "matches")):
        page = explorer.entry_page(index, sees_everything=True)
        assert {section.kept for section in page.sections} == {state}
    # What did come along is not among the absent, so its loss would be a finding.
    for index in shown:
        assert not any(first <= index < end and "facts" in names for first, end, names in absent)


def test_keys_that_changed_come_along(
    committed: Database, template_database: str, clone: Clone, signer_state: Path, tmp_path: Path
) -> None:
    record(3)
    sign(signer_state)
    rotate(folder=signer_state, origin=ORIGIN, vkey=VKEY)
    record(2)
    sign(signer_state)
    told = list(KeyStatement.objects.values_list("number", "kind", "old_key", "new_key", "size", "note"))
    out = tmp_path / "out"
    command("export_log", out)
    with clone(template_database):
        assert imported(out).size == 5
        assert list(KeyStatement.objects.values_list("number", "kind", "old_key", "new_key", "size", "note")) == told
        assert selfcheck.verify() == (5, ())
        record(1)
        sign(signer_state)
        command("export_log", tmp_path / "again")
        assert verify_folder(tmp_path / "again", of_keys([SIGNING_KEY.verifier])).ok


def resummed(out: Path, target: Path, name: str, change: Callable[[list[dict[str, object]]], object]) -> Path:
    """A copy of an export with other lines in one file, and the sums of that."""
    shutil.copytree(out, target)
    lines = [json.loads(line) for line in (target / name).read_text().splitlines()]
    change(lines)
    (target / name).write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    return sums(target)


def sums(folder: Path) -> Path:
    names = [name for name in layout.SUMMED if (folder / name).exists()]
    digests = {name: sha256((folder / name).read_bytes()).digest() for name in names}
    (folder / layout.SUMS).write_bytes(layout.sums(digests))
    return folder


def test_lines_that_no_signature_covers_and_a_folder_that_grows(
    committed: Database,
    template_database: str,
    clone: Clone,
    signer_state: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent(1)
    sent(2)
    sign(signer_state)
    out, grown = tmp_path / "out", tmp_path / "grown"
    command("export_log", out)
    record(30)
    sign(signer_state)
    command("export_log", grown)
    short, erasure = b64encode(bytes(31)).decode(), {"index": 0, "name": "facts", "entry": -1}
    wrong: dict[str, tuple[str, Callable[[list[dict[str, object]]], object]]] = {
        "two digests of 32": (layout.EVENT_KEYS, lambda lines: lines[0].update(key=short)),
        "not two digests": (layout.EVENT_KEYS, lambda lines: lines[1].update(content=short)),
        "has entry 0 twice": (layout.EVENT_KEYS, lambda lines: lines[1].update(index=0)),
        "twice or out of order": (layout.EVENT_KEYS, lambda lines: lines.reverse()),
        "names an entry that the log": (layout.EVENT_KEYS, lambda lines: lines[1].update(index=2)),
        "not a whole number": (layout.ERASURES, lambda lines: lines.append(erasure)),
    }
    with clone(template_database):
        for number, (words, (name, change)) in enumerate(wrong.items()):
            with pytest.raises(transfer.ImportRefused, match=words):
                imported(resummed(out, tmp_path / f"wrong-{number}", name, change))
        garbled = shutil.copytree(out, tmp_path / "garbled")
        (garbled / "keys").write_bytes(b"\xff\xfe")
        with pytest.raises(transfer.ImportRefused, match="key history"):
            imported(sums(garbled))
        assert not Entry.objects.exists()
        emptied = resummed(out, tmp_path / "emptied", layout.EVENT_KEYS, lambda lines: lines.clear())
        with monkeypatch.context() as patch:
            patch.setattr("audit.transfer.importing.TABLES", ("no_such_table",))
            said = command("import_log", emptied)
        assert "holds no key of a new entry" in said and "The import is whole, but ANALYZE failed" in said
        assert Head.objects.get().size == 2
    for folder in (out, grown):
        for name in (*layout.SUMMED, layout.SUMS):
            if name not in {layout.CHECKPOINT, layout.CHECKPOINTS, layout.KEYS}:
                (folder / name).unlink()
    with clone(template_database), monkeypatch.context() as patch:

        def grows(*arguments: Any, **options: Any) -> FolderReport:
            report = verify_folder(*arguments, **options)
            shutil.copytree(grown, out, dirs_exist_ok=True)
            return report

        patch.setattr("audit.transfer.reading.verify_folder", grows)
        assert imported(out).size == 2
        stored = [(row.size, peek_checkpoint(row.note).size) for row in Checkpoint.objects.all()]
        assert stored == [(2, 2)]
        assert selfcheck.verify() == (3, ())


def test_what_no_import_takes(committed: Database, signer_state: Path, tmp_path: Path) -> None:
    record(3)
    sign(signer_state)
    out = tmp_path / "out"
    command("export_log", out)
    for name in ("manifest.json", "SHA256SUMS", "checkpoint", "keys", "sections.jsonl", "event_keys.jsonl"):
        part = shutil.copytree(out, tmp_path / f"without-{name}")
        (part / name).unlink()
        with pytest.raises(transfer.ImportRefused):
            imported(part)
    alarmed = shutil.copytree(out, tmp_path / "alarmed")
    (alarmed / "alarm-1").mkdir()
    with pytest.raises(transfer.ImportRefused, match="alarm"):
        imported(alarmed)
    with override_settings(LEDGER_ORIGIN="assay.example/other"), pytest.raises(transfer.ImportRefused):
        imported(out)
    with pytest.raises(transfer.ImportRefused, match="not empty"):
        imported(out)
    record(1)
    with pytest.raises(transfer.ImportRefused, match="nothing to continue"):
        imported(out, complete=True)
    cheat(committed, "UPDATE head SET size = 3, root = sha256('')")
    with pytest.raises(transfer.ImportRefused, match="contradicts its entries"):
        imported(out, complete=True)
    rewrite_leaf(committed, 1)
    with pytest.raises(CommandError, match="do not lead to the signed root"):
        command("export_log", tmp_path / "rewritten")
    assert (tmp_path / "rewritten" / "UNFINISHED").exists()
