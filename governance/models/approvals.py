"""Approval requests and the decisions on them.

A decision carries the requester and the digest it saw; composite foreign keys (migration 0002) hold both
against the request, so `decider <> requester` cannot be met by a row that lies about who asked.
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from governance.models.deployments import Deployment, Revision

_SHA256 = "^[0-9a-f]{64}$"


class ApprovalRequest(models.Model):
    """The question whether a revision may run. All but `state`, `closed_at` and `row_version` is frozen."""

    class Kind(models.TextChoices):
        DEPLOY = "deploy", _("deploy")
        CHANGE = "change", _("change")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(_("number"), unique=True)
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="requests", verbose_name=_("deployment")
    )
    revision = models.ForeignKey(
        Revision, on_delete=models.PROTECT, related_name="requests", verbose_name=_("revision")
    )
    previous_revision = models.ForeignKey(
        Revision,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("approved when asked"),
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.OPEN)
    requester = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="requests", verbose_name=_("requester")
    )
    submitted_by = models.CharField(_("submitted by"), max_length=100)
    justification = models.CharField(_("why"), max_length=2000)
    revision_digest = models.CharField(_("revision digest"), max_length=64)
    decision_digest = models.CharField(_("decision digest"), max_length=64)
    approval_policy = models.TextField(_("approval policy"))
    approval_policy_digest = models.CharField(max_length=64)
    pool = models.CharField(_("pool"), max_length=150)
    quorum = models.PositiveIntegerField(_("quorum"))
    evidence = models.TextField(_("evidence"))
    evidence_digest = models.CharField(max_length=64)
    submitted_at = models.DateTimeField(_("submitted"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "approval_request"
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        constraints = [
            models.UniqueConstraint(fields=["id", "requester"], name="request_id_and_requester"),
            models.UniqueConstraint(fields=["id", "decision_digest"], name="request_id_and_digest"),
            models.UniqueConstraint(
                fields=["deployment"], condition=Q(state="open"), name="request_open_once_per_deployment"
            ),
            models.CheckConstraint(
                name="request_state_known",
                condition=Q(state__in=["open", "approved", "rejected", "withdrawn"]),
            ),
            models.CheckConstraint(name="request_kind_known", condition=Q(kind__in=["deploy", "change"])),
            models.CheckConstraint(
                name="request_closed_when_decided",
                condition=Q(state="open", closed_at__isnull=True) | (~Q(state="open") & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(name="request_quorum_positive", condition=Q(quorum__gt=0)),
            models.CheckConstraint(
                name="request_digests_are_sha256",
                condition=Q(decision_digest__regex=_SHA256, revision_digest__regex=_SHA256),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "submitted_at", "number"], name="request_queue"),
            models.Index(fields=["revision_digest"], name="request_revision_digest"),
            models.Index(fields=["state", "deployment", "submitted_at", "number"], name="request_queue_deployment"),
            models.Index(fields=["state", "requester", "submitted_at", "number"], name="request_queue_requester"),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        """How people call it."""
        return f"REQ-{self.number:04}"


class Decision(models.Model):
    """What one person decided on one request, and why. Insert-only."""

    class Choice(models.TextChoices):
        APPROVE = "approve", _("approve")
        REJECT = "reject", _("reject")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("request")
    )
    requester = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("requester")
    )
    decider = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="decisions", verbose_name=_("decider")
    )
    account = models.ForeignKey("audit.User", on_delete=models.PROTECT, related_name="+", verbose_name=_("log-in"))
    decision = models.CharField(_("decision"), max_length=20, choices=Choice)
    reason = models.CharField(_("reason"), max_length=4000)
    digest_seen = models.CharField(_("digest seen"), max_length=64)
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        db_table = "decision"
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.CheckConstraint(name="decision_four_eyes", condition=~Q(decider=F("requester"))),
            models.UniqueConstraint(fields=["request", "decider"], name="decision_once_per_person"),
            models.CheckConstraint(name="decision_choice_known", condition=Q(decision__in=["approve", "reject"])),
            models.CheckConstraint(
                name="decision_has_reason", condition=models.lookups.GreaterThanOrEqual(Length("reason"), 20)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
