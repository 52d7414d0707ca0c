"""What a request is decided by: its stages, who may not decide, sealed decisions, and conditions of an approval."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from governance.models.approvals import ApprovalRequest, Decision

_SHA256 = "^[0-9a-f]{64}$"


class RequestStage(models.Model):
    """A stage of a request, as its frozen policy says. Insert-only; it stands from the moment of submission."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="stages", verbose_name=_("request")
    )
    sequence = models.PositiveIntegerField(_("stage"))
    name = models.CharField(_("name"), max_length=60)
    pool = models.CharField(_("pool"), max_length=150)
    quorum = models.PositiveIntegerField(_("quorum"))
    blind = models.BooleanField(_("blind"))
    conditions_allowed = models.BooleanField(_("conditions allowed"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)

    class Meta:
        db_table = "request_stage"
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        constraints = [
            models.UniqueConstraint(fields=["request", "sequence"], name="request_stage_once"),
            models.CheckConstraint(name="request_stage_counts_positive", condition=Q(sequence__gt=0, quorum__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name


class RequestExclusion(models.Model):
    """That a person may not decide a stage, and why; the requester is excluded without a row. Insert-only."""

    class Why(models.TextChoices):
        DEPLOYMENT_OWNER = "deployment_owner", _("owns the deployment")
        USE_CASE_OWNER = "use_case_owner", _("owns the use case")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="exclusions", verbose_name=_("request")
    )
    stage = models.PositiveIntegerField(_("stage"))
    person = models.ForeignKey("audit.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("person"))
    why = models.CharField(_("why"), max_length=30, choices=Why)

    class Meta:
        db_table = "request_exclusion"
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        constraints = [
            models.UniqueConstraint(fields=["request", "stage", "person"], name="request_exclusion_once"),
            models.CheckConstraint(
                name="request_exclusion_why_known", condition=Q(why__in=["deployment_owner", "use_case_owner"])
            ),
        ]

    def __str__(self) -> str:
        return self.why


class SealedDecision(models.Model):
    """A decision in a blind stage, committed to and not yet open. Insert-only.

    `commitment` is SHA-256 of the salt's bytes and `content`; the ledger holds it from the moment it was sealed, and
    `content` and `salt` only when the stage is opened.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="sealed_decisions", verbose_name=_("request")
    )
    stage = models.PositiveIntegerField(_("stage"))
    requester = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("requester")
    )
    decider = models.ForeignKey("audit.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("decider"))
    account = models.ForeignKey("audit.User", on_delete=models.PROTECT, related_name="+", verbose_name=_("log-in"))
    commitment = models.CharField(_("commitment"), max_length=64)
    content = models.TextField(_("content"))
    salt = models.CharField(_("salt"), max_length=64)
    digest_seen = models.CharField(_("digest seen"), max_length=64)
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        db_table = "sealed_decision"
        verbose_name = _("sealed decision")
        verbose_name_plural = _("sealed decisions")
        constraints = [
            models.CheckConstraint(name="sealed_decision_four_eyes", condition=~Q(decider=F("requester"))),
            models.UniqueConstraint(fields=["request", "decider"], name="sealed_decision_once_per_person"),
            models.CheckConstraint(name="sealed_decision_salt_is_long", condition=Q(salt__regex=_SHA256)),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Condition(models.Model):
    """What somebody asked for when approving. `block`: overdue and not met, the revision may not run."""

    class OnBreach(models.TextChoices):
        BLOCK = "block", _("blocks")
        NOTIFY = "notify", _("is told")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        MET = "met", _("met")
        BREACHED = "breached", _("not met in time")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="conditions", verbose_name=_("request")
    )
    decision = models.ForeignKey(
        Decision, on_delete=models.PROTECT, related_name="conditions", verbose_name=_("decision")
    )
    number = models.PositiveIntegerField(_("number"))
    text = models.CharField(_("condition"), max_length=1000)
    due_at = models.DateTimeField(_("due"))
    on_breach = models.CharField(_("when it is late"), max_length=10, choices=OnBreach)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    met_at = models.DateTimeField(_("met"), null=True, blank=True)
    met_by = models.ForeignKey(
        "audit.Person",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("confirmed by"),
    )
    evidence = models.CharField(_("evidence"), max_length=1000, blank=True)
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "condition"
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="condition_numbered_once"),
            models.CheckConstraint(name="condition_on_breach_known", condition=Q(on_breach__in=["block", "notify"])),
            models.CheckConstraint(name="condition_state_known", condition=Q(state__in=["open", "met", "breached"])),
            models.CheckConstraint(
                name="condition_met_by_somebody",
                condition=Q(state="met", met_at__isnull=False, met_by__isnull=False)
                | (~Q(state="met") & Q(met_at__isnull=True, met_by__isnull=True, evidence="")),
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="condition_due", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.number}"
