"""Asking for a deployment: what would run, whether it fits, and the question to the reviewers, in one transaction."""

from datetime import datetime

from django.db.models import Max

from audit import ledger
from audit.events import EventType
from audit.models import User
from governance.models import ApprovalRequest, Deployment, Revision
from governance.operations.asking import Checked, DeploymentAsk, check
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    event,
    next_number,
    person_of,
    recorded,
)
from governance.queries.rights import viewer, why_not_request
from governance.snapshot import canonical, decision_digest, digest
from governance.workflow import SINGLE_REVIEW


def request_deployment(*, by: By, ask: DeploymentAsk, now: datetime) -> Recorded:
    """Ask for a deployment or a change of one; the id is the request's.

    Entries: `deployment.registered` when it is new, `revision.created` when nobody asked for it before,
    `request.submitted`. An ask that does not fit is taken: the reviewers see the verdict and decide.

    Raises:
        Refused: a field that cannot be, no right to ask, an open request, or what is approved already.
    """
    if isinstance(by, User):
        refusal = why_not_request(viewer(by))
        if refusal:
            raise Refused("", refusal)
    checked = check(ask)
    actor = actor_of(by)
    with change("name"):
        events: list[ledger.Event] = []
        deployment = _deployment(checked, by=by, now=now, events=events)
        revision = _revision(checked, deployment, actor=actor, now=now, events=events)
        request = _request(checked, deployment, revision, by=by, now=now)
        events.append(event("request", EventType.REQUEST_SUBMITTED, request, actor=actor, now=now))
        return recorded(request.id, events)


def _deployment(checked: Checked, *, by: By, now: datetime, events: list[ledger.Event]) -> Deployment:
    found = Deployment.objects.select_for_update().filter(name=checked.name).first()
    if found is None:
        if not checked.purpose:
            raise Refused("purpose", "is missing; a new deployment says what it is for.")
        found = Deployment.objects.create(
            number=next_number("deployment_number"),
            name=checked.name,
            purpose=checked.purpose,
            owner_id=person_of(by),
            registered_at=now,
        )
        events.append(event("deployment", EventType.DEPLOYMENT_REGISTERED, found, actor=actor_of(by), now=now))
        return found
    if checked.purpose not in {"", found.purpose}:
        raise Refused("purpose", "cannot change; another use is another deployment.")
    waiting = ApprovalRequest.objects.filter(deployment=found, state=ApprovalRequest.State.OPEN).first()
    if waiting is not None:
        raise Refused("name", f"{waiting.ref} is still open for {found.name}; decide or withdraw it first.")
    return found


def _revision(
    checked: Checked, deployment: Deployment, *, actor: str, now: datetime, events: list[ledger.Event]
) -> Revision:
    ask, content = checked.ask, checked.content
    written = content.text()
    found = Revision.objects.filter(digest=digest(written)).first()
    if found is not None:
        if found.id == deployment.approved_revision_id:
            raise Refused("name", f"{deployment.name} is approved with exactly this configuration already.")
        return found
    last = Revision.objects.filter(deployment=deployment).aggregate(last=Max("number"))["last"] or 0
    revision = Revision.objects.create(
        deployment=deployment,
        number=last + 1,
        digest=digest(written),
        content=written,
        model_version=checked.version,
        gpu_pool=checked.pool,
        gpu_count=ask.gpu_count,
        tensor_parallel=content.tensor_parallel,
        context=ask.context,
        concurrency=ask.concurrency,
        weight_dtype=ask.weight_dtype,
        kv_dtype=ask.kv_dtype,
        engine=ask.engine,
        engine_version=content.engine_version,
        runtime_image=content.runtime_image,
        reasoning_cap=ask.reasoning_cap,
        environment=ask.environment,
        region=content.region,
        tool_grants=list(content.tool_grants),
        adapters=[row.pk for row in checked.adapters],
        created_by=actor,
        created_at=now,
    )
    events.append(event("revision", EventType.REVISION_CREATED, revision, actor=actor, now=now))
    return revision


def _request(checked: Checked, deployment: Deployment, revision: Revision, *, by: By, now: datetime) -> ApprovalRequest:
    policy = canonical(SINGLE_REVIEW.facts())
    evidence = canonical(
        {
            "kind": "capacity_estimate",
            "model": checked.content.model,
            "model_version": str(checked.version.id),
            "gpu_basis": checked.pool.gpu_model.memory_basis,
            **checked.fit.facts(),
        }
    )
    return ApprovalRequest.objects.create(
        number=next_number("request_number"),
        deployment=deployment,
        revision=revision,
        previous_revision_id=deployment.approved_revision_id,
        kind=ApprovalRequest.Kind.CHANGE if deployment.approved_revision_id else ApprovalRequest.Kind.DEPLOY,
        state=ApprovalRequest.State.OPEN,
        requester_id=person_of(by),
        submitted_by=actor_of(by),
        justification=checked.justification,
        revision_digest=revision.digest,
        decision_digest=decision_digest(
            revision=revision.digest, approval_policy=digest(policy), evidence=[digest(evidence)]
        ),
        approval_policy=policy,
        approval_policy_digest=digest(policy),
        pool=SINGLE_REVIEW.pool,
        quorum=SINGLE_REVIEW.quorum,
        evidence=evidence,
        evidence_digest=digest(evidence),
        submitted_at=now,
    )
