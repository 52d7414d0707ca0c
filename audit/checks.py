"""System checks of the ledger (`manage.py check --database default`), and the same as a start-up condition.

audit.E001  a table of the ledger no longer refuses changes
audit.E002  a trigger function is gone or has another body
audit.E003  a role may do more than it was made for
audit.E004  LEDGER_VKEY is not the verifier key of LEDGER_ORIGIN
audit.E005  something that no migration made gets in between: a trigger, a rule, a function that acts as the owner
audit.E006  a role lacks what it needs, as after a restore without privileges
"""

import logging
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections

from audit.queries.protection import protection
from audit.tlog.keys import KeyTextError, VerifierKey


class LedgerUnprotected(RuntimeError):
    """The database does not guard the ledger as designed: no process of Assay starts on it."""


@register(Tags.database)
def ledger_is_protected(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **kwargs: Any
) -> list[CheckMessage]:
    """E001 to E003, E005 and E006, for each database asked for that holds the ledger."""
    return [message for alias in databases or () if alias in {"default", "reader"} for message in _messages(alias)]


@register(Tags.security)
def verifier_key_fits(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E004: what readers are given must be able to open what the signer signs."""
    if not settings.LEDGER_VKEY:
        return []  # a process without the app's database needs none; with it, the settings refuse to load
    try:
        key = VerifierKey.parse(settings.LEDGER_VKEY)
    except KeyTextError as error:
        return [Error(f"LEDGER_VKEY is no verifier key: {error}", id="audit.E004")]
    if key.name != settings.LEDGER_ORIGIN:
        text = f"LEDGER_VKEY is the key of {key.name}, but LEDGER_ORIGIN is {settings.LEDGER_ORIGIN}."
        return [Error(text, hint="A checkpoint's key is named like its log.", id="audit.E004")]
    return []


def require_protection(using: str = "default") -> None:
    """For the start of a process: raises LedgerUnprotected with everything that is wrong."""
    if messages := _messages(using):
        raise LedgerUnprotected(" ".join(message.msg for message in messages))


def require_protection_at_start(using: str = "default") -> None:
    """The same, but a database that does not answer yet is no reason to end, and its connection is closed.

    A process that starts before its database waits for it in its own way, and the self-check looks at the guards
    every few seconds.

    Raises:
        LedgerUnprotected: with everything that is wrong.
    """
    try:
        require_protection(using)
    except DatabaseError as error:
        logging.getLogger(__name__).warning("the database does not answer at the start: %s", error)
    finally:
        connections.close_all()


def _messages(using: str) -> list[CheckMessage]:
    found = protection(using)
    migrate = "If the migrations have run, somebody changed the database: keep it as it is and find out who."
    revoke = "Revoke it as the owner, or give each role its own user (DATABASE_*_URL)."
    give = "Apply what `manage.py ledger_roles` prints."
    return [
        *(Error(f"The {name} no longer refuses changes.", hint=migrate, id="audit.E001") for name in found.unguarded),
        *(Error(f"The {name} is not as made.", hint=migrate, id="audit.E002") for name in found.rewritten),
        *(Error(f"The database role {text}.", hint=revoke, id="audit.E003") for text in found.grants),
        *(Error(f"The {name} was not made by a migration.", hint=migrate, id="audit.E005") for name in found.added),
        *(Error(f"The database role {text}.", hint=give, id="audit.E006") for text in found.missing),
    ]
