"""Who oversees a use of AI: recorded, ended, and missing where the risk is high."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from audit import queries as log
from governance import operations, queries
from governance.classification import Answer
from governance.models import OversightAssignment, UseCase
from governance.operations import Recorded, Refused
from governance.queries.oversight import is_vacant, oversight_gaps, oversight_of
from tests.integration.governance_story import NOW, Story, tell

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
HIGH = {
    "s1": "yes",
}


@pytest.fixture
def story() -> Story:
    return tell()


def high_risk(story: Story, name: str = "Credit scoring") -> UseCase:
    """A use with a high risk; the tier is set as its classification would set it."""
    made = operations.register_use_case(
        by=story.requester, name=name, intended_purpose="Scores applicants.", eu_role="deployer", now=NOW
    )
    return UseCase.objects.get(pk=made.id)


def assigned(story: Story, use_case: UseCase, **other: Any) -> Recorded:
    fields: dict[str, Any] = {
        "person_id": story.reviewer.person_id,
        "role": "Head of credit",
        "competence": "Ten years of credit decisions.",
        "training": "Oversight of AI, two days",
        "training_date": TODAY - timedelta(days=90),
        "authority": "all",
        "valid_from": TODAY,
        **other,
    }
    return operations.assign_oversight(by=story.requester, use_case_id=use_case.pk, now=NOW, **fields)
