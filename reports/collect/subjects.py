"""Which things a deployment's report is about: its revision, what that is made of, and all that concerns them."""

from dataclasses import dataclass
from typing import Final

from audit.queries import StateRow
from reports.collect.evidence import Evidence, Ledger

MAX_STEPS: Final = 200
MAX_AGENTS: Final = 200
MAX_GRANTS: Final = 2_000
MAX_CHANGES: Final = 50


@dataclass(frozen=True, slots=True)
class Subjects:
    """Ledger names of what stands behind a deployment at a tree size; empty where there is none.

    `revision` is the approved one, else the one asked for last. Of long lists the newest are kept.
    """

    deployment: str
    revision: str
    model_version: str
    model: str
    gpu_pool: str
    gpu_model: str
    requests: tuple[Evidence, ...]
    decisions: tuple[Evidence, ...]
    agents: tuple[Evidence, ...]
    grants: tuple[Evidence, ...]
    revocations: tuple[Evidence, ...]
    states: dict[str, StateRow]
    steps_left_out: int  # entries of requests and decisions
    grants_left_out: int

    def registered(self) -> tuple[str, ...]:
        """The registered things, in the order a reader wants them."""
        named = (self.deployment, self.revision, self.model_version, self.model, self.gpu_pool, self.gpu_model)
        return tuple(subject for subject in named if subject)


def subjects(ledger: Ledger, deployment: str) -> Subjects:
    """Follow the snapshots from a deployment to everything its report needs."""
    own_id = deployment.partition(":")[2]

    def own(found: Evidence) -> bool:
        return found.after.get("deployment_id") == own_id

    requests, older_requests = ledger.of_deployment("request", deployment, newest=MAX_STEPS, keep=own)
    states = ledger.states([deployment])
    approved = states[deployment].after.get("approved_revision_id") if deployment in states else None
    asked = next((item.after.get("revision_id") for item in reversed(requests)), None)
    revision = _named("revision", approved or asked)
    states |= ledger.states([revision])
    content = states[revision].after if revision in states else {}
    version, pool = (
        _named("model_version", content.get("model_version_id")),
        _named("gpu_pool", content.get("gpu_pool_id")),
    )
    states |= ledger.states([version, pool])
    model = _named("model", states[version].after.get("model_id") if version in states else None)
    gpu = _named("gpu_model", states[pool].after.get("gpu_model_id") if pool in states else None)
    states |= ledger.states([model, gpu])
    for subject in (deployment, revision, version, model, pool, gpu):
        if subject:
            newest = MAX_CHANGES if subject == deployment else 1
            ledger.find(subject=subject, source="app", newest=newest, keep=lambda found: bool(found.after))
    request_ids = {item.after.get("id") for item in requests}
    decisions, older_decisions = ledger.of_deployment(
        "decision", deployment, newest=MAX_STEPS, keep=lambda found: found.after.get("request_id") in request_ids
    )
    agents, _older = ledger.of_deployment("agent", deployment, newest=MAX_AGENTS, keep=own)
    agent_ids = {item.after.get("id") for item in agents}
    grants, older_grants = ledger.of_deployment(
        "tool_grant", deployment, newest=MAX_GRANTS, keep=lambda found: found.after.get("agent_id") in agent_ids
    )
    grant_ids = {item.after.get("id") for item in grants}
    revocations, _older = ledger.of_deployment(
        "tool_grant_revocation",
        deployment,
        newest=MAX_GRANTS,
        keep=lambda found: found.after.get("grant_id") in grant_ids,
    )
    return Subjects(
        deployment=deployment,
        revision=revision,
        model_version=version,
        model=model,
        gpu_pool=pool,
        gpu_model=gpu,
        requests=tuple(requests),
        decisions=tuple(decisions),
        agents=tuple(agents),
        grants=tuple(grants),
        revocations=tuple(revocations),
        states=states,
        steps_left_out=older_requests + older_decisions,
        grants_left_out=older_grants,
    )


def _named(kind: str, row_id: object) -> str:
    return f"{kind}:{row_id}" if isinstance(row_id, str) and row_id else ""
