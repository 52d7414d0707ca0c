"""Declaring what a model version was made from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q

from audit import ledger
from audit.events import EventType
from governance.models import ModelRelation, ModelVersion
from governance.operations.base import (
    By,
    Recorded,
    Refused,
    actor_of,
    change,
    choice,
    event,
    recorded,
    refuse_unless_registrar,
    text,
)

MAX_BASES: Final = 50
NAME_LIMIT: Final = 300

_CIRCLE: Final = """
WITH RECURSIVE above(id) AS (
  SELECT %s::uuid
  UNION
  SELECT r.parent_id FROM model_relation r JOIN above a ON r.child_id = a.id WHERE r.parent_id IS NOT NULL
)
SELECT EXISTS (SELECT 1 FROM above WHERE id = %s::uuid)
"""


@dataclass(frozen=True, slots=True)
class Declared:
    """A base as a file names it: in its model card, or in its configuration or header."""

    name: str
    relation: str
    declared_in: str


def declare_relation(
    *,
    by: By,
    child_id: UUID,
    relation: str,
    parent_id: UUID | None = None,
    parent_name: str = "",
    parent_revision: str = "",
    now: datetime,
) -> Recorded:
    """Declare that a version was made from another; the id is the relation's.

    Args:
        parent_id: the registered version. Without it, `parent_name` says what it is called where it stands.

    Raises:
        Refused: a field that cannot be, a version that is not registered, a circle, or what stands already.
    """
    refuse_unless_registrar(by)
    relation = choice("relation", relation, ModelRelation.Relation.values)
    name = text("parent_name", parent_name, limit=NAME_LIMIT, required=parent_id is None)
    revision = text("parent_revision", parent_revision, limit=100, required=False)
    with change("parent_id"):
        _lock()
        child = ModelVersion.objects.filter(pk=child_id).first()
        if child is None:
            raise Refused("child_id", "is not registered.")
        parent = ModelVersion.objects.select_related("model").filter(pk=parent_id).first() if parent_id else None
        if parent_id is not None and parent is None:
            raise Refused("parent_id", "is not registered.")
        if parent is not None:
            _refuse_circle(child.pk, parent.pk)
            name, revision = name or parent.model.hf_id or parent.model.name, revision or parent.version
        same = ModelRelation.objects.filter(child=child, parent=parent, relation=relation)
        if same.filter(**({} if parent else {"parent_name": name, "parent_revision": revision})).exists():
            raise Refused("parent_id" if parent else "parent_name", "was declared already.")
        row = ModelRelation.objects.create(
            child=child,
            parent=parent,
            parent_name=name,
            parent_revision=revision,
            relation=relation,
            declared_in=ModelRelation.Source.PERSON,
            declared_by=actor_of(by),
            declared_at=now,
        )
        told = event("model_relation", EventType.MODEL_RELATION_DECLARED, row, actor=actor_of(by), now=now)
        return recorded(row.pk, [told])


def write_relations(
    bases: Iterable[Declared], *, child: ModelVersion, actor: str, now: datetime, events: list[ledger.Event]
) -> None:
    """Write what the files of a new version declare, inside the transaction that registers it.

    A base is tied to a registered version only where its name leaves no choice: one model with a single version.
    """
    for base in list(dict.fromkeys(bases))[:MAX_BASES]:
        row = ModelRelation.objects.create(
            child=child,
            parent=_only(base.name, child),
            parent_name=base.name[:NAME_LIMIT],
            relation=base.relation or ModelRelation.Relation.UNSTATED.value,
            declared_in=base.declared_in,
            declared_by=actor,
            declared_at=now,
        )
        events.append(event("model_relation", EventType.MODEL_RELATION_DECLARED, row, actor=actor, now=now))


def _only(name: str, child: ModelVersion) -> ModelVersion | None:
    named = ModelVersion.objects.filter(Q(model__hf_id=name) | Q(model__name=name)).exclude(pk=child.pk)
    found = list(named.order_by("pk")[:2])
    return found[0] if len(found) == 1 else None


def _lock() -> None:
    """One declaration at a time: two that close a circle together must not pass each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('model_relation', 0))")


def _refuse_circle(child_id: UUID, parent_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_CIRCLE, [parent_id, child_id])
        row = cursor.fetchone()
    if row is not None and row[0]:
        raise Refused("parent_id", "is this version itself, or was made from it.")
