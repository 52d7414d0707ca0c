"""Partitions of the record tables, made ahead of the rows that need them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection

AHEAD: Final = timedelta(days=31)


def ensure_partitions(*moments: datetime) -> None:
    """Make the monthly partitions of these moments and of a month later, where they are missing.

    The function behind it belongs to the owner and takes moments from 400 days ago to 100 days ahead.
    """
    wanted = sorted({month for moment in moments for month in (_month(moment), _month(moment + AHEAD))})
    with connection.cursor() as cursor:
        for month in wanted:
            cursor.execute("SELECT telemetry_partitions(%s)", [month])


def _month(moment: datetime) -> datetime:
    # The middle of the month: the function asks whether the moment itself is in bounds.
    return moment.astimezone(UTC).replace(day=15, hour=0, minute=0, second=0, microsecond=0)
