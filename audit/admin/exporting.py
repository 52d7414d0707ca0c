"""The answer to "hand out this list": a file, or the way back with the reason."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone

from audit.exports import ExportRefused, Listing, Made, export_list
from audit.models import User

PLACES: Final = frozenset({"p", "e", "all", "page", "before", "start", "from_entry", "_facets", "_popup", "_to_field"})
"""What an address says about the place in a list and not about the list."""


def export_page(request: HttpRequest, listing: Callable[[], Listing], back: str) -> HttpResponseBase:
    """The list as the file that the pressed button names; where it is refused, back to the list at `back`."""
    user = request.user
    assert isinstance(user, User)  # the site lets nobody else through
    form = request.POST.get("format", "")[:20]
    try:
        made = export_list(listing=listing(), form=form, actor=user.actor, now=timezone.now())
    except ExportRefused as error:
        messages.error(request, str(error))
        query = request.GET.urlencode()
        return HttpResponseRedirect(f"{back}?{query}" if query else back)
    return attachment(made)


def attachment(made: Made) -> FileResponse:
    """A finished file, sent in pieces and closed at the end."""
    answer = FileResponse(made.file, as_attachment=True, filename=made.name, content_type=made.media)
    answer["Content-Length"] = str(made.bytes)
    answer["Cache-Control"] = "no-store"
    answer["ETag"] = f'"{made.sha256}"'
    return answer


def filters_of(request: HttpRequest) -> dict[str, str]:
    """What the address asks of the list."""
    return {key: str(value) for key, value in request.GET.items() if key not in PLACES and value}
