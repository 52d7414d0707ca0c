"""Downloads of documents: bills of materials and model cards. Each is a POST and an entry."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audit.admin.exporting import attachment
from governance import operations, queries
from governance.admin.base import person

MAKERS: Final[dict[tuple[str, str], Callable[[UUID], queries.Document]]] = {
    ("model-version", "ml-bom"): queries.version_bom,
    ("model-version", "model-card"): queries.version_card,
    ("adapter", "ml-bom"): queries.adapter_bom,
    ("adapter", "model-card"): queries.adapter_card,
    ("deployment", "ml-bom"): queries.deployment_bom,
}


@require_POST
def document(request: HttpRequest, of: str, of_id: UUID, document: str) -> HttpResponseBase:
    """The document as a file."""
    make = MAKERS.get((of, document))
    if make is None:
        raise Http404(_("There is no such document."))
    try:
        made = make(of_id)
    except queries.DocumentNotFound as error:
        raise Http404(str(error)) from error
    return attachment(operations.hand_out_document(by=person(request), document=made, now=timezone.now()))
