"""What a person means who writes a name, a number or a reference of a registered thing."""

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from audit.queries.names import candidates
from governance.models import ApprovalRequest, Deployment, EvaluationRun, Evidence, UseCase
from governance.queries.reconciling import TABLES

_REF: Final = re.compile(r"([A-Za-z]{2,5})-0*([1-9][0-9]{0,17})")
_NUMBERED: Final = MappingProxyType(
    {
        "UC": ("use_case", UseCase),
        "DEP": ("deployment", Deployment),
        "REQ": ("request", ApprovalRequest),
        "EVAL": ("evaluation_run", EvaluationRun),
        "EV": ("evidence", Evidence),
    }
)
"""Kinds that people call by a number."""

_VERSIONED: Final = MappingProxyType(
    {"model_version": "model__name", "dataset_version": "dataset__name", "adapter": "name"}
)
"""Kinds that people call by a name and a version, and the column of the name."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The reference that is meant, or those that may be, each with its name."""

    one: str | None
    others: tuple[tuple[str, str], ...]


def subject_meant(text: str) -> Subjects:
    """What a text means among the registered things, in at most seven queries."""
    words = text.strip()
    exact = numbered(words) or versioned(words)
    if exact is not None:
        return Subjects(exact, ())
    kind, colon, label = words.partition(":")
    if colon and kind in TABLES:
        try:
            return Subjects(f"{kind}:{UUID(label)}", ())
        except ValueError:
            pass
    meant = candidates(words, kinds=sorted(TABLES))
    found = [meant.one] if meant.one else list(meant.others)
    known = [(item.reference, item.name) for item in found if item.reference.partition(":")[0] in TABLES]
    return Subjects(known[0][0], ()) if len(known) == 1 else Subjects(None, tuple(known))


def versioned(text: str) -> str | None:
    """The reference of a version by its name and version with a space between them; None when there is none."""
    name, _space, version = text.rpartition(" ")
    for kind, field in _VERSIONED.items() if name else ():
        rows = TABLES[kind]._default_manager.filter(**{field: name.strip(), "version": version})
        pk = rows.values_list("pk", flat=True).first()
        if pk is not None:
            return f"{kind}:{pk}"
    return None


def numbered(text: str) -> str | None:
    """The reference of a thing that people call by a number, such as UC-0001; None when there is none."""
    found = _REF.fullmatch(text.strip())
    if found is None or found[1].upper() not in _NUMBERED:
        return None
    kind, table = _NUMBERED[found[1].upper()]
    pk = table._default_manager.filter(number=int(found[2])).values_list("pk", flat=True).first()
    return f"{kind}:{pk}" if pk is not None else None


def evidence_numbered(text: str) -> UUID | None:
    """The id of the evidence with a number such as EV-0001; None when there is none."""
    kind, _colon, label = (numbered(text) or "").partition(":")
    return UUID(label) if kind == "evidence" else None
