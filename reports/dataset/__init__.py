"""Everything a report shows, as frozen dataclasses, and its canonical JSON (RFC 8785).

PURE: no framework. One dataset, many views: the PDF, the attached JSON and later the web page and Markdown are
made from it and from nothing else. Amounts are integers in the unit the field names (bytes, tokens, milliwatts,
millijoules, microseconds) or decimal strings; there is no float. Times are UTC text `YYYY-MM-DDTHH:MM:SS.ffffffZ`.

Every fact has a state. A gap is printed, not hidden: what the law or a person lets us leave out is `withheld`
or `not_applicable` with the reason, what nobody ever recorded is `missing`.
"""

from reports.dataset.fields import Field, FieldGroup, FieldState, IncompleteField
from reports.dataset.parts import (
    Approval,
    Checkpoint,
    Comparison,
    ComparisonOption,
    Finding,
    Fit,
    Gap,
    HardwareWindow,
    LeftOut,
    MemoryTerm,
    Person,
    RegisterRow,
    ToolCall,
    UsageWindow,
)
from reports.dataset.report import SCHEMA, Renderer, Report, canonical_json

__all__ = [
    "SCHEMA",
    "Approval",
    "Checkpoint",
    "Comparison",
    "ComparisonOption",
    "Field",
    "FieldGroup",
    "FieldState",
    "Finding",
    "Fit",
    "Gap",
    "HardwareWindow",
    "IncompleteField",
    "LeftOut",
    "MemoryTerm",
    "Person",
    "RegisterRow",
    "Renderer",
    "Report",
    "ToolCall",
    "UsageWindow",
    "canonical_json",
]
