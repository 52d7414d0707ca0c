"""The capacity estimate of a request, read back from its evidence exactly as it was hashed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from governance.capacity.facts import GIB


@dataclass(frozen=True, slots=True)
class FitTerm:
    """One part of the need on the fullest card. `cls` is its colour in charts and legends."""

    name: str
    bytes: int
    how: str
    cls: str


@dataclass(frozen=True, slots=True)
class Fit:
    """The estimate as a page shows it; sizes in bytes, of the fullest card.

    Attributes:
        mark: ok, warn or bad, for the verdict's shape.
        margin: what is left; negative when it lacks. `margin_words` says so; `margin_percent` is of what is
            usable.
    """

    verdict: str
    mark: str
    word: str
    gpu: str
    gpu_count: int
    tensor_parallel: int
    context: int
    concurrency: int
    engine: str
    weight_dtype: str
    kv_dtype: str
    kv_bytes_per_token: int
    terms: tuple[FitTerm, ...]
    need: int
    usable: int
    low: int
    high: int
    margin: int
    margin_words: str
    margin_percent: int
    assumptions: tuple[str, ...]
    formula_version: str
    digest: str

    @property
    def bars(self) -> list[tuple[str, float]]:
        """Class and GiB of each term, for the chart."""
        return [(term.cls, term.bytes / GIB) for term in self.terms]

    @property
    def total_gib(self) -> float:
        """End of the chart's scale: whichever is larger, need with its band or what is usable."""
        return max(self.high, self.usable) * 1.05 / GIB

    @property
    def usable_gib(self) -> float:
        return self.usable / GIB

    @property
    def low_gib(self) -> float:
        return self.low / GIB

    @property
    def high_gib(self) -> float:
        return self.high / GIB


_CLASSES = {"weights": "f1", "adapters": "f3", "kv_cache": "f2", "activations": "f4", "runtime": "f5"}


def read_fit(evidence: str, digest: str) -> Fit:
    """The estimate in the evidence of a request, whose text Assay wrote itself."""
    content: Mapping[str, object] = json.loads(evidence)
    verdict = str(content["verdict"])
    need, usable = _number(content, "need_bytes"), _number(content, "usable_bytes")
    mark, word = _words()[verdict]
    return Fit(
        verdict=verdict,
        mark=mark,
        word=word,
        gpu=str(content["gpu"]),
        gpu_count=_number(content, "gpu_count"),
        tensor_parallel=_number(content, "tensor_parallel"),
        context=_number(content, "context"),
        concurrency=_number(content, "concurrency"),
        engine=str(content["engine"]),
        weight_dtype=str(content["weight_dtype"]),
        kv_dtype=str(content["kv_dtype"]),
        kv_bytes_per_token=_number(content, "kv_bytes_per_token"),
        terms=tuple(_terms(content)),
        need=need,
        usable=usable,
        low=_number(content, "band_low"),
        high=_number(content, "band_high"),
        margin=usable - need,
        margin_words=_margin_words(usable - need),
        margin_percent=round(100 * (usable - need) / usable),
        assumptions=tuple(str(line) for line in _list(content, "assumptions")),
        formula_version=str(content["formula_version"]),
        digest=digest,
    )


def _terms(content: Mapping[str, object]) -> list[FitTerm]:
    names = {
        "weights": _("Weights"),
        "adapters": _("Adapters"),
        "kv_cache": _("KV cache"),
        "activations": _("Activations"),
        "runtime": _("Run time"),
    }
    found = []
    for term in _list(content, "terms"):
        assert isinstance(term, dict)  # written by request_deployment
        name = str(term["name"])
        found.append(FitTerm(names.get(name, name), int(term["bytes"]), str(term["how"]), _CLASSES[name]))
    return found


def _margin_words(margin: int) -> str:
    size = f"{abs(margin) / GIB:,.1f} GiB"
    return _("%(size)s to spare") % {"size": size} if margin >= 0 else _("%(size)s too little") % {"size": size}


def _words() -> dict[str, tuple[str, str]]:
    return {
        "fits": ("ok", _("Fits")),
        "tight": ("warn", _("Tight")),
        "does_not_fit": ("bad", _("Does not fit")),
    }


def _number(content: Mapping[str, object], field: str) -> int:
    value = content[field]
    assert isinstance(value, int)  # written by request_deployment
    return value


def _list(content: Mapping[str, object], field: str) -> list[object]:
    value = content[field]
    assert isinstance(value, list)  # written by request_deployment
    return value
