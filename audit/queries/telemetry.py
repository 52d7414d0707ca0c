"""Sealed windows, read from the ledger: what the newest word on each window says, and sums over windows.

An amendment states its window's totals anew, so the newest entry of a window stands for it. None means that nobody
said so, which is not zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from audit.events import EventType
from audit.models import RecordKind
from audit.queries.entries import MAX_PAGE, EntryRow, entries, section_facts

USAGE_FIELDS: Final = ("requests", "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens")
_TYPES: Final = {RecordKind.USAGE: EventType.WINDOW_USAGE, RecordKind.HARDWARE: EventType.WINDOW_HARDWARE}
_METHODS: Final = {"counter": "counted", "request": "reported"}

_Facts = Mapping[str, Any]
_NOTHING: Final[_Facts] = {}


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device in one window; units stand in the names.

    Attributes:
        energy_mj: growth of the device's own counter.
        energy_expected_mj: power times time over the same samples.
        energy_plausible: whether both agree within the seal's tolerance; None when it cannot be told.
    """

    name: str
    model: str
    node: str
    samples: int
    power_mean_mw: int | None
    power_max_mw: int | None
    memory_peak_bytes: int | None
    memory_total_bytes: int | None
    util_mean_ppm: int | None
    util_max_ppm: int | None
    temperature_max_mc: int | None
    energy_mj: int | None
    energy_expected_mj: int | None
    energy_plausible: bool | None


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window as its newest entry tells it.

    Attributes:
        entry: that entry. `first_entry`: the one that sealed the window, the same unless it was amended.
        revision: 0 when sealed, one more with each amendment.
        rows: records under `root`: of an amendment, those that came late.
        expected, received: slots of the subject's targets; None when nobody is asked about it.
        missed: how many slots were missed, by reason.
        totals: the sums, by the names in the facts.
        methods: for usage, the same sums by `counter` (an engine's) and `request` (a pipeline's); only what spoke.
        reasoning_tokens_max: most of one reported request.
    """

    entry: int
    first_entry: int
    kind: RecordKind
    subject: str
    start: datetime
    end: datetime
    sealed_at: datetime
    revision: int
    rows: int
    root: str
    expected: int | None
    received: int | None
    missed: Mapping[str, int]
    resets: int
    totals: Mapping[str, int | None]
    methods: Mapping[str, Mapping[str, int | None]]
    reasoning_tokens_max: int | None
    devices: tuple[DeviceRow, ...]

    @property
    def complete(self) -> bool:
        """Whether every slot that was expected was answered."""
        return self.expected is None or self.expected == self.received

    @property
    def energy_suspect(self) -> bool:
        """Whether a device's energy counter contradicts its power."""
        return any(device.energy_plausible is False for device in self.devices)


def windows(subject: str, kind: RecordKind, *, size: int | None = None, limit: int = 50) -> list[WindowRow]:
    """The newest windows of a subject in the tree of `size` entries, newest first.

    The newest 500 amendments of the subject are taken into account.
    """
    sealed = entries(type_=_TYPES[kind], subject=subject, before=size, limit=limit)
    amended = entries(type_=EventType.WINDOW_AMENDED, subject=subject, before=size, limit=MAX_PAGE) if sealed else []
    oldest = min((row.index for row in sealed), default=0)
    found = _read([*sealed, *(row for row in amended if row.index > oldest)])
    first: dict[datetime, int] = {}
    newest: dict[datetime, WindowRow] = {}
    for row in sorted(found, key=lambda item: item.entry):
        if row.kind == kind and (row.revision == 0 or row.start in first):
            newest[row.start] = replace(row, first_entry=first.setdefault(row.start, row.entry))
    return sorted(newest.values(), key=lambda item: item.start, reverse=True)


def newest_windows(kind: RecordKind, *, limit: int = 10) -> list[WindowRow]:
    """The windows that were sealed last, of any subject, newest entry first, in two queries."""
    return _read(entries(type_=_TYPES[kind], limit=limit))


@dataclass(frozen=True, slots=True)
class Summary:
    """Several windows of one subject and kind together.

    Attributes:
        windows, incomplete: how many, and how many of them missed a slot.
        start, end: of the first and the last; None without windows.
        totals: for usage, the sums by the names of `USAGE_FIELDS`; for hardware, `energy_mj`.
        reasoning_tokens_max: most of one reported request in any of them.
        power_max_mw, memory_peak_bytes: the highest of a single device.
        energy_suspect: windows in which an energy counter contradicts its power.
    """

    windows: int
    incomplete: int
    start: datetime | None
    end: datetime | None
    resets: int
    totals: Mapping[str, int | None]
    reasoning_tokens_max: int | None
    power_max_mw: int | None
    memory_peak_bytes: int | None
    energy_suspect: int


