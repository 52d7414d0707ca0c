"""What the log shows against what was approved: caps, grants, and names nobody registered."""

import json
from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse

from audit import ledger
from audit import queries as log
from audit.queries.roles import AUDITORS, DATA_PROTECTION
from governance import operations, queries
from governance.models import Cursor, Deployment, Finding
from governance.queries.quoting import Told, details, leaf_form
from governance.tasks import follow_log
from tests.integration.access import person
from tests.integration.erasure_story import Erasing
from tests.integration.governance_story import NOW, Story, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def entry(type_: str, subject: str, content: Mapping[str, object], *, source: str = "collector") -> int:
    """The index of a new entry."""
    told = ledger.Event(
        type=type_,
        subject=subject,
        source=source,
        actor="system:collector",
        occurred_at=NOW,
        sections=(ledger.Section("facts", json.dumps(content).encode()),),
    )
    with transaction.atomic(durable=True):
        return ledger.append(events=[told])[0].index


def window(subject: str, most: int, *, minutes: int = 0) -> int:
    """A sealed usage window whose longest answer used `most` reasoning tokens."""
    start = NOW + timedelta(minutes=minutes)
    return entry(
        "window.usage",
        subject,
        {
            "subject": subject,
            "window": {"start": start.isoformat(), "end": (start + timedelta(minutes=5)).isoformat()},
            "totals": {
                "requests": 10,
                "input_tokens": 1000,
                "output_tokens": 500,
                "reasoning_tokens": most,
                "cached_tokens": 0,
            },
            "reasoning_tokens_max": most,
            "rows": 10,
            "root": "00" * 32,
            "completeness": {"expected": 10, "received": 10},
            "resets": 0,
        },
    )


def call(agent: str, tool: str, *, side_effect: bool = False) -> int:
    """A tool call as a pipeline records it: its data stand beside its own subject."""
    data = {"tool": tool, "arguments_sha256": "00" * 32, "side_effect": side_effect}
    sent = {"id": str(uuid4()), "type": "agent.tool_call", "subject": agent, "data": data}
    return entry("agent.tool_call", "x:" + "ab" * 32, sent, source="source:pipeline")


def findings() -> list[tuple[str, str, int]]:
    rows = Finding.objects.order_by("entry_index").values_list("kind", "subject", "entry_index")
    return list(rows)


def approved(story: Story) -> str:
    request = story.submitted()
    story.decided(request)
    operations.follow_log(now=NOW)
    return f"deployment:{request.deployment_id}"


def test_a_reasoning_cap_exceeded_is_raised_once_a_day(story: Story) -> None:
    subject = approved(story)
    window(subject, 4096)
    assert operations.follow_log(now=NOW).findings == 0
    first = window(subject, 4097)
    window(subject, 9000, minutes=5)
    assert operations.follow_log(now=NOW) == operations.Followed(entries=2, findings=1)
    window(subject, 9000, minutes=10)
    assert operations.follow_log(now=NOW).findings == 0
    assert findings() == [("reasoning_cap_exceeded", subject, first)]
    raised = log.history(f"finding:{Finding.objects.get().pk}")
    assert [item.type for item in raised] == ["finding.raised"]
    assert queries.reconcile() == []


def test_usage_that_a_pipeline_reports_counts_too(story: Story) -> None:
    subject = approved(story)
    sent = {"id": "1", "subject": subject, "data": {"deployment": "credit-memo-draft", "reasoning_tokens_max": 5000}}
    index = entry("usage.reported", subject, sent, source="source:pipeline")
    operations.follow_log(now=NOW)
    assert findings() == [("reasoning_cap_exceeded", subject, index)]


def test_use_of_what_nobody_approved(story: Story) -> None:
    request = story.submitted()
    subject = f"deployment:{request.deployment_id}"
    index = window(subject, 1)
    operations.follow_log(now=NOW)
    assert findings() == [("unapproved_revision", subject, index)]


def test_use_of_what_nobody_registered(story: Story) -> None:
    unknown = f"deployment:{uuid4()}"
    index = window(unknown, 1)
    window(unknown, 1, minutes=5)
    operations.follow_log(now=NOW)
    assert findings() == [("unregistered_subject", unknown, index)]


def test_tool_calls_inside_and_outside_of_their_grant(story: Story) -> None:
    approved(story)
    deployment = Deployment.objects.get().pk
    agent = operations.register_agent(
        by=story.requester,
        name="memo-agent",
        purpose="Collects figures.",
        deployment_id=deployment,
        autonomy="act_with_approval",
        now=NOW,
    )
    for tool, reach in (("ledger.read", "read_only"), ("mail.send", "irreversible")):
        operations.grant_tool(by=story.requester, agent_id=agent.id, tool=tool, reversibility=reach, now=NOW)
    operations.follow_log(now=NOW)
    subject = f"agent:{agent.id}"
    call(subject, "ledger.read")
    call("memo-agent", "mail.send", side_effect=True)
    assert operations.follow_log(now=NOW).findings == 0
    written = call(subject, "ledger.read", side_effect=True)
    foreign = call("memo-agent", "payments.post", side_effect=True)
    unknown = call("stranger", "ledger.read")
    assert operations.follow_log(now=NOW).findings == 3
    assert findings() == [
        ("tool_call_outside_grant", subject, written),
        ("tool_call_outside_grant", subject, foreign),
        ("unregistered_subject", leaf_form("subject", "stranger"), unknown),
    ]
    page = queries.deployment_page(deployment)
    assert [(line.name, line.tools) for line in page.agents] == [
        ("memo-agent", (("ledger.read", "reads only"), ("mail.send", "irreversible")))
    ]


