"""What a decision on a request can rest on besides the configuration: the use and its tier, costs, evidence, runs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.models import ApprovalRequest, EvaluationRun
from governance.queries.costing import ComparisonView, comparison_views
from governance.queries.evaluations import RunLine, run_lines
from governance.queries.evidence import EvidenceLine, evidence_about
from governance.queries.relied import ReliedLine, relied_lines
from governance.queries.usecases import tier_mark

RUNS = 5


@dataclass(frozen=True, slots=True)
class Grounds:
    """What stands on record about what is asked.

    Attributes:
        use_case_id, use_case: what it is used for; None and empty where no use case is named.
        tier_mark, tier_word: the tier when it was asked.
        costs: the newest comparison for the deployment, none before the first.
        relied: what the decision is bound to beside the estimate.
        evidence: other evidence, newest first, about the deployment, its use case, its model and the version that
            would run.
        runs: the newest evaluations of the version. `same_form`: whether one of them is of the weights as they would
            be loaded: what was evaluated otherwise says little about a quantised form.
    """

    use_case_id: UUID | None
    use_case: str
    tier_mark: str
    tier_word: str
    environment: str
    costs: tuple[ComparisonView, ...]
    evidence: tuple[EvidenceLine, ...]
    runs: tuple[RunLine, ...]
    same_form: bool
    relied: tuple[ReliedLine, ...] = ()

    @property
    def expired(self) -> int:
        """How many pieces of evidence no longer stand."""
        marks = [*(line.mark for line in self.relied), *(line.mark for line in self.evidence)]
        return marks.count("bad")

    @property
    def pieces(self) -> int:
        """How many pieces of evidence there are."""
        return len(self.relied) + len(self.evidence)


def grounds(request: ApprovalRequest, *, now: datetime) -> Grounds:
    """The grounds of a request, in a constant number of queries.

    Args:
        request: with its deployment's use case and its revision's model version loaded.
    """
    deployment, revision = request.deployment, request.revision
    use = deployment.use_case
    about = [
        f"deployment:{deployment.pk}",
        f"model_version:{revision.model_version_id}",
        f"model:{revision.model_version.model_id}",
        *(f"adapter:{pk}" for pk in revision.adapters),
        *([f"use_case:{use.pk}"] if use else []),
    ]
    runs = EvaluationRun.objects.filter(model_version=revision.model_version_id).order_by("-run_at", "-number")
    mark, word = tier_mark(request.tier)
    shown = run_lines(runs[:RUNS])
    relied = relied_lines(request.pk, now)
    bound = {line.id for line in relied}
    return Grounds(
        use_case_id=use.pk if use else None,
        use_case=f"{use.ref} {use.name}" if use else "",
        tier_mark=mark,
        tier_word=word,
        environment=revision.environment,
        costs=comparison_views(deployment.pk, limit=1),
        evidence=tuple(line for line in evidence_about(*about, now=now) if line.id not in bound),
        runs=shown,
        same_form=runs.filter(weight_dtype=revision.weight_dtype).exists(),
        relied=relied,
    )
