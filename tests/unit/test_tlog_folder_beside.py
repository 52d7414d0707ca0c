"""What stands beside the tiles of a log folder: kept checkpoints, sections, erasures, manifest, unreadable files."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.checkpoint import peek_checkpoint, sign_checkpoint
from audit.tlog.encoding import encode_base64
from audit.tlog.folder import FolderReport, verify_folder
from audit.tlog.keyhistory import BEGINS, ENDS, KeyHistory, extend, of_keys, sign_statement
from audit.tlog.keys import SigningKey
from audit.tlog.leaf import SectionCommitment, encode_leaf, parse_leaf
from audit.tlog.note import sign_note
from tests.unit.folder_example import KEY, b64, put, put_lines, write_checkpoints, write_sections, write_tree
from tests.unit.tlog_reference import ORIGIN, Naive, SampleLog, naive_commit

Lines = list[dict[str, object]]


def log_with_erasures() -> SampleLog:
    """300 entries, of which 280 and 290 tell that the personal sections of 9 and 270 were erased."""
    log = SampleLog(300)
    for index, of in ((280, 9), (290, 270)):
        body = json.dumps({"entry": of, "section": "personal", "basis": "Article 17"}).encode()
        salt = bytes([index % 251]) * 32
        leaf = parse_leaf(log.leaves[index])
        commitment = SectionCommitment(naive_commit(salt, leaf.id, "facts", body), len(body), "application/json")
        told = leaf._replace(type="section.erased", sections={"facts": commitment})
        log.leaves[index] = encode_leaf(told)
        log.sections[index] = {"facts": (salt, body)}
        del log.sections[of]["personal"]
    return log


LOG = log_with_erasures()
ERASURES = [{"index": 9, "name": "personal", "entry": 280}, {"index": 270, "name": "personal", "entry": 290}]


def export(folder: Path, disclosed: Iterable[int]) -> Path:
    root = write_tree(folder, LOG.leaves)
    write_checkpoints(folder, LOG.leaves, (120, 300))
    count = write_sections(folder, LOG, disclosed)
    put_lines(folder / "erasures.jsonl", ERASURES)
    manifest = {
        "format": "assay-export@v1",
        "origin": ORIGIN,
        "size": 300,
        "root": encode_base64(root),
        "sections": count,
        "erased": 2,
    }
    put_lines(folder / "manifest.json", [manifest])
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("export"), range(300))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("small"), (0, 9, 280, 290))


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "log"))


def verify(folder: Path) -> FolderReport:
    return verify_folder(folder, [KEY.verifier])


def failures(report: FolderReport) -> list[tuple[str, int | None]]:
    return [(check.name, check.index) for check in report.failures]


def edit(path: Path, change: Callable[[Lines], object]) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    put_lines(path, lines)


def test_a_true_export(whole: Path) -> None:
    report = verify(whole)
    assert report.ok, report.failures
    told = {check.detail for check in report.checks}
    assert "personal: erased, see entry 280." in told and "2 of 2 erasures are in the log." in told
    assert "398 disclosed sections are as recorded." in told
    assert any(check.name == "manifest" for check in report.checks)


def test_sections_may_be_left_out_but_then_the_manifest_must_say_so(folder: Path) -> None:
    edit(folder / "sections.jsonl", lambda lines: lines.__delitem__(slice(0, 5)))
    assert failures(verify(folder)) == [("manifest", None)]
    edit(folder / "manifest.json", lambda lines: lines[0].update(sections=393))
    assert verify(folder).ok


def at(lines: Lines, index: int, name: str = "facts") -> int:
    return next(n for n, line in enumerate(lines) if line["index"] == index and line["name"] == name)


@pytest.mark.parametrize(
    "values",
    [
        {"body": b64(b"{}")},
        {"salt": b64(bytes(32))},
        {"salt": b64(bytes(31))},
        {"media": "text/plain"},
        {"body": "!"},
        {"name": "other"},
        {"name": "zzz"},
    ],
)
def test_a_changed_section_is_named(folder: Path, values: Mapping[str, str]) -> None:
    edit(folder / "sections.jsonl", lambda lines: lines[at(lines, 257)].update(values))
    found = failures(verify(folder))
    assert found[0] == ("section", 257) and found[-1] == ("manifest", None)


@pytest.mark.parametrize(
    "change, fault",
    [
        (lambda lines: lines.insert(3, lines[3]), "twice or out of order"),
        (lambda lines: lines.insert(3, lines[50]), "out of order"),
        (lambda lines: lines.append({**lines[-1], "index": 300}), "entries that the log does not have"),
        (lambda lines: lines[7].update(index="7"), "no whole number"),
        (lambda lines: lines[7].update(extra=1), "not an object of"),
        (lambda lines: lines[7].update(body=5), "wrong kind"),
        (lambda lines: lines[7].update(body="A" * 2_100_000), "too long"),
    ],
)
def test_lines_that_cannot_stand_there(folder: Path, change: Callable[[Lines], object], fault: str) -> None:
    edit(folder / "sections.jsonl", change)
    report = verify(folder)
    assert any(fault in check.detail for check in report.failures), report.failures


def test_a_file_of_lines_that_was_cut_off(folder: Path) -> None:
    for name in ("sections.jsonl", "erasures.jsonl", "checkpoints.jsonl"):
        data = (folder / name).read_bytes()
        put(folder / name, data[:-5])
        assert any("cut off" in check.detail for check in verify(folder).failures)
        put(folder / name, data)


@pytest.mark.parametrize(
    "values, fault",
    [
        ({"entry": 279}, "which is no erasure"),
        ({"entry": 290}, "which erased something else"),
        ({"entry": 9}, "which is no erasure"),
        ({"entry": 300}, "which is no erasure"),
        ({"entry": -1}, "not a whole number"),
        ({"entry": 1 << 63}, "not a whole number"),
        ({"name": "facts"}, "said to be erased and is here"),
        ({"name": "zzz"}, "commits to no section"),
    ],
)
def test_a_false_erasure(folder: Path, values: Mapping[str, object], fault: str) -> None:
    edit(folder / "erasures.jsonl", lambda lines: lines[0].update(values))
    report = verify(folder)
    assert any(fault in check.detail and check.index == 9 for check in report.failures), report.failures


def test_one_entry_cannot_tell_two_erasures_behind_closed_facts(folder: Path) -> None:
    more: Lines = [{"index": 0, "name": name, "entry": 280} for name in ("facts", "personal")]

    def close(lines: Lines) -> None:
        lines[:] = [line for line in lines if line["index"] not in {0, 280}]

    edit(folder / "sections.jsonl", close)
    edit(folder / "erasures.jsonl", lambda lines: lines.__setitem__(slice(0, 0), more))
    edit(folder / "manifest.json", lambda lines: lines[0].update(sections=395, erased=4))
    assert failures(verify(folder)) == [("erasure", 0), ("erasure", 0), ("erasure", 9), ("erasures", None)]


def test_an_erased_section_that_is_still_there(folder: Path) -> None:
    salt, body = SampleLog(10).sections[9]["personal"]
    line = {"index": 9, "name": "personal", "media": "application/json", "salt": b64(salt), "body": b64(body)}
    edit(folder / "sections.jsonl", lambda lines: lines.insert(at(lines, 9) + 1, line))
    assert ("erasure", 9) in failures(verify(folder))
    edit(folder / "erasures.jsonl", lambda lines: lines.pop(0))
    report = verify(folder)
    assert any("this folder does not say so" in check.detail for check in report.failures)


def test_an_erasure_whose_facts_are_withheld_says_so(folder: Path) -> None:
    edit(folder / "sections.jsonl", lambda lines: lines.pop(at(lines, 280)))
    edit(folder / "manifest.json", lambda lines: lines[0].update(sections=397))
    report = verify(folder)
    assert report.ok
    assert any("see entry 280 (whose facts are not in this folder)" in check.detail for check in report.checks)


@pytest.mark.parametrize(
    "values",
    [{"size": 299}, {"root": "x"}, {"origin": "o"}, {"erased": 0}, {"sections": True}, {"format": "x"}, {"y": 1}],
)
def test_a_manifest_that_says_something_else(folder: Path, values: Mapping[str, object]) -> None:
    edit(folder / "manifest.json", lambda lines: lines[0].update(values))
    assert failures(verify(folder)) == [("manifest", None)]
    put(folder / "manifest.json", b"[")
    assert failures(verify(folder)) == [("manifest", None)]


def signed_by(key: SigningKey) -> Callable[[int], str]:
    """Checkpoints of the log by another key."""
    return lambda size: sign_checkpoint(peek_checkpoint(LOG.checkpoint(size)), key)


def test_kept_checkpoints_that_do_not_count(folder: Path) -> None:
    path = folder / "checkpoints.jsonl"
    longer = LOG.checkpoint(300).replace("\n300\n", "\n301\n")
    stranger = SigningKey.generate(ORIGIN, b"S" * 32)
    foreign = signed_by(stranger)(200)
    for line, fault in (
        ({"size": 200, "note": foreign}, "size 200 does not count"),
        ({"size": 201, "note": LOG.checkpoint(200)}, "holds another checkpoint"),
        ({"size": 200, "note": LOG.checkpoint(200).replace("\n200\n", "\n199\n")}, "does not count"),
        ({"size": 301, "note": longer}, "the log was cut back"),
    ):
        put_lines(path, [line])
        report = verify(folder)
        assert any(fault in check.detail for check in report.failures), report.failures
        assert report.last_good == 300 and report.first_bad is None
    put_lines(path, [{"size": 200, "note": LOG.checkpoint(200)}] * 2)
    assert any("twice" in check.detail for check in verify(folder).failures)


def test_each_key_counts_for_its_own_sizes(folder: Path) -> None:
    new = SigningKey.generate(ORIGIN, b"N" * 32)
    history = KeyHistory(of_keys([KEY.verifier]).ranges)
    for kind, size in ((BEGINS, 150), (ENDS, 250)):
        history = extend(history, sign_statement(kind, old=KEY, new=new, size=size))
    put(folder / "keys", history.to_text().encode())
    newer = signed_by(new)
    put(folder / "checkpoint", newer(300).encode())
    both = sign_note(peek_checkpoint(LOG.checkpoint(200)).to_text(), [KEY, new])
    put_lines(folder / "checkpoints.jsonl", [{"size": 120, "note": LOG.checkpoint(120)}, {"size": 200, "note": both}])
    for trusted in (None, [KEY.verifier], [new.verifier], history):
        assert verify_folder(folder, trusted).ok
    # The old key after its end, the new one before its beginning.
    put_lines(folder / "checkpoints.jsonl", [{"size": 120, "note": newer(120)}])
    assert failures(verify_folder(folder, None)) == [("checkpoint", None)]
    put(folder / "checkpoint", LOG.checkpoint(300).encode())
    assert ("checkpoint", None) in failures(verify_folder(folder, None))


def test_a_log_that_grows_meanwhile_is_not_called_cut_back(folder: Path) -> None:
    longer = SampleLog(310)
    longer.leaves[:300] = LOG.leaves
    longer.naive = Naive(longer.leaves)

    def grow(*_: int) -> None:
        put_lines(folder / "checkpoints.jsonl", [{"size": n, "note": longer.checkpoint(n)} for n in (120, 300, 310)])
        put(folder / "checkpoint", longer.checkpoint(310).encode())

    assert verify_folder(folder, [KEY.verifier], watch=grow).last_good == 300
    put(folder / "checkpoint", longer.checkpoint(300).encode())
    assert any("cut back" in check.detail for check in verify(folder).failures)


BESIDE = ("checkpoint", "checkpoints.jsonl", "keys", "manifest.json", "sections.jsonl", "erasures.jsonl")
TILES = ("tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44")


@given(st.sampled_from(BESIDE + TILES), st.data())
@settings(max_examples=60, deadline=None)
def test_no_bit_can_be_flipped_and_no_file_cut(small: Path, path: str, data: st.DataObject) -> None:
    before = (small / path).read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    flipped = before[:place] + bytes([before[place] ^ 1 << data.draw(st.integers(0, 7))]) + before[place + 1 :]
    # Fewer kept checkpoints, whole lines less, are no fault, nor is a manifest without the end of its line.
    whole_lines = path == "checkpoints.jsonl" and before[place - 1 : place] in (b"", b"\n")
    cuts = [] if whole_lines or (path == "manifest.json" and before[place:] == b"\n") else [before[:place]]
    try:
        for damaged in (flipped, *cuts):
            put(small / path, damaged)
            assert not verify(small).ok
    finally:
        put(small / path, before)


def test_what_cannot_be_read_is_no_evidence(folder: Path) -> None:
    tile = folder / "tile/0/000"
    tile.unlink()
    os.mkfifo(tile)
    report = verify(folder)
    assert report.incomplete and not report.ok and report.last_good == 300
    bundle = folder / "tile/entries/000"
    bundle.unlink()
    bundle.symlink_to("/etc/hostname")
    report = verify(folder)
    assert report.incomplete and {check.name for check in report.failures} == {"unreadable"}
    assert any("leads out of the folder" in check.detail for check in report.failures)
    put(folder / "manifest.json", b"[")
    assert not verify(folder).incomplete
