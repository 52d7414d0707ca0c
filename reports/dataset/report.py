"""The whole deployment transparency report and its canonical JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import rfc8785

from .fields import Field, FieldGroup
from .parts import (
    Approval,
    Checkpoint,
    Comparison,
    Finding,
    Fit,
    Gap,
    HardwareWindow,
    LeftOut,
    Person,
    RegisterRow,
    ToolCall,
    UsageWindow,
)

SCHEMA = "assay-report/deployment-transparency@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """What turned the dataset into pages; the same renderer gives the same bytes again."""

    template: str
    versions: tuple[tuple[str, str], ...]
    fonts: tuple[tuple[str, str], ...]  # file name, SHA-256 hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole deployment transparency report."""

    report: str  # report:<uuid>
    language: str
    organisation: str
    classification: str
    title: str
    issued_at: str
    prepared_for: Person
    checkpoint: Checkpoint
    groups: tuple[FieldGroup, ...]
    fit: Fit | None
    approvals: tuple[Approval, ...]
    usage: tuple[UsageWindow, ...]
    usage_older: bool  # the ledger has windows older than those shown
    hardware: tuple[HardwareWindow, ...]
    hardware_older: bool
    tool_calls: tuple[ToolCall, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    register: tuple[RegisterRow, ...]
    register_total: int  # entries about this deployment at this size; more than the register when it is capped
    renderer: Renderer
    left_out: LeftOut
    schema: str = SCHEMA

    def fields(self) -> tuple[Field, ...]:
        return tuple(field for group in self.groups for field in group.fields)

    def cited(self) -> tuple[int, ...]:
        """Indexes of every entry a fact of this report rests on, in order."""
        found = {row.index for row in self.register}
        for field in self.fields():
            found.update(field.entries)
        parts = (self.approvals, self.usage, self.hardware, self.tool_calls, self.comparisons, self.findings, self.gaps)
        found.update(item.entry for part in parts for item in part)
        found.update(item.evidence for item in self.findings if item.evidence is not None)
        if self.fit is not None:
            found.add(self.fit.entry)
        return tuple(sorted(found))


def canonical_json(report: Report) -> bytes:
    """RFC 8785 bytes of the dataset: what is attached to the PDF and hashed into the ledger."""
    encoded: bytes = rfc8785.dumps(asdict(report))
    return encoded
