"""What was compared and found, and how far the log was followed."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.deployments import Deployment


class Comparison(models.Model):
    """Own cards, cloud cards and an API at the same load, with every price's source. Insert-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="comparisons", verbose_name=_("deployment")
    )
    title = models.CharField(_("title"), max_length=200)
    content = models.TextField(_("content"))
    digest = models.CharField(_("digest"), max_length=64)
    recorded_by = models.CharField(_("recorded by"), max_length=100)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        db_table = "comparison"
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")

    def __str__(self) -> str:
        return self.title


class Finding(models.Model):
    """Something the log shows that no approval covers. `scope` keeps one cause from being told every ten
    seconds.

    `subject` is the ledger's name of what it is about and no foreign key: it may be unregistered.
    Insert-only.
    """

    class Kind(models.TextChoices):
        REASONING_CAP_EXCEEDED = "reasoning_cap_exceeded", _("reasoning above the approved cap")
        TOOL_CALL_OUTSIDE_GRANT = "tool_call_outside_grant", _("tool call outside its grant")
        UNREGISTERED_SUBJECT = "unregistered_subject", _("unregistered subject")
        UNAPPROVED_REVISION = "unapproved_revision", _("nothing approved, yet in use")
        AGENT_BUDGET_EXCEEDED = "agent_budget_exceeded", _("agent above its budget")
        TOOL_GRANT_EXPIRED_USE = "tool_grant_expired_use", _("tool call after its grant ended")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=40, choices=Kind)
    subject = models.CharField(_("subject"), max_length=200)
    scope = models.CharField(_("scope"), max_length=300)
    entry_index = models.BigIntegerField(_("entry"))
    detail = models.CharField(_("what was found"), max_length=1000)
    raised_at = models.DateTimeField(_("raised"))

    class Meta:
        db_table = "finding"
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject", "scope"], name="finding_raised_once"),
            models.CheckConstraint(
                name="finding_kind_known",
                condition=Q(
                    kind__in=[
                        "reasoning_cap_exceeded",
                        "tool_call_outside_grant",
                        "unregistered_subject",
                        "unapproved_revision",
                        "agent_budget_exceeded",
                        "tool_grant_expired_use",
                    ]
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["subject", "-raised_at"], name="finding_of_subject"),
            models.Index(models.F("raised_at").desc(), "id", name="finding_newest"),
            models.Index("kind", models.F("raised_at").desc(), "id", name="finding_newest_of_kind"),
        ]

    def __str__(self) -> str:
        return self.detail


class Cursor(models.Model):
    """How far a follower has read the log: the index of the next entry."""

    name = models.CharField(max_length=40, primary_key=True)
    next_index = models.BigIntegerField()

    class Meta:
        db_table = "log_cursor"
        constraints = [
            models.CheckConstraint(name="cursor_not_negative", condition=Q(next_index__gte=0)),
        ]
