"""Erasure of single sections: the floors, the holds, who asked, who decided, and what is gone.

All of it is insert-only (migration 0007). A row of `erasure` and the deletion of its section come together or not at
all; the owner's function `erase_section` is the only way to either.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class RetentionFloor(models.Model):
    """For how long a type of entry keeps its content; `days` NULL is for ever. Types not listed: documentation."""

    type = models.TextField(primary_key=True)
    days = models.IntegerField(null=True)

    class Meta:
        db_table = "retention_floor"


class LegalHold(models.Model):
    """Content that must stay whatever its floor. An entry is held when all that is given fits it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.TextField(_("reference"))
    subject = models.TextField(_("subject"), blank=True)
    source = models.TextField(_("source"), blank=True)
    type = models.TextField(_("type"), blank=True)
    first_index = models.BigIntegerField(_("first entry"), null=True)
    last_index = models.BigIntegerField(_("last entry"), null=True)
    placed_by = models.UUIDField()
    account_id = models.BigIntegerField()
    placed_at = models.DateTimeField(_("placed"))

    class Meta:
        db_table = "legal_hold"
        constraints = [
            models.CheckConstraint(
                name="hold_has_a_scope",
                condition=~models.Q(subject="", source="", type="", first_index=None, last_index=None),
            ),
            models.CheckConstraint(
                name="hold_range_is_whole",
                condition=models.Q(first_index=None, last_index=None)
                | models.Q(
                    first_index__isnull=False,
                    last_index__isnull=False,
                    first_index__gte=0,
                    last_index__gte=models.F("first_index"),
                ),
            ),
            models.CheckConstraint(name="hold_has_a_reference", condition=~models.Q(reference="")),
        ]


class HoldRelease(models.Model):
    """That a hold ended, by another person than the one who placed it."""

    hold_id = models.UUIDField(primary_key=True)
    released_by = models.UUIDField()
    account_id = models.BigIntegerField()
    released_at = models.DateTimeField(_("released"))

    class Meta:
        db_table = "hold_release"


class ErasureRequest(models.Model):
    """That a person asked for a section to be erased, and on which legal basis."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry_index = models.BigIntegerField(_("entry"))
    name = models.TextField(_("section"))
    legal_basis = models.TextField(_("legal basis"))
    requested_by = models.UUIDField()
    account_id = models.BigIntegerField()
    requested_at = models.DateTimeField(_("requested"))

    class Meta:
        db_table = "erasure_request"
        constraints = [
            models.CheckConstraint(name="erasure_request_has_a_basis", condition=~models.Q(legal_basis="")),
        ]
        indexes = [
            models.Index(fields=["entry_index", "name"], name="erasure_request_section"),
            models.Index(fields=["-requested_at", "id"], name="erasure_request_newest"),
        ]


class ErasureDecision(models.Model):
    """The one decision on a request. An approval stands only together with its erasure."""

    class Decision(models.TextChoices):
        APPROVE = "approve", _("approve")
        REJECT = "reject", _("reject")

    request_id = models.UUIDField(primary_key=True)
    decision = models.TextField(choices=Decision)
    decided_by = models.UUIDField()
    account_id = models.BigIntegerField()
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        db_table = "erasure_decision"
        constraints = [
            models.CheckConstraint(
                name="erasure_decision_is_known", condition=models.Q(decision__in=["approve", "reject"])
            ),
        ]


class Erasure(models.Model):
    """That a section is gone, and which entry tells so for ever.

    `request_id` is NULL for an erasure that came with an imported log; `approved_by` is NULL when the floor had
    passed and one person asked and executed; `override` says that it was before the floor.
    """

    pk = models.CompositePrimaryKey("entry_index", "name")
    entry_index = models.BigIntegerField(_("entry"))
    name = models.TextField(_("section"))
    erased_by = models.BigIntegerField(unique=True)
    request_id = models.UUIDField(null=True, unique=True)
    legal_basis = models.TextField(_("legal basis"))
    requested_by = models.UUIDField()
    approved_by = models.UUIDField(null=True)
    override = models.BooleanField(_("before the floor"))
    erased_at = models.DateTimeField(_("erased"))

    class Meta:
        db_table = "erasure"
        constraints = [
            models.CheckConstraint(name="erasure_has_a_basis", condition=~models.Q(legal_basis="")),
            models.CheckConstraint(
                name="erasure_comes_after_its_entry", condition=models.Q(erased_by__gt=models.F("entry_index"))
            ),
            models.CheckConstraint(
                name="erasure_before_the_floor_by_two",
                condition=models.Q(override=False) | models.Q(approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="erasure_approver_is_another",
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("requested_by")),
            ),
        ]
