"""What changes of rows share: the version that was read, what differs, and the reason."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from audit.events import EventType
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    recorded,
    refuse_unless_registrar,
    text,
)
from governance.queries.reconciling import TABLES
from governance.snapshot import snapshot
from governance.snapshot.rows import Value

MAX_REASON: Final = 2000
CHANGED: Final = MappingProxyType(
    {
        "model": EventType.MODEL_CHANGED,
        "gpu_pool": EventType.GPU_POOL_CHANGED,
        "use_case": EventType.USE_CASE_CHANGED,
        "deployment": EventType.DEPLOYMENT_CHANGED,
        "agent": EventType.AGENT_CHANGED,
    }
)
"""Kinds whose rows change, and the entry that tells it."""

Clean = Callable[[Any], object]
Check = Callable[[Any], None]


class Stale(Refused):
    """Somebody else changed the row since it was read.

    Attributes:
        current: its full snapshot as it stands.
        entered: what was sent, by column, in the form of a snapshot.
    """

    def __init__(self, current: Mapping[str, Value], entered: Mapping[str, Value]) -> None:
        super().__init__("row_version", "is not the newest: it has changed since. Read it again.")
        self.current = current
        self.entered = entered

    @property
    def changed(self) -> dict[str, Value]:
        """What was sent and differs from what stands."""
        return {name: value for name, value in self.entered.items() if self.current[name] != value}


def change_row(
    kind: str,
    *,
    by: By,
    row_id: UUID,
    seen: int,
    values: Mapping[str, object],
    cleans: Mapping[str, Clean],
    reason: str,
    now: datetime,
    check: Check | None = None,
) -> Recorded:
    """Change columns of one row of a kind; the id is the row's.

    Args:
        seen: `row_version` that was read.
        values: what to set, by column; what is not named stays, what does not differ is not counted.
        cleans: the columns that may change, each with what makes a value clean or refuses it.
        check: refuses a row that cannot be, after the values are set; it may read.

    Raises:
        Stale: `seen` is not its version any more.
        Refused: a column that cannot change or be so, no such row, no reason, or nothing that differs.
    """
    refuse_unless_registrar(by)
    said = text("reason", reason, limit=MAX_REASON)
    for name in values:
        if name not in cleans:
            raise Refused(name, "does not change.")
    clean = {name: cleans[name](value) for name, value in values.items()}
    with change("row_version"):
        row = TABLES[kind]._default_manager.select_for_update().filter(pk=row_id).first()
        if row is None:
            raise Refused(kind, "is not registered.")
        before = snapshot(kind, row)
        differs = {name: value for name, value in clean.items() if getattr(row, name) != value}
        for name, value in {**differs, "row_version": seen + 1}.items():
            setattr(row, name, value)
        after = snapshot(kind, row)
        if before["row_version"] != seen:
            raise Stale(before, {name: after[name] for name in clean})
        if not differs:
            raise Refused("", "Nothing differs from what stands already.")
        if check is not None:
            check(row)
        row.save(update_fields=[*differs, "row_version"])
        told = event(kind, CHANGED[kind], row, actor=actor_of(by), now=now, before={**before}, reason=said)
        return recorded(row_id, [told])
