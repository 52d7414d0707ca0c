"""Fill the demo organisation: everything by the product's own operations, each step once.

Two deployments are looked at live. `claims-triage` runs: approved, measured by two exporters, with an agent and a
reasoning cap that its pipeline breaks. `credit-memo-draft` waits for a risk owner: the visitor's first decision, beside
one that stays sealed until then. What came before them is `demo.story`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from audit.access.people import register_service_account
from audit.access.tokens import issue_token
from audit.collectors.registry import register_target
from audit.models import ServiceAccount, Target, User
from demo.personas import ensure_personas
from demo.story import BEGAN, Cast, tell_story
from demo.uses import CLAIMS, CREDIT, tell_uses
from demo.visitor import ACCOUNT as VISITOR
from demo.visitor import token_file
from governance import operations
from governance.capacity.cost import Api, CloudCards, Load, OwnHardware, Price, Prices
from governance.models import (
    Agent,
    ApprovalRequest,
    Comparison,
    Deployment,
    GpuPool,
    Model,
    ModelVersion,
    ToolGrant,
    UseCase,
)

DATA: Final = Path(__file__).parent / "data"
RUNNING: Final = "claims-triage"
WAITING: Final = "credit-memo-draft"
POOL: Final = "tokyo-dc2-h100"
AGENT: Final = "claims-agent"
PIPELINE: Final = "claims-pipeline"
REASONING_CAP: Final = 2048
_TOKEN_LIFETIME: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the demo organisation consists of."""

    running: Deployment
    waiting: Deployment
    agent: Agent


def seed(*, now: datetime) -> Seeded:
    """Make what is missing of the demo organisation: its weeks before `now`, and what stands at `now`."""
    began = now - timedelta(days=BEGAN)
    people = ensure_personas(now=began)
    requester, reviewer = people["watanabe"], people["okafor"]
    operations.load_catalogue(now=began)
    _models(requester, began)
    pool = _pool(requester, began)
    uses = tell_uses(requester, began=began)
    running = _running(requester, reviewer, pool, uses[CLAIMS], now - timedelta(days=39))
    agent = _agent(requester, running, now - timedelta(days=38))
    _comparison(requester, running, now - timedelta(days=38))
    tell_story(_cast(people), uses, now=now)
    waiting = _waiting(people, pool, uses[CREDIT], now - timedelta(days=3))
    _targets(pool, running, people["lindqvist"], now)
    _clients(requester, now)
    _story(running, agent)
    return Seeded(running, waiting, agent)


def _cast(people: Mapping[str, User]) -> Cast:
    return Cast(
        requester=people["watanabe"],
        reviewer=people["okafor"],
        second_reviewer=people["sato"],
        risk_owner=people["haddad"],
        compliance=people["brandt"],
        second_compliance=people["tanaka"],
    )


def _models(requester: User, now: datetime) -> None:
    folder = DATA / "qwen3-8b"
    if not Model.objects.filter(name="Qwen3 8B").exists():
        operations.register_from_files(
            by=requester,
            model_name="Qwen3 8B",
            version="b968826",
            config=(folder / "config.json").read_bytes(),
            index=(folder / "model.safetensors.index.json").read_bytes(),
            hf_id="Qwen/Qwen3-8B",
            developer="Qwen",
            licence="Apache-2.0",
            source="config.json and model.safetensors.index.json of Qwen/Qwen3-8B",
            now=now,
        )
    if not Model.objects.filter(name="Llama 3.3 70B").exists():
        operations.register_from_catalogue(by=requester, name="Llama 3.3 70B", now=now)


def _version(name: str) -> ModelVersion:
    return ModelVersion.objects.select_related("model").get(model__name=name)


def _pool(requester: User, now: datetime) -> GpuPool:
    if not GpuPool.objects.filter(name=POOL).exists():
        operations.register_gpu_pool(
            by=requester,
            name=POOL,
            gpu_model="H100 SXM5",
            count=2,
            node="node-07",
            region="jp-tokyo",
            hosting="on_prem",
            now=now,
        )
    return GpuPool.objects.get(name=POOL)


