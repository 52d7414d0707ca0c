"""SVG 1.1 by hand: text stays text, the same input gives the same bytes, one `<title>` each (becomes /Alt).

Lengths are PDF points. Colours: five hues at least 27 apart (CIE76) under the three simulated colour deficiencies
and at least 3.4:1 on white; charts never rely on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import floor, log10

PALETTE = ("#0b5d8a", "#c77566", "#584118", "#9b78e3", "#9f8914")
ON_FILL = {"#0b5d8a": "#ffffff", "#584118": "#ffffff"}  # white text only where it has 4.5:1
INK, INK_2, MUTED, RULE, HAIR, TINT = "#17212b", "#3a4653", "#5b6672", "#cfd6dc", "#e3e8ec", "#f2f6f9"
OK, WARN, BAD = "#1b7f5c", "#9a5b00", "#a3262a"
DASHES = ("", "5 2", "1.5 2", "8 2 2 2", "3 3")
FONT = "IBM Plex Sans, IBM Plex Sans JP"
SIZE = 7.2


def number(value: float) -> str:
    """At most two decimals, no trailing zeros, no negative zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def drawing(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
        f'width="{number(width)}pt" height="{number(height)}pt" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def text(x: float, y: float, content: object, *, anchor: str = "start", fill: str = INK_2, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-family="{FONT}" font-size="{SIZE}" '
        f'text-anchor="{anchor}" fill="{fill}"{weight}>{escape(str(content))}</text>'
    )


def box(x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "") -> str:
    edge = f' stroke="{stroke}" stroke-width="0.6"' if stroke else ""
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(width, 0))}" height="{number(max(height, 0))}" '
        f'fill="{fill}"{edge}/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str = RULE, width: float = 0.5, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" '
        f'stroke="{stroke}" stroke-width="{number(width)}"{dashes}/>'
    )


def path(points: Iterable[tuple[float, float]], *, stroke: str, width: float = 1.4, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    corners = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return (
        f'<polyline points="{corners}" fill="none" stroke="{stroke}" stroke-width="{number(width)}" '
        f'stroke-linejoin="round" stroke-linecap="round"{dashes}/>'
    )


def dot(x: float, y: float, radius: float, fill: str) -> str:
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="{fill}"/>'


def hatch(x: float, y: float, width: float, height: float, *, stroke: str = "#9aa7b3", step: float = 4) -> str:
    """Diagonal strokes inside a rectangle: what is absent is drawn, never left looking like zero."""
    parts = [box(x, y, width, height, TINT)]
    offset = step
    while offset < width + height:
        x1, y1 = x + max(0.0, offset - height), y + min(height, offset)
        x2, y2 = x + min(width, offset), y + max(0.0, offset - width)
        parts.append(line(x1, y1, x2, y2, stroke=stroke, width=0.45))
        offset += step
    return "".join(parts)


def ticks(largest: float, about: int = 4) -> list[float]:
    """Round axis values from 0 to at least `largest`."""
    if largest <= 0:
        return [0, 1]
    rough = largest / about
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if rough <= factor * power * 1.0000001)
    values = [0.0]
    while values[-1] < largest * 0.9999999:
        values.append(len(values) * step)
    return values
