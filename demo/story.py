"""Six weeks of the demo organisation: policies adopted by two persons, and requests that went every way they can.

Everything is done by the product's own operations at moments before `now`, oldest first; each step is left out where
it was taken already, so a start that was cut off goes on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from audit.access.pools import propose_change
from audit.models import PoolChange, User
from demo.evidence import evidence_steps
from demo.uses import CLAIMS, CUSTOMERS, ENGINEERING, HIRING
from governance import operations
from governance.models import ApprovalPolicyVersion, ApprovalRequest, Condition, GpuPool, Model, ModelVersion, UseCase

BEGAN: Final = 42
"""Days before `now` at which the story begins."""

SCREENS: Final = "Screen recording of ten first messages, sha256:" + "4c" * 32

CARDS: Final = "frankfurt-l40s"
IMAGE: Final = "sha256:5d2f8ac0b1e3a97c6b48f0d1c2e3f4a5968778695a4b3c2d1e0f9a8b7c6d5e4f"

HIGH_RISK: Final[Mapping[str, Any]] = {
    "stages": [
        {
            "name": "technical", "pool": "Reviewers", "quorum": 1, "distinct_from": ["requester"], "blind": False,
            "due_days": 14, "conditions_allowed": True,
        },
        {
            "name": "risk", "pool": "Risk owners", "quorum": 2, "distinct_from": ["requester", "use_case_owner"],
            "blind": True, "due_days": 14, "conditions_allowed": True,
        },
    ],
    "reject_rule": "any",
    "valid_days": {"default": 180, "high": 90},
}  # fmt: skip
TRIAL: Final[Mapping[str, Any]] = {
    "stages": [
        {
            "name": "review", "pool": "Reviewers", "quorum": 1, "distinct_from": ["requester"], "blind": False,
            "due_days": 10, "conditions_allowed": True,
        }
    ],
    "reject_rule": "any",
    "valid_days": {"default": 21},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part."""

    requester: User
    reviewer: User
    second_reviewer: User
    risk_owner: User
    compliance: User
    second_compliance: User


Step = tuple[float, Callable[[datetime], object]]
"""How many days before `now`, and what is done at that moment."""


def tell_story(cast: Cast, uses: Mapping[str, UseCase], *, now: datetime) -> None:
    """The weeks before `now`, in the order of time."""
    recorded = evidence_steps(cast.requester, uses)
    steps = (
        *_grounds(cast),
        *recorded,
        *_hiring(cast, uses),
        *_search(cast, uses),
        *_waiting(cast),
        *_trial(cast, uses),
        *_chat(cast, uses),
        *_code(cast, uses),
    )
    for days, act in sorted(steps, key=lambda step: -step[0]):
        act(now - timedelta(days=days))


def _grounds(cast: Cast) -> Iterator[Step]:
    """Policies, models and cards."""
    yield 41, partial(
        _propose, cast, "high-risk", 100, {"tier": ["high"]}, HIGH_RISK,
        "Uses of high risk need two risk owners who do not see each other's decision.",
    )  # fmt: skip
    yield (
        41,
        partial(
            _propose,
            cast,
            "trial",
            50,
            {"environment": ["staging"]},
            TRIAL,
            "Trials end by themselves after three weeks.",
        ),
    )
    yield 40, partial(_adopt, cast, "high-risk")
    yield 40, partial(_adopt, cast, "trial")
    yield 39.5, partial(_things, cast)


def _hiring(cast: Cast, uses: Mapping[str, UseCase]) -> Iterator[Step]:
    """Rejected, then asked again and withdrawn."""
    why = "Recruiters read 300 applications for each post."
    yield 38, partial(
        _ask, cast, "hiring-summary", why, uses[HIRING], "Mistral 7B v0.3",
        purpose="Summarise applications for recruiters against the advertised requirements.",
    )  # fmt: skip
    yield 36, partial(
        _decide, "hiring-summary", why, cast.second_reviewer, "reject",
        "No test by sex, age or origin is attached; a summary that leaves things out decides who is read.",
    )  # fmt: skip
    why = "With a longer context nothing of an application is left out."
    yield 19, partial(_ask, cast, "hiring-summary", why, uses[HIRING], "Mistral 7B v0.3", context=16_384)
    yield 17, partial(
        _withdraw, cast, "hiring-summary", why,
        "The works council asks for a test by sex and age first; it comes with the next request.",
    )  # fmt: skip


