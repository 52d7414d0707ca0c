"""Reading a log from a web server that is down, busy, broken or hostile."""

from contextlib import closing
from pathlib import Path

import pytest

from audit.tlog.http import HttpSource
from audit.tlog.source import NotThere, SourceError, TooLarge
from tests.unit.tlog_published import put
from tests.unit.tlog_server import serving


def test_web_faults_are_waited_out_and_limits_hold(tmp_path: Path) -> None:
    put(tmp_path, "checkpoint", b"x" * 1000)
    put(tmp_path, "moved", b"here")
    pauses: list[float] = []
    with serving(tmp_path) as server, closing(HttpSource(f"{server.url}/", timeout=0.1, pause=pauses.append)) as source:
        for faults in (["503", "429", "short", "gzip"], ["gzip"], ["/moved"], []):
            server.faults["checkpoint"] = list(faults)
            assert source.read("checkpoint", 1000) == (b"here" if faults == ["/moved"] else b"x" * 1000)
        assert pauses == [0.5, 1.0, 2.0]
        for fault, error, words in (
            ("503", SourceError, "503 .tried 5 times"),
            ("404", NotThere, "not there"),
            ("403", NotThere, "not there"),
            ("400", SourceError, "answers 400"),
            ("https://elsewhere.example/", SourceError, "another server"),
            ("/checkpoint", SourceError, "more than 3 times"),
            ("drip", SourceError, "cannot be read"),
        ):
            server.faults["checkpoint"] = [fault] * 5
            with pytest.raises(error, match=words):
                source.read("checkpoint", 1000)
        server.faults.clear()
        for fault in ("", "gzip"):
            server.faults["checkpoint"] = [fault]
            with pytest.raises(TooLarge):
                source.read("checkpoint", 999)
        # A connection is used again, and opened again after the server has let it go.
        assert source.read("moved", 10) == b"here"
    with pytest.raises(SourceError, match="refused"):
        source.read("moved", 10)
    for url in (
        "file:///etc/",
        "ftp://log.example",
        "http://user:pw@log.example",
        "http://log.example/?q",
        "http://a b",
    ):
        with pytest.raises(SourceError):
            HttpSource(url)


def test_a_proxy_is_told_the_whole_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "http:/log.invalid/log/checkpoint", b"by proxy")
    with serving(tmp_path) as server:
        monkeypatch.setenv("http_proxy", server.url.replace("//", "//user:p%40ss@"))
        monkeypatch.setenv("no_proxy", "elsewhere.invalid")
        with closing(HttpSource("http://log.invalid/log", timeout=5)) as source:
            assert source.read("checkpoint", 100) == b"by proxy"
        assert server.asked == ["http://log.invalid/log/checkpoint"]
        assert server.authorizations == ["Basic dXNlcjpwQHNz"]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with closing(HttpSource(server.url, timeout=5)) as source, pytest.raises(NotThere):
            source.read("checkpoint", 100)
