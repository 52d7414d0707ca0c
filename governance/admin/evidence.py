"""Pages of evidence: the list with its standings, recording a piece, one piece, revoking it, and what is missing."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audit.models import User
from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.data_forms import EvidenceForm
from governance.admin.registering import FORM, form_page
from governance.models import Evidence
from governance.queries.evidence import Standing, standing_word
from governance.queries.subjects import evidence_numbered, subject_meant

MAX_PAGE = 20_000


@require_safe
def evidence_list(request: HttpRequest) -> HttpResponse:
    """Evidence of a kind and in a standing, newest first."""
    number = request.GET.get("page", "1")
    place = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    found = queries.evidence_list(
        now=timezone.now(),
        kind=request.GET.get("kind", "")[:40],
        standing=request.GET.get("standing", "")[:40],
        page=min(place, MAX_PAGE),
    )
    context = {
        "title": _("Evidence"),
        "found": found,
        "kinds": Evidence.Kind.choices,
        "standings": [(str(value), standing_word(value)) for value in Standing],
        "blocked": _blocked(request),
    }
    return page(request, "admin/governance/data/evidence_list.html", context)


@require_safe
def gaps(request: HttpRequest) -> HttpResponse:
    """What is missing among the evidence."""
    context = {"title": _("Gaps in the evidence"), "gaps": queries.evidence_gaps(timezone.now())}
    return page(request, "admin/governance/data/gaps.html", context)


@FORM
def evidence_new(request: HttpRequest) -> HttpResponse:
    """Record a document or result; a file that comes with it is read for its digest alone."""
    initial = {
        "subject": request.GET.get("subject", "")[:100],
        "supersedes": request.GET.get("supersedes", "")[:40],
        "kind": request.GET.get("kind", "")[:40],
        "collected_at": timezone.now().date(),
    }
    form = EvidenceForm(request.POST or None, request.FILES or None, initial=initial, label_suffix="")

    def record(user: User, fields: dict[str, Any]) -> str:
        kind, subject_id = _subject(fields.pop("subject"))
        older = fields.pop("supersedes")
        try:
            made = operations.record_evidence(
                by=user,
                subject_kind=kind,
                subject_id=subject_id,
                supersedes_id=_older(older) if older else None,
                now=timezone.now(),
                **fields,
            )
        except operations.Refused as error:
            field = "subject" if error.field in {"subject_id", "subject_kind"} else error.field
            raise operations.Refused(field, error.reason) from error
        return reverse("admin:desk_evidence", args=[made.id])

    texts = {"title": _("Record evidence"), "go": _("Record"), "files": True}
    return form_page(request, form, record, texts, _blocked(request))


@require_safe
def evidence(request: HttpRequest, evidence_id: UUID) -> HttpResponse:
    """One piece of evidence, and where it stands."""
    return _page(request, evidence_id)


@require_POST
def evidence_revoke(request: HttpRequest, evidence_id: UUID) -> HttpResponse:
    """Say that a piece of evidence must not be relied on."""
    try:
        operations.revoke_evidence(
            by=person(request), evidence_id=evidence_id, reason=request.POST.get("reason", ""), now=timezone.now()
        )
    except operations.Refused as error:
        return _page(request, evidence_id, refused=error)
    messages.success(request, _("The evidence is revoked."))
    return HttpResponseRedirect(reverse("admin:desk_evidence", args=[evidence_id]))


def _page(request: HttpRequest, evidence_id: UUID, refused: operations.Refused | None = None) -> HttpResponse:
    try:
        found = queries.evidence_page(evidence_id, now=timezone.now())
    except queries.EvidenceNotFound as error:
        raise Http404(str(error)) from error
    blocked = _blocked(request)
    if not blocked and found.revoked_at is not None:
        blocked = _("It is revoked already.")
    context = {
        "title": f"{found.ref}: {found.title}",
        "evidence": found,
        "blocked": blocked,
        "refused": refused,
        "entered": request.POST.get("reason", "") if refused else "",
    }
    return page(request, "admin/governance/data/evidence.html", context, status=200 if refused is None else 400)


def _subject(text: str) -> tuple[str, UUID]:
    meant = subject_meant(text)
    if meant.one is not None:
        kind, _colon, label = meant.one.partition(":")
        return kind, UUID(label)
    if meant.others:
        choices = ", ".join(f"{reference} ({name})" if name else reference for reference, name in meant.others)
        raise operations.Refused(
            "subject", _("may mean several things; write one of: %(choices)s") % {"choices": choices}
        )
    raise operations.Refused("subject", _("is nothing that is registered."))


def _older(text: str) -> UUID:
    found = evidence_numbered(text)
    if found is None:
        raise operations.Refused("supersedes", _("is no number of evidence; write one such as EV-0001."))
    return found


def _blocked(request: HttpRequest) -> str:
    return queries.why_not_register(queries.viewer(person(request)))
