"""The six steps of the main job, each ticked by the entries that show it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from audit.admin.labels import event_label
from audit.events import CLIENT_TYPES, EventType
from audit.queries import EntryRow, latest_checkpoint, section_facts
from audit.queries.explorer import in_short
from audit.queries.recent import newest_of


@dataclass(frozen=True, slots=True)
class Link:
    """Where to look, or what to do next. `persona`: who to be for it, empty for nobody in particular."""

    words: str
    address: str
    persona: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One of the six steps.

    `done`: an entry shows it. `entry`: its index, None before. `words`: what was recorded last.
    """

    key: str
    title: str
    says: str
    done: bool
    words: str
    entry: int | None
    links: tuple[Link, ...]


WATCHED = (
    EventType.MODEL_VERSION_REGISTERED,
    EventType.GPU_POOL_REGISTERED,
    EventType.REQUEST_APPROVED,
    EventType.WINDOW_USAGE,
    EventType.WINDOW_HARDWARE,
    EventType.REPORT_RENDERED,
    EventType.REPORT_DOWNLOADED,
    *sorted(CLIENT_TYPES),
)


def steps() -> tuple[Step, ...]:
    """The six steps as they stand, in a constant number of queries."""
    newest = newest_of(WATCHED)
    shown = _Shown(newest, section_facts([row.index for row in newest.values()]))
    return (
        _register(shown),
        _approve(shown),
        _record(shown),
        _collect(shown),
        _seal(shown),
        _report(shown),
    )


class _Shown:
    """The newest entries by type, and what they say."""

    def __init__(self, newest: Mapping[str, EntryRow], said: Mapping[int, Mapping[str, object]]) -> None:
        self.newest = newest
        self.said = said

    def tick(self, *needed: EventType) -> tuple[bool, str, int | None]:
        """Whether every type has an entry; the newest one in words, and its index."""
        rows = [self.newest[kind] for kind in needed if kind in self.newest]
        return len(rows) == len(needed), *self.words(rows)

    def words(self, rows: list[EntryRow]) -> tuple[str, int | None]:
        """The newest of `rows` in words, and its index."""
        if not rows:
            return "", None
        row = max(rows, key=lambda found: found.index)
        name = in_short(self.said.get(row.index))
        label = event_label(row.type)
        return (f"{label}: {name}" if name else label), row.index


def _register(shown: _Shown) -> Step:
    return Step(
        "register",
        _("Register what runs, and where"),
        _("A model version from its own config.json and safetensors index, and a pool of GPUs."),
        *shown.tick(EventType.MODEL_VERSION_REGISTERED, EventType.GPU_POOL_REGISTERED),
        (Link(_("Register another as Ken"), reverse("admin:desk_model_new"), "watanabe"),),
    )


def _approve(shown: _Shown) -> Step:
    return Step(
        "approve",
        _("Ask, and let another person decide"),
        _("Whether it fits, what it costs and who may decide, on one page. The requester cannot approve."),
        *shown.tick(EventType.REQUEST_APPROVED),
        (Link(_("Decide as Rosa"), reverse("admin:desk_requests"), "okafor"),),
    )


def _record(shown: _Shown) -> Step:
    rows = [shown.newest[kind] for kind in CLIENT_TYPES if kind in shown.newest]
    words, index = shown.words(rows)
    return Step(
        "record",
        _("Record what pipelines do"),
        _("Events over REST with a token, singly or in batches. Sent twice, recorded once."),
        bool(rows),
        words,
        index,
        (Link(_("Send your own, below"), "#send"),),
    )


def _collect(shown: _Shown) -> Step:
    return Step(
        "collect",
        _("Collect usage and hardware"),
        _("Celery asks live exporters every few seconds and seals what they say in windows."),
        *shown.tick(EventType.WINDOW_USAGE, EventType.WINDOW_HARDWARE),
        (
            Link(_("Usage windows"), reverse("admin:ledger_list") + "?type=window.usage", "mori"),
            Link(_("Hardware windows"), reverse("admin:ledger_list") + "?type=window.hardware", "mori"),
        ),
    )


def _seal(shown: _Shown) -> Step:
    checkpoint = latest_checkpoint()
    size = checkpoint.size if checkpoint else 0
    words = _("Checkpoint over %(size)s entries") % {"size": f"{size:,}"} if size else ""
    return Step(
        "seal",
        _("Sign the log"),
        _("A process with its own key and memory signs a checkpoint over all entries, about once a second."),
        size > 0,
        words,
        size - 1 if size else None,
        (Link(_("Newest checkpoint"), "/log/checkpoint"), Link(_("Ledger"), reverse("admin:ledger_list"), "mori")),
    )


def _report(shown: _Shown) -> Step:
    return Step(
        "report",
        _("Hand out a report that proves itself"),
        _("A PDF made from the ledger at a checkpoint. Its hash is an entry, its receipt is inside."),
        *shown.tick(EventType.REPORT_RENDERED),
        (Link(_("Download as Aiko"), reverse("admin:reports"), "mori"),),
    )
