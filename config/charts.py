"""Server-drawn SVG for pages: percentages across, pixels down, classes for colour.

Text never scales, a chart fits any width, dark mode costs nothing and there is no style attribute, so a
chart passes `style-src 'self'`. The classes stand in static/assay/css/charts.css.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

Column = tuple[str, Mapping[str, float] | None]
"""A label and the value of each class; None where nothing was measured: zero and absent differ."""
Cap = tuple[float, str]
"""A limit and what to write on its line."""

HATCH = format_html(
    '<defs><pattern id="hatch" width="{0}" height="{0}" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="hl" d="M0 0V{0}"/></pattern></defs>',
    6,
)


def drawing(height: float, title: str, shapes: Iterable[SafeString]) -> SafeString:
    """An image of `height` pixels that a screen reader calls `title`."""
    body = format_html_join("", "{}", ((shape,) for shape in shapes))
    head = '<svg class="chart" height="{}" role="img"><title>{}</title>{}</svg>'
    return format_html(head, f"{height:.0f}", title, body)


def rect(cls: str, x: float, width: float, y: float, height: float) -> SafeString:
    """A box: `x` and `width` in per cent, `y` and `height` in pixels."""
    shape = '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}"/>'
    return format_html(shape, cls, f"{x:.2f}", f"{max(width, 0):.2f}", f"{y:.1f}", f"{max(height, 0):.1f}")


def line(cls: str, x1: float, y1: float, x2: float, y2: float) -> SafeString:
    """A straight line: x in per cent, y in pixels."""
    shape = '<line class="{}" x1="{}%" y1="{}" x2="{}%" y2="{}"/>'
    return format_html(shape, cls, f"{x1:.2f}", f"{y1:.1f}", f"{x2:.2f}", f"{y2:.1f}")


def dot(cls: str, x: float, y: float, radius: float) -> SafeString:
    """A circle at `x` per cent and `y` pixels."""
    return format_html('<circle class="{}" cx="{}%" cy="{}" r="{}"/>', cls, f"{x:.2f}", f"{y:.1f}", radius)


def text(x: float, y: float, words: object, cls: str = "", shift: int = 0) -> SafeString:
    """Words at `x` per cent, moved by `shift` pixels."""
    return format_html('<text class="{}" x="{}%" dx="{}" y="{}">{}</text>', cls, f"{x:.2f}", shift, f"{y:.1f}", words)


def meter(used: float, total: float, *, title: str, promised: float = 0, cls: str = "f1") -> SafeString:
    """A thin bar of what is used; what is promised but not used is hatched after it."""
    scale = 100 / total if total else 0
    filled = min(used * scale, 100)
    shapes = [HATCH, rect("fr", 0, 100, 0, 10)]
    if promised:
        shapes.append(rect("fgap", filled, min(promised * scale, 100 - filled), 0.5, 9))
    return drawing(10, title, [*shapes, rect(cls, 0, filled, 0, 10)])


def fit_bar(
    parts: Sequence[tuple[str, float]],
    *,
    total: float,
    limit: float,
    band: tuple[float, float],
    title: str,
    unit: str,
) -> SafeString:
    """What is needed against what there is.

    Args:
        parts: class and amount of each part, stacked from the left.
        total: what the hardware has. `limit`: what the server may use of it.
        band: the lowest and the highest the need may turn out, by the error of the estimate.
        title: the whole statement in words. `unit`: of every number here.
    """
    need = sum(amount for _cls, amount in parts)
    scale = 100 / max(total, need, band[1], 1e-9)
    shapes = [
        HATCH,
        rect("fx", 0, total * scale, 30, 34),
        rect("fgap", limit * scale, (total - limit) * scale, 30, 34),
    ]
    at = 0.0
    for cls, amount in parts:
        shapes.append(rect(cls, at * scale, amount * scale, 30, 34))
        at += amount
        shapes.append(line("sep", at * scale, 30, at * scale, 64))
    shapes += [
        rect("fb", band[0] * scale, (band[1] - band[0]) * scale, 26, 42),
        line("lk", need * scale, 22, need * scale, 72),
        line("ld", limit * scale, 26, limit * scale, 76),
    ]
    return drawing(96, title, [*shapes, *_fit_words(need, band, limit, max(total, need), scale, unit)])


def _fit_words(
    need: float, band: tuple[float, float], limit: float, top: float, scale: float, unit: str
) -> list[SafeString]:
    """Words stay inside the picture: on their line's left when it stands far right, else on its right."""
    numbers = {
        "need": f"{need:,.1f}",
        "low": f"{band[0]:,.1f}",
        "high": f"{band[1]:,.1f}",
        "limit": f"{limit:,.1f}",
    }
    right = need * scale > 50
    shapes = [
        text(need * scale, 14, _("need %(need)s (%(low)s to %(high)s)") % numbers, "b end" if right else "b"),
        text(limit * scale, 90, _("limit %(limit)s") % numbers, "b end" if limit * scale > 30 else "b"),
        text(0 if right else 100, 14, unit, "q" if right else "q end"),
    ]
    if limit * scale > 40:
        shapes.append(text(0, 90, "0", "q"))
    if limit * scale < 86:
        shapes.append(text(100, 90, f"{top:,.1f}", "q end"))
    return shapes


def _axis(peak: float) -> tuple[float, float]:
    """A round top for an axis and the distance of its lines: at most five lines."""
    step = 1e-3
    while True:
        for factor in (1, 2, 5):
            if peak <= step * factor * 4.2:
                return step * factor * (int(peak / (step * factor)) + 1), step * factor
        step *= 10


def columns(
    rows: Sequence[Column],
    *,
    classes: Sequence[str],
    title: str,
    unit: str,
    cap: Cap | None = None,
    height: int = 200,
) -> SafeString:
    """Stacked columns over time. Where nothing was measured the column is hatched, never zero."""
    peak = max([sum(v.values()) for _label, v in rows if v] + ([cap[0]] if cap else []) + [1e-3])
    top, distance = _axis(peak)
    left, upper, lower = 6.0, 22.0, height - 22.0

    def y(value: float) -> float:
        return upper + (lower - upper) * (1 - value / top)

    shapes = [HATCH, text(0, 10, unit, "q")]
    for tick in range(round(top / distance) + 1):
        value = tick * distance
        shapes += [
            line("ln", left, y(value), 100, y(value)),
            text(left, y(value) + 4, f"{value:g}", "q end", -8),
        ]
    slot = (100 - left) / max(len(rows), 1)
    every = max(1, -(-len(rows) // 8))
    for position, (label, values) in enumerate(rows):
        x, width = left + slot * (position + 0.14), slot * 0.72
        if values is None:
            shapes.append(rect("fgap", x, width, upper + 14, lower - upper - 14))
        else:
            base = 0.0
            for cls in classes:
                amount = values.get(cls, 0)
                shapes.append(rect(cls, x, width, y(base + amount), y(base) - y(base + amount)))
                base += amount
        if position % every == 0:
            shapes.append(text(x + width / 2, height - 6, label, "q mid"))
    shapes.append(line("lr", left, y(0), 100, y(0)))
    if cap:
        shapes += [line("ld", left, y(cap[0]), 100, y(cap[0])), text(100, y(cap[0]) - 5, cap[1], "end")]
    return drawing(height, title, shapes)
