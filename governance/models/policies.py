"""Versions of approval policies, themselves decided by two persons."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ApprovalPolicyVersion(models.Model):
    """A version of an approval policy. Its content is frozen; `digest` is the SHA-256 of `content`.

    `applies_when` and `weight` say which requests it is for: see `governance.workflow.routing`.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        ADOPTED = "adopted", _("adopted")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")
        RETIRED = "retired", _("retired")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    weight = models.PositiveIntegerField(_("weight"))
    applies_when = models.TextField(_("applies when"))
    content = models.TextField(_("content"))
    digest = models.CharField(_("digest"), max_length=64)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    reason = models.CharField(_("reason"), max_length=2000)
    proposed_at = models.DateTimeField(_("proposed"))
    decided_by = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("decided by")
    )
    decision_reason = models.CharField(_("reason of the decision"), max_length=2000, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "approval_policy"
        verbose_name = _("approval policy")
        verbose_name_plural = _("approval policies")
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="approval_policy_version_once"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(state="adopted"), name="approval_policy_adopted_once_per_name"
            ),
            models.CheckConstraint(
                name="approval_policy_state_known",
                condition=Q(state__in=["proposed", "adopted", "refused", "withdrawn", "retired"]),
            ),
            models.CheckConstraint(
                name="approval_policy_four_eyes",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="approval_policy_decided_by_somebody",
                condition=Q(state__in=["proposed", "withdrawn"], decided_by__isnull=True)
                | Q(state__in=["adopted", "refused", "retired"], decided_by__isnull=False, decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
