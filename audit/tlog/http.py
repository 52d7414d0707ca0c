"""A log's files from a web server, by the standard library alone.

What the server says is not believed: every answer has a limit of bytes and of time, no redirect leads to
another host, and whatever arrives is checked by whoever asked for it.
"""

import http.client
import socket
import ssl
import threading
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from audit.tlog.encoding import encode_base64
from audit.tlog.source import NotThere, SourceError, TooLarge

USER_AGENT: Final = "assay-tlog/1"
MAX_REDIRECTS: Final = 3
SECONDS_BETWEEN_ATTEMPTS: Final = (0.5, 1.0, 2.0, 4.0)
"""One attempt more than pauses between them."""

MAX_RETRY_AFTER: Final = 10.0
"""Seconds that a server's own Retry-After is obeyed at most."""

TIMEOUTS_PER_FILE: Final = 4
"""A whole answer may take so many times the timeout of one read: a server that drips must not hold a reader."""

_PIECE: Final = 65536
_GONE: Final = frozenset({403, 404, 410})
"""Object stores answer 403 for what is not there, unless one may list them."""
_BUSY: Final = frozenset({408, 425, 429})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Accept-Encoding": "gzip, identity",
    # A checkpoint from a cache on the way looks like a log that went back.
    "Cache-Control": "no-cache",
}


class _Again(Exception):
    """An attempt failed in a way that may pass: a sentence, and the seconds the server asked to wait."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        self.wait = wait
        super().__init__(reason)


class _Moved(NamedTuple):
    location: str


def _pause(seconds: float) -> object:
    return threading.Event().wait(seconds)


class HttpSource:
    """The log's files under an http or https address. Many threads may read; connections are kept until `close`.

    Args:
        url: the log's prefix, without user, query or fragment.
        timeout: seconds to wait for the connection and for each piece of an answer.
        pause: waits between attempts.

    Raises SourceError on another kind of address. Proxies are those of the environment (`https_proxy`, `no_proxy`).
    """

    def __init__(self, url: str, *, timeout: float = 30.0, pause: Callable[[float], object] = _pause) -> None:
        self._prefix = _checked(url)
        self._proxy = _proxy(self._prefix)
        self._timeout = timeout
        self._pause = pause
        self._idle: deque[http.client.HTTPConnection] = deque()

    def __str__(self) -> str:
        return self._prefix.geturl().rstrip("/")

    def close(self) -> None:
        """Let go of the connections; a later read opens new ones."""
        while self._idle:
            self._idle.pop().close()

    def read(self, path: str, limit: int) -> bytes:
        """The whole file, tried up to five times. Raises NotThere or SourceError; see source.Source."""
        for wait in (*SECONDS_BETWEEN_ATTEMPTS, None):
            try:
                return self._follow(path, limit)
            except _Again as trouble:
                if wait is None:
                    raise SourceError(
                        f"{self}/{path} cannot be read: {trouble} (tried {len(SECONDS_BETWEEN_ATTEMPTS) + 1} times)."
                    ) from None
                self._pause(max(trouble.wait, wait))
        raise AssertionError("the last attempt returns or raises")

    def _follow(self, path: str, limit: int) -> bytes:
        url = self._prefix._replace(path=self._prefix.path + path)
        for _hop in range(MAX_REDIRECTS + 1):
            answer = self._get(url, limit)
            if isinstance(answer, bytes):
                return answer
            url = _next(url, answer.location)
        raise SourceError(f"{self}/{path} redirects more than {MAX_REDIRECTS} times.")

    def _get(self, url: SplitResult, limit: int) -> bytes | _Moved:
        connection = self._connection()
        kept = False
        watchdog = None
        try:
            if connection.sock is None:
                connection.connect()
            watchdog = threading.Timer(self._timeout * TIMEOUTS_PER_FILE, _cut, [connection.sock])
            watchdog.daemon = True
            watchdog.start()
            # A proxy for plain http is told the whole address, and who asks.
            told = url.scheme == "http" and self._proxy is not None
            headers = _HEADERS | (_authorization(self._proxy) if told else {})
            connection.request("GET", url.geturl() if told else url.path, headers=headers)
            with connection.getresponse() as response:
                answer = _answer(response, url, limit)
                kept = response.isclosed() and not response.will_close
            return answer
        except ssl.SSLCertVerificationError as error:
            raise SourceError(f"The certificate of {url.netloc} is not trusted: {error.verify_message}.") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: http.client reads a length that is no number, or a socket that the watchdog cut.
            raise _Again(str(error) or f"the connection broke ({type(error).__name__})") from None
        finally:
            if watchdog is not None:
                watchdog.cancel()
            if kept:
                self._idle.append(connection)
            else:
                connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        """One that is idle, else a new one that is not open yet. All are to one server: no redirect leads away."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        server, proxy = self._prefix, self._proxy
        way = proxy or server
        host = way.hostname or ""
        if server.scheme == "http":
            return http.client.HTTPConnection(host, way.port, timeout=self._timeout)
        secure = http.client.HTTPSConnection(
            host, way.port, timeout=self._timeout, context=ssl.create_default_context()
        )
        if proxy is not None:
            secure.set_tunnel(server.hostname or "", server.port, _authorization(proxy))
        return secure


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise SourceError("A log's address looks like https://log.example/prefix, without query or fragment.")
    if parts.username is not None:
        raise SourceError("A log's address must not hold a user name or password.")
    return parts._replace(path=parts.path.rstrip("/") + "/")


