"""Migrations are named by hand, complete, and reversible only where they say so."""

import re
from io import StringIO

from django.core.management import call_command

from tests.repository.tree import files, name


def test_migrations_have_names_that_say_what_they_do() -> None:
    named = re.compile(r"\d{4}_(?!auto_)[a-z][a-z0-9_]+")
    found = [path for path in files() if path.parent.name == "migrations" and path.stem != "__init__"]
    assert found
    assert [name(path) for path in found if path.suffix != ".py" or not named.fullmatch(path.stem)] == []


def test_models_and_migrations_agree(db: None) -> None:
    output = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=output, stderr=output)
    assert "No changes detected" in output.getvalue()
