"""What leaves the machine: over real servers, signed, at least once, without content, and with patience."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import Message
from ipaddress import ip_network
from threading import Barrier, Thread
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, connections
from django.urls import reverse

from audit.events import EventType
from audit.models import Entry, Person, User
from audit.queries import section_facts
from governance import operations
from governance.models import (
    Notification,
    NotificationDigest,
    NotificationPreference,
    WebhookDelivery,
    WebhookEndpoint,
)
from governance.operations import delivering, mailing
from governance.operations.delivering import MOST_ATTEMPTS, pause_after
from governance.queries.reconciling import reconcile
from tests.integration.governance_story import NOW, REASON, Story, login, tell
from tests.integration.test_governance_pages import browser
from tests.services.databases import Database
from tests.services.listeners import Hook, MailBox, hook, mail_box


@dataclass
class Outside:
    """Servers outside, an operator, and a clock that the test turns."""

    story: Story
    mail: MailBox
    hook: Hook
    now: datetime = NOW

    def deliver(self, *, after: float = 0) -> int:
        self.now += timedelta(seconds=after)
        return operations.deliver_webhooks(now=self.now, clock=lambda: self.now, jitter=lambda: 0.5)

    def send(self, *, after: float = 0) -> int:
        self.now += timedelta(seconds=after)
        return operations.send_mails(now=self.now, clock=lambda: self.now)


@pytest.fixture
def outside(committed: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    with ExitStack() as stack:
        mail, web = stack.enter_context(mail_box()), stack.enter_context(hook())
        for name, value in {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": mail.port,
            "MAIL_SERVER_SET": True,
            "NOTIFY_MAIL_FROM": "assay@assay.example",
            "WEBHOOK_ALLOWED_NETWORKS": (ip_network("127.0.0.0/8"),),
            "DIGEST_HOUR": 10,
        }.items():
            monkeypatch.setattr(settings, name, value)
        story = tell()
        for user in (story.requester, story.reviewer):
            Person.objects.filter(pk=user.person_id).update(email=f"{user.username}@assay.example")
        yield Outside(story, mail, web)


def verified(secret: str, headers: dict[str, str], body: bytes) -> list[bool]:
    """Which of the signatures a receiver accepts, by the words of the specification alone."""
    named = {name.lower(): value for name, value in headers.items()}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{named['webhook-id']}.{named['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return [given == expected for given in named["webhook-signature"].split(" ")]


def text_of(mail: Message) -> str:
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    return "".join(part.decode() for part in parts if isinstance(part, bytes))


def registered(outside: Outside, by: User) -> tuple[UUID, str]:
    """A webhook to the listener, and its secret."""
    made = operations.register_webhook(
        by=by, name="tickets", url=outside.hook.url, kinds=["request.submitted", "request.approved"], now=NOW
    )
    return made.recorded.id, made.secret


def test_webhooks_are_signed_with_both_secrets_while_they_change(outside: Outside) -> None:
    operator, story = login("root", "Operators"), outside.story
    made = operations.register_webhook(
        by=operator, name="tickets", url=outside.hook.url, kinds=["request.submitted", "request.approved"], now=NOW
    )
    webhook_id, secret = made.recorded.id, made.secret
    assert Entry.objects.get(index=made.recorded.entries[0]).type == EventType.WEBHOOK_REGISTERED
    facts = json.dumps(section_facts([made.recorded.entries[0]])[made.recorded.entries[0]])
    stored = WebhookEndpoint.objects.get()
    for hidden in (secret, secret.removeprefix("whsec_"), outside.hook.url, stored.secret):
        assert hidden not in facts
    assert secret.removeprefix("whsec_") not in stored.secret

    request = story.submitted()
    operations.follow_notices(now=NOW)
    assert outside.deliver() == 1
    assert outside.deliver() == 0
    ((headers, body),) = outside.hook.posts
    assert verified(secret, headers, body) == [True]
    assert verified(secret, headers, body + b" ") == [False]
    said = json.loads(body)
    assert (said["specversion"], said["type"]) == ("1.0", "assay.request.submitted")
    assert said["data"]["ref"] == request.ref
    assert said["data"]["url"].endswith(reverse("admin:desk_review", args=[request.pk]))
    assert request.deployment.name.encode() not in body

    # Overlap: the receiver may hold either secret for a day.
    newer = operations.rotate_webhook_secret(by=operator, webhook_id=webhook_id, seen=1, now=outside.now).secret
    operations.queue_test(by=operator, webhook_id=webhook_id, now=outside.now)
    assert outside.deliver() == 1
    assert verified(newer, *outside.hook.posts[-1]) == [True, False]
    assert verified(secret, *outside.hook.posts[-1]) == [False, True]
    outside.now += timedelta(days=1)
    operations.queue_test(by=operator, webhook_id=webhook_id, now=outside.now)
    assert outside.deliver() == 1
    assert verified(newer, *outside.hook.posts[-1]) == [True]
    assert verified(secret, *outside.hook.posts[-1]) == [False]


def test_what_cannot_be_delivered_is_tried_for_a_day_given_up_and_sent_again(outside: Outside) -> None:
    operator, story = login("root", "Operators"), outside.story
    webhook_id, secret = registered(outside, operator)
    request = story.submitted()
    operations.follow_notices(now=NOW)
    assert outside.deliver() == 1
    # Pauses grow; the message keeps its id; after ten attempts within a day it is given up.
    outside.hook.status, began = 500, outside.now
    story.decided(request)
    operations.follow_notices(now=NOW)
    outside.deliver()
    row = WebhookDelivery.objects.get(kind="request.approved")
    while row.state == "failed":
        assert outside.deliver() == 0  # not before its time
        outside.now = row.next_at
        outside.deliver()
        row.refresh_from_db()
    assert (row.state, row.attempts, row.last_status, row.last_error) == ("dead", MOST_ATTEMPTS, 500, "HTTP 500")
    assert timedelta(hours=18) < outside.now - began < timedelta(hours=26)
    ids = {headers["webhook-id"] for headers, _body in outside.hook.posts[-MOST_ATTEMPTS:]}
    assert len(ids) == 1
    assert REASON.encode() not in outside.hook.posts[-1][1]
    operations.sweep_notices(now=outside.now)
    assert Notification.objects.get(kind="webhook.dead").person_id == operator.person_id

    client = browser(operator)
    for name, args in (
        ("desk_webhooks", []), ("desk_webhook_new", []), ("desk_webhook", [webhook_id]),
        ("desk_webhook_change", [webhook_id]),
    ):  # fmt: skip
        page = client.get(reverse(f"admin:{name}", args=args))
        assert page.status_code == 200, name
        assert secret not in page.content.decode()
        shown = browser(story.reviewer).get(reverse(f"admin:{name}", args=args)).content.decode()
        assert outside.hook.url not in shown
    assert "HTTP 500" in client.get(reverse("admin:desk_webhooks")).content.decode()
    outside.hook.status = 204
    assert client.post(reverse("admin:desk_delivery_again", args=[row.pk])).status_code == 302
    row.refresh_from_db()
    outside.now = max(outside.now, row.next_at)
    assert outside.deliver() == 1
    assert outside.hook.posts[-1][0]["webhook-id"] in ids


def test_only_operators_register_and_only_addresses_that_may_be_are_asked(outside: Outside) -> None:
    operator, story = login("root", "Operators"), outside.story
    with pytest.raises(operations.Refused, match="Only members"):
        operations.register_webhook(
            by=story.reviewer, name="x", url=outside.hook.url, kinds=["request.submitted"], now=NOW
        )
    for url, words in (
        ("https://10.0.0.1/x", "private network"),
        ("https://user:pass@hooks.example/x", "password"),
        ("ftp://hooks.example", "https"),
    ):
        with pytest.raises(operations.Refused, match=words):
            operations.register_webhook(by=operator, name="x", url=url, kinds=["request.submitted"], now=NOW)
    webhook_id, _secret = registered(outside, operator)
    # A redirect is not followed; a name that leads into a private network is not asked.
    outside.hook.status, outside.hook.location = 302, outside.hook.url
    operations.queue_test(by=operator, webhook_id=webhook_id, now=outside.now)
    posts = len(outside.hook.posts)
    outside.deliver()
    assert len(outside.hook.posts) == posts + 1
    assert WebhookDelivery.objects.get(last_status=302).state == "failed"
    settings.WEBHOOK_ALLOWED_NETWORKS = ()
    outside.deliver(after=60)
    assert len(outside.hook.posts) == posts + 1
    assert WebhookDelivery.objects.get(state="failed").last_error == "address refused"
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)

    with pytest.raises(operations.Refused, match="changed since"):
        operations.rotate_webhook_secret(by=operator, webhook_id=webhook_id, seen=9, now=outside.now)
    off = operations.change_webhook(
        by=operator, webhook_id=webhook_id, name="tickets", url=outside.hook.url, kinds=["request.submitted"],
        active=False, seen=1, now=outside.now,
    )  # fmt: skip
    assert Entry.objects.get(index=off.entries[0]).type == EventType.WEBHOOK_DEACTIVATED
    assert not WebhookDelivery.objects.filter(state__in=["waiting", "failed"]).exists()
    assert reconcile() == []


def test_pauses_grow_and_move_by_a_fifth_at_most() -> None:
    for number in range(1, MOST_ATTEMPTS):
        assert pause_after(number, 0) < pause_after(number, 0.5) < pause_after(number, 1) < pause_after(number + 1, 0)


def test_a_killed_worker_sends_again_and_two_workers_send_once(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = login("root", "Operators")
    made = operations.register_webhook(
        by=operator, name="tickets", url=outside.hook.url, kinds=["request.submitted"], now=NOW
    )

    class Killed(BaseException):
        pass

    def die(*_args: object, **_more: object) -> None:
        raise Killed

    operations.queue_test(by=operator, webhook_id=made.recorded.id, now=NOW)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(delivering, "_close", die)  # the process ends between sending and writing that down
        outside.deliver()
    assert len(outside.hook.posts) == 1
    assert outside.deliver(after=30) == 0
    assert outside.deliver(after=300) == 1
    assert len({headers["webhook-id"] for headers, _body in outside.hook.posts}) == 1

    queued = [operations.queue_test(by=operator, webhook_id=made.recorded.id, now=outside.now) for _number in range(30)]
    start, sent = Barrier(2), []

    def work() -> None:
        start.wait(10)
        try:
            for _round in range(3):
                sent.append(outside.deliver())
        finally:
            connections.close_all()

    workers = [Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    # No attempt was made twice. The small listener may drop one of so many connections; that one is tried again.
    assert set(WebhookDelivery.objects.filter(pk__in=queued).values_list("attempts", flat=True)) == {1}
    failed = WebhookDelivery.objects.filter(state="failed").count()
    assert sum(sent) + failed == 30
    assert outside.deliver(after=60) == failed
    assert not WebhookDelivery.objects.exclude(state="delivered").exists()


def test_mails_go_out_at_once_and_the_rest_in_one_digest_a_day(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = outside.story
    operations.prefer(
        by=story.reviewer, language="ja", waiting="at_once", outcome="none", deadline="none", platform="none",
        digest=True,
    )  # fmt: skip
    monkeypatch.setattr(mailing, "MOST_AN_HOUR", 2)
    requests = [story.submitted(f"secret-name-{number}") for number in range(3)]
    operations.follow_notices(now=NOW)
    outside.mail.refuse = "451 later"
    assert outside.send() == 0
    assert outside.send() == 0
    outside.mail.refuse = ""
    # The second reviewer has no address; the third mail of the first waits for the digest.
    assert outside.send(after=60) == 2
    assert outside.send(after=60) == 0
    first = outside.mail.mails[0]
    assert first["To"] == "okafor@assay.example"
    assert str(first["Subject"]).strip().startswith("REQ-")
    assert reverse("admin:desk_notification_preferences") in first["List-Unsubscribe"]
    assert first["Auto-Submitted"] == "auto-generated"
    words = text_of(first)
    assert "secret-name" not in words
    (named,) = [request for request in requests if request.ref in first["Subject"]]
    assert reverse("admin:desk_review", args=[named.pk]) in words
    held = Notification.objects.get(mail="digest")
    assert held.person_id == story.reviewer.person_id
    assert set(Notification.objects.filter(person=story.second_reviewer.person_id).values_list("mail", flat=True)) == {
        "none"
    }

    outside.now = NOW + timedelta(hours=1, minutes=30)
    assert outside.send() == 1
    assert outside.send() == outside.send(after=3600) == 0  # two beats, one digest
    digest = text_of(outside.mail.mails[-1])
    places = [digest.index(request.ref) for request in requests]
    assert places == sorted(places)
    assert "secret-name" not in digest
    assert NotificationDigest.objects.get().state == "sent"
    held.refresh_from_db()
    assert held.mail == "sent"

    # The next day there is another; what was decided no longer waits, and nothing waiting means no mail.
    outside.now = NOW + timedelta(days=1, hours=2)
    for request in requests:
        story.decided(request)
    assert outside.send() == 0
    assert NotificationDigest.objects.count() == 1
    # Who wants no mails about outcomes gets none, who wants them gets them without the decision.
    operations.follow_notices(now=NOW)
    NotificationPreference.objects.filter(pk=story.reviewer.person_id).update(waiting="none")
    assert outside.send() == 2  # the limit holds for the requester too
    assert outside.mail.mails[-1]["To"] == "watanabe@assay.example"
    assert REASON not in text_of(outside.mail.mails[-1])
    assert "approve" not in text_of(outside.mail.mails[-1]).lower()


def test_rest_is_for_operators_who_logged_in(outside: Outside) -> None:
    operator = browser(login("root", "Operators"))
    address = reverse("api-webhooks")
    body = {"name": "tickets", "url": outside.hook.url, "kinds": ["request.submitted"]}

    def send(way: str, address: str, content: object) -> tuple[int, dict[str, object]]:
        answer = getattr(operator, way)(address, json.dumps(content), content_type="application/json")
        return answer.status_code, answer.json()

    assert browser(outside.story.reviewer).get(address).status_code == 403
    refused = browser(outside.story.reviewer).post(address, json.dumps(body), content_type="application/json")
    assert refused.status_code == 403
    assert send("post", address, {**body, "kinds": ["nonsense"]})[0] == 400
    assert send("post", address, {**body, "url": "http://10.0.0.1/"})[1]["field"] == "url"
    status, made = send("post", address, body)
    assert (status, str(made["secret"])[:6]) == (201, "whsec_")
    one = reverse("api-webhook", args=[made["id"]])
    assert "secret" not in operator.get(one).json()
    assert operator.get(address).json()["items"][0]["url"] == outside.hook.url
    assert send("put", one, {**body, "active": True, "row_version": 7})[0] == 409
    assert send("put", one, {**body, "name": "others", "active": True, "row_version": 1})[0] == 201
    assert send("post", reverse("api-webhook-secret", args=[made["id"]]), {"row_version": 2})[0] == 201
    status, queued = send("post", reverse("api-webhook-test", args=[made["id"]]), {})
    assert status == 202
    outside.now = WebhookDelivery.objects.get().next_at
    assert outside.deliver() == 1
    (delivery,) = operator.get(reverse("api-webhook-deliveries", args=[made["id"]])).json()["items"]
    assert (delivery["id"], delivery["state"], delivery["status"]) == (queued["id"], "delivered", 204)
    again = reverse("api-webhook-delivery-again", args=[UUID(str(queued["id"]))])
    assert send("post", again, {})[0] == 400
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege(%s, 'webhook_endpoint', 'SELECT')", [settings.DATABASE_ROLES["reader"]]
        )
        assert cursor.fetchone() == (False,)
