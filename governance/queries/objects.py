"""Names of registered things of any kind, and the entries that are about one of them."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Model as Table
from django.db.models import QuerySet

from audit.queries.about import entries_about
from governance.queries.lists import NAMES
from governance.queries.reconciling import TABLES
from governance.queries.telling import HistoryLine, history_lines

MOST_BESIDE: Final = 200
"""Rows beside a thing (its standings, artefacts and so on) whose entries belong to its history."""

_BESIDE: Final = """
SELECT 'standing:' || id, changed_at AS moment FROM standing WHERE subject_kind = %(kind)s AND subject_id = %(id)s
UNION ALL SELECT 'model_artefact:' || id, registered_at FROM model_artefact WHERE model_version_id = %(id)s
UNION ALL SELECT 'model_artefact:' || id, registered_at FROM model_artefact WHERE adapter_id = %(id)s
UNION ALL SELECT 'model_relation:' || id, declared_at FROM model_relation WHERE child_id = %(id)s
UNION ALL SELECT 'quantisation:' || id, declared_at FROM quantisation WHERE model_version_id = %(id)s
ORDER BY moment DESC LIMIT %(most)s
"""


def labels(kind: str, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What people call things of one kind, by id, in one query; an id that is not registered is left out."""
    wanted = set(ids)
    if not wanted or kind not in TABLES:
        return {}
    rows: QuerySet[Table] = TABLES[kind]._default_manager.filter(pk__in=wanted)
    columns = {field.name for field in TABLES[kind]._meta.fields}
    # A version of a thing is called by the name of that thing.
    named = "name" if "name" in columns else f"{kind.removesuffix('_version')}__name"
    paths = [NAMES.get(kind, named), *({"version"} & columns)]
    return {pk: " ".join(map(str, words)) for pk, *words in rows.values_list("pk", *paths)}


def object_history(kind: str, pk: UUID, *, limit: int) -> tuple[HistoryLine, ...]:
    """The newest entries about a thing, its standings and what stands beside it, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE, {"kind": kind, "id": pk, "most": MOST_BESIDE})
        beside = [subject for subject, _moment in cursor.fetchall()]
    return history_lines(entries_about([f"{kind}:{pk}", *beside], limit=limit))
