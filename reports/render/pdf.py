"""The parent's side of a render: one child process per report, bounded in memory, processor time and wall time.

Memory of a large render is never given back by WeasyPrint, and a fault in native code must not take the worker
with it: so the child is thrown away each time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from audit.tlog.pdfshape import Attachment

ROOT = Path(__file__).resolve().parents[2]
FONTCONFIG = Path(__file__).with_name("assets") / "fonts.conf"
WALL_SECONDS = 150  # below the soft time limit of a task
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "VIRTUAL_ENV")


class RenderError(RuntimeError):
    """No PDF was made; the message is a sentence for the person who asked for the report."""


def revision1(
    html: str, attachments: Sequence[Attachment], *, issued_at: datetime, properties: Mapping[str, str]
) -> bytes:
    """The bytes of revision 1. Raises RenderError."""
    job = {
        "html": html,
        "stamp": f"D:{issued_at.astimezone(UTC):%Y%m%d%H%M%S}Z",
        "properties": dict(properties),
        "attachments": [
            {
                "name": item.name,
                "description": item.description,
                "relationship": item.relationship,
                "content": b64encode(item.content).decode(),
            }
            for item in attachments
        ],
    }
    return _run("render", json.dumps(job).encode())


def describe() -> Mapping[str, Mapping[str, str]]:
    """Versions and font digests of the renderer: `{"versions": {...}, "fonts": {...}}`. Raises RenderError."""
    described: dict[str, dict[str, str]] = json.loads(_run("describe", b""))
    return described


def environment(scratch: str) -> dict[str, str]:
    """What the child may know: where its libraries are, a scratch folder, and nothing of ours."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    fixed = {"LANG": "C.UTF-8", "TZ": "UTC", "FONTCONFIG_FILE": str(FONTCONFIG)}
    return {**kept, **fixed, "TMPDIR": scratch, "HOME": scratch, "XDG_CACHE_HOME": scratch}


def _run(task: str, job: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="assay-render-") as scratch:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "reports.render.child", task],
                input=job,
                capture_output=True,
                cwd=ROOT,
                env=environment(scratch),
                timeout=WALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RenderError(
                f"The report took longer than {WALL_SECONDS} seconds to render and was stopped."
            ) from error
    if done.returncode == 0 and done.stdout:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode == 3:
        raise RenderError(said[-1] if said else "The renderer refused the report.")
    if done.returncode < 0:
        raise RenderError(
            f"The renderer was stopped by signal {-done.returncode}: the report is too large for its limits."
        )
    raise RenderError(f"The renderer failed: {said[-1] if said else 'it said nothing'}")
