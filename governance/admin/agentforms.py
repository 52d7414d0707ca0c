"""Forms of agents, their versions, tools and grants: they read text into types."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.models import Person
from governance.models import Agent, AgentVersion, Deployment, ModelVersion, Tool, ToolVersion
from governance.operations.grants import MAX_CONSTRAINTS

if TYPE_CHECKING:
    _PersonField = forms.ModelChoiceField[Person]
    _ToolVersionField = forms.ModelChoiceField[ToolVersion]
    _ModelsField = forms.ModelMultipleChoiceField[ModelVersion]
else:
    _PersonField = _ToolVersionField = forms.ModelChoiceField
    _ModelsField = forms.ModelMultipleChoiceField

AREA = {"rows": 2}


class PersonField(_PersonField):
    """One of the registered people, by name."""

    def __init__(self, label: Any) -> None:
        super().__init__(label=label, queryset=Person.objects.order_by("display_name", "pk"))

    def label_from_instance(self, obj: Person) -> str:
        return obj.display_name


class _Models(_ModelsField):
    def label_from_instance(self, obj: ModelVersion) -> str:
        return f"{obj.model.name} {obj.version}"


class _ToolVersions(_ToolVersionField):
    def label_from_instance(self, obj: ToolVersion) -> str:
        return f"{obj.tool.name} {obj.version}: {obj.get_reversibility_display()}"


def listed(text: str) -> tuple[str, ...]:
    """Words with commas between them."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def end_of(day: date | None) -> datetime | None:
    """The moment after the last one of a day, in UTC."""
    return None if day is None else datetime.combine(day + timedelta(days=1), time(), UTC)


class AgentForm(forms.Form):
    """A program that acts by a model."""

    name = forms.CharField(label=_("Name"), max_length=100)
    deployment = forms.ModelChoiceField(label=_("Deployment"), queryset=Deployment.objects.order_by("name"))
    autonomy = forms.ChoiceField(label=_("Autonomy"), choices=Agent.Autonomy.choices)
    purpose = forms.CharField(label=_("Purpose"), max_length=1000, widget=forms.Textarea(AREA))


