"""pg_dump and pg_restore of the same major version as the server under test."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import psycopg

from config.embedded.place import EmbeddedError, postgres_programs
from tests.absence import needs_postgres_program
from tests.services.databases import Database

_DEBIAN = Path("/usr/lib/postgresql")


def program(name: str, database: Database) -> Path:
    """Path of `name`; skips the test where the machine has none of the server's version."""
    with psycopg.connect(database.admin_address()) as admin:
        major = admin.info.server_version // 10_000
    return needs_postgres_program(name, major, [path for path in _candidates(name, major) if _major(path) == major])


def run(database: Database, name: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run it with a bare environment; what it says is in English."""
    return subprocess.run(
        [program(name, database), *arguments],
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _candidates(name: str, major: int) -> list[Path]:
    folders = [_DEBIAN / str(major) / "bin"]
    with suppress(EmbeddedError):  # without the wheel the server under test is an ordinary one
        folders.append(postgres_programs())
    if found := shutil.which(name):
        folders.append(Path(found).parent)
    return [folder / name for folder in folders if (folder / name).is_file()]


def _major(path: Path) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    return int(said.split()[2].partition(".")[0])
