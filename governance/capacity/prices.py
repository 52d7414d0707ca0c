"""Prices and loads that a cost comparison is made of; every price says where and when it was read."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

Level = Literal["low", "mid", "high"]
LEVELS: Final[tuple[Level, ...]] = ("low", "mid", "high")


class CostRefused(ValueError):
    """Prices or a load that no comparison can be made of; the message names the field and the reason."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Price:
    """A price row: three levels, and where and when they were read."""

    low: Decimal
    mid: Decimal
    high: Decimal
    source: str
    as_of: str

    def __post_init__(self) -> None:
        if not all(value.is_finite() for value in (self.low, self.mid, self.high)):
            raise CostRefused("price", "must be a finite number.")
        if not 0 <= self.low <= self.mid <= self.high:
            raise CostRefused("price", "low, mid and high must rise and not be negative.")
        if not self.source or not self.as_of:
            raise CostRefused("price", "needs a source and a date.")

    def at(self, level: Level) -> Decimal:
        return {"low": self.low, "mid": self.mid, "high": self.high}[level]


@dataclass(frozen=True, slots=True)
class OwnHardware:
    """Own cards. Money in the currency of the comparison, per month where it says so.

    Attributes:
        investment: servers and network, whole sum.
        residual, maintenance_per_year: fractions of the investment.
        full_power_kw: draw of the servers at full load; `idle` is the fraction drawn without load.
    """

    investment: Price
    months: int
    residual: Decimal
    staff_per_month: Decimal
    maintenance_per_year: Decimal
    full_power_kw: Decimal
    idle: Decimal
    pue: Decimal
    kwh: Price

    def __post_init__(self) -> None:
        if self.months < 1:
            raise CostRefused("months", "must be at least 1.")
        for field in ("residual", "idle"):
            if not 0 <= getattr(self, field) <= 1:
                raise CostRefused(field, "must be between 0 and 1.")


@dataclass(frozen=True, slots=True)
class CloudCards:
    """Rented cards: price of one card for one hour."""

    card_hour: Price
    cards: int
    released_when_idle: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """A model behind somebody's API: prices of a million input and output tokens."""

    input_million: Price
    output_million: Price
    name: str


@dataclass(frozen=True, slots=True)
class Prices:
    """The options of one comparison; None means that the option is not looked at."""

    currency: str
    own: OwnHardware | None = None
    cloud: CloudCards | None = None
    api: Api | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """Work of a month in tokens; reasoning is its own dimension because it alone can grow tenfold."""

    input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    utilisation: Decimal

    def __post_init__(self) -> None:
        if min(self.input_tokens, self.output_tokens, self.reasoning_tokens) < 0:
            raise CostRefused("load", "tokens cannot be negative.")
        if not 0 < self.utilisation <= 1:
            raise CostRefused("utilisation", "must be above 0 and at most 1.")
