"""Where report files lie, and how they get there: whole or not at all, readable by this account only."""

import os
import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings


def revision1_path(report_id: UUID, attempt: int) -> Path:
    """Each attempt has a file of its own: one that lost its place cannot write over the recorded one."""
    return _folder() / f"{report_id}.revision-1.{attempt}.pdf"


def discard_revision1(report_id: UUID) -> None:
    """Remove what every attempt left."""
    for path in _folder().glob(f"{report_id}.revision-1.*.pdf"):
        path.unlink(missing_ok=True)


def report_path(report_id: UUID) -> Path:
    return _folder() / f"{report_id}.pdf"


def write(path: Path, data: bytes) -> None:
    """Put `data` at `path` with mode 0600: a reader sees the old file or the new one, also after a power cut."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".report-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "reports"
