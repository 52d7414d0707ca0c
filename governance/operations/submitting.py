"""The question to the pools: which policy applies, its stages, and who is kept from deciding; all frozen at once."""

from datetime import datetime, timedelta
from uuid import UUID

from audit import ledger
from audit.events import EventType
from governance.models import (
    ApprovalRequest,
    Deployment,
    RequestExclusion,
    RequestStage,
    Revision,
    Tier,
    UseCase,
)
from governance.operations.asking import Checked
from governance.operations.base import By, Refused, actor_of, event, next_number, person_of
from governance.operations.relying import Relied, relied_rows, rely
from governance.queries.again import RENEW_DAYS
from governance.queries.frozen import routes
from governance.snapshot import canonical, decision_digest, digest
from governance.workflow import ApprovalPolicy, choose

_State = ApprovalRequest.State


def use_case_of(use_case_id: UUID | None) -> UseCase | None:
    """The use case that an ask names.

    Raises:
        Refused: there is none.
    """
    if use_case_id is None:
        return None
    found = UseCase.objects.filter(pk=use_case_id).first()
    if found is None:
        raise Refused("use_case", "is not registered.")
    return found


def previous_of(again_of: UUID | None, deployment: Deployment) -> ApprovalRequest | None:
    """The request that an ask follows.

    Raises:
        Refused: there is none for this deployment, or it is still open.
    """
    if again_of is None:
        return None
    found = ApprovalRequest.objects.filter(pk=again_of, deployment=deployment).first()
    if found is None:
        raise Refused("again_of", f"names no request for {deployment.name}.")
    if found.state == _State.OPEN:
        raise Refused("again_of", f"{found.ref} is still open.")
    return found


def refuse_approved_already(
    deployment: Deployment, revision: Revision, previous: ApprovalRequest | None, now: datetime
) -> None:
    """Raises:
    Refused: exactly this may run already, and its approval does not end soon.
    """
    if revision.pk != deployment.approved_revision_id:
        return
    renews = previous is not None and previous.state == _State.APPROVED and previous.revision_id == revision.pk
    ends = previous.valid_until if previous is not None and renews else None
    if not renews:
        raise Refused("name", f"{deployment.name} is approved with exactly this configuration already.")
    if ends is None or ends - timedelta(days=RENEW_DAYS) > now:
        raise Refused("again_of", f"stands for more than {RENEW_DAYS} days; it can be renewed when it ends sooner.")


def submit(
    checked: Checked,
    deployment: Deployment,
    revision: Revision,
    *,
    by: By,
    previous: ApprovalRequest | None,
    now: datetime,
) -> tuple[ApprovalRequest, list[ledger.Event]]:
    """The request with its stages and exclusions, and the events that tell them.

    Raises:
        Refused: the use case is prohibited.
    """
    use_case = deployment.use_case
    if use_case is not None and use_case.tier == Tier.PROHIBITED:
        raise Refused("use_case", f"{use_case.ref} is classified as prohibited; nothing may be deployed for it.")
    policy = choose(routes(), _attributes(checked, deployment, use_case))
    relied = rely(checked, deployment, now=now)
    request = _row(checked, deployment, revision, policy, relied, by=by, previous=previous, now=now)
    actor = actor_of(by)
    events = [event("request", EventType.REQUEST_SUBMITTED, request, actor=actor, now=now)]
    for number, stage in enumerate(policy.stages, start=1):
        row = RequestStage.objects.create(
            request=request,
            sequence=number,
            name=stage.name,
            pool=stage.pool,
            quorum=stage.quorum,
            blind=stage.blind,
            conditions_allowed=stage.conditions_allowed,
            due_at=_due(policy, number, now),
        )
        events.append(event("request_stage", EventType.REQUEST_STAGE_SET, row, actor=actor, now=now))
    told = EventType.REQUEST_EVIDENCE_RELIED
    events += [event("request_evidence", told, row, actor=actor, now=now) for row in relied_rows(request, relied)]
    for excluded in _exclusions(request, policy, deployment, use_case):
        excluded.save(force_insert=True)
        events.append(event("request_exclusion", EventType.REQUEST_EXCLUSION_SET, excluded, actor=actor, now=now))
    return request, events