def _trial(cast: Cast, uses: Mapping[str, UseCase]) -> Iterator[Step]:
    """Approved for three weeks, which are over."""
    why = "Three weeks beside the clerks will show whether it reads handwriting well enough."
    yield 35, partial(
        _ask, cast, "claims-scan", why, uses[CLAIMS], "gpt-oss 20B", environment="staging",
        purpose="Read scanned claim forms in a trial beside the manual process.",
    )  # fmt: skip
    yield 34, partial(
        _decide, "claims-scan", why, cast.reviewer, "approve",
        "A trial without effect on any claim; it ends by itself after three weeks.",
    )  # fmt: skip
    yield 12.9, lambda at: operations.sweep(now=at)


def _search(cast: Cast, uses: Mapping[str, UseCase]) -> Iterator[Step]:
    """A trial that ends soon."""
    why = "Clerks look up terms forty times a day; a trial will show whether the passages are the right ones."
    yield 14, partial(
        _ask, cast, "terms-search", why, uses[CLAIMS], "Mistral 7B v0.3", environment="staging",
        purpose="Find the passages of policy terms that a claim turns on.",
    )  # fmt: skip
    yield 13, partial(
        _decide, "terms-search", why, cast.second_reviewer, "approve",
        "It shows passages and decides nothing; three weeks are enough to compare.",
    )  # fmt: skip


def _waiting(cast: Cast) -> Iterator[Step]:
    """What waits for a second person: a shorter validity, and one more risk owner."""
    shorter = {**HIGH_RISK, "valid_days": {"default": 180, "high": 60}}
    yield 2, partial(_propose_next, cast, shorter)
    yield 1.5, partial(_one_more, cast)


def _chat(cast: Cast, uses: Mapping[str, UseCase]) -> Iterator[Step]:
    """Approved with conditions, one met and one still open; a change was sent back and stands in its second round."""
    name, why = "customer-chat", "Four of ten calls ask for opening hours or documents."
    yield 31, partial(
        _ask, cast, name, why, uses[CUSTOMERS], "Mistral 7B v0.3",
        purpose="Answer customers' questions on products and opening hours; hands over to a person on request.",
    )  # fmt: skip
    yield 30, partial(
        _decide, name, why, cast.second_reviewer, "approve_with_conditions",
        "Useful and easy to leave; the notice of Article 50(1) must be seen before it goes on.",
        conditions=(
            ("Every conversation begins by saying that a machine answers.", 10, "block"),
            ("Test the answers in French by native speakers.", 39, "notify"),
        ),
    )  # fmt: skip
    yield 22, partial(_meet, cast, name)
    why = "Answers on fees were wrong in one case of twelve; the larger model reasons before it answers."
    yield 8, partial(_ask, cast, name, why, uses[CUSTOMERS], "gpt-oss 20B", reasoning_cap=1024)
    yield 7, partial(
        _decide, name, why, cast.reviewer, "request_changes",
        "Say how long a customer waits with up to 1,024 reasoning tokens, and why not 512.",
    )  # fmt: skip
    again = "With 512 tokens nine of ten answers begin within four seconds, and the fees are right in all cases."
    yield 5, partial(_ask, cast, name, again, uses[CUSTOMERS], "gpt-oss 20B", reasoning_cap=512, after=(name, why))


def _code(cast: Cast, uses: Mapping[str, UseCase]) -> Iterator[Step]:
    """Approved, then revoked."""
    why = "A first reading finds the slips, so that colleagues can look at the design."
    yield 28, partial(
        _ask, cast, "code-review", why, uses[ENGINEERING], "gpt-oss 20B", tool_grants=("git.read",),
        purpose="Comment on engineers' own changes before a colleague reads them.",
    )  # fmt: skip
    yield 27, partial(
        _decide, "code-review", why, cast.second_reviewer, "approve",
        "Reads the repository and writes comments only; no production access.",
    )  # fmt: skip
    yield 9, partial(
        _revoke, cast, "code-review", why,
        "It pushed to a branch in two cases, which its grant does not cover; stopped until the tool is fixed.",
    )  # fmt: skip


def _propose(
    cast: Cast, name: str, weight: int, applies_when: Mapping[str, object], content: Mapping[str, object],
    reason: str, at: datetime,
) -> None:  # fmt: skip
    if not ApprovalPolicyVersion.objects.filter(name=name).exists():
        operations.propose_policy(
            by=cast.compliance, name=name, weight=weight, applies_when=applies_when, content=content, reason=reason,
            now=at,
        )  # fmt: skip


