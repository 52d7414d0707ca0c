"""The signer's memory: written whole, read strictly, held by one process."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.signer.examine import Tree
from audit.signer.key import HISTORY_FILE, KEY_FILE, KeyRefused, load_keys, make_key, make_next_key, save_history
from audit.signer.lease import holder_name
from audit.signer.state import TAIL, State, StateDir, StateExposed, StateInUse, StateUnreadable
from audit.tlog.keyhistory import BEGINS, extend, sign_statement
from audit.tlog.keys import SigningKey
from audit.tlog.tree import leaf_hash, root_of

ORIGIN = "assay.example/unit"
KEY = SigningKey.generate(ORIGIN, bytes(range(32)))
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def state_of(size: int) -> State:
    tree = Tree.of(State(ORIGIN)).extend([leaf_hash(b"%d" % n) for n in range(size)])
    return State(ORIGIN, tree.edge, tree.tail)


@pytest.fixture
def folder(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path)


@given(size=st.integers(0, 700), frozen=st.booleans(), entry=st.none() | st.integers(0, 700))
def test_reading_is_the_inverse_of_writing(size: int, frozen: bool, entry: int | None) -> None:
    state = state_of(size)
    if frozen:
        state = state.freeze("because ✗", at=NOW, entry_index=entry)
    assert State.from_json(state.to_json()) == state
    three, seven, seventy = (f"{number}:{number:064x}" for number in (3, 7, 70))
    thawed = state.thaw(acknowledged=[seventy, three]).thaw(acknowledged=[seven, seventy])
    assert (thawed.frozen, thawed.acknowledged) == (None, (three, seven, seventy))
    assert State.from_json(thawed.to_json()) == thawed
    assert thawed.grown(state.edge, state.tail).acknowledged == (three, seven, seventy)


def test_a_file_of_before_thawing_was_is_read(folder: StateDir) -> None:
    folder.save(state_of(3))
    path = folder.path / "state.json"
    older = json.loads(path.read_text())
    del older["acknowledged"]
    # Bare ids, as they were first kept, may name other alarms by now: they acknowledge nothing.
    for text in (older, older | {"acknowledged": [1, 2]}):
        path.write_text(json.dumps(text))
        assert folder.load() == state_of(3)


@given(first=st.integers(0, 600), more=st.integers(0, 600))
def test_a_tree_grows_as_one(first: int, more: int) -> None:
    hashes = [leaf_hash(b"%d" % n) for n in range(first + more)]
    tree = Tree.of(state_of(first)).extend(hashes[first:])
    assert tree.edge.root() == root_of(hashes)
    assert tree.tail == tuple(hashes[-TAIL:])


@pytest.mark.parametrize(
    "change",
    [
        {"root": "00" * 32},
        {"size": 4},
        {"size": "many"},
        {"edge": ["00" * 32, "11" * 32]},
        {"edge": ["zz"]},
        {"tail": []},
        {"tail": None},
        {"frozen": {"reason": "x"}},
        {"frozen": {"reason": "x", "at": "yesterday", "entry": None}},
        {"frozen": "yes"},
        {"new": 1},
        {"acknowledged": ["x"]},
        {"acknowledged": ["5:00"]},
        {"acknowledged": [[5]]},
        {"acknowledged": None},
    ],
    ids=str,
)
def test_a_damaged_state_is_refused(folder: StateDir, change: dict[str, object]) -> None:
    folder.save(state_of(3))
    path = folder.path / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StateUnreadable, match="do not delete it"):
        folder.load()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"size": 1}'])
def test_a_file_that_is_no_state_is_refused(folder: StateDir, content: bytes) -> None:
    (folder.path / "state.json").write_bytes(content)
    with pytest.raises(StateUnreadable):
        folder.load()


def test_a_new_folder_holds_none(folder: StateDir) -> None:
    assert folder.load() is None


def test_saving_replaces_the_whole_file_or_nothing(folder: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.save(state_of(3))
    path = folder.path / "state.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            folder.save(state_of(9))
    assert path.read_bytes() == before
    folder.save(state_of(9))
    assert folder.load() == state_of(9)


def test_what_a_killed_writer_left_is_written_over(folder: StateDir) -> None:
    (folder.path / "state.json.tmp").write_text("half a sta")
    folder.save(state_of(3))
    assert folder.load() == state_of(3)
    assert [path.name for path in folder.path.iterdir()] == ["state.json"]


def test_one_process_holds_the_folder(tmp_path: Path) -> None:
    folder = StateDir(tmp_path / "made" / "here")
    with folder.locked():
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        with pytest.raises(StateInUse, match="One log has one signer"), folder.locked():
            pass
    with folder.locked():
        pass


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_a_folder_that_others_may_write_is_refused(folder: StateDir, mode: int) -> None:
    folder.path.chmod(mode)
    with pytest.raises(StateExposed, match="can be written by others"), folder.locked():
        pass
    folder.path.chmod(0o755)
    with folder.locked():
        pass


def test_a_holder_is_this_start_in_this_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    one = holder_name(first, entropy=lambda size: b"\x01" * size)
    assert one == holder_name(first, entropy=lambda size: b"\x01" * size)
    assert one.endswith(f":{os.getpid()}-{'01' * 8}")
    other = holder_name(first)
    assert other != one
    assert other.rpartition(":")[0] == one.rpartition(":")[0]
    # Another folder mounted at the same path is another folder.
    second.rename(second.with_name("away"))
    first.rename(second)
    second.with_name("away").rename(first)
    assert holder_name(first).rpartition(":")[0] != one.rpartition(":")[0]


def test_the_key_of_this_log_is_loaded(folder: StateDir) -> None:
    made = make_key(folder, origin=ORIGIN, entropy=lambda size: bytes(range(size)))
    assert made == KEY
    assert load_keys(folder, origin=ORIGIN, vkey=KEY.verifier.to_text()).private == (KEY,)
    assert stat.S_IMODE((folder.path / KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "mode", "origin", "saying"),
    [
        ("", 0o600, ORIGIN, "holds no signing key"),
        (KEY.verifier.to_text(), 0o600, ORIGIN, "holds no signing key"),
        (KEY.to_text(), 0o640, ORIGIN, "can be read by others"),
        (KEY.to_text(), 0o604, ORIGIN, "can be read by others"),
        (KEY.to_text(), 0o600, "assay.example/another", "is the key of assay.example/unit"),
        (SigningKey.generate(ORIGIN, bytes(32)).to_text(), 0o600, ORIGIN, "LEDGER_VKEY is not the public half"),
    ],
)
def test_any_other_key_is_refused_without_showing_it(
    folder: StateDir, text: str, mode: int, origin: str, saying: str
) -> None:
    path = folder.path / KEY_FILE
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(KeyRefused, match=saying) as refused:
        load_keys(folder, origin=origin, vkey=KEY.verifier.to_text())
    secret = text.rpartition("+")[2]
    assert not secret or secret not in str(refused.value)


def test_a_missing_key_says_how_to_make_one(folder: StateDir) -> None:
    with pytest.raises(KeyRefused, match="signer --init"):
        load_keys(folder, origin=ORIGIN, vkey=KEY.verifier.to_text())


def test_a_key_is_never_replaced(folder: StateDir) -> None:
    make_key(folder, origin=ORIGIN)
    with pytest.raises(KeyRefused, match="a log keeps its key"):
        make_key(folder, origin=ORIGIN)


@pytest.mark.parametrize("origin", ["", "with space", "a+b"])
def test_a_log_without_a_fit_name_gets_no_key(folder: StateDir, origin: str) -> None:
    with pytest.raises(KeyRefused, match="LEDGER_ORIGIN"):
        make_key(folder, origin=origin)


def test_a_history_of_keys_in_the_folder_is_believed_only_whole(folder: StateDir) -> None:
    make_key(folder, origin=ORIGIN, entropy=lambda size: bytes(range(size)))
    keys = load_keys(folder, origin=ORIGIN, vkey=KEY.verifier.to_text())
    new = make_next_key(folder, keys, entropy=lambda size: b"N" * size)
    vkey = new.verifier.to_text()
    # A key that no statement names signs nothing yet, and does not make this log known by it.
    with pytest.raises(KeyRefused, match="LEDGER_VKEY is not the public half"):
        load_keys(folder, origin=ORIGIN, vkey=vkey)
    history = extend(keys.history, sign_statement(BEGINS, old=KEY, new=new, size=4))
    save_history(folder, history)
    later = load_keys(folder, origin=ORIGIN, vkey=vkey)
    assert (later.at(3), later.at(4), later.living) == ((KEY,), (KEY, new), (KEY, new))
    for text, saying in (
        (history.to_text()[:-9] + "AAAAAAAA\n", "is no key history of this log"),
        ("\udcff", "is no key history of this log"),
        (f"{SigningKey.generate('other', bytes(32)).verifier.to_text()}\n", "are of other, but LEDGER_ORIGIN"),
        (f"{SigningKey.generate(ORIGIN, bytes(32)).verifier.to_text()}\n", "is none of the keys in"),
    ):
        (folder.path / HISTORY_FILE).write_bytes(text.encode(errors="surrogateescape"))
        with pytest.raises(KeyRefused, match=saying):
            load_keys(folder, origin=ORIGIN, vkey=vkey)
    with pytest.raises(KeyRefused, match="a log keeps its key"):
        (folder.path / KEY_FILE).unlink()
        make_key(folder, origin=ORIGIN)
