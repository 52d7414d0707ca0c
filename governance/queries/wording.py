"""Snapshots of the ledger in words: what their columns are called, what they point to, and what a subject was called.

Everything here follows from `governance.snapshot.FIELDS`, `reconciling.TABLES` and the models' own names, so a new
governed table needs no line.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Field
from django.db.models import Model as Table
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from audit import queries as log
from audit.models import Person
from audit.queries.names import names_on_pages
from governance.queries.reconciling import TABLES
from governance.snapshot import FIELDS

LEVELS: Final = 3
"""A decision is called after its request, which is called after its deployment."""

NAMES: Final = ("name", "title", "detail")
MORE: Final = ("version", "number", "tool", "decision", "path")
LONGEST: Final = 160

_SUBJECT = re.compile(r"([a-z_]{2,40}):([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})")
_OTHERS: Final = frozenset({"person", "service", "source", "target"})


_SHARED: Final = MappingProxyType({"id": gettext_lazy("ID"), "row_version": gettext_lazy("Times written")})
"""Columns that every table has, and no model names."""


@dataclass(frozen=True, slots=True)
class Reference:
    """That a column of a snapshot points to a subject."""

    field: str
    subject: str


@lru_cache(maxsize=256)
def columns(kind: str) -> Mapping[str, "Field[Any, Any]"]:
    """The columns of a kind by their names in a snapshot."""
    return {field.attname: field for field in TABLES[kind]._meta.concrete_fields}


def kind_of(table: type[Table]) -> str:
    """The word for a table in the ledger's subjects; empty for one that is not governed."""
    return next((kind for kind, known in TABLES.items() if known is table), "")


def field_label(kind: str, name: str) -> str:
    """What people call a column."""
    if name in _SHARED:
        return str(_SHARED[name])
    field = columns(kind).get(name)
    return str(capfirst(str(field.verbose_name))) if field else name


def subject_parts(subject: object) -> tuple[str, UUID] | None:
    """Kind and id of a governed subject; None for anything else."""
    match = _SUBJECT.fullmatch(subject) if isinstance(subject, str) else None
    return (match[1], UUID(match[2])) if match and match[1] in TABLES else None


def ordered(kind: str, after: Mapping[str, object]) -> dict[str, object]:
    """A snapshot in the order of its columns; in the ledger its keys are sorted."""
    known = [name for name in FIELDS[kind] if name in after]
    return {name: after[name] for name in [*known, *sorted(after.keys() - set(known))]}


def references(kind: str, after: Mapping[str, object]) -> Iterator[Reference]:
    """What a snapshot points to, in the order of its columns."""
    for name, value in ordered(kind, after).items():
        if name == "id":
            continue
        target = _target(kind, name)
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str):
                continue
            subject = f"{target}:{item}" if target else item
            match = _SUBJECT.fullmatch(subject)
            if match and (match[1] in TABLES or match[1] in _OTHERS):
                yield Reference(name, subject)


def ref_of(kind: str, after: Mapping[str, object]) -> str:
    """How people call a numbered row, such as REQ-0007; empty for kinds without such a word."""
    number = after.get("number")
    if not isinstance(number, int) or not isinstance(getattr(TABLES[kind], "ref", None), property):
        return ""
    try:
        return str(getattr(TABLES[kind](number=number), "ref", ""))
    except ObjectDoesNotExist:  # a word that needs another row is not this row's own
        return ""


def own_name(after: Mapping[str, object]) -> str:
    """The row's own name, which may need that of the thing it belongs to."""
    name = next((str(after[field]) for field in NAMES if after.get(field)), "")
    version = after.get("version")
    return f"{name} {version}"[:LONGEST] if name and isinstance(version, str) else name[:LONGEST]


def label_of(kind: str, after: Mapping[str, object], parent: str = "") -> str:
    """What a snapshot is called; `parent` is what it belongs to, used when it has no name of its own."""
    ref = ref_of(kind, after)
    if name := own_name(after):
        return f"{ref} {name}".strip()
    if ref:
        return f"{ref} {parent}".strip()[:LONGEST]
    more = next((f"{after[field]}" for field in MORE if after.get(field) not in {None, ""}), "")
    found = f"{parent} {more}" if isinstance(after.get("version"), str) else " / ".join(filter(None, (parent, more)))
    return found.strip()[:LONGEST] or str(after.get("id", ""))[:8]


def names_at(subjects: Iterable[str], size: int) -> dict[str, str]:
    """What each subject was called at a tree size, in a constant number of queries.

    People, services and sources have today's names: the ledger keeps none. A subject whose snapshot is gone is absent.
    """
    wanted = set(subjects)
    found = snapshots_at(wanted, size)
    names = {subject: name for subject in found if (name := name_from(subject, found))}
    others = {subject for subject in wanted if subject.partition(":")[0] in _OTHERS}
    return {**names_on_pages(others), **{subject: name for subject, name in names.items() if subject in wanted}}


def snapshots_at(subjects: Iterable[str], size: int) -> dict[str, Mapping[str, object]]:
    """Snapshots of these subjects, and of those whose names theirs need."""
    found: dict[str, Mapping[str, object]] = {}
    missing = {subject for subject in subjects if subject_parts(subject)}
    for _level in range(LEVELS):
        states = log.states_at(sorted(missing), size)
        found |= {subject: state.after for subject, state in states.items()}
        missing = {parent for subject in states if (parent := parent_of(subject, found[subject]))} - found.keys()
    return found


def parent_of(subject: str, after: Mapping[str, object]) -> str:
    """The subject after which a row without a name of its own is called; empty for one with a name."""
    if own_name(after):
        return ""
    kind = subject.partition(":")[0]
    return next((item.subject for item in references(kind, after) if subject_parts(item.subject)), "")


def name_from(subject: str, found: Mapping[str, Mapping[str, object]], level: int = 0) -> str:
    """What a subject is called, from the snapshots that `snapshots_at` gave; empty when it is not among them."""
    after = found.get(subject)
    if after is None or level >= LEVELS:
        return ""
    parent = parent_of(subject, after)
    return label_of(subject.partition(":")[0], after, name_from(parent, found, level + 1) if parent else "")


@lru_cache(maxsize=2048)
def _target(kind: str, name: str) -> str:
    """The kind that a column's plain ids are of; empty when it holds none."""
    field = columns(kind).get(name)
    if field is None:
        return ""
    table = field.related_model if field.is_relation else None
    if isinstance(table, type):
        return "person" if table is Person else kind_of(table)
    for word in (name.removesuffix("_id"), name.removesuffix("_ids"), name.removesuffix("s")):
        if word != name and word in TABLES:
            return word
    return ""
