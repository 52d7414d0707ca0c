"""Which subjects of the ledger belong together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.db.models import CharField, Manager, QuerySet, Value
from django.db.models import Model as Table
from django.db.models.functions import Cast, Concat

from audit.events import STATE_TYPES
from audit.models import Entry
from governance.models import (
    Agent,
    ApprovalRequest,
    Comparison,
    Condition,
    Decision,
    Deployment,
    Finding,
    ModelRelation,
    Quantisation,
    ReapprovalTrigger,
    RequestEvidence,
    RequestExclusion,
    RequestStage,
    Revision,
    SealedDecision,
    Standing,
    ToolGrant,
)
from governance.models.agents import AgentVersion, ToolGrantRevocation
from governance.queries.quoting import leaf_forms

_PARTS: Final = MappingProxyType[str, Manager[Any]](
    {
        "request_stage": RequestStage.objects,
        "request_exclusion": RequestExclusion.objects,
        "request_evidence": RequestEvidence.objects,
        "reapproval_trigger": ReapprovalTrigger.objects,
        "sealed_decision": SealedDecision.objects,
        "condition": Condition.objects,
    }
)
"""What belongs to requests beside their decisions."""


def related_subjects(deployment_id: UUID) -> tuple[str, ...]:
    """Every subject of the ledger that tells the story of a deployment, in a constant number of queries."""
    found = {f"deployment:{deployment_id}"}
    revisions = Revision.objects.filter(deployment_id=deployment_id)
    for pk, version, model, pool, gpu, adapters in revisions.values_list(
        "pk", "model_version_id", "model_version__model_id", "gpu_pool_id", "gpu_pool__gpu_model_id", "adapters"
    ):
        found |= {f"revision:{pk}", f"model_version:{version}", f"model:{model}"}
        found |= {f"gpu_pool:{pool}", f"gpu_model:{gpu}", *(f"adapter:{adapter}" for adapter in adapters)}
    requests = ApprovalRequest.objects.filter(deployment_id=deployment_id)
    agents = Agent.objects.filter(deployment_id=deployment_id)
    found |= {f"request:{pk}" for pk in requests.values_list("pk", flat=True)}
    decisions = Decision.objects.filter(request__deployment_id=deployment_id)
    found |= {f"decision:{pk}" for pk in decisions.values_list("pk", flat=True)}
    for kind, table in _PARTS.items():
        found |= {
            f"{kind}:{pk}" for pk in table.filter(request__deployment_id=deployment_id).values_list("pk", flat=True)
        }
    found |= {f"agent:{pk}" for pk in agents.values_list("pk", flat=True)}
    grants = ToolGrant.objects.filter(agent__deployment_id=deployment_id)
    found |= {f"tool_grant:{pk}" for pk in grants.values_list("pk", flat=True)}
    versions = AgentVersion.objects.filter(agent__deployment_id=deployment_id)
    found |= {f"agent_version:{pk}" for pk in versions.values_list("pk", flat=True)}
    revocations = ToolGrantRevocation.objects.filter(grant__agent__deployment_id=deployment_id)
    found |= {f"tool_grant_revocation:{pk}" for pk in revocations.values_list("pk", flat=True)}
    comparisons = Comparison.objects.filter(deployment_id=deployment_id)
    found |= {f"comparison:{pk}" for pk in comparisons.values_list("pk", flat=True)}
    found |= {f"finding:{pk}" for pk in _findings(deployment_id).values_list("pk", flat=True)}
    found |= _beside({UUID(subject.partition(":")[2]) for subject in found})
    return tuple(sorted(found))


def _beside(ids: Collection[UUID]) -> set[str]:
    """Standings of these things, and what is declared of the model versions among them. Files are left out: a model
    may have thousands, and a version's own entry tells those that were read.
    """
    found = {f"standing:{pk}" for pk in Standing.objects.filter(subject_id__in=ids).values_list("pk", flat=True)}
    relations = ModelRelation.objects.filter(child__in=ids)
    found |= {f"model_relation:{pk}" for pk in relations.values_list("pk", flat=True)}
    quantisations = Quantisation.objects.filter(model_version__in=ids)
    return found | {f"quantisation:{pk}" for pk in quantisations.values_list("pk", flat=True)}


@dataclass(frozen=True, slots=True)
class Newest:
    """Indexes of the newest entries, oldest first, and how many older ones there are."""

    indexes: tuple[int, ...]
    older: int


def newest_entries(kind: str, deployment_id: UUID, *, size: int, limit: int) -> Newest:
    """The newest state entries below index `size` about a deployment's rows of one kind.

    The tables say which subjects to look up, so what other deployments do costs nothing here. Only indexes are read.

    Args:
        kind: request, decision, agent, tool_grant, tool_grant_revocation, comparison or finding.
    """
    subject = Concat(Value(f"{kind}:"), Cast("pk", CharField()))
    subjects = _rows(deployment_id)[kind].annotate(label=subject).values("label")
    found = Entry.objects.filter(subject__in=subjects, index__lt=size, source="app", type__in=STATE_TYPES)
    indexes = sorted(found.values_list("index", flat=True))
    older = max(0, len(indexes) - limit)
    return Newest(tuple(indexes[older:]), older)


def _rows(deployment_id: UUID) -> Mapping[str, QuerySet[Table]]:
    return {
        "request": ApprovalRequest.objects.filter(deployment_id=deployment_id),
        "decision": Decision.objects.filter(request__deployment_id=deployment_id),
        "agent": Agent.objects.filter(deployment_id=deployment_id),
        "tool_grant": ToolGrant.objects.filter(agent__deployment_id=deployment_id),
        "tool_grant_revocation": ToolGrantRevocation.objects.filter(grant__agent__deployment_id=deployment_id),
        "comparison": Comparison.objects.filter(deployment_id=deployment_id),
        "finding": _findings(deployment_id),
    }


def _findings(deployment_id: UUID) -> QuerySet[Finding]:
    """Findings about the deployment or one of its agents, by id or, from before it was registered, by name."""
    deployments = Deployment.objects.filter(pk=deployment_id).values_list("pk", "name")
    agents = Agent.objects.filter(deployment_id=deployment_id).values_list("pk", "name")
    about = {f"deployment:{pk}" for pk, _name in deployments} | {f"agent:{pk}" for pk, _name in agents}
    about = about.union(*(leaf_forms("deployment", name) for _pk, name in deployments))
    about = about.union(*(leaf_forms("agent", name) for _pk, name in agents))
    return Finding.objects.filter(subject__in=about)
