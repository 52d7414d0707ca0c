"""The child process that makes one PDF: limits first, then the job from standard input, the file to standard output.

It is given no database address, no key and no network: it gets HTML and attachments, and returns bytes. Exit code 0
means a PDF, 3 a fault whose reason stands on standard error.
"""

from __future__ import annotations

import base64
import gc
import json
import resource
import sys

MEMORY_BYTES = 2_000_000_000
CPU_SECONDS = 120
OPEN_FILES = 128
FORBIDDEN_EVENTS = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork", "ftplib.", "urllib.")


class Forbidden(BaseException):
    """Not an Exception: nothing between here and the exit may swallow it."""


def limit() -> None:
    """Bound memory, processor time and open files, before anything large is imported."""
    for what, amount in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        bounded = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(what, (bounded, bounded))


def _refuse(event: str, args: tuple[object, ...]) -> None:
    if event.startswith(FORBIDDEN_EVENTS):
        raise Forbidden(f"The renderer may not use {event}.")


def main(task: str) -> int:
    """Do one task: `render` a job from standard input, or `describe` the renderer."""
    limit()
    from . import engine  # finds its libraries with ldconfig, so the door closes after it

    sys.addaudithook(_refuse)

    if task == "describe":
        sys.stdout.write(json.dumps(engine.describe()))
        return 0
    from audit.tlog.pdfshape import Attachment

    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)  # long tables make millions of short-lived boxes: 25 % faster so
    job = json.load(sys.stdin.buffer)
    attachments = [
        Attachment(item["name"], item["description"], item["relationship"], base64.b64decode(item["content"]))
        for item in job["attachments"]
    ]
    try:
        data = engine.render(job["html"], attachments, stamp=job["stamp"], properties=job["properties"])
    except (engine.RenderFault, engine.FatalURLFetchingError) as fault:
        sys.stderr.write(" ".join(str(fault).split()))
        return 3
    sys.stdout.buffer.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
