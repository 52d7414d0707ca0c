"""Template filters: how amounts, times, hashes, people and citations are printed. Formatting only, no decisions."""

from __future__ import annotations

import re
from datetime import datetime

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from reports.dataset import Field, FieldState, Person

from .labels import label

register = template.Library()

JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0002ffff]+")
SPACE = "\u00a0"
DASH = "–"
GIB = 1024**3


@register.filter
def tongue(value: object) -> SafeString:
    """Text with runs of Japanese marked as such: code points alone do not choose the right letter forms."""
    text, parts, end = str(value), [], 0
    for run in JAPANESE.finditer(text):
        parts.append(conditional_escape(text[end : run.start()]))
        parts.append(format_html('<span lang="ja">{}</span>', run[0]))
        end = run.end()
    parts.append(conditional_escape(text[end:]))
    return format_html_join("", "{}", ((part,) for part in parts))


@register.filter
def count(value: int | None) -> str:
    """12,345; a dash when unknown, because unknown is not zero."""
    return DASH if value is None else f"{value:,}"


@register.filter
def gib(value: int | None) -> str:
    return DASH if value is None else f"{value / GIB:,.1f}{SPACE}GiB"


@register.filter
def watts(milliwatts: int | None) -> str:
    return DASH if milliwatts is None else f"{milliwatts / 1000:,.0f}{SPACE}W"


@register.filter
def energy(millijoules: int | None) -> str:
    """Watt hours, or kilowatt hours from 10 kWh on."""
    if millijoules is None:
        return DASH
    hours = millijoules / 3_600_000
    if hours >= 10_000:
        return f"{hours / 1000:,.1f}{SPACE}kWh"
    return f"{hours:,.1f}{SPACE}Wh" if hours < 100 else f"{hours:,.0f}{SPACE}Wh"


@register.filter
def percent(permille: int | None) -> str:
    return DASH if permille is None else f"{permille / 10:.0f}{SPACE}%"


@register.filter
def moment(value: str) -> str:
    """23 Nov 2026, 09:30:05 UTC."""
    at = datetime.fromisoformat(value)
    return f"{at.day}{SPACE}{_month(at)}{SPACE}{at.year}, {at:%H:%M:%S} UTC"


@register.filter
def day(value: str) -> str:
    at = datetime.fromisoformat(value)
    return f"{at.day}{SPACE}{_month(at)}{SPACE}{at.year}"


@register.filter
def clock(value: str) -> str:
    return f"{datetime.fromisoformat(value):%H:%M:%S}"


@register.filter
def stamp(value: str) -> str:
    """2026-11-23 09:30:05: for the register, where columns must be narrow."""
    return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S}"


@register.filter
def money(value: str | None) -> str:
    """A decimal string with thousands separators, as it was stated."""
    if value is None:
        return DASH
    whole, dot, rest = value.partition(".")
    return f"{int(whole):,}{dot}{rest}"


@register.filter
def share(value: str | None) -> str:
    """A decimal fraction as percent."""
    return DASH if value is None else f"{float(value) * 100:.0f}{SPACE}%"


@register.filter
def short(value: str | None) -> str:
    """First and last eight characters of a hash; the whole one stands once, elsewhere."""
    return DASH if not value else f"{value[:8]}…{value[-8:]}"


@register.filter
def halves(value: str) -> SafeString:
    """A hash on two lines of equal length, so that it can be compared by eye."""
    middle = len(value) // 2
    return format_html("<code>{}<br>{}</code>", value[:middle], value[middle:])


@register.filter
def entry(index: int) -> SafeString:
    """A citation: the number people see, leading to the row of the register."""
    return format_html('<a class="entry" href="#e{}">{}</a>', index, index)


@register.filter
def entries(indexes: tuple[int, ...]) -> SafeString:
    return format_html_join(", ", "{}", ((entry(index),) for index in indexes)) or SafeString(DASH)


@register.filter
def person(who: Person) -> SafeString:
    """The name where the profile still has one, else the id the ledger keeps."""
    return tongue(who.name) if who.name else format_html("<code>{}</code>", who.id.rpartition(":")[2][:8])


@register.filter
def named(key: str) -> str:
    """The printed name of a machine key."""
    return label(key)


@register.filter
def shown(field: Field) -> SafeString:
    """The value of a field in its unit, or the word for why there is none."""
    if field.value is None:
        return format_html('<span class="state {}">{}</span>', field.state.value, label(field.state.value))
    if field.unit == "sha256":
        return format_html('<code class="digest">{}</code>', field.value)
    if field.unit == "code":
        return format_html('<code class="line">{}</code>', field.value)
    if field.unit == "word":
        return tongue(label(str(field.value)))
    if field.unit == "bytes" and isinstance(field.value, int):
        return SafeString(gib(field.value))
    if field.unit == "parameters" and isinstance(field.value, int):
        return SafeString(_parameters(field.value))
    if isinstance(field.value, int):
        return tongue(f"{field.value:,} {label(field.unit) if field.unit else ''}".strip())
    return tongue(field.value)


@register.filter
def stated(field: Field) -> str:
    """The word for a field's state; empty for the plain case, so that the eye finds the others."""
    return "" if field.state is FieldState.PROVIDED else label(field.state.value)


def _parameters(value: int) -> str:
    for size, word in ((10**12, _("trillion")), (10**9, _("billion")), (10**6, _("million"))):
        if value >= size:
            return f"{value / size:,.2f} {word} ({value:,})"
    return f"{value:,}"


def _month(at: datetime) -> str:
    names = (
        _("Jan"),
        _("Feb"),
        _("Mar"),
        _("Apr"),
        _("May"),
        _("Jun"),
        _("Jul"),
        _("Aug"),
        _("Sep"),
        _("Oct"),
        _("Nov"),
        _("Dec"),
    )
    return names[at.month - 1]
