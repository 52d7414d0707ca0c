"""Is a bill of materials what CycloneDX 1.6 says? Asked before one is handed out."""

from functools import lru_cache

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


class BomInvalid(ValueError):
    """A document that the strict schema refuses; the message says where."""


def check_bom(data: bytes) -> None:
    """Raises:
    BomInvalid: `data` is no CycloneDX 1.6 in JSON.
    """
    error = _validator().validate_str(data.decode())
    if error is not None:
        raise BomInvalid(f"This bill of materials is not valid CycloneDX 1.6: {error}"[:500])


@lru_cache(maxsize=1)
def _validator() -> JsonStrictValidator:
    return JsonStrictValidator(SchemaVersion.V1_6)
