"""Shapes of the REST answers, for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers


def _event_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {
        "id": serializers.CharField(max_length=256, help_text="Your own name for the event; repeat it to retry."),
        "type": serializers.CharField(max_length=200, help_text="For example training.completed."),
        "subject": serializers.CharField(max_length=256, help_text="What it is about: an id of Assay, or your own."),
        "occurred_at": serializers.DateTimeField(help_text="RFC 3339 with a time zone."),
        "data": serializers.DictField(required=False, help_text="Kept and hashed as the exact bytes you sent."),
    }


# `data` and `root` are members of DRF's own classes, so these two are not written as classes.
EVENT_SCHEMA = inline_serializer("Event", _event_fields())
EVENT_BATCH_SCHEMA = type(EVENT_SCHEMA)(many=True)
CHECKPOINT_SCHEMA = inline_serializer(
    "Checkpoint",
    {
        "size": serializers.IntegerField(),
        "root": serializers.CharField(help_text="Base64, as in the note."),
        "note": serializers.CharField(help_text="c2sp.org/tlog-checkpoint."),
        "signed_at": serializers.DateTimeField(),
        "key": serializers.CharField(help_text="The verifier key this log is known by."),
        "keys": serializers.CharField(help_text="Its key history: which key signs which sizes. Keep it too."),
    },
)


class ProblemSchema(serializers.Serializer[dict[str, object]]):
    """A refusal: nothing was written."""

    status = serializers.IntegerField()
    field = serializers.CharField(help_text="Where, or empty.", allow_blank=True)
    reason = serializers.CharField(help_text="A sentence you can act on.")


class ErasedSchema(ProblemSchema):
    """A refusal because the section was erased."""

    erased_by = serializers.IntegerField(help_text="Index of the entry that tells the erasure.")


class RecordedSchema(serializers.Serializer[dict[str, object]]):
    """Where an event stands in the log."""

    index = serializers.IntegerField(help_text="0-based index of the entry.")
    id = serializers.UUIDField(help_text="The id in the leaf, issued by Assay.")
    leaf_hash = serializers.CharField(help_text="SHA-256(0x00 || leaf) in hexadecimal.")
    received_at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=["created", "duplicate", "erased"])
    receipt = serializers.CharField(required=False, help_text="c2sp.org/tlog-proof@v1, with Prefer: wait.")


class BatchSchema(serializers.Serializer[dict[str, object]]):
    """Where each event of a batch stands, in the order sent."""

    events = RecordedSchema(many=True)


class EntrySchema(serializers.Serializer[dict[str, object]]):
    """An entry and its opened sections."""

    index = serializers.IntegerField()
    leaf = serializers.CharField(help_text="The exact leaf, which is JSON.")
    leaf_hash = serializers.CharField()
    sections = serializers.DictField(help_text="By name: media, salt and body in Base64.")
    erased = serializers.DictField(child=serializers.IntegerField(), help_text="By name: the entry that tells it.")
    checkpoint = serializers.IntegerField(allow_null=True, help_text="Oldest tree size that covers it.")


class EntryLineSchema(serializers.Serializer[dict[str, object]]):
    """An entry in a list."""

    index = serializers.IntegerField()
    leaf = serializers.CharField()
    leaf_hash = serializers.CharField()


class EntryListSchema(serializers.Serializer[dict[str, object]]):
    """A page of the log, newest first."""

    entries = EntryLineSchema(many=True)
    next_before = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null at the end.")


class ConsistencySchema(serializers.Serializer[dict[str, object]]):
    """The proof that one tree continues another."""

    first = serializers.IntegerField()
    second = serializers.IntegerField()
    proof = serializers.ListField(child=serializers.CharField(), help_text="Base64 hashes.")


class BundleRequestSchema(serializers.Serializer[dict[str, object]]):
    """Which entries a bundle shall carry."""

    indexes = serializers.ListField(child=serializers.IntegerField(min_value=0), min_length=1)
    sections = serializers.ListField(
        child=serializers.CharField(max_length=32),
        required=False,
        min_length=1,
        max_length=8,
        help_text="Which to open; all without.",
    )
