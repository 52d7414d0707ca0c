"""What a month costs on own cards, on cloud cards and by API, and where they meet. No price is in the code.

    month         = 730 hours; u = utilisation from 0 to 1
    amortisation  = investment * (1 - residual) / months
    energy(u)     = full power in kW * (idle + (1 - idle) * u) * PUE * price of a kWh * 730
    own(u)        = amortisation + staff + maintenance + energy(u)
    cloud(u)      = price of a card-hour * cards * 730 * (u when cards are released while idle, else 1)
    API           = input * price in + (output + reasoning) * price out        (reasoning is billed as output)
    break-even u* = fixed part of own / (cloud * 730 - variable energy)        (above 1: never)
    payback       = investment / (cloud month - own cash month), in months; amortisation is not cash

Every price comes from the caller with low, mid and high, a currency, a date and a source: for one card the
published prices differ by a factor of ten, so a single figure without its source cannot be checked.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from governance.capacity.prices import (
    LEVELS,
    Api,
    CloudCards,
    CostRefused,
    Level,
    Load,
    OwnHardware,
    Price,
    Prices,
)

__all__ = [
    "LEVELS",
    "Api",
    "CloudCards",
    "CostComparison",
    "CostRefused",
    "Level",
    "Load",
    "Option",
    "OwnHardware",
    "Price",
    "Prices",
    "api_month",
    "break_even_utilisation",
    "cloud_month",
    "compare",
    "money",
    "own_fixed",
    "own_month",
    "own_variable",
    "payback_months",
]

HOURS_PER_MONTH: Final = Decimal(730)
MILLION: Final = Decimal(1_000_000)
CENT: Final = Decimal("0.01")
FORMULA_VERSION: Final = "cost-1"


@dataclass(frozen=True, slots=True)
class Option:
    """Monthly cost of one way to run the load, and of a million answered tokens (output and reasoning)."""

    kind: Literal["on_prem", "cloud_gpu", "api"]
    name: str
    low: Decimal
    mid: Decimal
    high: Decimal
    reasoning_share: Decimal
    per_million: Decimal | None


@dataclass(frozen=True, slots=True)
class CostComparison:
    """All options at the same load.

    Attributes:
        break_even_utilisation: where own cards cost as much as cloud cards, mid prices; above 1: never.
        payback_months: cash payback against cloud at this load; None when they never pay back.
        break_even_tokens: answered tokens a month at which own cards cost as much as the API, mid prices.
    """

    currency: str
    options: tuple[Option, ...]
    cheapest: str
    break_even_utilisation: Decimal | None
    payback_months: Decimal | None
    break_even_tokens: int | None
    formula_version: str = FORMULA_VERSION


def own_fixed(own: OwnHardware, level: Level) -> Decimal:
    """Monthly cost of own cards that does not depend on the load."""
    investment = own.investment.at(level)
    amortisation = investment * (1 - own.residual) / own.months
    return amortisation + _cash_fixed(own, level)


def own_variable(own: OwnHardware, level: Level) -> Decimal:
    """Monthly cost that full load adds to own cards."""
    return _energy_full(own, level) * (1 - own.idle)


def own_month(own: OwnHardware, level: Level, utilisation: Decimal) -> Decimal:
    """Monthly cost of own cards at a utilisation."""
    return own_fixed(own, level) + own_variable(own, level) * utilisation


def cloud_month(cloud: CloudCards, level: Level, utilisation: Decimal) -> Decimal:
    """Monthly cost of rented cards at a utilisation."""
    used = utilisation if cloud.released_when_idle else Decimal(1)
    return cloud.card_hour.at(level) * cloud.cards * HOURS_PER_MONTH * used


def api_month(api: Api, level: Level, load: Load) -> Decimal:
    """Monthly cost of the API; reasoning tokens are billed as output."""
    answered = load.output_tokens + load.reasoning_tokens
    paid = load.input_tokens * api.input_million.at(level) + answered * api.output_million.at(level)
    return paid / MILLION


def break_even_utilisation(own: OwnHardware, cloud: CloudCards, level: Level = "mid") -> Decimal | None:
    """Utilisation above which own cards beat cloud cards paid by use; None when they never do."""
    rented = cloud.card_hour.at(level) * cloud.cards * HOURS_PER_MONTH - own_variable(own, level)
    return own_fixed(own, level) / rented if rented > 0 else None


def payback_months(own: OwnHardware, cloud: CloudCards, utilisation: Decimal, level: Level = "mid") -> Decimal | None:
    """Months until the investment is saved against cloud cards; amortisation is not cash and is left out."""
    cash = _cash_fixed(own, level) + own_variable(own, level) * utilisation
    saved = cloud_month(cloud, level, utilisation) - cash
    return own.investment.at(level) / saved if saved > 0 else None


def compare(load: Load, prices: Prices) -> CostComparison:
    """Put every priced option beside the others at the same load.

    Raises:
        CostRefused: no option has prices.
    """
    options = tuple(_options(load, prices))
    if not options:
        raise CostRefused("prices", "at least one option needs prices.")
    own, cloud, api = prices.own, prices.cloud, prices.api
    return CostComparison(
        currency=prices.currency,
        options=options,
        cheapest=min(options, key=lambda option: option.mid).kind,
        break_even_utilisation=break_even_utilisation(own, cloud) if own and cloud else None,
        payback_months=payback_months(own, cloud, load.utilisation) if own and cloud else None,
        break_even_tokens=_break_even_tokens(own, api, load) if own and api else None,
    )


def money(amount: Decimal) -> str:
    """An amount as it is stored and printed: two decimals, half up."""
    return str(amount.quantize(CENT, rounding=ROUND_HALF_UP))


def _options(load: Load, prices: Prices) -> list[Option]:
    found = []
    own, cloud, api = prices.own, prices.cloud, prices.api
    if own is not None:
        found.append(
            _option("on_prem", "Own cards", [own_month(own, level, load.utilisation) for level in LEVELS], load)
        )
    if cloud is not None:
        month = [cloud_month(cloud, level, load.utilisation) for level in LEVELS]
        found.append(_option("cloud_gpu", f"{cloud.cards} cloud cards", month, load))
    if api is not None:
        found.append(_option("api", api.name, [api_month(api, level, load) for level in LEVELS], load))
    return found


def _option(kind: Literal["on_prem", "cloud_gpu", "api"], name: str, month: list[Decimal], load: Load) -> Option:
    answered = load.output_tokens + load.reasoning_tokens
    return Option(
        kind=kind,
        name=name,
        low=month[0],
        mid=month[1],
        high=month[2],
        reasoning_share=Decimal(load.reasoning_tokens) / answered if answered else Decimal(0),
        per_million=month[1] / (answered / MILLION) if answered else None,
    )


def _cash_fixed(own: OwnHardware, level: Level) -> Decimal:
    maintenance = own.investment.at(level) * own.maintenance_per_year / 12
    return own.staff_per_month + maintenance + _energy_full(own, level) * own.idle


def _energy_full(own: OwnHardware, level: Level) -> Decimal:
    return own.full_power_kw * own.pue * own.kwh.at(level) * HOURS_PER_MONTH


def _break_even_tokens(own: OwnHardware, api: Api, load: Load) -> int | None:
    answered = load.output_tokens + load.reasoning_tokens
    paid = api_month(api, "mid", load)
    if not answered or paid <= 0:
        return None
    return int(own_month(own, "mid", load.utilisation) * answered / paid)
