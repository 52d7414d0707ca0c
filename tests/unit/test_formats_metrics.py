"""Metrics pages as other programs print them, and as somebody hostile would."""

import math

import pytest

from audit.formats.metrics import (
    EXACT,
    MAX_LABEL_CHARACTERS,
    MAX_LABELS,
    MAX_LINE_CHARACTERS,
    MAX_LINES,
    MAX_PAGE_BYTES,
    MAX_SAMPLES,
    PageRefused,
    Sample,
    read_page,
    scaled,
    whole,
)
from tests.absence import needs_shared

TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def read(page: str | bytes, *wanted: str, media: str = TEXT) -> list[Sample]:
    data = page.encode() if isinstance(page, str) else page
    return read_page(data, wanted=frozenset(wanted), media=media)


def numbers(samples: list[Sample]) -> list[float]:
    return [sample.value for sample in samples]


def test_only_named_metrics_are_read() -> None:
    page = read('a_total{x="1"} 5\nab_total 6\n# a_total 7\nb 8\n a_total{x="2"} 9\n', "a_total", "b")
    assert [(sample.name, dict(sample.labels), sample.value) for sample in page] == [
        ("a_total", {"x": "1"}, 5.0),
        ("b", {}, 8.0),
        ("a_total", {"x": "2"}, 9.0),
    ]


def test_type_lines_are_not_believed() -> None:
    """Known exporters type counters as gauges and the reverse; names stay what the page says."""
    text = "# TYPE energy counter\nenergy 128996013\n# TYPE up_total gauge\nup_total 3\n# TYPE energy x\nenergy_sum 2\n"
    assert [(sample.name, sample.value) for sample in read(text, "energy", "up_total", "energy_sum")] == [
        ("energy", 128_996_013.0),
        ("up_total", 3.0),
        ("energy_sum", 2.0),
    ]


def test_labels_are_unescaped_and_may_hold_anything() -> None:
    (sample,) = read('m{a="say \\"hi\\", } # {",b="back\\\\slash"} 1\n', "m")
    assert dict(sample.labels) == {"a": 'say "hi", } # {', "b": "back\\slash"}


def test_timestamps_and_exemplars_are_no_values() -> None:
    assert numbers(read('m{a="1"} 4 1795415457022\nm{a="2"} 5 # {trace_id="f00"} 0.7 1795415457.0\n', "m")) == [4, 5]


def test_carriage_returns_do_no_harm() -> None:
    assert numbers(read("m 1\r\nn 2\r\n", "m", "n")) == [1.0, 2.0]


def test_values_that_are_no_amounts_are_values_of_a_page() -> None:
    found = numbers(read("m NaN\nm +Inf\nm -Inf\nm 1e400\nm 9223372036854775794\nm " + "9" * 400 + "\n", "m"))
    assert math.isnan(found[0])
    assert found[1:4] == [math.inf, -math.inf, math.inf]
    assert [whole(value) for value in found] == [None] * 6


@pytest.mark.parametrize(
    ("value", "factor", "result"),
    [(0.29, 1000, 290), (412.25, 1000, 412_250), (0.0, 1000, 0), (-3.0, 1000, -3000), (0.5, 1, 0), (1.5, 1, 2)],
)
def test_a_change_of_unit_is_exact(value: float, factor: int, result: int) -> None:
    assert scaled(value, factor) == result


def test_an_amount_has_at_most_53_bits() -> None:
    assert whole(float(EXACT)) == EXACT
    assert whole(float(EXACT + 1)) is None
    assert scaled(1e300, 1000) is None


@pytest.mark.parametrize(
    "line",
    [
        "m", "m{", "m{}", "m{a=}", 'm{a="1"}', 'm{a="1} 2', 'm{a="1",a="2"} 2', "m one", "m 1_000", "m 0x10",
        'm{a="1"} 2 3 4 x', 'm{"n"} 2',
    ],
)  # fmt: skip
def test_a_wanted_line_that_does_not_parse_refuses_the_page(line: str) -> None:
    """Half of a page would pass for all of it: use would be missing without a word."""
    with pytest.raises(PageRefused, match="line 2 does not parse"):
        read(f"m 1\n{line}\nn 2\n", "m", "n")
    assert numbers(read(f"{line}\nn 2\n", "n")) == [2.0]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"m 1\n\xff\xfe\n", "not UTF-8 at byte 4"),
        (b"m 1\x00\n", "NUL"),
        (b"m 1\n" + b"x" * (MAX_LINE_CHARACTERS + 1), "line 2 has more than"),
        (b"m" * MAX_PAGE_BYTES, "line 1 has more than"),
        (b"\n" * (MAX_PAGE_BYTES + 1), "bytes"),
        (b"\n" * MAX_LINES, "lines"),
        (b"m 1\n" * (MAX_SAMPLES + 1), "samples"),
        ("m{" + ",".join(f'l{number}="x"' for number in range(MAX_LABELS + 1)) + "} 1", "labels"),
        (f'm{{a="{"x" * (MAX_LABEL_CHARACTERS + 1)}"}} 1', "label of more than"),
    ],
    ids=["UTF-8", "NUL", "long line", "endless line", "size", "lines", "samples", "labels", "label"],
)
def test_a_hostile_page_is_refused(page: str | bytes, reason: str) -> None:
    with pytest.raises(PageRefused, match=reason):
        read(page, "m")


@pytest.mark.parametrize("filling", ["\\", '\\"', '\\"='], ids=["backslashes", "quotes", "quotes and signs"])
def test_a_line_made_to_be_slow_is_refused_by_what_it_says(filling: str) -> None:
    """The parser looks back for backslashes at each quote: the limit on a line bounds what that costs."""
    line = 'm{a="' + filling * ((MAX_LINE_CHARACTERS - 50) // len(filling)) + '"} 1'
    with pytest.raises(PageRefused, match="line 1"):
        read(f"{line}\n", "m")


def test_an_openmetrics_page_that_was_cut_off_is_refused() -> None:
    page = "# TYPE a counter\na_total 5.0\na_created 1.5\n# EOF\n"
    assert numbers(read(page, "a_total", "a_created", media=OPENMETRICS)) == [5.0, 1.5]
    for cut in (page.removesuffix("# EOF\n"), ""):
        with pytest.raises(PageRefused, match="cut off"):
            read(cut, "a_total", media=OPENMETRICS)
    assert read("", "a_total") == []


def test_a_real_vllm_page_before_and_after_a_restart() -> None:
    wanted = ("vllm:generation_tokens_total", "vllm:generation_tokens_created")
    pages = [
        read(needs_shared("samples", "vllm", f"restart_{name}.txt").read_bytes(), *wanted)
        for name in ("1_before", "2_after")
    ]
    assert [numbers(page) for page in pages] == [[100.0, 1795415457.0221798], [7.0, 1795415704.494268]]
    assert dict(pages[0][0].labels) == {"engine": "0", "model_name": "tiny-llama"}


def test_a_real_dcgm_page_keeps_its_energy_counter() -> None:
    page = needs_shared("samples", "dcgm", "t4_driver460_Hostname-label.txt").read_bytes()
    assert numbers(read(page, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_POWER_USAGE")) == [8.969, 128996013]
