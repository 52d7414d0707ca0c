"""The table of docs/threat-model.md is the one that the tests try."""

from tests.integration.bypasses import table
from tests.repository.tree import ROOT


def test_the_threat_model_shows_what_was_tried() -> None:
    """To renew it: write what `table()` returns between the two markers."""
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    assert text.count("<!-- bypasses -->\n") == 1
    shown = text.partition("<!-- bypasses -->\n")[2].partition("<!-- /bypasses -->")[0]
    assert shown == table()
