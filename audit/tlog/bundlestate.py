"""The "state" of a bundle: what it says about a subject now, compared with the newest snapshot in its
entries.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from audit.tlog.bundleformat import BundleError, BundleFile, RawEntry, strict_json
from audit.tlog.encoding import EncodingError, decode_base64
from audit.tlog.verification import DISCLOSED, Check, VerifiedEntry, erased

SNAPSHOT_SOURCE = "app"
"""Only the application's own entries carry snapshots: a client may put any words into its events."""

_SECTION = "facts"
_SNAPSHOT = "after"


def state_checks(bundle: BundleFile, entries: Sequence[VerifiedEntry]) -> list[Check]:
    """One check for each subject in the bundle's state.

    The newest entry of the subject in the bundle that carries a snapshot (the `after` object of its `facts`
    section) must equal it as JSON. What the bundle leaves out cannot be seen here: it proves that this was
    the state, not that nothing came later. When the facts of the newest entry were erased there is nothing to compare.
    """
    if not bundle.state:
        return []
    if len(entries) != len(bundle.entries):
        return [Check("state", ok=False, detail="Not compared, because not every entry above is proven.")]
    raw = {item.index: item for item in bundle.entries}
    of_subject: dict[str, list[VerifiedEntry]] = {subject: [] for subject in bundle.state}
    for entry in entries:
        if entry.leaf.source == SNAPSHOT_SOURCE and entry.leaf.subject in of_subject:
            of_subject[entry.leaf.subject].append(entry)
    return [_check(subject, text, reversed(of_subject[subject]), raw) for subject, text in sorted(bundle.state.items())]


def _check(subject: str, text: str, newest_first: Iterable[VerifiedEntry], raw: dict[int, RawEntry]) -> Check:
    for entry in newest_first:
        if _is_erased(entry, raw):
            detail = f"The state of {subject} cannot be compared: the facts of its newest entry were erased."
            return Check("state", ok=True, detail=detail, index=entry.index)
        if entry.sections.get(_SECTION) != DISCLOSED:
            detail = f"The state of {subject} cannot be compared: the facts of its newest entry are not here."
            return Check("state", ok=False, detail=detail, index=entry.index)
        try:
            facts = strict_json(decode_base64(raw[entry.index].sections[_SECTION][1], "facts"), "section facts")
            if not isinstance(facts, dict) or _SNAPSHOT not in facts:
                continue
            same = _spelled(facts[_SNAPSHOT]) == _spelled(strict_json(text, f"state of {subject}"))
        except (BundleError, EncodingError) as error:
            return Check("state", ok=False, detail=str(error), index=entry.index)
        if same:
            return Check("state", ok=True, detail=f"{subject} is as entry {entry.index} recorded it.")
        detail = f"{subject} is not as the ledger recorded it in entry {entry.index}: it was changed outside."
        return Check("state", ok=False, detail=detail, index=entry.index)
    return Check("state", ok=False, detail=f"No entry in this bundle records the state of {subject}.")


def _is_erased(entry: VerifiedEntry, raw: Mapping[int, RawEntry]) -> bool:
    """Whether its facts stand as erased by an entry under the checkpoint; whether that holds is another check."""
    told_by = raw[entry.index].erased.get(_SECTION)
    return told_by is not None and entry.sections.get(_SECTION) == erased(told_by)


def _spelled(value: object) -> str:
    """One spelling for equal JSON values; true and 1 differ."""
    return json.dumps(value, sort_keys=True)
