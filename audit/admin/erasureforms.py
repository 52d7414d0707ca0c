"""Forms of erasures and holds: they read text into types. What is allowed is judged by the operations."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.admin.labels import LABELS
from audit.erasure import MAX_TEXT, MIN_REASON, LegalBasis

_MANY_LINES = forms.Textarea(attrs={"rows": 3})


def _reason(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        widget=_MANY_LINES,
        min_length=MIN_REASON,
        max_length=MAX_TEXT,
        help_text=_("For those who check this later. It stands in a section that can itself be erased."),
    )


class EraseForm(forms.Form):
    """Which section of an entry shall go, and why."""

    section = forms.ChoiceField(label=_("Section"))
    legal_basis = forms.ChoiceField(label=_("Legal basis"), choices=[("", "–"), *LegalBasis.choices])

    def __init__(self, *args: Any, sections: Sequence[tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["section"] = forms.ChoiceField(label=_("Section"), choices=sections)
        self.fields["reason"] = _reason(_("Reason"))


class DecideForm(forms.Form):
    """Yes or no, and why."""

    decision = forms.ChoiceField(choices=[("approve", _("Erase")), ("reject", _("Reject"))])

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["reason"] = _reason(_("Reason"))


class HoldForm(forms.Form):
    """What must stay: everything that fits all that is given."""

    reference = forms.CharField(
        label=_("Reference"), max_length=200, help_text=_("The case, never a person: it stands in the log for ever.")
    )
    subject = forms.CharField(
        label=_("Subject"), max_length=256, required=False, help_text=_("As in the leaf, or as a pipeline sent it.")
    )
    source = forms.CharField(label=_("Source"), max_length=256, required=False, help_text=_("As in the leaf."))
    type = forms.ChoiceField(label=_("What happened"), required=False)
    first = forms.IntegerField(label=_("First entry"), required=False, min_value=0, max_value=(1 << 63) - 1)
    last = forms.IntegerField(label=_("Last entry"), required=False, min_value=0, max_value=(1 << 63) - 1)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        known = sorted(((str(kind), str(label)) for kind, label in LABELS.items()), key=lambda item: item[1])
        self.fields["type"] = forms.ChoiceField(
            label=_("What happened"), required=False, choices=[("", _("Everything")), *known]
        )


class ReleaseForm(forms.Form):
    """Why a hold ends."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["reason"] = _reason(_("Reason"))
