"""The ledger's own tables. All but `head` and the signer's lease are insert-only (migration 0002).

Rows of other tables are named by identifiers, never by foreign keys: evidence must outlive and never
constrain the live data it speaks of.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Entry(models.Model):
    """One leaf of the log. `leaf` is what is hashed; the other columns are copied from it for search."""

    index = models.BigIntegerField(_("index"), primary_key=True)
    leaf = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    event_id = models.UUIDField()
    type = models.TextField(_("type"))
    source = models.TextField(_("source"))
    subject = models.TextField(_("subject"))
    actor = models.TextField(_("actor"))
    occurred_at = models.DateTimeField(_("occurred"))
    received_at = models.DateTimeField(_("received"))

    class Meta:
        db_table = "entry"
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = [
            models.CheckConstraint(name="entry_index_not_negative", condition=models.Q(index__gte=0)),
        ]
        indexes = [
            # Ascending in all columns: audit.queries.search compares rows with them, in both directions.
            models.Index(fields=["subject", "index"], name="entry_subject_index"),
            models.Index(fields=["type", "index"], name="entry_type_index"),
            models.Index(fields=["source", "index"], name="entry_source_index"),
            # The state of a subject is its newest entry of ours; what pipelines send costs this index nothing.
            models.Index(
                models.F("subject"),
                models.F("index").desc(),
                condition=models.Q(source="app"),
                name="entry_state_index",
            ),
        ]


class Section(models.Model):
    """The bytes behind one commitment of a leaf, with the salt that opens it."""

    pk = models.CompositePrimaryKey("entry_index", "name")
    entry_index = models.BigIntegerField()
    name = models.TextField()
    salt = models.BinaryField(max_length=32)
    body = models.BinaryField()
    media = models.TextField()

    class Meta:
        db_table = "section"


class Tile(models.Model):
    """A full hash tile (256 hashes) of level `level`, and the hash of the subtree it spans."""

    pk = models.CompositePrimaryKey("level", "n")
    level = models.SmallIntegerField()
    n = models.BigIntegerField()
    data = models.BinaryField(max_length=8192)
    root = models.BinaryField(max_length=32)

    class Meta:
        db_table = "tile"


class EventKey(models.Model):
    """Exact idempotency: the HMAC of (source, client id), which entry it named, and of what content."""

    key = models.BinaryField(primary_key=True, max_length=32)
    entry_index = models.BigIntegerField()
    content = models.BinaryField(max_length=32)

    class Meta:
        db_table = "event_key"


class Head(models.Model):
    """The one row that orders all writers: locked for every append, moved by compare-and-swap."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField()
    edge = models.BinaryField()
    root = models.BinaryField(max_length=32)
    received_at = models.DateTimeField()

    class Meta:
        db_table = "head"
        constraints = [models.CheckConstraint(name="head_is_one_row", condition=models.Q(id=1))]


class Checkpoint(models.Model):
    """A signed note over a tree size and root. Written by the signer alone."""

    size = models.BigIntegerField(_("tree size"), primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField(_("note"))
    signed_at = models.DateTimeField(_("signed"))

    class Meta:
        db_table = "checkpoint"
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")


class Alarm(models.Model):
    """Something that must not be: a hash, table or history that contradicts the log. Freezes the signer."""

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField(_("kind"))
    entry_index = models.BigIntegerField(_("entry"), null=True)
    subject = models.TextField(_("subject"))
    detail = models.TextField(_("detail"))
    raised_at = models.DateTimeField(_("raised"))

    class Meta:
        db_table = "alarm"
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")


class SignerLease(models.Model):
    """Which signer process holds the pen, until when, and whether it has put it down for good."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    holder = models.TextField()
    expires_at = models.DateTimeField()
    frozen_reason = models.TextField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "signer_lease"
        constraints = [models.CheckConstraint(name="signer_lease_is_one_row", condition=models.Q(id=1))]
