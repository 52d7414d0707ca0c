"""The people of the demo organisation, and the one-click log-in that only a demo on loopback has."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.access.people import record_session, register_login
from audit.models import User


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody a visitor can be for a while."""

    username: str
    name: str
    role: str | Promise
    groups: tuple[str, ...]
    superuser: bool = False


PERSONAS: Final = (
    Persona("watanabe", "Ken Watanabe", _("asks for deployments (MLOps)"), ("Requesters",)),
    Persona("okafor", "Rosa Okafor", _("reviews and approves (model risk)"), ("Reviewers", "Risk owners")),
    Persona("sato", "Yuki Sato", _("reviews the technical side"), ("Reviewers",)),
    Persona("haddad", "Leila Haddad", _("owns risk, decides blind beside others"), ("Risk owners",)),
    Persona("brandt", "Eva Brandt", _("keeps the approval policies (compliance)"), ("Compliance officers",)),
    Persona("tanaka", "Mei Tanaka", _("adopts or refuses policies (compliance)"), ("Compliance officers",)),
    Persona("mori", "Aiko Mori", _("audits: reads, downloads, verifies"), ("Auditors",)),
    Persona("keller", "Jonas Keller", _("protects personal data, decides erasures"), ("Data protection",)),
    Persona(
        "lindqvist", "Anna Lindqvist", _("operates the platform, approves nothing"), ("Operators",), superuser=True
    ),
)


class NotADemo(PermissionError):
    """One-click log-in was asked of an installation that is no demo on loopback."""


def ensure_personas(*, now: datetime) -> dict[str, User]:
    """The log-ins of all personas by user name; missing ones are registered, without a password."""
    found = {user.username: user for user in User.objects.select_related("person").all()}
    for persona in PERSONAS:
        if persona.username not in found:
            found[persona.username] = register_login(
                username=persona.username,
                display_name=persona.name,
                password=None,
                groups=persona.groups,
                actor="system:demo",
                now=now,
                is_superuser=persona.superuser,
            )
    return found


def become(request: HttpRequest, username: str, *, now: datetime) -> User:
    """Log the visitor in as a persona.

    Raises:
        NotADemo: DEMO is off, or the request does not come from this machine.
        User.DoesNotExist: no such persona.
    """
    if not settings.DEMO or not _is_loopback(request.META.get("REMOTE_ADDR", "")):
        raise NotADemo("One-click log-in exists only in a demo, and only from this machine.")
    if username not in {persona.username for persona in PERSONAS}:
        raise User.DoesNotExist
    user = User.objects.select_related("person").get(username=username)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    record_session(actor=user.actor, method="demo-persona", now=now)
    return user


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
