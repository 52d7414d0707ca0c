"""Files that outlive a change of keys: each signature must be by a key of its own size, wherever it stands."""

import json
from typing import Any

import pytest

from audit.tlog.bundle import verify_bundle
from audit.tlog.bundleformat import BundleError
from audit.tlog.checkpoint import peek_checkpoint, sign_checkpoint
from audit.tlog.keyhistory import BEGINS, ENDS, KeyHistory, Trusted, extend, of_keys, read_history, sign_statement
from audit.tlog.keys import SigningKey
from audit.tlog.pdf import attach_receipt, verify_pdf
from audit.tlog.receipt import Receipt, verify_receipt
from tests.report_files import KEY as REPORT_KEY
from tests.report_files import files
from tests.unit.tlog_reference import ORIGIN, SampleLog

LOG = SampleLog(60)
OLD, NEW = LOG.key, SigningKey.generate(ORIGIN, b"N" * 32)
STRANGER = SigningKey.generate(ORIGIN, b"S" * 32)


def history(old: SigningKey, new: SigningKey, begins: int, ends: int | None = None) -> KeyHistory:
    """`new` from `begins` on; `old` to `ends`."""
    found = read_history(f"{old.verifier.to_text()}\n", None)
    found = extend(found, sign_statement(BEGINS, old=old, new=new, size=begins))
    return found if ends is None else extend(found, sign_statement(ENDS, old=old, new=new, size=ends))


def signed(note: str, *keys: SigningKey) -> str:
    return sign_checkpoint(peek_checkpoint(note), *keys)


# The old key to 50, the new one from 41 on; a bundle of 60 entries that continues the sizes 40, 45 and 55.
CHAIN = history(OLD, NEW, 41, 50)


def bundle(*, older: dict[int, tuple[SigningKey, ...]], by: tuple[SigningKey, ...] = (NEW,), told: str | None) -> bytes:
    found: dict[str, Any] = json.loads(LOG.bundle(range(0, 60, 7), older=list(older)))
    found["checkpoint"] = signed(found["checkpoint"], *by)
    for item, keys in zip(found["consistency"], older.values(), strict=True):
        item["from"] = signed(item["from"], *keys)
    found["keys"] = [OLD.verifier.to_text(), NEW.verifier.to_text()]
    if told is not None:
        found["key_history"] = told
    return json.dumps(found).encode()


RIGHT = {40: (OLD,), 45: (OLD, NEW), 55: (NEW,)}
WHOLE = bundle(older=RIGHT, told=CHAIN.to_text())


@pytest.mark.parametrize("given", [CHAIN, history(OLD, NEW, 41), [OLD.verifier], [NEW.verifier], None])
def test_a_bundle_over_a_change_of_keys_verifies_from_any_key_of_the_chain(given: Trusted | None) -> None:
    result = verify_bundle(WHOLE, given)
    assert result.ok, result.failures
    assert result.keys == (NEW.verifier,)
    assert [check.name for check in result.checks].count("consistency") == 3
    said = next(check.detail for check in result.checks if check.name == "key")
    assert said.startswith(
        "NOT PINNED" if given is None else "The signature is by a key of the same log" if given == [OLD.verifier] else
        "The signature is by a key you gave"
    )  # fmt: skip


def test_an_older_checkpoint_signed_by_the_newer_key_is_refused() -> None:
    """The new key's holder cannot make a past: not in the checkpoint, and not in what it is said to continue."""
    forged = bundle(older={**RIGHT, 40: (NEW,)}, told=CHAIN.to_text())
    for given in (CHAIN, [OLD.verifier], [NEW.verifier], None):
        (failure,) = verify_bundle(forged, given).failures
        assert failure.name == "consistency"
        assert "from 41 on" in failure.detail
    late = bundle(older=RIGHT, by=(OLD,), told=CHAIN.to_text())
    for given in (CHAIN, [OLD.verifier], [NEW.verifier], None):
        result = verify_bundle(late, given)
        assert "sizes from 0 to 50" in result.failures[0].detail
        assert result.checkpoint is None and result.entries  # entries are still compared with the claimed root


def test_a_history_that_is_not_the_logs_is_refused() -> None:
    other = history(OLD, STRANGER, 41)
    for told, given, saying in (
        (other.to_text(), CHAIN, "contradicts the one you gave"),
        (history(STRANGER, NEW, 41).to_text(), [OLD.verifier], "None of the trusted keys"),
        (CHAIN.to_text().replace("\n50\n", "\n59\n"), [OLD.verifier], "does not fit"),
        ("", None, "The keys do not hold"),
    ):
        result = verify_bundle(bundle(older=RIGHT, told=told), given)
        assert saying in result.failures[0].detail
    # Without any history the old key alone is no reason to believe the new one.
    assert not verify_bundle(bundle(older=RIGHT, told=None), [OLD.verifier]).ok
    assert verify_bundle(bundle(older=RIGHT, told=None), CHAIN).ok
    with pytest.raises(BundleError, match="key history must be a text"):
        verify_bundle(json.dumps(json.loads(WHOLE) | {"key_history": 7}).encode(), CHAIN)


def test_a_receipt_counts_by_a_key_of_its_size_only() -> None:
    whole = Receipt.parse(LOG.receipt(7))
    for key, fine in ((NEW, True), (OLD, False), (STRANGER, False)):
        text = Receipt(7, whole.hashes, signed(whole.checkpoint_note, key)).to_text()
        assert verify_receipt(text, LOG.leaves[7], history(OLD, NEW, 5, 9)).ok is fine
    assert verify_receipt(LOG.receipt(7), LOG.leaves[7], of_keys([OLD.verifier])).ok


def test_a_report_made_before_a_change_of_keys_and_issued_after_it() -> None:
    made = files()
    receipt: dict[str, Any] = json.loads(made.receipt)
    size = peek_checkpoint(receipt["checkpoint"]).size
    new = SigningKey.generate(REPORT_KEY.name, b"N" * 32)
    chain = history(REPORT_KEY, new, size, size - 1)
    receipt["checkpoint"] = signed(receipt["checkpoint"], new)
    receipt |= {"keys": [key.to_text() for key in chain.keys], "key_history": chain.to_text()}
    issued = attach_receipt(made.revision1, json.dumps(receipt).encode())
    for given in (chain, [REPORT_KEY.verifier], [new.verifier], None):
        result = verify_pdf(issued, given)
        assert result.ok, result.failures
    # The same with a history in which the new key began too late for it.
    receipt["key_history"] = history(REPORT_KEY, new, size + 1).to_text()
    late = attach_receipt(made.revision1, json.dumps(receipt).encode())
    assert "receipt checkpoint" in [check.name for check in verify_pdf(late, [REPORT_KEY.verifier]).failures]
    receipt["key_history"] = history(STRANGER, SigningKey.generate(ORIGIN, b"T" * 32), 3).to_text()
    foreign = attach_receipt(made.revision1, json.dumps(receipt).encode())
    assert [check.name for check in verify_pdf(foreign, [REPORT_KEY.verifier]).failures] == ["bundle"]
