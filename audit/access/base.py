"""What the operations on people and tokens share: a refusal, what a text may hold, how a change is told.

Unlike those of erasures these reasons stand in `facts`: who may decide, and why, is for everybody who works here.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import ledger
from audit.events import EventType

MIN_REASON: Final = 10
MAX_REASON: Final = 2000

# By the constraint that refuses (migration 0014): what another change met first becomes a sentence.
_SENTENCES: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "pool_change_one_open": gettext_lazy("A change of this pool and log-in waits already."),
        "pool_change_founding": gettext_lazy("The pool has two persons by now: propose the change again."),
        "pool_change_is_open": gettext_lazy("This change is decided already."),
        "membership_conflict": gettext_lazy("This person belongs to a pool that goes not together with this one."),
        "account_groups_user_id_group_id_uniq": gettext_lazy("This log-in belongs to the pool already."),
        "account_username_key": gettext_lazy("This user name stands already."),
        "service_account_name_key": gettext_lazy("This name stands already."),
    }
)


class Refused(ValueError):
    """A change that is not made.

    Attributes:
        field: what to correct; empty when nothing the caller can change would help.
        reason: a sentence for the person.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


@contextmanager
def change(field: str = "") -> Iterator[None]:
    """One durable transaction; what the database refuses, at its end too, becomes a sentence about `field`."""
    try:
        with transaction.atomic(durable=True):
            yield
    except IntegrityError as error:
        diagnostic = getattr(error.__cause__, "diag", None)
        known = _SENTENCES.get(getattr(diagnostic, "constraint_name", None) or "")
        otherwise = getattr(diagnostic, "message_primary", None) or _("The database refused this change.")
        raise Refused(field, str(known or otherwise)) from error


def refuse(reason: str, *, field: str = "") -> None:
    """Raises:
    Refused: when there is a reason.
    """
    if reason:
        raise Refused(field, reason)


def text(field: str, value: str, *, most: int, least: int = 0) -> str:
    """`value` without space around it.

    Raises:
        Refused: shorter than `least`, longer than `most` characters, or with characters that are no text.
    """
    found = value.strip()
    if len(found) < least:
        raise Refused(field, _("At least %(least)s characters are needed.") % {"least": least})
    if len(found) > most:
        raise Refused(field, _("At most %(most)s characters are kept.") % {"most": most})
    for character in found:
        if unicodedata.category(character) in {"Cc", "Cs", "Cf"} and character not in "\n\t":
            raise Refused(field, _("It holds a character that is no text (U+%(code)04X).") % {"code": ord(character)})
    return found


def reason_text(value: str) -> str:
    """A reason that says something."""
    return text("reason", value, least=MIN_REASON, most=MAX_REASON)


def refuse_stale(seen: int, stands: int) -> None:
    """Raises:
    Refused: the row changed after the caller read it.
    """
    if seen != stands:
        raise Refused("row_version", _("This changed meanwhile. Load the page again."))


def told(
    kind: EventType,
    subject: str,
    *,
    actor: str,
    now: datetime,
    after: Mapping[str, object] | None,
    before: Mapping[str, object] | None = None,
    **more: object,
) -> ledger.Event:
    """The event of a change: its subject's full snapshot after it, and before it where there was one."""
    return ledger.Event(
        type=kind,
        subject=subject,
        source="app",
        actor=actor,
        occurred_at=now,
        sections=(ledger.facts({"after": after, "before": before, **more}),),
    )


def append(*events: ledger.Event) -> tuple[int, ...]:
    """Append the events of a change, the last statement of its transaction; their indexes."""
    return tuple(item.index for item in ledger.append(events=list(events)))
