"""The one clock that all workers share."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """The time of the database: workers' own clocks differ, and jump."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment
