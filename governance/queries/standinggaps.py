"""What is retired or quarantined and stands in the way: of what is asked for, and of what runs already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from governance.lifecycle import BLOCKING, State
from governance.models import Deployment, Revision, Standing
from governance.queries.objects import labels
from governance.queries.standing import standing_mark


@dataclass(frozen=True, slots=True)
class StandingGap:
    """A thing that is retired or quarantined and stands in the approved revision of a deployment, or is that."""

    deployment_id: UUID
    deployment: str
    kind: str
    id: UUID
    name: str
    mark: str
    word: str
    reason: str
    successor: str
    at: datetime


def blocked_by(subjects: Iterable[tuple[str, UUID]]) -> tuple[str, str] | None:
    """What stands in the way of something that needs all these things: its kind, and a sentence; None when nothing.

    The sentence names the first one that is retired or quarantined, the reason, and what takes its place.
    """
    wanted = dict.fromkeys(subjects)
    if not wanted:
        return None
    found = {(row.subject_kind, row.subject_id): row for row in _counting(wanted) if State(row.state) in BLOCKING}
    for kind, subject_id in wanted:
        row = found.get((kind, subject_id))
        if row is not None:
            return kind, _sentence(row)
    return None


def standing_gaps(deployment_id: UUID | None = None) -> tuple[StandingGap, ...]:
    """Everything retired or quarantined that an approved revision needs, in a constant number of queries.

    Args:
        deployment_id: look at this deployment alone.
    """
    bad = [row for row in _counting() if State(row.state) in BLOCKING]
    ids: dict[str, set[UUID]] = {}
    for row in bad:
        ids.setdefault(row.subject_kind, set()).add(row.subject_id)
    if not bad:
        return ()
    deployments = Deployment.objects.filter(approved_revision__isnull=False).select_related(
        "approved_revision__model_version"
    )
    if deployment_id is not None:
        deployments = deployments.filter(pk=deployment_id)
    touched = deployments.filter(
        Q(pk__in=ids.get("deployment", ()))
        | Q(approved_revision__model_version__in=ids.get("model_version", ()))
        | Q(approved_revision__model_version__model__in=ids.get("model", ()))
        | Q(approved_revision__gpu_pool__in=ids.get("gpu_pool", ()))
        | Q(use_case__in=ids.get("use_case", ()))
        | Q(approved_revision__adapters__overlap=sorted(ids.get("adapter", ())))
    )
    rows = {(row.subject_kind, row.subject_id): row for row in bad}
    names = {kind: labels(kind, wanted) for kind, wanted in _named(bad).items()}
    return tuple(
        _gap(deployment, rows[subject], names)
        for deployment in touched.order_by("name")
        if deployment.approved_revision is not None  # only such are looked at
        for subject in needs(deployment, deployment.approved_revision)
        if subject in rows
    )


def newest_states(kind: str, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The standing of things of one kind, by id; one of which nothing is recorded is left out."""
    rows = Standing.objects.filter(subject_kind=kind, subject_id__in=set(ids))
    newest = rows.order_by("subject_id", "-number").distinct("subject_id")
    return dict(newest.values_list("subject_id", "state"))


def needs(deployment: Deployment, revision: Revision) -> tuple[tuple[str, UUID], ...]:
    """What has to be fit for use so that a revision of a deployment may run: kind and id of each.

    Args:
        revision: with its model version loaded.
    """
    return (
        ("deployment", deployment.pk),
        ("model_version", revision.model_version_id),
        ("model", revision.model_version.model_id),
        ("gpu_pool", revision.gpu_pool_id),
        *((("use_case", deployment.use_case_id),) if deployment.use_case_id else ()),
        *(("adapter", adapter) for adapter in revision.adapters),
    )


def _gap(deployment: Deployment, row: Standing, names: Mapping[str, Mapping[UUID, str]]) -> StandingGap:
    mark, word = standing_mark(row.state)
    known = names.get(row.subject_kind, {})
    return StandingGap(
        deployment_id=deployment.pk,
        deployment=deployment.name,
        kind=row.get_subject_kind_display(),
        id=row.subject_id,
        name=known.get(row.subject_id, ""),
        mark=mark,
        word=word,
        reason=row.reason,
        successor=known.get(row.successor_id, "") if row.successor_id else "",
        at=row.changed_at,
    )


def _named(rows: Iterable[Standing]) -> dict[str, set[UUID]]:
    """Ids whose names are told with these records, by kind."""
    found: dict[str, set[UUID]] = {}
    for row in rows:
        ids = found.setdefault(row.subject_kind, set())
        ids.add(row.subject_id)
        if row.successor_id is not None:
            ids.add(row.successor_id)
    return found


def _counting(subjects: Iterable[tuple[str, UUID]] | None = None) -> QuerySet[Standing]:
    """The newest record of each thing, of these alone when given."""
    rows = Standing.objects.all()
    if subjects is not None:
        wanted = Q()
        for kind, subject_id in subjects:
            wanted |= Q(subject_kind=kind, subject_id=subject_id)
        rows = rows.filter(wanted)
    return rows.order_by("subject_kind", "subject_id", "-number").distinct("subject_kind", "subject_id")


def _sentence(row: Standing) -> str:
    names = labels(row.subject_kind, [row.subject_id, *([row.successor_id] if row.successor_id else [])])
    told = _("%(name)s is %(state)s: %(reason)s") % {
        "name": names.get(row.subject_id, row.subject_kind),
        "state": row.get_state_display(),
        "reason": row.reason,
    }
    if row.successor_id and row.successor_id in names:
        told += " " + _("Its successor is %(name)s.") % {"name": names[row.successor_id]}
    return told
