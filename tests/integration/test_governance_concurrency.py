"""Two people at the same moment: one approval, one revision, one finding."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from django.db import connections

from audit import queries as log
from audit.models import User
from governance import operations, queries
from governance.models import ApprovalRequest, Decision, Deployment, Finding
from governance.operations import Refused
from tests.integration.approvals_story import DAY, stage, tell_approvals
from tests.integration.governance_story import NOW, REASON, tell
from tests.services.databases import Database


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each act gives or refuses when all start together, each on its own connection."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait(timeout=20)
        try:
            return act()
        except Refused as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_two_final_decisions_make_one_approval(committed: Database) -> None:
    story = tell()
    for decision in ("approve", "reject"):
        request = story.submitted(f"memo-{decision}")

        def decide(user: User, request: ApprovalRequest = request, decision: str = decision) -> object:
            return operations.decide(
                request_id=request.pk,
                decider=user,
                decision=decision,
                reason=REASON,
                digest_seen=request.decision_digest,
                now=NOW,
            )

        results = at_once(lambda: decide(story.reviewer), lambda: decide(story.second_reviewer))
        assert sorted(isinstance(item, Refused) for item in results) == [False, True]
        assert Decision.objects.filter(request=request).count() == 1
        closing = [e.type for e in log.history(f"request:{request.pk}")]
        assert len([name for name in closing if name in {"request.approved", "request.rejected"}]) == 1
    assert queries.reconcile() == []


def test_the_last_two_sealed_decisions_open_a_stage_once(committed: Database) -> None:
    told = tell_approvals()
    told.adopted(stages=[stage("one", quorum=2, blind=True), stage("two", "Risk owners")])
    request = told.story.submitted()
    people = (told.story.reviewer, told.story.second_reviewer, told.third_reviewer)
    results = at_once(*(partial(told.decide, request, user) for user in people))
    assert sorted(isinstance(item, Refused) for item in results) == [False, False, True]
    assert Decision.objects.filter(request=request).count() == 2
    told_as = [entry.type for entry in log.history(f"request:{request.pk}")]
    assert told_as.count("request.advanced") == 1
    acts = [lambda: operations.sweep(now=NOW + 400 * DAY) for _time in range(2)]
    told.decide(request, told.risk)
    swept = at_once(*acts)
    assert sum(item.expired for item in swept if isinstance(item, operations.Swept)) == 1
    assert queries.reconcile() == []


def test_a_withdrawal_and_an_approval_do_not_both_happen(committed: Database) -> None:
    story = tell()
    request = story.submitted()
    results = at_once(
        lambda: story.decided(request),
        lambda: operations.withdraw(request_id=request.pk, by=story.requester, reason="No need.", now=NOW),
    )
    assert sorted(isinstance(item, Refused) for item in results) == [False, True]
    assert queries.reconcile() == []


def test_two_requests_for_one_deployment_make_one(committed: Database) -> None:
    story = tell()
    results = at_once(lambda: story.submitted(context=4096), lambda: story.submitted(context=8192))
    assert sorted(isinstance(item, Refused) for item in results) == [False, True]
    assert Deployment.objects.count() == 1
    assert ApprovalRequest.objects.count() == 1
    assert queries.reconcile() == []


def test_two_followers_raise_a_finding_once(committed: Database) -> None:
    tell()
    size = log.head_size()
    results = at_once(lambda: operations.follow_log(now=NOW), lambda: operations.follow_log(now=NOW))
    assert sum(item.entries for item in results if isinstance(item, operations.Followed)) == size
    assert not Finding.objects.exists()
