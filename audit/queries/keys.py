"""The keys of this log and the tree sizes each may sign, as the signer stated them."""

from dataclasses import dataclass

from django.conf import settings

from audit.models import KeyStatement
from audit.tlog.keyhistory import KeyHistory, KeyRange, read_history
from audit.tlog.keys import VerifierKey


@dataclass(frozen=True, slots=True)
class KeysTold:
    """What readers are given of the log's keys; they check it themselves.

    Attributes:
        keys: all verifier keys, oldest first.
        text: the file `keys` (audit.tlog.keyhistory).
        changed: whether there is a statement in it.
    """

    keys: tuple[str, ...]
    text: str
    changed: bool

    @property
    def history_if_any(self) -> str | None:
        """The file's text once there is a change to tell: what stands in a bundle."""
        return self.text if self.changed else None


def told() -> KeysTold:
    """The keys as they stand in the database, in one query; nothing of it is verified."""
    rows = list(KeyStatement.objects.order_by("number").values_list("old_key", "new_key", "note"))
    # The first statement is by the first key; before any there is only the key this log is known by.
    first = rows[0][0] if rows else settings.LEDGER_VKEY
    keys = dict.fromkeys([first, *(new for _old, new, _note in rows)])
    return KeysTold(tuple(keys), f"{first}\n" + "".join(f"\n{note}" for _old, _new, note in rows), bool(rows))


def key_history_text() -> str:
    """The file `keys` of this log: its first key, then every key statement."""
    return told().text


def history() -> KeyHistory:
    """The key history, checked against the key by which this installation is known.

    Raises:
        audit.tlog.keyhistory.KeyHistoryError: the stored statements are not those of this log.
    """
    known, found = VerifierKey.parse(settings.LEDGER_VKEY), told()
    if not found.changed:
        return KeyHistory((KeyRange(known, 0, None),))
    return read_history(found.text, [known])


def current_keys(size: int) -> tuple[VerifierKey, ...]:
    """The keys that sign a tree of `size` entries. Raises as `history`."""
    return history().valid_at(size)
