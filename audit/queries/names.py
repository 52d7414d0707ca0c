"""Names for the ids in the ledger: erasable profiles for people, registered names for the rest; and back."""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.models import CharField, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from audit.models import Person, ServiceAccount, Source, Target

NAMED: Mapping[str, tuple[type[Model], str]] = {
    "person": (Person, "display_name"),
    "service": (ServiceAccount, "name"),
    "source": (Source, "name"),
    "target": (Target, "name"),
}

MOST_CANDIDATES: Final = 12
"""How many subjects a page offers for a name or the beginning of an id; whoever means another one writes more."""

SHORTEST_PREFIX: Final = 4
"""Hexadecimal digits with which an id may begin to be looked for."""

_PREFIX = re.compile(r"(?:(?P<kind>[a-z_]{2,30}):)?(?P<id>[0-9a-f][0-9a-f-]{3,35})…?", re.ASCII)

# One look-up for each kind and each subject found: a subject may have millions of entries.
_BEGINNING: Final = """
WITH RECURSIVE wanted (first, past) AS (SELECT f, f || 'g' FROM unnest(%(firsts)s::text[]) f),
found (past, subject, place) AS (
  SELECT past, (SELECT min(subject) FROM entry WHERE subject >= first AND subject < past), 1 FROM wanted
  UNION ALL
  SELECT past, (SELECT min(e.subject) FROM entry e WHERE e.subject > f.subject AND e.subject < f.past), place + 1
  FROM found f WHERE subject IS NOT NULL AND place < %(most)s
)
SELECT subject FROM found WHERE subject IS NOT NULL ORDER BY subject LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject that may be meant, and its name where it has one here."""

    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class Meant:
    """What a text means: `one` subject and `others` that are called the same, or several `others` it may mean."""

    one: Candidate | None
    others: tuple[Candidate, ...]


def names_of(references: Iterable[str]) -> dict[str, str]:
    """Name of each `kind:uuid` that has one in this app, in one query."""
    return _names(references, NAMED)


def names_on_pages(references: Iterable[str]) -> dict[str, str]:
    """The same with the names that apps above this one gave (the setting LEDGER_NAMES): what they are called today,
    for reading, never for a report.
    """
    return _names(references, _all_named())


def candidates(text: str, *, kinds: Sequence[str], hidden: str = "") -> Meant:
    """The subject of the ledger that a text means, or those it may mean, best first, in at most three queries.

    A subject as it stands in a leaf; the id of one, or how it begins, with or without its kind; a name or a part of
    one; a pipeline's own word for it. Whatever fits exactly goes before what only begins or contains it, and what is
    called so itself before what belongs to it.

    Args:
        kinds: the kinds of subjects whose ids are looked for.
        hidden: how a pipeline's own subject of this name stands in a leaf.
    """
    words = text.strip()
    if exact := recorded([words, hidden]):
        return Meant(Candidate(exact, words if exact == hidden else ""), ())
    found = {**dict.fromkeys(_beginning(words.lower(), kinds), ""), **_called(words)}
    exactly = {reference: name for reference, name in found.items() if name == words}
    fitting = [Candidate(*item) for item in (exactly or found).items()][:MOST_CANDIDATES]
    own = [candidate for candidate in fitting if _is_named_itself(candidate.reference)] if exactly else fitting
    if len(own) == 1:
        return Meant(own[0], tuple(candidate for candidate in fitting if candidate != own[0]))
    return Meant(None, tuple(fitting))


def sources() -> list[Candidate]:
    """Every system that may record events, by name."""
    return [Candidate(f"source:{pk}", name) for pk, name in Source.objects.order_by("name").values_list("pk", "name")]


def _all_named() -> Mapping[str, tuple[type[Model], str]]:
    above = {kind: place.split(".") for kind, place in settings.LEDGER_NAMES.items()}
    return {**NAMED, **{kind: (apps.get_model(app, model), field) for kind, (app, model, field) in above.items()}}


def _names(references: Iterable[str], named: Mapping[str, tuple[type[Model], str]]) -> dict[str, str]:
    wanted: dict[str, list[uuid.UUID]] = {}
    for reference in set(references):
        kind, _colon, text = reference.partition(":")
        if kind in named:
            try:
                wanted.setdefault(kind, []).append(uuid.UUID(text))
            except ValueError:
                continue
    return _union([_rows(kind, *named[kind]).filter(pk__in=ids) for kind, ids in sorted(wanted.items())])


def _called(words: str) -> dict[str, str]:
    """What has these words in its name: the same name first, then those that begin with it."""
    if not words:
        return {}
    found = _union(
        [
            _rows(kind, model, field).filter(**{f"{field}__icontains": words}).order_by("named_label")[:MOST_CANDIDATES]
            for kind, (model, field) in _all_named().items()
        ]
    )
    like = words.casefold()
    return dict(sorted(found.items(), key=lambda item: (not item[1].casefold().startswith(like), item[1], item[0])))


def _rows(kind: str, model: type[Model], field: str) -> QuerySet[Model, tuple[str, str, str]]:
    """Rows of (kind, id as text, name)."""
    columns = {
        "named_kind": Value(kind, output_field=TextField()),
        "named_key": Cast("pk", TextField()),
        "named_label": Cast(field, CharField()),
    }
    rows: QuerySet[Model, tuple[str, str, str]] = (
        model._default_manager.order_by().annotate(**columns).values_list(*columns)
    )
    return rows


def _union(parts: Sequence[QuerySet[Model, tuple[str, str, str]]]) -> dict[str, str]:
    if not parts:
        return {}
    first, *others = parts
    rows = first.union(*others, all=True) if others else first
    return {f"{kind}:{pk}": name for kind, pk, name in rows}


def _is_named_itself(reference: str) -> bool:
    """Whether this kind has names of its own, rather than that of the thing it belongs to."""
    kind = reference.partition(":")[0]
    return "__" not in _all_named().get(kind, (None, "__"))[1]


def recorded(references: Iterable[str]) -> str:
    """The first of these that is the subject of an entry; empty when none is."""
    wanted = [reference for reference in references if reference]
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT s FROM unnest(%s::text[]) WITH ORDINALITY w (s, place)"
            " WHERE EXISTS (SELECT FROM entry WHERE subject = s) ORDER BY place LIMIT 1",
            [wanted],
        )
        return next((str(subject) for (subject,) in cursor.fetchall()), "")


def _beginning(words: str, kinds: Sequence[str]) -> list[str]:
    match = _PREFIX.fullmatch(words)
    if match is None or len(match["id"].replace("-", "")) < SHORTEST_PREFIX:
        return []
    firsts = [f"{kind}:{match['id']}" for kind in ([match["kind"]] if match["kind"] else kinds)]
    with connections["default"].cursor() as cursor:
        cursor.execute(_BEGINNING, {"firsts": firsts, "most": MOST_CANDIDATES})
        return [str(subject) for (subject,) in cursor.fetchall()]
