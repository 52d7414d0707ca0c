"""Fetch metrics pages: bounded in time and size, and never from a network that the operator did not allow.

A target's address is typed by a person, so it could name a neighbour that only this machine reaches (a cloud's
metadata service, an admin port). Every address that the name resolves to is checked, and the connection goes to a
checked address, so a name that resolves otherwise a moment later gains nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from audit.collectors.outcome import Outcome
from audit.formats.addresses import AddressRefused, Network, check_url, resolve
from audit.formats.metrics import MAX_PAGE_BYTES

CONCURRENCY: Final = 25
CONNECT_SECONDS: Final = 2.0
ACCEPT: Final = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


@dataclass(frozen=True, slots=True)
class Request:
    """One page to fetch: its address, and how long all of it may take, in seconds."""

    url: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it came: the exact bytes, their Content-Type, and when it was asked for."""

    body: bytes
    media: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no page, and when it was asked for."""

    outcome: Outcome
    detail: str
    asked_at: datetime


class _Stopped(Exception):
    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome


async def fetch_all(
    requests: Sequence[Request], *, allowed: Sequence[Network], clock: Callable[[], datetime]
) -> list[Page | Failure]:
    """Fetch pages side by side; the answers are in the order of the requests and none of them raises."""
    turn = asyncio.Semaphore(CONCURRENCY)
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=0)
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits) as client:

        async def one(request: Request) -> Page | Failure:
            async with turn:
                return await _fetch(client, request, allowed, clock())

        return list(await asyncio.gather(*map(one, requests)))


async def _fetch(
    client: httpx.AsyncClient, request: Request, allowed: Sequence[Network], asked_at: datetime
) -> Page | Failure:
    try:
        async with asyncio.timeout(request.seconds):
            body, media = await _get(client, request, allowed)
            return Page(body, media, asked_at)
    except _Stopped as stop:
        return Failure(stop.outcome, str(stop), asked_at)
    except AddressRefused as error:
        return Failure(Outcome.FORBIDDEN_NETWORK, str(error), asked_at)
    except (TimeoutError, httpx.TimeoutException):
        return Failure(Outcome.TIMEOUT, f"no whole answer within {request.seconds:g} s", asked_at)
    except (OSError, httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return Failure(Outcome.UNREACHABLE, f"{type(error).__name__}: {error}", asked_at)


async def _get(client: httpx.AsyncClient, request: Request, allowed: Sequence[Network]) -> tuple[bytes, str]:
    check_url(request.url)
    url = httpx.URL(request.url)
    address = await resolve(url.host, url.port or (443 if url.scheme == "https" else 80), allowed)
    # Compression is declined: a small answer must not become a large one here.
    headers: Mapping[str, str] = {"Host": url.netloc.decode(), "Accept": ACCEPT, "Accept-Encoding": "identity"}
    timeout = httpx.Timeout(request.seconds, connect=min(CONNECT_SECONDS, request.seconds))
    target = url.copy_with(host=str(address))
    async with client.stream(
        "GET", target, headers=headers, timeout=timeout, extensions={"sni_hostname": url.host}
    ) as answer:
        if answer.is_redirect or 300 <= answer.status_code < 400:
            raise _Stopped(Outcome.REDIRECT, f"status {answer.status_code}: redirects are not followed")
        if answer.status_code != httpx.codes.OK:
            raise _Stopped(Outcome.STATUS, f"status {answer.status_code}")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise _Stopped(Outcome.UNREADABLE, "the answer is compressed although that was declined")
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > MAX_PAGE_BYTES:
                raise _Stopped(Outcome.TOO_LARGE, f"more than {MAX_PAGE_BYTES} bytes")
        return bytes(body), answer.headers.get("content-type", "")
