"""Command lines of the five processes that make up a running Assay."""

import sys
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

Command = Sequence[str | Path]


def web(*, bind: str, workers: int = 2) -> Command:
    """gunicorn with 16 threads a process: group commit needs requests that wait together."""
    return [
        BIN / "gunicorn", "config.wsgi:application", "--bind", bind, "--worker-class", "gthread",
        "--workers", str(workers), "--threads", "16", "--timeout", "60", "--graceful-timeout", "10",
        "--keep-alive", "5", "--no-control-socket", "--preload", "--config", "python:config.webworker",
    ]  # fmt: skip


def worker(*, name: str = "assay", concurrency: int = 2, log_level: str = "WARNING") -> Command:
    """Celery's worker. Its log says nothing of tasks that went well: that would be some lines a second, for ever."""
    # fmt: off
    return [
        *_celery("worker"), "--pool", "prefork", "--concurrency", str(concurrency), "--hostname", f"{name}@%h",
        "--without-gossip", "--without-mingle", "--loglevel", log_level,
    ]
    # fmt: on


def beat(*, state: Path) -> Command:
    """The one clock; `state` is a file it may write."""
    return [*_celery("beat", application="config.clock"), "--schedule", state, "--pidfile", "", "--loglevel", "WARNING"]


def _celery(part: str, *, application: str = "config.celery") -> Command:
    return [BIN / "celery", "-A", application, part]


def manage(*arguments: str) -> Command:
    return [sys.executable, CHECKOUT / "manage.py", *arguments]


def exporter(*, port: int) -> Command:
    """Serves the pages that the demo's collectors read, so that counters move and reset as on real machines."""
    return [sys.executable, "-m", "demo.exporters", "--port", str(port)]


def pipeline(*, url: str, files: Path) -> Command:
    """The demo's MLOps pipeline, once the demo is filled: what it needs then stands in the folder `files`."""
    story = (files / "demo-story.json").read_text(encoding="ascii")
    token = files / "demo-token-claims-pipeline"
    return [sys.executable, "-m", "demo.pipeline", "--url", url, "--token-file", token, "--story", story]


def signer() -> Command:
    return manage("signer")


def publisher() -> Command:
    return manage("publisher")
