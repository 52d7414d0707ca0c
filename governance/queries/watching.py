"""What the follower of the log holds usage against: approved caps."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from governance.models import Deployment


@dataclass(frozen=True, slots=True)
class Approved:
    """A registered deployment: number and reasoning cap of its approved revision, None where there is none."""

    id: UUID
    name: str
    revision: int | None
    cap: int | None


def approved_caps(subjects: Collection[str]) -> dict[str, Approved]:
    """The registered ones among the deployments that are named as `deployment:<uuid>` or `deployment:<name>`."""
    ids, names = split_subjects(subjects, "deployment")
    found: dict[str, Approved] = {}
    rows = Deployment.objects.filter(Q(pk__in=ids) | Q(name__in=names)).select_related("approved_revision")
    for row in rows:
        revision = row.approved_revision
        approved = Approved(
            id=row.pk,
            name=row.name,
            revision=revision.number if revision else None,
            cap=revision.reasoning_cap if revision else None,
        )
        found |= {f"deployment:{row.pk}": approved, f"deployment:{row.name}": approved}
    return found


def split_subjects(subjects: Collection[str], kind: str) -> tuple[list[UUID], list[str]]:
    """The ids and the names among subjects of a kind."""
    labels = [subject.removeprefix(f"{kind}:") for subject in subjects]
    return [found for label in labels for found in _uuid(label)], labels


def _uuid(label: str) -> Iterator[UUID]:
    try:
        yield UUID(label)
    except ValueError:
        return
