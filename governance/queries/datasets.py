"""A data set for reading: its versions, and who uses them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from audit import queries as log
from governance.models import Dataset, DatasetUse, DatasetVersion
from governance.queries.people import names_of
from governance.queries.telling import HistoryLine, history_lines
from governance.snapshot import snapshot

SHOWN: Final = 50
MARKS: Final = {"yes": "warn", "no": "ok", "unknown": "todo"}
"""Shape of an answer on sensitive personal information."""


class DatasetNotFound(LookupError):
    """No data set has this id."""


@dataclass(frozen=True, slots=True)
class DatasetUseLine:
    """What was made or tried with a version of a data set."""

    version: str
    version_id: UUID
    purpose: str
    what: str
    model_version_id: UUID | None
    adapter_id: UUID | None
    note: str
    by: str
    at: datetime
    entry: int | None


@dataclass(frozen=True, slots=True)
class DatasetVersionView:
    """One version; `facts` are name and text, only what is known."""

    id: UUID
    version: str
    mark: str
    word: str
    facts: tuple[tuple[str, str], ...]
    sha256: str
    by: str
    at: datetime
    entry: int | None


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """One data set as its page shows it; `older` versions stand in the ledger and over REST alone."""

    id: UUID
    name: str
    type: str
    dataset_type: str
    intended_use: str
    owner: str
    registered_at: datetime
    row_version: int
    versions: tuple[DatasetVersionView, ...]
    older: int
    uses: tuple[DatasetUseLine, ...]
    history: tuple[HistoryLine, ...]


def dataset_page(dataset_id: UUID) -> DatasetPage:
    """The page of one data set, in a constant number of queries.

    Raises:
        DatasetNotFound: there is none.
    """
    found = Dataset.objects.select_related("owner").filter(pk=dataset_id).first()
    if found is None:
        raise DatasetNotFound("There is no such data set.")
    versions = list(found.versions.order_by("-registered_at", "pk")[:SHOWN])
    count = found.versions.count()
    uses = _uses(found)
    names = names_of([*(row.registered_by for row in versions), *(row.recorded_by for row in uses)])
    told = [*(f"dataset_version:{row.pk}" for row in versions), *(f"dataset_use:{row.pk}" for row in uses)]
    states = log.states_at(told, log.head_size()) if told else {}
    entries = {subject.partition(":")[2]: state.index for subject, state in states.items()}
    return DatasetPage(
        id=found.pk,
        name=found.name,
        type=found.get_dataset_type_display(),
        dataset_type=found.dataset_type,
        intended_use=found.intended_use,
        owner=found.owner.display_name,
        registered_at=found.registered_at,
        row_version=found.row_version,
        versions=tuple(_view(row, names, entries) for row in versions),
        older=count - len(versions),
        uses=tuple(_use(row, names, entries) for row in uses),
        history=history_lines(log.history(f"dataset:{found.pk}", limit=SHOWN)),
    )


def dataset_snapshot(dataset_id: UUID) -> dict[str, Any] | None:
    """The full snapshot of a data set with those of its newest versions and their uses; None when there is none."""
    row = Dataset.objects.filter(pk=dataset_id).first()
    if row is None:
        return None
    return {
        **snapshot("dataset", row),
        "versions": [snapshot("dataset_version", made) for made in row.versions.order_by("-registered_at")[:SHOWN]],
        "uses": [snapshot("dataset_use", use) for use in _uses(row)],
    }


def _uses(found: Dataset) -> Sequence[DatasetUse]:
    rows = DatasetUse.objects.filter(dataset_version__dataset=found)
    return list(
        rows.select_related("dataset_version", "model_version__model", "adapter").order_by("-recorded_at", "pk")[:SHOWN]
    )


def _use(row: DatasetUse, names: Mapping[str, str], entries: Mapping[str, int]) -> DatasetUseLine:
    version = row.model_version
    what = f"{version.model.name} {version.version}" if version is not None else str(row.adapter)
    return DatasetUseLine(
        version=row.dataset_version.version,
        version_id=row.dataset_version_id,
        purpose=row.get_purpose_display(),
        what=what,
        model_version_id=row.model_version_id,
        adapter_id=row.adapter_id,
        note=row.note,
        by=names[row.recorded_by],
        at=row.recorded_at,
        entry=entries.get(str(row.pk)),
    )


def _view(row: DatasetVersion, names: Mapping[str, str], entries: Mapping[str, int]) -> DatasetVersionView:
    sensitive = row.has_sensitive_personal_information
    words = {
        "yes": _("Sensitive personal information"),
        "no": _("No sensitive personal information"),
        "unknown": _("Sensitive personal information unknown"),
    }
    facts = (
        (_("Where the data come from"), row.get_provenance_display()),
        (_("How it was collected"), row.data_collection_process),
        (_("How it was prepared"), row.data_preprocessing),
        (_("Known bias"), row.known_bias),
        (_("Confidentiality"), row.get_confidentiality_level_display()),
        (_("Anonymisation"), row.anonymization_method_used),
        (_("Licence"), row.licence),
        (_("Size (bytes)"), "" if row.dataset_size is None else f"{row.dataset_size:,}"),
        (_("Source"), row.source),
    )
    return DatasetVersionView(
        id=row.pk,
        version=row.version,
        mark=MARKS[sensitive],
        word=words[sensitive],
        facts=tuple((name, value) for name, value in facts if value),
        sha256=row.sha256,
        by=names[row.registered_by],
        at=row.registered_at,
        entry=entries.get(str(row.pk)),
    )
