"""Whether two key histories of one log can both be true, or prove that its keys said contradictory things.

The signatures cover each statement, not which of them a server shows, nor the order of those for the same size. So
whoever serves a log may leave statements out without any key; only statements that no single history can hold together
are evidence against the log.
"""

from collections.abc import Iterable
from itertools import groupby

from audit.tlog.keyhistory import BEGINS, KeyHistory, KeyHistoryError, KeyRange, Statement, extend


def fit_together(one: KeyHistory, other: KeyHistory) -> bool:
    """Whether one history of the same first key can hold all statements of both."""
    first = one.ranges[0].key
    if other.ranges[0].key != first:
        return False
    history = KeyHistory((KeyRange(first, 0, None),))
    said = {item.text: item for item in (*one.statements, *other.statements)}
    try:
        for _, group in groupby(sorted(said.values(), key=lambda item: item.since), key=lambda item: item.since):
            history = _with_all(history, group)
    except KeyHistoryError:
        return False
    return True


def _with_all(history: KeyHistory, statements: Iterable[Statement]) -> KeyHistory:
    """The history with statements for one tree size, in whatever order they fit. Raises KeyHistoryError."""
    waiting = list(statements)
    while waiting:
        keys = history.keys
        # A key vouches for others before it ends, and ends before the key that goes on instead of it does.
        begins = [item for item in waiting if item.kind == BEGINS]
        going_on = {item.new for item in waiting}
        fitting = [item for item in begins or waiting if (item.old in keys if begins else item.old not in going_on)]
        if not fitting:
            raise KeyHistoryError("The statements for one size contradict each other.")
        history = extend(history, fitting[0].note)
        waiting.remove(fitting[0])
    return history
