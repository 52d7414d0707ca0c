"""Imports from addresses for pages, REST and tasks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from audit import queries as log
from governance.models import ImportJob
from governance.queries.telling import HistoryLine, history_lines

ABANDONED_AFTER: Final = timedelta(minutes=2)
"""A run that has not ended by then lost its worker: fetching ends after 30 seconds."""

SHOWN: Final = 50
_State = ImportJob.State
_MARKS: Final = {
    _State.QUEUED: "wait",
    _State.RUNNING: "wait",
    _State.DONE: "ok",
    _State.FAILED: "bad",
    _State.CANCELLED: "none",
}


class ImportNotFound(LookupError):
    """No import has this id."""


@dataclass(frozen=True, slots=True)
class ImportView:
    """One import as its page and REST show it. `ended`: nothing more happens to it."""

    id: UUID
    address: str
    name: str
    version: str
    gguf: str
    state: str
    mark: str
    word: str
    progress: str
    failure: str
    result: str
    requested_by: str
    requested_at: datetime
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        return self.state not in {_State.QUEUED, _State.RUNNING}


def why_not_import() -> str:
    """Why nothing can be imported from an address; empty when something can."""
    if not settings.IMPORT_URLS:
        return _("Import from addresses is off: an operator names the allowed ones in IMPORT_URLS.")
    return ""


def imports(*, limit: int = SHOWN) -> list[ImportView]:
    """The newest imports."""
    return [_view(row) for row in ImportJob.objects.order_by("-requested_at", "id")[: min(limit, 200)]]


def import_view(job_id: UUID) -> ImportView:
    """One import. Raises ImportNotFound."""
    row = ImportJob.objects.filter(pk=job_id).first()
    if row is None:
        raise ImportNotFound(_("There is no such import."))
    return _view(row)


def import_history(job_id: UUID) -> tuple[HistoryLine, ...]:
    """The entries about an import, newest first."""
    return history_lines(log.history(f"import_job:{job_id}", limit=SHOWN))


def to_run(*, now: datetime, only: UUID | None = None, limit: int = 20) -> list[UUID]:
    """Imports nobody runs: asked for, or left by a worker that died."""
    lost = Q(state=_State.RUNNING, started_at__lt=now - ABANDONED_AFTER)
    found = ImportJob.objects.filter(Q(state=_State.QUEUED) | lost).order_by("requested_at", "id")
    if only is not None:
        found = found.filter(pk=only)
    return list(found.values_list("pk", flat=True)[:limit])


def _view(row: ImportJob) -> ImportView:
    return ImportView(
        id=row.pk,
        address=row.address,
        name=row.name,
        version=row.version,
        gguf=row.gguf,
        state=row.state,
        mark=_MARKS[_State(row.state)],
        word=str(row.get_state_display()),
        progress=row.progress,
        failure=row.failure,
        result=row.result,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
    )
