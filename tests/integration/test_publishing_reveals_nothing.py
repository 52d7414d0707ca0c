"""Public files hold nothing that anybody said: no content, no name, no address, in no encoding."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from django.apps import apps
from django.conf import LazySettings
from django.conf import settings as current
from django.test import Client

from audit.events import CLIENT_TYPES, RESERVED_TYPES
from audit.models import Person, Section, Target, User
from audit.publishing.folder import FolderStore
from audit.signer.core import Outcome
from audit.tlog.leaf import parse_leaf
from audit.tlog.section import opens
from audit.tlog.tiles import decode_bundle
from audit.windows import seal_windows
from demo.seed import seed
from tests.integration.access import pipeline
from tests.integration.signer_story import signer
from tests.integration.test_publishing import look
from tests.services.constants import ORIGIN
from tests.services.databases import Database

SAID = {
    "event id": "evt-Quokka-4711",
    "type": "quokka.hopped",
    "subject": "wombat-7/Borrower-Nakagawa",
    "key": "numbatKey",
    "value": "Echidna prompt: 住宅ローンの審査",
    "user agent": "Bandicoot/9.8.7",
    "address": "203.0.113.77",
    "media type": "application/vnd.potoroo+json",
    "header": "X-Pademelon-0815",
    "record id": "rec-Bettong-42",
    "model": "dingo-70b-instruct-private",
}
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FORMS = {
    "source": f"app|collector|signer|source:{_UUID}",
    "subject": f"[a-z_]+:{_UUID}|x:[0-9a-f]{{64}}",
    "actor": f"(person|service):{_UUID}|system:[a-z_-]+",
    "id": _UUID,
}
_MEDIA = {"application/json", "application/openmetrics-text"}


def encodings(text: str) -> set[bytes]:
    """How a text may stand in a file, lower case: also inside Base64, wherever it begins."""
    data = text.encode()
    found = {data, data.hex().encode(), text.encode("utf-16-le"), text.encode("utf-16-be")}
    found |= {json.dumps(text)[1:-1].encode(), quote(text, safe="").encode()}
    for shift in range(3):
        # The digits that only this text decides: without those at its ends that it shares with its neighbours.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            digits = encode(bytes(shift) + data).rstrip(b"=")
            found.add(digits[-(-shift * 4 // 3) : len(digits) - 1])
    return {item.lower() for item in found}


def test_the_search_finds_what_it_looks_for() -> None:
    for padding in (b"", b"a", b"ab"):
        haystack = base64.b64encode(padding + SAID["value"].encode() + b"more").lower()
        assert any(needle in haystack for needle in encodings(SAID["value"]))
    assert any(
        needle in b"...4563686964" + SAID["value"].encode().hex().encode() for needle in encodings(SAID["value"])
    )


def send(client: Client, url: str, body: object, headers: dict[str, str]) -> None:
    answer = client.generic(
        "POST",
        url,
        json.dumps(body, ensure_ascii=False).encode(),
        content_type="application/json",
        headers={**headers, "User-Agent": SAID["user agent"], SAID["header"]: SAID["header"]},
        REMOTE_ADDR=SAID["address"],
    )
    assert answer.status_code == 201, answer.content


def say_everything(now: datetime) -> set[str]:
    """Fill the log as the demo does and as a talkative pipeline does; every text that must not get out."""
    seeded = seed(now=now)
    sender = pipeline("tasmanian-pipeline")
    event = {
        "id": SAID["event id"],
        "type": SAID["type"],
        "subject": SAID["subject"],
        "occurred_at": now.isoformat(),
        "data": {SAID["key"]: SAID["value"], "model": SAID["model"], "media": SAID["media type"]},
    }
    more = [{**event, "id": f"more-Quokka-{number}"} for number in range(300)]
    send(Client(), "/api/v1/events", [event, *more], sender.headers)
    record = {
        "id": SAID["record id"],
        "subject": f"deployment:{seeded.running.pk}",
        "occurred_at": (now - 6 * current.USAGE_WINDOW).isoformat(),
        "model": SAID["model"],
        "operation": "chat",
        "input_tokens": 1,
        "output_tokens": 1,
    }
    send(Client(), "/api/v1/usage", record, sender.headers)
    assert seal_windows(now=now).windows == 1
    return {*SAID.values(), sender.token, "more-Quokka-", "tasmanian-pipeline", *stored_texts()}


def stored_texts() -> set[str]:
    """Names, addresses and free texts of the organisation's own rows."""
    columns = [(User, "username"), (Person, "display_name"), (Person, "email"), (Target, "url")]
    for model in apps.get_app_config("governance").get_models():
        names = {field.name for field in model._meta.get_fields()} & {"name", "title", "reason", "purpose"}
        columns += [(model, name) for name in names]
    texts = {text for model, name in columns for text in model._default_manager.values_list(name, flat=True)}
    return {text for text in texts if text and len(text) > 4}


def test_public_files_reveal_nothing(
    committed: Database, signer_state: Path, tmp_path: Path, settings: LazySettings
) -> None:
    settings.DATA_DIR = tmp_path / "files"
    settings.DATA_DIR.mkdir()
    said = say_everything(datetime.now(UTC))
    assert len(said) > 40
    with signer(signer_state) as hand:
        assert hand.look() is Outcome.SIGNED
    public = tmp_path / "public"
    assert look(FolderStore(public), tmp_path).state == "ok"
    files = {path: path.read_bytes() for path in public.rglob("*") if path.is_file()}
    assert len(files) == 7
    everything = b"\0".join(files.values()).lower() + "\0".join(map(str, files)).lower().encode()
    found = {text for text in said if any(needle in everything for needle in encodings(text))}
    assert found == set()
    salts = [bytes(salt) for salt in Section.objects.values_list("salt", flat=True)]
    bodies = [bytes(body) for body in Section.objects.values_list("body", flat=True) if len(body) > 20]
    for secret in (*salts, *bodies):
        assert secret not in everything
        assert secret.hex().encode() not in everything
        assert base64.b64encode(secret).lower() not in everything
    entries = [leaf for path in files if "entries" in path.parts for leaf in decode_bundle(files[path])]
    for leaf in entries:
        only_what_a_leaf_may_say(leaf)
    _sections_still_open(entries)


def only_what_a_leaf_may_say(leaf: bytes) -> None:
    """Nothing but ids, times, catalogue values and commitments."""
    said = parse_leaf(leaf)
    assert said.origin == ORIGIN
    assert said.type in {*CLIENT_TYPES, *RESERVED_TYPES} or re.fullmatch("x:[0-9a-f]{64}", said.type)
    for name, form in _FORMS.items():
        assert re.fullmatch(form, getattr(said, name)), (name, getattr(said, name))
    assert set(said.sections) <= {"facts", "personal", "restricted"}
    assert {section.media for section in said.sections.values()} <= _MEDIA


def _sections_still_open(entries: list[bytes]) -> None:
    """What is hidden is committed to: with section and salt, each of the leaves shows that it meant them."""
    for row in Section.objects.all():
        leaf = parse_leaf(entries[row.entry_index])
        commitment = leaf.sections[row.name].commitment
        assert opens(commitment, bytes(row.salt), leaf.origin, leaf.id, row.name, bytes(row.body))
