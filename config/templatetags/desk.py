"""Tags and filters of the desk's pages: `{% load desk %}` in any template of any app.

    {% mark "warn" "1 day" %}          status as shape and word: ok, warn, bad, wait, none, todo
    {% key "f1" %}                     a legend swatch of a chart class (f1..f5, fgap, fx, fr, fb, fk)
    {% entry_link 42 %}                the number of a ledger entry, linked to its page
    {% ago moment %}                   "2 s ago", measured against `now` of the context, or the clock
    {% waiting moment %}               the same span without "ago": "6 days"
    {{ moment|stamp }}                 <time>23 Nov 2026, 15:30:44 UTC</time>
    {{ number|grouped }}               1,482,907
    {{ number|capped }}                99+ from 100 on; another limit by capped:1000
    {{ span|seconds }}                 0.4 s; seconds
    {{ bytes|gib }}                    71.8 GiB; bytes inside, GiB on screen
    {{ digest|short }}                 first and last eight characters of a hash (bytes or text)
    {{ mapping|at:key }}               the value at a key that a variable holds
    {{ text|prose }}                   text with `code` in it, as HTML
    {% meter used total title promised=0 %}                     a thin bar, promised part hatched
    {% fit_bar parts total limit low high title unit %}         parts: (class, value) pairs, all in one unit
    {% bar_columns rows classes title unit cap=None %}          rows: (label, {class: value} or None)
    {% proof_tree index size leaf_hash proof root=None %}       the path from a leaf to the signed root
    {% proof_rows index size leaf_hash proof as steps %}        the same as rows: level, side, hash, span, above
    {{ type|event_label }} {{ ref|kind_label }} {{ ref|short_reference }} {{ name|actor_label }}  a leaf's words

Charts are SVG with percentages across, pixels down and classes for colour: no style attribute, so they
pass the content security policy, and text never scales. `config.charts` and `config.prooftree` draw them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.admin.labels import actor_label, event_label, kind_label, short_reference
from config import charts, prooftree
from governance.models import Finding

register = template.Library()

GIB = 1024**3
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

register.filter("actor_label", actor_label)
register.filter("event_label", event_label)
register.filter("kind_label", kind_label)
register.filter("short_reference", short_reference)


@register.filter
def finding_label(kind: str) -> str:
    """The kind of a finding in words."""
    labels = dict(Finding.Kind.choices)
    return str(labels.get(kind, kind)).capitalize()


@register.inclusion_tag("desk/_mark.html")
def mark(kind: str, word: object) -> dict[str, object]:
    """A status: the shape says the kind, the word says what, colour only repeats it."""
    return {"kind": kind, "word": word}


@register.inclusion_tag("desk/_key.html")
def key(cls: str) -> dict[str, str]:
    """A legend swatch."""
    return {"cls": cls}


@register.simple_tag
def entry_link(index: int | None) -> SafeString:
    """The number of an entry, linked to its page; a dash where there is no entry."""
    if index is None:
        return SafeString("–")
    label = _("Ledger entry %(index)s") % {"index": index}
    try:
        address = reverse("admin:ledger_entry", args=[index])
    except NoReverseMatch:
        return format_html('<code aria-label="{}">{}</code>', label, index)
    return format_html('<a class="mono" href="{}" aria-label="{}">{}</a>', address, label, index)


@register.simple_tag(takes_context=True)
def ago(context: template.Context, moment: datetime | None) -> str:
    """How long ago `moment` was, in the largest one or two units."""
    if moment is None:
        return _("never")
    now = context.get("now")
    return age_words(moment, now if isinstance(now, datetime) else timezone.now())


@register.simple_tag(takes_context=True)
def waiting(context: template.Context, moment: datetime) -> str:
    """How long something has waited since `moment`."""
    now = context.get("now")
    return span_words(moment, now if isinstance(now, datetime) else timezone.now())


@register.simple_tag(takes_context=True)
def left(context: template.Context, moment: datetime) -> str:
    """How long there is until `moment`, or how long it is past."""
    found = context.get("now")
    now = found if isinstance(found, datetime) else timezone.now()
    if moment > now:
        return _("in %(span)s") % {"span": span_words(now, moment)}
    return _("%(span)s late") % {"span": span_words(moment, now)}


def age_words(moment: datetime, now: datetime) -> str:
    """ "2 s ago", "14 min ago", "3 days ago": never a negative age."""
    return _("%(span)s ago") % {"span": span_words(moment, now)}


def span_words(moment: datetime, now: datetime) -> str:
    """ "2 s", "14 min", "3 days": the largest unit alone."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 120:
        return _("%(n)s s") % {"n": seconds}
    if seconds < 7200:
        return _("%(n)s min") % {"n": seconds // 60}
    return timesince(moment, now, depth=1).replace("\xa0", " ")


@register.filter
def stamp(moment: datetime | None) -> SafeString | str:
    """A moment in UTC as people read it, with the machine's form in the attribute."""
    if moment is None:
        return "–"
    utc = moment.astimezone(UTC)
    text = f"{utc.day} {utc:%b %Y, %H:%M:%S} UTC" if get_language() != "ja" else f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    return format_html('<time datetime="{}">{}</time>', utc.isoformat(), text)


@register.filter
def grouped(number: float | Decimal | None) -> str:
    """A number with a comma every three digits, the way both languages write it."""
    return "–" if number is None else f"{number:,}"


@register.filter
def capped(number: int, most: int = 100) -> str:
    """A number that was counted up to `most`: "99+" when it got there."""
    return f"{number:,}" if number < most else f"{most - 1:,}+"


@register.filter
def seconds(span: float | None) -> str:
    """A short span in seconds with one decimal, longer ones in their largest unit: "0.4 s", "3 min"."""
    if span is None:
        return "–"
    return _("%(n)s s") % {"n": f"{span:.1f}"} if abs(span) < 120 else span_words(EPOCH, EPOCH + timedelta(0, span))


@register.filter
def gib(count: int | None) -> str:
    """Bytes as GiB with one decimal."""
    return "–" if count is None else f"{count / GIB:,.1f} GiB"


@register.filter
def short(digest: bytes | memoryview | str | None) -> str:
    """The first and last eight characters of a hash: enough to compare by eye, not to trust."""
    if not digest:
        return "–"
    text = digest if isinstance(digest, str) else bytes(digest).hex()
    return text if len(text) <= 20 else f"{text[:8]}…{text[-8:]}"


@register.filter
def at(mapping: Mapping[str, object], key: str) -> object:
    """The value of a mapping at a key that a variable holds; None where there is none."""
    return mapping.get(key)


@register.filter
def prose(words: str) -> SafeString:
    """Plain text, with what stands between backticks as code."""
    pieces = str(words).split("`")
    if len(pieces) % 2 == 0:
        return format_html("{}", words)
    shapes = ("{}", "<code>{}</code>")
    return format_html_join("", "{}", ((format_html(shapes[i % 2], piece),) for i, piece in enumerate(pieces)))


@register.simple_tag
def meter(used: float, total: float, title: str, promised: float = 0, cls: str = "f1") -> SafeString:
    """A thin bar; see `charts.meter`."""
    return charts.meter(used, total, title=title, promised=promised, cls=cls)


@register.simple_tag
def fit_bar(
    parts: Sequence[tuple[str, float]],
    total: float,
    limit: float,
    low: float,
    high: float,
    title: str,
    unit: str,
) -> SafeString:
    """What is needed against what there is; see `charts.fit_bar`."""
    return charts.fit_bar(parts, total=total, limit=limit, band=(low, high), title=title, unit=unit)


@register.simple_tag
def bar_columns(
    rows: Sequence[charts.Column],
    classes: Sequence[str],
    title: str,
    unit: str,
    cap: charts.Cap | None = None,
) -> SafeString:
    """Stacked columns over time; see `charts.columns`."""
    return charts.columns(rows, classes=classes, title=title, unit=unit, cap=cap)


@register.simple_tag
def proof_tree(
    index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes | None = None
) -> SafeString:
    """The path of an entry to the root; see `prooftree.proof_tree`."""
    return prooftree.proof_tree(index, size, leaf_hash=leaf_hash, proof=proof, root=root)


@register.simple_tag
def proof_pathway() -> SafeString:
    """The stations between an event and a proof; see `prooftree.pathway`."""
    return prooftree.pathway()


@register.simple_tag
def proof_rows(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes]) -> list[dict[str, object]]:
    """The path as text, lowest first: level, side, hash, entries below it, and the hash computed from it."""
    sides = {"left": _("Left"), "right": _("Right")}
    return [
        {
            "level": row.level,
            "side": sides[row.side],
            "hash": row.sibling.hex(),
            "span": prooftree.span(row.first, row.past),
            "above": row.above.hex(),
        }
        for row in prooftree.path_rows(index, size, leaf_hash=leaf_hash, proof=proof)
    ]
