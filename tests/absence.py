"""The only reasons for which a test may be skipped, each a thing that the machine lacks, named in the
output.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def needs_chromium() -> str:
    """Path of Chromium; skips the test where none is installed."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("absent: Chromium")


def needs_shared(*parts: str) -> Path:
    """A file or folder of ../shared; skips the test where it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"absent: ../shared/{'/'.join(parts)}")
    return path


def needs_postgres_program(name: str, major: int, found: Sequence[Path]) -> Path:
    """The first of `found`; skips the test where no `name` fits the server, since another one's files may not do."""
    if not found:
        pytest.skip(f"absent: {name} of PostgreSQL {major}")
    return found[0]
