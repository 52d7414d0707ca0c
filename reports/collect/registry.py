"""What is deployed, as fields with their states. What a law asks for and nobody recorded is listed as missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from audit.queries import StateRow
from reports.collect.approvals import parsed
from reports.collect.evidence import Ledger
from reports.collect.subjects import Subjects
from reports.dataset import Field, FieldGroup, FieldState


@dataclass(frozen=True, slots=True)
class Spec:
    """How one field is read from a snapshot.

    Attributes:
        absent: why the field does not apply when the snapshot has nothing; empty means that it is then missing.
        gguf: the same for a version whose facts were read from a GGUF header.
        derived: how we computed the value, when it does not stand in the entry as printed.
    """

    key: str
    column: str
    unit: str = ""
    absent: str = ""
    derived: str = ""
    gguf: str = ""


DEPLOYMENT = (
    Spec("name", "name"),
    Spec("purpose", "purpose"),
    Spec("owner", "owner_id", "person"),
)
REVISION = (
    Spec("number", "number"),
    Spec("revision_digest", "digest", "sha256"),
    Spec("environment", "environment"),
    Spec("region", "region"),
    Spec("engine", "engine"),
    Spec("engine_version", "engine_version"),
    Spec("runtime_image", "runtime_image", "code"),
    Spec("weight_dtype", "weight_dtype"),
    Spec("kv_dtype", "kv_dtype"),
    Spec("context", "context", "tokens"),
    Spec("concurrency", "concurrency", "sequences"),
    Spec("gpu_count", "gpu_count"),
    Spec("tensor_parallel", "tensor_parallel"),
    Spec("reasoning_cap", "reasoning_cap", "tokens", absent="The revision sets no cap on reasoning"),
    Spec("tool_grants", "tool_grants", "list", absent="The revision grants no tools"),
    Spec("adapters", "content", "adapters", absent="The revision loads no adapters beside its model"),
)
MODEL = (
    Spec("name", "name"),
    Spec("developer", "developer"),
    Spec("licence", "licence"),
    Spec("licence_source", "licence_source"),
)
VERSION = (
    Spec("version", "version"),
    Spec("architecture", "architecture"),
    Spec("parameters", "params_total", "parameters", derived="Counted from the shapes in the model's own files"),
    Spec("active_parameters", "params_active", "parameters", derived="Parameters that take part in one token"),
    Spec("layers", "layers"),
    Spec("hidden", "hidden"),
    Spec("attention", "heads"),
    Spec("kv_heads", "kv_heads"),
    Spec("vocabulary", "vocab"),
    Spec("experts", "experts", absent="Dense model"),
    Spec("max_context", "max_context", "tokens"),
    Spec("stored_as", "weight_dtype"),
    Spec("weight_bytes", "weight_bytes", "bytes"),
    Spec(
        "config_sha256",
        "config_sha256",
        "sha256",
        gguf="The facts were read from the header of a GGUF file, which has no config.json",
    ),
    Spec("index_sha256", "index_sha256", "sha256", absent="One weights file, so no index"),
    Spec("source", "source"),
    Spec("training_data", ""),
    Spec("evaluation", ""),
)
POOL = (
    Spec("name", "name"),
    Spec("node", "node"),
    Spec("region", "region"),
    Spec("hosting", "hosting", "word"),
    Spec("cards", "count"),
)
GPU = (
    Spec("name", "name"),
    Spec("memory_bytes", "memory_bytes", "bytes"),
    Spec("memory_basis", "memory_basis"),
    Spec("bandwidth", "bandwidth_gb_s", "gigabytes_per_second"),
    Spec("power_limit", "tdp_w", "watts"),
)


def groups(ledger: Ledger, found: Subjects, names: Mapping[str, str]) -> tuple[FieldGroup, ...]:
    """The registered things behind a deployment; a thing that nobody named gives no group."""
    plan = (
        ("deployment", found.deployment, DEPLOYMENT),
        ("revision", found.revision, REVISION),
        ("model", found.model, MODEL),
        ("model_version", found.model_version, VERSION),
        ("gpu_pool", found.gpu_pool, POOL),
        ("gpu_model", found.gpu_model, GPU),
    )
    return tuple(
        FieldGroup(key=key, subject=subject, fields=_fields(ledger, subject, found.states.get(subject), specs, names))
        for key, subject, specs in plan
        if subject
    )


def _fields(
    ledger: Ledger, subject: str, state: StateRow | None, specs: tuple[Spec, ...], names: Mapping[str, str]
) -> tuple[Field, ...]:
    if state is None:
        told = ledger.find(subject=subject, newest=1)
        if not told:
            return tuple(Field(key=spec.key, state=FieldState.MISSING) for spec in specs)
        reason = "The snapshot was erased from the ledger or is not disclosed"
        entries = (told[0].index,)
        return tuple(Field(key=spec.key, state=FieldState.WITHHELD, reason=reason, entries=entries) for spec in specs)
    return tuple(_field(spec, state, names) for spec in specs)


def _field(spec: Spec, state: StateRow, names: Mapping[str, str]) -> Field:
    raw = state.after.get(spec.column)
    if spec.unit == "person":
        return _person(spec, raw, state, names)
    value = _value(spec, raw)
    if value is None:
        reason = spec.gguf if spec.gguf and state.after.get("facts_from") == "gguf" else spec.absent
        absent = FieldState.NOT_APPLICABLE if reason else FieldState.MISSING
        entries = (state.index,) if reason else ()
        return Field(key=spec.key, state=absent, reason=reason, entries=entries)
    from_catalogue = spec.derived and state.after.get("facts_from") == "catalogue"
    derived = "Taken from the catalogue of published models" if from_catalogue else spec.derived
    return Field(
        key=spec.key,
        state=FieldState.DERIVED if derived else FieldState.PROVIDED,
        value=value,
        unit="" if spec.unit in {"list", "adapters"} else spec.unit,
        reason=derived,
        entries=(state.index,),
    )


def _person(spec: Spec, raw: Any, state: StateRow, names: Mapping[str, str]) -> Field:
    name = names.get(f"person:{raw}")
    if name is None:
        reason = "The person's profile was erased; the ledger keeps the id"
        return Field(key=spec.key, state=FieldState.WITHHELD, reason=reason, entries=(state.index,))
    reason = "The ledger holds the id; the name is from the current profile"
    return Field(key=spec.key, state=FieldState.DERIVED, value=name, reason=reason, entries=(state.index,))


def _value(spec: Spec, raw: Any) -> str | int | None:
    readers: dict[str, Callable[[Any], str | int | None]] = {
        "list": lambda items: ", ".join(map(str, items)) or None,
        "adapters": _adapters,
    }
    if raw is None or raw == "" or isinstance(raw, bool):
        return None
    if spec.unit in readers:
        return readers[spec.unit](raw)
    return raw if isinstance(raw, str | int) else None


def _adapters(content: Any) -> str | None:
    """Name and version of every adapter in the canonical content of a revision."""
    loaded = parsed(content).get("adapters")
    named = [f"{item.get('name')} {item.get('version')}" for item in loaded or () if isinstance(item, dict)]
    return ", ".join(named) or None
