"""Pages of agents, tools, machines and oversight: what they show, what their forms do, and what a GET costs."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from governance import operations
from governance.models import (
    Agent,
    AgentVersion,
    GpuDevice,
    GpuNode,
    OversightAssignment,
    PoolDevice,
    Tool,
    ToolGrant,
    ToolVersion,
)
from tests.integration.governance_story import NOW, Story, tell
from tests.integration.test_governance_agents import granted, registered, tool, versioned
from tests.integration.test_governance_following import call, entry
from tests.integration.test_governance_hardware import HARDWARE, SLICE, card, noded
from tests.integration.test_governance_oversight import TODAY, assigned, high_risk
from tests.integration.test_governance_pages import browser, contents, queries_of

pytestmark = pytest.mark.django_db

LISTS = ("agent", "tool", "gpunode", "gpudevice", "oversightassignment")


@pytest.fixture
def story() -> Story:
    return tell()


def told(story: Story) -> dict[str, Any]:
    """An agent with a tool, a machine with a card, and a use that somebody oversees; what their routes take."""
    agent, node, use_case = registered(story), noded(story), high_risk(story)
    made = granted(story, agent, tool_version_id=tool(story))
    device = card(story, node)
    operations.register_mig_slices(by=story.requester, device_id=device.pk, slices=[SLICE], now=NOW)
    operations.record_pool_device(by=story.requester, pool_id=story.pool, device_id=device.pk, left=False, now=NOW)
    assignment = assigned(story, use_case)
    return {
        "agent_id": agent.pk,
        "grant_id": made.id,
        "tool_id": Tool.objects.get().pk,
        "node_id": node.pk,
        "assignment_id": assignment.id,
        "use_case_id": use_case.pk,
    }


PAGES = {
    "desk_agent_new": (),
    "desk_agent": ("agent_id",),
    "desk_agent_version_new": ("agent_id",),
    "desk_grant_new": ("agent_id",),
    "desk_grant_revoke": ("grant_id",),
    "desk_tool_new": (),
    "desk_tool": ("tool_id",),
    "desk_tool_change": ("tool_id",),
    "desk_tool_version_new": ("tool_id",),
    "desk_node_new": (),
    "desk_node": ("node_id",),
    "desk_node_change": ("node_id",),
    "desk_node_cards": ("node_id",),
    "desk_node_pools": ("node_id",),
    "desk_oversight": (),
    "desk_oversight_new": (),
    "desk_oversight_end": ("assignment_id",),
    "desk_use_case": ("use_case_id",),
}


def addresses(ids: dict[str, Any]) -> list[str]:
    found = [reverse(f"admin:{name}", args=[ids[key] for key in keys]) for name, keys in PAGES.items()]
    return found + [reverse(f"admin:governance_{name}_changelist") for name in LISTS]


def test_pages_open_change_nothing_and_are_behind_a_log_in(story: Story) -> None:
    ids = told(story)
    before = contents()
    for user in (story.requester, story.bystander):
        client = browser(user)
        for address in addresses(ids):
            page = client.get(address)
            assert page.status_code == 200, address
            for forbidden in ("<style", " style=", " onclick="):
                assert forbidden not in page.content.decode(), address
    for address in addresses(ids):
        assert Client().get(address).status_code == 302, address
    assert contents() == before
    client = browser(story.bystander)
    for name, keys in PAGES.items():
        if keys:
            assert client.get(reverse(f"admin:{name}", args=[uuid4()])).status_code == 404, name
    for name in ("desk_agent", "desk_tool", "desk_node", "desk_oversight"):
        shown = client.get(reverse(f"admin:{name}", args=[ids[key] for key in PAGES[name]])).content.decode()
        assert "Only members of the pools" in shown, name


def test_pages_cost_the_same_with_more_rows(story: Story) -> None:
    ids = told(story)
    client, agent = browser(story.requester), Agent.objects.get()
    versioned(story, agent, "0", models_allowed=[story.version])
    named: dict[str, Any] = {"models_allowed": [story.version], "delegates_to": [registered(story, "helper").pk]}
    versioned(story, agent, "1", **named)
    granted(story, agent, tool="first.tool", reversibility="read_only")
    operations.revoke_grant(
        by=story.requester,
        grant_id=granted(story, agent, tool="gone.tool", reversibility="read_only").id,
        reason="Not used.",
        now=NOW,
    )
    call(f"agent:{agent.pk}", "unknown")
    entry("agent.tool_call", f"agent:{agent.pk}", {"data": {"tool": "a"}}, source="source:pipeline")
    operations.follow_log(now=NOW)
    assert "One tool call is in the ledger" in client.get(page_of(agent)).content.decode()
    for address in addresses(ids):
        client.get(address)
    before = [queries_of(client, address) for address in addresses(ids)]
    for number in range(2, 5):
        versioned(story, agent, f"{number}", **named)
        granted(story, agent, tool=f"tool.{number}", reversibility="read_only")
        tool(story, version=f"{number}")
        card(story, GpuNode.objects.get(), number)
        assigned(story, high_risk(story, f"Use {number}"))
    after = [queries_of(client, address) for address in addresses(ids)]
    assert after == before
    assert max(after) <= 40


def test_an_agent_with_two_versions_is_compared(story: Story) -> None:
    agent = registered(story)
    client, address = browser(story.requester), reverse("admin:desk_agent", args=[agent.pk])
    assert "Nobody has said how it is stopped" in client.get(address).content.decode()
    form = {
        "version": "1.0",
        "autonomy": "act_with_approval",
        "sponsor": str(story.requester.person_id),
        "memory": "session",
        "models_allowed": [str(story.version)],
        "max_steps": "40",
        "max_cost": "2.50",
        "cost_currency": "EUR",
        "kill_switch_declared": "on",
        "kill_switch": "Scale it to zero.",
    }
    new = reverse("admin:desk_agent_version_new", args=[agent.pk])
    assert client.post(new, {**form, "cost_currency": ""}).status_code == 400
    assert client.post(new, form).headers["Location"] == address
    page = client.get(new).content.decode()
    assert 'value="40"' in page and 'value="2.5' in page, "the form begins with the newest version"
    client.post(new, {**form, "version": "1.1", "max_steps": "80", "memory": "none"})
    assert list(AgentVersion.objects.order_by("number").values_list("version", flat=True)) == ["1.0", "1.1"]
    page = client.get(address).content.decode()
    assert "<del>40</del>" in page and "<ins>80</ins>" in page
    assert "Llama 3.1 8B 2024-07" in page and "Scale it to zero." in page and "EUR 2.5" in page
    assert "Choose two different versions." in client.get(address, {"older": "2", "newer": "2"}).content.decode()
    assert client.get(address, {"older": "x", "newer": "9" * 30}).status_code == 200


def test_a_tool_is_registered_granted_and_revoked_by_forms(story: Story) -> None:
    agent, client = registered(story), browser(story.requester)
    answer = client.post(reverse("admin:desk_tool_new"), {"name": "mail.send", "kind": "mcp", "endpoint": "mcp://a"})
    row = Tool.objects.get()
    assert answer.headers["Location"] == reverse("admin:desk_tool", args=[row.pk])
    version = {"version": "1", "reversibility": "irreversible", "data_classes": "contact, message", "side_effects": ""}
    new = reverse("admin:desk_tool_version_new", args=[row.pk])
    assert client.post(new, version).status_code == 400
    client.post(new, {**version, "side_effects": "A mail leaves."})
    made = ToolVersion.objects.get()
    assert made.data_classes == ["contact", "message"]
    grant = reverse("admin:desk_grant_new", args=[agent.pk])
    form = {"tool_version": str(made.pk), "reversibility": "read_only", "scopes": "send", "valid_until": "2099-01-31"}
    form["parameter_constraints"] = '{\r\n  "type": "object"\r\n}'  # as a browser sends it
    refused = client.post(grant, form)
    assert refused.status_code == 400 and "would hide that" in refused.content.decode()
    client.post(grant, {**form, "reversibility": "irreversible", "requires_human": "on"})
    found = ToolGrant.objects.get()
    assert found.parameter_constraints == '{\n  "type": "object"\n}'
    assert (found.scopes, found.requires_human, f"{found.valid_until:%Y-%m-%d %H:%M}") == (
        ["send"],
        True,
        "2099-02-01 00:00",
    )
    page = client.get(reverse("admin:desk_agent", args=[agent.pk])).content.decode()
    assert "Irreversible" in page and "for each call" in page and "version 1 of the tool" in page
    page = client.get(reverse("admin:desk_tool", args=[row.pk])).content.decode()
    assert "memo-agent" in page and reverse("admin:desk_standing", args=["tool_version", made.pk]) in page
    revoke = reverse("admin:desk_grant_revoke", args=[found.pk])
    assert client.post(revoke, {"reason": ""}).status_code == 400
    assert client.post(revoke, {"reason": "Wrote to all."}).headers["Location"] == page_of(agent)
    assert "Revoked" in client.get(page_of(agent)).content.decode()
    assert "No agent may call it." in client.get(reverse("admin:desk_tool", args=[row.pk])).content.decode()
    change = reverse("admin:desk_tool_change", args=[row.pk])
    sent = {"kind": "http", "endpoint": "https://a.example", "owner": str(story.reviewer.person_id), "row_version": "1"}
    assert client.post(change, sent).status_code == 302
    stale = client.post(change, sent)
    assert stale.status_code == 400 and "has changed since" in stale.content.decode()


def page_of(agent: Agent) -> str:
    return reverse("admin:desk_agent", args=[agent.pk])


def test_a_machine_gets_its_cards_from_an_upload(story: Story) -> None:
    client = browser(story.requester)
    form = {
        "name": "tky2-gpu-07",
        "provider": "aws",
        "region": "jp-east",
        "hourly_cost": "31.20",
        "cost_currency": "USD",
    }
    answer = client.post(reverse("admin:desk_node_new"), form)
    node = GpuNode.objects.get()
    assert answer.headers["Location"] == reverse("admin:desk_node", args=[node.pk])
    cards = reverse("admin:desk_node_cards", args=[node.pk])
    wrong = client.post(cards, {"report": SimpleUploadedFile("a.xml", b"<html></html>")})
    assert wrong.status_code == 400 and "begins with" in wrong.content.decode()
    report = f"index, name, uuid, serial\n3, NVIDIA H100 80GB HBM3, {HARDWARE.format(7)}, 165050".encode()
    assert client.post(cards, {"report": SimpleUploadedFile("a.csv", report)}).status_code == 302
    device = GpuDevice.objects.get()
    pools = reverse("admin:desk_node_pools", args=[node.pk])
    move = {"device": str(device.pk), "pool": str(story.pool), "left": "joins"}
    assert client.post(pools, move).status_code == 302
    assert client.post(pools, move).status_code == 400
    page = client.get(reverse("admin:desk_node", args=[node.pk])).content.decode()
    assert "tokyo-h100" in page and "165050" in page and "USD 31.2" in page and "undivided" in page
    assert client.post(pools, {**move, "left": "leaves"}).status_code == 302
    assert list(PoolDevice.objects.order_by("number").values_list("left", flat=True)) == [False, True]
    change = reverse("admin:desk_node_change", args=[node.pk])
    sent = {"provider": "gcp", "region": "us", "owner": str(story.requester.person_id), "row_version": "1"}
    assert client.post(change, sent).status_code == 302
    assert client.post(change, sent).status_code == 400


def test_oversight_is_assigned_and_ended_by_forms(story: Story) -> None:
    use_case, client = high_risk(story), browser(story.requester)
    address = reverse("admin:desk_use_case", args=[use_case.pk])
    overview = reverse("admin:desk_oversight")
    for place in (address, overview):
        assert "Nobody oversees this use" in client.get(place).content.decode()
    new = reverse("admin:desk_oversight_new")
    assert f'value="{use_case.pk}" selected' in client.get(new, {"use_case": str(use_case.pk)}).content.decode()
    form = {
        "use_case": str(use_case.pk),
        "person": str(story.reviewer.person_id),
        "role": "Head of credit",
        "authority": "stop",
        "competence": "Ten years of credit decisions.",
        "training": "Oversight of AI",
        "training_date": str(TODAY - timedelta(days=30)),
        "valid_from": "2020-01-01",
    }
    assert client.post(new, {**form, "training_date": "2999-01-01"}).status_code == 400
    assert client.post(new, form).headers["Location"] == address
    for place in (address, overview):
        page = client.get(place).content.decode()
        assert "Nobody oversees this use" not in page and "May stop it" in page and "Okafor" in page
    end = reverse("admin:desk_oversight_end", args=[OversightAssignment.objects.get().pk])
    assert client.post(end, {"reason": "Left the house."}).headers["Location"] == address
    page = client.get(address).content.decode()
    assert "Nobody oversees this use" in page and "Left the house." in page
    assert browser(story.bystander).post(end, {"reason": "no"}).status_code == 400
