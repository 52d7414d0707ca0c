"""What is missing among the evidence: for the home page, in words, in a constant number of queries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from governance.evaluation import QUANTISED_FROM
from governance.models import EvaluationRun, Revision, UseCase
from governance.queries.evidence import MARKS, SOON, judged, standing_of, standing_word
from governance.queries.standinggaps import standing_gaps

MOST: Final = 50
"""Lines of each sort at most."""

ASSESSMENTS: Final = ("dpia", "fria", "impact_assessment")


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing: shape and word, the sentence, and the page where to do something about it."""

    mark: str
    word: str
    words: str
    page: str
    about: UUID


def evidence_gaps(now: datetime) -> tuple[Gap, ...]:
    """What runs though retired or quarantined, evidence that ends, high-risk uses without an assessment, and
    quantised weights in use that nobody evaluated; at most MOST lines of each, in a constant number of queries.
    """
    return (*_standing(), *_ending(now), *_unassessed(now), *_unevaluated())


def worst_first(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """Gaps that are there before those that come, and one of each sort before a second of any."""
    seen: dict[tuple[str, str], int] = {}
    placed = []
    for place, gap in enumerate(gaps):
        turn = seen[gap.mark, gap.page] = seen.get((gap.mark, gap.page), -1) + 1
        placed.append((gap.mark != "bad", turn, place, gap))
    return tuple(gap for _later, _turn, _place, gap in sorted(placed, key=lambda item: item[:3]))


def _standing() -> Iterator[Gap]:
    for gap in standing_gaps()[:MOST]:
        words = _("%(deployment)s runs on what is no longer to be used: %(kind)s %(name)s.")
        named = {"deployment": gap.deployment, "kind": gap.kind, "name": gap.name}
        yield Gap("bad", gap.word, words % named, "admin:desk_deployment", gap.deployment_id)


def _ending(now: datetime) -> Iterator[Gap]:
    rows = judged().filter(revocation__isnull=True, superseded_by__isnull=True, valid_until__lte=(now + SOON).date())
    for row in rows.order_by("valid_until", "number")[:MOST]:
        standing = standing_of(row, now)
        mark, word = MARKS[standing], standing_word(standing)
        words = _("%(ref)s %(title)s has expired.") if mark == "bad" else _("%(ref)s %(title)s expires soon.")
        yield Gap(mark, word, words % {"ref": row.ref, "title": row.title}, "admin:desk_evidence", row.pk)


def _unassessed(now: datetime) -> Iterator[Gap]:
    today = now.date()
    assessed = judged().filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=today),
        subject_kind="use_case",
        subject_id=OuterRef("pk"),
        kind__in=ASSESSMENTS,
        revocation__isnull=True,
        superseded_by__isnull=True,
    )
    running = Q(end_date__isnull=True) | Q(end_date__gte=today)
    rows = UseCase.objects.filter(running, ~Exists(assessed), tier="high").order_by("number")
    for row in rows[:MOST]:
        words = _("%(ref)s %(name)s is high risk and has no valid impact assessment.")
        yield Gap("bad", _("missing"), words % {"ref": row.ref, "name": row.name}, "admin:desk_use_case", row.pk)


def _unevaluated() -> Iterator[Gap]:
    """Evaluated is the same model version, stored the same way."""
    runs = EvaluationRun.objects.filter(model_version=OuterRef("model_version"), weight_dtype=OuterRef("weight_dtype"))
    rows = (
        Revision.objects.filter(~Exists(runs), deployment__approved_revision=F("pk"))
        .exclude(weight_dtype__in=QUANTISED_FROM)
        .select_related("deployment", "model_version__model")
        .order_by("deployment__number")
    )
    for row in rows[:MOST]:
        words = _("%(ref)s %(name)s runs %(model)s as %(dtype)s, which nobody evaluated after quantisation.")
        named = {
            "ref": row.deployment.ref,
            "name": row.deployment.name,
            "model": f"{row.model_version.model.name} {row.model_version.version}",
            "dtype": row.weight_dtype,
        }
        yield Gap("bad", _("missing"), words % named, "admin:desk_model_evaluations", row.model_version_id)
