"""The house of docs/architecture.md: which rooms there are, and that the pure ones are pure."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.tree import PACKAGES, ROOT, files, name, python_files

_OTHER_FOLDERS = {".ci", ".github", "deploy", "docs", "locale", "static", "templates"}
_PURE = (
    "audit.tlog", "audit.events", "governance.workflow", "governance.capacity", "governance.classification",
    "governance.evaluation", "governance.lifecycle", "reports.dataset",
)  # fmt: skip
_FRAMEWORKS = ("django", "rest_framework", "celery", "redis", "weasyprint", "psycopg", "httpx", "msgspec")
_NO_PLACE = {"utils", "helpers", "common", "misc", "signals"}


def test_top_level_folders_are_the_known_rooms() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in files() if len(path.relative_to(ROOT).parts) > 1}
    assert found - _OTHER_FOLDERS - set(PACKAGES) == set()
    assert set(PACKAGES) <= found


def test_no_module_for_odds_and_ends() -> None:
    assert [name(path) for path in python_files() if path.stem in _NO_PLACE or path.parent.name in _NO_PLACE] == []


def test_no_signal_receivers() -> None:
    assert [
        name(path)
        for path in python_files("audit", "governance", "reports", "demo", "config")
        if "django.dispatch" in path.read_text(encoding="utf-8")
        or ".signals import" in path.read_text(encoding="utf-8")
    ] == []


@pytest.mark.parametrize("room", _PURE)
def test_pure_room_loads_no_framework(room: str) -> None:
    """Importing the room in a fresh interpreter, its parents' __init__ included, leaves frameworks unloaded."""
    program = f"import sys, {room}; print(*sorted(set({_FRAMEWORKS!r}) & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


def test_tlog_needs_only_the_standard_library_and_cryptography() -> None:
    allowed = {*sys.stdlib_module_names, "cryptography", "audit"}
    strangers = {
        (name(path), module)
        for path in python_files("audit")
        if "tlog" in path.parts
        for module in _imported(path)
        if module.split(".")[0] not in allowed or (module.startswith("audit") and not module.startswith("audit.tlog"))
    }
    assert strangers == set()


def test_capacity_needs_only_the_standard_library() -> None:
    allowed = {*sys.stdlib_module_names, "governance"}
    strangers = {
        (name(path), module)
        for path in python_files("governance")
        if "capacity" in path.relative_to(ROOT).parts
        for module in _imported(path)
        if module.split(".")[0] not in allowed
    }
    assert strangers == set()


def _imported(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: imports are absolute"
            modules.add(node.module or "")
    return modules


def test_import_contracts_hold() -> None:
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
