"""Records against the entries that seal them: a comparison for the self-check (SELF_CHECK_COMPARISONS).

Every round begins with the newest windows of each kind, as many as hold `MOST_RECORDS` records together, and then goes
over all windows, a slice at a time.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from audit import ledger
from audit.models import EventKey, RecordKind, Window
from audit.queries import section_facts
from audit.tlog.tree import leaf_hashes, root_of
from audit.windows.rows import Span, bodies
from audit.windows.seal import client_id, totals_of

MOST_RECORDS: Final = 20_000
MOST_WINDOWS: Final = 50


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A window whose records are not, or do not say, what its entry sealed."""

    subject: str
    entry_index: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice of the comparison gave; `position` is where the next one begins, empty after the last.

    `rows` counts the records it hashed.
    """

    found: tuple[Contradiction, ...]
    rows: int
    position: str


def contradictions(position: str = "") -> Slice:
    """What the next windows hold against what the ledger says they hold.

    Args:
        position: key of the last window looked at; anything else means the start.
    """
    try:
        after = uuid.UUID(position) if position else None
    except ValueError:
        after = None
    newest = () if after else tuple(window for kind in RecordKind for window in _few(_newest(kind)))
    following = Window.objects.order_by("pk")
    windows = _few((following.filter(pk__gt=after) if after else following)[:MOST_WINDOWS])
    found = {finding.subject: finding for finding in _contradicting((*newest, *windows))}
    return Slice(
        found=tuple(found.values()),
        rows=sum(window.rows for window in (*newest, *windows)),
        position=str(windows[-1].pk) if windows else "",
    )


def _contradicting(windows: Sequence[Window]) -> Iterator[Contradiction]:
    indexes = _entry_indexes(windows)
    told = section_facts(sorted(set(indexes.values())))
    for window in windows:
        index = indexes.get(window.pk)
        facts = told.get(index, {}) if index is not None else {}
        kind = RecordKind(window.kind)
        wrong = _compare(kind, window, facts) if index is not None else "no entry of the ledger seals it"
        if wrong:
            detail = f"The {kind.value} window of {window.subject} from {window.starts_at:%Y-%m-%d %H:%M:%S}: {wrong}."
            yield Contradiction(f"window:{window.pk}", index, detail)


def _newest(kind: RecordKind) -> QuerySet[Window]:
    return Window.objects.filter(kind=kind).order_by("-sealed_at", "-pk")[:MOST_WINDOWS]


def _few(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The first of them, up to MOST_RECORDS records and at least one."""
    chosen: list[Window] = []
    records = 0
    for window in windows:
        records += window.rows
        if chosen and records > MOST_RECORDS:
            break
        chosen.append(window)
    return tuple(chosen)


def _entry_indexes(windows: Sequence[Window]) -> dict[object, int]:
    key = settings.LEDGER_HMAC_KEY
    names = {ledger.secret_form(key, b"event\x00collector", client_id(window)): window.pk for window in windows}
    rows = EventKey.objects.filter(key__in=list(names)).values_list("key", "entry_index")
    return {names[bytes(found)]: index for found, index in rows}


def _compare(kind: RecordKind, window: Window, facts: Mapping[str, object]) -> str:
    """What is wrong with a window, empty when nothing is. An erased section leaves nothing to compare with."""
    if not facts:
        return ""
    span = Span(kind, window.subject, window.starts_at, window.ends_at)
    held = [place.body for place in bodies(span, window.after_id, window.through_id)]
    if len(held) != facts.get("rows"):
        return f"{facts.get('rows')} records were sealed, {len(held)} are stored"
    if root_of(leaf_hashes(held)).hex() != facts.get("root"):
        return "its records are not those that were sealed"
    if not _agrees(totals_of(span, window.through_id), facts):
        return "the columns of its records do not add up to what was sealed"
    return ""


def _agrees(summed: object, told: object) -> bool:
    """Whether sums made now are those that were told then; a total that came or went since is not compared."""
    if isinstance(summed, Mapping) and isinstance(told, Mapping):
        return all(_agrees(summed[name], told[name]) for name in summed.keys() & told.keys())
    if isinstance(summed, list) and isinstance(told, list):
        return len(summed) == len(told) and all(map(_agrees, summed, told))
    return summed == told
