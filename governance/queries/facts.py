"""Registry rows as the pure facts that the capacity estimate takes."""

from dataclasses import replace

from governance.capacity.architectures import traits_of
from governance.capacity.facts import Experts, GpuFacts, Latent, ModelFacts
from governance.models import GpuModel, ModelVersion


def model_facts(row: ModelVersion, *, name: str) -> ModelFacts:
    """The shape of a registered version."""
    traits, known = traits_of(row.model_type)
    return ModelFacts(
        name=name,
        model_type=row.model_type,
        layers=row.layers,
        hidden=row.hidden,
        heads=row.heads,
        kv_heads=row.kv_heads,
        head_dim=row.head_dim,
        intermediate=row.intermediate,
        vocab=row.vocab,
        tie_embeddings=row.tie_embeddings,
        traits=replace(traits, qkv_bias=row.qkv_bias, output_bias=row.output_bias),
        traits_known=known,
        latent=_latent(row),
        experts=_experts(row),
        sliding_window=row.sliding_window,
        sliding_layers=row.sliding_layers,
        max_context=row.max_context,
        weight_bytes=row.weight_bytes,
        weight_dtype=row.weight_dtype,
    )


def gpu_facts(row: GpuModel) -> GpuFacts:
    """What a registered accelerator holds."""
    return GpuFacts(
        name=row.name,
        vendor=row.vendor,
        total_bytes=row.memory_bytes,
        basis=row.memory_basis,
        nominal_gb=row.memory_nominal_gb,
    )


def _experts(row: ModelVersion) -> Experts | None:
    if row.experts is None:
        return None
    return Experts(
        count=row.experts,
        per_token=row.experts_per_token or 0,
        intermediate=row.expert_intermediate or 0,
        shared=row.shared_experts or 0,
        dense_layers=row.dense_layers or 0,
    )


def _latent(row: ModelVersion) -> Latent | None:
    if row.kv_rank is None:
        return None
    return Latent(
        query_rank=row.query_rank or 0,
        kv_rank=row.kv_rank,
        rope_dim=row.rope_dim or 0,
        nope_dim=row.nope_dim or 0,
        value_dim=row.value_dim or 0,
    )
