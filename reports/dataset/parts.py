"""The parts of a report; each item cites the entry it rests on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The signed tree head the report is pinned to. `root` is hex, `note` the whole signed note."""

    origin: str
    size: int
    root: str
    note: str
    key_name: str
    key_fingerprint: str  # SHA-256 of the verifier key text, hex


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTerm:
    name: str
    bytes: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Memory estimate stored with the request: terms against what the pool offers, with an error band, in bytes."""

    terms: tuple[MemoryTerm, ...]
    need_bytes: int
    usable_bytes: int
    low_bytes: int
    high_bytes: int
    verdict: str  # fits | tight | does_not_fit
    assumptions: tuple[str, ...]
    formula_version: str
    measured_peak_bytes: int | None
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as the leaf knows them (id) and as the erasable profile names them at the time of printing."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One step of an approval request: submitted, a decision, or what became of it, such as approved or expired."""

    request: str
    step: str
    person: Person
    at: str
    reason: str | None
    digest: str | None  # revision digest the step refers to, hex
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWindow:
    """Sealed usage in [start, end). Reasoning tokens are part of output tokens; None = nobody reported it.

    `source`: counted (engine counters), reported (pipelines), counted_and_reported, nothing. Where both are known
    the larger stands, which is a lower bound. `reasoning_max` is the longest reasoning of one answer.
    """

    source: str
    start: str
    end: str
    requests: int | None
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    reasoning_max: int | None
    complete: bool
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareWindow:
    """Sealed samples of one device in [start, end); None = the source does not report it.

    `device` is empty when nothing answered. An estimated energy is mean power times length; a counted one is
    `energy_plausible` when it agrees with power, None when that cannot be judged.
    """

    device: str
    start: str
    end: str
    samples: int
    power_mean_mw: int | None
    power_max_mw: int | None
    memory_peak_bytes: int | None
    utilisation_mean_permille: int | None
    energy_mj: int | None
    energy_estimated: bool
    energy_plausible: bool | None
    complete: bool
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    at: str
    agent: str
    tool: str
    effect: str
    granted: bool | None  # None: no grant register knew this agent
    outcome: str
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonOption:
    """One way to run the same job for a month. Money is a decimal string in `Comparison.currency`."""

    name: str
    hosting: str  # on_prem | cloud | api
    low: str
    mid: str
    high: str
    cost_per_million: str | None  # tokens; None without a load
    reasoning_share: str | None  # fraction of the cost that reasoning tokens make
    prices: str  # where and when the prices were read
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    title: str
    currency: str
    tokens_per_month: int
    break_even_tokens: int | None
    cheapest: str
    options: tuple[ComparisonOption, ...]
    formula_version: str
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What following the log found. `evidence` is the entry that shows it, `entry` the one that records it."""

    severity: str  # high | medium | low
    kind: str
    detail: str
    at: str
    evidence: int | None
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch nobody observed: absent is not zero."""

    target: str
    start: str
    end: str | None  # None: it lasts
    reason: str
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many entries of each list the ledger has beyond those shown: older ones, or with erased content."""

    approvals: int = 0
    tool_calls: int = 0
    comparisons: int = 0
    findings: int = 0
    gaps: int = 0

    def total(self) -> int:
        return self.approvals + self.tool_calls + self.comparisons + self.findings + self.gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRow:
    index: int
    received_at: str
    type: str
    actor: str
    subject: str
    leaf_hash: str  # hex
    withheld: tuple[str, ...] = ()  # names of sections erased before printing
