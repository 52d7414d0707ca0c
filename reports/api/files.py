"""The file behind a signed address that is valid for a minute; the entry about it was written before."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from audit.models import User
from reports import operations


@require_safe
@never_cache
def fetch(request: HttpRequest, signed: str) -> HttpResponse:
    """Send the PDF as an attachment, or say why not."""
    try:
        found = operations.open_download(signed=signed, opener=request.user if isinstance(request.user, User) else None)
    except operations.NotYours as error:
        return HttpResponse(f"{error}\n", status=403, content_type="text/plain; charset=utf-8")
    except operations.DownloadRefused as error:
        return HttpResponse(f"{error}\n", status=410, content_type="text/plain; charset=utf-8")
    answer = HttpResponse(found.data, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{found.name}"'
    answer["ETag"] = f'"{found.sha256}"'
    return answer
