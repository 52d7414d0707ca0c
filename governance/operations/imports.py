"""Imports from addresses: asked for, done by a worker, told by the ledger when asked for and when ended.

The row is only how far the work is. What is registered is registered by the same operations as an upload, in the name
of the one who asked, who must still be allowed to at that moment.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F

from audit import ledger
from audit.access.tokens import Credential
from audit.events import EventType
from audit.models import ServiceAccount, User
from governance.models import Adapter, ImportJob, ModelVersion
from governance.operations.adapters import register_adapter
from governance.operations.base import By, Recorded, Refused, actor_of, change, recorded, refuse_unless_registrar, text
from governance.operations.importaddress import MAX_ADDRESS, AddressNotAllowed, allowed, folder_of, read_prefixes
from governance.operations.importfetch import SECONDS, Fetcher, FetchRefused, Resolve, system_resolve
from governance.operations.importplan import AdapterFiles, fetch_files
from governance.operations.models import register_from_files
from governance.queries.imports import to_run, why_not_import

logger = logging.getLogger(__name__)
ACTOR: Final = "system:importer"
MAX_ATTEMPTS: Final = 3
_State = ImportJob.State


@dataclass(frozen=True, slots=True)
class ImportAsk:
    """What shall be fetched, and as what it shall be registered."""

    address: str
    name: str
    version: str
    gguf: str = ""
    hf_id: str = ""
    developer: str = ""
    licence: str = ""
    base_version_id: UUID | None = None


class _Cancelled(Exception):
    """Somebody cancelled the import while it ran."""


def request_import(*, by: By, ask: ImportAsk, now: datetime) -> Recorded:
    """Ask for an import; the id is the job's. Entry: `import.requested`.

    Raises:
        Refused: imports are off, an address that is not allowed, or a field that cannot be.
    """
    refuse_unless_registrar(by)
    if reason := why_not_import():
        raise Refused("", reason)
    address = text("address", ask.address, limit=MAX_ADDRESS)
    try:
        address = allowed(address, read_prefixes(settings.IMPORT_URLS)).url
    except AddressNotAllowed as error:
        raise Refused("address", str(error)) from error
    gguf = text("gguf", ask.gguf, limit=200, required=False)
    if gguf and ("/" in gguf or not gguf.endswith(".gguf")):
        raise Refused("gguf", "must be the name of one file that ends with .gguf.")
    if ask.base_version_id is not None and not ModelVersion.objects.filter(pk=ask.base_version_id).exists():
        raise Refused("base", "is not registered.")
    job = ImportJob(
        id=uuid4(),
        address=address,
        name=text("name", ask.name, limit=200),
        version=text("version", ask.version, limit=100),
        gguf=gguf,
        hf_id=text("hf_id", ask.hf_id, limit=200, required=False),
        developer=text("developer", ask.developer, limit=200, required=False),
        licence=text("licence", ask.licence, limit=200, required=False),
        base_id=ask.base_version_id,
        requested_by=actor_of(by),
        account_id=by.pk if isinstance(by, User) else None,
        service_id=None if isinstance(by, User) else _service_of(by),
        requested_at=now,
    )
    said = {"address": address, "name": job.name, "version": job.version, "gguf": gguf}
    with change("address"):
        job.save(force_insert=True)
        return recorded(job.id, [_event(EventType.IMPORT_REQUESTED, job, said, actor=job.requested_by, now=now)])


def cancel_import(*, job_id: UUID, by: By, now: datetime) -> Recorded:
    """Stop an import that has not ended; a worker that runs it notices before its next file. Entry: `import.ended`.

    Raises:
        Refused: no such import, or one that has ended.
    """
    refuse_unless_registrar(by)
    with change("state"):
        job = ImportJob.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise Refused("import", "There is no such import.")
        if job.state not in {_State.QUEUED, _State.RUNNING}:
            raise Refused("state", "This import has ended.")
        job.state, job.finished_at, job.row_version = _State.CANCELLED, now, job.row_version + 1
        job.save(update_fields=["state", "finished_at", "row_version"])
        said = {"state": job.state, "result": "", "failure": ""}
        return recorded(job.id, [_event(EventType.IMPORT_ENDED, job, said, actor=actor_of(by), now=now)])


def run_import(*, job_id: UUID, now: datetime, resolve: Resolve = system_resolve, seconds: float = SECONDS) -> bool:
    """Fetch and register what a queued import asks for; True when this call did it. Entry: `import.ended`.

    Safe to call again at any time: an import that does not wait, or that another worker has, is left alone.
    """
    job = _claim(job_id, now)
    if job is None:
        return False
    if job.attempt > MAX_ATTEMPTS:
        _end(job, _State.FAILED, failure="The worker was lost each time that it ran this import.", now=now)
        return False
    try:
        result = _registered(job) or _run(job, resolve, seconds, now)
    except _Cancelled:
        return False
    except (FetchRefused, AddressNotAllowed) as error:
        _end(job, _State.FAILED, failure=f"{job.progress}: {error}" if job.progress else str(error), now=now)
    except Refused as error:
        _end(job, _State.FAILED, failure=str(error), now=now)
    except Exception:
        logger.exception("Import %s could not be run, attempt %s.", job.id, job.attempt)
        _end(job, _State.FAILED, failure="Something went wrong here; an operator finds it in the logs.", now=now)
    else:
        return _end(job, _State.DONE, result=result, now=now)
    return False


def advance_imports(*, now: datetime, hand_over: Callable[[UUID], bool]) -> int:
    """Hand every import that nobody runs to a worker; how many there were."""
    found = to_run(now=now)
    for job_id in found:
        hand_over(job_id)
    return len(found)


def _run(job: ImportJob, resolve: Resolve, seconds: float, now: datetime) -> str:
    fetcher = Fetcher(read_prefixes(settings.IMPORT_URLS), seconds=seconds, resolve=resolve)

    def tell(name: str) -> None:
        job.progress = name[:200]
        mine = ImportJob.objects.filter(pk=job.pk, state=_State.RUNNING, attempt=job.attempt)
        if not mine.update(progress=job.progress, row_version=F("row_version") + 1):
            raise _Cancelled

    files = fetch_files(fetcher, folder_of(job.address, job.version), gguf=job.gguf, tell=tell)
    tell("")
    by = _asked_by(job)
    source = _source(job)
    if isinstance(files, AdapterFiles):
        made = register_adapter(
            by=by, name=job.name, version=job.version, config=files.config, header=files.header, card=files.card,
            licence=job.licence, base_version_id=job.base_id, source=source, now=now,
        )  # fmt: skip
        return f"adapter:{made.id}"
    made = register_from_files(
        by=by, model_name=job.name, version=job.version, config=files.config, index=files.index, header=files.header,
        gguf=files.gguf, gguf_bytes=files.gguf_bytes, card=files.card, hf_id=job.hf_id, developer=job.developer,
        licence=job.licence, source=source, now=now,
    )  # fmt: skip
    return f"model_version:{made.id}"


def _registered(job: ImportJob) -> str:
    """What an earlier attempt of this import registered before it was lost; empty when nothing."""
    if job.attempt == 1:
        return ""
    version = ModelVersion.objects.filter(model__name=job.name, version=job.version, source=_source(job)).first()
    if version is not None:
        return f"model_version:{version.pk}"
    adapter = Adapter.objects.filter(name=job.name, version=job.version, source=_source(job)).first()
    return f"adapter:{adapter.pk}" if adapter is not None else ""


def _source(job: ImportJob) -> str:
    return f"{job.address}, asked for {job.requested_at:%Y-%m-%d}, import {job.id}"


def _asked_by(job: ImportJob) -> User | ServiceAccount:
    found: User | ServiceAccount | None = None
    if job.account_id is not None:
        found = User.objects.filter(pk=job.account_id).first()
    elif job.service_id is not None:
        found = ServiceAccount.objects.filter(pk=job.service_id).first()
    if found is None:
        raise Refused("", "Whoever asked for this import has no log-in any more.")
    return found


def _service_of(by: ServiceAccount | Credential) -> UUID:
    return by.id if isinstance(by, ServiceAccount) else by.service_account_id


def _claim(job_id: UUID, now: datetime) -> ImportJob | None:
    with transaction.atomic(durable=True):
        job = ImportJob.objects.select_for_update(skip_locked=True).filter(pk=job_id).first()
        if job is None or job.pk not in to_run(now=now, only=job.pk):
            return None
        job.state, job.started_at, job.attempt = _State.RUNNING, now, job.attempt + 1
        job.row_version += 1
        job.save(update_fields=["state", "started_at", "attempt", "row_version"])
    return job


def _end(job: ImportJob, state: str, *, now: datetime, result: str = "", failure: str = "") -> bool:
    said = {"state": str(state), "result": result, "failure": failure[:1000]}
    with transaction.atomic(durable=True):
        mine = ImportJob.objects.filter(pk=job.pk, state=_State.RUNNING, attempt=job.attempt)
        if not mine.update(
            state=state, result=result, failure=failure[:1000], finished_at=now, row_version=F("row_version") + 1
        ):
            return False
        ledger.append(events=[_event(EventType.IMPORT_ENDED, job, said, actor=ACTOR, now=now)])
    return True


def _event(
    kind: EventType, job: ImportJob, content: Mapping[str, object], *, actor: str, now: datetime
) -> ledger.Event:
    return ledger.Event(
        type=kind,
        subject=job.subject,
        source="app",
        actor=actor,
        occurred_at=now,
        sections=(ledger.facts({"import": job.subject, **content}),),
    )
