"""Names for the ids in the ledger: erasable profiles for people, registered names for the rest."""

import uuid
from collections.abc import Iterable, Mapping

from django.db.models import Model

from audit.models import Person, ServiceAccount, Source, Target

NAMED: Mapping[str, tuple[type[Model], str]] = {
    "person": (Person, "display_name"),
    "service": (ServiceAccount, "name"),
    "source": (Source, "name"),
    "target": (Target, "name"),
}


def names_of(references: Iterable[str]) -> dict[str, str]:
    """Name of each `kind:uuid` that has one here, in at most one query for each kind."""
    wanted: dict[str, list[uuid.UUID]] = {}
    for reference in set(references):
        kind, _colon, text = reference.partition(":")
        if kind in NAMED:
            try:
                wanted.setdefault(kind, []).append(uuid.UUID(text))
            except ValueError:
                continue
    names: dict[str, str] = {}
    for kind, ids in wanted.items():
        model, field = NAMED[kind]
        found = model._default_manager.filter(pk__in=ids).values_list("pk", field)
        names.update({f"{kind}:{pk}": name for pk, name in found})
    return names
