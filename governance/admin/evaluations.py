"""Pages of evaluations: recording one, one run, those of a model version, and setting a threshold."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.models import User
from governance import operations, queries
from governance.admin.base import page, person
from governance.admin.data_forms import EvaluationForm, ThresholdForm
from governance.admin.registering import FORM, form_page


@FORM
def evaluation_new(request: HttpRequest) -> HttpResponse:
    """Record results by hand; pipelines push them over REST."""
    initial = {"model_version": request.GET.get("version", "")[:36]}
    form = EvaluationForm(request.POST or None, initial=initial, label_suffix="")

    def record(user: User, fields: dict[str, Any]) -> str:
        for name in ("model_version", "adapter", "use_case", "dataset_version"):
            row = fields.pop(name)
            fields[f"{name}_id"] = row.pk if row else None
        result = operations.EvaluationResult(**fields)
        try:
            made = operations.record_evaluation(by=user, result=result, now=timezone.now())
        except operations.Refused as error:
            raise _on_its_line(error) from error
        return reverse("admin:desk_evaluation", args=[made.id])

    texts = {"title": _("Record an evaluation"), "go": _("Record"), "files": False}
    return form_page(request, form, record, texts, _blocked(request))


@require_safe
def evaluation(request: HttpRequest, evaluation_id: UUID) -> HttpResponse:
    """What was measured, and what each value means under the thresholds of that moment."""
    try:
        found = queries.evaluation_page(evaluation_id)
    except queries.EvaluationNotFound as error:
        raise Http404(str(error)) from error
    about = queries.evidence_about(f"evaluation_run:{evaluation_id}", now=timezone.now())
    context = {"title": f"{found.ref}: {found.model}", "evaluation": found, "evidence": about}
    return page(request, "admin/governance/data/evaluation.html", context)


@require_safe
def model_evaluations(request: HttpRequest, evaluated_version_id: UUID) -> HttpResponse:
    """Runs of a model version, which stored forms were evaluated, and the thresholds of its model."""
    now = timezone.now()
    try:
        found = queries.model_evaluations(evaluated_version_id, now=now)
    except queries.EvaluationNotFound as error:
        raise Http404(str(error)) from error
    context = {
        "title": _("Evaluations of %(name)s") % {"name": f"{found.model} {found.version}"},
        "found": found,
        "evidence": queries.evidence_about(f"model_version:{evaluated_version_id}", now=now),
        "blocked": _blocked(request),
    }
    return page(request, "admin/governance/data/model.html", context)


@FORM
def threshold_new(request: HttpRequest) -> HttpResponse:
    """Set a threshold of a model or of a use case, or end one."""
    initial = {name: request.GET.get(name, "")[:100] for name in ("model", "use_case", "metric")}
    form = ThresholdForm(request.POST or None, initial=initial, label_suffix="")

    def set_(user: User, fields: dict[str, Any]) -> str:
        model, use_case = fields.pop("model"), fields.pop("use_case")
        limit = fields.pop("limit").strip() or None
        shape = fields.pop("shape")
        operations.set_threshold(
            by=user,
            model_id=model.pk if model else None,
            use_case_id=use_case.pk if use_case else None,
            slice_=fields.pop("slice"),
            shape=shape if limit is not None else "",
            limit=limit,
            now=timezone.now(),
            **fields,
        )
        return reverse("admin:governance_metricthreshold_changelist")

    texts = {"title": _("Set a threshold"), "go": _("Set"), "files": False}
    return form_page(request, form, set_, texts, _blocked(request))


def _on_its_line(error: operations.Refused) -> operations.Refused:
    """A refusal inside a metric, told by the line of the form that it stands on."""
    begins, _dot, rest = error.field.partition(".")
    place, _dot, field = rest.partition(".")
    if begins != "metrics" or not place:
        return error
    words = _("Line %(line)s, %(field)s: %(reason)s") % {"line": int(place) + 1, "field": field, "reason": error.reason}
    return operations.Refused("metrics", words)


def _blocked(request: HttpRequest) -> str:
    return queries.why_not_register(queries.viewer(person(request)))
