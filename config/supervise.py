"""Runs the demo organisation: servers, set-up, the processes, and their end.

Whatever way it ends (Ctrl-C at any moment, pressed twice, SIGTERM, kill -9, a child that dies), nothing
keeps running: children are in sessions of their own, get a signal when this process dies, and are killed
when they do not obey.
"""

import hashlib
import http.client
import os
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from config import child, programs
from config.installation import Installation, opened
from config.stopping import StopFlag

_WEB_PORTS = range(8000, 8020)
_EXPORTER_PORTS = range(9400, 9420)


class DemoFailedError(Exception):
    """The demo cannot go on; the message shows the end of the log that says why."""


def run_demo(flag: StopFlag, *, once: bool, port: int | None) -> int:
    """Run until stopped (0), or with `once` until the main job is done (its status)."""
    started = time.monotonic()
    with opened(flag, join=False) as place:
        if not place.private_database and os.environ.get("DEMO") != "1":
            raise DemoFailedError(
                "DATABASE_URL is set: set DEMO=1 too if the demo shall be written into that database."
            )
        say("PostgreSQL and Valkey are running.")
        place = _with_ports(place, web=port)
        _migrate(place, flag)
        demo = Demo(place, flag)
        try:
            demo.start()
            say(f"Assay is running after {time.monotonic() - started:.1f} s.")
            if once:
                return demo.run_once()
            _welcome(place)
            demo.watch()
        finally:
            child.stop(demo.children, grace=12)
    return 0


def _migrate(place: Installation, flag: StopFlag) -> None:
    """Bring the tables up to date; our own database is known to be when no migration file changed since."""
    files = sorted(programs.CHECKOUT.glob("*/migrations/*.py"))
    state = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    stamp = place.data_dir / "migrated"
    if place.private_database and stamp.exists() and stamp.read_text(encoding="ascii") == state:
        return
    child.finish(_job(place, "owner", "migrate", "--database", "owner"), flag=flag, seconds=300)
    stamp.write_text(state, encoding="ascii")


def _job(place: Installation, role: str, *arguments: str) -> child.Child:
    return child.start(
        arguments[0],
        programs.manage(*arguments, "--verbosity", "0"),
        environment=place.environment(role),
        log=place.logs / f"{arguments[0]}.log",
        directory=programs.CHECKOUT,
    )


class Demo:
    """The processes of a running demo."""

    def __init__(self, place: Installation, flag: StopFlag) -> None:
        self.place, self.flag = place, flag
        self.children: list[child.Child] = []

    def start(self) -> None:
        """Start all and fill in the demo organisation; returns when that is done and the web answers."""
        place = self.place
        (place.data_dir / "files").mkdir(mode=0o700, exist_ok=True)
        bind = place.public_url.removeprefix("http://")
        self._add("web", programs.web(bind=bind), "app")
        self._add("signer", programs.signer(), "signer")
        if os.environ.get("PUBLISH_TO") != "off":
            self._add("publisher", programs.publisher(), "signer", hidden="SIGNER_STATE_DIR")
        self._add("worker", programs.worker(), "app")
        self._add("exporter", programs.exporter(port=int(place.exporter_url.rpartition(":")[2])))
        self._add("beat", programs.beat(state=place.data_dir / "files" / "beat"))
        # Seeding takes as long as they need to load, so it runs beside them.
        child.finish(_job(place, "app", "demo_seed"), flag=self.flag, seconds=300)
        if not self.flag.until(self._answers, seconds=60, pause=0.1):
            raise DemoFailedError(f"The web server does not answer.\n{self.children[0].tail()}".rstrip())
        self._add("pipeline", programs.pipeline(url=place.public_url, files=place.data_dir / "files"))

    def _add(self, name: str, command: Sequence[str | Path], *roles: str, hidden: str = "") -> None:
        """Start one; `hidden` is a variable that it does not get though it has the roles."""
        environment = self.place.environment(*roles)
        environment.pop(hidden, None)
        self.children.append(
            child.start(
                name,
                command,
                environment=environment,
                log=self.place.logs / f"{name}.log",
                directory=programs.CHECKOUT,
            )
        )
        self.flag.check()

    def _answers(self) -> bool:
        self._check_alive()
        connection = http.client.HTTPConnection(self.place.public_url.removeprefix("http://"), timeout=2)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()  # it answers; whether it is well, the page itself says
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _check_alive(self) -> None:
        for process in self.children:
            if not process.running:
                status = process.process.returncode
                raise DemoFailedError(f"{process.name} ended (status {status}).\n{process.tail()}".rstrip())

    def watch(self) -> None:
        """Until somebody stops the demo; raises DemoFailedError when a process dies before."""
        while not self.flag.wait(0.25):
            self._check_alive()

    def run_once(self) -> int:
        """The main job without a terminal; its status, or an error as soon as one of the processes dies."""
        job = child.start(
            "demo_once",
            programs.manage("demo_once"),
            environment=self.place.environment("app"),
            directory=programs.CHECKOUT,
        )
        try:
            while job.running:
                self.flag.wait(0.1)
                self.flag.check()
                self._check_alive()
        finally:
            child.stop([job], grace=5)
        return job.process.returncode


def _with_ports(place: Installation, *, web: int | None) -> Installation:
    """The same exporter port every time: the demo's targets are registered with it."""
    file = place.data_dir / "exporter_port"
    if not file.exists():
        file.write_text(str(_free_port(_EXPORTER_PORTS)), encoding="ascii")
    return replace(
        place,
        public_url=f"http://127.0.0.1:{web or _free_port(_WEB_PORTS)}",
        exporter_url=f"http://127.0.0.1:{int(file.read_text(encoding='ascii'))}",
    )


def _free_port(ports: Iterable[int]) -> int:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemoFailedError(f"The ports {_WEB_PORTS[0]} to {_WEB_PORTS[-1]} are all in use: choose another with --port.")


def _welcome(place: Installation) -> None:
    say("")
    say(f"  Open    {place.public_url}/")
    say("  First   the start-here page shows the main job in six steps, and logs you in with one click.")
    say("  Try     ./quickstart tamper   in another terminal: within seconds the home page turns red.")
    say(f"  Logs    {place.logs}")
    say("  Stop    Ctrl-C")
    say("")


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
