"""Nothing may follow `append` in its transaction: the head lock is held and the entry is final.

The lock orders every writer of the installation, so work done under it is work done by all in single
file; and a write after the entry would be a change the entry does not tell. Both are refused by code.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper


class StatementAfterAppend(RuntimeError):
    """A statement was issued after `ledger.append` in the same transaction."""


class Guard:
    """An execute wrapper that refuses every statement until the block that appended ends."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        """Watch over the connection from now on."""
        self._connection = connection
        # A savepoint is the block's own end only when the block is nested (tests wrap it in one).
        self._savepoint = next((sid for sid in reversed(connection.savepoint_ids) if sid), None)
        self._marker: Callable[[], object] = self.stop
        connection.execute_wrappers.append(self)
        transaction.on_commit(self._marker, using=connection.alias)

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        if not self.watches():
            return execute(sql, params, many, context)
        own = self._savepoint is not None and self._connection.ops.quote_name(self._savepoint) in sql
        if own and sql.startswith(("RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")):
            self.stop()
            return execute(sql, params, many, context)
        raise StatementAfterAppend(
            "ledger.append must be the last statement of its transaction; refused: " + sql.split(" ", 3)[0]
        )

    def watches(self) -> bool:
        """Whether the transaction that appended is still open."""
        if any(registered[1] is self._marker for registered in self._connection.run_on_commit):
            return True
        # It was rolled back: Django dropped its hooks, the guard goes too.
        self.stop()
        return False

    def stop(self) -> None:
        """Let statements through again."""
        if self in self._connection.execute_wrappers:
            self._connection.execute_wrappers.remove(self)


def refuse_twice(connection: BaseDatabaseWrapper) -> None:
    """Raises StatementAfterAppend when the open transaction has appended already."""
    guards = [wrapper for wrapper in connection.execute_wrappers if isinstance(wrapper, Guard)]
    if any(guard.watches() for guard in guards):
        raise StatementAfterAppend(
            "ledger.append was called twice in one transaction: give all events of a change to one call."
        )
