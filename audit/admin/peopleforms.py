"""Forms of people, pools and tokens: they read text into types. What is allowed is judged by the operations."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.access.base import MAX_REASON, MIN_REASON
from audit.access.services import MAX_OVERLAP
from audit.access.tokens import MAX_LIFETIME, SCOPES
from audit.models import PoolChange
from audit.queries.poolrules import OTHERS, POOLS

_MANY_LINES = forms.Textarea(attrs={"rows": 3})

SCOPE_WORDS: Final = {
    "events:write": _("record events"),
    "usage:write": _("record usage of models"),
    "registry:read": _("read the registry and ask whether a revision may run"),
    "registry:write": _("register models and use cases, ask for deployments; never decide"),
    "reports:read": _("read and download reports"),
    "log:read": _("read the content of every entry, of other sources too"),
}


class ReasonForm(forms.Form):
    """Why, and which state of the row was seen."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    reason = forms.CharField(
        label=_("Reason"),
        widget=_MANY_LINES,
        min_length=MIN_REASON,
        max_length=MAX_REASON,
        help_text=_("It stands in the log and is for everybody who works here: name no person."),
    )


class DecideChangeForm(ReasonForm):
    """Carry a change out, refuse it or take it back."""

    decision = forms.ChoiceField(
        choices=[("carry_out", _("Carry out")), ("refuse", _("Refuse")), ("withdraw", _("Take back"))]
    )


class LogInActForm(ReasonForm):
    """What an operator or a member of the same pools does with a log-in."""

    act = forms.ChoiceField(
        choices=[
            ("reset", _("Reset the password")),
            ("confirm", _("Confirm")),
            ("close", _("Close")),
            ("reopen", _("Reopen")),
        ]
    )


class ProposeForm(forms.Form):
    """Who shall join or leave which pool."""

    account = forms.TypedChoiceField(label=_("Log-in"), coerce=int)
    change = forms.ChoiceField(label=_("Change"), choices=PoolChange.Change.choices)
    pool = forms.ChoiceField(label=_("Pool"), choices=[(pool, pool) for pool in POOLS])
    reason = forms.CharField(
        label=_("Reason"),
        widget=_MANY_LINES,
        min_length=MIN_REASON,
        max_length=MAX_REASON,
        help_text=_("It stands in the log and is for everybody who works here: name no person."),
    )

    def __init__(self, *args: Any, log_ins: Sequence[tuple[int, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["account"] = forms.TypedChoiceField(label=_("Log-in"), coerce=int, choices=log_ins)


class NewLogInForm(forms.Form):
    """A log-in for a person who is new here."""

    username = forms.CharField(label=_("User name"), max_length=150)
    display_name = forms.CharField(label=_("Name"), max_length=200, help_text=_("It stands in no entry of the log."))
    email = forms.EmailField(label=_("E-mail"), required=False)
    pools = forms.MultipleChoiceField(
        label=_("Pools"),
        choices=[(pool, pool) for pool in OTHERS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Pools that decide are proposed afterwards, and joined by two persons."),
    )


class NewServiceForm(forms.Form):
    """A service account: its name, who answers for it, and the source of its events."""

    name = forms.CharField(label=_("Name"), max_length=100)
    owner_id = forms.ChoiceField(label=_("Owner"))
    source_name = forms.CharField(
        label=_("Source"),
        max_length=100,
        help_text=_("The system whose events it records. A name that stands already means that source."),
    )
    description = forms.CharField(label=_("Description"), max_length=500, required=False)

    def __init__(self, *args: Any, owners: Sequence[tuple[Any, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["owner_id"] = forms.TypedChoiceField(
            label=_("Owner"),
            coerce=UUID,
            choices=[(str(pk), name) for pk, name in owners],
            help_text=_("The person who answers for what it does."),
        )


class IssueForm(forms.Form):
    """What a new token may do, for how long and from where."""

    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=[(scope, SCOPE_WORDS[scope]) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=MAX_LIFETIME.days, initial=90)
    networks = forms.CharField(
        label=_("Networks"),
        widget=_MANY_LINES,
        required=False,
        max_length=4000,
        help_text=_("One a line, such as 10.1.0.0/16 or 2001:db8::/32. Empty: from everywhere."),
    )


class RotateForm(forms.Form):
    """How long the new token lives, and how long the old one goes on."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=MAX_LIFETIME.days, initial=90)
    overlap_days = forms.IntegerField(
        label=_("Overlap in days"),
        min_value=0,
        max_value=MAX_OVERLAP.days,
        initial=7,
        help_text=_("So long both work; then the old one ends."),
    )
