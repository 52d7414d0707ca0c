"""What the templates show beyond the dataset itself: sections, totals, sentences' numbers and charts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from reports.dataset import Approval, Comparison, Field, FieldState, Fit, HardwareWindow, Report, UsageWindow

from . import charts
from .labels import label
from .svg import PALETTE
from .tags import GIB, count, energy, watts

MAX_BUCKETS = 36
WATT = 1000


@dataclass(frozen=True, slots=True)
class Usage:
    """Totals over all windows; `reasoning` None when no source reports it."""

    requests: int | None
    input: int | None
    output: int | None
    reasoning: int | None
    longest: int | None  # reasoning tokens of one answer
    share: int | None  # reasoning tokens in output tokens, permille
    incomplete: int
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Device:
    name: str
    windows: int
    samples: int
    mean_mw: int | None
    max_mw: int | None
    peak_bytes: int | None
    utilisation: int | None
    energy_mj: int | None
    estimated: bool


@dataclass(frozen=True, slots=True)
class Lack:
    """A field that is not provided, with where it belongs."""

    group: str
    field: Field


def usage(windows: Sequence[UsageWindow]) -> Usage | None:
    if not windows:
        return None
    reasoning, output = _sum(windows, "reasoning_tokens"), _sum(windows, "output_tokens")
    return Usage(
        requests=_sum(windows, "requests"),
        input=_sum(windows, "input_tokens"),
        output=output,
        reasoning=reasoning,
        share=round(1000 * reasoning / output) if reasoning is not None and output else None,
        longest=max((item.reasoning_max for item in windows if item.reasoning_max is not None), default=None),
        incomplete=sum(not window.complete for window in windows),
        start=min(window.start for window in windows),
        end=max(window.end for window in windows),
    )


def _sum(windows: Sequence[UsageWindow], field: str) -> int | None:
    known = [value for window in windows if (value := getattr(window, field)) is not None]
    return sum(known) if known else None


def devices(windows: Sequence[HardwareWindow]) -> tuple[Device, ...]:
    found: dict[str, list[HardwareWindow]] = defaultdict(list)
    for window in windows:
        if window.device:
            found[window.device].append(window)
    return tuple(_device(name, found[name]) for name in sorted(found))


def _device(name: str, windows: Sequence[HardwareWindow]) -> Device:
    weight = sum(window.samples for window in windows)

    def mean(field: str) -> int | None:
        known = [(getattr(window, field), window.samples) for window in windows if getattr(window, field) is not None]
        total = sum(samples for _, samples in known)
        return round(sum(value * samples for value, samples in known) / total) if total else None

    def of(field: str) -> list[int]:
        return [value for window in windows if (value := getattr(window, field)) is not None]

    return Device(
        name=name,
        windows=len(windows),
        samples=weight,
        mean_mw=mean("power_mean_mw"),
        max_mw=max(of("power_max_mw"), default=None),
        peak_bytes=max(of("memory_peak_bytes"), default=None),
        utilisation=mean("utilisation_mean_permille"),
        energy_mj=sum(of("energy_mj")) if of("energy_mj") else None,
        estimated=any(window.energy_estimated for window in windows),
    )


def lacks(report: Report) -> tuple[Lack, ...]:
    return tuple(
        Lack(group.key, field)
        for group in report.groups
        for field in group.fields
        if field.state not in (FieldState.PROVIDED, FieldState.DERIVED)
    )


def tally(report: Report) -> tuple[tuple[FieldState, int], ...]:
    counted = Counter(field.state for field in report.fields())
    return tuple((state, counted[state]) for state in FieldState)


GLANCE = (
    ("deployment", "purpose"),
    ("model", "name"),
    ("model_version", "version"),
    ("revision", "engine"),
    ("revision", "revision_digest"),
    ("revision", "reasoning_cap"),
    ("gpu_pool", "name"),
)


def glance(report: Report) -> tuple[tuple[str, Field], ...]:
    """The few fields a reader wants on the first page, with the group each belongs to."""
    known = {(group.key, field.key): field for group in report.groups for field in group.fields}
    return tuple((place[0], known[place]) for place in GLANCE if place in known)


def spare(fit: Fit | None) -> int | None:
    """Usable memory left over, in percent of what is usable; negative when the estimate does not fit."""
    if fit is None or not fit.usable_bytes:
        return None
    return round(100 * (fit.usable_bytes - fit.need_bytes) / fit.usable_bytes)


def decision(report: Report) -> Approval | None:
    """Where the revision that is reported stands: the newest step about it, or else of any request."""
    fields = (field for group in report.groups if group.key == "revision" for field in group.fields)
    digest = next((field.value for field in fields if field.key == "revision_digest"), None)
    about = [step for step in report.approvals if step.digest == digest]
    return max(about or report.approvals, key=lambda step: step.entry, default=None)


def memory_chart(fit: Fit) -> SafeString:
    title = _("Estimated memory %(need).1f GiB of %(usable).1f GiB usable: %(verdict)s.") % {
        "need": fit.need_bytes / GIB,
        "usable": fit.usable_bytes / GIB,
        "verdict": label(fit.verdict).lower(),
    }
    words = {"unit": _("GiB"), "usable": _("usable"), "measured": _("measured peak")}
    return SafeString(charts.memory(fit, title, words))


def usage_chart(windows: Sequence[UsageWindow]) -> SafeString:
    bars = [_column(bucket) for bucket in _buckets(windows)]
    total = usage(windows)
    if total is None:
        return SafeString("")
    title = _("Tokens per window, %(count)s windows: %(input)s in, %(output)s out.") % {
        "count": len(windows),
        "input": count(total.input),
        "output": count(total.output),
    }
    names = (_("input"), _("answer"), _("reasoning"))
    return SafeString(charts.columns(bars, names, title, _("Tokens"), _("incomplete")))


def _column(windows: Sequence[UsageWindow]) -> charts.Column:
    reasoning = sum(window.reasoning_tokens or 0 for window in windows)
    output = max(sum(window.output_tokens or 0 for window in windows), reasoning)
    return charts.Column(
        label=f"{datetime.fromisoformat(windows[0].start):%H:%M:%S}",
        parts=(sum(window.input_tokens or 0 for window in windows), output - reasoning, reasoning),
        absent=any(not window.complete for window in windows),
    )


def _buckets(windows: Sequence[UsageWindow]) -> list[Sequence[UsageWindow]]:
    """Neighbouring windows together, so that at most MAX_BUCKETS columns are drawn."""
    ordered = sorted(windows, key=lambda window: (window.start, window.source))
    size = -(-len(ordered) // MAX_BUCKETS) or 1
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


def power_chart(windows: Sequence[HardwareWindow]) -> SafeString:
    times = sorted({window.start for window in windows})
    names = sorted({window.device for window in windows if window.device})[: len(PALETTE)]
    at = {(window.device, window.start): window.power_mean_mw for window in windows}

    def watt(name: str, time: str) -> float | None:
        value = at.get((name, time))
        return None if value is None else value / WATT

    series = [charts.Series(name, tuple(watt(name, time) for time in times)) for name in names]
    if not any(value is not None for item in series for value in item.values):
        return SafeString("")
    facts = "; ".join(f"{item.name} {watts(item.mean_mw)}" for item in devices(windows) if item.name in names)
    title = _("Mean power by window. Mean over all windows: %(facts)s.") % {"facts": facts}
    labels = [f"{datetime.fromisoformat(time):%H:%M:%S}" for time in times]
    return SafeString(charts.lines(series, labels, title, _("Watts")))


def comparison_chart(comparison: Comparison) -> SafeString:
    rows = [
        charts.Bar(option.name, float(option.low), float(option.mid), float(option.high), option.chosen)
        for option in comparison.options
    ]
    facts = "; ".join(f"{row.label} {row.mid:,.0f}" for row in rows)
    title = _("Monthly cost in %(currency)s: %(facts)s.") % {"currency": comparison.currency, "facts": facts}
    return SafeString(charts.bars(rows, title, _("%(currency)s a month") % {"currency": comparison.currency}))


def total_energy(items: Sequence[Device]) -> str:
    known = [item.energy_mj for item in items if item.energy_mj is not None]
    return energy(sum(known) if known else None)


def root_chart(root: str) -> SafeString:
    title = _("The 32 bytes of the root hash drawn as tones, beginning with %(start)s.") % {"start": root[:8]}
    return SafeString(charts.mosaic(root, title))
