"""What an approval stands on changes afterwards: each cause ends the approval or warns, once; and asking again."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from audit import queries as log
from governance import operations, queries
from governance.models import ApprovalRequest, Deployment, ReapprovalTrigger, RequestEvidence
from governance.operations import Reapproved, Refused
from governance.tasks import reapprove
from governance.workflow.triggers import RULES, Cause
from tests.integration.approvals_story import Approvals, stage, tell_approvals
from tests.integration.data_story import evidence
from tests.integration.governance_story import NOW, Story, login, tell
from tests.integration.test_governance_pages import browser
from tests.integration.test_governance_standing import stand
from tests.integration.test_model_lineage import link, made

pytestmark = pytest.mark.usefixtures("db")

ONE_STAGE = (stage("review"),)
LATER = NOW + timedelta(hours=1)


class World:
    """Approved deployments, one for each cause, and what spoils each."""

    def __init__(self, told: Approvals) -> None:
        self.told = told
        self.story = told.story

    def approved(self, name: str, **other: object) -> ApprovalRequest:
        request = self.story.submitted(name, **other)
        self.told.decide(request, self.story.reviewer)
        return request

    def version(self, name: str) -> UUID:
        return made(self.story, name).id

    def withdrawn(self) -> ApprovalRequest:
        version = self.version("Withdrawn")
        request = self.approved("withdrawn", model_version_id=version)
        stand(self.story, "retired", by=self.story.requester, subject_id=version)
        return request

    def outdated(self) -> ApprovalRequest:
        version = self.version("Outdated")
        request = self.approved("outdated", model_version_id=version)
        stand(self.story, "deprecated", by=self.story.requester, subject_id=version)
        return request

    def ancestor_quarantined(self) -> ApprovalRequest:
        base, middle, child = (self.version(name) for name in ("Base", "Middle", "Child"))
        link(self.story, middle, base)
        link(self.story, child, middle)
        request = self.approved("ancestor", model_version_id=child)
        stand(self.story, "quarantined", subject_id=base)
        return request

    def evidence_spoilt(self) -> ApprovalRequest:
        relied = evidence(self.story)
        request = self.approved("spoilt", relied_on=(relied.pk,))
        operations.revoke_evidence(by=self.story.requester, evidence_id=relied.pk, reason="It was faulty.", now=NOW)
        return request

    def evidence_superseded(self) -> ApprovalRequest:
        relied = evidence(self.story, sha256="b" * 64)
        request = self.approved("superseded", relied_on=(relied.pk,))
        evidence(self.story, sha256="c" * 64, supersedes_id=relied.pk)
        return request

    def _tier(self, old: str, new: str) -> ApprovalRequest:
        use = self.told.use_case(old)
        request = self.approved(f"from {old} to {new}", use_case_id=use.pk)
        self.told.classify(use, new)
        return request

    def tier_raised(self) -> ApprovalRequest:
        return self._tier("minimal", "transparency")

    def tier_changed(self) -> ApprovalRequest:
        return self._tier("transparency", "minimal")

    def policy_renewed(self) -> ApprovalRequest:
        self.told.adopted("staging", ONE_STAGE, applies_when={"environment": ["staging"]})
        request = self.approved("policy", environment="staging")
        newer = self.told.policy("staging", ONE_STAGE, applies_when={"environment": ["staging"]}, now=LATER)
        operations.decide_policy(
            policy_id=newer.id, by=self.told.second_officer, decision="adopt", reason="Reviewed again, as every year.",
            seen=1, now=LATER,
        )  # fmt: skip
        return request

    def grant_widened(self) -> ApprovalRequest:
        request = self.approved("acting")
        agent = operations.register_agent(
            by=self.story.requester, name="collector", purpose="Collects figures.", now=NOW,
            deployment_id=request.deployment_id, autonomy="act_with_approval",
        )  # fmt: skip
        for tool, reach, at in (("a", "reversible", NOW), ("b", "reversible", LATER), ("c", "irreversible", LATER)):
            operations.grant_tool(by=self.story.requester, agent_id=agent.id, tool=tool, reversibility=reach, now=at)
        return request

    def oversight_vacant(self) -> ApprovalRequest:
        return self.approved("vacant", use_case_id=self.told.use_case("high").pk)


def test_each_cause_is_raised_once_and_does_what_the_table_says() -> None:
    world = World(tell_approvals())
    untouched = world.approved("untouched")
    requests = {cause: getattr(world, cause.value)() for cause in Cause}
    done = operations.reapprove(now=LATER)
    blocking = {cause for cause in Cause if RULES[cause].effect == "blocks"}
    assert done == Reapproved(raised=len(Cause), ended=len(blocking))
    rows = list(ReapprovalTrigger.objects.order_by("cause").values_list("cause", "request_id"))
    assert rows == sorted((cause.value, request.pk) for cause, request in requests.items())
    assert operations.reapprove(now=LATER) == Reapproved(), "nothing is raised twice"
    reapprove()
    assert ReapprovalTrigger.objects.count() == len(Cause)

    for cause, request in requests.items():
        row = ReapprovalTrigger.objects.get(request=request)
        request.refresh_from_db()
        answer = queries.approval(request.revision_digest, now=LATER)
        assert answer is not None
        page = queries.review_page(request.pk, user=world.story.reviewer, now=LATER)
        assert [line.detail for line in page.triggers] == [row.detail]
        if cause in blocking:
            assert (request.state, answer.may_run, answer.warnings) == ("invalidated", False, ()), cause
            assert Deployment.objects.get(pk=request.deployment_id).approved_revision_id is None
            (end,) = (e for e in log.history(f"request:{request.pk}") if e.type == "request.invalidated")
            assert log.section_facts([end.index])[end.index]["reason"] == row.detail
        else:
            assert (request.state, answer.may_run, answer.warnings) == ("approved", True, (row.detail,)), cause
    untouched.refresh_from_db()
    assert untouched.state == "approved"
    told = ReapprovalTrigger.objects.get(cause="grant_widened")
    assert "c (irreversible)" in told.detail
    assert told.entry_index is not None

    client = browser(world.story.reviewer)
    for cause in (Cause.WITHDRAWN, Cause.OUTDATED):
        request, row = requests[cause], ReapprovalTrigger.objects.get(cause=cause)
        for address in (("desk_review", request.pk), ("desk_deployment", request.deployment_id)):
            assert row.detail in client.get(reverse(f"admin:{address[0]}", args=address[1:])).content.decode()


def test_an_expired_pool_or_base_ends_approvals_and_the_tables_agree_with_the_log() -> None:
    story = tell()
    ends = evidence(story, valid_until=NOW.date() + timedelta(days=1))
    expiring = story.submitted("expiring", relied_on=(ends.pk,))
    pooled = story.submitted("pooled")
    for request in (expiring, pooled):
        story.decided(request)
    assert operations.reapprove(now=LATER) == Reapproved()
    after = NOW + timedelta(days=3)
    assert operations.reapprove(now=after) == Reapproved(1, 1)
    stand(story, "quarantined", subject_kind="gpu_pool", subject_id=story.pool)
    assert operations.reapprove(now=after) == Reapproved(1, 1), "an approval that ended is not looked at"
    assert {row.subject for row in ReapprovalTrigger.objects.all()} == {f"evidence:{ends.pk}", f"gpu_pool:{story.pool}"}
    assert queries.reconcile() == []
    assert f"reapproval_trigger:{ReapprovalTrigger.objects.get(request=pooled).pk}" in queries.related_subjects(
        pooled.deployment_id
    )


def test_the_database_refuses_a_trigger_of_nothing_that_stands() -> None:
    story = tell()
    request = story.submitted()
    other = story.submitted("other")
    story.decided(other)
    for of, deployment, effect in (
        (request, request.deployment_id, "blocks"),
        (other, request.deployment_id, "blocks"),
        (other, other.deployment_id, "warns"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO reapproval_trigger (id, request_id, deployment_id, cause, effect, subject, detail,"
                " raised_at) VALUES (gen_random_uuid(), %s, %s, 'withdrawn', %s, 'model:x', 'because', now())",
                [of.pk, deployment, effect],
            )


def test_the_same_is_asked_again_with_a_reason_and_nothing_else() -> None:
    story: Story = tell()
    kept, gone = evidence(story), evidence(story, sha256="d" * 64)
    first = story.submitted(
        relied_on=(kept.pk, gone.pk), tool_grants=("crm.lookup",), engine_version="0.11.1", tensor_parallel=1
    )
    client = browser(story.requester)
    address = reverse("admin:desk_again", args=[first.pk])
    page = reverse("admin:desk_review", args=[first.pk])
    assert client.post(address, {"justification": "Once more."}).status_code == 400, "it is still open"
    story.decided(first)
    assert "it can be renewed in its last 30 days" in client.get(page).content.decode()
    assert client.post(address, {"justification": "Once more."}).status_code == 400, "it stands"
    operations.revoke_evidence(by=story.requester, evidence_id=gone.pk, reason="It was faulty.", now=NOW)
    assert operations.reapprove(now=LATER) == Reapproved(1, 1)

    assert client.post(address, {"justification": " "}).status_code == 400, "it needs a reason"
    stranger = login("stranger", "Operators")
    with pytest.raises(Refused, match="Only members of the pool"):
        operations.request_again(request_id=first.pk, by=stranger, justification="Mine.", now=LATER)
    with pytest.raises(Refused, match="does not exist"):
        operations.request_again(request_id=story.pool, by=stranger, justification="Mine.", now=LATER)
    answer = client.post(address, {"justification": "The faulty report is not relied on any more."})
    asked = ApprovalRequest.objects.get(state="open")
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("admin:desk_review", args=[asked.pk])
    assert (asked.previous_request_id, asked.revision_id) == (first.pk, first.revision_id)
    assert [row.evidence_id for row in RequestEvidence.objects.filter(request=asked)] == [kept.pk]
    assert f"{asked.ref} is still open for this deployment" in client.get(page).content.decode()
    story.decided(asked)
    answered = queries.approval(asked.revision_digest, now=LATER)
    assert answered is not None
    assert answered.may_run
    with pytest.raises(Refused, match="by another request"):
        operations.request_again(request_id=first.pk, by=story.service, justification="Again.", now=LATER)
