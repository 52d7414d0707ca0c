"""What the follower of the log holds evidence against: approved caps and granted tools."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from governance.models import Agent, Deployment, ToolGrant


@dataclass(frozen=True, slots=True)
class Approved:
    """A registered deployment: number and reasoning cap of its approved revision, None where there is none."""

    id: UUID
    name: str
    revision: int | None
    cap: int | None


@dataclass(frozen=True, slots=True)
class Grants:
    """A registered agent and the reversibility of each tool it may call."""

    id: UUID
    name: str
    tools: Mapping[str, str]


def approved_caps(subjects: Collection[str]) -> dict[str, Approved]:
    """The registered ones among the deployments that are named as `deployment:<uuid>` or `deployment:<name>`."""
    ids, names = _split(subjects, "deployment")
    found: dict[str, Approved] = {}
    rows = Deployment.objects.filter(Q(pk__in=ids) | Q(name__in=names)).select_related("approved_revision")
    for row in rows:
        revision = row.approved_revision
        approved = Approved(
            id=row.pk,
            name=row.name,
            revision=revision.number if revision else None,
            cap=revision.reasoning_cap if revision else None,
        )
        found |= {f"deployment:{row.pk}": approved, f"deployment:{row.name}": approved}
    return found


def granted_tools(subjects: Collection[str]) -> dict[str, Grants]:
    """The registered ones among the agents that are named as `agent:<uuid>` or `agent:<name>`."""
    ids, names = _split(subjects, "agent")
    agents = list(Agent.objects.filter(Q(pk__in=ids) | Q(name__in=names)))
    tools: dict[UUID, dict[str, str]] = {agent.pk: {} for agent in agents}
    for grant in ToolGrant.objects.filter(agent__in=agents):
        tools[grant.agent_id][grant.tool] = grant.reversibility
    found: dict[str, Grants] = {}
    for agent in agents:
        grants = Grants(agent.pk, agent.name, tools[agent.pk])
        found |= {f"agent:{agent.pk}": grants, f"agent:{agent.name}": grants}
    return found


def _split(subjects: Collection[str], kind: str) -> tuple[list[UUID], list[str]]:
    labels = [subject.removeprefix(f"{kind}:") for subject in subjects]
    return [found for label in labels for found in _uuid(label)], labels


def _uuid(label: str) -> Iterator[UUID]:
    try:
        yield UUID(label)
    except ValueError:
        return
