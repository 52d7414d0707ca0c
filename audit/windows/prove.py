"""From one record to the entry that seals it."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from audit import ledger
from audit.models import EventKey, HardwareSample, RecordKind, UsageRecord, Window
from audit.tlog.proof import inclusion_proof
from audit.tlog.tree import leaf_hashes, root_of
from audit.windows.rows import Span, bodies
from audit.windows.seal import client_id


class RecordNotSealed(LookupError):
    """There is no such record, or no window has sealed it yet."""


@dataclass(frozen=True, slots=True)
class RecordProof:
    """A record and why it must be the one that was sealed.

    Attributes:
        body: the record's bytes; their leaf hash is SHA-256(0x00 || body).
        index, rows: the record's place among the rows under the root.
        hashes: RFC 6962 audit path, lowest first.
        root: the window's root, as in the facts of the entry.
        entry_index: the entry, whose own receipt leads on to the signed checkpoint.
    """

    body: bytes
    index: int
    rows: int
    hashes: tuple[bytes, ...]
    root: bytes
    entry_index: int


def prove_record(*, kind: RecordKind, record_id: int, observed_at: datetime) -> RecordProof:
    """The proof of one record.

    Raises:
        RecordNotSealed: see there.
    """
    window = _window(kind, record_id, observed_at)
    if window is None:
        raise RecordNotSealed(f"No window has sealed {kind.value} record {record_id} yet.")
    span = Span(kind, window.subject, window.starts_at, window.ends_at)
    places = list(bodies(span, window.after_id, window.through_id))
    index = next((n for n, place in enumerate(places) if place.id == record_id), None)
    entry_index = _entry_index(window)
    if index is None or entry_index is None:
        raise RecordNotSealed(f"The window of {kind.value} record {record_id} does not hold it: run the self-check.")
    hashes = leaf_hashes(place.body for place in places)
    size = len(hashes)

    def hash_at(level: int, n: int) -> bytes:
        return root_of(hashes[n << level : (n + 1) << level])

    proof = inclusion_proof(index, size, hash_at)
    return RecordProof(places[index].body, index, size, tuple(proof), bytes(window.root), entry_index)


def _window(kind: RecordKind, record_id: int, observed_at: datetime) -> Window | None:
    model: type[UsageRecord] | type[HardwareSample] = UsageRecord if kind == RecordKind.USAGE else HardwareSample
    found = model.objects.filter(id=record_id, observed_at=observed_at).values_list("subject", flat=True).first()
    if found is None:
        return None
    return Window.objects.filter(
        kind=kind,
        subject=found,
        starts_at__lte=observed_at,
        ends_at__gt=observed_at,
        after_id__lt=record_id,
        through_id__gte=record_id,
    ).first()


def _entry_index(window: Window) -> int | None:
    name = client_id(window)
    key = ledger.secret_form(settings.LEDGER_HMAC_KEY, b"event\x00collector", name)
    return EventKey.objects.filter(key=key).values_list("entry_index", flat=True).first()
