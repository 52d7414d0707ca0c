"""Single facts with the state each of them is in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FieldState(StrEnum):
    PROVIDED = "provided"  # stands in a cited entry as it is printed
    DERIVED = "derived"  # computed by us from cited entries; `reason` says how
    NOT_APPLICABLE = "not_applicable"  # `reason` says why
    WITHHELD = "withheld"  # recorded but not disclosed here, or erased; `reason` says which
    MISSING = "missing"  # nobody recorded it


class IncompleteField(ValueError):
    """A field claims a state its content does not bear out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One fact: machine name, state, value in `unit`, and the entries that prove it."""

    key: str
    state: FieldState
    value: str | int | None = None
    unit: str = ""
    reason: str = ""
    entries: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        has_value = self.state in (FieldState.PROVIDED, FieldState.DERIVED)
        if has_value != (self.value is not None):
            raise IncompleteField(f"{self.key}: {self.state} goes with a value only when provided or derived")
        needs_reason = self.state in (FieldState.DERIVED, FieldState.NOT_APPLICABLE, FieldState.WITHHELD)
        if needs_reason and not self.reason:
            raise IncompleteField(f"{self.key}: {self.state} needs a reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldGroup:
    """Facts about one registered thing, e.g. key `model_version`, subject `model_version:<uuid>`."""

    key: str
    subject: str
    fields: tuple[Field, ...]
