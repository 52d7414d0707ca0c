"""The home page's memory and money: what approvals reserve, what is asked for, what was compared."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from governance import operations
from governance.capacity.prices import CloudCards, Load, OwnHardware, Price, Prices
from governance.models import ApprovalRequest
from governance.queries.fleet import fleet
from tests.integration.governance_story import NOW, Story, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def _price(mid: int) -> Price:
    return Price(Decimal(mid), Decimal(mid), Decimal(mid), "a quotation", "2026-11-01")


PRICES = Prices(
    currency="JPY",
    own=OwnHardware(
        investment=_price(4_800_000), months=48, residual=Decimal(0), staff_per_month=Decimal(50_000),
        maintenance_per_year=Decimal(0), full_power_kw=Decimal(0), idle=Decimal(0), pue=Decimal(1), kwh=_price(30),
    ),
    cloud=CloudCards(_price(600), 1, released_when_idle=False),
    api=None,
)  # fmt: skip


def _need(request: ApprovalRequest) -> int:
    return int(json.loads(request.evidence)["need_bytes"])


def test_what_is_approved_is_reserved_and_what_is_open_is_promised(story: Story) -> None:
    approved = story.submitted("claims-triage")
    story.decided(approved)
    waiting = story.submitted("credit-memo-draft", context=4096)
    change = story.submitted("claims-triage", concurrency=16)

    (pool,) = [pool for pool in fleet(now=NOW).pools if pool.id == story.pool]

    assert pool.reserved == _need(approved)
    # A change replaces what it changes: only the difference is new.
    assert pool.promised == _need(waiting) + _need(change) - _need(approved)
    assert pool.measured is None
    assert pool.total == pool.cards * (pool.total // pool.cards)
    assert pool.mark == ("ok" if pool.reserved + pool.promised <= pool.total else "warn")


def test_spend_is_the_newest_comparison_where_the_deployment_runs(story: Story) -> None:
    for name in ("claims-triage", "credit-memo-draft"):
        story.decided(story.submitted(name))
    compared = ApprovalRequest.objects.get(deployment__name="claims-triage").deployment_id
    load = Load(1_000_000, 1_000_000, 0, Decimal("0.5"))
    for days, months in ((0, 24), (1, 48)):
        prices = Prices(
            currency=PRICES.currency, own=_own(months), cloud=PRICES.cloud, api=PRICES.api
        )  # the newer one writes the cards off in twice the time
        operations.record_comparison(
            by=story.requester, deployment_id=compared, title="cards", load=load, prices=prices,
            now=NOW + timedelta(days=days),
        )  # fmt: skip

    found = fleet(now=NOW)

    assert [(spend.currency, spend.total) for spend in found.spends] == [("JPY", Decimal("150000.00"))]
    assert [line.share for line in found.spends[0].lines] == [100.0]
    assert found.uncompared == 1


def _own(months: int) -> OwnHardware:
    assert PRICES.own is not None
    return replace(PRICES.own, months=months)


def test_the_home_page_shows_both(story: Story, client: Client) -> None:
    story.decided(story.submitted("claims-triage"))
    client.force_login(story.reviewer)

    page = client.get(reverse("admin:index")).content.decode()

    assert "GPU memory" in page
    assert "Not measured in the last day" in page
    assert "No deployment that may run has a comparison of costs." in page
