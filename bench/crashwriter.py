"""One writer of `bench crash`: notes what it will send, sends it, notes what it was answered."""

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from django.db import Error, connection, transaction

from audit import ledger

MOST_EVENTS = 30
THREADS = 3
_OCCURRED = datetime(2026, 11, 24, 9, tzinfo=UTC)


class Notebook:
    """What a writer remembers across its deaths. A line is one write, so it is there whole or not at all."""

    def __init__(self, path: Path) -> None:
        path.touch()
        lines = path.read_text(encoding="ascii").split("\n")
        # A line cut off by a crash of the machine would be the last one; a killed process cuts none.
        words = [line.split(" ") for line in lines if line]
        self.sent = [word[1] for word in words if word[0] == "send"]
        answered = {word[1] for word in words if word[0] == "answer"}
        self.open = [name for name in self.sent if name not in answered]
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def note(self, lines: list[str]) -> None:
        os.write(self._file, "".join(f"{line}\n" for line in lines).encode("ascii"))


def write(path: Path, name: str, *, finish: bool) -> None:
    """Send what has no answer yet, then go on until killed; with `finish`, end after the first."""
    parent = os.getppid()
    book = Notebook(path)
    chance = random.Random(f"{name}-{len(book.sent)}")
    group = ledger.Group()
    for first in range(0, len(book.open), MOST_EVENTS):
        _send(book, group, book.open[first : first + MOST_EVENTS], alone=True, parent=parent)
    if finish:
        return
    mutex = threading.Lock()
    number = len(book.sent)

    def batch() -> list[str]:
        nonlocal number
        with mutex:
            names = [f"{name}-{number + item}" for item in range(chance.randint(1, MOST_EVENTS))]
            number += len(names)
            book.note([f"send {item}" for item in names])
        return names

    def work(alone: bool) -> None:
        while True:
            _send(book, group, batch(), alone=alone, parent=parent)

    with ThreadPoolExecutor(THREADS) as pool:
        # One thread writes as an operation does, in a transaction of its own; the others share group commits.
        for result in [pool.submit(work, alone) for alone in (True, False, False)]:
            result.result()


def _send(book: Notebook, group: ledger.Group, names: list[str], *, alone: bool, parent: int) -> None:
    """Send until it is answered: a server that crashed comes back. Ends with the process that started the storm."""
    pause = threading.Event()
    while True:
        if os.getppid() != parent:
            os._exit(1)
        with suppress(Error, ledger.StorageUnavailable):
            answers = _append(names) if alone else group.append([event(item) for item in names])
            break
        connection.close()
        pause.wait(0.1)
    book.note(
        [
            f"answer {item} {answer.index} {answer.leaf_hash.hex()} {answer.status}"
            for item, answer in zip(names, answers, strict=True)
        ]
    )


def _append(names: list[str]) -> list[ledger.Appended]:
    with transaction.atomic(durable=True):
        return ledger.append(events=[event(item) for item in names])


def event(name: str) -> ledger.Event:
    """The event a name stands for: always the same bytes."""
    body = f'{{"name":"{name}"}}'.encode("ascii")
    return ledger.Event(
        type="client.event",
        subject="x:" + "0" * 64,
        source="source:crash",
        actor="service:crash",
        occurred_at=_OCCURRED,
        sections=(ledger.Section("facts", body),),
        idempotency=ledger.Idempotency(name, body),
    )
