"""Approval requests and the decisions on them.

A decision carries the requester and the digest it saw; composite foreign keys (migration 0002) hold both
against the request, so `decider <> requester` cannot be met by a row that lies about who asked. What a request may
become, and after which decisions, is judged again by the guards of migration 0006.
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from governance.models.deployments import Deployment, Revision
from governance.models.usecases import Tier

_SHA256 = "^[0-9a-f]{64}$"


class ApprovalRequest(models.Model):
    """The question whether a revision may run. What was asked is frozen.

    `pool`, `quorum` and `due_at` are those of the current stage. `closed_at` is when it was decided or given up;
    `ended_at` when an approval stopped standing. `previous_request` is the round or the approval it follows.
    """

    class Kind(models.TextChoices):
        DEPLOY = "deploy", _("deploy")
        CHANGE = "change", _("change")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        CHANGES_REQUESTED = "changes_requested", _("changes requested")
        WITHDRAWN = "withdrawn", _("withdrawn")
        TIMED_OUT = "timed_out", _("timed out")
        REVOKED = "revoked", _("revoked")
        EXPIRED = "expired", _("expired")
        INVALIDATED = "invalidated", _("invalidated")

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
    stage = models.PositiveIntegerField(_("stage"), default=1, db_default=1)
    round = models.PositiveIntegerField(_("round"), default=1, db_default=1)
    previous_request = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("follows")
    )
    tier = models.CharField(
        _("tier"), max_length=20, choices=Tier, default=Tier.UNCLASSIFIED, db_default=Tier.UNCLASSIFIED.value
    )
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
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
                condition=Q(
                    state__in=[
                        "open",
                        "approved",
                        "rejected",
                        "changes_requested",
                        "withdrawn",
                        "timed_out",
                        "revoked",
                        "expired",
                        "invalidated",
                    ]
                ),
            ),
            models.UniqueConstraint(fields=["id", "deployment"], name="request_id_and_deployment"),
            models.CheckConstraint(
                name="request_ended_after_approval",
                condition=Q(state__in=["revoked", "expired", "invalidated"], ended_at__isnull=False)
                | (~Q(state__in=["revoked", "expired", "invalidated"]) & Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="request_valid_when_approved",
                condition=Q(valid_until__isnull=True)
                | Q(state__in=["approved", "revoked", "expired", "invalidated"], valid_until__gt=F("closed_at")),
            ),
            models.CheckConstraint(name="request_stage_and_round_positive", condition=Q(stage__gt=0, round__gt=0)),
            models.CheckConstraint(name="request_tier_known", condition=Q(tier__in=Tier.values)),
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
            models.Index(fields=["valid_until"], name="request_valid_until", condition=Q(state="approved")),
            models.Index(fields=["due_at"], name="request_due_at", condition=Q(state="open")),
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
        APPROVE_WITH_CONDITIONS = "approve_with_conditions", _("approve with conditions")
        REJECT = "reject", _("reject")
        REQUEST_CHANGES = "request_changes", _("request changes")

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
    decision = models.CharField(_("decision"), max_length=30, choices=Choice)
    reason = models.CharField(_("reason"), max_length=4000)
    digest_seen = models.CharField(_("digest seen"), max_length=64)
    decided_at = models.DateTimeField(_("decided"))
    stage = models.PositiveIntegerField(_("stage"), default=1, db_default=1)
    sealed = models.OneToOneField(
        "governance.SealedDecision",
        on_delete=models.PROTECT,
        related_name="opened",
        null=True,
        blank=True,
        verbose_name=_("sealed as"),
    )

    class Meta:
        db_table = "decision"
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints = [
            models.CheckConstraint(name="decision_four_eyes", condition=~Q(decider=F("requester"))),
            models.UniqueConstraint(fields=["request", "decider"], name="decision_once_per_person"),
            models.UniqueConstraint(fields=["id", "request"], name="decision_id_and_request"),
            models.CheckConstraint(
                name="decision_choice_known",
                condition=Q(decision__in=["approve", "approve_with_conditions", "reject", "request_changes"]),
            ),
            models.CheckConstraint(
                name="decision_has_reason", condition=models.lookups.GreaterThanOrEqual(Length("reason"), 20)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
