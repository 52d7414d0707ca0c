"""The uses of AI of the demo organisation, each classified by the decision tree with a reason for every answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

from audit.models import User
from governance import operations
from governance.classification import Answer, Tree, newest, walk
from governance.models import UseCase

_NO: Final = "Does not apply to this use; checked against the intended purpose."


@dataclass(frozen=True, slots=True)
class Use:
    """A use and the answers that are not no, each with its reason."""

    name: str
    purpose: str
    excluded: str
    role: str
    answers: Mapping[str, tuple[str, str]]


def _use(name: str, purpose: str, excluded: str, role: str, **answers: tuple[str, str]) -> Use:
    common = {
        "s1": ("yes", "A language model infers text from text; it is machine-based and acts with some autonomy."),
        "s2": ("yes", "The European branch uses the output."),
    }
    return Use(name, purpose, excluded, role, MappingProxyType({**common, **answers}))


CREDIT: Final = "Credit decisions"
CLAIMS: Final = "Claims handling"
HIRING: Final = "Hiring"
CUSTOMERS: Final = "Customer service"
ENGINEERING: Final = "Software engineering"

USES: Final = (
    _use(
        CREDIT,
        "Draft credit memos and summarise applicants' files for credit officers, who decide every credit.",
        "No score, no proposal to grant or refuse, no use for existing customers' limits.",
        "deployer",
        a0=("area_5", "Credit to natural persons is an essential private service."),
        a5b=("yes", "The memo is the officers' main source on an applicant's creditworthiness."),
        e1=("yes", "A memo describes one person's economic situation: that is profiling."),
    ),
    _use(
        CLAIMS,
        "Sort incoming motor and household claims by urgency; a person handles every claim.",
        "No life or health insurance, no refusal, no fraud score.",
        "deployer",
    ),
    _use(
        HIRING,
        "Summarise applications for recruiters against the advertised requirements.",
        "No ranking, no rejection without a recruiter, no video or voice.",
        "deployer",
        a0=("area_4", "Recruitment is named in Annex III, point 4."),
        a4a=("yes", "It filters what recruiters read of an application."),
        e1=("yes", "An application is evaluated as to a person's qualities: that is profiling."),
    ),
    _use(
        CUSTOMERS,
        "Answer customers' questions on products and opening hours; hands over to a person on request.",
        "No advice on investments, no change of contracts.",
        "deployer",
        t1=("yes", "Customers write to it directly and might take it for a person."),
        t2=("yes", "It writes text that is sent to customers."),
    ),
    _use(
        ENGINEERING,
        "Propose code, tests and reviews to the bank's own engineers in their repositories.",
        "No production access, no customer data.",
        "deployer",
    ),
)


def tell_uses(owner: User, *, began: datetime) -> dict[str, UseCase]:
    """The uses by name; missing ones are registered at `began` and classified the day after."""
    tree = newest()
    for use in USES:
        if UseCase.objects.filter(name=use.name).exists():
            continue
        made = operations.register_use_case(
            by=owner,
            name=use.name,
            intended_purpose=use.purpose,
            out_of_scope_uses=use.excluded,
            eu_role=use.role,
            member_states=("DE", "FR"),
            begin_date=date(began.year, began.month, began.day),
            now=began,
        )
        operations.classify_use_case(
            by=owner,
            use_case_id=made.id,
            tree_version=tree.version,
            answers=_answers(tree, use),
            seen=1,
            now=began + timedelta(days=1),
        )
    return {row.name: row for row in UseCase.objects.filter(name__in=[use.name for use in USES])}


def _answers(tree: Tree, use: Use) -> list[Answer]:
    """Every question that the answers of `use` lead to; what it does not name is answered no."""
    given: dict[str, Answer] = {}
    while (asked := walk(tree, given).waits_for) is not None:
        answer, reason = use.answers.get(asked.id, ("none" if asked.id == "a0" else "no", _NO))
        given[asked.id] = Answer(asked.id, answer, reason)
    return list(given.values())
