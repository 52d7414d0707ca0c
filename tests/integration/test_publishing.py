"""Publishing on real services: database, signer and publisher as they run, and readers who hold the files alone."""

import http.server
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit import publishing
from audit.publishing import database
from audit.signer.core import Outcome
from audit.tlog.folder import verify_folder
from audit.tlog.http import HttpSource
from config import child, programs
from tests.integration.signer_story import alarms, cheat, record, signer
from tests.services.constants import SIGNING_KEY
from tests.services.databases import Database
from tests.services.processes import process_environment
from tests.waiting import until

VKEY = SIGNING_KEY.verifier


def look(store: publishing.Store, folder: Path, *, times: int = 1, anew: bool = False) -> publishing.Status:
    """Let a publisher take its turn, look so many times, and end; what it then says of itself."""
    left = [times]

    def wait(seconds: float) -> bool:
        left[0] -= seconds > 0
        return left[0] <= 0

    status = folder / publishing.FILE
    publishing.run(store, VKEY, period=timedelta(seconds=10), status=status, wait=wait, anew=anew)
    found = publishing.read_status(status)
    assert found is not None
    return found


def verified(folder: Path) -> int:
    """Check the folder as an auditor does who has the key and these files; how many entries were read."""
    report = verify_folder(folder, [VKEY], strict=True)
    assert report.ok, report.failures
    return report.read


