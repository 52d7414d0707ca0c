"""Ranges of the log that came back from a folder after a restore (`import_log --continue`), as the log tells.

Other tables are not rebuilt from these entries: there they are as they were before the range.
"""

import json
from collections.abc import Collection

from audit.events import STATE_TYPES, EventType
from audit.models import Entry, Section


def completed_from(index: int) -> int | None:
    """The first entry of the completed range in which `index` lies; None when it lies in none."""
    return next((before for before, size in _completed() if before <= index < size), None)


def outside_of_completed(indexes: Collection[int]) -> set[int]:
    """Those of the indexes that lie in no completed range."""
    ranges = _completed() if indexes else []
    return {index for index in indexes if not any(before <= index < size for before, size in ranges)}


def changed_between(before: int, size: int, *, using: str) -> list[tuple[str, str, int]]:
    """Whose state was recorded in the entries `before` to `size` - 1: subject, type and index of the newest one of
    each, by index.
    """
    rows = Entry.objects.using(using).filter(index__gte=before, index__lt=size, source="app", type__in=STATE_TYPES)
    told = rows.order_by("index").values_list("subject", "type", "index")
    newest = {subject: (subject, kind, index) for subject, kind, index in told}
    return sorted(newest.values(), key=lambda found: found[2])


def _completed() -> list[tuple[int, int]]:
    told = Entry.objects.filter(type=EventType.LOG_IMPORTED, source="app").values("index")
    found = []
    for row in Section.objects.filter(entry_index__in=told, name="facts").order_by("entry_index"):
        try:
            said = json.loads(bytes(row.body))
            before, size = said["before"], said["size"]
        except (ValueError, TypeError, KeyError):
            continue  # only a change behind our back can do this; the self-check tells it
        # An entry speaks of those before it. What an import brought into an empty database completes nothing.
        if isinstance(before, int) and isinstance(size, int) and 0 < before < size <= row.entry_index:
            found.append((before, size))
    return found
