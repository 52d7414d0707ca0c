"""The published files of a loaded log, written by the real publisher."""

import os
import time
from pathlib import Path
from threading import Event
from typing import Final

from bench.figure import progress
from bench.preload import Template
from config import child, programs

_SECONDS: Final = 120
_PUBLISHED_A_SECOND: Final = 5_000
"""Far fewer than the publisher writes: it is given up as stuck when it does not reach the end at this rate."""

_PAUSE: Final = Event()


class PublishFailed(RuntimeError):
    """The publisher ended or did not finish; the message ends with its log."""


def published(log: Template) -> Path:
    """The folder with the published files of the log that is in use; made where it is not there yet."""
    from audit.queries import latest_checkpoint

    newest = latest_checkpoint()
    assert newest is not None  # a template is signed to its end
    folder = log.folder / "public"
    started = time.monotonic()
    if _is_out(folder, newest.note):
        return folder
    environment = {**os.environ, "PUBLISH_TO": str(folder), "PUBLISH_PERIOD": "1", "DATA_DIR": str(log.folder)}
    process = child.start(
        "publisher",
        programs.manage("publisher"),
        environment=environment,
        log=log.folder / "publisher.log",
        directory=programs.CHECKOUT,
    )
    deadline = started + _SECONDS + newest.size / _PUBLISHED_A_SECOND
    try:
        while not _is_out(folder, newest.note):
            if not process.running or time.monotonic() > deadline:
                raise PublishFailed(f"The log was not published:\n{process.tail()}")
            _PAUSE.wait(0.2)
    finally:
        child.stop([process], grace=15)
    progress(f"published {newest.size:,} entries in {time.monotonic() - started:.0f} s")
    return folder


def _is_out(folder: Path, note: str) -> bool:
    try:
        return (folder / "checkpoint").read_text(encoding="utf-8") == note
    except FileNotFoundError:
        return False
