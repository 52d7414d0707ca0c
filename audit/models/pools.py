"""Changes of pools: who shall belong to which, who proposed it and who decided it."""

import uuid

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models.access import Person, User


class PoolChange(models.Model):
    """That a log-in joins a pool or leaves it. A membership stands as the newest carried-out change says."""

    class Change(models.TextChoices):
        ADD = "add", _("joins")
        REMOVE = "remove", _("leaves")

    class Mode(models.TextChoices):
        """How many persons it takes, and why."""

        TWO_PERSONS = "two_persons", _("two persons")
        FOUNDING = "founding", _("founding: the pool has fewer than two persons")
        ORDINARY = "ordinary", _("one person: the pool decides nothing")
        INSTALLATION = "installation", _("set up on the machine itself")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("waits for a second person")
        CARRIED_OUT = "carried_out", _("carried out")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(_("number"), unique=True)
    account = models.ForeignKey(User, on_delete=models.PROTECT, related_name="pool_changes")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="pool_changes")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")
    pool = models.CharField(_("pool"), max_length=150)
    change = models.CharField(_("change"), max_length=10, choices=Change.choices)
    mode = models.CharField(_("way"), max_length=20, choices=Mode.choices)
    reason = models.TextField(_("reason"))
    state = models.CharField(_("state"), max_length=20, choices=State.choices)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True)
    proposed_account = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    proposed_at = models.DateTimeField(_("proposed"))
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True)
    decided_account = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    decision_reason = models.TextField(_("reason of the decision"), blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True)
    row_version = models.IntegerField(default=1)

    class Meta:
        db_table = "pool_change"
        verbose_name = _("change of a pool")
        verbose_name_plural = _("changes of pools")
        constraints = [
            models.CheckConstraint(
                name="pool_change_choices",
                condition=models.Q(
                    change__in=["add", "remove"],
                    mode__in=["two_persons", "founding", "ordinary", "installation"],
                    state__in=["proposed", "carried_out", "refused", "withdrawn"],
                ),
            ),
            models.CheckConstraint(
                name="pool_change_by_another",
                condition=models.Q(state="withdrawn")
                | models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("proposed_by")) & ~models.Q(decided_by=models.F("person")),
            ),
            models.CheckConstraint(
                name="pool_change_two_persons",
                condition=~models.Q(mode="two_persons", state__in=["carried_out", "refused"])
                | models.Q(decided_by__isnull=False, decided_account__isnull=False, decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="pool_change_founding_adds",
                condition=~models.Q(mode__in=["founding", "installation"]) | models.Q(change="add"),
            ),
            models.CheckConstraint(
                name="pool_change_is_proposed_by_somebody",
                condition=models.Q(mode="installation", proposed_by__isnull=True, proposed_account__isnull=True)
                | models.Q(proposed_by__isnull=False, proposed_account__isnull=False) & ~models.Q(mode="installation"),
            ),
            models.UniqueConstraint(
                name="pool_change_one_open",
                fields=["account", "group"],
                condition=models.Q(state="proposed"),
            ),
        ]
        indexes = [
            models.Index(fields=["account", "group", "-number"], name="pool_change_newest"),
            models.Index(fields=["state", "number"], name="pool_change_by_state"),
        ]


class SessionRefusal(models.Model):
    """That a sign-in was refused. One row each; an entry tells how many there were in a window."""

    id = models.BigAutoField(primary_key=True)
    refused_at = models.DateTimeField(db_index=True)
    person_id = models.UUIDField(null=True)

    class Meta:
        db_table = "session_refusal"


class RefusalWindow(models.Model):
    """A window of refused sign-ins that an entry has told."""

    begins_at = models.DateTimeField(primary_key=True)
    refused = models.IntegerField()

    class Meta:
        db_table = "refusal_window"
