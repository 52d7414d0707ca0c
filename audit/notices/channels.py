"""The ways out: mail, a signed web request, a folder. Each delivers one message or says in a few words why not."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import httpx
from django.core.mail import EmailMessage

from audit.tlog.checkpoint import peek_checkpoint
from audit.tlog.durable import sync_folders, write_file
from audit.tlog.leaf import format_time

TIMEOUT_SECONDS: Final = 10.0
"""For a whole web request: a server that drips its answer keeps nobody longer."""

SIGNATURE_HEADER: Final = "Assay-Signature"


class NotDelivered(Exception):
    """A message did not go out. The words name the kind of failure: no address, no secret, no server's own text."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told. `id` stays the same over all attempts and channels, so that a second copy can be recognised."""

    id: str
    kind: str
    origin: str
    title: str
    text: str
    note: str
    made_at: datetime


class Channel(Protocol):
    """One way out; `name` stands in the table of attempts."""

    @property
    def name(self) -> str: ...

    def deliver(self, message: Message, *, now: datetime) -> None:
        """Hand the message over. Raises NotDelivered; then nobody knows whether it arrived."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Plain text over the mail server of the settings (EMAIL_URL)."""

    sender: str
    recipients: tuple[str, ...]
    name: str = "mail"

    def deliver(self, message: Message, *, now: datetime) -> None:
        digest = hashlib.sha256(message.id.encode()).hexdigest()[:32]
        mail = EmailMessage(
            subject=message.title,
            body=message.text,
            from_email=self.sender,
            to=list(self.recipients),
            headers={
                "Message-ID": f"<{digest}@{self.sender.rpartition('@')[2]}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        try:
            sent = mail.send()
        except (OSError, ValueError) as error:  # smtplib's own errors are OSErrors
            code = getattr(error, "smtp_code", None)
            raise NotDelivered(type(error).__name__ + (f" {code}" if isinstance(code, int) else "")) from error
        if not sent:
            raise NotDelivered("not taken")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A POST of JSON, signed: `Assay-Signature: t=<seconds>,v1=<HMAC-SHA256 of "<seconds>." || body, hexadecimal>`."""

    url: str
    secret: bytes
    name: str = "webhook"

    def deliver(self, message: Message, *, now: datetime) -> None:
        body = json.dumps(
            {
                "id": message.id,
                "kind": message.kind,
                "origin": message.origin,
                "title": message.title,
                "text": message.text,
                "note": message.note,
                "made_at": format_time(message.made_at),
            },
            ensure_ascii=False,
        ).encode()
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(self.secret, body, now=now)}
        try:
            status = asyncio.run(self._post(body, headers))
        except (httpx.HTTPError, TimeoutError) as error:
            raise NotDelivered(type(error).__name__) from error
        if not 200 <= status < 300:
            raise NotDelivered(f"HTTP {status}")

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        # Asynchronous for the sake of the deadline: httpx's own timeouts are for each read. A redirect would take the
        # message elsewhere; the environment's proxies are not ours to use. The answer's body is not read: it may be
        # endless.
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", self.url, content=body, headers=headers) as answer,
        ):
            return answer.status_code


def signature(secret: bytes, body: bytes, *, now: datetime) -> str:
    """The value of the signature header for this body at this time."""
    moment = int(now.timestamp())
    digest = hmac.digest(secret, f"{moment}.".encode() + body, "sha256").hex()
    return f"t={moment},v1={digest}"


@dataclass(frozen=True, slots=True)
class Folder:
    """Checkpoints as files, with the log's key history beside them: a disk that is not this machine's."""

    path: Path
    keys: str
    name: str = "folder"

    def deliver(self, message: Message, *, now: datetime) -> None:
        size = peek_checkpoint(message.note).size
        name = f"{message.id.rpartition(':')[2]}-{size}.checkpoint"
        if not self.path.is_dir():
            # Made here, it would be a folder of this very disk where another one was to be mounted.
            raise NotDelivered("no such folder")
        try:
            target = self.path / name
            if target.exists() and target.read_text(encoding="utf-8") != message.note:
                raise NotDelivered("another checkpoint of this size is there")
            write_file(self.path, name, message.note.encode())
            write_file(self.path, "keys", self.keys.encode())
            sync_folders(self.path, [name])
        except (OSError, UnicodeDecodeError) as error:
            raise NotDelivered(type(error).__name__) from error
