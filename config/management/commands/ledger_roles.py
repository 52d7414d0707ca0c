"""`manage.py ledger_roles`: the database roles and their rights as SQL, for those who give no program a superuser."""

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import rolesql
from config.roles import Roles

WORDS = ("owner", "app", "signer", "reader")
_MIGRATIONS = "django_migrations"  # made by the migration engine, which has no model among the apps
_EXAMPLES = """examples:
  manage.py ledger_roles --database assay --output roles.sql
  psql -v ON_ERROR_STOP=1 -d assay -f roles.sql     as a superuser, before the first migration
  psql -v ON_ERROR_STOP=1 -d assay -f roles.sql     again after a restore: puts every right as designed
  DATABASE_ROLE_PREFIX=audit manage.py ledger_roles --database audit     roles audit_owner, audit_app, ...
"""


class Command(BaseCommand):
    help = (
        "Write the SQL for the roles owner, app, signer and reader of one database and for everything they may do. "
        "It holds no passwords, is idempotent, and takes away what goes beyond the design. `manage.py provision` "
        "does the same, passwords included, where it is given a superuser's address."
    )
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.epilog, parser.formatter_class = _EXAMPLES, RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", default="", help="name of the database (else the one DATABASE_URL names)")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write to FILE, which must not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        names = roles_by_word()
        if len(set(names.values())) < len(WORDS):
            raise CommandError("DATABASE_URL, _OWNER_URL, _SIGNER_URL and _READER_URL must name four different users.")
        text = rolesql.script(database=options["database"] or _database(), names=Roles(**names), tables=tables())
        if options["output"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            with options["output"].open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error.strerror}.") from error


def tables() -> list[str]:
    """Every table that the migrations of all apps make."""
    return [*(model._meta.db_table for model in apps.get_models(include_auto_created=True)), _MIGRATIONS]


def roles_by_word() -> dict[str, str]:
    """The roles' names, from the users in the addresses or from DATABASE_ROLE_PREFIX."""
    return {word: settings.DATABASE_ROLES[word] for word in WORDS}


def _database() -> str:
    default = settings.DATABASES["default"]
    if default["ENGINE"] == "config.unset_database":
        raise CommandError("Name the database with --database, or set DATABASE_URL.")
    return str(default["NAME"])
