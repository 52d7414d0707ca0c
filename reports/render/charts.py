"""The charts of a report. Each title states the finding, because it becomes the text alternative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.dataset import Fit

from . import svg
from .svg import BAD, INK, INK_2, MUTED, PALETTE

WIDTH = 482.0  # text width of the page, points
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Column:
    """One time bucket of a stacked column chart; `absent` draws a hatch instead of a zero."""

    label: str
    parts: tuple[int, ...]
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One line; a None breaks it."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One option with its low, middle and high estimate; `strong` is the one in use."""

    label: str
    low: float
    mid: float
    high: float
    strong: bool


def memory(fit: Fit, title: str, labels: dict[str, str]) -> str:
    """Estimated memory by term against what the pool can give, with the error band and the measured peak."""
    largest = max(fit.need_bytes, fit.usable_bytes, fit.high_bytes, fit.measured_peak_bytes or 0) / GIB
    marks = svg.ticks(largest)
    top, height, right = 30.0, 34.0, 28.0
    scale = (WIDTH - right) / marks[-1]
    parts = [svg.text(0, 8, labels["unit"], fill=MUTED)]
    foot = top + height + 16
    for mark in marks:
        parts.append(svg.line(mark * scale, top - 6, mark * scale, foot - 6, stroke=svg.HAIR))
        anchor = "start" if mark == 0 else "middle"
        parts.append(svg.text(mark * scale, foot + 4, svg.number(mark), anchor=anchor, fill=MUTED))
    parts.append(svg.box(0, top, fit.usable_bytes / GIB * scale, height, "#ffffff", stroke="#76828e"))
    x = 0.0
    for place, term in enumerate(fit.terms):
        width = term.bytes / GIB * scale
        fill = PALETTE[place % len(PALETTE)]
        parts.append(svg.box(x, top, width, height, fill, stroke="#ffffff"))
        if width > 30:
            colour = svg.ON_FILL.get(fill, INK)
            value = svg.text(
                x + width / 2, top + height / 2 + 2.6, f"{term.bytes / GIB:.1f}", anchor="middle", fill=colour
            )
            parts.append(value)
        x += width
    usable = fit.usable_bytes / GIB * scale
    parts.append(svg.line(usable, top - 8, usable, top + height + 4, stroke=INK, width=1.4))
    note = f"{labels['usable']} {fit.usable_bytes / GIB:.1f}"
    parts.append(svg.text(usable - 4, top - 10, note, anchor="end", fill=INK, bold=True))
    low, high, middle = fit.low_bytes / GIB * scale, fit.high_bytes / GIB * scale, top + height + 5
    parts += [svg.line(low, middle, high, middle, stroke=INK_2, width=1)]
    parts += [svg.line(end, middle - 2.5, end, middle + 2.5, stroke=INK_2, width=1) for end in (low, high)]
    if fit.measured_peak_bytes is not None:
        peak = fit.measured_peak_bytes / GIB * scale
        parts.append(svg.line(peak, top - 3, peak, top + height + 3, stroke=BAD, width=1.4, dash="3 2"))
        anchor = "end" if peak > usable - 70 else "start"
        shift = -4 if anchor == "end" else 4
        words = f"{labels['measured']} {fit.measured_peak_bytes / GIB:.1f}"
        parts.append(svg.text(peak + shift, 8, words, anchor=anchor, fill=BAD, bold=True))
        parts.append(svg.line(peak, 4, peak, top - 3, stroke=BAD, width=0.5))
    return svg.drawing(WIDTH, foot + 8, title, parts)


