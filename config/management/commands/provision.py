"""`manage.py provision`: the roles and the database of an ordinary PostgreSQL server."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.env import DatabaseUrl, Environment
from config.roles import Roles, provision


class Command(BaseCommand):
    help = "Create the roles and the database that DATABASE_*_URL name, as the superuser of DATABASE_ADMIN_URL."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        admin, app = _address("DATABASE_ADMIN_URL"), _address("DATABASE_URL")
        others = [_address(f"DATABASE_{role}_URL") for role in ("OWNER", "SIGNER", "READER")]
        if {url.name for url in others} != {app.name}:
            raise CommandError("DATABASE_URL, DATABASE_OWNER_URL, _SIGNER_URL and _READER_URL must name one database.")
        owner, signer, reader = others
        roles = Roles(owner=owner.user, app=app.user, signer=signer.user, reader=reader.user)
        passwords = {url.user: url.password for url in (app, *others)}
        if len(passwords) < len(roles.names()) or not all(passwords.values()):
            raise CommandError("The four addresses must name four different users, each with a password.")
        provision(admin, database=app.name, roles=roles, passwords=passwords)
        self.stdout.write(f"Roles and database {app.name} are ready. Next: manage.py migrate --database owner")


def _address(name: str) -> DatabaseUrl:
    url = Environment(os.environ).database(name)
    if url is None:
        raise CommandError(f"{name} is not set.")
    return url
