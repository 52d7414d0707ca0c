"""Fetching model files from allowed addresses: bounded in bytes and time, to the address that was checked.

Every address that a name resolves to is checked before the connection goes to the first of them, so a name that
resolves otherwise a moment later gains nothing. No cookies, no proxy of the environment, no compression; a redirect is
followed only to an address that is allowed itself.
"""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urljoin

import httpx

from audit.formats.addresses import AddressRefused, check_network
from governance.operations.importaddress import AddressNotAllowed, Place, Prefix, allowed

SECONDS: Final = 30.0
STEP_SECONDS: Final = 5.0
MAX_REDIRECTS: Final = 3
PRIVATE_NETWORKS: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
"""What `private+` opens: networks of an organisation (RFC 1918, RFC 4193). Link-local addresses, where clouds answer
with credentials, and multicast are never among them."""

LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
"""This machine, opened only to a `private+` prefix that names it."""

_METADATA: Final = (ip_network("fd00:ec2::/32"), ip_network("fd20:ce::/32"))
"""Where clouds answer with credentials inside the private networks."""

_RANGE: Final = re.compile(r"bytes 0-(\d{1,15})/(\d{1,18}|\*)")

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host, as text."""


class FetchRefused(ValueError):
    """A file that is not fetched; the message is a sentence for the person."""


class NotThere(FetchRefused):
    """The server has no such file."""


@dataclass(frozen=True, slots=True)
class Got:
    """The first bytes of a file, or all of it. `total`: its length, None where the server did not say."""

    body: bytes
    total: int | None


def system_resolve(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found]


class Fetcher:
    """Fetches the files of one repository; all of them together take at most `seconds`."""

    def __init__(
        self,
        prefixes: Sequence[Prefix],
        *,
        seconds: float = SECONDS,
        resolve: Resolve = system_resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefixes = prefixes
        self._resolve = resolve
        self._clock = clock
        self._seconds = seconds
        self._deadline = clock() + seconds

    def whole(self, url: str, *, limit: int) -> Got:
        """A whole file of at most `limit` bytes.

        Raises:
            FetchRefused: not there (NotThere), not allowed, too large, or no proper answer in time.
        """
        return self._get(url, limit, ranged=False)

    def start(self, url: str, *, length: int) -> Got:
        """The first `length` bytes of a file, or all of a shorter one. Raises as `whole` does."""
        return self._get(url, length, ranged=True)

    def _get(self, url: str, limit: int, *, ranged: bool) -> Got:
        try:
            return asyncio.run(self._within_time(url, limit, ranged=ranged))
        except AddressNotAllowed as error:
            raise FetchRefused(str(error)) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise FetchRefused(f"There was no whole answer within {self._seconds:g} s.") from error
        except (OSError, httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise FetchRefused(f"The server cannot be read: {type(error).__name__}: {error}"[:300]) from error

    async def _within_time(self, url: str, limit: int, *, ranged: bool) -> Got:
        place = allowed(url, self._prefixes)
        async with asyncio.timeout(max(self._deadline - self._clock(), 0)):
            for _hop in range(MAX_REDIRECTS + 1):
                async with self._asked(place, limit, ranged=ranged) as answer:
                    if not answer.has_redirect_location:
                        return await self._read(answer, limit, ranged=ranged)
                    target = urljoin(place.url, answer.headers["location"])
                place = allowed(target, self._prefixes, redirected=True)
        raise FetchRefused(f"The server redirects more than {MAX_REDIRECTS} times.")

    @asynccontextmanager
    async def _asked(self, place: Place, limit: int, *, ranged: bool) -> AsyncIterator[httpx.Response]:
        loop = asyncio.get_running_loop()
        address = checked(place, await loop.run_in_executor(None, self._resolve, place.host, place.port))
        url = httpx.URL(place.url)
        headers = {"Host": url.netloc.decode(), "Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "Assay"}
        if ranged:
            headers["Range"] = f"bytes=0-{limit - 1}"
        # A client for each request: none keeps a cookie or a connection for the next one.
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=STEP_SECONDS) as client,
            client.stream(
                "GET", url.copy_with(host=address), headers=headers, extensions={"sni_hostname": place.host}
            ) as answer,
        ):
            yield answer

    async def _read(self, answer: httpx.Response, limit: int, *, ranged: bool) -> Got:
        if answer.status_code in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
            raise NotThere("The server has no such file.")
        partial = ranged and answer.status_code == httpx.codes.PARTIAL_CONTENT
        if not partial and answer.status_code != httpx.codes.OK:
            raise FetchRefused(f"The server answers with status {answer.status_code}.")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchRefused("The server compresses its answer although that was declined.")
        expected, total = _range(answer, limit) if partial else (None, _length(answer))
        if not ranged and total is not None and total > limit:
            raise FetchRefused(f"The file has {total} bytes; at most {limit} are read.")
        body = await _body(answer, limit, ranged=ranged)
        if expected is not None and len(body) != expected:
            raise FetchRefused(f"The server announced {expected} bytes and sent {len(body)}.")
        if not ranged and total is not None and len(body) != total:
            raise FetchRefused(f"The server announced {total} bytes and sent {len(body)}.")
        return Got(body, total)


async def _body(answer: httpx.Response, limit: int, *, ranged: bool) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > limit:
            if ranged and answer.status_code == httpx.codes.OK:
                break  # a server that knows no ranges: enough is here, the rest is not read
            raise FetchRefused(f"The server sends more than {limit} bytes.")
    return bytes(body[:limit])


def checked(place: Place, texts: Sequence[str]) -> str:
    """The first address, after all of them were found allowed."""
    opened = (*PRIVATE_NETWORKS, *(LOOPBACK if _is_loopback(place.host) else ())) if place.private else ()
    for text in texts:
        address = ip_address(text)
        try:
            check_network(address, opened)
        except AddressRefused as error:
            more = "is never fetched from" if place.private else "is not public; an operator may allow it by private+"
            raise FetchRefused(f"{place.host} has the address {text}, which {more}.") from error
        if any(address in network for network in _METADATA if network.version == address.version):
            raise FetchRefused(f"{place.host} has the address {text}, which is never fetched from.")
    if not texts:
        raise FetchRefused(f"{place.host} has no address.")
    return texts[0]


def _is_loopback(host: str) -> bool:
    """Whether a host as a prefix names it is this machine, whatever a resolver says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _length(answer: httpx.Response) -> int | None:
    text = answer.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _range(answer: httpx.Response, limit: int) -> tuple[int, int | None]:
    """How many bytes a partial answer says it has, and how many the file."""
    match = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    if match is None:
        raise FetchRefused("The server answers with another part of the file than was asked for.")
    count = int(match[1]) + 1
    total = None if match[2] == "*" else int(match[2])
    if count > limit or (total is not None and (count > total or count < min(limit, total))):
        raise FetchRefused("The server answers with another part of the file than was asked for.")
    return count, total
