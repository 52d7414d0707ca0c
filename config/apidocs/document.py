"""The OpenAPI document of this installation, generated once per process."""

import json
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from audit.access.scheme import TokenScheme

Document = dict[str, Any]

SCHEMES = (TokenScheme,)
"""Named here because importing them is what makes the generator know them."""


@cache
def document() -> Document:
    """The OpenAPI 3 document over all REST addresses, whoever asks: what may be called is no secret."""
    schema: Document = SchemaGenerator().get_schema(request=None, public=True)
    return schema


@cache
def document_json() -> bytes:
    """The document as a file to download."""
    return json.dumps(document(), indent=1, ensure_ascii=False, default=str).encode()
