"""The private PostgreSQL and Valkey: what they leave behind when started, stopped, killed."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.child import ChildFailed, finish, start, stop
from config.embedded.place import EmbeddedError, default_data_dir, reachable
from config.embedded.postgres import cluster_folder
from config.embedded.services import Addresses, InUse, Services, running
from config.programs import CHECKOUT
from config.stopping import StopFlag, Stopped
from tests.waiting import until


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not tmp_path: its parents are private, and the service user of root must pass through."""
    path = Path(tempfile.mkdtemp(prefix="assay-test-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _services(folder: Path) -> Services:
    return Services(folder, StopFlag(), durable=False)


def _sockets(addresses: Addresses) -> Path:
    return Path(addresses.redis.removeprefix("unix://")).parent


def _serving(folder: Path) -> list[int]:
    """Processes that have the data folder on their command line or as working directory."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        if str(cluster_folder(folder)) in (process.info["cmdline"] or []):
            found.append(process.info["pid"])
    return found


def test_data_survives_a_restart_and_nothing_else_does(folder: Path) -> None:
    with _services(folder) as services:
        first = services.addresses
        with psycopg.connect(first.database["owner"]) as owner:
            owner.execute("CREATE TABLE kept (id int)")
        with redis.Redis.from_url(first.redis) as broker:
            broker.set("forgotten", "1")
    assert _serving(folder) == []
    assert not _sockets(first).exists()
    with _services(folder) as services:
        with psycopg.connect(services.addresses.database["owner"]) as owner:
            assert owner.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        with redis.Redis.from_url(services.addresses.redis) as broker:
            assert broker.get("forgotten") is None


def test_each_role_has_a_password_of_its_own_in_a_private_file(folder: Path) -> None:
    with _services(folder) as services:
        addresses = services.addresses.database
        with psycopg.connect(addresses["app"]) as app:
            assert app.execute("SELECT current_user").fetchone() == ("assay_app",)
        stolen = addresses["app"].replace("assay_app", "assay_owner", 1)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(stolen)
    files = list((folder / "secrets").iterdir())
    assert len(files) == 5
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700


def test_second_run_is_refused_but_may_join(folder: Path) -> None:
    with _services(folder) as services:
        with pytest.raises(InUse, match="in use by another run"), _services(folder):
            pass
        assert running(folder) == services.addresses
    assert running(folder) is None


def test_nothing_runs_in_a_folder_that_is_not_there(folder: Path) -> None:
    assert running(folder / "absent") is None


_HOLDER = """
import sys
from pathlib import Path
from config.embedded.services import Services
from config.stopping import StopFlag
with Services(Path(sys.argv[1]), StopFlag(), durable=False):
    print("up", flush=True)
    sys.stdin.read()
"""


def test_servers_end_when_their_holder_is_killed_and_the_next_run_cleans_up(folder: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, folder],
        cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "up\n"
        joined = running(folder)
        assert joined
        holder.kill()
    until(lambda: not _serving(folder), what="the end of PostgreSQL")
    assert _sockets(joined).exists()
    with _services(folder) as services:
        assert not _sockets(joined).exists()
        psycopg.connect(services.addresses.database["app"]).close()


def test_process_id_of_another_program_does_not_keep_postgres_from_starting(folder: Path) -> None:
    with _services(folder):
        content = (cluster_folder(folder) / "postmaster.pid").read_text(encoding="ascii")
    stranger = start("stranger", ["sleep", "60"], environment={"PATH": os.environ["PATH"]})
    try:
        stale = "\n".join([str(stranger.process.pid), *content.split("\n")[1:]])
        (cluster_folder(folder) / "postmaster.pid").write_text(stale, encoding="ascii")
        with _services(folder) as services:
            psycopg.connect(services.addresses.database["app"]).close()
        assert stranger.running
    finally:
        stop([stranger], grace=5)


def test_cut_off_initialisation_is_started_over(folder: Path) -> None:
    draft = cluster_folder(folder).with_suffix(".tmp")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n", encoding="ascii")
    with _services(folder) as services:
        psycopg.connect(services.addresses.database["app"]).close()
    assert not draft.exists()


def test_asked_to_stop_while_starting_leaves_nothing(folder: Path) -> None:
    flag = StopFlag()
    flag.install()
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped), Services(folder, flag, durable=False):
            pass
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert _serving(folder) == []
    assert not cluster_folder(folder).exists()


def test_server_that_cannot_start_says_why(folder: Path) -> None:
    with _services(folder):
        pass
    with (cluster_folder(folder) / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match=r'(?s)PostgreSQL did not start.*"no_such_setting"'), _services(folder):
        pass
    assert _serving(folder) == []


def test_program_out_of_reach_is_copied_not_opened_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    tree = private / "package"
    (tree / "bin").mkdir(parents=True)
    program = tree / "bin" / "server"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    private.chmod(0o700)
    monkeypatch.setattr("config.embedded.place._SYSTEM_ROOT", tmp_path / "lib")
    monkeypatch.setattr("config.embedded.place._allows", lambda _program, _user: False)
    me = pwd.getpwuid(os.getuid())

    copy = reachable(program, tree=tree, user=me)
    assert copy.read_text(encoding="utf-8") == "#!/bin/sh\n"
    assert copy.is_relative_to(tmp_path / "lib" / "programs")
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert reachable(program, tree=tree, user=me) == copy
    assert reachable(program, tree=tree, user=None) == program


def test_private_folder_above_the_data_is_explained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = pwd.getpwuid(os.getuid())
    monkeypatch.setattr("config.embedded.services.service_user", lambda _cluster: me)
    monkeypatch.setattr("config.embedded.place._allows", lambda _path, _user: False)
    with pytest.raises(EmbeddedError, match="a folder above it is private"), _services(folder):
        pass
    assert _serving(folder) == []


def test_every_checkout_has_a_folder_of_its_own() -> None:
    assert default_data_dir(Path("/a/assay")) != default_data_dir(Path("/b/assay"))


def test_job_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    job = start("job", ["/bin/sh", "-c", "echo broken; exit 3"], environment={}, log=tmp_path / "job.log")
    with pytest.raises(ChildFailed, match=r"job failed \(status 3\)\.\nbroken"):
        finish(job, flag=StopFlag(), seconds=10)


def test_job_that_hangs_is_killed_with_all_it_started(tmp_path: Path) -> None:
    script = "trap '' TERM; (trap '' TERM; exec sleep 61.25) & wait"
    job = start("job", ["/bin/sh", "-c", script], environment={"PATH": os.environ["PATH"]})
    with pytest.raises(ChildFailed, match="did not end within 0 s"):
        finish(job, flag=StopFlag(), seconds=0.2, grace=0.2)
    commands = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert ["sleep", "61.25"] not in commands
