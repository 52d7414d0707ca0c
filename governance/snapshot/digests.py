"""The two digests of an approval. Both are SHA-256 over RFC 8785 JSON, written as 64 hexadecimal digits.

`revision_digest` covers what runs, and nothing that only Assay knows, so a pipeline can compute it from
what it is about to start:

    {"adapters": [{"base_match", "config_sha256", "header_sha256", "id", "name", "version", "weights_sha256"}, ...],
     "artefacts": [{"name", "sha256"}, ...], "deployment": name, "environment": text,
     "format": "assay-revision@v1", "hardware": {"count", "gpu"}, "model": {"name", "version"},
     "quantisation": {"kv_cache", "weights"}, "region": text,
     "runtime": {"engine", "image", "version"},
     "serving": {"concurrency", "context", "reasoning_cap", "tensor_parallel"}, "tool_grants": [names]}

Lists are sorted; `reasoning_cap` is null without a cap. `id` and `base_match` of an adapter are those of the registry,
which lists them; a digest of an adapter that nobody gave is an empty text. The name of the deployment is inside: an
approval for one use must not answer for another that happens to run the same configuration.

`decision_digest` covers what a decision rests on:

    {"approval_policy": digest, "evidence": [digests], "format": "assay-decision@v1", "policies": [digests],
     "revision": revision_digest}
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import rfc8785

REVISION_FORMAT: Final = "assay-revision@v1"
DECISION_FORMAT: Final = "assay-decision@v1"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that runs, by what it holds."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class AdapterUse:
    """An adapter that is loaded beside its base: which one, what it holds, and how its base was matched."""

    id: str
    name: str
    version: str
    config_sha256: str
    header_sha256: str
    weights_sha256: str
    base_match: str


@dataclass(frozen=True, slots=True)
class RevisionContent:
    """Everything that runs, in the words a pipeline knows."""

    deployment: str
    model: str
    version: str
    artefacts: tuple[Artefact, ...]
    weight_dtype: str
    kv_dtype: str
    engine: str
    engine_version: str
    runtime_image: str
    context: int
    concurrency: int
    tensor_parallel: int
    reasoning_cap: int | None
    gpu: str
    gpu_count: int
    environment: str
    region: str
    tool_grants: tuple[str, ...]
    adapters: tuple[AdapterUse, ...] = ()

    def text(self) -> str:
        """The exact JSON text that `revision_digest` is over."""
        artefacts = sorted(self.artefacts, key=lambda item: (item.name, item.sha256))
        adapters = sorted(self.adapters, key=lambda item: (item.name, item.version, item.id))
        return canonical(
            {
                "format": REVISION_FORMAT,
                "deployment": self.deployment,
                "model": {"name": self.model, "version": self.version},
                "artefacts": [{"name": item.name, "sha256": item.sha256} for item in artefacts],
                "adapters": [asdict(item) for item in adapters],
                "quantisation": {"weights": self.weight_dtype, "kv_cache": self.kv_dtype},
                "runtime": {
                    "engine": self.engine,
                    "version": self.engine_version,
                    "image": self.runtime_image,
                },
                "serving": {
                    "context": self.context,
                    "concurrency": self.concurrency,
                    "tensor_parallel": self.tensor_parallel,
                    "reasoning_cap": self.reasoning_cap,
                },
                "hardware": {"gpu": self.gpu, "count": self.gpu_count},
                "environment": self.environment,
                "region": self.region,
                "tool_grants": sorted(set(self.tool_grants)),
            }
        )


def canonical(content: Any) -> str:
    """The RFC 8785 text of strings, whole numbers, booleans, None, lists and objects of them."""
    return rfc8785.dumps(content).decode()


def digest(text: str) -> str:
    """SHA-256 of a canonical text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def decision_digest(
    *, revision: str, approval_policy: str, evidence: Sequence[str], policies: Sequence[str] = ()
) -> str:
    """The digest a decision binds; each argument is itself a digest in hexadecimal."""
    return digest(
        canonical(
            {
                "format": DECISION_FORMAT,
                "revision": revision,
                "policies": sorted(policies),
                "approval_policy": approval_policy,
                "evidence": sorted(evidence),
            }
        )
    )
