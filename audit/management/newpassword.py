"""A password for a command: asked for twice at a terminal, or from the environment where there is none."""

import getpass
import os
import sys

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError


def new_password() -> str:
    """The password of ASSAY_NEW_PASSWORD, else what is typed twice.

    Raises:
        CommandError: none, two that differ, or one that is easily guessed.
    """
    password = os.environ.get("ASSAY_NEW_PASSWORD", "")
    if not password:
        if not sys.stdin.isatty():
            raise CommandError("Set ASSAY_NEW_PASSWORD, or run this at a terminal.")
        password = getpass.getpass("New password: ")
        if password != getpass.getpass("The same again: "):
            raise CommandError("The two differ; nothing was changed.")
    try:
        validate_password(password)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return password
