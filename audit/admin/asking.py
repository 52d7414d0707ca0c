"""What a person asks the ledger: a form whose every field may stay empty, and says beside itself what is wrong."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.admin.labels import LABELS, event_label
from audit.formats.moments import MomentError, NoSuchMoment, Span, read_span
from audit.queries.search import Wanted

LONGEST: Final = 256
"""Characters of a subject in a leaf, and of a name that is looked for."""

OWN_SOURCES: Mapping[str, object] = {
    "app": gettext_lazy("Assay itself"),
    "collector": gettext_lazy("Assay, collector"),
}


class MomentField(forms.CharField):
    """A day or time as people write it; cleaned to the span it names, None when it is empty."""

    def __init__(self, *, now: datetime, **more: Any) -> None:
        super().__init__(required=False, max_length=64, **more)
        self.now = now

    def clean(self, value: Any) -> Span | None:
        """Raises forms.ValidationError with what to write instead."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return read_span(text, now=self.now)
        except NoSuchMoment:
            raise forms.ValidationError(
                _("There is no such day or time; the years 2000 to 2199 can be given.")
            ) from None
        except MomentError:
            raise forms.ValidationError(
                _("Write a day as 2026-11-24, a time as 2026-11-24 14:30, or today, yesterday, 2h, 7d.")
            ) from None


class AskForm(forms.Form):
    """The filters of the list of entries. A type or source that is not listed is taken as it stands in a leaf."""

    type = forms.CharField(required=False, max_length=LONGEST)
    subject = forms.CharField(required=False, max_length=LONGEST)
    source = forms.CharField(required=False, max_length=LONGEST)

    def __init__(self, data: Mapping[str, str], *, now: datetime) -> None:
        super().__init__(data)
        self.fields["from"] = MomentField(now=now)
        self.fields["to"] = MomentField(now=now)

    def clean(self) -> dict[str, Any]:
        """A time that ends before it begins is said beside its end."""
        first, last = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if first and last and last.end <= first.start:
            self.add_error("to", _("This is before the time in “From”."))
        return self.cleaned_data

    @property
    def wanted(self) -> Wanted:
        """What is looked for; the subject still as it was typed. Only of a form without errors."""
        asked = self.cleaned_data
        first, last = asked["from"], asked["to"]
        return Wanted(
            type=asked["type"],
            subject=asked["subject"],
            source=asked["source"],
            received_from=first.start if first else None,
            received_to=last.end if last else None,
        )

    @property
    def asks(self) -> bool:
        """Whether any field is filled."""
        return any(self.data.get(name, "").strip() for name in self.fields)

    def query(self, *, subject: str) -> str:
        """The fields as the query of an address that means the same at any time, for the resolved subject."""
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        words = {name: value.text if isinstance(value, Span) else value for name, value in asked.items()}
        return urlencode({**words, **({"subject": subject} if subject else {})})


def type_choices(chosen: str) -> list[tuple[str, str]]:
    """The catalogue by its words, and what was chosen if it stands there not."""
    known = sorted(((str(kind), event_label(kind)) for kind in LABELS), key=lambda item: item[1])
    return known if not chosen or chosen in LABELS else [*known, (chosen, _listed(chosen, event_label(chosen)))]


def source_choices(chosen: str, registered: Mapping[str, str]) -> list[tuple[str, str]]:
    """Assay's own parts, the registered systems, and what was chosen if it stands there not."""
    known = {key: str(word) for key, word in OWN_SOURCES.items()} | dict(registered)
    return list(known.items()) if not chosen or chosen in known else [*known.items(), (chosen, chosen[:40])]


def _listed(kind: str, label: str) -> str:
    return f"{label} ({kind[:10]}…)" if kind.startswith("x:") else label
