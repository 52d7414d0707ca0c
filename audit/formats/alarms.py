"""What names an alarm so that no other one is meant."""

from typing import Final

IDENTITY: Final = (
    "alarm.id || ':' || encode(sha256(convert_to(jsonb_build_array(alarm.kind, alarm.entry_index, alarm.subject, "
    "alarm.detail, extract(epoch FROM alarm.raised_at))::text, 'UTF8')), 'hex')"
)
"""PostgreSQL's expression over a row of `alarm`: its id, and SHA-256 of what it says and when it was raised.

The id alone would name another alarm in a new or restored database, where ids begin again.
"""
