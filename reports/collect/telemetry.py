"""Usage and hardware of a deployment from sealed windows. Only what the window entries state is used.

An amendment states its window's totals anew, so the newest entry of a window stands for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from audit.events import EventType
from reports.collect.evidence import NOTHING, Evidence, Facts, Ledger, text, whole
from reports.collect.subjects import Subjects
from reports.dataset import HardwareWindow, UsageWindow

MAX_WINDOWS: Final = 240
MAX_DEVICES: Final = 64
MAX_TARGETS: Final = 64


def targets(ledger: Ledger, about: Subjects) -> Mapping[str, str]:
    """Names of the collection targets that observe the deployment or its pool, by ledger name."""
    watched = {about.deployment, about.gpu_pool} - {""}
    found = ledger.find(
        kind=EventType.TARGET_REGISTERED, keep=lambda item: item.after.get("subject") in watched, newest=MAX_TARGETS
    )
    return {item.row.subject: text(item.after.get("name")) or item.row.subject for item in found}


def usage(ledger: Ledger, about: Subjects) -> tuple[tuple[UsageWindow, ...], bool]:
    """The newest usage windows of the deployment, oldest first, and whether there are older ones."""
    found, older = _windows(ledger, EventType.WINDOW_USAGE, about.deployment, "usage")
    return tuple(_usage(item) for item in found), older


def hardware(ledger: Ledger, about: Subjects) -> tuple[tuple[HardwareWindow, ...], bool]:
    """The newest hardware windows of the deployment's pool, one item for each device and window."""
    found, older = _windows(ledger, EventType.WINDOW_HARDWARE, about.gpu_pool, "hardware")
    return tuple(device for item in found for device in _devices(item)), older


def peak_memory(windows: Sequence[HardwareWindow]) -> int | None:
    """The highest memory use of one device: what the estimate for the fullest card is held against."""
    return max((window.memory_peak_bytes for window in windows if window.memory_peak_bytes is not None), default=None)


def _windows(ledger: Ledger, kind: EventType, subject: str, word: str) -> tuple[list[Evidence], bool]:
    if not subject:
        return [], False
    sealed = ledger.find(kind=kind, subject=subject, newest=MAX_WINDOWS + 1)
    amended = ledger.find(
        kind=EventType.WINDOW_AMENDED,
        subject=subject,
        keep=lambda item: item.facts.get("kind") == word,
        newest=MAX_WINDOWS,
    )
    older = len(sealed) > MAX_WINDOWS
    newest: dict[str, Evidence] = {}
    for item in (*sealed[-MAX_WINDOWS:], *amended):
        start = text(_part(item.facts, "window").get("start"))
        if start and (start not in newest or newest[start].index < item.index):
            newest[start] = item
    first = min((text(_part(item.facts, "window").get("start")) for item in sealed[-MAX_WINDOWS:]), default="")
    return [newest[start] for start in sorted(newest) if start >= first], older


def _usage(item: Evidence) -> UsageWindow:
    totals, window = _part(item.facts, "totals"), _part(item.facts, "window")
    sides = [side for side in ("counted", "reported") if any(_known(_part(item.facts, side).values()))]
    return UsageWindow(
        source="_and_".join(sides) or "nothing",
        start=text(window.get("start")),
        end=text(window.get("end")),
        requests=whole(totals.get("requests")),
        input_tokens=whole(totals.get("input_tokens")),
        output_tokens=whole(totals.get("output_tokens")),
        reasoning_tokens=whole(totals.get("reasoning_tokens")),
        reasoning_max=whole(item.facts.get("reasoning_tokens_max")),
        complete=_complete(item.facts),
        entry=item.index,
    )


def _devices(item: Evidence) -> Iterable[HardwareWindow]:
    listed = item.facts.get("devices")
    devices = [device for device in listed if isinstance(device, dict)] if isinstance(listed, list) else []
    if not devices:
        yield _device(item, NOTHING, "")
    for device in devices[:MAX_DEVICES]:
        model, series = text(device.get("model"), limit=60), text(device.get("device"), limit=60)
        yield _device(item, device, ", ".join(filter(None, (model, series[:12]))) or "?")


def _device(item: Evidence, device: Facts, name: str) -> HardwareWindow:
    window = _part(item.facts, "window")
    start, end = text(window.get("start")), text(window.get("end"))
    power, utilisation = _part(device, "power_mw"), whole(_part(device, "utilisation_ppm").get("mean"))
    mean, counted = whole(power.get("mean")), whole(device.get("energy_mj"))
    estimate = None if mean is None or not (start and end) else mean * _seconds(start, end)
    plausible = _part(device, "energy").get("plausible")
    # A counter that disagrees with the power drawn is told, but a total is made from the power.
    guessed = estimate is not None and (counted is None or plausible is False)
    return HardwareWindow(
        device=name,
        start=start,
        end=end,
        samples=whole(device.get("samples")) or 0,
        power_mean_mw=mean,
        power_max_mw=whole(power.get("max")),
        memory_peak_bytes=whole(_part(device, "memory_bytes").get("max")),
        utilisation_mean_permille=None if utilisation is None else utilisation // 1000,
        energy_mj=estimate if guessed else counted,
        energy_estimated=guessed,
        energy_plausible=plausible if isinstance(plausible, bool) else None,
        complete=_complete(item.facts),
        entry=item.index,
    )


def _complete(facts: Facts) -> bool:
    coverage = _part(facts, "completeness")
    return coverage.get("expected") is None or coverage.get("expected") == coverage.get("received")


def _seconds(start: str, end: str) -> int:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def _known(values: Iterable[Any]) -> Iterable[bool]:
    return (value is not None for value in values)


def _part(facts: Facts, key: str) -> Facts:
    found = facts.get(key)
    return found if isinstance(found, dict) else NOTHING
