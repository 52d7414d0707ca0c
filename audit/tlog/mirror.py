"""`python -m audit.tlog mirror URL DIR`: follow a log, keep what it signed, and say so when it contradicts itself."""

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, TextIO

from audit.tlog import show
from audit.tlog.checkpoint import Checkpoint
from audit.tlog.http import HttpSource
from audit.tlog.keyhistory import MAX_HISTORY_BYTES, KeyHistoryError, load, read_history
from audit.tlog.keys import VerifierKey
from audit.tlog.mirrorfolder import KEYS, MirrorError, MirrorFolder, locked
from audit.tlog.mirrorpass import Alarm, Pass, Refused, describe
from audit.tlog.source import FolderSource, NotThere, Source, SourceError

UP_TO_DATE: Final = 0
REFUSED: Final = 1
UNUSABLE: Final = 2
INCOMPLETE: Final = 3

SECONDS_BETWEEN_PASSES: Final = 60.0
_SECONDS_BETWEEN_PROGRESS: Final = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("url", metavar="URL", help="where the log is published: http(s)://… or a folder")
    parser.add_argument("folder", type=Path, metavar="DIR", help="the mirror's own folder: new, or of an earlier run")
    parser.add_argument(
        "--key",
        action="append",
        metavar="KEY",
        help="the log's key, or a file with one key a line; needed on first use, then remembered; may be repeated",
    )
    parser.add_argument(
        "--trust-first-use", action="store_true", help="take the key that the log itself publishes, unchecked"
    )
    parser.add_argument("--once", action="store_true", help="one pass, then end")
    parser.add_argument(
        "--interval", type=_seconds, default=SECONDS_BETWEEN_PASSES, metavar="SECONDS", help="between passes (60)"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=30.0, metavar="SECONDS", help="for each answer of the server (30)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a pass")


def run(options: argparse.Namespace) -> int:
    """Mirror until stopped, or once. Returns the exit status: 0 up to date, 1 alarm or refused, 2 wrong usage or a
    folder that cannot be used, 3 interrupted or source unavailable.
    """
    say = _Say(as_json=options.json)
    try:
        with _source(options.url, options.timeout) as source, locked(options.folder) as folder, _stoppable() as wait:
            if alarms := folder.alarms():
                return say.still_alarmed(alarms)
            pins = _pins(folder, source, options, say)
            while True:
                status = _pass(folder, source, pins, wait, say)
                # What nobody signed proves nothing, and a way to the log that is disturbed is no reason to stop.
                if options.once or (status == REFUSED and folder.alarms()):
                    return status
                wait(options.interval)
    except (MirrorError, KeyHistoryError) as error:
        return say.failed(UNUSABLE, "unusable", str(error))
    except SourceError as error:
        return say.failed(INCOMPLETE, "incomplete", str(error))
    except OSError as error:
        return say.failed(UNUSABLE, "unusable", f"The mirror's folder cannot be used: {error}.")
    except KeyboardInterrupt:
        return say.stopped()


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.1 <= value <= 86_400:
        raise argparse.ArgumentTypeError("a number of seconds from 0.1 to 86400")
    return value


@contextmanager
def _source(url: str, timeout: float) -> Iterator[Source]:
    if "://" in url:
        with closing(HttpSource(url, timeout=timeout)) as source:
            yield source
    elif Path(url).is_dir():
        yield FolderSource(Path(url))
    else:
        raise MirrorError(f"{url} is neither an http(s) address nor a folder.")


