"""Do the tables say what the ledger says? Every governed row is held against the newest snapshot of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import Model as Table

from audit import queries as log
from audit.events import EventType
from audit.models import Person, PoolChange
from audit.queries.absences import is_absent
from governance.models import (
    Adapter,
    Agent,
    ApprovalPolicyVersion,
    ApprovalRequest,
    Classification,
    Comparison,
    Condition,
    Dataset,
    DatasetUse,
    DatasetVersion,
    Decision,
    Deployment,
    EvaluationRun,
    Evidence,
    EvidenceRevocation,
    Finding,
    GpuModel,
    GpuPool,
    Metric,
    MetricThreshold,
    Model,
    ModelArtefact,
    ModelRelation,
    ModelVersion,
    Quantisation,
    ReapprovalTrigger,
    RequestEvidence,
    RequestExclusion,
    RequestStage,
    Revision,
    SealedDecision,
    Standing,
    ToolGrant,
    UseCase,
    WebhookEndpoint,
)
from governance.models.agents import AgentVersion, ToolGrantRevocation
from governance.models.hardware import GpuDevice, GpuNode, MigSlice, PoolDevice
from governance.models.oversight import OversightAssignment, OversightEnd
from governance.models.tools import Tool, ToolVersion
from governance.snapshot import snapshot

BATCH: Final = 500
ATTEMPTS: Final = 5

TABLES: Final = MappingProxyType[str, type[Table]](
    {
        "model": Model,
        "model_version": ModelVersion,
        "adapter": Adapter,
        "gpu_model": GpuModel,
        "gpu_pool": GpuPool,
        "deployment": Deployment,
        "revision": Revision,
        "request": ApprovalRequest,
        "decision": Decision,
        "agent": Agent,
        "tool_grant": ToolGrant,
        "comparison": Comparison,
        "use_case": UseCase,
        "classification": Classification,
        "request_stage": RequestStage,
        "request_exclusion": RequestExclusion,
        "request_evidence": RequestEvidence,
        "reapproval_trigger": ReapprovalTrigger,
        "sealed_decision": SealedDecision,
        "condition": Condition,
        "approval_policy": ApprovalPolicyVersion,
        "model_artefact": ModelArtefact,
        "model_relation": ModelRelation,
        "quantisation": Quantisation,
        "standing": Standing,
        "agent_version": AgentVersion,
        "tool": Tool,
        "tool_version": ToolVersion,
        "tool_grant_revocation": ToolGrantRevocation,
        "gpu_node": GpuNode,
        "gpu_device": GpuDevice,
        "mig_slice": MigSlice,
        "pool_device": PoolDevice,
        "oversight_assignment": OversightAssignment,
        "oversight_end": OversightEnd,
        "pool_change": PoolChange,
        "finding": Finding,
        "dataset": Dataset,
        "dataset_version": DatasetVersion,
        "dataset_use": DatasetUse,
        "metric_threshold": MetricThreshold,
        "evaluation_run": EvaluationRun,
        "metric": Metric,
        "evidence": Evidence,
        "evidence_revocation": EvidenceRevocation,
        "webhook": WebhookEndpoint,
    }
)
"""Governed tables by the kind that stands in the subject of their entries."""


REGISTERED_BY: Final = MappingProxyType(
    {
        "model": EventType.MODEL_REGISTERED,
        "model_version": EventType.MODEL_VERSION_REGISTERED,
        "adapter": EventType.ADAPTER_REGISTERED,
        "gpu_model": EventType.GPU_MODEL_REGISTERED,
        "gpu_pool": EventType.GPU_POOL_REGISTERED,
        "deployment": EventType.DEPLOYMENT_REGISTERED,
        "revision": EventType.REVISION_CREATED,
        "request": EventType.REQUEST_SUBMITTED,
        "decision": EventType.DECISION_RECORDED,
        "agent": EventType.AGENT_REGISTERED,
        "tool_grant": EventType.TOOL_GRANT_GRANTED,
        "comparison": EventType.COMPARISON_RECORDED,
        "use_case": EventType.USE_CASE_REGISTERED,
        "classification": EventType.CLASSIFICATION_RECORDED,
        "request_stage": EventType.REQUEST_STAGE_SET,
        "request_exclusion": EventType.REQUEST_EXCLUSION_SET,
        "request_evidence": EventType.REQUEST_EVIDENCE_RELIED,
        "reapproval_trigger": EventType.REAPPROVAL_RAISED,
        "sealed_decision": EventType.DECISION_SEALED,
        "condition": EventType.CONDITION_SET,
        "approval_policy": EventType.APPROVAL_POLICY_PROPOSED,
        "model_artefact": EventType.MODEL_ARTEFACT_REGISTERED,
        "model_relation": EventType.MODEL_RELATION_DECLARED,
        "quantisation": EventType.QUANTISATION_DECLARED,
        "standing": EventType.STANDING_CHANGED,
        "agent_version": EventType.AGENT_VERSION_REGISTERED,
        "tool": EventType.TOOL_REGISTERED,
        "tool_version": EventType.TOOL_VERSION_REGISTERED,
        "tool_grant_revocation": EventType.TOOL_GRANT_REVOKED,
        "gpu_node": EventType.GPU_NODE_REGISTERED,
        "gpu_device": EventType.GPU_DEVICE_REGISTERED,
        "mig_slice": EventType.MIG_SLICE_REGISTERED,
        "pool_device": EventType.POOL_DEVICE_RECORDED,
        "oversight_assignment": EventType.OVERSIGHT_ASSIGNED,
        "oversight_end": EventType.OVERSIGHT_ENDED,
        "pool_change": EventType.POOL_CHANGE_PROPOSED,
        "finding": EventType.FINDING_RAISED,
        "dataset": EventType.DATASET_REGISTERED,
        "dataset_version": EventType.DATASET_VERSION_REGISTERED,
        "dataset_use": EventType.DATASET_USE_RECORDED,
        "metric_threshold": EventType.METRIC_THRESHOLD_SET,
        "evaluation_run": EventType.EVALUATION_RUN_RECORDED,
        "metric": EventType.METRIC_RECORDED,
        "evidence": EventType.EVIDENCE_RECORDED,
        "evidence_revocation": EventType.EVIDENCE_REVOKED,
        "webhook": EventType.WEBHOOK_REGISTERED,
    }
)
"""The entry that every row of a kind begins with."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A row that is not what the ledger says. `entry_index` is the newest entry about it, None without one."""

    subject: str
    entry_index: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice of the comparison gave; `position` is where the next one begins, empty after the last."""

    found: tuple[Mismatch, ...]
    rows: int
    position: str


def reconcile() -> list[Mismatch]:
    """Every difference between the governed tables and the ledger; an empty list is agreement."""
    found: list[Mismatch] = []
    position = ""
    while True:
        part = reconcile_slice(position)
        found += part.found
        position = part.position
        if not position:
            return found


def reconcile_slice(position: str = "") -> Slice:
    """Compare up to BATCH rows from `position` on; one that this function did not make means the start.

    For each kind first its rows, by key, then the entries that its rows begin with, newest first: a row that is gone
    is told by its entry alone. A change may commit between reading a row and reading its entry, so each difference is
    looked at again between two reads of the entry that agree before it is reported.
    """
    place = _place(position)
    table = TABLES[place.kind]
    if place.walk == "rows":
        rows = table._default_manager.order_by("pk")
        batch = list((rows.filter(pk__gt=place.after) if place.after else rows)[:BATCH])
        confirmed = (_confirm(place.kind, table, pk) for pk in _differing(place.kind, batch))
        found = tuple(mismatch for mismatch in confirmed if mismatch is not None)
        last = str(batch[-1].pk) if len(batch) == BATCH else ""
        return Slice(found, len(batch), f"{place.kind} rows {last}" if last else f"{place.kind} told")
    before = int(place.after) if place.after else None
    page = log.entries(type_=REGISTERED_BY[place.kind], before=before, limit=BATCH)
    if page:
        return Slice(tuple(_vanished(place.kind, table, page)), len(page), f"{place.kind} told {page[-1].index}")
    kinds = list(TABLES)
    following = kinds[kinds.index(place.kind) + 1 :]
    return Slice((), 0, f"{following[0]} rows" if following else "")


@dataclass(frozen=True, slots=True)
class _Place:
    kind: str = next(iter(TABLES))
    walk: str = "rows"
    after: str = ""


def _place(position: str) -> _Place:
    kind, _, rest = position.partition(" ")
    walk, _, after = rest.partition(" ")
    if kind not in TABLES or walk not in {"rows", "told"}:
        return _Place()
    try:
        if walk == "rows" and after:
            TABLES[kind]._meta.pk.to_python(after)
        elif after:
            int(after)
    except (ValidationError, ValueError):
        return _Place()
    return _Place(kind, walk, after)


def _differing(kind: str, rows: Sequence[Table]) -> list[object]:
    size = log.head_size()
    states = log.states_at([f"{kind}:{row.pk}" for row in rows], size)
    return [row.pk for row in rows if _difference(kind, row, states.get(f"{kind}:{row.pk}"), size) is not None]


def _confirm(kind: str, table: type[Table], pk: object) -> Mismatch | None:
    subject = f"{kind}:{pk}"
    for _attempt in range(ATTEMPTS):
        before = log.state_at(subject, log.head_size())
        row = table._default_manager.filter(pk=pk).first()
        size = log.head_size()
        after = log.state_at(subject, size)
        if row is not None and (before and before.index) == (after and after.index):
            return _difference(kind, row, after, size)
    return None


def _difference(kind: str, row: Table, state: log.StateRow | None, size: int) -> Mismatch | None:
    """What is wrong with a row; `state` is its newest snapshot below index `size`."""
    subject = f"{kind}:{row.pk}"
    now = snapshot(kind, row)
    # Only what the entry tells: a column that a later version added is not told by entries written before it.
    wrong = sorted(field for field, told in state.after.items() if now.get(field) != told) if state else []
    if state and not wrong:
        return None
    newest = state.index if state else log.newest_snapshot(subject, size)
    completed = log.completed_from(newest) if newest is not None else None
    if completed is not None and log.newest_snapshot(subject, completed) is not None:
        # The log was completed after a restore and the tables were not: they are older than this entry.
        return _difference(kind, row, log.state_at(subject, completed), completed)
    if state:
        return Mismatch(subject, state.index, f"The table differs from the entry in: {', '.join(wrong)}.")
    # Where the snapshot was erased, or an import came without it, there is nothing to compare the row with.
    if newest is not None and (log.snapshot_erased(subject, size) is not None or is_absent(newest, "facts")):
        return None
    return Mismatch(subject, None, "The table has this row; no entry tells of it.")


def _of_people_here(told: Mapping[str, int]) -> set[str]:
    """Changes of pools about people whom this installation knows: an imported log tells of others too, and it leaves
    log-ins and pools behind.
    """
    facts = log.section_facts(list(told.values())) if told else {}
    whom = {
        label: str(after.get("person_id"))
        for label, index in told.items()
        if isinstance(after := facts.get(index, {}).get("after"), dict)
    }
    here = {str(pk) for pk in Person.objects.filter(pk__in=set(whom.values())).values_list("pk", flat=True)}
    return {label for label, person in whom.items() if person in here}


def _vanished(kind: str, table: type[Table], page: Sequence[log.EntryRow]) -> Iterator[Mismatch]:
    """Rows that these entries tell of and that the table no longer has."""
    told = {entry.subject.partition(":")[2]: entry.index for entry in page if entry.source == "app"}
    kept = {str(pk) for pk in table._default_manager.filter(pk__in=told).values_list("pk", flat=True)}
    gone = told.keys() - kept
    if kind == "pool_change":
        gone = _of_people_here({label: told[label] for label in gone})
    here = log.outside_of_completed({told[label] for label in gone})
    for label in sorted(label for label in gone if told[label] in here):
        yield Mismatch(f"{kind}:{label}", told[label], "An entry tells of this row; the table has lost it.")
