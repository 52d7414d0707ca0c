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
from governance.operations.submitting import previous_of, refuse_approved_already, submit, use_case_of
from governance.queries.rights import viewer, why_not_request
from governance.snapshot import digest, snapshot


def request_deployment(*, by: By, ask: DeploymentAsk, now: datetime) -> Recorded:
    """Ask for a deployment or a change of one; the id is the request's.

    Entries: `deployment.registered` when it is new, `revision.created` when nobody asked for it before,
    `request.submitted`, `request_stage.set` for each stage of the policy that applies, `request_exclusion.set` for each
    person whom it keeps from deciding. An ask that does not fit is taken: the reviewers see the verdict and decide.

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
        previous = previous_of(ask.again_of, deployment)
        revision = _revision(checked, deployment, actor=actor, now=now, events=events)
        refuse_approved_already(deployment, revision, previous, now)
        request, told = submit(checked, deployment, revision, by=by, previous=previous, now=now)
        return recorded(request.id, [*events, *told])


def _deployment(checked: Checked, *, by: By, now: datetime, events: list[ledger.Event]) -> Deployment:
    use_case = use_case_of(checked.ask.use_case_id)
    found = Deployment.objects.select_for_update().filter(name=checked.name).first()
    if found is None:
        if not checked.purpose:
            raise Refused("purpose", "is missing; a new deployment says what it is for.")
        found = Deployment.objects.create(
            number=next_number("deployment_number"),
            name=checked.name,
            purpose=checked.purpose,
            owner_id=person_of(by),
            use_case=use_case,
            registered_at=now,
        )
        events.append(event("deployment", EventType.DEPLOYMENT_REGISTERED, found, actor=actor_of(by), now=now))
        return found
    if checked.purpose not in {"", found.purpose}:
        raise Refused("purpose", "cannot change; another use is another deployment.")
    waiting = ApprovalRequest.objects.filter(deployment=found, state=ApprovalRequest.State.OPEN).first()
    if waiting is not None:
        raise Refused("name", f"{waiting.ref} is still open for {found.name}; decide or withdraw it first.")
    if use_case is not None and found.use_case_id != use_case.pk:
        if found.use_case_id is not None:
            raise Refused("use_case", "cannot change; another use is another deployment.")
        before: dict[str, object] = {**snapshot("deployment", found)}
        found.use_case = use_case
        found.row_version += 1
        found.save(update_fields=["use_case", "row_version"])
        told = event("deployment", EventType.DEPLOYMENT_CHANGED, found, actor=actor_of(by), now=now, before=before)
        events.append(told)
    return found


def _revision(
    checked: Checked, deployment: Deployment, *, actor: str, now: datetime, events: list[ledger.Event]
) -> Revision:
    ask, content = checked.ask, checked.content
    written = content.text()
    found = Revision.objects.filter(digest=digest(written)).first()
    if found is not None:
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
