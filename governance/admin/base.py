"""What all pages of the desk start and end with."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from audit.models import User


def person(request: HttpRequest) -> User:
    """Who is signed in."""
    user = request.user
    assert isinstance(user, User)  # the site lets nobody else through
    return user


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> TemplateResponse:
    """A page inside the site's frame."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)
