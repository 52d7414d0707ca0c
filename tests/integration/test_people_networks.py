"""Networks of a token hold on every way in: the short way for events, the site, and REST behind a proxy."""

import json
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from audit.access import services
from config.shortway import ShortWay
from tests.integration.people_story import tell_people
from tests.integration.test_short_way import ask, one, refuse_to_answer
from tests.services.databases import Database


def test_networks_hold_on_every_way(committed: Database) -> None:
    story, now = tell_people(), timezone.now()
    account = services.create_service_account(
        by=story.operator, name="trainer", source_name="mlops", owner_id=story.asker.person_id, now=now
    )
    text = services.issue(
        by=story.asker,
        service_account_id=account.pk,
        scopes=["events:write", "registry:read"],
        days=30,
        networks=["10.1.0.0/16", "2001:db8::/32"],
        now=now,
    ).text
    site, short = get_wsgi_application(), ShortWay(refuse_to_answer)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {text}"}
    for address, status in (
        ("10.1.2.3", "201 Created"),
        ("2001:db8::7", "201 Created"),
        ("::ffff:10.1.0.9", "201 Created"),
    ):
        assert ask(short, one(id=address), **bearer, REMOTE_ADDR=address)[0] == status
    answers = [ask(way, one(), **bearer, REMOTE_ADDR="10.2.0.1") for way in (site, ShortWay(site))]
    for status, _headers, content in answers:
        assert status == "403 Forbidden"
        assert "this network" in json.loads(content)["reason"] and b"10.1" not in content
    client = Client(headers={"Authorization": f"Bearer {text}"})
    assert client.get(reverse("api-models"), REMOTE_ADDR="192.0.2.1").status_code == 403
    assert client.get(reverse("api-models"), REMOTE_ADDR="10.1.9.9").status_code == 200
    with override_settings(BEHIND_TLS_PROXY=True):
        forged: dict[str, Any] = {"REMOTE_ADDR": "10.1.0.1", "HTTP_X_FORWARDED_FOR": "10.1.2.3, 192.0.2.1"}
        assert client.get(reverse("api-models"), **forged).status_code == 403
        honest: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.1, 10.1.2.3"}
        assert client.get(reverse("api-models"), **honest).status_code == 200
