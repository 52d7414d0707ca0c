"""What gunicorn's threaded workers do beyond their own: they share connections evenly.

Clients of the REST interface keep a connection open and send all their events over it. All workers wait on one
listening socket, and of idle ones the same tends to win: measured, one process of two had 13 of 16 connections, and
its interpreter was full while half the machine stood idle.

This module is a configuration file of gunicorn (`--config python:config.webworker`).
"""

import socket
from collections.abc import Callable
from threading import Event
from typing import Final, Protocol

STEP_SECONDS: Final = 0.0003
MOST_SECONDS: Final = 0.002
"""Its event loop stands still meanwhile, so this is also what a client costs the others that opens a connection for
each request: it had better keep one, and so had a proxy (docs/runbook.md).
"""


class Configuration(Protocol):
    """What is used of gunicorn.config.Config."""

    workers: int


class Worker(Protocol):
    """What is used of gunicorn.workers.gthread.ThreadWorker."""

    cfg: Configuration
    nr_conns: int
    """Connections it holds."""
    accept: Callable[[socket.socket], None]
    """Takes the connection that waits; does nothing when another worker took it."""


def post_worker_init(worker: Worker) -> None:
    """gunicorn calls this in each worker before it listens."""
    if worker.cfg.workers > 1:
        worker.accept = evenly(worker, pause=Event().wait)


def evenly(worker: Worker, *, pause: Callable[[float], object]) -> Callable[[socket.socket], None]:
    """The worker's `accept` after a pause, longer the more connections it has: one with fewer takes it meanwhile."""
    take = worker.accept

    def accept(listener: socket.socket) -> None:
        if worker.nr_conns:
            pause(min(worker.nr_conns * STEP_SECONDS, MOST_SECONDS))
        take(listener)

    return accept
