"""A publisher that dies at any write: no reader ever meets a checkpoint without its files, and the next publisher ends
with the very bytes that one that never died would have written.
"""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit.publishing.publisher import GRACE_SECONDS, Contradiction, NotOurs, Outcome, Publisher
from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.keyhistory import BEGINS, sign_statement
from audit.tlog.note import SigningKey
from tests.unit.publishing_log import KEY, ORIGIN, DyingStore, Killed, MemoryLog, naive, note, reader_sees, root, wanted

SIZES = st.lists(st.integers(1, 800), min_size=1, max_size=3, unique=True).map(sorted)


def publish(store: DyingStore, log: MemoryLog, *, anew: bool = False) -> Publisher:
    """Steps until nothing is left to publish."""
    publisher = Publisher(store, KEY.verifier)
    while publisher.step(log, anew=anew) is not Outcome.IDLE:
        anew = False
    return publisher


@settings(max_examples=60, deadline=None)
@given(sizes=SIZES, at=st.integers(0, 10), done=st.booleans())
@example(sizes=[255, 256, 257], at=3, done=True)
def test_death_at_any_write_leaves_a_whole_log_and_is_made_good(sizes: list[int], at: int, done: bool) -> None:
    undisturbed = DyingStore({})
    for count in range(1, len(sizes) + 1):
        publish(undisturbed, MemoryLog(*sizes[:count]))
    files: dict[str, bytes] = {}
    for count, size in enumerate(sizes, 1):
        seen = reader_sees(files.get)
        with pytest.raises(Killed):
            publish(DyingStore(files, dies_at=1 + at, done=done), MemoryLog(*sizes[:count]))
            raise Killed  # it had less to write than that
        assert reader_sees(files.get) in {seen, size}
        publish(DyingStore(files), MemoryLog(*sizes[:count]))
        assert reader_sees(files.get) == size
    assert files == undisturbed.files


def test_what_was_published_once_stays_for_readers_of_that_size() -> None:
    files: dict[str, bytes] = {}
    for count, _size in enumerate(sizes := [3, 200, 256, 300, 511, 512], 1):
        publish(DyingStore(files), MemoryLog(*sizes[:count]))
    for size in sizes:
        assert wanted(size).items() <= files.items()


def test_partial_files_go_when_full_ones_have_been_there_for_a_while() -> None:
    clock = [0.0]
    store, log = DyingStore({}), MemoryLog(250, 300)
    log.signed.pop(300)
    publisher = Publisher(store, KEY.verifier, monotonic=lambda: clock[0])
    publisher.step(log)
    publisher.step(MemoryLog(250, 300))
    assert wanted(250).items() <= store.files.items()
    clock[0] = GRACE_SECONDS - 1
    assert publisher.step(MemoryLog(250, 300)) is Outcome.IDLE
    assert "tile/0/000.p/250" in store.files
    clock[0] += 1
    publisher.step(MemoryLog(250, 300))
    assert {path for path in store.files if path.startswith(("tile/0/000.p", "tile/entries/000.p"))} == set()
    assert reader_sees(store.files.get) == 300


def test_a_long_log_is_published_step_by_step_and_only_at_signed_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.publishing.publisher.STEP", 300)
    log, store = MemoryLog(10, 290, 700, 1400), DyingStore({})
    publisher = Publisher(store, KEY.verifier)
    outcomes = [(publisher.step(log), publisher.size) for _ in range(4)]
    behind, published, idle = Outcome.BEHIND, Outcome.PUBLISHED, Outcome.IDLE
    assert outcomes == [(behind, 290), (behind, 700), (published, 1400), (idle, 1400)]
    assert reader_sees(store.files.get) == 1400


def test_a_stop_between_writes_is_obeyed_and_made_good() -> None:
    def stop() -> None:
        raise Killed

    files: dict[str, bytes] = {}
    with pytest.raises(Killed):
        Publisher(DyingStore(files), KEY.verifier, stay=stop).step(MemoryLog(500))
    assert reader_sees(files.get) == 0
    publish(DyingStore(files), MemoryLog(500))
    assert reader_sees(files.get) == 500


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/0/000", "tile/entries/000", "tile/entries/001.p/44", "keys"])
def test_lost_files_are_written_again_when_asked_to(path: str) -> None:
    store = DyingStore({})
    publish(store, MemoryLog(300))
    before = dict(store.files)
    del store.files[path]
    publish(store, MemoryLog(300), anew=True)
    assert store.files == before


def test_a_lost_edge_is_noticed_and_written_again() -> None:
    store = DyingStore({})
    publish(store, MemoryLog(300))
    del store.files["tile/1/000.p/1"]
    publish(store, MemoryLog(300, 301))
    assert reader_sees(store.files.get) == 301


def refusal(store: DyingStore, log: MemoryLog, *, anew: bool = False) -> Contradiction:
    """The contradiction that a fresh publisher finds, having changed nothing."""
    before = dict(store.files)
    with pytest.raises(Contradiction) as caught:
        publish(store, log, anew=anew)
    assert store.files["checkpoint"] == before["checkpoint"]
    assert before.items() <= store.files.items()
    return caught.value