def _propose_next(cast: Cast, content: Mapping[str, object], at: datetime) -> None:
    if not ApprovalPolicyVersion.objects.filter(name="high-risk", version=2).exists():
        operations.propose_policy(
            by=cast.compliance, name="high-risk", weight=100, applies_when={"tier": ["high"]}, content=content,
            reason="Models of this kind change every two months; ninety days are too long to look away.", now=at,
        )  # fmt: skip


def _one_more(cast: Cast, at: datetime) -> None:
    if not PoolChange.objects.filter(account=cast.second_reviewer, state=PoolChange.State.PROPOSED).exists():
        propose_change(
            by=cast.risk_owner, account_id=cast.second_reviewer.pk, pool="Risk owners", change_="add",
            reason="Two risk owners are one too few when somebody is away.", now=at,
        )  # fmt: skip


def _adopt(cast: Cast, name: str, at: datetime) -> None:
    row = ApprovalPolicyVersion.objects.get(name=name, version=1)
    if row.state == ApprovalPolicyVersion.State.PROPOSED:
        operations.decide_policy(
            policy_id=row.pk, by=cast.second_compliance, decision="adopt", seen=row.row_version,
            reason="Checked against Article 14 and our delegation of powers.", now=at,
        )  # fmt: skip


def _things(cast: Cast, at: datetime) -> None:
    for name in ("Mistral 7B v0.3", "gpt-oss 20B"):
        if not Model.objects.filter(name=name).exists():
            operations.register_from_catalogue(by=cast.requester, name=name, now=at)
    if not GpuPool.objects.filter(name=CARDS).exists():
        operations.register_gpu_pool(
            by=cast.requester, name=CARDS, gpu_model="L40S", count=4, node="fra-02", region="de-frankfurt",
            hosting="cloud", now=at,
        )  # fmt: skip


def asked(name: str, why: str) -> ApprovalRequest | None:
    """The request for a deployment of this name with this justification."""
    return ApprovalRequest.objects.filter(deployment__name=name, justification=why).order_by("number").first()


def _ask(
    cast: Cast, name: str, why: str, use: UseCase, model: str, at: datetime, *,
    after: tuple[str, str] | None = None, **other: Any,
) -> None:  # fmt: skip
    if asked(name, why):
        return
    before = asked(*after) if after else None
    ask = operations.DeploymentAsk(
        **{
            "name": name,
            "justification": why,
            "model_version_id": ModelVersion.objects.get(model__name=model).pk,
            "gpu_pool_id": GpuPool.objects.get(name=CARDS).pk,
            "gpu_count": 1,
            "context": 8192,
            "concurrency": 8,
            "engine_version": "0.11.1",
            "runtime_image": IMAGE,
            "reasoning_cap": 0,
            "weight_dtype": "mxfp4" if model == "gpt-oss 20B" else "bf16",
            "use_case_id": use.pk,
            "again_of": before.pk if before else None,
            **other,
        }
    )
    operations.request_deployment(by=cast.requester, ask=ask, now=at)


def _open(name: str, why: str) -> ApprovalRequest | None:
    found = asked(name, why)
    return found if found and found.state == ApprovalRequest.State.OPEN else None


def _decide(
    name: str, why: str, decider: User, decision: str, reason: str, at: datetime, *,
    conditions: Sequence[tuple[str, int, str]] = (),
) -> None:  # fmt: skip
    request = _open(name, why)
    if request:
        operations.decide(
            request_id=request.pk, decider=decider, decision=decision, reason=reason,
            digest_seen=request.decision_digest, now=at,
            conditions=[
                operations.ConditionAsk(text, at + timedelta(days=days), on_breach)
                for text, days, on_breach in conditions
            ],
        )  # fmt: skip


def _withdraw(cast: Cast, name: str, why: str, reason: str, at: datetime) -> None:
    request = _open(name, why)
    if request:
        operations.withdraw(request_id=request.pk, by=cast.requester, reason=reason, now=at)


def _revoke(cast: Cast, name: str, why: str, reason: str, at: datetime) -> None:
    request = asked(name, why)
    if request and request.state == ApprovalRequest.State.APPROVED:
        operations.revoke(request_id=request.pk, by=cast.reviewer, reason=reason, now=at)


def _meet(cast: Cast, name: str, at: datetime) -> None:
    row = Condition.objects.filter(request__deployment__name=name, number=1, state=Condition.State.OPEN).first()
    if row:
        operations.meet_condition(
            request_id=row.request_id, number=1, by=cast.second_reviewer, seen=row.row_version, evidence=SCREENS,
            now=at,
        )  # fmt: skip
