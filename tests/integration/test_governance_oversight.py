"""Who oversees a use of AI: recorded, ended, and missing where the risk is high."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import yaml

from audit import queries as log
from governance import operations, queries
from governance.classification import Answer, newest
from governance.classification.load import FOLDER, PREFIX
from governance.models import OversightAssignment, UseCase
from governance.operations import Recorded, Refused
from governance.queries.oversight import is_vacant, oversight_gaps, oversight_of
from tests.integration.governance_story import NOW, Story, tell

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
FILE = FOLDER / f"{PREFIX}{newest().version}.yaml"
HIGH = next(item["answers"] for item in yaml.safe_load(FILE.read_text("utf-8"))["examples"] if item["id"] == "ex05")
WALK = {**HIGH, **dict.fromkeys(("t1", "t2", "t3", "t4", "t5"), "no")}


@pytest.fixture
def story() -> Story:
    return tell()


def high_risk(story: Story, name: str = "Credit scoring") -> UseCase:
    """A use that was classified as one with a high risk."""
    made = operations.register_use_case(
        by=story.requester, name=name, intended_purpose="Scores applicants.", eu_role="deployer", now=NOW
    )
    operations.classify_use_case(
        by=story.requester,
        use_case_id=made.id,
        tree_version=newest().version,
        answers=[Answer(node, answer, "As its maker says.") for node, answer in WALK.items()],
        seen=1,
        now=NOW,
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


def test_a_high_risk_without_anybody_is_a_gap(story: Story) -> None:
    use_case = high_risk(story)
    operations.register_use_case(
        by=story.requester, name="Another", intended_purpose="Sorts mail.", eu_role="deployer", now=NOW
    )
    gap = ((use_case.pk, "Credit scoring"),)
    assert tuple((item.use_case_id, item.name) for item in oversight_gaps(TODAY)) == gap
    later = assigned(story, use_case, valid_from=TODAY + timedelta(days=1), valid_until=TODAY + timedelta(days=2))
    assert is_vacant(use_case.pk, TODAY), "somebody who begins tomorrow oversees nothing today"
    assert [len(oversight_gaps(TODAY + timedelta(days=days))) for days in range(4)] == [1, 0, 0, 1]
    made = assigned(story, use_case, valid_until=TODAY)
    assert (oversight_gaps(TODAY), is_vacant(use_case.pk, TODAY)) == ((), False)
    assert {(line.word, line.person, line.standing) for line in oversight_of(use_case.pk, TODAY)} == {
        ("In force", "Okafor", True),
        ("Begins later", "Okafor", False),
    }
    end = operations.end_oversight(by=story.requester, assignment_id=made.id, reason="Left the house.", now=NOW)
    assert is_vacant(use_case.pk, TODAY)
    ended = next(line for line in oversight_of(use_case.pk, TODAY) if line.id == made.id)
    assert (ended.word, ended.ended, ended.entry) == ("Ended", "Left the house.", made.entries[0])
    assert log.history(f"oversight_end:{end.id}")[0].type == "oversight.ended"
    for assignment_id, moment in ((made.id, NOW), (uuid4(), NOW), (later.id, NOW + timedelta(days=3))):
        with pytest.raises(Refused) as caught:
            operations.end_oversight(by=story.requester, assignment_id=assignment_id, reason="Again.", now=moment)
        assert caught.value.field == "assignment"
    assert queries.reconcile() == []


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"person_id": uuid4()}, "person_id"),
        ({"role": ""}, "role"),
        ({"competence": " "}, "competence"),
        ({"training": ""}, "training"),
        ({"training_date": date(2027, 1, 1)}, "training_date"),
        ({"authority": "some"}, "authority"),
        ({"valid_until": TODAY - timedelta(days=1)}, "valid_until"),
        ({"use_case": True}, "use_case"),
    ],
)
def test_an_assignment_that_cannot_be(story: Story, other: dict[str, Any], field: str) -> None:
    use_case = high_risk(story)
    if other.pop("use_case", False):
        use_case.pk = uuid4()
    with pytest.raises(Refused) as caught:
        assigned(story, use_case, **other)
    assert caught.value.field == field
    with pytest.raises(Refused, match="Only members"):
        operations.end_oversight(by=story.bystander, assignment_id=uuid4(), reason="No.", now=NOW)
    assert not OversightAssignment.objects.exists()
