"""What the operations of erasure share: how a refusal is told, and what a text may hold."""

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import ledger

MIN_REASON: Final = 10
MAX_TEXT: Final = 2000

# By the constraint that refuses (migration 0007): what another change met first becomes a sentence.
_SENTENCES: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "erasure_pkey": gettext_lazy("This section is erased already."),
        "erasure_deletes": gettext_lazy("This section is erased already."),
        "erasure_request_of_a_section": gettext_lazy("This section is erased already."),
        "erasure_decision_pkey": gettext_lazy("This request is decided already."),
        "hold_release_pkey": gettext_lazy("This hold is released already."),
        "erasure_held": gettext_lazy("A legal hold is on this entry: release it first."),
        "erasure_of_what_may_go": gettext_lazy("What tells of an erasure or a hold stays for ever."),
        "erasure_before_the_floor_by_two": gettext_lazy(
            "Its retention floor has not passed: another person than the one who asked must approve."
        ),
    }
)


class Refused(ValueError):
    """An erasure or hold that is not made.

    Attributes:
        field: what to correct; empty when nothing the caller can change would help.
        reason: a sentence for the person.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


@contextmanager
def change() -> Iterator[None]:
    """One durable transaction; what the database refuses, at its end too, becomes a sentence."""
    try:
        with transaction.atomic(durable=True):
            yield
    except IntegrityError as error:
        diagnostic = getattr(error.__cause__, "diag", None)
        known = _SENTENCES.get(getattr(diagnostic, "constraint_name", None) or "")
        otherwise = getattr(diagnostic, "message_primary", None) or _("The database refused this change.")
        raise Refused("", str(known or otherwise)) from error


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


def restricted(content: Mapping[str, object]) -> ledger.Section:
    """Words that people wrote: they may name somebody, so they stand in a section that can itself be erased."""
    return ledger.facts(content)._replace(name="restricted")