def _running(requester: User, reviewer: User, pool: GpuPool, use: UseCase, now: datetime) -> Deployment:
    if not Deployment.objects.filter(name=RUNNING).exists():
        operations.request_deployment(
            by=requester,
            ask=operations.DeploymentAsk(
                name=RUNNING,
                purpose="Sort incoming insurance claims by urgency; a person handles every claim.",
                justification="Replaces the hosted API: claims stay in the Tokyo data centre.",
                model_version_id=_version("Qwen3 8B").id,
                gpu_pool_id=pool.id,
                gpu_count=1,
                context=32_768,
                concurrency=8,
                engine_version="0.11.1",
                runtime_image="sha256:5d2f8ac0b1e3a97c6b48f0d1c2e3f4a5968778695a4b3c2d1e0f9a8b7c6d5e4f",
                reasoning_cap=REASONING_CAP,
                tool_grants=("crm.lookup",),
                use_case_id=use.pk,
            ),
            now=now,
        )
    deployment = Deployment.objects.get(name=RUNNING)
    request = ApprovalRequest.objects.filter(deployment=deployment).order_by("submitted_at").first()
    if request is not None and deployment.approved_revision_id is None and request.state == "open":
        operations.decide(
            request_id=request.id,
            decider=reviewer,
            decision="approve",
            reason="Fits one card with room for eight long claims; the cap of 2,048 reasoning tokens bounds cost.",
            digest_seen=request.decision_digest,
            now=now,
        )
        deployment.refresh_from_db()
    return deployment


def _waiting(people: Mapping[str, User], pool: GpuPool, use: UseCase, now: datetime) -> Deployment:
    """Asked three days ago, passed by the technical review, and decided by one of two risk owners: sealed."""
    if not Deployment.objects.filter(name=WAITING).exists():
        operations.request_deployment(
            by=people["watanabe"],
            ask=operations.DeploymentAsk(
                name=WAITING,
                purpose="Draft credit memos for credit officers; a person decides every credit.",
                justification="Officers write 40 memos a day by hand; drafts save about an hour each.",
                model_version_id=_version("Llama 3.3 70B").id,
                gpu_pool_id=pool.id,
                gpu_count=2,
                context=16_384,
                concurrency=8,
                weight_dtype="fp8",
                engine_version="0.11.1",
                runtime_image="sha256:5d2f8ac0b1e3a97c6b48f0d1c2e3f4a5968778695a4b3c2d1e0f9a8b7c6d5e4f",
                reasoning_cap=0,
                use_case_id=use.pk,
            ),
            now=now,
        )
    for days, stage, who, reason in (
        (1, 1, "sato", "Fits both cards at FP8 with the margin shown; the image is the one we scanned in October."),
        (
            2,
            2,
            "haddad",
            "An officer decides every credit, and the memo names its sources; acceptable for ninety days.",
        ),
    ):
        request = ApprovalRequest.objects.get(deployment__name=WAITING, round=1)
        seen = people[who].person_id
        made = {
            *request.decisions.values_list("decider", flat=True),
            *request.sealed_decisions.values_list("decider", flat=True),
        }
        if request.state == ApprovalRequest.State.OPEN and request.stage == stage and seen not in made:
            operations.decide(
                request_id=request.pk,
                decider=people[who],
                decision="approve",
                reason=reason,
                digest_seen=request.decision_digest,
                now=now + timedelta(days=days),
            )
    return Deployment.objects.get(name=WAITING)


def _agent(requester: User, deployment: Deployment, now: datetime) -> Agent:
    if not Agent.objects.filter(name=AGENT).exists():
        operations.register_agent(
            by=requester,
            name=AGENT,
            purpose="Looks up the policy behind a claim.",
            deployment_id=deployment.id,
            autonomy=Agent.Autonomy.values[1],
            now=now,
        )
    agent = Agent.objects.get(name=AGENT)
    if not ToolGrant.objects.filter(agent=agent, tool="crm.lookup").exists():
        operations.grant_tool(
            by=requester, agent_id=agent.id, tool="crm.lookup", reversibility=ToolGrant.Reversibility.values[0], now=now
        )
    return agent


