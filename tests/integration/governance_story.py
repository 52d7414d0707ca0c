"""People, a model, cards and requests for the tests of governance, all made by the operations themselves."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from audit.access.people import register_login, register_service_account
from audit.models import ServiceAccount, User
from governance import operations
from governance.models import ApprovalRequest
from governance.operations import DeploymentAsk, Recorded

NOW = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)
REASON = "Weights and cache fit, and the use is within policy."

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "max_position_embeddings": 131072,
    "model_type": "llama",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": 128256,
}
INDEX = {
    "metadata": {"total_size": 16060522496},
    "weight_map": {
        "lm_head.weight": "model-00002-of-00002.safetensors",
        "model.embed_tokens.weight": "model-00001-of-00002.safetensors",
    },
}


@dataclass(frozen=True, slots=True)
class Story:
    """Who and what stands before the first request."""

    requester: User
    reviewer: User
    second_reviewer: User
    bystander: User
    service: ServiceAccount
    version: UUID
    pool: UUID

    def ask(self, name: str = "credit-memo-draft", **other: Any) -> DeploymentAsk:
        """A request that fits: an 8B model on one H100."""
        plain = DeploymentAsk(
            name=name,
            purpose="Drafts credit memos for officers; a person decides.",
            justification="Officers wait two days for a first draft.",
            model_version_id=self.version,
            gpu_pool_id=self.pool,
            gpu_count=1,
            context=8192,
            concurrency=8,
            reasoning_cap=4096,
        )
        return replace(plain, **other)

    def submitted(self, name: str = "credit-memo-draft", **other: Any) -> ApprovalRequest:
        """An open request of the requester."""
        made = operations.request_deployment(by=self.requester, ask=self.ask(name, **other), now=NOW)
        return ApprovalRequest.objects.get(pk=made.id)

    def decided(self, request: ApprovalRequest, decision: str = "approve") -> Recorded:
        """The reviewer's decision on a request."""
        return operations.decide(
            request_id=request.pk,
            decider=self.reviewer,
            decision=decision,
            reason=REASON,
            digest_seen=request.decision_digest,
            now=NOW,
        )


def login(username: str, *groups: str, person: User | None = None, superuser: bool = False) -> User:
    """A log-in; with `person`, a second one of the same person."""
    return register_login(
        username=username,
        display_name=username.title(),
        password=None,
        groups=groups,
        actor="system:test",
        now=NOW,
        is_superuser=superuser,
        person_id=person.person_id if person else None,
    )


def tell() -> Story:
    """The story up to the first request."""
    requester = login("watanabe", "Requesters")
    reviewer = login("okafor", "Reviewers")
    second = login("sato", "Reviewers", "Requesters")
    bystander = login("mori", "Auditors")
    service = register_service_account(
        name="pipeline",
        source_name="mlops",
        owner_id=requester.person_id,
        actor="system:test",
        now=NOW,
    )
    operations.load_catalogue(now=NOW)
    version = operations.register_from_files(
        by=requester,
        model_name="Llama 3.1 8B",
        version="2024-07",
        config=json.dumps(CONFIG).encode(),
        index=json.dumps(INDEX).encode(),
        hf_id="meta-llama/Llama-3.1-8B",
        licence="Llama 3.1 Community",
        source="huggingface.co/meta-llama/Llama-3.1-8B, read 2026-11-24",
        now=NOW,
    )
    pool = operations.register_gpu_pool(
        by=requester,
        name="tokyo-h100",
        gpu_model="H100 SXM5",
        count=8,
        node="tky2-gpu-07",
        region="jp-east",
        hosting="on_prem",
        now=NOW,
    )
    return Story(requester, reviewer, second, bystander, service, version.id, pool.id)