@contextmanager
def static_server(folder: Path) -> Iterator[str]:
    """A web server that knows nothing but files."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing on standard error."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_readers_of_the_files_alone_verify_everything(
    committed: Database, signer_state: Path, tmp_path: Path, settings: LazySettings
) -> None:
    public = tmp_path / "public"
    with signer(signer_state) as hand:
        assert look(publishing.FolderStore(public), tmp_path).size == 0
        for count in (3, 253, 300, 1):
            record(count)
            assert hand.look() is Outcome.SIGNED
            status = look(publishing.FolderStore(public), tmp_path)
            assert (status.state, status.size, verified(public)) == ("ok", hand.signer.state.size, status.size)
        with static_server(public) as url:
            copy = tmp_path / "copy"
            source = HttpSource(url)
            for path in (path.relative_to(public) for path in sorted(public.rglob("*")) if path.is_file()):
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                (copy / path).write_bytes(source.read(str(path), 10_000_000))
            assert verified(copy) == 557
    settings.PUBLISH_TO, settings.DATA_DIR = public, tmp_path
    _the_site_serves_it(Client(), public)
    answer = Client().get("/healthz").json()
    assert (answer["published"]["state"], answer["published"]["size"]) == ("ok", 557)
    settings.PUBLISH_TO = None
    assert Client().get("/healthz").json()["published"] is None
    assert Client().get("/log/checkpoint").content == (public / "checkpoint").read_bytes()
    assert Client().get("/log/keys").status_code == 404


def _the_site_serves_it(client: Client, public: Path) -> None:
    with CaptureQueriesContext(connection) as queries:
        for path in (path.relative_to(public) for path in public.rglob("*") if path.is_file()):
            answer = client.get(f"/log/{path}", headers={"Accept-Language": "ja", "Cookie": "sessionid=x"})
            assert (answer.status_code, answer.content) == (200, (public / path).read_bytes())
            tile = str(path).startswith("tile/")
            kind = "application/octet-stream" if tile else "text/plain; charset=utf-8"
            caching = "public, max-age=31536000, immutable" if tile else "no-cache"
            assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (kind, caching)
            assert {"Vary", "Set-Cookie", "Content-Language"} & set(answer.headers) == set()
        for name in (
            "", "tile/0/001.p/300", "tile/0/1", "tile/0/999", "tile/0/000/", "tile/0/../../checkpoint", ".drafts",
            "publisher.json", "tile", "tile/9/000", "tile/0/%2e%2e/000", "checkpoint/", "tile/0/000.p/0", "tile/64/000",
        ):  # fmt: skip
            answer = client.get(f"/log/{name}")
            assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-cache"), name
        assert client.post("/log/checkpoint").status_code == 405
    assert len(queries) == 0


def test_a_changed_file_freezes_the_signer_until_somebody_looked(
    committed: Database, signer_state: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    with signer(signer_state) as hand:
        record(300)
        hand.look()
        look(publishing.FolderStore(public), tmp_path)
        tile = public / "tile/0/000"
        good = tile.read_bytes()
        tile.write_bytes(good[:-1] + b"?")
        assert look(publishing.FolderStore(public), tmp_path).state == "ok"
        found = look(publishing.FolderStore(public), tmp_path, anew=True, times=3)
        assert (found.state, found.size) == ("refused", 300)
        assert alarms() == [("publisher.refused", None)]
        record(1)
        assert hand.look() is Outcome.FROZEN
        assert "tile/0/000" in hand.signer.frozen_reason
        tile.write_bytes(good)
        assert look(publishing.FolderStore(public), tmp_path, anew=True).state == "ok"
        assert verified(public) == 300


def test_a_database_that_lost_or_changed_entries_publishes_nothing(
    committed: Database, signer_state: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    with signer(signer_state) as hand:
        record(300)
        hand.look()
        look(publishing.FolderStore(public), tmp_path)
        record(10)
        hand.look()
    before = (public / "checkpoint").read_bytes()
    cheat(committed, "UPDATE entry SET leaf = leaf || '\\x20' WHERE index = 299")
    assert look(publishing.FolderStore(public), tmp_path).state == "refused"
    cheat(committed, "UPDATE entry SET leaf = substr(leaf, 1, length(leaf) - 1) WHERE index = 299")
    cheat(committed, "DELETE FROM checkpoint")
    assert look(publishing.FolderStore(public), tmp_path).state == "refused"
    assert alarms() == [("publisher.refused", 299), ("publisher.refused", None)]
    assert (public / "checkpoint").read_bytes() == before


def test_one_publisher_at_a_time_and_an_outage_is_waited_for(
    committed: Database, signer_state: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    with signer(signer_state) as hand, database.connect() as other:
        record(3)
        hand.look()
        assert database.take_turn(other, str(public))
        with pytest.raises(publishing.PublisherRuns, match="stop it first"):
            publishing.run(
                publishing.FolderStore(public), VKEY, period=timedelta(seconds=1), status=tmp_path / "status",
                wait=lambda seconds: False,
            )  # fmt: skip
        other.close()
        tile = public / "tile"
        tile.write_text("in the way")
        assert look(publishing.FolderStore(public), tmp_path).state == "unreachable"
        tile.unlink()
        assert look(publishing.FolderStore(public), tmp_path).state == "ok"
        assert (alarms(), verified(public)) == ([], 3)


def test_the_process_survives_kill_9_and_a_lost_connection(
    committed: Database, signer_state: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    environment = process_environment(committed, "signer", worker="publisher", folder=tmp_path)
    environment |= {"PUBLISH_TO": str(public), "PUBLISH_PERIOD": "1"}
    del environment["SIGNER_STATE_DIR"]

    def start() -> child.Child:
        return child.start(
            "publisher",
            programs.publisher(),
            environment=environment,
            log=tmp_path / "publisher.log",
            directory=programs.CHECKOUT,
        )

    def out(size: int) -> Callable[[], bool]:
        return lambda: (
            (status := publishing.read_status(tmp_path / publishing.FILE)) is not None and status.size == size
        )

    started = [start()]
    try:
        with signer(signer_state) as hand:
            record(300)
            hand.look()
            until(out(300), seconds=60, what="300 published entries")
            record(2000)
            hand.look()
            until(lambda: (public / "tile/0/003").exists(), seconds=60, what="some of the files")
            started[0].signal(signal.SIGKILL)
            report = verify_folder(public, [VKEY])
            assert report.ok, report.failures
            started.append(start())
            until(out(2300), seconds=60, what="2300 published entries")
            with psycopg.connect(committed.admin_address(), autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                    " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
                )
            record(1)
            hand.look()
            until(out(2301), seconds=60, what="publishing over a new connection")
        started[1].signal(signal.SIGTERM)
        until(lambda: not started[1].running, what="the publisher's end")
        assert started[1].process.wait() == 0
        assert "Traceback" not in started[1].tail(20_000)
        assert (alarms(), verified(public)) == ([], 2301)
    finally:
        child.stop(started, grace=10)


def test_settings_that_cannot_work_are_refused_with_a_sentence(settings: LazySettings, tmp_path: Path) -> None:
    settings.PUBLISH_TO = None
    with pytest.raises(CommandError, match="Publishing is off: set PUBLISH_TO"):
        call_command("publisher")
    settings.PUBLISH_TO = tmp_path / "file" / "folder"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match="does not take or give files"):
        call_command("publisher")
    settings.LEDGER_VKEY = "nothing"
    with pytest.raises(CommandError, match="LEDGER_VKEY is no verifier key"):
        call_command("publisher")
