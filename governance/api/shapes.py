"""Bodies and answers of approvals: decisions, conditions, revocations, policies."""

from datetime import datetime
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from governance.api.fields import Choice, Strict, Text, Whole
from governance.api.schemas import REGISTERED
from governance.models import Condition
from governance.operations.conditions import MAX_CONDITIONS, MAX_TEXT
from governance.workflow import Choice as Chosen
from governance.workflow import State
from governance.workflow.routing import MAX_WEIGHT

STATES: Final = [state.value for state in State]


class Moment(serializers.DateTimeField):
    """A time as a JSON string, RFC 3339 with its offset."""

    default_error_messages = {"invalid": "Must be a time as RFC 3339 with its offset: 2027-01-31T12:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="RFC 3339")
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail("invalid", format="RFC 3339")
        if found.tzinfo is None:
            self.fail("invalid", format="RFC 3339")
        return super().to_internal_value(found.isoformat())


class ConditionInput(Strict):
    """A condition of an approval."""

    text = Text(max_length=MAX_TEXT)
    due_at = Moment()
    on_breach = Choice(
        choices=Condition.OnBreach.values,
        required=False,
        help_text="`block` (when left out): overdue and not met, the revision may not run. `notify`: it is told.",
    )


class DecisionInput(Strict):
    """A person's decision."""

    decision = Choice(choices=[choice.value for choice in Chosen])
    reason = Text(max_length=4000, help_text="At least 20 characters; it becomes part of the entry.")
    digest_seen = Text(max_length=71, help_text="The decision_digest of what you read.")
    conditions = serializers.ListField(
        child=ConditionInput(),
        required=False,
        max_length=MAX_CONDITIONS,
        help_text="With approve_with_conditions, and only then.",
    )


class ReasonInput(Strict):
    """Why somebody takes back a request or ends an approval."""

    reason = Text(max_length=4000)


class MetInput(Strict):
    """That a condition is met."""

    evidence = Text(max_length=MAX_TEXT, help_text="What shows it: an address or a digest.")
    row_version = Whole(min_value=1, max_value=2**31 - 1, help_text="Of the condition that was read.")


class PolicyInput(Strict):
    """A version of an approval policy."""

    name = Text(max_length=60)
    weight = Whole(min_value=0, max_value=MAX_WEIGHT, help_text="Of several that match, the heaviest applies.")
    applies_when = serializers.DictField(help_text="Attribute of a request: list of allowed values; all must match.")
    stages = serializers.ListField(child=serializers.DictField(), help_text="See docs/approvals.md.")
    reject_rule = Text(max_length=20, help_text="any or majority")
    valid_days = serializers.DictField(help_text="Days that an approval stands, by tier, with a default.")
    reason = Text(max_length=2000, help_text="At least 20 characters.")


class PolicyDecisionInput(Strict):
    """What a second person makes of a proposed policy."""

    decision = Choice(choices=["adopt", "refuse", "withdraw"], help_text="withdraw: by the one who proposed it.")
    reason = Text(max_length=2000)
    row_version = Whole(min_value=1, max_value=2**31 - 1, help_text="Of the proposal that was read.")


class RequestSchema(serializers.Serializer[dict[str, object]]):
    """A request as it was asked and as it stands."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)
    stage = serializers.IntegerField(help_text="Number of the current stage.")
    round = serializers.IntegerField()
    previous_request_id = serializers.UUIDField(allow_null=True)
    tier = serializers.CharField()
    deployment_id = serializers.UUIDField()
    revision_id = serializers.UUIDField()
    revision_digest = serializers.CharField()
    decision_digest = serializers.CharField(help_text="What a decision must name as digest_seen.")
    evidence = serializers.CharField(help_text="The capacity estimate, as the text that was hashed.")
    justification = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    stages = serializers.ListField(child=serializers.DictField())
    exclusions = serializers.ListField(child=serializers.DictField(), help_text="Who may not decide, as ids.")
    decisions = serializers.ListField(child=serializers.DictField())
    sealed = serializers.IntegerField(help_text="Decisions of a blind stage that are not open yet.")
    conditions = serializers.ListField(child=serializers.DictField())


class ConditionSchema(serializers.Serializer[dict[str, object]]):
    """A condition as it stands now."""

    number = serializers.IntegerField()
    text = serializers.CharField()
    due_at = serializers.DateTimeField()
    on_breach = serializers.ChoiceField(choices=Condition.OnBreach.values)
    state = serializers.CharField(help_text="open, met or breached")
    met_at = serializers.DateTimeField(allow_null=True)
    evidence = serializers.CharField()
    blocks = serializers.BooleanField(help_text="Late, not met, and the revision may not run because of it.")
    row_version = serializers.IntegerField()


class ApprovalSchema(serializers.Serializer[dict[str, object]]):
    """May this revision run?"""

    revision_digest = serializers.CharField()
    may_run = serializers.BooleanField(
        help_text="Approved, not replaced, not expired, nothing in stopped_by, and no condition that blocks."
    )
    stopped_by = serializers.ListField(
        child=serializers.CharField(),
        help_text="What is retired, quarantined or prohibited by now; empty when nothing.",
    )
    state = serializers.ChoiceField(choices=STATES)
    stage = serializers.IntegerField()
    stages = serializers.IntegerField()
    round = serializers.IntegerField()
    current = serializers.BooleanField()
    deployment = serializers.CharField()
    deployment_id = serializers.UUIDField()
    revision = serializers.IntegerField()
    request = serializers.CharField()
    request_id = serializers.UUIDField()
    decision_digest = serializers.CharField()
    conditions = serializers.ListField(child=ConditionSchema())
    expires_at = serializers.DateTimeField(allow_null=True)
    entry = serializers.IntegerField(allow_null=True, help_text="Index of the entry that says so.")
    receipt = serializers.CharField(allow_null=True, help_text="Its proof; null until it is signed.")
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="What changed since and needs another look; may_run does not say so."
    )


CONDITIONAL: Final = OpenApiExample(
    "Approve with a condition",
    value={
        "decision": "approve_with_conditions",
        "reason": "It fits; the red-team report is still missing.",
        "digest_seen": "9f27c3e0b84a16d5726fa9013ce8d5540b71f26a98c3e407d15a6bb2fe90c743",
        "conditions": [
            {"text": "A red-team report is on file.", "due_at": "2027-02-28T00:00:00Z", "on_breach": "block"}
        ],
    },
    request_only=True,
)
POLICY: Final = [
    OpenApiExample(
        "Two stages for high risk in production",
        value={
            "name": "high-risk",
            "weight": 100,
            "applies_when": {"tier": ["high"], "environment": ["production"]},
            "stages": [
                {
                    "name": "independent review",
                    "pool": "Reviewers",
                    "quorum": 2,
                    "distinct_from": ["requester", "deployment_owner"],
                    "blind": True,
                    "due_days": 14,
                    "conditions_allowed": True,
                },
                {
                    "name": "risk",
                    "pool": "Risk owners",
                    "quorum": 1,
                    "distinct_from": ["requester", "stage:independent review"],
                    "blind": False,
                    "due_days": 7,
                    "conditions_allowed": False,
                },
            ],
            "reject_rule": "any",
            "valid_days": {"default": 365, "high": 90},
            "reason": "High-risk use needs two independent reviews and a risk owner.",
        },
        request_only=True,
    ),
    REGISTERED,
]
