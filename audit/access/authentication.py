"""Bearer tokens for DRF: the credential decides actor and source, never the payload."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from audit.access.networks import admits, client_address
from audit.access.tokens import Credential, TokenRefused, check_token, note_use

if TYPE_CHECKING:
    # DRF's views load this module by name from the settings: importing them here would be a circle.
    from rest_framework.views import APIView


class Client:
    """The user object of a request that came with a token."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    pk: None = None

    def __init__(self, credential: Credential) -> None:
        self.credential = credential
        self.actor = credential.actor

    def __str__(self) -> str:
        return self.credential.name


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer assay_…`"""

    def authenticate(self, request: Request | HttpRequest) -> tuple[Client, Credential] | None:
        header: list[str] = request.META.get("HTTP_AUTHORIZATION", "").split()
        if not header or header[0].lower() != "bearer":
            return None
        if len(header) != 2 or len(header[1]) > 200 or not header[1].isascii():
            raise AuthenticationFailed("Send one token: Authorization: Bearer assay_…")
        now = datetime.now(UTC)
        try:
            credential = check_token(header[1], now=now)
        except TokenRefused as error:
            raise AuthenticationFailed(str(error)) from error
        if credential.networks and not admits(credential.networks, client_address(request.META)):
            raise PermissionDenied("This token is not used from this network. Ask its owner from where it may be.")
        note_use(credential, now=now)
        return Client(credential), credential

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="assay"'


class HasScope(BasePermission):
    """A token needs the view's `scope`; people are judged by `people_may` of the view."""

    message: ClassVar[str] = "This token lacks the scope that this address needs."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if isinstance(request.auth, Credential):
            return getattr(view, "scope", "") in request.auth.scopes
        return request.user.is_authenticated and bool(getattr(view, "people_may", False))
