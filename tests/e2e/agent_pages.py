"""An agent, a tool, a machine and an overseen use for the pages in the browser, and the addresses of their pages."""

from datetime import date

from django.urls import reverse
from django.utils import timezone

from governance import operations
from governance.models import Agent, Tool, UseCase
from governance.operations import AgentRelease, SliceFacts
from tests.integration.governance_story import Story

HARDWARE = "GPU-00000000-0000-0000-0000-00000000000{}"


def agent_addresses(story: Story) -> tuple[str, ...]:
    """Pages with something on each of them; the agent is the one that stands."""
    now, by, agent = timezone.now(), story.requester, Agent.objects.get()
    for version, steps in (("1.0", 40), ("1.1", 80)):
        release = AgentRelease(version, "act_with_approval", by.person_id, max_steps=steps)
        operations.register_agent_version(by=by, agent_id=agent.pk, release=release, now=now)
    tool = operations.register_tool(by=by, name="mail.send", kind="mcp", now=now).id
    made = operations.register_tool_version(
        by=by, tool_id=tool, version="3.1", reversibility="irreversible", side_effects="A mail leaves.", now=now
    )
    grant = operations.grant_tool(
        by=by, agent_id=agent.pk, tool_version_id=made.id, reversibility="irreversible", now=now
    ).id
    node = operations.register_gpu_node(by=by, name="tky2-gpu-07", provider="on_prem", region="jp-east", now=now).id
    device, _other = (
        operations.register_gpu_device(
            by=by, node_id=node, gpu_model="H100 SXM5", hardware_id=HARDWARE.format(slot), slot=slot, now=now
        ).id
        for slot in (1, 0)
    )
    slices = [SliceFacts("3g.40gb", 1, 0, 40448 << 20), SliceFacts("1g.10gb", 9, 0, 9984 << 20)]
    operations.register_mig_slices(by=by, device_id=device, slices=slices, now=now)
    operations.record_pool_device(by=by, pool_id=story.pool, device_id=device, left=False, now=now)
    assignment = operations.assign_oversight(
        by=by,
        use_case_id=UseCase.objects.get().pk,
        person_id=story.reviewer.person_id,
        role="Head of support",
        competence="Ten years of support.",
        training="Oversight of AI",
        training_date=date(2026, 1, 1),
        authority="all",
        valid_from=date(2026, 1, 2),
        now=now,
    ).id
    pages = {
        **dict.fromkeys(("desk_agent", "desk_agent_version_new", "desk_grant_new"), agent.pk),
        **dict.fromkeys(("desk_tool", "desk_tool_change"), Tool.objects.get().pk),
        **dict.fromkeys(("desk_node", "desk_node_cards", "desk_node_pools"), node),
        "desk_grant_revoke": grant,
        "desk_oversight_end": assignment,
    }
    lists = ("agent", "tool", "gpunode", "gpudevice", "oversightassignment")
    return (
        *(reverse(f"admin:{name}", args=[key]) for name, key in pages.items()),
        *(reverse(f"admin:{name}") for name in ("desk_oversight", "desk_oversight_new")),
        *(reverse(f"admin:governance_{name}_changelist") for name in lists),
    )
