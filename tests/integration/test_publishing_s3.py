"""Publishing to S3-compatible storage: a real server on this machine, spoken to by the real client."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from mypy_boto3_s3.client import S3Client
from werkzeug.serving import make_server

from audit.publishing.publisher import Contradiction, Outcome, Publisher
from audit.publishing.s3 import S3Store
from audit.publishing.store import Differs, File, StoreError
from audit.tlog.folder import verify_folder
from config import child, programs
from tests.integration.signer_story import record, signer
from tests.services.constants import SIGNING_KEY
from tests.services.databases import Database
from tests.services.processes import process_environment
from tests.unit.publishing_log import KEY, MemoryLog, reader_sees, wanted
from tests.waiting import until

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
BUCKET = "public-log"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


class Requests:
    """What the server was asked: method, key and whether on a condition."""

    def __init__(self, server: Wsgi, *, knows_conditions: bool) -> None:
        self.seen: list[tuple[str, str, bool]] = []
        self._server = server
        self._knows_conditions = knows_conditions

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        conditions = {"HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"} & set(environ)
        self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], bool(conditions)))
        if not self._knows_conditions:
            for name in conditions:
                del environ[name]
        return self._server(environ, start_response)

    def puts(self) -> list[str]:
        """The keys that were put since the last call."""
        seen, self.seen = self.seen, []
        return [path.removeprefix(f"/{BUCKET}/") for method, path, _condition in seen if method == "PUT"]


@contextmanager
def s3_server(*, knows_conditions: bool = True) -> Iterator[tuple[str, Requests, S3Client]]:
    """Address, what it is asked, and a client of the tests' own."""
    application = Requests(DomainDispatcherApplication(create_backend_app), knows_conditions=knows_conditions)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    try:
        client.create_bucket(Bucket=BUCKET)
        yield url, application, client
    finally:
        for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            client.delete_object(Bucket=BUCKET, Key=item["Key"])
        client.delete_bucket(Bucket=BUCKET)
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def opened(url: str, prefix: str = "", bucket: str = BUCKET) -> Iterator[S3Store]:
    store = S3Store(bucket, prefix, endpoint_url=url)
    try:
        yield store
    finally:
        store.close()


def keys(client: S3Client) -> set[str]:
    return {item["Key"] for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


@pytest.mark.parametrize("knows_conditions", [True, False], ids=["conditional writes", "none"])
def test_a_log_in_a_bucket(knows_conditions: bool) -> None:
    with s3_server(knows_conditions=knows_conditions) as (url, requests, client):
        with opened(url, "assay/log") as store:
            publisher = Publisher(store, KEY.verifier)
            for log in (MemoryLog(3), MemoryLog(3, 700)):
                requests.puts()
                assert publisher.step(log) is Outcome.PUBLISHED
                assert requests.puts()[-1] == "assay/log/checkpoint"
            assert publisher.step(MemoryLog(3, 700)) is Outcome.IDLE
            assert reader_sees(store.read) == 700
            assert keys(client) == {f"assay/log/{path}" for path in ["checkpoint", "keys", *wanted(3), *wanted(700)]}
        # The next publisher finds everything there and changes nothing.
        requests.puts()
        with opened(url, "assay/log") as store:
            assert Publisher(store, KEY.verifier).step(MemoryLog(3, 700), anew=True) is Outcome.PUBLISHED
            stays = requests.puts()
            assert {key for key in stays if not key.endswith("/checkpoint")} <= {
                f"assay/log/{path}" for path in wanted(700)
            }
            store.remove("tile/0/000.p")
            assert "assay/log/tile/0/000.p/3" not in keys(client)
            assert "assay/log/tile/0/000" in keys(client)
        _files_are_served_for_ever(client)
        client.put_object(Bucket=BUCKET, Key="assay/log/tile/entries/001", Body=b"changed")
        with opened(url, "assay/log") as store, pytest.raises(Contradiction, match="tile/entries/001"):
            Publisher(store, KEY.verifier).step(MemoryLog(700), anew=True)
        assert client.get_object(Bucket=BUCKET, Key="assay/log/tile/entries/001")["Body"].read() == b"changed"


def _files_are_served_for_ever(client: S3Client) -> None:
    tile = client.head_object(Bucket=BUCKET, Key="assay/log/tile/0/000")
    assert (tile["ContentType"], tile["CacheControl"]) == (
        "application/octet-stream", "public, max-age=31536000, immutable",
    )  # fmt: skip
    note = client.head_object(Bucket=BUCKET, Key="assay/log/checkpoint")
    assert (note["ContentType"], note["CacheControl"]) == ("text/plain; charset=utf-8", "no-cache")


def test_nobody_is_overwritten_between_reading_and_writing() -> None:
    """Two publishers that take turns without knowing of each other, one of which was paused."""
    with s3_server() as (url, requests, _client), opened(url) as one, opened(url) as other:
        for store in (one, other):
            store.add([File("tile/0/000", b"same")])
        one.replace("checkpoint", b"first", expected=None)
        other.replace("checkpoint", b"second", expected=b"first")
        for expected in (None, b"first"):
            with pytest.raises(Differs, match="checkpoint"):
                one.replace("checkpoint", b"third", expected=expected)
        one.replace("checkpoint", b"second", expected=b"first")
        with pytest.raises(Differs, match="tile/0/000"):
            one.add([File("tile/0/001", b"new"), File("tile/0/000", b"else")])
        assert (other.read("checkpoint"), other.read("tile/0/000")) == (b"second", b"same")
        assert all(condition for method, path, condition in requests.seen if method == "PUT" and path.endswith("001"))


def test_a_storage_that_does_not_serve_is_no_contradiction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.publishing.s3._ATTEMPTS", 1)
    with s3_server() as (url, _requests, _client):
        with (
            opened(url, bucket="absent") as store,
            pytest.raises(StoreError, match="refused GetObject: NoSuchBuck"),
        ):
            store.read("checkpoint")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with opened(url) as store, pytest.raises(StoreError, match="cannot be used: Unable to locate credentials"):
            store.add([File("tile/0/000", b"one")])
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    with opened(url) as store, pytest.raises(StoreError, match="cannot be used: Could not connect"):
        store.read("checkpoint")


def test_the_process_publishes_to_a_bucket(committed: Database, signer_state: Path, tmp_path: Path) -> None:
    environment = process_environment(committed, "signer", worker="publisher", folder=tmp_path)
    with s3_server() as (url, _requests, client), signer(signer_state) as hand:
        record(300)
        hand.look()
        environment |= {"PUBLISH_TO": f"s3://{BUCKET}/log/", "S3_ENDPOINT_URL": url}
        environment |= {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        process = child.start(
            "publisher", programs.publisher(), environment=environment, log=tmp_path / "publisher.log",
            directory=programs.CHECKOUT,
        )  # fmt: skip
        try:
            until(lambda: "log/checkpoint" in keys(client), seconds=60, what="a checkpoint in the bucket")
        finally:
            child.stop([process], grace=10)
        assert process.process.returncode == 0, process.tail()
        copy = tmp_path / "copy"
        for key in keys(client):
            (copy / key).parent.mkdir(parents=True, exist_ok=True)
            (copy / key).write_bytes(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    report = verify_folder(copy / "log", [SIGNING_KEY.verifier], strict=True)
    assert (report.ok, report.read) == (True, 300), report.failures
    assert "nothing" not in process.tail(20_000)
