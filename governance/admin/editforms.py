"""Forms of what may change: they read text into types. What is allowed is judged by the operations."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.models import Person
from governance.models import UseCase

if TYPE_CHECKING:
    _PersonField = forms.ModelChoiceField[Person]
else:
    _PersonField = forms.ModelChoiceField


class _Owner(_PersonField):
    """A person with an open log-in; its value is the id."""

    def __init__(self) -> None:
        people = Person.objects.filter(users__is_active=True).distinct().order_by("display_name", "pk")
        super().__init__(queryset=people, label=_("Owner"))

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return found.pk if found is not None else None


class ChangeForm(forms.Form):
    """What every change needs beside the columns: why."""

    reason = forms.CharField(label=_("Why it changes"), max_length=2000, widget=forms.Textarea({"rows": 2}))

    field_order: list[str] | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order_fields([name for name in self.fields if name != "reason"] + ["reason"])


class ModelChangeForm(ChangeForm):
    hf_id = forms.CharField(label=_("Hugging Face id"), max_length=200, required=False)
    family = forms.CharField(label=_("Family"), max_length=100, required=False)
    developer = forms.CharField(label=_("Developer"), max_length=200, required=False)
    licence = forms.CharField(label=_("Licence"), max_length=200, required=False)
    licence_source = forms.CharField(label=_("Licence read at"), max_length=500, required=False)


class PoolChangeForm(ChangeForm):
    count = forms.IntegerField(label=_("Cards"), min_value=1)
    node = forms.CharField(label=_("Node"), max_length=100)


class UseCaseChangeForm(ChangeForm):
    intended_purpose = forms.CharField(label=_("Intended purpose"), max_length=2000, widget=forms.Textarea({"rows": 3}))
    out_of_scope_uses = forms.CharField(
        label=_("Not meant for"), max_length=2000, required=False, widget=forms.Textarea({"rows": 2})
    )
    eu_role = forms.ChoiceField(label=_("Role under the Act"), choices=UseCase.EuRole.choices)
    member_states = forms.CharField(
        label=_("Member states"),
        max_length=200,
        required=False,
        help_text=_("Two letters each, with commas between them: DE, FR. Empty when it is not used in the Union."),
    )
    begin_date = forms.DateField(label=_("Begins"), required=False, widget=forms.DateInput({"type": "date"}))
    end_date = forms.DateField(label=_("Ends"), required=False, widget=forms.DateInput({"type": "date"}))
    owner_id = _Owner()

    def __init__(self, *args: Any, **options: Any) -> None:
        initial = dict(options.pop("initial", None) or {})
        if isinstance(initial.get("member_states"), list):
            initial["member_states"] = ", ".join(initial["member_states"])
        super().__init__(*args, initial=initial, **options)

    def clean_member_states(self) -> list[str]:
        codes = str(self.cleaned_data["member_states"]).upper().split(",")
        return [code.strip() for code in codes if code.strip()]


class DeploymentChangeForm(ChangeForm):
    owner_id = _Owner()


class AgentChangeForm(ChangeForm):
    purpose = forms.CharField(label=_("Purpose"), max_length=1000, widget=forms.Textarea({"rows": 3}))
    owner_id = _Owner()
