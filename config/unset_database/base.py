"""The database backend of an alias whose address is not set: loading works, connecting explains what is
missing.
"""

from typing import Any, NoReturn

from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
from django.db.utils import OperationalError


class DatabaseNotConfigured(OperationalError):
    """A process asked for a database role whose address it was not given."""


class DatabaseWrapper(PostgresWrapper):
    """PostgreSQL for everything that needs no server (SQL generation, checks); a clear refusal for the
    rest.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> NoReturn:
        variable = self.settings_dict["VARIABLE"]
        raise DatabaseNotConfigured(
            f"{variable} is not set in this process. Set it (postgresql://user:password@host/database), "
            "or start the command through ./quickstart, which provides a private PostgreSQL."
        )

    def get_connection_params(self) -> dict[str, Any]:
        return {}
