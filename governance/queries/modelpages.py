"""The pages of a model, of one of its versions, and of a pool: facts with their source, and what hangs on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from governance.models import Deployment, GpuPool, Model, ModelVersion, Quantisation, Revision
from governance.queries.artefacts import ArtefactLine, artefact_lines
from governance.queries.lineage import Family, family
from governance.queries.objects import labels, object_history
from governance.queries.standing import standing_mark
from governance.queries.standinggaps import newest_states
from governance.queries.telling import HistoryLine

SHOWN: Final = 20
LISTED: Final = 100

MAIN_FACTS: Final = frozenset(
    {"architecture", "params_total", "params_active", "max_context", "weight_bytes", "weight_dtype"}
)
Facts = tuple[tuple[str, str], ...]


class ModelNotFound(LookupError):
    """There is no such model, version or pool."""


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of a model in its list."""

    id: UUID
    version: str
    parameters: str
    weight_bytes: int | None
    facts_from: str
    mark: str
    word: str
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class UseLine:
    """A revision that uses a version or pool. `approved`: it is what its deployment may run."""

    deployment_id: UUID
    deployment: str
    revision: int
    approved: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class QuantisationLine:
    """How weights were made smaller."""

    name: str
    facts: Facts
    said: str
    source_id: UUID | None
    source: str


@dataclass(frozen=True, slots=True)
class ModelPage:
    """One model as its page shows it."""

    id: UUID
    name: str
    facts: Facts
    registered_at: datetime
    versions: tuple[VersionLine, ...]
    uses: tuple[UseLine, ...]
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True)
class ModelVersionPage:
    """One version as its page shows it.

    Attributes:
        facts_from: where the shape was read; `source` is where those files came from.
        digests: of what was read: of whole files, and of the header alone where that is said.
    """

    id: UUID
    model_id: UUID
    model: str
    version: str
    registered_at: datetime
    facts_from: str
    source: str
    facts: Facts
    digests: Facts
    artefacts: tuple[ArtefactLine, ...]
    family: Family
    quantisations: tuple[QuantisationLine, ...]
    uses: tuple[UseLine, ...]
    history: tuple[HistoryLine, ...]

    @property
    def main_facts(self) -> Facts:
        """The facts that people look for first."""
        return tuple(pair for pair in self.facts if pair[0] in MAIN_FACTS)

    @property
    def other_facts(self) -> Facts:
        """The dimensions of its layers."""
        return tuple(pair for pair in self.facts if pair[0] not in MAIN_FACTS)


@dataclass(frozen=True, slots=True)
class PoolPage:
    """One pool as its page shows it."""

    id: UUID
    name: str
    facts: Facts
    registered_at: datetime
    uses: tuple[UseLine, ...]
    history: tuple[HistoryLine, ...]


def model_page(model_id: UUID) -> ModelPage:
    """The page of one model, in a constant number of queries.

    Raises:
        ModelNotFound: there is none.
    """
    found = Model.objects.filter(pk=model_id).first()
    if found is None:
        raise ModelNotFound("There is no such model.")
    versions = list(found.versions.order_by("-registered_at", "version")[:LISTED])
    states = newest_states("model_version", [row.pk for row in versions])
    return ModelPage(
        id=found.pk,
        name=found.name,
        facts=_said(
            ("hf_id", found.hf_id),
            ("family", found.family),
            ("developer", found.developer),
            ("licence", found.licence),
            ("licence_source", found.licence_source),
        ),
        registered_at=found.registered_at,
        versions=tuple(_version_line(row, states.get(row.pk, "active")) for row in versions),
        uses=uses_of(Q(model_version__model=found)),
        history=object_history("model", found.pk, limit=SHOWN),
    )


def model_version_page(version_id: UUID) -> ModelVersionPage:
    """The page of one version, in a constant number of queries.

    Raises:
        ModelNotFound: there is none.
    """
    found = ModelVersion.objects.select_related("model").filter(pk=version_id).first()
    if found is None:
        raise ModelNotFound("There is no such model version.")
    return ModelVersionPage(
        id=found.pk,
        model_id=found.model_id,
        model=found.model.name,
        version=found.version,
        registered_at=found.registered_at,
        facts_from=found.get_facts_from_display(),
        source=found.source,
        facts=_shape(found),
        digests=_digests(found),
        artefacts=artefact_lines(found.artefacts.order_by("kind", "name")[:LISTED]),
        family=family(found.pk, called=(found.model.name, found.model.hf_id)),
        quantisations=_quantisations(found),
        uses=uses_of(Q(model_version=found)),
        history=object_history("model_version", found.pk, limit=SHOWN),
    )


