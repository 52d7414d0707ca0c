"""Tables above the ledger against the ledger: by the comparisons that the settings name, a slice at a time."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from audit.selfcheck.findings import Finding

logger = logging.getLogger(__name__)


class Contradicting(Protocol):
    """A row that is not what the ledger says."""

    @property
    def subject(self) -> str: ...

    @property
    def entry_index(self) -> int | None: ...

    @property
    def detail(self) -> str: ...


class Slice(Protocol):
    """What a comparison returns for one slice of its work.

    `rows` is how many it looked at, `position` where the next slice begins: empty when the round is over.
    """

    @property
    def found(self) -> Sequence[Contradicting]: ...

    @property
    def rows(self) -> int: ...

    @property
    def position(self) -> str: ...


Comparison = Callable[[str], Slice]
"""Compares from a position of its own making, empty at the start. One it does not know means the start: positions are
working state, and nobody vouches for them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one comparison came in a run.

    Attributes:
        began: position it began from. `position`: where it goes on; empty when its round is over.
        rows: how many rows it looked at.
    """

    name: str
    began: str
    position: str
    rows: int


@dataclass(frozen=True, slots=True)
class Compared:
    """What all comparisons came to.

    Attributes:
        failed: comparisons that raised: one that cannot read a forged row must not keep what the others found from
            being told.
    """

    findings: tuple[Finding, ...]
    failed: tuple[str, ...]
    progress: tuple[Progress, ...]


def compare_tables(positions: Mapping[str, str], *, seconds: float, monotonic: Callable[[], float]) -> Compared:
    """One round of each comparison, or as much of it as its share of `seconds` allows; a slice at least.

    Args:
        positions: where each comparison stopped, by name.
    """
    names: Sequence[str] = settings.SELF_CHECK_COMPARISONS
    findings: list[Finding] = []
    failed: list[str] = []
    progress: list[Progress] = []
    for name in names:
        deadline = monotonic() + seconds / len(names)
        began = position = positions.get(name, "")
        rows = 0
        try:
            comparison = cast(Comparison, import_string(name))
            with transaction.atomic():
                while True:
                    part = comparison(position)
                    findings += [
                        Finding("registry", item.entry_index, item.subject, item.detail) for item in part.found
                    ]
                    rows, position = rows + part.rows, part.position
                    if not position or monotonic() > deadline:
                        break
        except Exception:
            logger.exception("the comparison %s failed", name)
            failed.append(name)
        else:
            progress.append(Progress(name, began, position, rows))
    return Compared(tuple(findings), tuple(failed), tuple(progress))
