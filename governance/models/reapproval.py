"""What spoiled an approval after it was given."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.approvals import ApprovalRequest
from governance.models.deployments import Deployment


class ReapprovalTrigger(models.Model):
    """That something an approval stands on changed, raised once for each approval, cause and subject. Insert-only.

    `subject` is the ledger's name of what changed. One that blocks ends the approval in the same transaction.
    """

    class Cause(models.TextChoices):
        WITHDRAWN = "withdrawn", _("retired or quarantined")
        OUTDATED = "outdated", _("deprecated or superseded")
        ANCESTOR_QUARANTINED = "ancestor_quarantined", _("made from something quarantined")
        EVIDENCE_SPOILT = "evidence_spoilt", _("evidence revoked or expired")
        EVIDENCE_SUPERSEDED = "evidence_superseded", _("evidence superseded")
        TIER_RAISED = "tier_raised", _("tier raised")
        TIER_CHANGED = "tier_changed", _("tier changed")
        POLICY_RENEWED = "policy_renewed", _("newer approval policy")
        GRANT_WIDENED = "grant_widened", _("tool grant widened")
        OVERSIGHT_VACANT = "oversight_vacant", _("nobody oversees it")

    class Effect(models.TextChoices):
        BLOCKS = "blocks", _("ends the approval")
        WARNS = "warns", _("needs another look")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="triggers", verbose_name=_("request")
    )
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="triggers", verbose_name=_("deployment")
    )
    cause = models.CharField(_("cause"), max_length=40, choices=Cause)
    effect = models.CharField(_("effect"), max_length=10, choices=Effect)
    subject = models.CharField(_("subject"), max_length=200)
    entry_index = models.BigIntegerField(_("entry"), null=True, blank=True)
    detail = models.CharField(_("what changed"), max_length=1000)
    raised_at = models.DateTimeField(_("raised"))

    class Meta:
        db_table = "reapproval_trigger"
        verbose_name = _("re-approval trigger")
        verbose_name_plural = _("re-approval triggers")
        constraints = [
            models.UniqueConstraint(fields=["request", "cause", "subject"], name="reapproval_trigger_raised_once"),
            models.CheckConstraint(name="reapproval_trigger_has_detail", condition=~Q(detail="")),
            models.CheckConstraint(
                name="reapproval_trigger_cause_has_effect",
                condition=Q(
                    effect="blocks",
                    cause__in=["withdrawn", "ancestor_quarantined", "evidence_spoilt", "tier_raised", "grant_widened"],
                )
                | Q(
                    effect="warns",
                    cause__in=[
                        "outdated",
                        "evidence_superseded",
                        "tier_changed",
                        "policy_renewed",
                        "oversight_vacant",
                    ],
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["deployment", "-raised_at"], name="reapproval_of_deployment"),
        ]

    def __str__(self) -> str:
        return self.detail
