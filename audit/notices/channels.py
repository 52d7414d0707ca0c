"""The ways out: mail, a signed web request, a folder. Each delivers one message or says in a few words why not."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from django.core.mail import EmailMessage

from audit.notices.outgoing import NotDelivered, hand_in, post
from audit.tlog.checkpoint import peek_checkpoint
from audit.tlog.durable import sync_folders, write_file
from audit.tlog.leaf import format_time

SIGNATURE_HEADER: Final = "Assay-Signature"


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
        hand_in(mail)


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
        asyncio.run(post(self.url, body, headers))


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
