"""`./quickstart demo --once` as on a bare machine: its own servers, its own data folder, one summary."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.programs import CHECKOUT
from tests.services.measuring import measuring

SUMMARY = re.compile(r"ok  (\d) .*? +\d+\.\d s  (.+)")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that no other run knows."""
    path = Path(tempfile.mkdtemp(prefix="assay-once-"))
    yield path
    shutil.rmtree(path)


def left_running(folder: Path) -> list[str]:
    """Command lines of processes that were told of this data folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it ended, or is somebody else's
    return found


def test_the_main_job_is_done_once_and_nothing_stays(folder: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DATA_DIR": str(folder), **measuring()}
    done = subprocess.run(
        [sys.executable, "-m", "config", "demo", "--once"],
        env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(SUMMARY.findall(done.stdout))
    assert list(said) == ["1", "2", "3", "4", "5", "6"], done.stdout
    assert re.search(r"refused \(400\), Rosa Okafor approved", said["2"])
    assert re.search(r"entry \d+ seals \d+ requests, entry \d+ hardware; entry \d+ is a finding", said["4"])
    assert "verified offline" in said["5"]
    assert "verified offline" in said["6"]
    assert left_running(folder) == []
