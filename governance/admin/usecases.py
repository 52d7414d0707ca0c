"""Use cases: one on its page, and the form that asks the questions of the decision tree."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from governance import operations, queries
from governance.admin.base import page, person
from governance.classification import UNSURE, Answer, AnswersRefused, Question, Walk, newest
from governance.queries.oversight import is_vacant, oversight_of
from governance.queries.usecases import ClassifyPage, answer_word, told


@require_safe
def use_case(request: HttpRequest, use_case_id: UUID) -> HttpResponse:
    """What the use is, what it was classified as, and by which answers."""
    try:
        found = queries.use_case_page(use_case_id)
    except queries.UseCaseNotFound as error:
        raise Http404(str(error)) from error
    today = timezone.now().date()
    context = {
        "title": found.name,
        "use_case": found,
        "blocked": _blocked(request),
        "standing": queries.standing_view("use_case", found.id, user=person(request)),
        "oversight": oversight_of(use_case_id, today),
        "vacant": is_vacant(use_case_id, today),
        "evidence": queries.evidence_about(f"use_case:{use_case_id}", now=timezone.now()),
    }
    return page(request, "admin/governance/use/case.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def classify(request: HttpRequest, use_case_id: UUID) -> HttpResponse:
    """One question after the other, all on one page; a POST goes on, and only `record` writes."""
    sent = _sent(request)
    answers = {node: said for node, said in sent.items() if said.answer} if request.method == "POST" else None
    refused: operations.Refused | None = None
    try:
        found = queries.classify_page(use_case_id, answers)
    except queries.UseCaseNotFound as error:
        raise Http404(str(error)) from error
    except AnswersRefused as error:
        refused = operations.Refused(f"answers.{error.node}", error.reason)
        found = queries.classify_page(
            use_case_id, {node: said for node, said in (answers or {}).items() if node != error.node}
        )
    if refused is None and answers is not None:
        refused = _not_yet(request, found.found)
        if refused is None and request.POST.get("act") == "record":
            try:
                return _record(request, found)
            except operations.Refused as error:
                refused = error
    return _form(request, found, sent or {step.question.id: step.answer for step in found.found.steps}, refused)


def _record(request: HttpRequest, found: ClassifyPage) -> HttpResponse:
    seen = request.POST.get("seen", "")
    operations.classify_use_case(
        by=person(request),
        use_case_id=found.id,
        tree_version=request.POST.get("tree_version", "")[:40],
        answers=[step.answer for step in found.found.steps],
        seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0,
        now=timezone.now(),
    )
    messages.success(request, _("The classification is recorded in the ledger."))
    return HttpResponseRedirect(reverse("admin:desk_use_case", args=[found.id]))


def _sent(request: HttpRequest) -> dict[str, Answer]:
    """What was filled in, by question, in the order of the tree."""
    return {
        node: Answer(node, request.POST.get(f"answer-{node}", ""), request.POST.get(f"reason-{node}", ""))
        for node in newest().questions
        if f"reason-{node}" in request.POST
    }


def _not_yet(request: HttpRequest, found: Walk) -> operations.Refused | None:
    """What is missing before the form goes on, or before the result is one that this person has seen."""
    for step in found.steps:
        if not step.answer.reason.strip():
            return operations.Refused(f"answers.{step.question.id}", _("Say why: the reason is kept with the answer."))
    if found.waits_for is not None and request.POST.get("asked") == found.waits_for.id:
        return operations.Refused(f"answers.{found.waits_for.id}", _("Choose an answer."))
    if request.POST.get("act") == "record" and request.POST.get("followed") != _followed(found):
        return operations.Refused(
            "", _("The answers have changed and lead to what is shown now. Read it, then record.")
        )
    return None


def _followed(found: Walk) -> str:
    return ",".join(f"{step.question.id}={step.answer.answer}" for step in found.steps)


def _form(
    request: HttpRequest, found: ClassifyPage, said: dict[str, Answer], refused: operations.Refused | None
) -> HttpResponse:
    asked = [step.question for step in found.found.steps]
    waits_for = found.found.waits_for
    about = refused.field.removeprefix("answers.") if refused else ""
    shown = [*asked, waits_for] if waits_for else asked
    questions = [_question(question, said.get(question.id), about, refused) for question in shown]
    context = {
        "title": _("Classify %(name)s") % {"name": found.name},
        "page": found,
        "questions": questions,
        "ended": found.found.ended,
        "waits_for": waits_for.id if waits_for else "",
        "result": told(found.found.result.label) if found.found.result else "",
        "result_note": told(found.found.result.note) if found.found.result else "",
        "followed": _followed(found.found),
        "refused": refused if refused and about not in {question["id"] for question in questions} else None,
        "blocked": _blocked(request),
    }
    return page(request, "admin/governance/use/classify.html", context, status=400 if refused else 200)


def _question(
    question: Question, said: Answer | None, about: str, refused: operations.Refused | None
) -> dict[str, object]:
    answers = [*(choice.answer for choice in question.choices), UNSURE]
    return {
        "id": question.id,
        "text": told(question.text),
        "help": told(question.help),
        "refs": question.refs,
        "answers": [(answer, answer_word(question, answer)) for answer in answers],
        "answer": said.answer if said else "",
        "reason": said.reason if said else "",
        "wrong": refused.reason if refused and about == question.id else "",
    }


def _blocked(request: HttpRequest) -> str:
    return queries.why_not_register(queries.viewer(person(request)))
