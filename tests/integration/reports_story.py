"""A deployment with everything a report shows, made by the operations; and a hand that signs as the signer would."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import ledger
from audit.models import Checkpoint, Head, User
from audit.tlog.checkpoint import Checkpoint as TreeHead
from audit.tlog.checkpoint import sign_checkpoint
from governance import operations as governance
from governance.capacity.prices import Api, CloudCards, Load, OwnHardware, Price, Prices
from tests.integration.governance_story import NOW, Story, login, tell
from tests.services.constants import ORIGIN, SIGNING_KEY


@dataclass(frozen=True, slots=True)
class Reported:
    """The story of a report: who reads it, and about which deployment."""

    story: Story
    auditor: User
    deployment: UUID
    agent: UUID


def sign() -> int:
    """A checkpoint over the whole log, as the signer writes it; returns its size."""
    head = Head.objects.get(id=1)
    if not Checkpoint.objects.filter(size=head.size).exists():
        note = sign_checkpoint(TreeHead(ORIGIN, head.size, bytes(head.root)), SIGNING_KEY)
        Checkpoint.objects.using("signer").create(
            size=head.size, root=bytes(head.root), note=note, signed_at=datetime.now(UTC)
        )
    return int(head.size)


def tell_report() -> Reported:
    """Registered, asked for, approved, compared; an agent with a grant, one call inside it and one outside."""
    story = tell()
    request = story.submitted(tool_grants=("crm.read",))
    story.decided(request)
    deployment = request.deployment_id
    agent = governance.register_agent(
        by=story.requester,
        name="Claims agent",
        purpose="Reads claims.",
        deployment_id=deployment,
        autonomy="act_with_approval",
        now=NOW,
    ).id
    governance.grant_tool(by=story.requester, agent_id=agent, tool="crm.read", reversibility="read_only", now=NOW)
    governance.record_comparison(
        by=story.requester, deployment_id=deployment, title="Own, cloud or API", load=load(), prices=prices(), now=NOW
    )
    call(agent, "crm.read", side_effect=False)
    call(agent, "mail.send", side_effect=True)
    governance.follow_log(now=NOW)
    return Reported(story, login("auditor", "Auditors"), deployment, agent)


def call(agent: UUID, tool: str, *, side_effect: bool) -> None:
    """A tool call as a pipeline records it."""
    said = {
        "id": f"{tool}-1",
        "type": "agent.tool_call",
        "subject": f"agent:{agent}",
        "occurred_at": "2026-11-24T09:00:00Z",
        "data": {"tool": tool, "side_effect": side_effect, "outcome": "ok"},
    }
    event = ledger.Event(
        type="agent.tool_call",
        subject=f"agent:{agent}",
        source="source:pipeline",
        actor="service:pipeline",
        occurred_at=NOW,
        sections=(ledger.Section("facts", json.dumps(said).encode()),),
    )
    with transaction.atomic(durable=True):
        ledger.append(events=[event])


def price(low: str, mid: str, high: str) -> Price:
    return Price(Decimal(low), Decimal(mid), Decimal(high), "list price", "2026-11-01")


def load() -> Load:
    return Load(
        input_tokens=900_000_000, output_tokens=300_000_000, reasoning_tokens=120_000_000, utilisation=Decimal("0.4")
    )


def prices() -> Prices:
    return Prices(
        currency="USD",
        own=OwnHardware(
            investment=price("30000", "38000", "45000"),
            months=48,
            residual=Decimal("0.1"),
            staff_per_month=Decimal("300"),
            maintenance_per_year=Decimal("0.05"),
            full_power_kw=Decimal("1.2"),
            idle=Decimal("0.4"),
            pue=Decimal("1.3"),
            kwh=price("0.15", "0.2", "0.3"),
        ),
        cloud=CloudCards(card_hour=price("2", "3", "5"), cards=1),
        api=Api(price("1", "2", "3"), price("4", "8", "12"), "large model"),
    )


def folder() -> Path:
    return Path(settings.DATA_DIR) / "reports"
