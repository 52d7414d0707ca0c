"""Metrics pages: Prometheus text 0.0.4 and OpenMetrics 1.0, treated as written by somebody hostile.

Lines are read by prometheus_client. Around it stand limits, and a choice of names before parsing: a real vLLM page
holds 440 series, of which a collector needs a dozen. TYPE and HELP lines are not believed, because known exporters
declare counters as gauges and the reverse: a collector knows what each of its names is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

MAX_PAGE_BYTES: Final = 1 << 20
MAX_LINES: Final = 20_000
MAX_LINE_CHARACTERS: Final = 16_384
MAX_SAMPLES: Final = 5_000
MAX_LABELS: Final = 64
MAX_LABEL_CHARACTERS: Final = 1_024
EXACT: Final = 2**53 - 1
"""The largest whole number that every reader of JSON and of doubles holds exactly."""

_NAME_ENDS: Final = frozenset("{ \t")


class PageRefused(ValueError):
    """A page that cannot be read safely or wholly; the message says what is wrong with it and where."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a page.

    Attributes:
        name: as written, including `_total`, `_sum` or `_created`.
        labels: names to values, unescaped.
        value: as parsed; NaN and infinities occur in honest pages and are values here.
    """

    name: str
    labels: Mapping[str, str]
    value: float


def read_page(data: bytes, *, wanted: Collection[str], media: str = "text/plain") -> list[Sample]:
    """The samples of a page that have one of the wanted names, in the order of the page.

    Args:
        data: the whole page.
        wanted: full sample names.
        media: the Content-Type it came with. An OpenMetrics page must end in `# EOF`, which shows that it is whole.

    Raises:
        PageRefused: beyond a limit of this module, not UTF-8, cut off, or a wanted line that does not parse. Lines of
            other names are held to the limits only.
    """
    kept = _wanted_lines(_lines(data), wanted, complete="openmetrics" in media.lower())
    samples = []
    for number, line in kept:
        try:
            parsed = [sample for family in text_string_to_metric_families(line) for sample in family.samples]
        except (ValueError, IndexError) as error:
            raise PageRefused(f"line {number} does not parse: {line[:80]!r}") from error
        for sample in parsed:
            _check_labels(number, sample.labels)
            samples.append(Sample(sample.name, dict(sample.labels), _double(sample.value)))
    return samples


def _lines(data: bytes) -> list[str]:
    if len(data) > MAX_PAGE_BYTES:
        raise PageRefused(f"the page has more than {MAX_PAGE_BYTES} bytes")
    if b"\x00" in data:
        raise PageRefused("the page holds a NUL byte")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PageRefused(f"the page is not UTF-8 at byte {error.start}") from error
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise PageRefused(f"the page has more than {MAX_LINES} lines")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_CHARACTERS:
            raise PageRefused(f"line {number} has more than {MAX_LINE_CHARACTERS} characters")
    return lines


def _wanted_lines(lines: list[str], wanted: Collection[str], *, complete: bool) -> list[tuple[int, str]]:
    kept = []
    last = ""
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        last = line or last
        if line and not line.startswith("#") and _name(line) in wanted:
            kept.append((number, line))
    if complete and last != "# EOF":
        raise PageRefused("the page does not end in # EOF: it was cut off")
    if len(kept) > MAX_SAMPLES:
        raise PageRefused(f"the page has more than {MAX_SAMPLES} samples of the names asked for")
    return kept


def _name(line: str) -> str:
    """The name that a line starts with; names in quotes inside braces are none that a collector asks for."""
    for position, character in enumerate(line):
        if character in _NAME_ENDS:
            return line[:position]
    return line


def _check_labels(number: int, labels: Mapping[str, str]) -> None:
    if len(labels) > MAX_LABELS:
        raise PageRefused(f"line {number} has more than {MAX_LABELS} labels")
    for value in labels.values():
        if len(value) > MAX_LABEL_CHARACTERS:
            raise PageRefused(f"line {number} has a label of more than {MAX_LABEL_CHARACTERS} characters")


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def whole(value: float) -> int | None:
    """A value as a whole number, rounded half to even; None for what is no amount: NaN, infinite, beyond 2**53 - 1."""
    return scaled(value, 1)


def scaled(value: float, factor: int) -> int | None:
    """`value` x `factor` as a whole number, for a change of unit (W to mW: 1000); None for what is no amount.

    Exact in decimal, so that 0.29 x 1000 is 290 whatever the double says.
    """
    if not isfinite(value):
        return None
    result = round(Decimal(repr(value)) * factor)
    return result if -EXACT <= result <= EXACT else None