def test_the_words_of_a_client_stay_in_the_evidence_and_go_with_it(story: Story) -> None:
    """Findings are for everybody and for ever: they hold ids of Assay and leaf forms, and pages quote the entry."""
    approved(story)
    deployment = Deployment.objects.get().pk
    agent = operations.register_agent(
        by=story.requester,
        name="memo-agent",
        purpose="Collects figures.",
        deployment_id=deployment,
        autonomy="act_with_approval",
        now=NOW,
    )
    call("memo-agent", "pay Jane Doe")
    stranger = call("Jane Doe, ward 7", "read_file")
    window_of = {"subject": "x", "data": {"deployment": "credit-memo-draft", "reasoning_tokens_max": 987654}}
    entry("usage.reported", f"deployment:{deployment}", window_of, source="source:pipeline")
    assert operations.follow_log(now=NOW).findings == 3
    rows = list(Finding.objects.order_by("entry_index"))
    assert [(row.subject, row.scope.partition(",")[0]) for row in rows] == [
        (f"agent:{agent.id}", leaf_form("tool", "pay Jane Doe")),
        (leaf_form("subject", "Jane Doe, ward 7"), "agent"),
        (f"deployment:{deployment}", "revision 1"),
    ]
    told = log.section_facts([item.index for item in log.entries(type_="finding.raised")])
    kept = json.dumps([*told.values(), *Finding.objects.values()], default=str)
    assert len(told) == 3 and not any(word in kept for word in ("Jane", "ward", "read_file", "987654"))

    plain, opened = (
        details([Told.of(row) for row in rows], sees_everything=everything) for everything in (False, True)
    )
    assert plain == [row.detail for row in rows]
    assert opened[:2] == [
        "memo-agent called a tool it was not granted: pay Jane Doe.",
        "A tool call was recorded for an agent nobody registered: Jane Doe, ward 7.",
    ]
    auditor, requester = Client(), Client()
    auditor.force_login(person("inoue", AUDITORS))
    requester.force_login(story.requester)
    places = [
        reverse("admin:index"),
        reverse("admin:governance_finding_changelist"),
        reverse("admin:governance_finding_change", args=[rows[1].pk]),
    ]
    for client, quoted in ((auditor, True), (requester, False)):
        pages = [client.get(place).content.decode() for place in places]
        assert [("Jane Doe, ward 7" in page) for page in pages] == [quoted] * 3
        assert all("an agent nobody registered" in page for page in pages)
        sheet = client.post(reverse("admin:governance_finding_export"), {"format": "csv"}).getvalue().decode()
        assert ("Jane Doe, ward 7" in sheet, "an agent nobody registered" in sheet) == (quoted, True)
    officer = person("keller", DATA_PROTECTION)
    Erasing(story.bystander, officer, officer, 0, 0, 0).erase(stranger, "facts")
    pages = [auditor.get(place).content.decode() for place in places]
    assert not any("ward 7" in page for page in pages)
    assert all("an agent nobody registered (its name was erased)." in page for page in pages)
    assert queries.reconcile() == []


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"data": 5},
        {"data": {}},
        {"subject": 5, "data": {"tool": None}},
        {"subject": "x\u0000\u202e" * 300, "data": {"tool": "y\n" * 300, "agent": ["a"]}},
        {"reasoning_tokens_max": "many"},
        {"subject": "half a pair \ud800", "data": {"tool": "\udfff"}},
        {"subject": "deployment:", "reasoning_tokens_max": True},
    ],
)
@pytest.mark.parametrize("type_", ["agent.tool_call", "usage.reported"])
def test_nothing_a_client_sends_stops_the_follower(story: Story, content: object, type_: str) -> None:
    told = ledger.Event(
        type=type_,
        subject="x:" + "ab" * 32,
        source="source:a",
        actor="service:a",
        occurred_at=NOW,
        sections=(ledger.Section("facts", json.dumps(content).encode()),),
    )
    with transaction.atomic(durable=True):
        ledger.append(events=[told])
    operations.follow_log(now=NOW)
    assert Cursor.objects.get().next_index == log.head_size() - Finding.objects.count()


def test_a_long_log_is_followed_in_steps(story: Story) -> None:
    size = log.head_size()
    steps = []
    while (done := operations.follow_log(now=NOW, limit=7)).entries:
        steps.append(done.entries)
    assert sum(steps) == size
    assert max(steps) == 7


def test_the_task_and_the_command_follow(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    follow_log()
    assert Cursor.objects.get().next_index == log.head_size()
    call_command("follow_log")
    assert "0 entries read, 0 findings raised." in capsys.readouterr().out
