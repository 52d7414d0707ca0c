"""What somebody asks to run, checked before anything is written."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from governance.capacity.facts import FactsRefused
from governance.capacity.memory import FitResult, estimate_inference
from governance.models import Adapter, Deployment, GpuPool, ModelVersion
from governance.operations.base import Refused, choice, text, whole
from governance.queries.facts import gpu_facts, model_facts
from governance.queries.standinggaps import blocked_by
from governance.snapshot import AdapterUse, Artefact, RevisionContent

ENVIRONMENTS = ("development", "staging", "production")
MAX_CAP = 10_000_000
MAX_TOOLS = 100
MAX_ADAPTERS = 100
_FIELDS: Final = {
    "deployment": "name",
    "model_version": "model_version",
    "model": "model_version",
    "gpu_pool": "gpu_pool",
    "adapter": "adapters",
    "use_case": "use_case",
}
"""Where a refusal stands that is about a thing of this kind."""


@dataclass(frozen=True, slots=True)
class DeploymentAsk:
    """What somebody wants to run, and why. `name` of a deployment that stands asks for a change of it.

    Attributes:
        purpose: needed for a new deployment; a change may leave it empty but cannot change it.
        tensor_parallel: cards that share a layer; None means all of them.
        reasoning_cap: most reasoning tokens of one answer; None means no cap.
        adapters: ids of registered adapters that are loaded beside the model; each must have it as its base.
        use_case_id: what it is used for; a change may name it where none is named yet.
        relied_on: ids of evidence that the decision shall rest on, beside the estimate.
        again_of: the request that this one follows: after changes were requested, or to renew an approval.
    """

    name: str
    justification: str
    model_version_id: UUID
    gpu_pool_id: UUID
    gpu_count: int
    context: int
    concurrency: int
    purpose: str = ""
    tensor_parallel: int | None = None
    weight_dtype: str = "bf16"
    kv_dtype: str = "bf16"
    engine: str = "vllm"
    engine_version: str = ""
    runtime_image: str = ""
    reasoning_cap: int | None = None
    environment: str = "production"
    tool_grants: tuple[str, ...] = ()
    adapters: tuple[UUID, ...] = ()
    use_case_id: UUID | None = None
    again_of: UUID | None = None
    relied_on: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """An ask whose text is clean and whose references stand, with the estimate of its memory."""

    ask: DeploymentAsk
    name: str
    purpose: str
    justification: str
    version: ModelVersion
    pool: GpuPool
    adapters: tuple[Adapter, ...]
    fit: FitResult
    content: RevisionContent


def check(ask: DeploymentAsk) -> Checked:
    """The ask with its text cleaned and its references read.

    Raises:
        Refused: a field that cannot be; nothing was written.
    """
    version = ModelVersion.objects.select_related("model").filter(pk=ask.model_version_id).first()
    if version is None:
        raise Refused("model_version", "is not registered.")
    pool = GpuPool.objects.select_related("gpu_model").filter(pk=ask.gpu_pool_id).first()
    if pool is None:
        raise Refused("gpu_pool", "is not registered.")
    whole("gpu_count", ask.gpu_count, low=1, high=pool.count)
    if ask.reasoning_cap is not None:
        whole("reasoning_cap", ask.reasoning_cap, low=0, high=MAX_CAP)
    if len(ask.tool_grants) > MAX_TOOLS:
        raise Refused("tool_grants", f"names more than {MAX_TOOLS} tools.")
    adapters = _adapters(ask, version)
    name = text("name", ask.name, limit=100)
    _refuse_blocked(name, version, pool, adapters, ask.use_case_id)
    fit = _fit(ask, version, pool, adapters)
    content = RevisionContent(
        deployment=name,
        model=version.model.name,
        version=version.version,
        artefacts=_artefacts(version),
        weight_dtype=ask.weight_dtype,
        kv_dtype=ask.kv_dtype,
        engine=ask.engine,
        engine_version=text("engine_version", ask.engine_version, limit=100, required=False),
        runtime_image=text("runtime_image", ask.runtime_image, limit=300, required=False),
        context=ask.context,
        concurrency=ask.concurrency,
        tensor_parallel=fit.tensor_parallel,
        reasoning_cap=ask.reasoning_cap,
        gpu=pool.gpu_model.name,
        gpu_count=ask.gpu_count,
        environment=choice("environment", ask.environment, ENVIRONMENTS),
        region=pool.region,
        tool_grants=tuple(sorted({text("tool_grants", tool, limit=200) for tool in ask.tool_grants})),
        adapters=tuple(_use(row) for row in adapters),
    )
    return Checked(
        ask=ask,
        name=name,
        purpose=text("purpose", ask.purpose, limit=1000, required=False),
        justification=text("justification", ask.justification, limit=2000),
        version=version,
        pool=pool,
        adapters=adapters,
        fit=fit,
        content=content,
    )


def _refuse_blocked(
    name: str, version: ModelVersion, pool: GpuPool, adapters: tuple[Adapter, ...], use_case_id: UUID | None
) -> None:
    """Nothing is asked for that is retired or quarantined; the database refuses such a request too."""
    deployments = list(Deployment.objects.filter(name=name).values_list("pk", "use_case_id"))
    uses = {use for use in (use_case_id, *(use for _pk, use in deployments)) if use is not None}
    found = blocked_by(
        [
            *(("deployment", pk) for pk, _use in deployments),
            *(("use_case", use) for use in sorted(uses)),
            ("model_version", version.pk),
            ("model", version.model_id),
            ("gpu_pool", pool.pk),
            *(("adapter", row.pk) for row in adapters),
        ]
    )
    if found is not None:
        kind, refusal = found
        raise Refused(_FIELDS[kind], refusal)


def _adapters(ask: DeploymentAsk, version: ModelVersion) -> tuple[Adapter, ...]:
    """The adapters asked for, by name: all registered, and all for this base."""
    wanted = set(ask.adapters)
    if len(wanted) > MAX_ADAPTERS:
        raise Refused("adapters", f"names {len(wanted)} adapters; at most {MAX_ADAPTERS} are loaded at once.")
    if not wanted:
        return ()
    found = tuple(Adapter.objects.filter(pk__in=wanted).order_by("name", "version"))
    if len(found) < len(wanted):
        raise Refused("adapters", "names an adapter that is not registered.")
    for row in found:
        if row.base_id is None:
            raise Refused("adapters", f"{row} has no registered base; register a version of it that names one.")
        if row.base_id != version.pk:
            raise Refused("adapters", f"{row} is for another base than {version.model.name} {version.version}.")
    return found


def _use(row: Adapter) -> AdapterUse:
    return AdapterUse(
        id=str(row.pk),
        name=row.name,
        version=row.version,
        config_sha256=row.config_sha256,
        header_sha256=row.header_sha256,
        weights_sha256=row.weights_sha256,
        base_match=row.base_match,
    )


def _fit(ask: DeploymentAsk, version: ModelVersion, pool: GpuPool, adapters: tuple[Adapter, ...]) -> FitResult:
    try:
        return estimate_inference(
            model_facts(version, name=version.model.name),
            gpu=gpu_facts(pool.gpu_model),
            gpu_count=ask.gpu_count,
            tp=ask.tensor_parallel,
            context=ask.context,
            concurrency=ask.concurrency,
            weight_dtype=ask.weight_dtype,
            kv_dtype=ask.kv_dtype,
            engine=ask.engine,
            adapters=[row.weight_bytes for row in adapters],
        )
    except FactsRefused as error:
        raise Refused(error.field, error.reason) from error


def _artefacts(version: ModelVersion) -> tuple[Artefact, ...]:
    weights = "model.gguf" if version.facts_from == ModelVersion.FactsFrom.GGUF else "model.safetensors"
    named = (
        ("config.json", version.config_sha256),
        (weights, version.header_sha256),
        ("model.safetensors.index.json", version.index_sha256),
    )
    return tuple(Artefact(name, sha256) for name, sha256 in named if sha256)
