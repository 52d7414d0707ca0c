"""Handing over one mail or one web request, within a deadline: the way out of every notice."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import httpx
from django.core.mail import EmailMessage

from audit.formats.addresses import AddressRefused, Network, check_url, resolve

TIMEOUT_SECONDS: Final = 10.0
"""For a whole web request: a server that drips its answer keeps nobody longer."""


class NotDelivered(Exception):
    """A message did not go out. The words name the kind of failure: no address, no secret, no server's own text.

    Attributes:
        status: what a web server answered; None where none did.
    """

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


def hand_in(mail: EmailMessage) -> None:
    """Give a mail to the mail server of the settings (EMAIL_URL).

    Raises:
        NotDelivered: the server did not take it, or nobody knows whether it did.
    """
    try:
        sent = mail.send()
    except (OSError, ValueError) as error:  # smtplib's own errors are OSErrors
        code = getattr(error, "smtp_code", None)
        raise NotDelivered(type(error).__name__ + (f" {code}" if isinstance(code, int) else "")) from error
    if not sent:
        raise NotDelivered("not taken")


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """POST to an address of the operator's own settings and give the status, which is a 2xx.

    Raises:
        NotDelivered: no answer within the deadline, or another status.
    """
    return await _post(httpx.URL(url), body, headers)


async def post_checked(
    url: str, body: bytes, headers: Mapping[str, str], *, allowed: Sequence[Network], setting: str
) -> int:
    """POST to an address that a person typed and give the status, which is a 2xx.

    Plain http goes only to networks that the setting allows, and nothing goes to any other private network.

    Raises:
        NotDelivered: not an address that may be connected to, no answer within the deadline, or another status.
    """
    try:
        check_url(url)
        target = httpx.URL(url)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            port = target.port or (443 if target.scheme == "https" else 80)
            address = await resolve(target.host, port, allowed, setting=setting)
    except (AddressRefused, httpx.InvalidURL, UnicodeError) as error:
        raise NotDelivered("address refused") from error
    except (OSError, TimeoutError) as error:
        raise NotDelivered(type(error).__name__) from error
    if target.scheme == "http" and not any(address in network for network in allowed):
        raise NotDelivered("address refused")
    named = {**headers, "Host": target.netloc.decode()}
    return await _post(target.copy_with(host=str(address)), body, named, sni=target.host)


async def _post(url: httpx.URL, body: bytes, headers: Mapping[str, str], *, sni: str | None = None) -> int:
    # Asynchronous for the sake of the deadline: httpx's own timeouts are for each read. A redirect would take the
    # message elsewhere; the environment's proxies are not ours to use. The answer's body is not read: it may be
    # endless.
    extensions = {"sni_hostname": sni} if sni else {}
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=body, headers=dict(headers), extensions=extensions) as answer,
        ):
            status = answer.status_code
    except (httpx.HTTPError, TimeoutError) as error:
        raise NotDelivered(type(error).__name__) from error
    if not 200 <= status < 300:
        raise NotDelivered(f"HTTP {status}", status)
    return status