def columns(bars: Sequence[Column], names: Sequence[str], title: str, unit: str, absent: str) -> str:
    """Stacked columns over time with direct labels at the right; absent buckets are hatched."""
    left, right, top, height = 40.0, 92.0, 18.0, 104.0
    floor_y = top + height
    marks = svg.ticks(max((sum(bar.parts) for bar in bars), default=0))
    scale = height / marks[-1]
    parts = [svg.text(0, 8, unit, fill=MUTED)]
    for mark in marks:
        y = floor_y - mark * scale
        parts.append(svg.line(left, y, WIDTH - right, y, stroke=svg.HAIR))
        parts.append(svg.text(left - 5, y + 2.4, f"{mark:,.0f}", anchor="end", fill=MUTED))
    pitch = (WIDTH - left - right) / max(len(bars), 1)
    width = min(pitch * 0.74, 34.0)
    every = max(1, -(-len(bars) // 9))
    for place, bar in enumerate(bars):
        x = left + pitch * place + (pitch - width) / 2
        y = floor_y
        if bar.absent:
            parts.append(svg.hatch(x, top, width, height))
        for part, fill in zip(bar.parts, PALETTE, strict=False):
            y -= part * scale
            parts.append(svg.box(x, y, width, part * scale, fill))
        if place % every == 0:
            parts.append(svg.text(x + width / 2, floor_y + 11, bar.label, anchor="middle", fill=MUTED))
    parts.append(svg.line(left, floor_y, WIDTH - right, floor_y, stroke=INK, width=0.8))
    parts += _key(names, WIDTH - right + 12, top + 4)
    if any(bar.absent for bar in bars):
        y = top + 4 + 13 * len(names)
        parts += [svg.hatch(WIDTH - right + 12, y, 8, 8, step=3), svg.text(WIDTH - right + 24, y + 6.6, absent)]
    return svg.drawing(WIDTH, floor_y + 16, title, parts)


def lines(series: Sequence[Series], labels: Sequence[str], title: str, unit: str) -> str:
    """Lines from zero, told apart by dash as well as colour, named at their end; gaps stay open."""
    left, right, top, height = 40.0, 104.0, 18.0, 92.0
    floor_y = top + height
    known = [value for item in series for value in item.values if value is not None]
    marks = svg.ticks(max(known, default=0))
    scale = height / marks[-1]
    step = (WIDTH - left - right) / max(len(labels) - 1, 1)
    parts = [svg.text(0, 8, unit, fill=MUTED)]
    for mark in marks:
        y = floor_y - mark * scale
        parts.append(svg.line(left, y, WIDTH - right, y, stroke=svg.HAIR))
        parts.append(svg.text(left - 5, y + 2.4, f"{mark:,.0f}", anchor="end", fill=MUTED))
    every = max(1, -(-len(labels) // 8))
    for place, label in enumerate(labels):
        if place % every == 0:
            parts.append(svg.text(left + step * place, floor_y + 11, label, anchor="middle", fill=MUTED))
    parts.append(svg.line(left, floor_y, WIDTH - right, floor_y, stroke=INK, width=0.8))
    ends = _spread([(_last(item), place) for place, item in enumerate(series)], floor_y, scale)
    for place, item in enumerate(series):
        colour, dash = PALETTE[place % len(PALETTE)], svg.DASHES[place % len(svg.DASHES)]
        for run in _runs(item.values):
            corners = [(left + step * at, floor_y - value * scale) for at, value in run]
            parts.append(
                svg.path(corners, stroke=colour, dash=dash) if len(corners) > 1 else svg.dot(*corners[0], 1.4, colour)
            )
        x, y = WIDTH - right, floor_y - _last(item) * scale
        parts.append(svg.line(x + 2, y, x + 9, ends[place], stroke=colour))
        parts.append(svg.text(x + 12, ends[place] + 2.4, item.name, fill=INK))
    return svg.drawing(WIDTH, floor_y + 16, title, parts)


def bars(rows: Sequence[Bar], title: str, unit: str) -> str:
    """Horizontal bars for the middle estimate with a line from low to high."""
    left, right, pitch = 150.0, 70.0, 18.0
    scale = (WIDTH - left - right) / (max((row.high for row in rows), default=0) or 1)
    parts = [svg.text(left, 8, unit, fill=MUTED)]
    for place, row in enumerate(rows):
        y = 14 + place * pitch
        parts.append(svg.text(left - 8, y + 11, row.label, anchor="end", fill=INK, bold=row.strong))
        parts.append(svg.box(left, y + 4, row.mid * scale, pitch - 7, PALETTE[0] if row.strong else "#9fb6c4"))
        middle = y + pitch / 2 + 0.5
        parts.append(svg.line(left + row.low * scale, middle, left + row.high * scale, middle, stroke=INK, width=0.9))
        for end in (row.low, row.high):
            x = left + end * scale
            parts.append(svg.line(x, middle - 2.5, x, middle + 2.5, stroke=INK, width=0.9))
        x = left + max(row.high, row.mid) * scale + 6
        parts.append(svg.text(x, y + 11, f"{row.mid:,.0f}", bold=row.strong, fill=INK))
    parts.append(svg.line(left, 14, left, 16 + len(rows) * pitch, stroke=INK, width=0.8))
    return svg.drawing(WIDTH, 20 + len(rows) * pitch, title, parts)


def mosaic(digest: str, title: str) -> str:
    """32 bytes as 4 x 8 tones: two covers with the same picture are pinned to the same tree."""
    cell, parts = 15.0, []
    for place, value in enumerate(bytes.fromhex(digest)):
        x, y = (place % 4) * cell, (place // 4) * cell
        share = value / 255
        colour = "#" + "".join(
            f"{round(low + (high - low) * share):02x}" for low, high in ((18, 185), (72, 221), (106, 238))
        )
        parts.append(svg.box(x, y, cell - 1.5, cell - 1.5, colour))
    return svg.drawing(4 * cell - 1.5, 8 * cell - 1.5, title, parts)


def _key(names: Sequence[str], x: float, y: float) -> list[str]:
    """Names of stacked parts in the order they are stacked, top first."""
    parts = []
    for place, name in enumerate(reversed(names)):
        fill = PALETTE[len(names) - 1 - place]
        parts += [svg.box(x, y + 13 * place, 8, 8, fill), svg.text(x + 12, y + 13 * place + 6.6, name, fill=INK)]
    return parts


def _last(item: Series) -> float:
    return next((value for value in reversed(item.values) if value is not None), 0.0)


def _spread(ends: Sequence[tuple[float, int]], floor_y: float, scale: float) -> dict[int, float]:
    """Heights for the names at the line ends, at least 9 points apart."""
    placed: dict[int, float] = {}
    before = float("-inf")
    for value, place in sorted(ends, reverse=True):
        before = max(floor_y - value * scale, before + 9)
        placed[place] = before
    return placed


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    runs: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if run]
