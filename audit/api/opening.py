"""Whether a request may open a section: the rule of `audit.queries.disclosure` for people and tokens."""

from collections.abc import Callable

from rest_framework.request import Request

from audit.access.tokens import Credential
from audit.models import User
from audit.queries.disclosure import is_open_to_all
from audit.queries.roles import AUDITORS, roles_of


def opener(request: Request) -> Callable[[str, str], bool]:
    """Whether this request may open a section of an entry of a source: takes source and section name."""
    if isinstance(request.auth, Credential):
        own, reads_all = request.auth.source, "log:read" in request.auth.scopes
        return lambda source, section: reads_all or source == own
    if isinstance(request.user, User) and AUDITORS in roles_of(request.user.pk):
        return lambda source, section: True
    return is_open_to_all
