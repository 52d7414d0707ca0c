"""Targets: registered and changed with an entry each, and never what could not be collected from."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.collectors.registry import TargetRefused, register_target
from audit.models import Entry, Target, TargetState, UsageRecord
from audit.queries import section_facts
from tests.integration.collecting import ACTOR, INTERVAL, SUBJECT, collect, serving, target, vllm, whole_slot

pytestmark = pytest.mark.django_db
STEP = timedelta(seconds=INTERVAL)
URL = "http://exporter.example:8000/metrics"


@pytest.fixture
def now() -> datetime:
    return whole_slot()


def facts_of(entry: Entry) -> dict[str, Any]:
    return dict(section_facts([entry.index])[entry.index])


def test_a_target_is_registered_with_its_entry(now: datetime) -> None:
    made = target(URL, now=now + timedelta(seconds=1))
    entry = Entry.objects.get(type="target.registered")
    assert (entry.subject, entry.actor) == (f"target:{made.id}", ACTOR)
    told = facts_of(entry)
    assert told["before"] is None
    assert (told["after"]["url"], told["after"]["interval_seconds"]) == (URL, INTERVAL)
    assert TargetState.objects.get().due_at == now + STEP


def test_a_change_tells_what_was_before(now: datetime) -> None:
    target(URL, now=now)
    changed = target(f"{URL}?model=m", now=now + STEP)
    told = facts_of(Entry.objects.filter(type="target.registered").latest("index"))
    assert (told["before"]["url"], told["after"]["url"]) == (URL, f"{URL}?model=m")
    assert (Target.objects.count(), changed.row_version) == (1, 2)


def test_nothing_is_written_when_nothing_changes(now: datetime) -> None:
    target(URL, now=now)
    again = target(URL, now=now + STEP)
    assert again.row_version == 1
    assert Entry.objects.filter(type="target.registered").count() == 1


def test_another_address_has_no_growth_since_the_old_one(now: datetime) -> None:
    with serving() as pages:
        target(pages.say("/old", vllm(100, 50)), now=now)
        collect(now)
        target(pages.say("/new", vllm(5000, 900)), now=now + STEP)
        collect(now + STEP)
    assert [row.output_tokens for row in UsageRecord.objects.order_by("observed_at")] == [None, None]


def test_a_target_without_a_subject_is_its_own(now: datetime) -> None:
    made = target("", kind="host", now=now, subject="")
    assert made.subject == f"target:{made.id}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "toaster"}, "kind"),
        ({"url": ""}, "address"),
        ({"url": "file:///etc/passwd"}, "http"),
        ({"url": "http://user:secret@host/"}, "password"),
        ({"kind": "host"}, "address"),
        ({"interval_seconds": 0}, "interval"),
        ({"interval_seconds": 86_401}, "interval"),
        ({"phase_seconds": INTERVAL}, "phase"),
        ({"phase_seconds": -1}, "phase"),
        ({"subject": "host:demo"}, "subject"),
        ({"subject": "claims model of Ms Tanaka"}, "subject"),
        ({"subject": SUBJECT.upper()}, "subject"),
        ({"subject": f"{SUBJECT}\n"}, "subject"),
    ],
)
def test_what_could_never_be_collected_is_refused(now: datetime, change: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {"name": "t", "kind": "vllm", "url": URL, "subject": SUBJECT, "interval_seconds": INTERVAL}
    with pytest.raises(TargetRefused, match=f"(?i){message}"):
        register_target(**{**asked, **change}, actor=ACTOR, now=now)
    assert (Target.objects.count(), Entry.objects.count()) == (0, 0)
