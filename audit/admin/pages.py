"""What the ledger's pages share."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from audit.models import User
from audit.queries.roles import AUDITORS, roles_of


def number(text: str) -> int | None:
    """A whole number below 10**18 as people write it (1,482,907), None for anything else."""
    digits = text.strip().replace(",", "") if len(text) < 40 else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> TemplateResponse:
    """A page inside the frame."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)


def is_auditor(request: HttpRequest) -> bool:
    """Whether the reader may read every section."""
    return isinstance(request.user, User) and AUDITORS in roles_of(request.user.pk)
