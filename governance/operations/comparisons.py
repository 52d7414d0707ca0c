"""Recording a comparison of own cards, cloud cards and an API for a deployment."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from audit.events import EventType
from governance.capacity.cost import CostComparison, compare, money
from governance.capacity.prices import Api, CloudCards, CostRefused, Load, OwnHardware, Price, Prices
from governance.models import Comparison, Deployment
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    recorded,
    refuse_unless_registrar,
    text,
)
from governance.snapshot import canonical, digest


def record_comparison(
    *, by: By, deployment_id: UUID, title: str, load: Load, prices: Prices, now: datetime
) -> Recorded:
    """Compare the priced options at a load, and keep load, prices with their sources, and result.

    Raises:
        Refused: no such deployment, or nothing to compare.
    """
    refuse_unless_registrar(by)
    title = text("title", title, limit=200)
    currency = text("currency", prices.currency, limit=10)
    try:
        result = compare(load, prices)
    except CostRefused as error:
        raise Refused(error.field, error.reason) from error
    content = canonical(
        {
            "currency": currency,
            "load": _load(load),
            "prices": {
                "own": _own(prices.own) if prices.own else None,
                "cloud": _cloud(prices.cloud) if prices.cloud else None,
                "api": _api(prices.api) if prices.api else None,
            },
            "result": _result(result),
        }
    )
    with change("title"):
        if not Deployment.objects.filter(pk=deployment_id).exists():
            raise Refused("deployment", "is not registered.")
        row = Comparison.objects.create(
            deployment_id=deployment_id,
            title=title,
            content=content,
            digest=digest(content),
            recorded_by=actor_of(by),
            recorded_at=now,
        )
        made = event("comparison", EventType.COMPARISON_RECORDED, row, actor=actor_of(by), now=now)
        return recorded(row.id, [made])


def _load(load: Load) -> dict[str, Any]:
    return {
        "input_tokens": load.input_tokens,
        "output_tokens": load.output_tokens,
        "reasoning_tokens": load.reasoning_tokens,
        "utilisation": str(load.utilisation),
    }


def _price(price: Price) -> dict[str, str]:
    return {
        "low": str(price.low),
        "mid": str(price.mid),
        "high": str(price.high),
        "source": price.source,
        "as_of": price.as_of,
    }


def _own(own: OwnHardware) -> dict[str, Any]:
    return {
        "investment": _price(own.investment),
        "months": own.months,
        "residual": str(own.residual),
        "staff_per_month": str(own.staff_per_month),
        "maintenance_per_year": str(own.maintenance_per_year),
        "full_power_kw": str(own.full_power_kw),
        "idle": str(own.idle),
        "pue": str(own.pue),
        "kwh": _price(own.kwh),
    }


def _cloud(cloud: CloudCards) -> dict[str, Any]:
    return {
        "card_hour": _price(cloud.card_hour),
        "cards": cloud.cards,
        "released_when_idle": cloud.released_when_idle,
    }


def _api(api: Api) -> dict[str, Any]:
    return {
        "name": api.name,
        "input_million": _price(api.input_million),
        "output_million": _price(api.output_million),
    }


def _result(result: CostComparison) -> dict[str, Any]:
    return {
        "formula_version": result.formula_version,
        "cheapest": result.cheapest,
        "break_even_utilisation": _rounded(result.break_even_utilisation),
        "payback_months": _rounded(result.payback_months),
        "break_even_tokens": result.break_even_tokens,
        "options": [
            {
                "kind": option.kind,
                "name": option.name,
                "low": money(option.low),
                "mid": money(option.mid),
                "high": money(option.high),
                "reasoning_share": _rounded(option.reasoning_share),
                "per_million": _rounded(option.per_million),
            }
            for option in result.options
        ],
    }


def _rounded(value: Decimal | None) -> str | None:
    return None if value is None else str(value.quantize(Decimal("0.001")))
