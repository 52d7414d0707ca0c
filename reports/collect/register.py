"""The register: every entry the report cites, and the others about the deployment as far as there is room."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from audit import queries
from audit.queries import EntryRow
from audit.queries.names import names_of
from audit.tlog.leaf import parse_leaf
from reports.collect.evidence import moment
from reports.dataset import RegisterRow

MAX_ROWS: Final = 1_000


def chosen(cited: Iterable[int], seen: Mapping[int, EntryRow]) -> tuple[int, ...]:
    """Indexes of the register's rows: all that are cited, then the newest of the others."""
    needed = set(cited)
    others = sorted(set(seen) - needed, reverse=True)
    return tuple(sorted(needed | set(others[: max(0, MAX_ROWS - len(needed))])))


def rows(indexes: Sequence[int], seen: Mapping[int, EntryRow], titles: Mapping[str, str]) -> tuple[RegisterRow, ...]:
    """The printed rows. `titles` names subjects; people, services and targets are looked up here."""
    found = {**seen, **_missing(index for index in indexes if index not in seen)}
    kept = queries.sections_of(list(indexes))
    references = {reference for index in indexes for reference in (found[index].actor, found[index].subject)}
    names = {**names_of(references), **titles}
    return tuple(
        RegisterRow(
            index=index,
            received_at=moment(found[index].received_at),
            type=_short(found[index].type),
            actor=names.get(found[index].actor) or _short(found[index].actor),
            subject=names.get(found[index].subject) or _short(found[index].subject),
            leaf_hash=found[index].leaf_hash.hex(),
            withheld=_withheld(found[index], {section.name for section in kept[index]}),
        )
        for index in indexes
    )


def _missing(indexes: Iterable[int]) -> dict[int, EntryRow]:
    return {index: queries.entry(index) for index in indexes}


def _withheld(row: EntryRow, kept: set[str]) -> tuple[str, ...]:
    return tuple(sorted(set(parse_leaf(row.leaf).sections) - kept))


def _short(reference: str) -> str:
    """A ledger name as far as a narrow column can show it: the whole one stands in the leaf."""
    kind, colon, rest = reference.partition(":")
    return f"{kind} {rest[:8]}" if colon else reference
