"""Do the tables say what the ledger says? Every governed row is held against the newest snapshot of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Final

from django.db.models import Model as Table

from audit import queries as log
from audit.events import EventType
from governance.models import (
    Agent,
    ApprovalRequest,
    Comparison,
    Decision,
    Deployment,
    Finding,
    GpuModel,
    GpuPool,
    Model,
    ModelVersion,
    Revision,
    ToolGrant,
)
from governance.snapshot import snapshot

BATCH: Final = 500
ATTEMPTS: Final = 5

TABLES: Final = MappingProxyType[str, type[Table]](
    {
        "model": Model,
        "model_version": ModelVersion,
        "gpu_model": GpuModel,
        "gpu_pool": GpuPool,
        "deployment": Deployment,
        "revision": Revision,
        "request": ApprovalRequest,
        "decision": Decision,
        "agent": Agent,
        "tool_grant": ToolGrant,
        "comparison": Comparison,
        "finding": Finding,
    }
)
"""Governed tables by the kind that stands in the subject of their entries."""


REGISTERED_BY: Final = MappingProxyType(
    {
        "model": EventType.MODEL_REGISTERED,
        "model_version": EventType.MODEL_VERSION_REGISTERED,
        "gpu_model": EventType.GPU_MODEL_REGISTERED,
        "gpu_pool": EventType.GPU_POOL_REGISTERED,
        "deployment": EventType.DEPLOYMENT_REGISTERED,
        "revision": EventType.REVISION_CREATED,
        "request": EventType.REQUEST_SUBMITTED,
        "decision": EventType.DECISION_RECORDED,
        "agent": EventType.AGENT_REGISTERED,
        "tool_grant": EventType.TOOL_GRANT_GRANTED,
        "comparison": EventType.COMPARISON_RECORDED,
        "finding": EventType.FINDING_RAISED,
    }
)
"""The entry that every row of a kind begins with."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A row that is not what the ledger says. `entry_index` is the newest entry about it, None without one."""

    subject: str
    entry_index: int | None
    detail: str


def reconcile() -> list[Mismatch]:
    """Every difference between the governed tables and the ledger; an empty list is agreement.

    A change may commit between reading a row and reading its entry, so each difference is looked at again
    between two reads of the entry that agree before it is reported.
    """
    found: list[Mismatch] = []
    for kind, table in TABLES.items():
        for batch in _batches(table):
            confirmed = (_confirm(kind, table, pk) for pk in _differing(kind, batch))
            found += [mismatch for mismatch in confirmed if mismatch is not None]
        found += _vanished(kind, table)
    return found


def _batches(table: type[Table]) -> Iterator[list[Table]]:
    rows = table._default_manager.order_by("pk").iterator(chunk_size=BATCH)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _differing(kind: str, rows: Sequence[Table]) -> list[object]:
    states = log.states_at([f"{kind}:{row.pk}" for row in rows], log.head_size())
    return [row.pk for row in rows if _difference(kind, row, states.get(f"{kind}:{row.pk}")) is not None]


def _confirm(kind: str, table: type[Table], pk: object) -> Mismatch | None:
    subject = f"{kind}:{pk}"
    for _attempt in range(ATTEMPTS):
        before = log.state_at(subject, log.head_size())
        row = table._default_manager.filter(pk=pk).first()
        after = log.state_at(subject, log.head_size())
        if row is not None and (before and before.index) == (after and after.index):
            return _difference(kind, row, after)
    return None


def _difference(kind: str, row: Table, state: log.StateRow | None) -> Mismatch | None:
    subject = f"{kind}:{row.pk}"
    if state is None:
        return Mismatch(subject, None, "The table has this row; no entry tells of it.")
    now = snapshot(kind, row)
    # Only what the entry tells: a column that a later version added is not told by entries written before it.
    wrong = sorted(field for field, told in state.after.items() if now.get(field) != told)
    if not wrong:
        return None
    return Mismatch(subject, state.index, f"The table differs from the entry in: {', '.join(wrong)}.")


def _vanished(kind: str, table: type[Table]) -> Iterator[Mismatch]:
    """Rows that the ledger tells of and that the table no longer has."""
    before: int | None = None
    while page := log.entries(type_=REGISTERED_BY[kind], before=before, limit=BATCH):
        before = page[-1].index
        told = {entry.subject.partition(":")[2]: entry.index for entry in page if entry.source == "app"}
        kept = {str(pk) for pk in table._default_manager.filter(pk__in=told).values_list("pk", flat=True)}
        for label in sorted(told.keys() - kept):
            yield Mismatch(f"{kind}:{label}", told[label], "An entry tells of this row; the table has lost it.")