def pool_page(pool_id: UUID) -> PoolPage:
    """The page of one pool, in a constant number of queries.

    Raises:
        ModelNotFound: there is none.
    """
    found = GpuPool.objects.select_related("gpu_model").filter(pk=pool_id).first()
    if found is None:
        raise ModelNotFound("There is no such pool.")
    return PoolPage(
        id=found.pk,
        name=found.name,
        facts=_said(
            ("gpu_model", found.gpu_model.name),
            ("count", _number(found.count)),
            ("node", found.node),
            ("region", found.region),
            ("hosting", found.get_hosting_display()),
        ),
        registered_at=found.registered_at,
        uses=uses_of(Q(gpu_pool=found)),
        history=object_history("gpu_pool", found.pk, limit=SHOWN),
    )


def version_name(version_id: UUID) -> str:
    """What a version is called, with its model; empty when there is none."""
    return labels("model_version", [version_id]).get(version_id, "")


def uses_of(which: Q) -> tuple[UseLine, ...]:
    """The newest revisions that use something, those that are approved first."""
    approved = Deployment.objects.filter(approved_revision__isnull=False).values("approved_revision")
    rows = list(
        Revision.objects.filter(which, pk__in=approved).select_related("deployment").order_by("-created_at")[:SHOWN]
    )
    others = Revision.objects.filter(which).exclude(pk__in=[row.pk for row in rows]).select_related("deployment")
    known = {row.pk for row in rows}
    rows += others.order_by("-created_at", "pk")[:SHOWN]
    return tuple(
        UseLine(row.deployment_id, row.deployment.name, row.number, row.pk in known, row.created_at)
        for row in rows[:SHOWN]
    )


def _version_line(row: ModelVersion, state: str) -> VersionLine:
    mark, word = standing_mark(state)
    return VersionLine(
        id=row.pk,
        version=row.version,
        parameters=_number(row.params_total),
        weight_bytes=row.weight_bytes,
        facts_from=row.get_facts_from_display(),
        mark=mark,
        word=word,
        registered_at=row.registered_at,
    )


def _shape(found: ModelVersion) -> Facts:
    numbers = (
        "params_total", "params_active", "layers", "hidden", "heads", "kv_heads", "head_dim", "intermediate", "vocab",
        "experts", "experts_per_token", "expert_intermediate", "shared_experts", "dense_layers", "query_rank",
        "kv_rank", "rope_dim", "nope_dim", "value_dim", "sliding_window", "max_context", "weight_bytes",
    )  # fmt: skip
    return _said(
        ("architecture", found.architecture),
        ("model_type", found.model_type),
        *((name, _number(getattr(found, name))) for name in numbers),
        ("torch_dtype", found.torch_dtype),
        ("weight_dtype", found.weight_dtype),
    )


def _digests(found: ModelVersion) -> Facts:
    return _said(
        ("config.json", found.config_sha256),
        ("model.safetensors.index.json", found.index_sha256),
        (_("Header of the weights alone, not the file"), found.header_sha256),
    )


def _quantisations(found: ModelVersion) -> tuple[QuantisationLine, ...]:
    rows = Quantisation.objects.filter(model_version=found).select_related("source_version__model")
    return tuple(
        QuantisationLine(
            name=str(row),
            facts=_said(
                ("bits", row.bits),
                ("group_size", _number(row.group_size)),
                ("calibration", row.calibration),
                ("kv_cache_dtype", row.kv_cache_dtype),
                ("tool", row.tool),
            ),
            said=row.get_declared_in_display(),
            source_id=row.source_version_id,
            source=f"{row.source_version.model.name} {row.source_version.version}" if row.source_version else "",
        )
        for row in rows.order_by("declared_at", "pk")[:SHOWN]
    )


def _said(*pairs: tuple[str, str]) -> Facts:
    return tuple((name, value) for name, value in pairs if value)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
