"""Number of parameters from the shape of a model, exact to the parameter for the families of `architectures`.

Formula, with h hidden, a heads, k KV heads, d head dimension, i intermediate, V vocabulary, L layers:

    attention = h*a*d + 2*h*k*d + a*d*h (+ biases, + query and key norms)
    latent    = h*q_r + q_r + q_r*a*(nope+rope), or h*a*(nope+rope) without a query rank,
                + h*(kv_r+rope) + kv_r + kv_r*a*(nope+v) + a*v*h
    MLP       = 3*h*i gated, 2*h*i not
    experts   = h*E + 3*h*i_m*(E + shared)
    total     = V*h*(1 if tied else 2) + layers + final norm

Checked against the tensors that transformers 5.23 builds on the meta device.
"""

from dataclasses import dataclass

from governance.capacity.facts import Experts, ModelFacts


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """Parameters held in memory, those one token passes through, and the parts stored in their own way.

    Attributes:
        embedding, norms: the parts that most quantised forms leave at 16 bit.
        experts: routed and shared experts without their routers; 0 in a dense model.
    """

    total: int
    active: int
    embedding: int
    norms: int
    experts: int


def count_parameters(model: ModelFacts) -> ParameterCount:
    """Parameters of a model: `total` decides memory, `active` decides work per token."""
    h, traits = model.hidden, model.traits
    embedding = model.vocab * h * (1 if model.tie_embeddings else 2) + (model.vocab if traits.head_bias else 0)
    norms = model.layers * traits.norm_vectors * h + traits.final_norm_vectors * h
    attention = model.layers * _attention(model)
    experts = model.experts
    dense_layers = model.layers if experts is None else experts.dense_layers
    dense = dense_layers * _mlp(model, model.intermediate, bias=traits.mlp_bias)
    shared = embedding + norms + attention + dense
    if experts is None:
        return ParameterCount(total=shared, active=shared, embedding=embedding, norms=norms, experts=0)
    expert_layers = model.layers - experts.dense_layers
    return ParameterCount(
        total=shared + expert_layers * _expert_layer(model, experts, experts.count),
        active=shared + expert_layers * _expert_layer(model, experts, experts.per_token),
        embedding=embedding,
        norms=norms,
        experts=expert_layers * (experts.count + experts.shared) * _expert(model, experts),
    )


def _attention(model: ModelFacts) -> int:
    h, a, k, d, traits = model.hidden, model.heads, model.kv_heads, model.head_dim, model.traits
    sinks = a if traits.sinks else 0
    latent = model.latent
    if latent is not None:
        head = latent.nope_dim + latent.rope_dim
        query = h * a * head
        if latent.query_rank:
            query = h * latent.query_rank + latent.query_rank + latent.query_rank * a * head
        key_value = h * (latent.kv_rank + latent.rope_dim) + latent.kv_rank
        key_value += latent.kv_rank * a * (latent.nope_dim + latent.value_dim)
        return query + key_value + a * latent.value_dim * h + sinks
    weights = 2 * h * a * d + 2 * h * k * d
    bias = (a * d + 2 * k * d if traits.qkv_bias else 0) + (h if traits.output_bias else 0)
    norm = {"none": 0, "head": 2 * d, "full": a * d + k * d}[traits.qk_norm]
    return weights + bias + norm + sinks


def _mlp(model: ModelFacts, width: int, *, bias: bool) -> int:
    matrices = 3 if model.traits.gated else 2
    return matrices * model.hidden * width + ((matrices - 1) * width + model.hidden if bias else 0)


def _expert(model: ModelFacts, experts: Experts) -> int:
    return _mlp(model, experts.intermediate, bias=model.traits.expert_bias)


def _expert_layer(model: ModelFacts, experts: Experts, used: int) -> int:
    router = model.hidden * experts.count + (experts.count if model.traits.router_bias else 0)
    return router + (used + experts.shared) * _expert(model, experts)
