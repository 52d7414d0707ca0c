"""The visitor's own credential: what the curl lines of the start-here page carry."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from audit.models import ServiceAccount

ACCOUNT: Final = "visitor"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A token ready to paste (empty before seeding), and the source that it records as."""

    token: str
    source: str


def token_file(account: str) -> Path:
    """Where the demo keeps the token of one of its service accounts: readable by this user alone."""
    return Path(settings.DATA_DIR) / f"demo-token-{account}"


def visitor() -> Visitor:
    """The visitor's credential, or an empty one while the demo is being filled."""
    account = ServiceAccount.objects.filter(name=ACCOUNT).first()
    path = token_file(ACCOUNT)
    if account is None or not path.exists():
        return Visitor("", "source:none")
    return Visitor(path.read_text(encoding="ascii").strip(), f"source:{account.source_id}")
