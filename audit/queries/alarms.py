"""Alarms that stand: raised by somebody, and not acknowledged by a person who thawed the signer since."""

from dataclasses import dataclass

from django.db.models import BooleanField, Func, QuerySet, TextField

from audit.formats.alarms import IDENTITY
from audit.models import Alarm


def _in_none(table: str, column: str) -> Func:
    """That no row of the table names the alarm."""
    template = f"NOT EXISTS (SELECT FROM {table} WHERE {IDENTITY} = ANY ({table}.{column}))"
    return Func(template=template, output_field=BooleanField())


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """One alarm that stands, without its words: they may name what only people with a log-in may know."""

    id: int
    identity: str
    kind: str
    entry_index: int | None


def standing_rows() -> QuerySet[Alarm]:
    """The rows of alarms that stand, for other queries to narrow.

    A signer that was stopped by an alarm repeats it as one of its own; that echo is left out.
    """
    rows = Alarm.objects.filter(_in_none("thaw", "acknowledged"))
    return rows.exclude(kind="signer.frozen", detail__startswith="Alarm ")


def standing_matters(*, limit: int) -> set[tuple[str, int | None, str]]:
    """Kind, entry and subject of alarms that stand: an alarm about one of these need not be raised again."""
    return set(standing_rows().values_list("kind", "entry_index", "subject")[:limit])


def untold_alarms(*, limit: int) -> list[StandingAlarm]:
    """Alarms that stand and that no notice names, oldest first.

    Not those after the newest that was told: alarms commit in another order than they take their ids.
    """
    rows = standing_rows().filter(_in_none("notice", "alarms")).order_by("id")
    identity = Func(template=IDENTITY, output_field=TextField())
    return [StandingAlarm(*row) for row in rows.values_list("id", identity, "kind", "entry_index")[:limit]]
