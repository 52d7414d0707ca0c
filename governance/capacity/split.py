"""How a model is cut over cards: hard rules, not estimates. All results are for the card that holds most."""

from dataclasses import dataclass

from governance.capacity.facts import FactsRefused, ModelFacts


@dataclass(frozen=True, slots=True)
class Split:
    """`tensor` cards share each layer; `pipeline` groups of them follow each other."""

    tensor: int
    pipeline: int

    @property
    def cards(self) -> int:
        return self.tensor * self.pipeline


def split_over(model: ModelFacts, *, gpu_count: int, tensor: int | None) -> Split:
    """The split of `model` over `gpu_count` cards, all of them tensor-parallel unless told.

    Raises:
        FactsRefused: a cut through a head, through an uneven MLP, or into more stages than there are layers.
    """
    tensor = gpu_count if tensor is None else tensor
    if gpu_count < 1:
        raise FactsRefused("gpu_count", "must be at least 1.")
    if tensor < 1 or gpu_count % tensor:
        raise FactsRefused("tensor_parallel", f"{gpu_count} cards cannot be grouped by {tensor}.")
    if model.heads % tensor:
        raise FactsRefused("tensor_parallel", f"{model.heads} query heads cannot be split over {tensor} cards.")
    if model.latent is None and model.kv_heads % tensor and tensor % model.kv_heads:
        raise FactsRefused("tensor_parallel", f"{model.kv_heads} KV heads cannot be split over {tensor} cards.")
    widths = [width for width in (model.intermediate, model.experts and model.experts.intermediate) if width]
    for width in widths:
        if width % tensor:
            raise FactsRefused("tensor_parallel", f"an MLP of width {width} cannot be split over {tensor} cards.")
    pipeline = gpu_count // tensor
    if pipeline > model.layers:
        raise FactsRefused("gpu_count", f"{model.layers} layers cannot fill {pipeline} pipeline stages.")
    return Split(tensor=tensor, pipeline=pipeline)


def stage_layers(model: ModelFacts, split: Split) -> int:
    """Layers in the longest pipeline stage."""
    return -(-model.layers // split.pipeline)


def kv_heads_per_card(model: ModelFacts, split: Split) -> int:
    """KV heads on one card; more cards than heads means copies, never less than one head."""
    return max(1, model.kv_heads // split.tensor)
