"""Monthly cost of own cards, cloud and API: the worked example to the cent, published break-evens, refusals."""

from dataclasses import replace
from decimal import Decimal

import pytest

from governance.capacity.cost import (
    Api,
    CloudCards,
    CostRefused,
    Load,
    OwnHardware,
    Price,
    Prices,
    break_even_utilisation,
    cloud_month,
    compare,
    money,
    own_fixed,
    own_month,
    own_variable,
    payback_months,
)

D = Decimal


def price(low: str, mid: str | None = None, high: str | None = None) -> Price:
    return Price(D(low), D(mid or low), D(high or mid or low), "a published list", "2026-11-01")


OWN = OwnHardware(
    investment=price("385000"),
    months=36,
    residual=D("0.25"),
    staff_per_month=D(3125),
    maintenance_per_year=D("0.05"),
    full_power_kw=D("10.2"),
    idle=D("0.3"),
    pue=D("1.54"),
    kwh=price("0.15"),
)
LOAD = Load(input_tokens=900_000_000, output_tokens=120_000_000, reasoning_tokens=0, utilisation=D(1))


def cloud(hour: str) -> CloudCards:
    return CloudCards(price(hour), 8)


def test_the_worked_example_to_the_cent() -> None:
    assert money(own_month(OWN, "mid", D(1))) == "14470.03"
    assert money(own_fixed(OWN, "mid")) == "13266.01"
    assert money(own_variable(OWN, "mid")) == "1204.02"


@pytest.mark.parametrize(
    ("hour", "month", "utilisation", "months"),
    [
        ("1.25", "7300.00", "2.176", "452.5"),
        ("2.69", "15709.60", "0.915", "41.6"),
        ("2.95", "17228.00", "0.828", "35.7"),
        ("3.99", "23301.60", "0.600", "22.8"),
        ("12.29", "71773.60", "0.188", "5.9"),
    ],
)
def test_break_even_and_payback(hour: str, month: str, utilisation: str, months: str) -> None:
    assert money(cloud_month(cloud(hour), "mid", D(1))) == month
    meeting = break_even_utilisation(OWN, cloud(hour))
    payback = payback_months(OWN, cloud(hour), D(1))
    assert meeting is not None
    assert payback is not None
    assert meeting.quantize(D("0.001")) == D(utilisation)
    assert payback.quantize(D("0.1")) == D(months)


def test_payback_does_not_count_amortisation_twice() -> None:
    slow = replace(OWN, months=360)
    assert payback_months(slow, cloud("2.95"), D(1)) == payback_months(OWN, cloud("2.95"), D(1))


def test_what_never_meets() -> None:
    assert break_even_utilisation(OWN, cloud("0.1")) is None
    assert payback_months(OWN, cloud("0.1"), D(1)) is None


def test_cards_released_while_idle_cost_by_use() -> None:
    released = replace(cloud("2.95"), released_when_idle=True)
    assert cloud_month(released, "mid", D("0.5")) * 2 == cloud_month(released, "mid", D(1))
    assert cloud_month(cloud("2.95"), "mid", D("0.5")) == cloud_month(cloud("2.95"), "mid", D(1))


def test_reasoning_is_its_own_dimension_and_billed_as_output() -> None:
    api = Api(price("1", "2", "3"), price("5", "10", "15"), "an API")
    plain = compare(LOAD, Prices("USD", api=api))
    thinking = compare(replace(LOAD, reasoning_tokens=1_200_000_000), Prices("USD", api=api))
    assert money(plain.options[0].mid) == "3000.00"
    assert money(thinking.options[0].mid) == "15000.00"
    assert plain.options[0].reasoning_share == 0
    assert thinking.options[0].reasoning_share.quantize(D("0.01")) == D("0.91")


def test_a_comparison_has_three_levels_and_a_cheapest() -> None:
    api = Api(price("1", "2", "3"), price("5", "10", "15"), "an API")
    spread = CloudCards(price("1.25", "2.95", "12.29"), 8)
    result = compare(LOAD, Prices("USD", own=OWN, cloud=spread, api=api))
    assert [option.kind for option in result.options] == ["on_prem", "cloud_gpu", "api"]
    assert all(option.low <= option.mid <= option.high for option in result.options)
    assert result.cheapest == "api"
    assert result.break_even_tokens is not None
    assert result.break_even_tokens == int(own_month(OWN, "mid", D(1)) * 120_000_000 / D(3000))


def test_options_without_partners() -> None:
    result = compare(replace(LOAD, output_tokens=0), Prices("USD", own=OWN))
    assert result.options[0].per_million is None
    assert result.break_even_tokens is None
    assert result.break_even_utilisation is None
    free = Api(price("0"), price("0"), "free")
    assert compare(LOAD, Prices("USD", own=OWN, api=free)).break_even_tokens is None


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: price("3", "2"), "price"),
        (lambda: price("-1"), "price"),
        (lambda: price("NaN"), "price"),
        (lambda: Price(D(1), D(1), D(1), "", "2026-11-01"), "price"),
        (lambda: replace(OWN, months=0), "months"),
        (lambda: replace(OWN, residual=D(2)), "residual"),
        (lambda: replace(OWN, idle=D(-1)), "idle"),
        (lambda: replace(LOAD, input_tokens=-1), "load"),
        (lambda: replace(LOAD, utilisation=D(0)), "utilisation"),
        (lambda: compare(LOAD, Prices("USD")), "prices"),
    ],
)
def test_prices_and_loads_that_cannot_be(make: object, field: str) -> None:
    assert callable(make)
    with pytest.raises(CostRefused) as caught:
        make()
    assert caught.value.field == field
