"""How the OpenAPI document names the token. Apart from `authentication`, which DRF's own modules load."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class TokenScheme(OpenApiAuthenticationExtension):
    """The bearer token as a security scheme; importing this module registers it."""

    target_class = "audit.access.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A service account's token."}
