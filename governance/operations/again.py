"""Asking for exactly what a request asked for, following it: with a reason and nothing else."""

from datetime import datetime
from uuid import UUID

from audit.models import User
from governance.models import ApprovalRequest, RequestEvidence
from governance.operations.asking import DeploymentAsk
from governance.operations.base import By, Recorded, Refused
from governance.operations.deployments import request_deployment
from governance.queries.again import why_not_again
from governance.queries.evidence import evidence_uses
from governance.queries.rights import viewer


def request_again(*, request_id: UUID, by: By, justification: str, now: datetime) -> Recorded:
    """Ask for the configuration of a closed request again; the id is the new request's.

    Evidence that it relied on and that still stands is relied on again; what was revoked, has expired or was
    superseded is left out.

    Raises:
        Refused: there is none, it cannot be asked for again, or `request_deployment` refuses what it asked for.
    """
    request = ApprovalRequest.objects.select_related("deployment", "revision").filter(pk=request_id).first()
    if request is None:
        raise Refused("request", "does not exist.")
    refusal = why_not_again(request, viewer(by) if isinstance(by, User) else None, now)
    if refusal:
        raise Refused("", refusal)
    relied = RequestEvidence.objects.filter(request=request).values_list("evidence_id", flat=True)
    revision = request.revision
    ask = DeploymentAsk(
        name=request.deployment.name,
        justification=justification,
        model_version_id=revision.model_version_id,
        gpu_pool_id=revision.gpu_pool_id,
        gpu_count=revision.gpu_count,
        context=revision.context,
        concurrency=revision.concurrency,
        tensor_parallel=revision.tensor_parallel,
        weight_dtype=revision.weight_dtype,
        kv_dtype=revision.kv_dtype,
        engine=revision.engine,
        engine_version=revision.engine_version,
        runtime_image=revision.runtime_image,
        reasoning_cap=revision.reasoning_cap,
        environment=revision.environment,
        tool_grants=tuple(revision.tool_grants),
        adapters=tuple(revision.adapters),
        use_case_id=request.deployment.use_case_id,
        again_of=request.pk,
        relied_on=tuple(use.id for use in evidence_uses(relied, now) if use.reliable),
    )
    return request_deployment(by=by, ask=ask, now=now)