def _proxy(url: SplitResult) -> SplitResult | None:
    """The proxy of the environment for this address, None where there is none."""
    found = "" if proxy_bypass(url.netloc) else getproxies().get(url.scheme, "")
    return urlsplit(found if "//" in found else f"http://{found}") if found else None


def _authorization(proxy: SplitResult | None) -> dict[str, str]:
    if proxy is None or proxy.username is None:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {encode_base64(login)}"}


def _cut(sock: socket.socket) -> None:
    # Of the plain socket below TLS: the reading thread then meets the end of the stream. It may have just finished.
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _next(url: SplitResult, location: str) -> SplitResult:
    target = urlsplit(urljoin(url.geturl(), location))
    if (target.scheme, target.netloc) != (url.scheme, url.netloc):
        raise SourceError(
            f"{url.netloc} redirects to another server, {target.scheme}://{target.hostname}: give the log's address."
        )
    return target._replace(fragment="", query="")


def _answer(response: http.client.HTTPResponse, url: SplitResult, limit: int) -> bytes | _Moved:
    status = response.status
    if status == 200:
        return _body(response, url, limit)
    if status in _MOVED and (location := response.headers.get("Location")):
        return _Moved(location)
    if status in _GONE:
        raise NotThere(f"{url.geturl()} is not there (the server answers {status}).")
    if status in _BUSY or status >= 500:
        asked = response.headers.get("Retry-After", "")
        wait = float(asked) if asked.isascii() and asked.isdigit() else 0.0
        raise _Again(f"the server answers {status}", min(wait, MAX_RETRY_AFTER))
    raise SourceError(f"{url.geturl()} cannot be read: the server answers {status}.")


def _body(response: http.client.HTTPResponse, url: SplitResult, limit: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise SourceError(f"{url.geturl()} comes in the encoding {encoding[:40]}, which was not asked for.")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    expected = response.length
    parts: list[bytes] = []
    received = size = 0
    while piece := response.read(_PIECE):
        received += len(piece)
        if unpack is not None:
            try:
                piece = unpack.decompress(piece, limit + 1 - size)
            except zlib.error as error:
                raise _Again(f"the answer is not gzip ({error})") from None
        size += len(piece)
        if size > limit or (unpack is not None and unpack.unconsumed_tail):
            raise TooLarge(f"{url.geturl()} has more than {limit} bytes, the most that it can have.")
        parts.append(piece)
    # A read that meets the end of the stream early only returns less.
    if (expected is not None and received != expected) or (unpack is not None and not unpack.eof):
        raise _Again("the answer ended early")
    return b"".join(parts)