@contextmanager
def _stoppable() -> Iterator[Callable[[float], object]]:
    """A pause that SIGTERM and SIGINT end, both as KeyboardInterrupt."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if main else None
    try:
        yield threading.Event().wait
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _pins(folder: MirrorFolder, source: Source, options: argparse.Namespace, say: "_Say") -> list[VerifierKey]:
    """The keys to check with: those remembered, which a key given now must be among; else the ones given now."""
    history = load(options.key) if options.key else None
    given = list(history.keys) if history else []
    if (known := folder.pin()) is not None:
        pins, trusted = known
        if given and not set(given) <= set(pins):
            raise MirrorError("This folder mirrors a log with another key: give that key, or another folder.")
        if trusted and given:
            folder.set_pin(pins, trusted_on_first_use=False)
        elif trusted:
            say.trusted(pins[0])
        return pins
    if not given:
        if not options.trust_first_use:
            raise MirrorError(
                "Give the log's key with --key: get it from the organisation by another way than this log."
            )
        given = [_published_key(source)]
        say.trusted(given[0])
    if len({key.name for key in given}) != 1:
        raise MirrorError("The keys are of different logs: one folder mirrors one log.")
    if history and history.statements:
        # Kept as if it had been published: an ended key must not count again where no history is.
        folder.write(KEYS, history.to_text().encode())
    folder.set_pin(given, trusted_on_first_use=not options.key)
    return given


def _published_key(source: Source) -> VerifierKey:
    try:
        text = source.read(KEYS, MAX_HISTORY_BYTES).decode("utf-8", "replace")
    except NotThere:
        raise MirrorError("The log publishes no file of keys to trust: give its key with --key.") from None
    return read_history(text, None).keys[0]


def _pass(
    folder: MirrorFolder, source: Source, pins: Sequence[VerifierKey], wait: Callable[[float], object], say: "_Say"
) -> int:
    try:
        before, now = Pass(folder, source, pins, wait=wait, progress=say.progress).run()
    except Alarm as alarm:
        report = {
            "kind": alarm.kind,
            "text": str(alarm),
            "first_bad_index": alarm.index,
            "source": str(source),
            "noticed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        return say.alarm(alarm, folder.raise_alarm(report, alarm.files))
    except Refused as error:
        return say.failed(REFUSED, "refused", str(error))
    except SourceError as error:
        return say.failed(INCOMPLETE, "incomplete", f"{error} Nothing is wrong with what is kept; run again.")
    return say.done(before, now)


class _Say:
    """Results on standard output, progress and trouble on standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._told = ""
        self._next_progress = 0.0
        self._size: int | None = None
        self._status = INCOMPLETE

    def done(self, before: Checkpoint, now: Checkpoint) -> int:
        status = "accepted" if before != now else "up-to-date"
        self._told, self._status = "", UP_TO_DATE
        text = f"{now.size} entries of {now.origin} are here and checked" + (
            f", {now.size - before.size} of them new." if status == "accepted" else "; nothing new."
        )
        if self._as_json or status == "accepted" or self._size != now.size:
            self._result({"status": status, **describe(now), "previous": before.size}, text)
        self._size = now.size
        return UP_TO_DATE

    def progress(self, done: int, size: int) -> None:
        self._status = INCOMPLETE
        now = time.monotonic()
        if done < size and now >= self._next_progress:
            self._next_progress = now + _SECONDS_BETWEEN_PROGRESS
            self._note(f"{done} of {size} entries ({100 * done // size} %)")

    def trusted(self, key: VerifierKey) -> None:
        self._note(
            f"WARNING: the key of this log was taken from the log itself and checked by nobody.\n{key.to_text()}\n"
            f"SHA-256 {key.fingerprint}\nCompare it with the organisation by another way, then give it with --key."
        )

    def alarm(self, alarm: Alarm, place: Path) -> int:
        report = {"status": "alarm", "kind": alarm.kind, "text": str(alarm), "first_bad_index": alarm.index}
        text = (
            f"ALARM ({alarm.kind}): {alarm}\nThe evidence is in {place}. Nothing more is accepted until a person has"
            " looked at it and moved that folder away."
        )
        self._result({**report, "evidence": str(place)}, text)
        return REFUSED

    def still_alarmed(self, places: Sequence[Path]) -> int:
        text = (
            f"ALARM: the evidence in {places[0]} is still there. Nothing is accepted until a person has looked at it"
            " and moved that folder away."
        )
        self._result({"status": "alarm", "text": text, "evidence": [str(place) for place in places]}, text)
        return REFUSED

    def failed(self, status: int, word: str, text: str) -> int:
        """A pass that came to nothing; the same trouble is told once."""
        if self._as_json:
            self._result({"status": word, "text": text}, text)
        elif text != self._told:
            self._note(text)
        self._told, self._status = text, status
        return status

    def stopped(self) -> int:
        self._note("Stopped. What is kept is whole; run again to go on.")
        return self._status

    def _result(self, content: dict[str, object], text: str) -> None:
        _write(sys.stdout, json.dumps(content) if self._as_json else text)

    def _note(self, text: str) -> None:
        _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    # What a server says may stand in the text: nothing of it may steer a terminal.
    stream.write("".join(f"{show.printable(line)}\n" for line in text.split("\n")))
    stream.flush()
