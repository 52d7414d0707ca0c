"""The classes of retention. That the database holds the same: tests/integration/test_erasure.py."""

import pytest

from audit.admin.labels import LABELS
from audit.events import CLIENT_TYPES, LOG_TYPES, PERMANENT_TYPES, STATE_TYPES, EventType, floor_days


def test_no_pipeline_tells_an_erasure_and_no_class_overlaps() -> None:
    assert not PERMANENT_TYPES & (CLIENT_TYPES | LOG_TYPES | STATE_TYPES)
    assert LABELS.keys() >= set(EventType)


@pytest.mark.parametrize(
    ("kind", "section", "days"),
    [
        ("section.erased", "facts", None),
        ("section.erased", "restricted", 3653),
        ("hold.placed", "facts", None),
        ("agent.tool_call", "facts", 183),
        ("window.usage", "personal", 183),
        ("x:" + "0" * 64, "facts", 183),
        ("request.approved", "facts", 3653),
        ("invented.tomorrow", "facts", 3653),
    ],
)
def test_how_long_content_is_kept(kind: str, section: str, days: int | None) -> None:
    assert floor_days(kind, section) == days
