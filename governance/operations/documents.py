"""Documents that leave the house: what went out, to whom, and its digest."""

import hashlib
import io
from datetime import datetime

from audit.events import EventType
from audit.exports import Made, hand_out
from governance.operations.base import By, actor_of
from governance.queries.documents import Document


def hand_out_document(*, by: By, document: Document, now: datetime) -> Made:
    """Record that `document` goes out, and give the file. Entry: `document.exported`, about what it describes."""
    return hand_out(
        told_as=EventType.DOCUMENT_EXPORTED,
        subject=document.subject,
        facts={"document": document.kind, "state_entry": document.entry},
        file=io.BytesIO(document.data),
        name=document.name,
        media=document.media,
        sha256=hashlib.sha256(document.data).hexdigest(),
        actor=actor_of(by),
        now=now,
    )
