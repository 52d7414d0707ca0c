"""Who oversees a use of AI, and when that ended."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from governance.models.usecases import UseCase


class OversightAssignment(models.Model):
    """That a person oversees a use of AI (Articles 14 and 26(2)). Insert-only."""

    class Authority(models.TextChoices):
        INTERPRET = "interpret", _("may interpret")
        OVERRIDE = "override", _("may override")
        STOP = "stop", _("may stop it")
        ALL = "all", _("may interpret, override and stop it")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(
        UseCase, on_delete=models.PROTECT, related_name="oversight", verbose_name=_("use case")
    )
    person = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="oversees", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=200)
    competence = models.CharField(_("competence"), max_length=1000)
    training = models.CharField(_("training"), max_length=500)
    training_date = models.DateField(_("trained on"))
    authority = models.CharField(_("authority"), max_length=20, choices=Authority)
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    assigned_by = models.CharField(_("assigned by"), max_length=100)
    assigned_at = models.DateTimeField(_("assigned"))

    class Meta:
        db_table = "oversight_assignment"
        verbose_name = _("oversight")
        verbose_name_plural = _("oversight")
        constraints = [
            models.CheckConstraint(
                name="oversight_authority_known",
                condition=Q(authority__in=["interpret", "override", "stop", "all"]),
            ),
            models.CheckConstraint(
                name="oversight_ends_after_it_begins",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return self.role


class OversightEnd(models.Model):
    """That an assignment ended before its time, and why. Insert-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    assignment = models.OneToOneField(
        OversightAssignment, on_delete=models.PROTECT, related_name="end", verbose_name=_("oversight")
    )
    reason = models.CharField(_("reason"), max_length=1000)
    ended_by = models.CharField(_("ended by"), max_length=100)
    ended_at = models.DateTimeField(_("ended"))

    class Meta:
        db_table = "oversight_end"
        verbose_name = _("end of oversight")
        verbose_name_plural = _("ends of oversight")

    def __str__(self) -> str:
        return self.reason