class AgentVersionForm(forms.Form):
    """What an agent is allowed to be from its next version on."""

    version = forms.CharField(label=_("Version"), max_length=100)
    autonomy = forms.ChoiceField(label=_("Autonomy"), choices=Agent.Autonomy.choices)
    sponsor = PersonField(_("Sponsor"))
    memory = forms.ChoiceField(label=_("Memory"), choices=AgentVersion.Memory.choices)
    description = forms.CharField(label=_("What it does"), max_length=2000, required=False, widget=forms.Textarea(AREA))
    system_prompt_sha256 = forms.CharField(label=_("SHA-256 of the system prompt"), max_length=71, required=False)
    models_allowed = _Models(
        label=_("Models allowed"),
        required=False,
        queryset=ModelVersion.objects.select_related("model").order_by("model__name", "version"),
        help_text=_("None chosen: that of its deployment."),
    )
    delegates_to = forms.ModelMultipleChoiceField(
        label=_("May delegate to"), required=False, queryset=Agent.objects.order_by("name")
    )
    max_steps = forms.IntegerField(label=_("Steps of a run"), min_value=0, required=False)
    max_tokens = forms.IntegerField(label=_("Tokens of a run"), min_value=0, required=False)
    max_reasoning_tokens = forms.IntegerField(label=_("Reasoning tokens of a run"), min_value=0, required=False)
    max_wall_seconds = forms.IntegerField(
        label=_("Seconds of a run"), min_value=0, required=False, help_text=_("A limit left empty is none.")
    )
    max_cost = forms.DecimalField(label=_("Cost of a run"), min_value=0, required=False, decimal_places=4)
    cost_currency = forms.CharField(label=_("Currency"), max_length=3, required=False)
    kill_switch_declared = forms.BooleanField(label=_("It can be stopped at once"), required=False)
    kill_switch = forms.CharField(
        label=_("How it is stopped"), max_length=1000, required=False, widget=forms.Textarea(AREA)
    )

    def without(self, agent_id: UUID) -> "AgentVersionForm":
        """The same, for an agent that cannot delegate to itself."""
        field = self.fields["delegates_to"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = Agent.objects.exclude(pk=agent_id).order_by("name")
        return self


class GrantForm(forms.Form):
    """That an agent may call a tool."""

    tool = forms.CharField(
        label=_("Tool"),
        max_length=200,
        required=False,
        help_text=_("The name that calls carry; or choose a version of a registered tool."),
    )
    tool_version = _ToolVersions(
        label=_("Version of the tool"),
        required=False,
        queryset=ToolVersion.objects.select_related("tool").order_by("tool__name", "-number"),
        help_text=_("Only this version; calls that name another one become findings."),
    )
    reversibility = forms.ChoiceField(
        label=_("What it may do"),
        choices=ToolVersion.Reversibility.choices,
        help_text=_("At least as much as the tool does."),
    )
    agent_version = forms.ModelChoiceField(
        label=_("Version of the agent"),
        required=False,
        queryset=AgentVersion.objects.none(),
        help_text=_("Only while this version is the newest; every version when left empty."),
    )
    scopes = forms.CharField(
        label=_("Scopes"), max_length=2000, required=False, help_text=_("Names with commas between them.")
    )
    valid_until = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput({"type": "date"}), help_text=_("In UTC.")
    )
    requires_human = forms.BooleanField(
        label=_("Each call needs a person"),
        required=False,
        help_text=_("Needed for what cannot be undone, unless the agent only suggests or acts with approval."),
    )
    parameter_constraints = forms.CharField(
        label=_("Constraints of its parameters"),
        max_length=MAX_CONSTRAINTS,
        required=False,
        widget=forms.Textarea({"rows": 4}),
        help_text=_("A JSON Schema, at most 8 KiB."),
    )

    def of(self, agent_id: UUID) -> "GrantForm":
        """The same, offering the versions of one agent."""
        field = self.fields["agent_version"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = AgentVersion.objects.filter(agent_id=agent_id).order_by("-number")
        return self

    def clean_scopes(self) -> tuple[str, ...]:
        return listed(str(self.cleaned_data["scopes"]))

    def clean_valid_until(self) -> datetime | None:
        return end_of(self.cleaned_data["valid_until"])


class ReasonForm(forms.Form):
    """Why something ends."""

    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(AREA))


class ToolForm(forms.Form):
    """Something that agents call."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("As calls carry it; it never changes."))
    kind = forms.ChoiceField(label=_("Kind"), choices=Tool.Kind.choices)
    endpoint = forms.CharField(label=_("Endpoint"), max_length=500, required=False)


class ToolChangeForm(forms.Form):
    """Where a tool is reached, and who answers for it."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Tool.Kind.choices)
    endpoint = forms.CharField(label=_("Endpoint"), max_length=500, required=False)
    owner = PersonField(_("Owner"))
    row_version = forms.IntegerField(widget=forms.HiddenInput)


class ToolVersionForm(forms.Form):
    """What a tool does from a release on."""

    version = forms.CharField(label=_("Version"), max_length=100)
    reversibility = forms.ChoiceField(label=_("Can it be undone"), choices=ToolVersion.Reversibility.choices)
    schema_sha256 = forms.CharField(label=_("SHA-256 of its schema"), max_length=71, required=False)
    data_classes = forms.CharField(
        label=_("Data classes"), max_length=2000, required=False, help_text=_("Names with commas between them.")
    )
    side_effects = forms.CharField(
        label=_("Side effects"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(AREA),
        help_text=_("Needed for everything that does more than read."),
    )
    description = forms.CharField(label=_("What it does"), max_length=2000, required=False, widget=forms.Textarea(AREA))

    def clean_data_classes(self) -> tuple[str, ...]:
        return listed(str(self.cleaned_data["data_classes"]))