def published(size: int) -> DyingStore:
    store = DyingStore({})
    publish(store, MemoryLog(size))
    return store


def test_a_changed_file_of_the_edge_is_a_contradiction() -> None:
    for path in ("tile/0/001.p/44", "tile/1/000.p/1"):
        store = published(300)
        store.files[path] = bytes(len(store.files[path]))
        assert "not" in str(refusal(store, MemoryLog(300, 600)))
    store = published(300)
    store.files["tile/0/001"] = bytes(8192)
    assert str(refusal(store, MemoryLog(300, 600))) == (
        "The published file tile/0/001 in memory is not what the log's entries give: it was changed."
    )


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/000", "tile/entries/001.p/44"])
def test_any_changed_file_is_found_when_all_are_compared(path: str) -> None:
    store = published(300)
    store.files[path] += b"."
    assert path in str(refusal(store, MemoryLog(300), anew=True))


def test_a_database_behind_the_published_log_is_a_contradiction() -> None:
    text = "A checkpoint of 300 entries is published, but the database knows of none that large"
    assert text in str(refusal(published(300), MemoryLog(200)))
    assert text in str(refusal(published(300), MemoryLog()))


def test_a_rewritten_entry_is_a_contradiction_wherever_it_stands() -> None:
    for index, named in ((290, 290), (400, None)):
        log = MemoryLog(300, 600)
        log.entries = [*log.entries[:index], b"rewritten", *log.entries[index + 1 :]]
        found = refusal(published(300), log)
        assert found.entry_index == named
    log = MemoryLog(300, 600)
    log.entries = log.entries[:500]
    found = refusal(published(300), log)
    assert (str(found), found.entry_index) == ("Entry 500 is missing, though it was signed.", 500)


def test_another_past_that_was_signed_is_a_contradiction() -> None:
    """A database and a signer that agree on a rewritten history do not agree with what is out."""
    log = MemoryLog(300, 600)
    entries = [b"rewritten", *naive().entries[1:600]]
    forged = type(naive())(entries)
    log.entries = entries
    text = sign_checkpoint(Checkpoint(ORIGIN, 600, forged.root(600)), KEY)
    log.signed[600] = log.signed[600]._replace(root=forged.root(600), note=text)
    assert "do not lead from what was published" in str(refusal(published(300), log))
    log.signed[300] = log.signed[300]._replace(root=forged.root(300))
    assert "has another root than the database's" in str(refusal(published(300), log))


def test_a_forged_checkpoint_is_not_published() -> None:
    store, log = published(300), MemoryLog(300, 600)
    log.signed[600] = log.signed[600]._replace(note=note(600).replace("600", "601"))
    assert "is not as signed" in str(refusal(store, log))
    log.signed[600] = log.signed[600]._replace(note=note(599))
    assert "does not repeat its signed note" in str(refusal(store, log))


def test_a_forged_published_checkpoint_is_a_contradiction() -> None:
    store = published(300)
    store.files["checkpoint"] = note(299).replace("299", "300").encode()
    assert "is none that this log signed" in str(refusal(store, MemoryLog(300)))
    store.files["checkpoint"] = b"nothing of the kind"
    assert "is none that this log signed" in str(refusal(store, MemoryLog(300)))


def test_settings_that_do_not_fit_are_no_contradiction() -> None:
    other = SigningKey.generate(ORIGIN, bytes(32))
    with pytest.raises(NotOurs, match="LEDGER_VKEY is of another log"):
        Publisher(DyingStore({}), other.verifier).step(MemoryLog(3))
    log = MemoryLog(3)
    log.statements = [sign_statement(BEGINS, old=KEY, new=SigningKey.generate(ORIGIN, b"1" * 32), size=2)]
    with pytest.raises(NotOurs, match="does not fit the key history"):
        Publisher(DyingStore({}), other.verifier).step(log)
    log.statements = ["nothing"]
    with pytest.raises(NotOurs, match="does not fit the key history"):
        Publisher(DyingStore({}), KEY.verifier).step(log)
    elsewhere = SigningKey.generate("assay.example/other", bytes(32))
    store = DyingStore(
        {"checkpoint": sign_checkpoint(Checkpoint("assay.example/other", 3, root(3)), elsewhere).encode()}
    )
    with pytest.raises(NotOurs, match=r"holds the log assay\.example/other"):
        Publisher(store, KEY.verifier).step(MemoryLog(3))
    assert list(store.files) == ["checkpoint"]


def test_the_key_history_grows_and_nothing_else() -> None:
    store, log = published(300), MemoryLog(300)
    new = SigningKey.generate(ORIGIN, b"1" * 32)
    log.statements = [sign_statement(BEGINS, old=KEY, new=new, size=310)]
    publish(store, log)
    assert store.files["keys"].decode() == f"{KEY.verifier.to_text()}\n\n{log.statements[0]}"
    assert "key history" in str(refusal(store, MemoryLog(300)))
