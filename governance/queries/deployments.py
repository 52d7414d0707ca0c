"""The page of a deployment: what is approved against what runs, what was used, what was found."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from governance.models import (
    Agent,
    AgentVersion,
    ApprovalRequest,
    Deployment,
    Finding,
    Revision,
)
from governance.queries.adapters import adapter_lines
from governance.queries.costing import ComparisonView, comparison_views
from governance.queries.grants import in_force
from governance.queries.objects import object_history
from governance.queries.quoting import Told, details
from governance.queries.review import state_mark
from governance.queries.standinggaps import StandingGap, standing_gaps
from governance.queries.telling import HistoryLine
from governance.queries.triggers import TriggerLine, triggers_of_deployment
from governance.queries.usage import UsageWindow, usage_of

SHOWN = 20


class DeploymentNotFound(LookupError):
    """No deployment has this id."""


@dataclass(frozen=True, slots=True)
class RequestLine:
    id: UUID
    ref: str
    revision: int
    mark: str
    word: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class FindingLine:
    kind: str
    detail: str
    entry: int
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class AgentLine:
    id: UUID
    name: str
    purpose: str
    autonomy: str
    tools: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeploymentPage:
    """One deployment as its page shows it.

    Attributes:
        approved_digest: of the approved revision, empty when none is.
        running_digest: what the newest sealed window or report said it runs; empty when nothing said so.
        cap: reasoning tokens an answer may use, None without a cap.
    """

    id: UUID
    ref: str
    name: str
    purpose: str
    owner: str
    registered_at: datetime
    approved_number: int | None
    approved_digest: str
    running_digest: str
    running_entry: int | None
    cap: int | None
    facts: tuple[tuple[str, str], ...]
    windows: tuple[UsageWindow, ...]
    findings: tuple[FindingLine, ...]
    requests: tuple[RequestLine, ...]
    comparisons: tuple[ComparisonView, ...]
    agents: tuple[AgentLine, ...]
    gaps: tuple[StandingGap, ...]
    history: tuple[HistoryLine, ...]
    triggers: tuple[TriggerLine, ...] = ()


def deployment_page(deployment_id: UUID, *, sees_everything: bool = False) -> DeploymentPage:
    """The page of one deployment, in a constant number of queries.

    Args:
        sees_everything: whether the reader may read every section: the words of clients that findings are about.

    Raises:
        DeploymentNotFound: no such deployment.
    """
    found = (
        Deployment.objects.select_related(
            "owner", "approved_revision__model_version__model", "approved_revision__gpu_pool__gpu_model"
        )
        .filter(pk=deployment_id)
        .first()
    )
    if found is None:
        raise DeploymentNotFound("There is no such deployment.")
    subject = f"deployment:{found.pk}"
    revision = found.approved_revision
    cap = revision.reasoning_cap if revision else None
    usage = usage_of(subject, cap=cap, limit=SHOWN)
    return DeploymentPage(
        id=found.pk,
        ref=found.ref,
        name=found.name,
        purpose=found.purpose,
        owner=found.owner.display_name,
        registered_at=found.registered_at,
        approved_number=revision.number if revision else None,
        approved_digest=revision.digest if revision else "",
        running_digest=usage.running_digest,
        running_entry=usage.running_entry,
        cap=cap,
        facts=_facts(revision),
        windows=usage.windows,
        findings=_findings(subject, sees_everything=sees_everything),
        requests=_requests(found),
        comparisons=comparison_views(found.pk, limit=SHOWN),
        agents=_agents(found),
        gaps=standing_gaps(found.pk),
        history=object_history("deployment", found.pk, limit=SHOWN),
        triggers=triggers_of_deployment(found.pk),
    )


def _facts(revision: Revision | None) -> tuple[tuple[str, str], ...]:
    if revision is None:
        return ()
    version, pool = revision.model_version, revision.gpu_pool
    adapters = ", ".join(f"{line.name} {line.version}" for line in adapter_lines(revision.content))
    return (
        ("model", f"{version.model.name} {version.version}"),
        *((("adapters", adapters),) if adapters else ()),
        ("quantisation", f"{revision.weight_dtype}, KV {revision.kv_dtype}"),
        ("hardware", f"{revision.gpu_count} × {pool.gpu_model.name}, {pool.name}"),
        ("runtime", f"{revision.engine} {revision.engine_version}".strip()),
        ("context", f"{revision.context:,}"),
        ("concurrency", f"{revision.concurrency:,}"),
        ("environment", f"{revision.environment}, {revision.region}"),
    )


def _findings(subject: str, *, sees_everything: bool) -> tuple[FindingLine, ...]:
    rows = list(Finding.objects.filter(subject=subject).order_by("-raised_at", "pk")[:SHOWN])
    told = details((Told.of(row) for row in rows), sees_everything=sees_everything)
    return tuple(
        FindingLine(row.get_kind_display(), detail, row.entry_index, row.raised_at)
        for row, detail in zip(rows, told, strict=True)
    )


def _requests(found: Deployment) -> tuple[RequestLine, ...]:
    rows = ApprovalRequest.objects.filter(deployment=found).select_related("revision").order_by("-number")[:SHOWN]
    return tuple(
        RequestLine(row.pk, row.ref, row.revision.number, *state_mark(row.state), row.submitted_at) for row in rows
    )


def _agents(found: Deployment) -> tuple[AgentLine, ...]:
    rows = list(Agent.objects.filter(deployment=found).order_by("name")[:SHOWN])
    keys = [row.pk for row in rows]
    grants = in_force(keys, timezone.now())
    versions = AgentVersion.objects.filter(agent__in=keys).order_by("agent_id", "-number").distinct("agent_id")
    newest = {version.agent_id: version for version in versions}
    return tuple(
        AgentLine(
            id=row.pk,
            name=row.name,
            purpose=row.purpose,
            autonomy=newest.get(row.pk, row).get_autonomy_display(),
            tools=tuple(
                (grant.tool, grant.get_reversibility_display()) for grant in grants if grant.agent_id == row.pk
            ),
        )
        for row in rows
    )
