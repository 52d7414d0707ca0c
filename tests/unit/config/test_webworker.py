"""Connections go to the worker that has the fewest."""

import socket
from collections.abc import Callable
from types import SimpleNamespace

from config.webworker import MOST_SECONDS, STEP_SECONDS, Configuration, evenly, post_worker_init


class Worker:
    """A worker that counts what it takes."""

    def __init__(self, workers: int = 2) -> None:
        self.cfg: Configuration = SimpleNamespace(workers=workers)
        self.nr_conns = 0
        self.accept: Callable[[socket.socket], None] = self.take

    def take(self, _listener: socket.socket) -> None:
        self.nr_conns += 1


def test_a_worker_waits_longer_the_more_connections_it_has() -> None:
    worker, pauses = Worker(), list[float]()
    accept = evenly(worker, pause=pauses.append)
    with socket.socket() as listener:
        for _connection in range(9):
            accept(listener)
    assert worker.nr_conns == 9
    assert pauses[:3] == [STEP_SECONDS, 2 * STEP_SECONDS, 3 * STEP_SECONDS]
    assert pauses == sorted(pauses) and pauses[-1] == MOST_SECONDS and len(pauses) == 8


def test_gunicorns_hook_puts_the_pause_before_accepting() -> None:
    worker = Worker()
    post_worker_init(worker)
    with socket.socket() as listener:
        worker.accept(listener)
    assert worker.nr_conns == 1 and worker.accept != worker.take
    alone = Worker(workers=1)
    post_worker_init(alone)
    assert alone.accept == alone.take
