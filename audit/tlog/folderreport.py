"""What the verification of a log folder found, in words and for machines."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from audit.tlog import show
from audit.tlog.folderextra import Erasure
from audit.tlog.keyhistory import KeyHistory
from audit.tlog.verification import Check, Verification

LISTED: Final = 200
"""Faults and erasures of which each is told; the rest is counted."""

UNREADABLE: Final = "unreadable"
"""Name of failing checks that are no evidence against the log: without the file there is no answer."""


@dataclass(frozen=True)
class FolderReport(Verification):
    """The outcome for a log folder."""

    last_good: int | None = None
    """The largest signed tree size whose root the entries here still lead to."""
    first_bad: int | None = None
    """The smallest signed tree size whose root they do not lead to."""
    read: int = 0
    """Entries that were read and hashed."""
    resumed: int = 0
    """Entries for which an earlier verification's result was taken."""
    note: str = field(default="", repr=False)
    """The newest checkpoint as it was verified; the folder may have grown since."""
    history: KeyHistory | None = field(default=None, repr=False)
    """The log's keys by which it was verified."""

    @property
    def incomplete(self) -> bool:
        """Whether nothing speaks against the log, but some of its files could not be read."""
        return not self.ok and all(check.name == UNREADABLE for check in self.failures)

    def to_dict(self) -> dict[str, object]:
        """JSON-ready form, as `--json` prints it."""
        found = super().to_dict()
        del found["entries"]
        return found | {
            "incomplete": self.incomplete,
            "last_good_size": self.last_good,
            "first_bad_size": self.first_bad,
            "entries_read": self.read,
            "entries_resumed": self.resumed,
        }


def outcome(report: FolderReport) -> str:
    """The whole answer of `verify` for a folder, verdict first."""
    text = show.outcome(report)
    if report.incomplete:
        _, _, rest = text.partition("\n")
        text = f"INCOMPLETE: some files cannot be read, so there is no answer yet.\n{rest}"
    return text


def root_check(size: int, kept: int, last_good: int | None, first_bad: int | None) -> Check:
    """What the rebuilt roots say: the log as signed, or the entries among which the first wrong one is."""
    if first_bad is None:
        others = f" Roots of earlier checkpoints that were rebuilt too: {kept}." if kept else ""
        return Check("root", ok=True, detail=f"The {size} entries lead to the signed root.{others}")
    if last_good is not None and last_good > first_bad:
        detail = (
            f"The log signed a state of {first_bad} entries that is no part of its state of {last_good} entries: "
            "it showed two histories."
        )
    elif last_good:
        detail = (
            f"The last good checkpoint is that of {last_good} entries. The entries here do not lead to that of "
            f"{first_bad}: the first wrong one is among entries {last_good} to {first_bad - 1}."
        )
    else:
        detail = (
            f"The entries here do not lead to the smallest signed root, that of {first_bad} entries: the first wrong "
            f"one is among entries 0 to {first_bad - 1}."
        )
    return Check("root", ok=False, detail=detail)


def erasure_checks(erased: Sequence[Erasure], recorded: Sequence[Erasure], erasures: Set[int]) -> Iterator[Check]:
    """Whether each erased section is told of by the entry it names; `erasures` are those that are erasures at all.

    `recorded` is what erasures disclose about themselves. One entry tells one erasure: two cannot hide behind
    the closed facts of one.
    """
    told = set(recorded)
    claims = Counter(item.entry for item in erased)
    shown = {item.entry for item in recorded}
    good = 0
    for item in erased:
        fault = ""
        if item.entry <= item.of or item.entry not in erasures:
            fault = f"The section {item.name} is said to be erased by entry {item.entry}, which is no erasure."
        elif item.entry in shown and item not in told:
            fault = f"The section {item.name} is said to be erased by entry {item.entry}, which erased something else."
        elif item.entry not in shown and claims[item.entry] > 1:
            fault = (
                f"The section {item.name} and another are said to be erased by entry {item.entry}: an entry tells one "
                "erasure."
            )
        if fault:
            yield Check("erasure", ok=False, detail=fault, index=item.of)
            continue
        good += 1
        if good <= LISTED:
            where = "" if item.entry in shown else " (whose facts are not in this folder)"
            yield Check(
                "erasure", ok=True, detail=f"{item.name}: erased, see entry {item.entry}{where}.", index=item.of
            )
    # A restored copy may have brought a section back: then a second entry tells its erasure, and the file names that.
    gone = {(item.of, item.name) for item in erased}
    for item in sorted(item for item in told if (item.of, item.name) not in gone):
        detail = f"Entry {item.entry} records that the section {item.name} was erased; this folder does not say so."
        yield Check("erasure", ok=False, detail=detail, index=item.of)
    if erased:
        yield Check("erasures", ok=good == len(erased), detail=f"{good} of {len(erased)} erasures are in the log.")
