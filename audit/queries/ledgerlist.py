"""The list of the ledger explorer: filtered by what people know, turned by keyset in both directions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from audit.queries.checkpoints import latest_checkpoint
from audit.queries.disclosure import is_open_to_all
from audit.queries.entries import EntryRow, section_facts
from audit.queries.explorer import in_short
from audit.queries.names import Candidate, Meant, candidates, names_on_pages, sources
from audit.queries.search import MOST_READ, Found, Wanted, places, search

PAGE = 50
EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One entry in the list. `words` is what its facts say in short; the others are names where one is known."""

    row: EntryRow
    actor: str
    subject: str
    source: str
    words: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """A page of the list, newest first.

    Attributes:
        low, end: the entries low to end - 1 were looked through.
        older, newer: where the next page starts in each direction (`before`, `start`); None where nothing is left.
        first: where the oldest page starts (`start`).
        cut: enough entries were read before the page was full; `older` leads on, or `newer` when `rising`.
        subject: what the subject that was asked for turned out to be; None when none was.
        others: with a subject, those that are called the same; without, those it may mean: then nothing was looked for.
        unknown: a subject was asked for that the ledger does not know.
        sources: the systems that may record events.
        size, signed_size: entries of the log, and how many the newest checkpoint covers.
    """

    lines: tuple[LedgerLine, ...]
    low: int
    end: int
    older: int | None
    newer: int | None
    first: int
    cut: bool
    rising: bool
    subject: Candidate | None
    others: tuple[Candidate, ...]
    unknown: bool
    sources: tuple[Candidate, ...]
    size: int
    signed_size: int

    @property
    def last(self) -> int:
        """The newest entry that was looked through."""
        return self.end - 1


def ledger_page(
    wanted: Wanted = EVERYTHING,
    *,
    before: int | None = None,
    start: int | None = None,
    kinds: Sequence[str] = (),
    hidden: str = "",
    sees_everything: bool = False,
    searches: bool = True,
    limit: int = PAGE,
    most: int = MOST_READ,
) -> LedgerPage:
    """A page of the entries that match; a constant number of queries for the same fields filled.

    Args:
        wanted: what to look for. Its subject may be anything that `names.candidates` understands.
        before, start: the cursor of the page, as another page gave it; with neither, the newest entries.
        kinds, hidden: see `names.candidates`.
        sees_everything: whether the reader may read every section.
        searches: False for the page around a search that cannot be made: no entry is looked for.
        most: entries that are read to find a page of them.
    """
    asked = wanted.subject
    meant = candidates(wanted.subject, kinds=kinds, hidden=hidden) if wanted.subject else Meant(None, ())
    inside = places(wanted)
    if searches and (meant.one or not wanted.subject):
        wanted = replace(wanted, subject=meant.one.reference if meant.one else "")
        found = search(wanted, inside=inside, before=before, start=start, limit=limit, most=most)
    else:
        found = Found((), inside.low, inside.low, None, None, cut=False)
    references = [text for row in found.rows for text in (row.actor, row.subject, row.source)]
    about = [*meant.others, *([meant.one] if meant.one else [])]
    names = names_on_pages([*references, *(candidate.reference for candidate in about)])
    said = section_facts([r.index for r in found.rows if sees_everything or is_open_to_all(r.source, "facts")])
    checkpoint = latest_checkpoint()
    return LedgerPage(
        lines=tuple(
            LedgerLine(
                row,
                names.get(row.actor, row.actor),
                names.get(row.subject, ""),
                names.get(row.source, row.source),
                in_short(said.get(row.index)),
            )
            for row in found.rows
        ),
        low=found.low,
        end=found.end,
        older=found.older,
        newer=found.newer,
        first=inside.low,
        cut=found.cut,
        rising=start is not None and before is None,
        subject=_named(meant.one, names) if meant.one else None,
        others=tuple(_named(candidate, names) for candidate in meant.others),
        unknown=bool(asked) and not about,
        sources=tuple(sources()),
        size=inside.size,
        signed_size=checkpoint.size if checkpoint else 0,
    )


def _named(candidate: Candidate, names: Mapping[str, str]) -> Candidate:
    return replace(candidate, name=candidate.name or names.get(candidate.reference, ""))
