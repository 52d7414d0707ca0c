"""What the dataset says of telemetry, erased content and what lies beyond its tree."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from audit import erasure
from audit import queries as log
from audit.queries.roles import DATA_PROTECTION
from audit.tlog.bundle import verify_bundle
from governance import operations as governance
from governance import queries
from governance.models import ApprovalRequest, Deployment, ToolGrant
from reports import dataset, operations
from reports.collect import Material, activity, evidence, material, subjects
from reports.collect.telemetry import MAX_WINDOWS
from reports.models import Report
from reports.render import view
from reports.render.make import made_from, renderer
from tests.integration import reports_windows as windows
from tests.integration.erasure_story import REASON, person
from tests.integration.governance_story import NOW
from tests.integration.reports_story import Reported, call, sign
from tests.integration.test_governance_adapters import register
from tests.services.constants import SIGNING_KEY
from tests.services.databases import Database

TARGET, GAP = UUID(int=7), UUID(int=8)


@pytest.fixture
def committed(report_database: Database) -> Database:
    return report_database


def collect(reported: Reported, *, size: int | None = None) -> Material:
    row = Report(
        id=UUID(int=1),
        deployment=f"deployment:{reported.deployment}",
        title="t",
        tree_size=size or sign(),
        classification="c",
        requested_by=reported.auditor.actor,
        requested_at=NOW,
    )
    return material(row, renderer())


def test_usage_windows_with_an_amendment_and_a_missed_one(reported: Reported) -> None:
    later = NOW + windows.LENGTH
    windows.usage(reported.deployment, NOW, [windows.counters(500, 200)])
    windows.usage(reported.deployment, later, [], missed=5)
    windows.usage(reported.deployment, NOW, [windows.counters(500, 200), windows.counters(70)], amends=True)
    first, second = collect(reported).report.usage
    assert (first.output_tokens, first.reasoning_tokens, first.requests, first.source) == (570, 200, 6, "counted")
    assert first.complete and first.entry > second.entry
    assert (second.output_tokens, second.source, second.complete) == (None, "nothing", False)


def test_hardware_by_device_with_counted_and_estimated_energy(reported: Reported) -> None:
    pool = reported.story.pool
    counted = [windows.sample("GPU-a", 400_000, 2_000_000), windows.sample("GPU-a", 440_000, 2_200_000)]
    windows.hardware(pool, NOW, [*counted, windows.sample("GPU-b", 300_000, None)])
    windows.hardware(pool, NOW + windows.LENGTH, [], missed=5)
    report = collect(reported).report
    a, b, silent = report.hardware
    assert (a.device, a.power_mean_mw, a.power_max_mw, a.samples) == ("H100, GPU-a", 420_000, 440_000, 2)
    assert (a.energy_mj, a.energy_estimated, a.energy_plausible) == (4_200_000, False, True)
    assert (b.energy_mj, b.energy_estimated, b.energy_plausible) == (3_000_000, True, None)
    assert (silent.device, silent.samples, silent.power_mean_mw, silent.complete) == ("", 0, None, False)
    assert report.fit is not None and report.fit.measured_peak_bytes == 60 * 1024**3


def test_only_the_newest_windows_are_shown_and_that_is_said(reported: Reported) -> None:
    for n in range(MAX_WINDOWS + 2):
        windows.usage(reported.deployment, NOW + n * windows.LENGTH, [windows.counters(n)])
    report = collect(reported).report
    assert len(report.usage) == MAX_WINDOWS and report.usage_older and not report.hardware_older
    assert report.usage[0].output_tokens == 2


def test_a_gap_is_told_once_by_its_newest_entry(reported: Reported) -> None:
    windows.target("node GPUs", TARGET, f"gpu_pool:{reported.story.pool}")
    windows.target("elsewhere", UUID(int=9), "gpu_pool:other")
    windows.gap(GAP, TARGET, ended=False)
    windows.gap(UUID(int=10), UUID(int=9), ended=True)
    (lasting,) = collect(reported).report.gaps
    assert (lasting.target, lasting.end, lasting.reason) == ("node GPUs", None, "not_asked")
    windows.gap(GAP, TARGET, ended=True)
    (ended,) = collect(reported).report.gaps
    assert ended.end is not None and ended.entry > lasting.entry


def test_long_lists_show_the_newest_and_say_how_many_are_left_out(
    reported: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        call(reported.agent, f"tool.{n}", side_effect=True)
        call(UUID(int=n), "elsewhere", side_effect=True)
    governance.follow_log(now=NOW)
    windows.target("node GPUs", TARGET, f"gpu_pool:{reported.story.pool}")
    for n in range(3):
        windows.gap(UUID(int=20 + n), TARGET, ended=False)
        windows.gap(UUID(int=20 + n), TARGET, ended=True)
    whole = collect(reported).report
    assert (len(whole.findings), len(whole.tool_calls), len(whole.gaps)) == (5, 6, 3)
    assert whole.left_out.total() == 0
    for name in ("MAX_FINDINGS", "MAX_CALLS", "MAX_GAPS"):
        monkeypatch.setattr(activity, name, 2)
    monkeypatch.setattr(subjects, "MAX_STEPS", 1)
    short = collect(reported).report
    assert short.findings == whole.findings[-2:] and short.tool_calls == whole.tool_calls[-2:]
    assert short.gaps == whole.gaps[-2:] and short.approvals == whole.approvals[-1:]
    assert short.left_out == dataset.LeftOut(approvals=1, tool_calls=4, findings=3, gaps=2)
    assert short.register_total == whole.register_total


def test_a_call_after_its_grant_ended_is_outside_of_it(reported: Reported) -> None:
    agent, requester = reported.agent, reported.story.requester
    grant = ToolGrant.objects.get(agent_id=agent)
    governance.revoke_grant(by=requester, grant_id=grant.pk, reason="No longer needed.", now=NOW)
    call(agent, "crm.read", side_effect=False)
    now = timezone.now()
    for reach, until in (("reversible", None), ("read_only", now + timedelta(days=1))):
        governance.grant_tool(
            by=requester, agent_id=agent, tool="crm.read", reversibility=reach, valid_until=until, now=now
        )
        call(agent, "crm.read", side_effect=True)
    found = [item.granted for item in collect(reported).report.tool_calls if item.tool == "crm.read"]
    assert found == [True, False, True, False], "the newest grant counts, until it ends"


def test_what_happens_elsewhere_costs_a_report_nothing(reported: Reported, monkeypatch: pytest.MonkeyPatch) -> None:
    before = collect(reported).report
    monkeypatch.setattr(evidence, "MAX_SCAN", 2)
    monkeypatch.setattr(evidence, "PAGE", 2)
    for n in range(6):
        call(UUID(int=n), "elsewhere", side_effect=True)
        windows._append("demo.note", f"deployment:{reported.deployment}", {"n": n})
    governance.follow_log(now=NOW)
    reported.story.submitted("another")
    after = collect(reported).report
    assert (after.findings, after.tool_calls, after.approvals) == (before.findings, before.tool_calls, before.approvals)
    assert after.groups == before.groups


def test_nothing_beyond_its_tree_is_in_it(reported: Reported) -> None:
    size = sign()
    before = collect(reported, size=size)
    windows.usage(reported.deployment, NOW, [windows.counters(500)])
    reported.story.submitted(reasoning_cap=None)
    sign()
    assert collect(reported, size=size) == before
    assert collect(reported).report.usage and not before.report.usage


def test_an_erased_snapshot_is_withheld_and_its_entry_still_proven(reported: Reported) -> None:
    before = collect(reported)
    (pool,) = [group for group in before.report.groups if group.key == "gpu_pool"]
    entry = pool.fields[0].entries[0]
    told = _erase(entry)
    found = collect(reported)
    (withheld,) = [group for group in found.report.groups if group.key == "gpu_pool"]
    assert {field.state for field in withheld.fields} == {dataset.FieldState.WITHHELD}
    assert withheld.fields[0].entries == (entry,)
    (row,) = [row for row in found.report.register if row.index == entry]
    assert row.withheld == ("facts",)
    # The bundle says which entry tells the erasure, and brings it along; at the older tree it only names it.
    keys = [SIGNING_KEY.verifier]
    for proof, last in ((found.facts, told), (collect(reported, size=before.report.checkpoint.size).facts, None)):
        result = verify_bundle(proof, keys)
        assert result.ok, result.failures
        sections = {item.index: item.sections for item in result.entries}
        shown = f"erased, see entry {told}" if last else f"said to be erased by a later entry {told}, not shown"
        assert sections[entry] == {"facts": shown}
        assert (told in sections) == (last is not None)
    # The row of the registry that the snapshot told of is no contradiction for that.
    assert queries.reconcile() == []


def test_a_report_can_be_asked_for_when_the_deployments_own_snapshot_was_erased(reported: Reported) -> None:
    state = log.state_at(f"deployment:{reported.deployment}", sign())
    assert state
    _erase(state.index)
    sign()
    asked = operations.request_report(deployment_id=reported.deployment, requester=reported.auditor, now=NOW)
    assert Report.objects.get(pk=asked).title == f"deployment:{reported.deployment}"
    assert collect(reported).report.groups[0].fields[0].state == dataset.FieldState.WITHHELD


def _erase(index: int) -> int:
    """Erase the facts of an entry, by two persons; returns the entry that tells it."""
    asker, decider = (person(name, DATA_PROTECTION) for name in ("keller", "brandt"))
    asked = erasure.request_erasure(
        entry_index=index, section="facts", legal_basis="order", reason=REASON, by=asker, now=NOW
    )
    return erasure.decide_erasure(request_id=asked, decision="approve", reason=REASON, by=decider, now=NOW).entry


def test_strange_facts_do_not_stop_a_report(reported: Reported) -> None:
    odd: list[dict[str, Any]] = [
        {},
        {"window": 3, "totals": [], "kind": "usage"},
        {"window": {"start": "2026-11-24T09:00:00.000000Z", "end": 7}, "totals": {"requests": True}},
        {"devices": [3, {"power_mw": 4, "energy": None}], "window": {"start": "2026-11-24T09:00:00.000000Z"}},
    ]
    for content in odd:
        windows._append("window.usage", f"deployment:{reported.deployment}", content)
        windows._append("window.hardware", f"gpu_pool:{reported.story.pool}", content)
    found = collect(reported)
    assert len(found.report.usage) == 1 and found.report.usage[0].requests is None


def test_a_full_report_renders(reported: Reported) -> None:
    windows.target("node GPUs", TARGET, f"gpu_pool:{reported.story.pool}")
    windows.gap(GAP, TARGET, ended=False)
    for n in range(6):
        at = NOW + timedelta(seconds=10 * n)
        windows.usage(reported.deployment, at, [] if n == 3 else [windows.counters(400 + n, 100)], missed=5 * (n == 3))
        rows = [] if n == 3 else [windows.sample("GPU-a", 400_000 + n, 2_000_000)]
        windows.hardware(reported.story.pool, at, rows, missed=5 * (n == 3))
    found = collect(reported)
    assert made_from(found.report, found.dataset, found.facts).startswith(b"%PDF-1.7")


def test_a_revision_names_the_adapters_it_loads(reported: Reported) -> None:
    def loaded() -> tuple[dataset.FieldState, object]:
        (revision,) = [group for group in collect(reported).report.groups if group.key == "revision"]
        (field,) = [field for field in revision.fields if field.key == "adapters"]
        return field.state, field.value

    assert loaded() == (dataset.FieldState.NOT_APPLICABLE, None)
    story = reported.story
    tone = register(story)
    name = Deployment.objects.get(pk=reported.deployment).name
    story.decided(story.submitted(name, adapters=(tone.id,), purpose=""))
    assert loaded() == (dataset.FieldState.PROVIDED, "tone 1")


def test_a_later_request_does_not_change_where_the_approved_revision_stands(reported: Reported) -> None:
    def stands() -> tuple[str, int]:
        report = collect(reported).report
        step = view.decision(report)
        assert step
        return step.step, len(report.approvals)

    story, name = reported.story, Deployment.objects.get(pk=reported.deployment).name
    before, steps = stands()
    assert before == "approved"
    request = story.submitted(name, context=4096, purpose="")
    assert stands() == ("approved", steps + 1)
    story.decided(request, "request_changes")
    assert stands()[0] == "approved"
    approved = ApprovalRequest.objects.get(deployment=reported.deployment, state="approved")
    governance.revoke(request_id=approved.pk, by=story.reviewer, reason=REASON, now=NOW)
    assert stands()[0] == "revoked"
