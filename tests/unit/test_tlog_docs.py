"""The worked example in docs/event-format.md is what the code makes, and verifies."""

from audit.tlog.bundle import verify_bundle
from audit.tlog.receipt import verify_receipt
from tests.unit import tlog_example

PAGE = tlog_example.PAGE.read_text(encoding="utf-8")


def test_the_page_shows_the_computed_example() -> None:
    assert tlog_example.page_blocks(PAGE) == tlog_example.blocks(), "run python -m tests.unit.tlog_example"
    assert tlog_example.rewritten(PAGE) == PAGE


def test_the_example_verifies() -> None:
    shown = tlog_example.page_blocks(PAGE)
    keys = [tlog_example.KEY.verifier]
    assert shown["key"].strip() == keys[0].to_text()
    assert verify_bundle(shown["bundle"].encode(), keys).ok
    assert verify_receipt(shown["receipt"], shown["leaf"].strip().encode(), keys).ok
