"""What no file may say, and what no test may use."""

import re
from pathlib import Path

import pytest

from tests.repository.tree import ROOT, name, python_files, text_files

_REGISTRY = re.compile(r"https?://\S*(?:pypi|pythonhosted|devpi|artifactory|npmjs)[.:/]|file:///(?:opt|srv|mnt|home)")
_MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:work|root|Users)/\w|/home/(?!assay\b)\w+/")
_SILENCED = re.compile(r"type:\s*ignore|#\s*noqa|pragma:\s*no cover|#\s*nosec|pyright:\s*ignore")
_TRUNCATING = re.compile(r"transaction\s*=\s*True|transactional_db|live_server|TransactionTestCase|LiveServerTestCase")
_SKIPPING = re.compile(r"pytest\.(?:mark\.)?(?:skip|xfail)|importorskip|unittest\.skip")
_SLEEPING = re.compile(r"\btime\.sleep\(|\bfrom time import .*\bsleep")
# This file names all it forbids.
_THIS = Path(__file__)


def _offences(pattern: re.Pattern[str], texts: list[tuple[Path, str]]) -> list[str]:
    return [
        f"{name(path)}:{number}"
        for path, text in texts
        if path != _THIS
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def _python(*packages: str) -> list[tuple[Path, str]]:
    return [(path, path.read_text(encoding="utf-8")) for path in python_files(*packages)]


@pytest.mark.parametrize("pattern", [_REGISTRY, _MACHINE_PATH], ids=["registry address", "machine path"])
def test_no_file_names_a_place_of_one_machine(pattern: re.Pattern[str]) -> None:
    assert _offences(pattern, text_files()) == []


def test_nothing_is_silenced() -> None:
    assert _offences(_SILENCED, _python()) == []


def test_no_fixture_truncates_tables() -> None:
    assert _offences(_TRUNCATING, _python("tests", "bench")) == []


def test_tests_are_skipped_only_for_a_named_absence() -> None:
    texts = [(path, text) for path, text in _python("tests") if path != ROOT / "tests" / "absence.py"]
    assert _offences(_SKIPPING, texts) == []


def test_nothing_waits_by_sleeping() -> None:
    assert _offences(_SLEEPING, _python()) == []


def test_shared_folder_is_known_to_tests_only() -> None:
    pattern = re.compile(r"\.\./shared")
    assert _offences(pattern, [(p, t) for p, t in text_files() if p.relative_to(ROOT).parts[0] != "tests"]) == []


def test_ledger_tables_are_named_by_string_only_inside_audit() -> None:
    """import-linter cannot see a model that is referred to by its name."""
    pattern = re.compile(
        r"""["']audit\.(?:Entry|Section|Tile|EventKey|Head|Checkpoint|Alarm)["']|get_model\(["']audit"""
    )
    assert _offences(pattern, _python("governance", "reports", "demo", "config")) == []
