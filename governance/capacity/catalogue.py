"""The catalogue that ships with Assay (`governance/catalogue/*.csv`) as typed facts.

A row keeps its source; an empty field is unknown, never zero.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Final

from governance.capacity.architectures import traits_of
from governance.capacity.facts import GIB, Experts, FactsRefused, GpuFacts, Latent, ModelFacts

FOLDER: Final = Path(__file__).resolve().parent.parent / "catalogue"


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model of the catalogue: its facts, and what is said about it."""

    facts: ModelFacts
    hf_id: str
    family: str
    licence: str
    licence_source: str
    source: str
    added: str
    notes: str
    parameters_checked: int | None


@dataclass(frozen=True, slots=True)
class CatalogueGpu:
    """An accelerator of the catalogue; amounts that may have decimals are kept as the text that was read."""

    facts: GpuFacts
    architecture: str
    memory_type: str
    bandwidth_gb_s: int | None
    bf16_tflops: str
    fp8_tflops: str
    tdp_w: int | None
    form_factor: str
    mig_profiles: str
    sources: str
    unverified_fields: str
    notes: str
    added: str


@cache
def models() -> Mapping[str, CatalogueModel]:
    """All models by name."""
    return {row["name"]: _model(row) for row in _rows("models.csv")}


@cache
def gpus() -> Mapping[str, CatalogueGpu]:
    """All accelerators by name."""
    return {row["name"]: _gpu(row) for row in _rows("gpus.csv")}


def model_named(name: str) -> CatalogueModel:
    """The model called `name` or published under that Hugging Face id.

    Raises:
        FactsRefused: nothing in the catalogue is called so.
    """
    found = models().get(name) or next((row for row in models().values() if row.hf_id == name), None)
    if found is None:
        raise FactsRefused("model", f"{name!r} is not in the catalogue.")
    return found


def gpu_named(name: str) -> CatalogueGpu:
    """The accelerator called `name`; its memory size may stand in the name ("H100 80GB SXM5").

    Raises:
        FactsRefused: nothing in the catalogue is called so.
    """
    found = gpus().get(name)
    if found is None:
        wanted = _words(name)
        for row in gpus().values():
            sized = _words(row.facts.name) | {f"{row.facts.nominal_gb}gb"}
            if wanted == sized or wanted | {"nvidia"} == sized | {"nvidia"}:
                return row
        raise FactsRefused("gpu", f"{name!r} is not in the catalogue.")
    return found


def _rows(file: str) -> Iterator[dict[str, str]]:
    with (FOLDER / file).open(encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened)


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.lower()))


def _number(row: Mapping[str, str], field: str) -> int | None:
    try:
        return int(row[field]) if row[field] else None
    except ValueError as error:
        raise FactsRefused(field, f"{row[field]!r} is not a whole number.") from error


def _count(row: Mapping[str, str], field: str) -> int:
    return _number(row, field) or 0


def _model(row: Mapping[str, str]) -> CatalogueModel:
    traits, known = traits_of(row["model_type"])
    latent = experts = None
    if row["kv_rank"]:
        latent = Latent(
            query_rank=_count(row, "query_rank"),
            kv_rank=_count(row, "kv_rank"),
            rope_dim=_count(row, "rope_dim"),
            nope_dim=_count(row, "nope_dim"),
            value_dim=_count(row, "value_dim"),
        )
    if row["experts"]:
        experts = Experts(
            count=_count(row, "experts"),
            per_token=_count(row, "experts_per_token"),
            intermediate=_count(row, "expert_intermediate"),
            shared=_count(row, "shared_experts"),
            dense_layers=_count(row, "dense_layers"),
        )
    facts = ModelFacts(
        name=row["name"],
        model_type=row["model_type"],
        layers=_count(row, "layers"),
        hidden=_count(row, "hidden"),
        heads=_count(row, "heads"),
        kv_heads=_count(row, "kv_heads"),
        head_dim=_count(row, "head_dim"),
        intermediate=_count(row, "intermediate"),
        vocab=_count(row, "vocab"),
        tie_embeddings=row["tie_embeddings"] == "True",
        traits=traits,
        traits_known=known,
        latent=latent,
        experts=experts,
        sliding_window=_number(row, "sliding_window"),
        sliding_layers=_count(row, "sliding_layers"),
        max_context=_number(row, "max_context"),
    )
    return CatalogueModel(
        facts=facts,
        hf_id=row["hf_id"],
        family=row["family"],
        licence=row["licence"],
        licence_source=row["licence_source"],
        source=row["source"],
        added=row["added"],
        notes=row["notes"],
        parameters_checked=_number(row, "parameters_checked"),
    )


def _gpu(row: Mapping[str, str]) -> CatalogueGpu:
    try:
        total = int(Decimal(row["memory_gib"]) * GIB)
    except InvalidOperation as error:
        raise FactsRefused("memory_gib", f"{row['memory_gib']!r} is not a number.") from error
    return CatalogueGpu(
        facts=GpuFacts(
            name=row["name"],
            vendor=row["vendor"],
            total_bytes=total,
            basis=row["memory_basis"],
            nominal_gb=_count(row, "memory_nominal_gb"),
        ),
        architecture=row["architecture"],
        memory_type=row["memory_type"],
        bandwidth_gb_s=_number(row, "bandwidth_gb_s"),
        bf16_tflops=row["bf16_tflops"],
        fp8_tflops=row["fp8_tflops"],
        tdp_w=_number(row, "tdp_w"),
        form_factor=row["form_factor"],
        mig_profiles=row["mig_profiles"],
        sources=row["sources"],
        unverified_fields=row["unverified_fields"],
        notes=row["notes"],
        added=row["added"],
    )
