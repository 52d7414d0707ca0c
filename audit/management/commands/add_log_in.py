"""`manage.py add_log_in`: the first log-ins of an installation; afterwards operators register people on the page."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from audit.access.people import register_login
from audit.management.newpassword import new_password
from audit.queries.poolrules import POOLS


class Command(BaseCommand):
    help = "Register a person with a log-in and its first pools; each membership is an entry that says `installation`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="the person's name; it stands in no entry")
        parser.add_argument("--pool", dest="pools", action="append", default=[], choices=POOLS)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = register_login(
                username=options["username"],
                display_name=options["name"],
                password=new_password(),
                groups=options["pools"],
                actor="system:command",
                now=timezone.now(),
            )
        except IntegrityError as error:
            raise CommandError(str(error).partition("\n")[0]) from error
        self.stdout.write(f"Registered as person:{made.person_id}.")
