"""Values that several operations read alike: digests, lists of words, amounts of money, limits that may be absent."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

from audit.models import Person
from governance.operations.base import Refused, text, whole

LARGEST: Final = 2**53 - 1
PLACES: Final = Decimal("0.0001")
MOST_MONEY: Final = Decimal("9999999999")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def sha256(field: str, value: str) -> str:
    """64 hexadecimal digits, with or without `sha256:` before them; empty stays empty.

    Raises:
        Refused: anything else.
    """
    found = value.strip().lower().removeprefix("sha256:")
    if found and not _SHA256.fullmatch(found):
        raise Refused(field, "must be a SHA-256: 64 hexadecimal digits.")
    return found


def words(field: str, values: Sequence[str], *, most: int, limit: int) -> list[str]:
    """Different words, sorted.

    Raises:
        Refused: more than `most`, or one that cannot be.
    """
    if len(values) > most:
        raise Refused(field, f"are {len(values)}; at most {most} are kept.")
    return sorted({text(field, value, limit=limit) for value in values})


def ids(field: str, values: Sequence[UUID], *, most: int) -> list[UUID]:
    """Different ids, sorted.

    Raises:
        Refused: more than `most`.
    """
    if len(values) > most:
        raise Refused(field, f"are {len(values)}; at most {most} are kept.")
    return sorted(set(values))


def limit_or_none(field: str, value: int | None) -> int | None:
    """A limit; None is no limit.

    Raises:
        Refused: negative, or larger than JSON can say.
    """
    return None if value is None else whole(field, value, low=0, high=LARGEST)


def money(field: str, amount: Decimal | str | None, currency: str) -> tuple[Decimal | None, str]:
    """An amount with four decimals and its currency; neither or both.

    Raises:
        Refused: one without the other, or one that cannot be.
    """
    if amount is None or amount == "":
        if currency.strip():
            raise Refused(field, "is missing: a currency alone says nothing.")
        return None, ""
    try:
        found = Decimal(amount)
    except InvalidOperation as error:
        raise Refused(field, "must be an amount such as 12.50.") from error
    if not found.is_finite() or not 0 <= found <= MOST_MONEY:
        raise Refused(field, f"must be between 0 and {MOST_MONEY}.")
    if found != found.quantize(PLACES):
        raise Refused(field, "has more than four decimals.")
    code = currency.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise Refused("cost_currency", "must be a currency of three letters, such as EUR.")
    return found.quantize(PLACES), code


def refuse_unknown_person(field: str, person_id: UUID) -> None:
    """Raises:
    Refused: nobody has this id.
    """
    if not Person.objects.filter(pk=person_id).exists():
        raise Refused(field, "is nobody who is registered.")
