"""Eight writers at once, killed with -9 at random points (`./quickstart bench crash` does it for minutes)."""

import json
import subprocess
import sys
from pathlib import Path

from config import programs
from tests.services.databases import Database
from tests.services.processes import process_environment

KILLS = 24
STORM = f"""
import argparse, django
django.setup()
from bench import crash
crash.run(argparse.Namespace(seconds=60, kills={KILLS}, seed=None, server_crashes=False))
"""


def test_killed_writers_lose_and_double_nothing(committed: Database, worker_name: str, tmp_path: Path) -> None:
    environment = process_environment(committed, "app", "owner", "admin", worker=worker_name, folder=tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", STORM],
        cwd=programs.CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figure = json.loads(done.stdout)
    assert figure["value"] >= KILLS
    assert figure["parts"]["acknowledged"] == figure["parts"]["entries"] > 0
