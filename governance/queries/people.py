"""Names of people and service accounts for ids that stand in rows and in the ledger."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.utils.translation import gettext as _

from audit.models import Person, ServiceAccount


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Display name by actor (`person:<uuid>`, `service:<uuid>`, `system:<name>`), in at most two queries."""
    wanted = set(actors)
    people = dict(Person.objects.filter(pk__in=_ids(wanted, "person")).values_list("pk", "display_name"))
    services = dict(ServiceAccount.objects.filter(pk__in=_ids(wanted, "service")).values_list("pk", "name"))
    named = {f"person:{pk}": name for pk, name in people.items()}
    named |= {f"service:{pk}": name for pk, name in services.items()}
    for actor in wanted - set(named):
        named[actor] = _("Assay itself") if actor.startswith("system:") else _("somebody erased")
    return named


def _ids(actors: Iterable[str], kind: str) -> Iterator[UUID]:
    for actor in actors:
        found, _colon, label = actor.partition(":")
        if found == kind:
            yield UUID(label)