def summary(rows: Sequence[WindowRow]) -> Summary:
    """What windows say in sum; the rows come from `windows` of one subject and kind."""
    fields = USAGE_FIELDS if any(row.kind == RecordKind.USAGE for row in rows) else ("energy_mj",)
    devices = [device for row in rows for device in row.devices]
    return Summary(
        windows=len(rows),
        incomplete=sum(not row.complete for row in rows),
        start=min((row.start for row in rows), default=None),
        end=max((row.end for row in rows), default=None),
        resets=sum(row.resets for row in rows),
        totals={field: _sum(row.totals.get(field) for row in rows) for field in fields},
        reasoning_tokens_max=_max(row.reasoning_tokens_max for row in rows),
        power_max_mw=_max(device.power_max_mw for device in devices),
        memory_peak_bytes=_max(device.memory_peak_bytes for device in devices),
        energy_suspect=sum(row.energy_suspect for row in rows),
    )


def _read(rows: Sequence[EntryRow]) -> list[WindowRow]:
    told = section_facts([row.index for row in rows])
    return [read for row in rows if (read := _window(row, told.get(row.index, _NOTHING))) is not None]


def _window(row: EntryRow, facts: _Facts) -> WindowRow | None:
    """The window that an entry tells; None when its facts were erased or are not a window's."""
    window, coverage = _part(facts, "window"), _part(facts, "completeness")
    start, end = _moment(window.get("start")), _moment(window.get("end"))
    kind = RecordKind.HARDWARE if row.type == EventType.WINDOW_HARDWARE else RecordKind.USAGE
    if row.type == EventType.WINDOW_AMENDED and facts.get("kind") in RecordKind.values:
        kind = RecordKind(facts["kind"])
    if start is None or end is None:
        return None
    sides = {method: _counts(_part(facts, name)) for method, name in _METHODS.items()}
    return WindowRow(
        entry=row.index,
        first_entry=row.index,
        kind=kind,
        subject=str(facts.get("subject", row.subject)),
        start=start,
        end=end,
        sealed_at=row.received_at,
        revision=_whole(facts.get("revision")) or 0,
        rows=_whole(facts.get("rows")) or 0,
        root=str(facts.get("root", "")),
        expected=_whole(coverage.get("expected")),
        received=_whole(coverage.get("received")),
        missed={reason: count or 0 for reason, count in _counts(_part(coverage, "missed")).items()},
        resets=_whole(facts.get("resets")) or 0,
        totals=_counts(_part(facts, "totals")),
        methods={method: sums for method, sums in sides.items() if any(value is not None for value in sums.values())},
        reasoning_tokens_max=_whole(facts.get("reasoning_tokens_max")),
        devices=tuple(_device(item) for item in facts.get("devices") or () if isinstance(item, dict)),
    )


def _device(facts: _Facts) -> DeviceRow:
    power, memory, util = (_part(facts, name) for name in ("power_mw", "memory_bytes", "utilisation_ppm"))
    energy = _part(facts, "energy")
    plausible = energy.get("plausible")
    return DeviceRow(
        name=str(facts.get("device", "")),
        model=str(facts.get("model", "")),
        node=str(facts.get("node", "")),
        samples=_whole(facts.get("samples")) or 0,
        power_mean_mw=_whole(power.get("mean")),
        power_max_mw=_whole(power.get("max")),
        memory_peak_bytes=_whole(memory.get("max")),
        memory_total_bytes=_whole(memory.get("total")),
        util_mean_ppm=_whole(util.get("mean")),
        util_max_ppm=_whole(util.get("max")),
        temperature_max_mc=_whole(_part(facts, "temperature_mc").get("max")),
        energy_mj=_whole(facts.get("energy_mj")),
        energy_expected_mj=_whole(energy.get("expected_mj")),
        energy_plausible=plausible if isinstance(plausible, bool) else None,
    )


def _part(facts: _Facts, name: str) -> _Facts:
    found = facts.get(name)
    return found if isinstance(found, dict) else _NOTHING


def _counts(facts: _Facts) -> dict[str, int | None]:
    return {name: _whole(value) for name, value in facts.items()}


def _whole(value: object) -> int | None:
    """An amount of the facts; beyond 2**53 - 1 it is a decimal string there."""
    if isinstance(value, str) and len(value) < 40 and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        return None


def _sum(values: Iterable[int | None]) -> int | None:
    present = [value for value in values if value is not None]
    return sum(present) if present else None


def _max(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
