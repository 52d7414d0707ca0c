"""From one report row to its dataset and to the bundle that proves every entry in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from audit import queries
from audit.queries import CheckpointRow
from audit.queries.keys import current_keys
from audit.queries.names import names_of
from reports import dataset
from reports.collect import activity, approvals, register, registry, telemetry
from reports.collect.evidence import Ledger, moment, text
from reports.collect.subjects import Subjects, subjects
from reports.models import Report


class CollectError(RuntimeError):
    """The ledger does not give what the report needs; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Material:
    """The dataset, its canonical JSON, and the bundle (assay-bundle@v1) of every entry in its register."""

    report: dataset.Report
    dataset: bytes
    facts: bytes


def material(row: Report, renderer: dataset.Renderer) -> Material:
    """Collect everything a report shows, at its tree size.

    Raises:
        CollectError: no checkpoint of that size.
    """
    checkpoint = queries.checkpoint_at(row.tree_size)
    if checkpoint is None:
        raise CollectError(f"No checkpoint of {row.tree_size} entries was signed.")
    found = _report(row, checkpoint, renderer)
    indexes = [line.index for line in found.register]
    return Material(found, dataset.canonical_json(found), queries.bundle(indexes, size=checkpoint.size))


def _report(row: Report, checkpoint: CheckpointRow, renderer: dataset.Renderer) -> dataset.Report:
    ledger = Ledger(checkpoint.size)
    about = subjects(ledger, row.deployment)
    targets = telemetry.targets(ledger, about)
    usage, usage_older = telemetry.usage(ledger, about)
    hardware, hardware_older = telemetry.hardware(ledger, about)
    calls, calls_left_out = activity.tool_calls(ledger, about)
    comparisons, comparisons_left_out = activity.comparisons(ledger, about)
    findings, findings_left_out = activity.findings(ledger, about)
    gaps, gaps_left_out = activity.gaps(ledger, targets)
    names = names_of({*approvals.people(about), row.requested_by})
    draft = dataset.Report(
        report=row.subject,
        language=row.language,
        organisation=settings.ORGANISATION or "Assay",
        classification=row.classification,
        title=row.title,
        issued_at=moment(row.requested_at),
        prepared_for=dataset.Person(id=row.requested_by, name=names.get(row.requested_by)),
        checkpoint=_checkpoint(checkpoint),
        groups=registry.groups(ledger, about, names),
        fit=approvals.fit(about, telemetry.peak_memory(hardware)),
        approvals=approvals.approvals(about, names),
        usage=usage,
        usage_older=usage_older,
        hardware=hardware,
        hardware_older=hardware_older,
        tool_calls=calls,
        comparisons=comparisons,
        findings=findings,
        gaps=gaps,
        left_out=dataset.LeftOut(
            approvals=about.steps_left_out,
            tool_calls=calls_left_out,
            comparisons=comparisons_left_out,
            findings=findings_left_out,
            gaps=gaps_left_out,
        ),
        register=(),
        register_total=0,
        renderer=renderer,
    )
    seen = ledger.seen()
    indexes = register.chosen(draft.cited(), seen)
    total = len(set(draft.cited()) | set(seen)) + draft.left_out.total()
    return replace(draft, register=register.rows(indexes, seen, _titles(about)), register_total=total)


def _checkpoint(row: CheckpointRow) -> dataset.Checkpoint:
    # The oldest key that signed this size: a later change of keys does not change an old report.
    key = current_keys(row.size)[0]
    return dataset.Checkpoint(
        origin=settings.LEDGER_ORIGIN,
        size=row.size,
        root=row.root.hex(),
        note=row.note,
        key_name=key.name,
        key_fingerprint=key.fingerprint,
    )


def _titles(about: Subjects) -> Mapping[str, str]:
    """Names of the subjects, as the ledger has them at this size."""
    named = {
        subject: text(state.after.get("name") or state.after.get("version"), limit=100)
        for subject, state in about.states.items()
    }
    named |= {agent.row.subject: text(agent.after.get("name"), limit=100) for agent in about.agents}
    return {subject: name for subject, name in named.items() if name}
