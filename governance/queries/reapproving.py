"""What spoils approvals that stand, from the tables as they are now; a constant number of queries a batch."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q

from audit import queries as log
from governance.lifecycle import BLOCKING, State
from governance.models import (
    Agent,
    ApprovalPolicyVersion,
    ApprovalRequest,
    ModelVersion,
    ReapprovalTrigger,
    RequestEvidence,
    Standing,
    ToolGrant,
)
from governance.queries.evidence import Standing as EvidenceStanding
from governance.queries.evidence import evidence_standing
from governance.queries.grants import in_force, reaches_further
from governance.queries.lineage import MAX_DEPTH
from governance.queries.objects import labels
from governance.queries.oversight import oversight_gaps
from governance.queries.standinggaps import needs
from governance.workflow.triggers import RULES, Cause, Effect, tier_cause

BATCH: Final = 200
_LONGEST: Final = 1000
_READ_ONLY: Final = ToolGrant.Reversibility.READ_ONLY.value
_EVIDENCE: Final = {
    EvidenceStanding.REVOKED: Cause.EVIDENCE_SPOILT,
    EvidenceStanding.EXPIRED: Cause.EVIDENCE_SPOILT,
    EvidenceStanding.SUPERSEDED: Cause.EVIDENCE_SUPERSEDED,
}

_ANCESTORS: Final = """
WITH RECURSIVE step AS (
  SELECT child_id AS child, parent_id AS parent FROM model_relation WHERE parent_id IS NOT NULL
  UNION SELECT model_version_id, source_version_id FROM quantisation WHERE source_version_id IS NOT NULL
), above AS (
  SELECT child AS start, parent, 1 AS depth FROM step WHERE child = ANY(%(ids)s)
  UNION
  SELECT above.start, step.parent, above.depth + 1 FROM above JOIN step ON step.child = above.parent
   WHERE above.depth < %(depth)s
)
SELECT DISTINCT start, parent FROM above WHERE parent <> start
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A cause that stands for an approval.

    Attributes:
        told: the subject whose newest entry tells the change, empty when time alone made it; `entry` is that entry.
    """

    request_id: UUID
    cause: Cause
    subject: str
    detail: str
    told: str = ""
    entry: int | None = None

    @property
    def blocks(self) -> bool:
        return RULES[self.cause].effect is Effect.BLOCKS

    @property
    def key(self) -> tuple[UUID, str, str]:
        return self.request_id, self.cause.value, self.subject


def new_causes(now: datetime) -> Iterator[Found]:
    """Causes that stand and were not raised, of each approval those first that only warn."""
    rows = ApprovalRequest.objects.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now))
    rows = rows.filter(state=ApprovalRequest.State.APPROVED).select_related(
        "deployment__use_case", "revision__model_version"
    )
    last: UUID | None = None
    while True:
        batch = list((rows.filter(pk__gt=last) if last else rows).order_by("pk")[:BATCH])
        if not batch:
            return
        last = batch[-1].pk
        yield from _unraised(batch, now)


def _unraised(batch: Sequence[ApprovalRequest], now: datetime) -> list[Found]:
    raised = set(
        ReapprovalTrigger.objects.filter(request__in=[row.pk for row in batch]).values_list(
            "request_id", "cause", "subject"
        )
    )
    standing = (
        *_standings(batch),
        *_evidence(batch, now),
        *_tiers(batch),
        *_policies(batch),
        *_grants(batch, now),
        *_oversight(batch, now),
    )
    found = {item.key: item for item in standing if item.key not in raised}
    told = {item.told for item in found.values() if item.told}
    states = log.states_at(sorted(told), log.head_size()) if told else {}
    new = (
        replace(item, detail=item.detail[:_LONGEST], entry=states[item.told].index if item.told in states else None)
        for item in found.values()
    )
    return sorted(new, key=lambda item: (item.request_id, item.blocks, item.cause, item.subject))


def _standings(batch: Sequence[ApprovalRequest]) -> Iterator[Found]:
    """Standings of what a revision names, and of what its model was made from."""
    above = _above({row.revision.model_version_id for row in batch})
    parents = dict(
        ModelVersion.objects.filter(pk__in={pk for found in above.values() for pk in found}).values_list(
            "pk", "model_id"
        )
    )
    named = {row.pk: needs(row.deployment, row.revision) for row in batch}
    beyond = {row.pk: _beyond(above.get(row.revision.model_version_id, ()), parents) for row in batch}
    wanted = {subject for group in (named, beyond) for subjects in group.values() for subject in subjects}
    newest = _newest(wanted)
    names = {kind: labels(kind, [pk for of, pk in newest if of == kind]) for kind in {of for of, _pk in newest}}
    for row in batch:
        for kind, pk in (*named[row.pk], *beyond[row.pk]):
            record = newest.get((kind, pk))
            if record is None or record.state == State.ACTIVE:
                continue
            told = f"standing:{record.pk}"
            label = f"{record.get_subject_kind_display()} {names[kind].get(pk, pk)}"
            if (kind, pk) in named[row.pk]:
                cause = Cause.WITHDRAWN if State(record.state) in BLOCKING else Cause.OUTDATED
                yield Found(row.pk, cause, f"{kind}:{pk}", f"{label} is {record.state}: {record.reason}", told)
            elif record.state == State.QUARANTINED:
                detail = f"{label}, which its model was made from, is quarantined: {record.reason}"
                yield Found(row.pk, Cause.ANCESTOR_QUARANTINED, f"{kind}:{pk}", detail, told)


def _beyond(above: Iterable[UUID], models: dict[UUID, UUID]) -> tuple[tuple[str, UUID], ...]:
    ordered = sorted(above)
    of_models = sorted({models[pk] for pk in ordered if pk in models})
    return (*(("model_version", pk) for pk in ordered), *(("model", pk) for pk in of_models))


def _above(versions: set[UUID]) -> dict[UUID, set[UUID]]:
    """What each version was made from, within MAX_DEPTH steps."""
    found: dict[UUID, set[UUID]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_ANCESTORS, {"ids": sorted(versions), "depth": MAX_DEPTH})
        for start, parent in cursor.fetchall():
            found.setdefault(start, set()).add(parent)
    return found


def _newest(subjects: Iterable[tuple[str, UUID]]) -> dict[tuple[str, UUID], Standing]:
    wanted = set(subjects)
    rows = Standing.objects.filter(subject_id__in={pk for _kind, pk in wanted})
    rows = rows.order_by("subject_kind", "subject_id", "-number").distinct("subject_kind", "subject_id")
    found = {(row.subject_kind, row.subject_id): row for row in rows}
    return {key: row for key, row in found.items() if key in wanted}


def _evidence(batch: Sequence[ApprovalRequest], now: datetime) -> Iterator[Found]:
    rows = list(
        RequestEvidence.objects.filter(request__in=[row.pk for row in batch]).select_related("evidence__revocation")
    )
    states = evidence_standing([row.evidence_id for row in rows], now)
    for row in rows:
        state = states[row.evidence_id]
        cause = _EVIDENCE.get(state)
        if cause is None or state == row.standing:  # superseded already when it was named
            continue
        detail = f"{row.evidence.ref}, which the approval relies on, is {state.value}: {row.evidence.title}"
        revocation = getattr(row.evidence, "revocation", None)
        told = f"evidence_revocation:{revocation.pk}" if revocation else ""
        yield Found(row.request_id, cause, f"evidence:{row.evidence_id}", detail, told)


def _tiers(batch: Sequence[ApprovalRequest]) -> Iterator[Found]:
    for row in batch:
        use_case = row.deployment.use_case
        cause = tier_cause(row.tier, use_case.tier) if use_case else None
        if use_case is None or cause is None:
            continue
        changed = use_case.classification_id
        subject = f"classification:{changed}" if changed else f"use_case:{use_case.pk}"
        detail = f"{use_case.ref} {use_case.name} is classified as {use_case.tier}; it was {row.tier} when asked"
        yield Found(row.pk, cause, subject, detail, subject)


def _policies(batch: Sequence[ApprovalRequest]) -> Iterator[Found]:
    named = {row.pk: json.loads(row.approval_policy) for row in batch}
    adopted = ApprovalPolicyVersion.objects.filter(
        state=ApprovalPolicyVersion.State.ADOPTED, name__in={str(policy["name"]) for policy in named.values()}
    )
    newest = {row.name: row for row in adopted}
    for row in batch:
        version = newest.get(str(named[row.pk]["name"]))
        if version is None or version.decided_at is None or version.decided_at <= row.submitted_at:
            continue
        subject = f"approval_policy:{version.pk}"
        detail = f"The approval policy {version} was adopted after this was asked; the next change goes by it"
        yield Found(row.pk, Cause.POLICY_RENEWED, subject, detail, subject)


def _grants(batch: Sequence[ApprovalRequest], now: datetime) -> Iterator[Found]:
    """Grants in force that reach further than all that their agent had when the approval was given."""
    agents = dict(
        Agent.objects.filter(deployment__in={row.deployment_id for row in batch}).values_list("pk", "deployment_id")
    )
    if not agents:
        return
    grants = in_force(agents.keys(), now)
    names = labels("agent", {grant.agent_id for grant in grants})
    known = list(
        ToolGrant.objects.filter(agent__in=agents.keys()).values_list("agent_id", "reversibility", "granted_at")
    )
    for row in batch:
        given = row.closed_at
        for grant in grants:
            if agents[grant.agent_id] != row.deployment_id or given is None or grant.granted_at <= given:
                continue
            had = [reach for agent, reach, at in known if agent == grant.agent_id and at <= given]
            if all(reaches_further(grant.reversibility, reach) for reach in (_READ_ONLY, *had)):
                subject = f"tool_grant:{grant.pk}"
                detail = (
                    f"Agent {names.get(grant.agent_id, grant.agent_id)} was granted {grant.tool}"
                    f" ({grant.reversibility}) after the approval"
                )
                yield Found(row.pk, Cause.GRANT_WIDENED, subject, detail, subject)


def _oversight(batch: Sequence[ApprovalRequest], now: datetime) -> Iterator[Found]:
    gaps = {gap.use_case_id: gap for gap in oversight_gaps(now.date())}
    for row in batch:
        gap = gaps.get(row.deployment.use_case_id) if row.deployment.use_case_id else None
        if gap is not None:
            detail = f"Nobody oversees {gap.ref} {gap.name}, a use with a high risk"
            yield Found(row.pk, Cause.OVERSIGHT_VACANT, f"use_case:{gap.use_case_id}", detail)
