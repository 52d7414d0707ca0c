"""Runs of a log folder checked by several processes, results in order, memory bounded.

Each worker is a fresh interpreter that reads tasks from one pipe and writes results to another; it holds no
other end of either, so it ends when the parent does, however that ends.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Final

from audit.tlog.folderwork import RunResult, Setup, Task, verify_run

AHEAD: Final = 4
"""Results for each worker that may wait until those before them are there."""

_PATIENCE: Final = 10.0
"""Seconds a worker gets to end by itself."""


class WorkerError(Exception):
    """A worker process could not be started, or ended before its work was done."""


def verified_runs(setup: Setup, tasks: Iterable[Task], jobs: int) -> Generator[RunResult, None, None]:
    """The results of all tasks in their order, checked by `jobs` processes; by this one when `jobs` is 1.

    Tasks are taken one by one as workers become free. Raises WorkerError.
    """
    if jobs == 1:
        for task in tasks:
            yield verify_run(setup, task)
        return
    pool = _Pool(setup)
    try:
        yield from pool.results(iter(tasks), jobs)
    finally:
        pool.close()


class _Pool:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._context: SpawnContext = multiprocessing.get_context("spawn")
        self._processes: list[SpawnProcess] = []
        self._to: dict[Connection, Connection] = {}
        """Where results of a worker arrive, and where it takes its tasks."""

    def results(self, tasks: Iterator[Task], jobs: int) -> Iterator[RunResult]:
        """Hand out tasks, at most AHEAD for each worker beyond the first that is not answered."""
        order: deque[int] = deque()
        done: dict[int, RunResult] = {}
        working: set[Connection] = set()
        idle: list[Connection] = []
        task = next(tasks, None)
        while task or order:
            while task and len(order) < jobs * AHEAD and len(working) < jobs:
                worker = idle.pop() if idle else self._start()
                order.append(task.number)
                self._send(worker, task)
                working.add(worker)
                task = next(tasks, None)
            ready = wait(list(working))
            for worker in [worker for worker in working if worker in ready]:
                result = self._receive(worker)
                done[result.number] = result
                working.remove(worker)
                idle.append(worker)
            while order and order[0] in done:
                yield done.pop(order.popleft())

    def _start(self) -> Connection:
        tasks_here, tasks_there = self._context.Pipe(duplex=False)[::-1]
        results_here, results_there = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_serve, args=(self._setup, tasks_there, results_there), name="verifier", daemon=True
        )
        try:
            # An interrupt from the keyboard reaches the whole process group; only the parent is to act on it.
            with _interrupts_held():
                process.start()
        except OSError as error:
            raise WorkerError(f"A worker process could not be started: {error}. Try --jobs 1.") from None
        finally:
            tasks_there.close()
            results_there.close()
        self._processes.append(process)
        self._to[results_here] = tasks_here
        return results_here

    def _send(self, worker: Connection, task: Task) -> None:
        try:
            self._to[worker].send(task)
        except OSError:
            raise WorkerError(_GONE) from None

    @staticmethod
    def _receive(worker: Connection) -> RunResult:
        try:
            result: RunResult = worker.recv()
        except (EOFError, OSError):
            raise WorkerError(_GONE) from None
        return result

    def close(self) -> None:
        """End the workers: idle ones see their pipe closed, others are told to stop."""
        for here, to in self._to.items():
            to.close()
            here.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()


_GONE: Final = "A worker process ended unexpectedly, perhaps for lack of memory. Try fewer --jobs."


def _serve(setup: Setup, tasks: Connection, results: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        while True:
            results.send(verify_run(setup, tasks.recv()))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep SIGINT from this thread and from processes started meanwhile, which inherit that."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Started by the first process of all, it would let the signal through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
