"""The admin site of Assay: stock Django admin inside our frame, with the desk as its home."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.access.logins import change_own_password
from audit.access.people import record_session
from audit.access.sessions import note_refusal, record_session_end
from audit.models import User
from audit.queries.keys import told
from config.frame import frame
from config.home import counts_for, home

Page = tuple[str, Callable[..., HttpResponseBase], str]
"""Route below /admin/, view, and name in the namespace `admin`."""


class SignIn(AdminAuthenticationForm):
    """Labels stand above their fields, so they carry no colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})


class OwnPassword(AdminPasswordChangeForm):
    """A person's own new password: it and its entry commit together."""

    def save(self, commit: bool = True) -> User:
        change_own_password(user=self.user, password=self.cleaned_data["new_password1"], now=timezone.now())
        return self.user


class AssaySite(AdminSite):
    """The stock admin under the name of the product."""

    site_header = "Assay"
    site_title = "Assay"
    index_title = _("Desk")
    site_url = None
    index_template = "desk/home.html"
    login_form = SignIn
    enable_nav_sidebar = False

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the frame (`config.frame.Frame`) and `now`, against which pages tell ages."""
        now = timezone.now()
        context = super().each_context(request)
        user = request.user
        permitted = bool(context["has_permission"])
        context["now"] = now
        context["frame"] = frame(
            user=user,
            path=request.path,
            now=now,
            permitted=permitted,
            counts=counts_for(user) if permitted else {},
        )
        return context

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The stock sign-in; who signed in, and how, is an entry."""
        answer = super().login(request, extra_context)
        if request.method == "POST" and isinstance(request.user, User) and answer.status_code == HTTPStatus.FOUND:
            record_session(actor=request.user.actor, method="password", now=timezone.now())
        elif request.method == "POST" and answer.status_code == HTTPStatus.OK:
            note_refusal(username=request.POST.get("username", ""), now=timezone.now())
        return answer

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The stock sign-out; who signed out is an entry."""
        user = request.user
        answer = super().logout(request, extra_context)
        if request.method == "POST" and isinstance(user, User):
            record_session_end(actor=user.actor, now=timezone.now())
        return answer

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The stock page, with an entry for each change."""
        view = PasswordChangeView.as_view(
            form_class=OwnPassword,
            success_url=reverse("admin:password_change_done"),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return cast("TemplateResponse", view(request))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What needs this person now (`config.home.Home`)."""
        assert isinstance(request.user, User)
        own = {
            "home": home(user=request.user, now=timezone.now()),
            "title": _("Desk"),
            "vkeys": told().keys,
        }
        return super().index(request, {**own, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Each app's own pages (`pages` in its `admin` package) stand before the stock ones, behind a log-in."""
        own = [path(route, self.admin_view(view), name=name) for route, view, name in _pages()]
        return [*own, *super().get_urls()]


def _pages() -> Iterator[Page]:
    for app in apps.get_app_configs():
        if find_spec(f"{app.name}.admin"):
            yield from getattr(import_module(f"{app.name}.admin"), "pages", ())
