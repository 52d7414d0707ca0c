"""Records that were changed behind the triggers contradict the ledger, and the self-check says so."""

from typing import Any

import psycopg
import pytest

from audit.models import Alarm
from audit.selfcheck import run
from audit.windows import contradictions, seal, seal_windows, verify
from audit.windows.rows import Span
from tests.integration import telemetry_story as story
from tests.integration.telemetry_story import DUE, SECOND, START
from tests.services.databases import Database


def test_sealed_windows_and_their_amendments_agree(committed: Database) -> None:
    about = story.subject()
    story.reported(about, START, reasoning=3)
    target = story.target(about)
    story.counted(target, START)
    seal_windows(now=DUE)
    story.reported(about, START + SECOND)
    seal_windows(now=DUE)
    assert contradictions().found == ()


def test_every_window_is_looked_at_in_time_not_only_the_newest(
    committed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "MOST_WINDOWS", 1)
    about = story.subject()
    for windows in range(3):
        story.reported(about, START + windows * (DUE - START))
        seal_windows(now=DUE + windows * (DUE - START))
    with psycopg.connect(committed.admin_address()) as admin:
        admin.execute("ALTER TABLE usage_record DISABLE TRIGGER USER")
        admin.execute("DELETE FROM usage_record WHERE id = (SELECT min(id) FROM usage_record)")
    part = contradictions()
    assert contradictions("nonsense") == part, "a position nobody knows is the start"
    found = list(part.found)
    while part.position:
        part = contradictions(part.position)
        found += part.found
    assert len({item.subject for item in found}) == 1
    assert "1 records were sealed, 0 are stored" in found[0].detail


def test_a_total_that_was_added_later_contradicts_nothing(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    story.reported(story.subject(), START)
    seal_windows(now=DUE)
    was = seal.totals_of

    def more(span: Span, through_id: int) -> dict[str, Any]:
        made = was(span, through_id)
        return made | {"totals": made["totals"] | {"images": 1}, "colour": "red"}

    monkeypatch.setattr(verify, "totals_of", more)
    assert contradictions().found == ()
    monkeypatch.setattr(verify, "totals_of", lambda *_: {"totals": {"output_tokens": 11}})
    assert len(contradictions().found) == 1


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ("UPDATE usage_record SET body = 'other' WHERE id = %s", "not those that were sealed"),
        ("UPDATE usage_record SET output_tokens = 1 WHERE id = %s", "do not add up"),
        ("DELETE FROM usage_record WHERE id = %s", "2 records were sealed, 1 are stored"),
    ],
)
def test_a_changed_record_is_an_alarm(committed: Database, change: str, detail: str) -> None:
    about = story.subject()
    record_id = story.reported(about, START)
    story.reported(about, START + SECOND)
    seal_windows(now=DUE)
    with psycopg.connect(committed.admin_address(), autocommit=True) as superuser:
        superuser.execute("ALTER TABLE usage_record DISABLE TRIGGER usage_record_append_only")
        superuser.execute(change.encode(), [record_id])
        superuser.execute("ALTER TABLE usage_record ENABLE ALWAYS TRIGGER usage_record_append_only")
    (found,) = contradictions().found
    assert detail in found.detail
    run(now=DUE)
    assert detail in " ".join(Alarm.objects.values_list("detail", flat=True))
