"""The family of a model version: what it was made from and what was made of it, bounded in depth and number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from governance.models import Adapter, ModelRelation
from governance.queries.objects import labels
from governance.queries.standing import standing_mark
from governance.queries.standinggaps import newest_states

MAX_DEPTH: Final = 12
MAX_SHOWN: Final = 200

_RELATIONS: Final = """
WITH RECURSIVE family AS (
  SELECT r.*, 1 AS depth FROM model_relation r WHERE r.{here} = %(id)s
  UNION
  SELECT r.*, f.depth + 1 FROM model_relation r JOIN family f ON r.{here} = f.{there} WHERE f.depth < %(depth)s
)
SELECT id, child_id, parent_id, parent_name, parent_revision, relation, declared_in
  FROM family GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY min(depth), min(declared_at), id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """One declared step. `parent_id` is None while what is named is not registered."""

    id: UUID
    child_id: UUID
    parent_id: UUID | None
    parent_name: str
    parent_revision: str
    relation: str
    declared_in: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A member of the family with those beyond it.

    Attributes:
        kind: `model_version`, `adapter`, or empty for what is not registered.
        how: how it belongs to the one before, in words; `said` is where that was declared.
        repeated: it stands elsewhere in the same tree, with what lies beyond it.
    """

    kind: str
    id: UUID | None
    name: str
    how: str
    said: str
    mark: str
    word: str
    repeated: bool
    beyond: tuple["Branch", ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Both sides of a version's family. `cut`: there is more than is shown.

    `named_by`: versions that name its model, but no registered version, as what they were made from.
    """

    above: tuple[Branch, ...]
    below: tuple[Branch, ...]
    named_by: tuple[tuple[UUID, str], ...]
    cut: bool


def ancestors(version_id: UUID) -> tuple[Relation, ...]:
    """The relations above a version, nearest first, at most MAX_SHOWN within MAX_DEPTH steps."""
    return _relations(version_id, here="child_id", there="parent_id")


def descendants(version_id: UUID) -> tuple[Relation, ...]:
    """The relations below a version, nearest first, at most MAX_SHOWN within MAX_DEPTH steps."""
    return _relations(version_id, here="parent_id", there="child_id")


def family(version_id: UUID, *, called: Iterable[str] = ()) -> Family:
    """The family of a version, in a constant number of queries.

    Args:
        called: names of its model, by which others may have named it.
    """
    above, below = ancestors(version_id), descendants(version_id)
    under = {version_id, *(relation.child_id for relation in below)}
    adapters = list(Adapter.objects.filter(base__in=under).order_by("name", "version")[: MAX_SHOWN + 1])
    ids = under | {pk for relation in above for pk in (relation.parent_id, relation.child_id) if pk is not None}
    loose = ModelRelation.objects.filter(parent__isnull=True, parent_name__in=[name for name in called if name])
    named = list(loose.exclude(child=version_id).order_by("declared_at").values_list("child_id", flat=True)[:20])
    names = labels("model_version", {*ids, *named})
    tree = _Tree(
        names=names,
        states=newest_states("model_version", ids) | newest_states("adapter", [row.pk for row in adapters]),
        adapters=adapters,
    )
    return Family(
        above=tree.above(version_id, _linked(above)),
        below=tree.below(version_id, below),
        named_by=tuple((pk, names[pk]) for pk in dict.fromkeys(named) if pk not in under),
        cut=max(len(above), len(below), len(adapters)) >= MAX_SHOWN,
    )


def _relations(version_id: UUID, *, here: str, there: str) -> tuple[Relation, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            _RELATIONS.format(here=here, there=there), {"id": version_id, "depth": MAX_DEPTH, "most": MAX_SHOWN}
        )
        return tuple(Relation(*values) for values in cursor.fetchall())


def _linked(relations: Sequence[Relation]) -> list[Relation]:
    """Without those that a later relation of the same version and name ties to a registered version."""
    tied = {(item.child_id, item.parent_name) for item in relations if item.parent_id is not None}
    return [item for item in relations if item.parent_id or (item.child_id, item.parent_name) not in tied]


@dataclass(slots=True)
class _Tree:
    """Builds the branches; each member is unfolded once."""

    names: Mapping[UUID, str]
    states: Mapping[UUID, str]
    adapters: Sequence[Adapter]
    unfolded: set[UUID] = field(default_factory=set)

    def above(self, version_id: UUID, relations: Sequence[Relation]) -> tuple[Branch, ...]:
        steps = sorted((item for item in relations if item.child_id == version_id), key=self._parent_name)
        return tuple(self._parent(item, relations) for item in steps)

    def below(self, version_id: UUID, relations: Sequence[Relation]) -> tuple[Branch, ...]:
        steps = sorted(
            (item for item in relations if item.parent_id == version_id), key=lambda item: self.names[item.child_id]
        )
        made = tuple(self._child(item, relations) for item in steps)
        return (*made, *(self._adapter(row) for row in self.adapters if row.base_id == version_id))

    def _parent_name(self, item: Relation) -> str:
        return self.names[item.parent_id] if item.parent_id is not None else item.parent_name

    def _parent(self, item: Relation, relations: Sequence[Relation]) -> Branch:
        if item.parent_id is None:
            name = f"{item.parent_name} {item.parent_revision}".strip()
            return Branch("", None, name, *_how(item), "none", _("Not registered"), repeated=False, beyond=())
        again = self._once(item.parent_id)
        beyond = () if again else self.above(item.parent_id, relations)
        return self._branch(item.parent_id, _how(item), again, beyond)

    def _child(self, item: Relation, relations: Sequence[Relation]) -> Branch:
        again = self._once(item.child_id)
        beyond = () if again else self.below(item.child_id, relations)
        return self._branch(item.child_id, _how(item), again, beyond)

    def _branch(self, pk: UUID, how: tuple[str, str], again: bool, beyond: tuple[Branch, ...]) -> Branch:
        mark, word = standing_mark(self.states.get(pk, "active"))
        return Branch("model_version", pk, self.names[pk], *how, mark, word, repeated=again, beyond=beyond)

    def _adapter(self, row: Adapter) -> Branch:
        mark, word = standing_mark(self.states.get(row.pk, "active"))
        how = (str(ModelRelation.Relation.ADAPTER.label), str(_("its adapter_config.json")))
        return Branch("adapter", row.pk, str(row), *how, mark, word, repeated=False, beyond=())

    def _once(self, pk: UUID) -> bool:
        seen = pk in self.unfolded
        self.unfolded.add(pk)
        return seen


def _how(item: Relation) -> tuple[str, str]:
    how = ModelRelation.Relation(item.relation).label
    return str(how), str(ModelRelation.Source(item.declared_in).label)
