"""Evidence: what somebody collected about a registered thing, by its digest. The file itself stays where it lies."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Evidence(models.Model):
    """A document or result that decisions may rely on. Insert-only: a newer one supersedes, a wrong one is revoked."""

    class Kind(models.TextChoices):
        TEST_REPORT = "test_report", _("test report")
        RED_TEAM = "red_team", _("red team report")
        DPIA = "dpia", _("data protection impact assessment")
        FRIA = "fria", _("fundamental rights impact assessment")
        IMPACT_ASSESSMENT = "impact_assessment", _("impact assessment of an AI system")
        SECURITY_REVIEW = "security_review", _("security review")
        LICENCE_REVIEW = "licence_review", _("licence review")
        MODEL_CARD = "model_card", _("model card")
        DATA_SHEET = "data_sheet", _("data sheet")
        CONTRACT = "contract", _("contract")
        OTHER = "other", _("something else")

    class Secrecy(models.TextChoices):
        OPEN = "open", pgettext_lazy("secrecy", "open")
        INTERNAL = "internal", _("internal")
        CONFIDENTIAL = "confidential", _("confidential")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(_("number"), unique=True)
    title = models.CharField(_("title"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    subject_kind = models.CharField(_("kind of subject"), max_length=40)
    subject_id = models.UUIDField(_("subject"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    size_bytes = models.BigIntegerField(_("size (bytes)"))
    media_type = models.CharField(_("media type"), max_length=100)
    address = models.CharField(_("where it lies"), max_length=500)
    collected_at = models.DateField(_("collected"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    classification = models.CharField(_("classification"), max_length=20, choices=Secrecy)
    owner = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="evidence", verbose_name=_("owner")
    )
    supersedes = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        related_name="superseded_by",
        null=True,
        blank=True,
        verbose_name=_("supersedes"),
    )
    recorded_by = models.CharField(_("recorded by"), max_length=100)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        db_table = "evidence"
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        constraints = [
            models.UniqueConstraint(fields=["supersedes"], name="evidence_superseded_once"),
            models.UniqueConstraint(
                fields=["id", "kind", "subject_kind", "subject_id"], name="evidence_of_kind_and_subject"
            ),
            models.CheckConstraint(name="evidence_digest_is_sha256", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
            models.CheckConstraint(name="evidence_has_size", condition=Q(size_bytes__gte=0)),
            models.CheckConstraint(
                name="evidence_kind_known",
                condition=Q(
                    kind__in=[
                        *("test_report", "red_team", "dpia", "fria", "impact_assessment", "security_review"),
                        *("licence_review", "model_card", "data_sheet", "contract", "other"),
                    ]
                ),
            ),
            models.CheckConstraint(
                name="evidence_classification_known",
                condition=Q(classification__in=["open", "internal", "confidential"]),
            ),
            models.CheckConstraint(
                name="evidence_ends_after_it_was_collected",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=models.F("collected_at")),
            ),
            models.CheckConstraint(name="evidence_not_its_own", condition=~Q(supersedes=models.F("id"))),
        ]
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="evidence_of_subject")]

    def __str__(self) -> str:
        return self.title

    @property
    def ref(self) -> str:
        """How people call it."""
        return f"EV-{self.number:04}"


class EvidenceRevocation(models.Model):
    """Somebody said that a piece of evidence must not be relied on. Insert-only, and once for each."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, related_name="revocation", verbose_name=_("evidence")
    )
    reason = models.CharField(_("reason"), max_length=2000)
    revoked_by = models.CharField(_("revoked by"), max_length=100)
    revoked_at = models.DateTimeField(_("revoked"))

    class Meta:
        db_table = "evidence_revocation"
        verbose_name = _("revocation of evidence")
        verbose_name_plural = _("revocations of evidence")
        constraints = [
            models.CheckConstraint(name="evidence_revocation_has_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return self.reason
