"""Downloads: who took which file under which classification is an entry; the file then has a short-lived address."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from audit import ledger
from audit.events import EventType
from audit.models import User
from reports.models import Report
from reports.operations import files
from reports.operations.erased import holds_erased
from reports.operations.requests import Refused, event
from reports.queries import By, ReportNotFound, why_not_read

LIFETIME_SECONDS: Final = 60
SALT: Final = "reports.download"


class NotYours(RuntimeError):
    """The address was made for somebody else."""


class DownloadRefused(ValueError):
    """There is nothing to download at this address; the message says why."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send: its bytes were compared with the hash recorded when it was finished."""

    name: str
    data: bytes
    sha256: str


def download(*, report_id: UUID, person: By, now: datetime) -> str:
    """Record a download and return the path at which the file can be fetched for a minute.

    Entry: `report.downloaded`, with who and the classification.

    Raises:
        Refused: not an auditor, reviewer or operator, nor a token with `reports:read`.
        ReportNotFound: no such report.
        DownloadRefused: the report is not ready, or something it cites was erased since.
    """
    if reason := why_not_read(person):
        raise Refused(reason)
    report = Report.objects.filter(pk=report_id).first()
    if report is None:
        raise ReportNotFound(_("There is no such report."))
    if report.state != Report.State.READY:
        raise DownloadRefused(_("This report is not ready yet."))
    _check_erased(report)
    said = {
        "report": report.subject,
        "sha256": report.sha256,
        "classification": report.classification,
        "recipient": person.actor,
    }
    with transaction.atomic(durable=True):
        ledger.append(events=[event(EventType.REPORT_DOWNLOADED, report, said, actor=person.actor, now=now)])
    signed = signing.dumps({"report": str(report.id), "for": person.actor}, salt=SALT)
    return reverse("report-download", args=[signed])


def open_download(*, signed: str, opener: User | None) -> Download:
    """The file behind a signed address that is still valid.

    An address made for a person opens in that person's log-in alone. One made for a token names a service, which
    follows it without a header: for its 60 seconds whoever holds it can open it, unless logged in as a person.

    Raises:
        DownloadRefused: no such address, no longer valid, the file is not the one that was finished, or something it
            cites was erased since.
        NotYours: made for somebody else than `opener`, the log-in that opens it.
    """
    try:
        content = signing.loads(signed, salt=SALT, max_age=LIFETIME_SECONDS)
        _check_opener(content["for"], opener)
        report = Report.objects.get(pk=UUID(content["report"]), state=Report.State.READY)
        _check_erased(report)
        data = files.report_path(report.id).read_bytes()
    except (signing.BadSignature, Report.DoesNotExist, OSError) as error:
        raise DownloadRefused(_("This address has expired. Ask for the download again.")) from error
    if sha256(data).hexdigest() != report.sha256:
        raise DownloadRefused(_("The stored file is not the one that was finished; it is not handed out."))
    return Download(f"assay-report-{report.id}.pdf", data, report.sha256)


def _check_erased(report: Report) -> None:
    """Refuse a file that still holds what was erased, and remove it: it can be made again from what is left."""
    path = files.report_path(report.id)
    if not path.is_file() or holds_erased(report, path.read_bytes()):
        path.unlink(missing_ok=True)
        files.discard_revision1(report.id)
        raise DownloadRefused(
            _("Content that this report holds was erased since, or its file is gone. Ask for the report again.")
        )


def _check_opener(made_for: str, opener: User | None) -> None:
    bearer = opener is None and made_for.startswith("service:")
    if not bearer and (opener is None or opener.actor != made_for):
        raise NotYours(_("This address was made for somebody else. Ask for the download yourself."))