def _attributes(checked: Checked, deployment: Deployment, use_case: UseCase | None) -> dict[str, str]:
    cap = checked.ask.reasoning_cap
    return {
        "environment": checked.content.environment,
        "tier": use_case.tier if use_case else Tier.UNCLASSIFIED.value,
        "hosting": checked.pool.hosting,
        "kind": _kind(deployment),
        "fit": str(checked.fit.facts()["verdict"]),
        "adapters": "yes" if checked.adapters else "no",
        "reasoning": "uncapped" if cap is None else "capped" if cap else "none",
        "tools": "some" if checked.content.tool_grants else "none",
    }


def _kind(deployment: Deployment) -> str:
    kinds = ApprovalRequest.Kind
    return kinds.CHANGE.value if deployment.approved_revision_id else kinds.DEPLOY.value


def _due(policy: ApprovalPolicy, number: int, now: datetime) -> datetime | None:
    days = policy.due_after(number)
    return None if days is None else now + timedelta(days=days)


def _row(
    checked: Checked,
    deployment: Deployment,
    revision: Revision,
    policy: ApprovalPolicy,
    relied: Relied,
    *,
    by: By,
    previous: ApprovalRequest | None,
    now: datetime,
) -> ApprovalRequest:
    frozen = canonical(policy.facts())
    evidence = canonical(_evidence(checked, deployment.use_case))
    follows = previous is not None and previous.state == _State.CHANGES_REQUESTED
    return ApprovalRequest.objects.create(
        number=next_number("request_number"),
        deployment=deployment,
        revision=revision,
        previous_revision_id=deployment.approved_revision_id,
        kind=_kind(deployment),
        state=_State.OPEN,
        requester_id=person_of(by),
        submitted_by=actor_of(by),
        justification=checked.justification,
        revision_digest=revision.digest,
        decision_digest=decision_digest(
            revision=revision.digest,
            approval_policy=digest(frozen),
            evidence=[digest(evidence), *(use.digest for use in relied)],
        ),
        approval_policy=frozen,
        approval_policy_digest=digest(frozen),
        pool=policy.stages[0].pool,
        quorum=policy.stages[0].quorum,
        evidence=evidence,
        evidence_digest=digest(evidence),
        submitted_at=now,
        round=previous.round + 1 if previous is not None and follows else 1,
        previous_request=previous,
        tier=deployment.use_case.tier if deployment.use_case else Tier.UNCLASSIFIED,
        due_at=_due(policy, 1, now),
    )


def _evidence(checked: Checked, use_case: UseCase | None) -> dict[str, object]:
    """What the decision rests on; the classification is in it, so that another one is another decision."""
    about = {}
    if use_case is not None:
        classification = use_case.classification
        about = {
            "use_case": {
                "id": str(use_case.pk),
                "tier": str(use_case.tier),
                "classification": classification.digest if classification else "",
            }
        }
    return {
        "kind": "capacity_estimate",
        "model": checked.content.model,
        "model_version": str(checked.version.id),
        "gpu_basis": checked.pool.gpu_model.memory_basis,
        **checked.fit.facts(),
        **about,
    }


def _exclusions(
    request: ApprovalRequest, policy: ApprovalPolicy, deployment: Deployment, use_case: UseCase | None
) -> list[RequestExclusion]:
    """Who the words of `distinct_from` mean, beside the requester, who is excluded anyway."""
    owners = {"deployment_owner": deployment.owner_id, "use_case_owner": use_case.owner_id if use_case else None}
    found: dict[tuple[int, UUID], RequestExclusion] = {}
    for number, stage in enumerate(policy.stages, start=1):
        for word in stage.distinct_from:
            person = owners.get(word)
            if person is None or person == request.requester_id or (number, person) in found:
                continue
            found[number, person] = RequestExclusion(request=request, stage=number, person_id=person, why=word)
    return list(found.values())
