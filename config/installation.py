"""One installation on this machine: where its files are, where its servers answer, what each process is told.

A process learns the address of its own database role and nothing of the others'.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded import keys
from config.embedded.place import default_data_dir
from config.embedded.services import Addresses, Services, running, variable
from config.programs import CHECKOUT
from config.stopping import StopFlag

DEMO_ORIGIN = "assay.example/demo"


class NotRunningError(Exception):
    """A command needs the demo to run in another terminal."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Answers where things are; made by `opened`."""

    data_dir: Path
    addresses: Addresses
    private_database: bool
    """Whether PostgreSQL is ours, that is, a demo."""
    public_url: str = ""
    exporter_url: str = ""

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    def environment(self, *roles: str) -> dict[str, str]:
        """Variables of a child process with these database roles (app, owner, signer, reader, admin)."""
        own = {name: value for name, value in os.environ.items() if not _names_a_database(name)}
        if self.private_database:
            own["DEMO"] = "1"
        if self.public_url:
            own |= {"PUBLIC_URL": self.public_url, "DEMO_EXPORTER_URL": self.exporter_url}
        origin = own.setdefault("LEDGER_ORIGIN", DEMO_ORIGIN)
        result = {
            "PYTHONUNBUFFERED": "1",
            **own,
            "DATA_DIR": str(self.data_dir / "files"),
            **self.addresses.environment(*roles),
        }
        made = keys.make_web_secrets(self.data_dir) if "app" in roles else {}
        result |= {n: v for n, v in made.items() if not {n, n.removesuffix("_FILE")} & set(own)}
        if not {"LEDGER_VKEY", "LEDGER_VKEY_FILE"} & set(own):
            result["LEDGER_VKEY"] = keys.make_signing_key(self.data_dir, origin=origin)
        if "signer" in roles:
            result.setdefault("SIGNER_STATE_DIR", str(self.data_dir / "signer"))
        return result

    def known(self, *roles: str) -> tuple[str, ...]:
        """Those of the roles whose address is known."""
        return tuple(role for role in roles if role in self.addresses.database)


def data_dir(environment: Mapping[str, str]) -> Path:
    """DATA_DIR, else the default place of this checkout."""
    given = environment.get("DATA_DIR", "")
    return Path(given).resolve() if given else default_data_dir(CHECKOUT)


@contextmanager
def opened(flag: StopFlag, *, join: bool, need_running: bool = False) -> Iterator[Installation]:
    """The installation with its servers running; those that the environment does not name are started.

    `join`: use the servers of a demo that runs in another terminal instead of refusing (raises InUse).
    """
    folder = data_dir(os.environ)
    given = _given_addresses()
    have_database, have_redis = "app" in given.database, bool(given.redis)
    with ExitStack() as stack:
        addresses = given
        if not (have_database and have_redis):
            private = running(folder) if join else None
            if private is None and need_running:
                raise NotRunningError("Start the demo first, with ./quickstart in another terminal.")
            if private is None:
                services = Services(folder, flag, with_postgres=not have_database, with_valkey=not have_redis)
                private = stack.enter_context(services).addresses
            addresses = Addresses(given.database if have_database else private.database, given.redis or private.redis)
        yield Installation(folder, addresses, private_database=not have_database)


@contextmanager
def throwaway(flag: StopFlag, folder: Path, *, keep: bool = False) -> Iterator[Installation]:
    """Durable servers of their own, deleted afterwards unless they are to be kept: for benchmarks."""
    with Services(folder, flag, keep=keep) as services:
        yield Installation(folder, services.addresses, private_database=True)


def _names_a_database(name: str) -> bool:
    return name.removesuffix("_FILE") in {*map(variable, keys.DATABASE_ROLES), "REDIS_URL", "SIGNER_STATE_DIR"}


def _given_addresses() -> Addresses:
    def value(name: str) -> str:
        path = os.environ.get(f"{name}_FILE", "")
        return Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(name, "")

    database = {role: found for role in keys.DATABASE_ROLES if (found := value(variable(role)))}
    return Addresses(database, value("REDIS_URL"))
