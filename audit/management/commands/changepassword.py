"""`manage.py changepassword`: Django's, except that it is an entry and suspends what the log-in decides."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.access.base import Refused
from audit.access.logins import reset_on_the_machine
from audit.management.newpassword import new_password


class Command(BaseCommand):
    help = "Give a log-in a new password. If it decides something, another person of its pools confirms it first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            account = reset_on_the_machine(username=options["username"], password=new_password(), now=timezone.now())
        except Refused as error:
            raise CommandError(error.reason) from error
        if account.decisions_suspended_at:
            self.stdout.write("Changed. It decides nothing until another person of its pools confirms it on its page.")
        else:
            self.stdout.write("Changed.")