def _comparison(requester: User, deployment: Deployment, now: datetime) -> None:
    if Comparison.objects.filter(deployment=deployment).exists():
        return
    content: Mapping[str, Any] = json.loads((DATA / "prices.json").read_text(encoding="utf-8"))
    own, cloud, api, load = content["own"], content["cloud"], content["api"], content["load"]
    prices = Prices(
        currency=content["currency"],
        own=OwnHardware(
            investment=_price(own["investment"]),
            months=own["months"],
            residual=Decimal(own["residual"]),
            staff_per_month=Decimal(own["staff_per_month"]),
            maintenance_per_year=Decimal(own["maintenance_per_year"]),
            full_power_kw=Decimal(own["full_power_kw"]),
            idle=Decimal(own["idle"]),
            pue=Decimal(own["pue"]),
            kwh=_price(own["kwh"]),
        ),
        cloud=CloudCards(_price(cloud["card_hour"]), cloud["cards"], cloud["released_when_idle"]),
        api=Api(_price(api["input_million"]), _price(api["output_million"]), api["name"]),
    )
    operations.record_comparison(
        by=requester,
        deployment_id=deployment.id,
        title="Own card, cloud card or hosted API for claims-triage",
        load=Load(
            load["input_tokens"],
            load["output_tokens"],
            load["reasoning_tokens"],
            Decimal(load["utilisation"]),
        ),
        prices=prices,
        now=now,
    )


def _price(row: Mapping[str, str]) -> Price:
    return Price(Decimal(row["low"]), Decimal(row["mid"]), Decimal(row["high"]), row["source"], row["as_of"])


def _targets(pool: GpuPool, deployment: Deployment, operator: User, now: datetime) -> None:
    base = settings.DEMO_EXPORTER_URL
    wanted = {
        "claims-triage vLLM": ("vllm", f"{base}/vllm/metrics", f"deployment:{deployment.id}"),
        "node-07 GPUs": ("dcgm", f"{base}/dcgm/metrics", f"gpu_pool:{pool.id}"),
        "this host": ("host", "", ""),
    }
    for name, (kind, url, subject) in wanted.items():
        known = Target.objects.filter(name=name).first()
        if known is None or known.url != url:
            register_target(
                name=name, kind=kind, url=url, subject=subject, interval_seconds=2, actor=operator.actor, now=now
            )


def _clients(owner: User, now: datetime) -> None:
    """The service accounts of the demo, with their tokens where the pipeline and the start-here page find them."""
    _client(PIPELINE, "claims pipeline", "Evaluates and watches claims-triage.", owner, now)
    _client(VISITOR, "start-here page", "Events that a visitor of the demo sends by hand.", owner, now)


def _client(name: str, source: str, description: str, owner: User, now: datetime) -> None:
    account = ServiceAccount.objects.filter(name=name).first()
    if account is None:
        account = register_service_account(
            name=name,
            source_name=source,
            owner_id=owner.person_id,
            actor=owner.actor,
            now=now,
            description=description,
        )
    path = token_file(name)
    if path.exists():
        return
    token = issue_token(
        service_account_id=account.id,
        scopes=("events:write", "usage:write", "registry:read", "registry:write"),
        lifetime=_TOKEN_LIFETIME,
        actor=owner.actor,
        now=now,
    )
    _write_private(path, token.text)


def _story(deployment: Deployment, agent: Agent) -> None:
    """What the pipeline process speaks about: it has no database to ask."""
    story = {
        "deployment": f"deployment:{deployment.id}",
        "agent": f"agent:{agent.id}",
        "reasoning_cap": REASONING_CAP,
    }
    path = Path(settings.DATA_DIR) / "demo-story.json"
    if not path.exists():
        _write_private(path, json.dumps(story))


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
