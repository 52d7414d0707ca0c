"""Agents, tools, machines and oversight over REST: a pipeline's whole path, strict bodies, and the same guards."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit import queries as log
from governance.models import GpuDevice, GpuPool, ToolGrant
from tests.integration.governance_story import Story, tell
from tests.integration.test_governance_agents import registered
from tests.integration.test_governance_api import Pipeline
from tests.integration.test_governance_hardware import HARDWARE
from tests.integration.test_governance_oversight import high_risk
from tests.integration.test_governance_pages import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return tell()


def made(answer: Any) -> str:
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_an_agent_gets_a_version_and_a_tool(story: Story) -> None:
    pipeline, deployment = Pipeline(story), registered(story).deployment_id
    agent = made(
        pipeline.post(
            reverse("api-agents"),
            {"name": "helper", "purpose": "Helps.", "deployment_id": str(deployment), "autonomy": "autonomous"},
        )
    )
    version = {
        "version": "1",
        "autonomy": "autonomous",
        "sponsor_id": str(story.reviewer.person_id),
        "models_allowed": [str(story.version)],
        "max_steps": 40,
        "max_tokens": None,
        "max_cost": "2.50",
        "cost_currency": "EUR",
        "kill_switch_declared": True,
        "kill_switch": "Scale to zero.",
    }
    agent_version = made(pipeline.post(reverse("api-agent-versions-of", args=[agent]), version))
    tool = made(pipeline.post(reverse("api-tools"), {"name": "mail.send", "kind": "mcp"}))
    release = {"version": "3.1", "reversibility": "irreversible", "side_effects": "A mail leaves."}
    tool_version = made(pipeline.post(reverse("api-tool-versions-of", args=[tool]), release))
    grant = {
        "reversibility": "irreversible",
        "tool_version_id": tool_version,
        "agent_version_id": agent_version,
        "scopes": ["mail:send"],
        "parameter_constraints": '{"type":"object"}',
        "valid_until": "2099-02-01T00:00:00+09:00",
    }
    address = reverse("api-agent-grants", args=[agent])
    refused = pipeline.post(address, grant)
    assert (refused.status_code, refused.json()["field"]) == (400, "requires_human")
    granted = made(pipeline.post(address, {**grant, "requires_human": True}))
    assert f"{ToolGrant.objects.get().valid_until:%Y-%m-%d %H}" == "2099-01-31 15"
    found = pipeline.get(reverse("api-agent", args=[agent])).json()
    assert (found["versions"][0]["max_cost"], found["versions"][0]["sponsor_id"]) == (
        "2.5000",
        str(story.reviewer.person_id),
    )
    assert [(item["tool"], item["standing"]) for item in found["grants"]] == [("mail.send", True)]
    ended = pipeline.post(reverse("api-grant-revocation", args=[granted]), {"reason": "It wrote to all."})
    assert log.entry(ended.json()["entries"][0]).actor == f"service:{story.service.id}"
    assert not pipeline.get(reverse("api-agent", args=[agent])).json()["grants"][0]["standing"]
    change = {"kind": "http", "endpoint": "", "owner_id": str(story.reviewer.person_id), "row_version": 1}
    assert pipeline.post(reverse("api-tool-changes", args=[tool]), change).status_code == 201
    stale = pipeline.post(reverse("api-tool-changes", args=[tool]), change)
    assert (stale.status_code, stale.json()["field"]) == (409, "row_version")
    found = pipeline.get(reverse("api-tool", args=[tool])).json()
    assert (found["kind"], found["row_version"], found["versions"][0]["version"]) == ("http", 2, "3.1")
    by_tool = ("api-tools", "api-tool-versions", "api-tool-grants", "api-grant-revocations")
    for name in ("api-agents", "api-agent-versions", *by_tool):
        filtered = "mail.send" if name in by_tool else "helper"
        assert len(pipeline.get(reverse(name), name=filtered).json()["items"]) == 1, name


def test_a_machine_with_cards_slices_and_a_pool(story: Story) -> None:
    pipeline = Pipeline(story)
    body = {"name": "tky2-gpu-07", "provider": "gcp", "region": "jp", "hourly_cost": "31.2", "cost_currency": "USD"}
    node = made(pipeline.post(reverse("api-gpu-nodes"), body))
    report = {"report": f"index, name, uuid\n0, NVIDIA H100 80GB HBM3, {HARDWARE.format(1)}\n"}
    cards = reverse("api-gpu-node-cards", args=[node])
    assert len(pipeline.post(cards, report).json()["entries"]) == 1
    assert pipeline.post(cards, report).json() == {"id": node, "entries": []}
    refused = pipeline.post(cards, {"report": "<!DOCTYPE a [<!ENTITY b 'c'>]><nvidia_smi_log/>"})
    assert (refused.status_code, refused.json()["field"]) == (400, "report")
    by_hand = {"gpu_model": "L40S", "hardware_id": HARDWARE.format(2), "slot": 1}
    made(pipeline.post(reverse("api-gpu-node-devices", args=[node]), by_hand))
    device = str(GpuDevice.objects.get(slot=0).pk)
    piece = {"profile": "3g.40gb", "gpu_instance": 1, "compute_instance": 0, "memory_bytes": 40448 << 20}
    slices = reverse("api-gpu-device-slices", args=[device])
    assert made(pipeline.post(slices, {"slices": [piece]})) == device
    assert pipeline.post(slices, {"slices": [piece]}).json()["entries"] == []
    pool = {"name": "spare", "gpu_model": "H100 SXM5", "count": 1, "node": "a", "region": "b", "hosting": "cloud"}
    spare = made(pipeline.post(reverse("api-gpu-pools"), {**pool, "gpu_node_id": node}))
    assert str(GpuPool.objects.get(pk=spare).gpu_node_id) == node
    unknown = pipeline.post(reverse("api-gpu-pools"), {**pool, "name": "c", "gpu_node_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["field"]) == (400, "gpu_node")
    move = reverse("api-gpu-pool-devices", args=[spare])
    made(pipeline.post(move, {"device_id": device, "left": False}))
    again = pipeline.post(move, {"device_id": device, "left": False})
    assert (again.status_code, again.json()["field"]) == (400, "device")
    found = pipeline.get(reverse("api-gpu-node", args=[node])).json()
    assert [(item["slot"], item["pool_id"], len(item["slices"])) for item in found["devices"]] == [
        (0, spare, 1),
        (1, None, 0),
    ]
    change = {"provider": "oci", "region": "jp", "owner_id": str(story.reviewer.person_id), "row_version": 1}
    for status in (201, 409):
        assert pipeline.post(reverse("api-gpu-node-changes", args=[node]), change).status_code == status
    for name, filtered in (
        ("api-gpu-nodes", "tky2-gpu-07"),
        ("api-mig-slices", "tky2-gpu-07"),
        ("api-pool-devices", "spare"),
    ):
        assert len(pipeline.get(reverse(name), name=filtered).json()["items"]) == 1, name
    assert len(pipeline.get(reverse("api-gpu-devices"), name="tky2-gpu-07").json()["items"]) == 2


def test_oversight_and_where_it_is_missing(story: Story) -> None:
    pipeline, use_case = Pipeline(story), high_risk(story)
    gaps = reverse("api-oversight-gaps")
    assert pipeline.get(gaps).json() == {
        "items": [{"use_case_id": str(use_case.pk), "ref": use_case.ref, "name": "Credit scoring"}]
    }
    body = {
        "use_case_id": str(use_case.pk),
        "person_id": str(story.reviewer.person_id),
        "role": "Head of credit",
        "competence": "Ten years.",
        "training": "Two days",
        "training_date": "2020-01-01",
        "authority": "all",
        "valid_from": "2020-01-02",
    }
    assignment = made(pipeline.post(reverse("api-oversight"), body))
    assert pipeline.get(gaps).json() == {"items": []}
    end = reverse("api-oversight-end", args=[assignment])
    made(pipeline.post(end, {"reason": "Left."}))
    assert pipeline.post(end, {"reason": "Left."}).status_code == 400
    assert len(pipeline.get(gaps).json()["items"]) == 1
    for name in ("api-oversight", "api-oversight-ends"):
        assert len(pipeline.get(reverse(name), name="Credit scoring").json()["items"]) == 1


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("api-agent-versions-of", {"version": 1}, "version"),
        ("api-agent-versions-of", {"max_cost": 2.5}, "max_cost"),
        ("api-agent-versions-of", {"max_cost": "2.123456"}, "max_cost"),
        ("api-agent-versions-of", {"max_steps": "4"}, "max_steps"),
        ("api-agent-versions-of", {"kill_switch_declared": "yes"}, "kill_switch_declared"),
        ("api-agent-versions-of", {"sponsor_id": str(uuid4())}, "sponsor_id"),
        ("api-agent-versions-of", {"owner": "me"}, "owner"),
        ("api-agent-grants", {"valid_until": "2099-01-01"}, "valid_until"),
        ("api-agent-grants", {"valid_until": "2099-01-01T00:00:00"}, "valid_until"),
        ("api-agent-grants", {"valid_until": 5}, "valid_until"),
        ("api-agent-grants", {"scopes": "mail"}, "scopes"),
        ("api-agent-grants", {"requires_human": 1}, "requires_human"),
    ],
)
def test_a_body_that_cannot_be(story: Story, name: str, body: dict[str, Any], field: str) -> None:
    plain: dict[str, Any] = {"version": "1", "autonomy": "suggest", "sponsor_id": str(story.requester.person_id)}
    if name == "api-agent-grants":
        plain = {"tool": "a", "reversibility": "read_only"}
    answer = Pipeline(story).post(reverse(name, args=[registered(story).pk]), {**plain, **body})
    assert (answer.status_code, answer.json()["field"]) == (400, field)


READ = ("api-agent", "api-tool", "api-gpu-node")
WRITTEN = (
    "api-agent-versions-of",
    "api-agent-grants",
    "api-grant-revocation",
    "api-tool-changes",
    "api-tool-versions-of",
    "api-gpu-node-changes",
    "api-gpu-node-devices",
    "api-gpu-node-cards",
    "api-gpu-device-slices",
    "api-gpu-pool-devices",
    "api-oversight-end",
)


def test_the_same_guards_as_for_the_rest_of_the_registry(story: Story) -> None:
    pipeline, reader, other = Pipeline(story), Pipeline(story, "registry:read"), Pipeline(story, "events:write")
    unknown = uuid4()
    for name in READ:
        assert pipeline.get(reverse(name, args=[unknown])).status_code == 404, name
        assert Client().get(reverse(name, args=[unknown])).status_code == 401, name
    for name in WRITTEN:
        address = reverse(name, args=[unknown])
        assert pipeline.post(address, {}).status_code == 404, name
        assert reader.post(address, {}).status_code == 403, name
    assert other.get(reverse("api-oversight-gaps")).status_code == 403
    body = json.dumps({"name": "a", "kind": "mcp"})
    refused = browser(story.bystander).post(reverse("api-tools"), body, content_type="application/json")
    assert (refused.status_code, refused.json()["field"]) == (403, "")
