"""Agents in versions, tools, grants that end, and what the log shows against them."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit import queries as log
from audit.admin.labels import event_label, kind_label
from governance import operations, queries
from governance.models import Agent, AgentVersion, Deployment, Finding, Tool, ToolGrant
from governance.operations import AgentRelease, Recorded, Refused
from governance.operations.agentacts import excesses_of_run
from governance.queries.agentlimits import limits_of
from governance.queries.grants import in_force
from governance.snapshot import digest, snapshot
from tests.integration.governance_story import NOW, Story, tell
from tests.integration.test_governance_following import call, entry, findings

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


@pytest.fixture
def agent(story: Story) -> Agent:
    return registered(story)


def registered(story: Story, name: str = "memo-agent", autonomy: str = "act_with_approval") -> Agent:
    deployment = Deployment.objects.first()
    if deployment is None:
        request = story.submitted()
        story.decided(request)
        deployment = Deployment.objects.get()
    made = operations.register_agent(
        by=story.requester,
        name=name,
        purpose="Collects figures.",
        deployment_id=deployment.pk,
        autonomy=autonomy,
        now=NOW,
    )
    return Agent.objects.get(pk=made.id)


def release(story: Story, version: str = "1", **other: Any) -> AgentRelease:
    plain = AgentRelease(version=version, autonomy="act_with_approval", sponsor_id=story.requester.person_id)
    return replace(plain, **other)


def versioned(story: Story, agent: Agent, version: str = "1", **other: Any) -> AgentVersion:
    made = operations.register_agent_version(
        by=story.requester, agent_id=agent.pk, release=release(story, version, **other), now=NOW
    )
    return AgentVersion.objects.get(pk=made.id)


def tool(story: Story, name: str = "mail.send", reach: str = "irreversible", version: str = "1") -> UUID:
    """The id of a new version of a tool, which is registered when it is new."""
    found = Tool.objects.filter(name=name).first()
    if found is None:
        made = operations.register_tool(by=story.requester, name=name, kind="mcp", endpoint="mcp://a", now=NOW)
        found = Tool.objects.get(pk=made.id)
    return operations.register_tool_version(
        by=story.requester,
        tool_id=found.pk,
        version=version,
        reversibility=reach,
        side_effects="" if reach == "read_only" else "A message leaves the house.",
        schema_sha256="sha256:" + "AB" * 32,
        data_classes=["contact", "contact"],
        now=NOW,
    ).id


def granted(story: Story, agent: Agent, **other: Any) -> Recorded:
    fields = {"by": story.requester, "agent_id": agent.pk, "reversibility": "irreversible", "now": NOW, **other}
    return operations.grant_tool(**fields)


def test_versions_are_numbered_and_say_what_their_digest_is_over(story: Story, agent: Agent) -> None:
    other = registered(story, "helper")
    first = versioned(
        story,
        agent,
        description="Reads and drafts.",
        system_prompt_sha256="0" * 64,
        memory="session",
        models_allowed=[story.version],
        delegates_to=[other.pk],
        max_steps=40,
        max_tokens=2**40,
        max_cost="12.5",
        cost_currency="eur",
        kill_switch_declared=True,
        kill_switch="kubectl scale --replicas=0",
    )
    second = versioned(story, agent, "2", max_reasoning_tokens=0, max_cost=Decimal("1"), cost_currency="JPY")
    assert (first.number, second.number, first.max_cost, first.cost_currency) == (1, 2, Decimal("12.5"), "EUR")
    assert first.digest == digest(first.content) != second.digest
    content = json.loads(first.content)
    assert content["budgets"] == {
        "steps": 40,
        "tokens": 2**40,
        "reasoning_tokens": None,
        "wall_seconds": None,
        "cost": "12.5000",
        "currency": "EUR",
    }
    assert (content["models"], content["delegates_to"]) == ([str(story.version)], [str(other.pk)])
    assert json.loads(second.content)["kill_switch"] is None
    (told,) = log.history(f"agent_version:{first.pk}")
    assert log.section_facts([told.index])[told.index]["after"] == snapshot("agent_version", first)
    assert (event_label(told.type), kind_label(told.subject)) == ("Agent version registered", "Agent version")
    agent.refresh_from_db()
    assert (agent.autonomy, agent.row_version) == ("act_with_approval", 1)
    assert queries.reconcile() == []


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"version": " "}, "version"),
        ({"version": "1"}, "version"),
        ({"autonomy": "wild"}, "autonomy"),
        ({"sponsor_id": uuid4()}, "sponsor_id"),
        ({"memory": "long"}, "memory"),
        ({"system_prompt_sha256": "abc"}, "system_prompt_sha256"),
        ({"models_allowed": [uuid4()]}, "models_allowed"),
        ({"models_allowed": [uuid4()] * 101}, "models_allowed"),
        ({"delegates_to": [uuid4()]}, "delegates_to"),
        ({"delegates_to": "itself"}, "delegates_to"),
        ({"max_steps": -1}, "max_steps"),
        ({"max_tokens": 2**53}, "max_tokens"),
        ({"max_cost": "ten", "cost_currency": "EUR"}, "max_cost"),
        ({"max_cost": "-1", "cost_currency": "EUR"}, "max_cost"),
        ({"max_cost": "0.00001", "cost_currency": "EUR"}, "max_cost"),
        ({"max_cost": "NaN", "cost_currency": "EUR"}, "max_cost"),
        ({"max_cost": "1"}, "cost_currency"),
        ({"cost_currency": "EUR"}, "max_cost"),
        ({"kill_switch_declared": True}, "kill_switch"),
    ],
)
def test_a_version_that_cannot_be(story: Story, agent: Agent, other: dict[str, Any], field: str) -> None:
    versioned(story, agent)
    size = log.head_size()
    if other.get("delegates_to") == "itself":
        other = {"delegates_to": [agent.pk]}
    with pytest.raises(Refused) as caught:
        versioned(story, agent, **{"version": "2", **other})
    assert (caught.value.field, log.head_size()) == (field, size)


def test_a_grant_reaches_at_least_as_far_as_its_tool(story: Story, agent: Agent) -> None:
    sends = tool(story)
    for name in ({"tool_version_id": sends}, {"tool": "mail.send"}):
        with pytest.raises(Refused, match=r"mail.send 1 is irreversible: .* reads only would hide that") as caught:
            granted(story, agent, reversibility="read_only", **name)
        assert caught.value.field == "reversibility"
    made = granted(
        story,
        agent,
        tool_version_id=sends,
        scopes=["send", "send", "draft"],
        parameter_constraints='{"type": "object"}',
        valid_until=NOW + timedelta(days=30),
    )
    row = ToolGrant.objects.get(pk=made.id)
    assert (row.tool, row.number, row.scopes, row.requires_human) == ("mail.send", 1, ["draft", "send"], False)
    later = granted(story, agent, tool="mail.send", requires_human=True)
    assert [item.pk for item in in_force([agent.pk], NOW)] == [later.id]
    revoked = operations.revoke_grant(by=story.requester, grant_id=later.id, reason="It wrote to all.", now=NOW)
    assert in_force([agent.pk], NOW) == [], "the older grant does not come back"
    assert log.history(f"tool_grant_revocation:{revoked.id}")[0].type == "tool_grant.revoked"
    for grant_id in (later.id, made.id, uuid4()):
        with pytest.raises(Refused) as caught:
            operations.revoke_grant(by=story.requester, grant_id=grant_id, reason="again", now=NOW)
        assert caught.value.field == "grant"
    assert queries.reconcile() == []


def test_what_cannot_be_undone_needs_a_person(story: Story, agent: Agent) -> None:
    alone = registered(story, "alone", "autonomous")
    with pytest.raises(Refused) as caught:
        granted(story, alone, tool="mail.send")
    assert caught.value.field == "requires_human"
    first = granted(story, agent, tool="mail.send")
    with pytest.raises(IntegrityError, match="needs a person"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tool_grant SELECT (jsonb_populate_record(g, jsonb_build_object('id', gen_random_uuid(),"
            " 'agent_id', %s))).* FROM tool_grant g",
            [str(alone.pk)],
        )
    granted(story, alone, tool="mail.send", requires_human=True)
    with pytest.raises(Refused, match="acts alone") as caught:
        versioned(story, agent, autonomy="autonomous_bounded")
    assert caught.value.field == "autonomy"
    operations.revoke_grant(by=story.requester, grant_id=first.id, reason="The agent shall act alone.", now=NOW)
    version = versioned(story, agent, autonomy="autonomous_bounded")
    with pytest.raises(Refused):
        granted(story, agent, tool="mail.send", agent_version_id=version.pk)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({}, "tool"),
        ({"tool": "a", "agent_id": uuid4()}, "agent"),
        ({"tool": "a", "reversibility": "some"}, "reversibility"),
        ({"tool": "a", "tool_version_id": uuid4()}, "tool_version"),
        ({"tool": "a", "tool_version_id": "mail"}, "tool_version"),
        ({"tool": "a", "agent_version_id": uuid4()}, "agent_version"),
        ({"tool": "a", "scopes": [""]}, "scopes"),
        ({"tool": "a", "scopes": ["x"] * 51}, "scopes"),
        ({"tool": "a", "parameter_constraints": "[]"}, "parameter_constraints"),
        ({"tool": "a", "parameter_constraints": '{"a": 1, "a": 2}'}, "parameter_constraints"),
        ({"tool": "a", "parameter_constraints": '{"a": "%s"}' % ("x" * 8192)}, "parameter_constraints"),
        ({"tool": "a", "parameter_constraints": '{"a": "%s"}' % ("あ" * 3000)}, "parameter_constraints"),
        ({"tool": "a", "valid_until": NOW}, "valid_until"),
        ({"tool": "a", "by": "auditor"}, ""),
    ],
)
def test_a_grant_that_cannot_be(story: Story, agent: Agent, other: dict[str, Any], field: str) -> None:
    if other.get("tool_version_id") == "mail":
        other = {**other, "tool_version_id": tool(story)}
    if other.get("by"):
        other = {**other, "by": story.bystander}
    with pytest.raises(Refused) as caught:
        granted(story, agent, **other)
    assert caught.value.field == field
    assert not ToolGrant.objects.exists()


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ("'reversibility', 'read_only'", "reaches further"),
        ("'tool', 'files.read'", "another tool"),
        ("'agent_version_id', (SELECT id FROM agent_version)", "another agent"),
    ],
)
def test_the_database_holds_grants_too(story: Story, agent: Agent, columns: str, why: str) -> None:
    granted(story, agent, tool_version_id=tool(story))
    versioned(story, registered(story, "other"))
    with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tool_grant SELECT (jsonb_populate_record(g, jsonb_build_object('id', gen_random_uuid(),"
            f" 'number', 2, {columns}))).* FROM tool_grant g"
        )


def test_a_tool_changes_but_keeps_its_name(story: Story) -> None:
    tool(story)
    row = Tool.objects.get()
    change: dict[str, Any] = {"by": story.requester, "tool_id": row.pk, "kind": "http", "now": NOW}
    change |= {"endpoint": "https://mail.example", "owner_id": story.reviewer.person_id}
    operations.change_tool(seen=1, **change)
    row.refresh_from_db()
    assert (row.kind, row.owner_id, row.row_version) == ("http", story.reviewer.person_id, 2)
    told = log.history(f"tool:{row.pk}")
    facts: Any = log.section_facts([told[0].index])[told[0].index]
    assert (facts["before"]["kind"], facts["after"]["kind"]) == ("mcp", "http")
    for other, field in (
        ({"seen": 1}, "row_version"),
        ({"seen": 2, "owner_id": uuid4()}, "owner_id"),
        ({"seen": 2, "tool_id": uuid4()}, "tool"),
        ({"seen": 2, "kind": "post"}, "kind"),
    ):
        with pytest.raises(Refused) as caught:
            operations.change_tool(**{**change, **other})
        assert caught.value.field == field
    for field, fields in (("version", {"version": "1"}), ("side_effects", {"side_effects": ""})):
        made: dict[str, Any] = {"version": "2", "reversibility": "reversible", "side_effects": "A draft.", **fields}
        with pytest.raises(Refused) as caught:
            operations.register_tool_version(by=story.requester, tool_id=row.pk, now=NOW, **made)
        assert caught.value.field == field
    with pytest.raises(Refused, match="stands already"):
        operations.register_tool(by=story.requester, name="mail.send", kind="mcp", now=NOW)
    assert queries.reconcile() == []


def test_calls_after_a_grant_ended_or_beyond_it(story: Story, agent: Agent) -> None:
    operations.follow_log(now=NOW)
    subject, now = f"agent:{agent.pk}", timezone.now()
    granted(story, agent, tool="crm.read", reversibility="read_only", now=now, valid_until=now + timedelta(days=1))
    gone = granted(story, agent, tool="crm.write", reversibility="reversible", now=now)
    granted(story, agent, tool_version_id=tool(story), requires_human=True, now=now)
    granted(story, agent, tool="files.move", reversibility="reversible", now=now)
    tool(story, "files.move", "externally_reversible")
    first = versioned(story, agent)
    granted(story, agent, tool="web.read", reversibility="read_only", agent_version_id=first.pk, now=now)
    call(subject, "crm.read")
    call(subject, "crm.write", side_effect=True)
    call(subject, "web.read")
    call(subject, "files.move")
    sent(subject, tool="mail.send", tool_version="1", approver="dana", side_effect=True)
    operations.follow_log(now=now)
    assert findings() == []
    operations.revoke_grant(by=story.requester, grant_id=gone.id, reason="No longer needed.", now=now)
    versioned(story, agent, "2")
    wrong = [
        call(subject, "crm.write"),
        call(subject, "files.move", side_effect=True),
        sent(subject, tool="mail.send", tool_version="1", side_effect=True),
        call(subject, "web.read"),
    ]
    operations.follow_log(now=now)
    assert findings() == [
        ("tool_grant_expired_use", subject, wrong[0]),
        *(("tool_call_outside_grant", subject, index) for index in wrong[1:]),
    ]
    details = " ".join(Finding.objects.order_by("entry_index").values_list("detail", flat=True))
    for words in ("after its grant ended", "does more than the grant says", "no person approved", "another version"):
        assert words in details
    other = sent(subject, tool="mail.send", tool_version="9", approver="dana")
    operations.follow_log(now=now)
    assert Finding.objects.filter(entry_index=other).count() == 0, "one tool is told once a day"
    assert queries.reconcile() == []


def sent(subject: str, **data: Any) -> int:
    content = {"id": str(uuid4()), "type": "agent.tool_call", "subject": subject, "data": data}
    return entry("agent.tool_call", "x:" + "ab" * 32, content, source="source:pipeline")


def test_a_run_above_its_budget_is_told_once_a_day(story: Story, agent: Agent) -> None:
    granted(story, agent, tool="crm.read", reversibility="read_only")
    versioned(story, agent, max_steps=10, max_reasoning_tokens=1000, max_cost="2.5", cost_currency="EUR")
    operations.follow_log(now=NOW)
    subject = f"agent:{agent.pk}"
    within = {"steps": 10, "tokens": 10**9, "reasoning_tokens": 1000, "cost": "2.50", "currency": "EUR"}
    sent(subject, tool="crm.read", run=within)
    sent(subject, tool="crm.read", run={**within, "cost": "99", "currency": "JPY"})
    operations.follow_log(now=NOW)
    assert findings() == []
    first = sent(subject, tool="crm.read", run={"steps": 11})
    sent(subject, tool="crm.read", run={"steps": 12})
    usage = {"agent": agent.name, "deployment": "credit-memo-draft", "run": {"cost": "2.51", "currency": "EUR"}}
    second = entry("usage.reported", "x:" + "ab" * 32, {"subject": "a", "data": usage}, source="source:pipeline")
    operations.follow_log(now=NOW)
    assert findings() == [("agent_budget_exceeded", subject, first), ("agent_budget_exceeded", subject, second)]
    assert [row.detail for row in Finding.objects.order_by("entry_index")] == [
        "A run of memo-agent used more steps; its version 1 may use at most 10.",
        "A run of memo-agent used more EUR of cost; its version 1 may use at most 2.5.",
    ]
    limits = limits_of({subject})[subject]
    broken: tuple[object, ...] = (
        {"steps": True},
        {"steps": "11"},
        {"cost": 5},
        {"cost": "1E999"},
        {"cost": "NaN"},
        [],
        "x",
        None,
    )
    for run in broken:
        assert list(excesses_of_run({"run": run}, limits, is_open=True)) == []
    (found,) = excesses_of_run({"run": {"steps": 2000}}, limits, is_open=True)
    assert "used 2,000 steps" in found.why
