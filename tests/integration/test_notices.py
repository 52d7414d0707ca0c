"""What people outside are told: once, over real servers, with patience, and without a word of the ledger's content."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from audit import notices, tasks
from audit.models import Alarm, Checkpoint, Entry, Notice, NoticeAttempt
from audit.notices import channels, outgoing, sending
from audit.publishing.status import Status
from audit.signer import lease
from audit.tlog.checkpoint import open_checkpoint
from audit.tlog.keyhistory import read_history
from tests.integration.signer_story import cheat, record, signer
from tests.services.constants import ORIGIN
from tests.services.databases import Database
from tests.services.listeners import Hook, MailBox, hook, mail_box

SECRET = "s3cret-of-the-hook"
CONTENT = b'{"after":{"name":"TOP-SECRET-NAME"}}'


@dataclass
class Outside:
    """Everybody who may be told, and a clock that the test turns."""

    mail: MailBox
    hook: Hook
    folder: Path
    now: datetime

    def notify(self, *, after: float = 0, publisher: notices.PublisherState | None = None) -> int:
        self.now += timedelta(seconds=after)
        return notices.notify(now=self.now, clock=lambda: self.now, publisher=publisher)

    def posted(self) -> list[dict[str, str]]:
        return [json.loads(body) for _headers, body in self.hook.posts]


@pytest.fixture
def outside(committed: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with ExitStack() as stack:
        mail, web = stack.enter_context(mail_box()), stack.enter_context(hook())
        folder = tmp_path / "elsewhere"
        for name, value in {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": mail.port,
            "NOTIFY_MAIL_TO": ["on-call@assay.example", "auditor@assay.example"],
            "NOTIFY_MAIL_FROM": "assay@assay.example",
            "NOTIFY_WEBHOOK_URL": web.url,
            "NOTIFY_WEBHOOK_SECRET": SECRET,
            "DAILY_CHECKPOINT_TO": folder,
        }.items():
            monkeypatch.setattr(settings, name, value)
        yield Outside(mail, web, folder, timezone.now())


def test_each_days_first_checkpoint_leaves_the_machine(
    committed: Database, signer_state: Path, outside: Outside
) -> None:
    assert outside.notify() == 0
    with signer(signer_state) as hand:
        record(3, content=CONTENT)
        hand.look()
        record(2)
        hand.look()
    assert outside.notify() == 2
    assert NoticeAttempt.objects.get(step="failed").detail == "no such folder"
    outside.folder.mkdir()
    assert outside.notify(after=30) == 1
    assert outside.notify() == outside.notify(after=7200) == 0
    day = Checkpoint.objects.earliest("size").signed_at.astimezone(UTC)
    kept = [path for path in outside.folder.iterdir() if path.name != "keys"]
    assert [path.name for path in kept] == [f"{Checkpoint.objects.earliest('size').signed_at:%Y-%m-%d}-3.checkpoint"]
    keys = read_history((outside.folder / "keys").read_text(), None).keys
    assert open_checkpoint(kept[0].read_text(), keys).size == 3

    (mail,) = outside.mail.mails
    assert mail["To"] == "on-call@assay.example, auditor@assay.example"
    assert mail["Subject"].startswith(f"{ORIGIN}: checkpoint of ")
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert kept[0].read_text() in body.decode().replace("\r\n", "\n")
    assert len(outside.mail.recipients) == 2

    ((headers, posted),) = outside.hook.posts
    moment, digest = headers["Assay-Signature"].removeprefix("t=").split(",v1=")
    expected = hmac.new(SECRET.encode(), moment.encode() + b"." + posted, hashlib.sha256).hexdigest()
    assert digest == expected
    said = json.loads(posted)
    assert (said["kind"], said["note"], said["origin"]) == ("checkpoint", kept[0].read_text(), ORIGIN)
    assert SECRET.encode() not in posted
    assert b"TOP-SECRET" not in posted + body

    # The next day has another; a folder that holds something else under that name is not written over.
    outside.now = (day + timedelta(days=1)).replace(hour=9)
    cheat(committed, "UPDATE checkpoint SET signed_at = signed_at + interval '1 day' WHERE size = 5")
    target = outside.folder / f"{outside.now:%Y-%m-%d}-5.checkpoint"
    target.write_text("another")
    assert outside.notify() == 2
    assert target.read_text() == "another"
    told = NoticeAttempt.objects.filter(step="failed").latest("id").detail
    assert told == "another checkpoint of this size is there"


def test_a_freeze_and_its_alarms_are_told_once_and_again_when_they_come_back(
    committed: Database, signer_state: Path, outside: Outside
) -> None:
    with signer(signer_state) as hand:
        record(2, content=CONTENT)
        hand.look()
        outside.notify()
        record(1)
        detail = "The section facts of entry 1 holds TOP-SECRET-NAME."
        for _ in range(25):
            Alarm.objects.create(kind="section", entry_index=1, subject="x", detail=detail, raised_at=outside.now)
        hand.look()
        lease.renew(hand.connection, hand.holder, frozen_reason=hand.signer.frozen_reason)
    del outside.hook.posts[:], outside.mail.mails[:]
    assert outside.notify() == 4
    assert outside.notify(after=60) == 0
    frozen, alarms = sorted(outside.posted(), key=lambda said: said["kind"], reverse=True)
    assert frozen["title"] == f"{ORIGIN}: signing has stopped"
    assert "An alarm stands" in frozen["text"]
    assert alarms["title"] == f"{ORIGIN}: 25 alarms were raised"
    assert "alarm 1 (section) at entry 1\n" in alarms["text"]
    assert "... and 5 more" in alarms["text"]
    sent = b"".join(body for _headers, body in outside.hook.posts) + b"".join(map(bytes, outside.mail.mails))
    assert b"TOP-SECRET" not in sent
    # A further alarm is a further matter, here by the worker's own entry point; the signer's echo of one is none.
    Alarm.objects.create(kind="tile", subject="x", detail="y", raised_at=outside.now)
    tasks.notify()
    assert outside.posted()[-1]["title"] == f"{ORIGIN}: an alarm was raised"
    # Alarms commit in another order than they take their ids: the late one is told too.
    insert = "INSERT INTO alarm (kind, subject, detail, raised_at) VALUES (%s, 's', 'd', now())"
    with psycopg.connect(committed.admin_address()) as slow, psycopg.connect(committed.admin_address()) as quick:
        slow.execute(insert, ["first"])
        quick.execute(insert, ["second"])
        quick.commit()
        assert outside.notify(after=60) == 2
        assert "(second)" in outside.posted()[-1]["text"]
        slow.commit()
    assert outside.notify(after=60) == 2
    assert "(first)" in outside.posted()[-1]["text"]
    assert outside.notify(after=60) == 0
    with pytest.raises(DatabaseError, match="permission denied"), connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM notice")


def test_silence_is_told_and_a_channel_that_is_down_is_tried_again(
    committed: Database, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(2)
    assert outside.notify(after=200) == 0
    outside.hook.status, outside.hook.location = 307, "http://127.0.0.1:1/elsewhere"
    outside.mail.refuse = "451 4.3.0 not now, s3cret-of-the-server"
    assert outside.notify(after=200) == 0
    (matter,) = Notice.objects.values_list("matter", flat=True)
    assert matter == "silent:0"
    failed = dict(NoticeAttempt.objects.filter(step="failed").values_list("channel", "detail"))
    assert failed == {"webhook": "HTTP 307", "mail": "SMTPDataError 451"}
    assert len(outside.hook.posts) == 1
    # The pauses grow: 30 s, 60 s, 120 s ...; nothing in between.
    for pause in (30, 60, 120):
        assert outside.notify(after=pause - 1) == 0
        before = len(outside.hook.posts)
        assert outside.notify(after=1) == 0
        assert len(outside.hook.posts) == before + 1
    outside.hook.status, outside.hook.location, outside.mail.refuse = 200, "", ""
    assert outside.notify(after=240) == 2
    assert len({body for _headers, body in outside.hook.posts}) == 1
    assert outside.notify(after=9000) == 0
    text = outside.posted()[0]["text"]
    assert text.startswith("2 entries wait for a signature, the first since ")

    # Two workers make each attempt once; one that died in it is followed up, with the same id.
    record(1)
    notice = Notice.objects.create(matter="silent:x", kind="k", title="t", body="b", note="", made_at=outside.now)
    dead = {"matter": notice.matter, "number": 1, "step": "try", "detail": "", "at": outside.now}
    for channel in ("mail", "webhook"):
        NoticeAttempt.objects.create(channel=channel, **dead)
    assert outside.notify(after=299) == 0
    due = sending._due
    monkeypatch.setattr(settings, "DAILY_CHECKPOINT_TO", None)
    with monkeypatch.context() as patched:
        patched.setattr(sending, "_due", lambda channel, now: [(notice, 1)])
        assert outside.notify() == 0
        patched.setattr(sending, "_due", due)
        assert outside.notify(after=1) == 2
    assert outside.posted()[-1]["id"] == f"{ORIGIN} silent:x"
    ids = [mail["Message-ID"] for mail in outside.mail.mails]
    assert len(set(ids)) == len(ids) == 2

    # A server that is not there; and after many attempts the log says so and it ends.
    monkeypatch.setattr(settings, "NOTIFY_WEBHOOK_URL", "http://127.0.0.1:1/hook")
    monkeypatch.setattr(sending, "MOST_ATTEMPTS", 2)
    late = Status("unreachable", 1, outside.now - timedelta(hours=1))
    monkeypatch.setattr(settings, "NOTIFY_MAIL_TO", [])
    assert outside.notify(after=1, publisher=late) == outside.notify(after=3600, publisher=late) == 0
    assert outside.notify(after=3600, publisher=late) == 0
    tried = NoticeAttempt.objects.filter(matter="publisher:unreachable:1", step="failed", channel="webhook")
    assert list(tried.order_by("number").values_list("number", "detail")) == [(1, "ConnectError"), (2, "ConnectError")]
    assert Entry.objects.count() == 3


def test_a_server_that_drips_its_answer_is_left_when_the_time_is_over(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT_SECONDS", 0.5)
    outside.hook.drip = 40
    message = channels.Message("id", "kind", ORIGIN, "title", "text", "", outside.now)
    with pytest.raises(outgoing.NotDelivered, match="TimeoutError"):
        channels.Webhook(outside.hook.url, b"secret").deliver(message, now=outside.now)


def test_nothing_is_written_where_nobody_is_to_be_told(committed: Database, signer_state: Path) -> None:
    record(1)
    later = timezone.now() + timedelta(hours=1)
    assert notices.notify(now=later, clock=lambda: later) == 0
    assert not Notice.objects.exists()
