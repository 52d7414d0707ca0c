"""Rows of the registry as the parts of a document, with the entries that tell them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from audit import queries as log
from governance.formats.mlbom import Ancestor, Part, Thing
from governance.models import Adapter, ApprovalRequest, Deployment, ModelVersion, Revision
from governance.queries.reconciling import REGISTERED_BY

TASKS: Final = {
    "CAUSAL_LM": "text-generation",
    "SEQ_2_SEQ_LM": "text2text-generation",
    "SEQ_CLS": "text-classification",
    "TOKEN_CLS": "token-classification",
    "QUESTION_ANS": "question-answering",
    "FEATURE_EXTRACTION": "feature-extraction",
}
ENDINGS: Final = {
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
}


class DocumentNotFound(LookupError):
    """There is nothing to make this document of."""


@dataclass(frozen=True, slots=True)
class Told:
    """The newest entry about each thing, and the newest of all."""

    entries: Mapping[str, int]
    newest: int
    at: datetime

    def about(self, subject: str) -> dict[str, str]:
        index = self.entries.get(subject)
        return {"assay:ledger:entry": str(index)} if index is not None else {}


def told_of(subjects: Sequence[str]) -> Told:
    states = log.states_at(subjects, log.head_size())
    newest = max(states.values(), key=lambda state: state.index, default=None)
    if newest is None:
        raise DocumentNotFound("The ledger no longer tells of this: its snapshot was erased.")
    return Told({subject: state.index for subject, state in states.items()}, newest.index, newest.received_at)


def claims_of(kind: str, pk: UUID, file: str) -> dict[str, tuple[str, ...]]:
    """What a file said when the version was registered, as its entry keeps it."""
    entries = log.entries(type_=REGISTERED_BY[kind], subject=f"{kind}:{pk}", limit=1)
    for content in log.section_facts([entry.index for entry in entries]).values():
        files = content.get("files")
        for found in files if isinstance(files, list) else []:
            if isinstance(found, dict) and found.get("name") == file and isinstance(found.get("says"), dict):
                says = found["says"]
                return {key: (value,) if isinstance(value, str) else tuple(value) for key, value in says.items()}
    return {}


def version_part(row: ModelVersion, told: Told, claims: Mapping[str, tuple[str, ...]]) -> Part:
    model = row.model
    return Part(
        ref=f"model_version:{row.pk}",
        name=model.name,
        version=row.version,
        developer=model.developer,
        licence=model.licence,
        hf_id=model.hf_id,
        family=row.model_type,
        architecture=row.architecture,
        task=task_of(row.architecture),
        datasets=claims.get("datasets", ()),
        ancestors=tuple(Ancestor(name) for name in claims.get("base_models", ())),
        descent="".join(claims.get("relation", ())),
        files=tuple(
            (name, digest)
            for name, digest in (
                ("config.json", row.config_sha256),
                ("model.safetensors.index.json", row.index_sha256),
            )
            if digest
        ),
        limits=(f"Reads and writes at most {row.max_context} tokens at once.",) if row.max_context else (),
        properties={
            **told.about(f"model_version:{row.pk}"),
            "assay:ledger:origin": settings.LEDGER_ORIGIN,
            "assay:source": row.source,
            "assay:weights:header-sha256": row.header_sha256,
            **{f"assay:{name}": value for name, value in numbers(row).items()},
        },
    )


def adapter_part(row: Adapter, told: Told) -> Part:
    base = row.base
    ancestor = Ancestor(base.model.name, base.version) if base else Ancestor(row.base_name, row.base_revision)
    return Part(
        ref=f"adapter:{row.pk}",
        name=row.name,
        version=row.version,
        licence=row.licence,
        architecture=row.peft_type,
        task=TASKS.get(row.task_type, ""),
        ancestors=(ancestor,),
        descent=f"adapter; match of the base: {row.base_match}",
        files=tuple(
            (name, digest)
            for name, digest in (
                ("adapter_config.json", row.config_sha256),
                ("adapter_model.safetensors", row.weights_sha256),
            )
            if digest
        ),
        properties={
            **told.about(f"adapter:{row.pk}"),
            "assay:ledger:origin": settings.LEDGER_ORIGIN,
            "assay:source": row.source,
            "assay:method": row.method,
            "assay:base:named": row.base_name,
            "assay:base:revision": row.base_revision,
            "assay:weights:header-sha256": row.header_sha256,
            "assay:params": str(row.params or ""),
        },
    )


def numbers(row: ModelVersion) -> dict[str, str]:
    said = {
        "params_total": row.params_total,
        "params_active": row.params_active,
        "layers": row.layers,
        "max_context": row.max_context,
        "weight_dtype": row.weight_dtype,
        "weight_bytes": row.weight_bytes,
        "facts_from": row.facts_from,
    }
    return {name: str(value) for name, value in said.items() if value}


def revision_properties(
    found: Deployment, row: Revision, request: ApprovalRequest | None, told: Told
) -> dict[str, str]:
    said = {
        **told.about(f"revision:{row.pk}"),
        "assay:ledger:origin": settings.LEDGER_ORIGIN,
        "assay:deployment": f"deployment:{found.pk}",
        "assay:revision:digest": row.digest,
        "assay:revision:approved": "true" if found.approved_revision_id == row.pk else "false",
        "assay:environment": row.environment,
        "assay:region": row.region,
        "assay:tools": ", ".join(sorted(row.tool_grants)),
    }
    if request is not None:
        entry = told.entries.get(f"request:{request.pk}")
        said |= {
            "assay:request": request.ref,
            "assay:request:state": request.state,
            "assay:request:entry": "" if entry is None else str(entry),
            "assay:request:decision-digest": request.decision_digest,
        }
    return said


def things_of(row: Revision) -> list[Thing]:
    gpu = row.gpu_pool.gpu_model
    things = [
        Thing(f"revision:{row.pk}#engine", "framework", row.engine, row.engine_version),
        Thing(
            f"revision:{row.pk}#cards",
            "device",
            f"{gpu.vendor} {gpu.name}",
            properties={"assay:cards": str(row.gpu_count), "assay:pool": row.gpu_pool.name},
        ),
    ]
    if row.runtime_image:
        things.append(Thing(f"revision:{row.pk}#image", "container", row.runtime_image))
    return things


def serving_limits(row: Revision) -> tuple[str, ...]:
    cap = json.loads(row.content)["serving"]["reasoning_cap"]
    return (
        f"Served with at most {row.context} tokens for an answer and {row.concurrency} answers at once.",
        f"Weights run as {row.weight_dtype}, the cache as {row.kv_dtype}.",
        *((f"Reasoning is capped at {cap} tokens an answer.",) if cap is not None else ()),
    )


def origin(told: Told, source: str, subject: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Source", source),
        ("Registered in", f"{settings.LEDGER_ORIGIN}, entry {told.entries.get(subject, told.newest)}"),
        ("Known there as", subject),
    )


def task_of(architecture: str) -> str:
    return next((task for ending, task in ENDINGS.items() if architecture.endswith(ending)), "")


def slug_of(name: str, version: str) -> str:
    kept = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in f"{name}-{version}"
    )
    return kept[:120].strip(".-") or "model"


def version_row(version_id: UUID) -> ModelVersion:
    found = ModelVersion.objects.select_related("model").filter(pk=version_id).first()
    if found is None:
        raise DocumentNotFound("There is no such model version.")
    return found


def adapter_row(adapter_id: UUID) -> Adapter:
    found = Adapter.objects.select_related("base__model").filter(pk=adapter_id).first()
    if found is None:
        raise DocumentNotFound("There is no such adapter.")
    return found
