"""Bodies of agents, their versions, tools, grants and oversight. Shapes only: the operations judge."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rest_framework import serializers

from governance.api.fields import Choice, Day, Id, Strict, Text, Whole
from governance.api.inputs import LARGEST
from governance.models import Agent, AgentVersion, OversightAssignment, Tool, ToolVersion
from governance.operations.agentversions import MAX_DELEGATES, MAX_MODELS
from governance.operations.grants import MAX_CONSTRAINTS, MAX_SCOPES
from governance.operations.readings import LARGEST as LARGEST_COUNT
from governance.operations.tools import MAX_DATA_CLASSES

_WITH_OFFSET: Final = re.compile(r"[0-9-]{10}[Tt][0-9:.]{8,20}(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")
TOOL_KINDS: Final = Tool.Kind.values


class Flag(serializers.BooleanField):
    """A JSON true or false, and only that."""

    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Amount(serializers.DecimalField):
    """An amount as a JSON string, so that nothing is rounded on the way."""

    default_error_messages = {"invalid": 'Must be an amount as a string, such as "12.50".'}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 14, "decimal_places": 4, "min_value": 0, **options})

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A moment as a JSON string, RFC 3339 with its offset."""

    default_error_messages = {"invalid": "Must be a moment such as 2027-01-31T00:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not _WITH_OFFSET.fullmatch(value):
            self.fail("invalid", format="RFC 3339")
        return super().to_internal_value(value)


def _limit(what: str) -> Whole:
    return Whole(min_value=0, max_value=LARGEST_COUNT, required=False, allow_null=True, help_text=what)


class AgentInput(Strict):
    """A program that acts by the model of a deployment."""

    name = Text(max_length=100)
    purpose = Text(max_length=1000)
    deployment_id = Id()
    autonomy = Choice(choices=Agent.Autonomy.values)


class AgentVersionInput(Strict):
    """What an agent is allowed to be from now on."""

    version = Text(max_length=100)
    autonomy = Choice(choices=Agent.Autonomy.values)
    sponsor_id = Id(help_text="The person who stands for it.")
    description = Text(max_length=2000, required=False)
    system_prompt_sha256 = Text(max_length=71, required=False)
    memory = Choice(choices=AgentVersion.Memory.values, required=False)
    models_allowed = serializers.ListField(
        child=Id(), required=False, max_length=MAX_MODELS, help_text="Ids of registered model versions."
    )
    delegates_to = serializers.ListField(
        child=Id(), required=False, max_length=MAX_DELEGATES, help_text="Ids of registered agents."
    )
    max_steps = _limit("Steps of one run; null is no limit.")
    max_tokens = _limit("Tokens of one run.")
    max_reasoning_tokens = _limit("Reasoning tokens of one run.")
    max_wall_seconds = _limit("Seconds of one run.")
    max_cost = Amount(required=False, allow_null=True)
    cost_currency = Text(max_length=3, required=False)
    kill_switch_declared = Flag(required=False)
    kill_switch = Text(max_length=1000, required=False, help_text="How it is stopped at once.")


class GrantInput(Strict):
    """That an agent may call a tool."""

    tool = Text(max_length=200, required=False, help_text="The name that calls carry; or name a version.")
    reversibility = Choice(choices=ToolVersion.Reversibility.values, help_text="At least as much as the tool does.")
    agent_version_id = Id(required=False, allow_null=True, help_text="Only while this version is the newest.")
    tool_version_id = Id(required=False, allow_null=True, help_text="Only this version of the tool.")
    scopes = serializers.ListField(child=Text(max_length=200), required=False, max_length=MAX_SCOPES)
    parameter_constraints = Text(
        max_length=MAX_CONSTRAINTS, required=False, help_text="The text of a JSON Schema, at most 8 KiB."
    )
    requires_human = Flag(required=False)
    valid_until = Moment(required=False, allow_null=True)


class EndInput(Strict):
    """Why something ends."""

    reason = Text(max_length=1000)


class ToolInput(Strict):
    """Something that agents call."""

    name = Text(max_length=200, help_text="As calls carry it; it never changes.")
    kind = Choice(choices=TOOL_KINDS)
    endpoint = Text(max_length=500, required=False)


class ToolChangeInput(Strict):
    """Everything of a tool that may change."""

    kind = Choice(choices=TOOL_KINDS)
    endpoint = Text(max_length=500, allow_blank=True)
    owner_id = Id()
    row_version = Whole(min_value=1, max_value=LARGEST, help_text="Of the tool that was read.")


class ToolVersionInput(Strict):
    """What a tool does from a release on."""

    version = Text(max_length=100)
    reversibility = Choice(choices=ToolVersion.Reversibility.values)
    schema_sha256 = Text(max_length=71, required=False)
    side_effects = Text(max_length=1000, required=False, help_text="Needed for what does more than read.")
    data_classes = serializers.ListField(child=Text(max_length=100), required=False, max_length=MAX_DATA_CLASSES)
    description = Text(max_length=2000, required=False)


class OversightInput(Strict):
    """Who oversees a use of AI, and why they can."""

    use_case_id = Id()
    person_id = Id()
    role = Text(max_length=200)
    competence = Text(max_length=1000)
    training = Text(max_length=500)
    training_date = Day()
    authority = Choice(choices=OversightAssignment.Authority.values)
    valid_from = Day()
    valid_until = Day(required=False, allow_null=True)
