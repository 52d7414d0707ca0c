"""What AI is used for, and what the EU AI Act makes of it."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

_SHA256 = "^[0-9a-f]{64}$"


class Tier(models.TextChoices):
    """What a use is classified as; `unclassified` is the absence of an answer, not a low one."""

    UNCLASSIFIED = "unclassified", _("unclassified")
    OUT_OF_SCOPE = "out_of_scope", _("out of scope")
    PROHIBITED = "prohibited", _("prohibited")
    HIGH = "high", _("high risk")
    TRANSPARENCY = "transparency", _("transparency duties")
    MINIMAL = "minimal", _("minimal risk")
    GPAI = "gpai", _("general-purpose model")
    GPAI_SYSTEMIC = "gpai_systemic", _("general-purpose model with systemic risk")


class UseCase(models.Model):
    """A use of AI in the sense of the Act. Its classification is the newest one, and its tier is that one's."""

    class EuRole(models.TextChoices):
        PROVIDER = "provider", _("provider")
        DEPLOYER = "deployer", _("deployer")
        IMPORTER = "importer", _("importer")
        DISTRIBUTOR = "distributor", _("distributor")
        PRODUCT_MANUFACTURER = "product_manufacturer", _("product manufacturer")
        AUTHORISED_REPRESENTATIVE = "authorised_representative", _("authorised representative")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(_("number"), unique=True)
    name = models.CharField(_("name"), max_length=100, unique=True)
    intended_purpose = models.CharField(_("intended purpose"), max_length=2000)
    out_of_scope_uses = models.CharField(_("not meant for"), max_length=2000, blank=True)
    owner = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="use_cases", verbose_name=_("owner")
    )
    eu_role = models.CharField(_("role under the Act"), max_length=40, choices=EuRole)
    member_states = ArrayField(models.CharField(max_length=2), verbose_name=_("member states"), default=list)
    begin_date = models.DateField(_("begins"), null=True, blank=True)
    end_date = models.DateField(_("ends"), null=True, blank=True)
    classification = models.ForeignKey(
        "governance.Classification",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("classification"),
    )
    tier = models.CharField(_("tier"), max_length=20, choices=Tier, default=Tier.UNCLASSIFIED)
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "use_case"
        verbose_name = _("use case")
        verbose_name_plural = _("use cases")
        constraints = [
            models.CheckConstraint(name="use_case_tier_known", condition=Q(tier__in=Tier.values)),
            models.CheckConstraint(
                name="use_case_tier_is_of_a_classification",
                condition=Q(classification__isnull=False) | Q(tier="unclassified"),
            ),
            models.CheckConstraint(
                name="use_case_role_known",
                condition=Q(
                    eu_role__in=[
                        "provider",
                        "deployer",
                        "importer",
                        "distributor",
                        "product_manufacturer",
                        "authorised_representative",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="use_case_ends_after_it_begins",
                condition=Q(end_date__isnull=True)
                | Q(begin_date__isnull=True)
                | Q(end_date__gte=models.F("begin_date")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> str:
        """How people call it."""
        return f"UC-{self.number:04}"


class Classification(models.Model):
    """One walk through a version of the decision tree: every answer with its reason. Insert-only.

    `digest` is the SHA-256 of `tree_digest`, `path` and `result`: see `governance.classification`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    use_case = models.ForeignKey(
        UseCase, on_delete=models.PROTECT, related_name="classifications", verbose_name=_("use case")
    )
    number = models.PositiveIntegerField(_("number"))
    tree = models.CharField(_("decision tree"), max_length=100)
    tree_version = models.CharField(_("version of the tree"), max_length=40)
    tree_digest = models.CharField(_("digest of the tree"), max_length=64)
    path = models.TextField(_("answers"))
    result = models.CharField(_("result"), max_length=60, blank=True)
    tier = models.CharField(_("tier"), max_length=20, choices=Tier)
    outcome = models.TextField(_("what follows"))
    digest = models.CharField(_("digest"), max_length=64)
    classified_by = models.CharField(_("classified by"), max_length=100)
    classified_at = models.DateTimeField(_("classified"))

    class Meta:
        db_table = "classification"
        verbose_name = _("classification")
        verbose_name_plural = _("classifications")
        constraints = [
            models.UniqueConstraint(fields=["use_case", "number"], name="classification_numbered_once"),
            models.UniqueConstraint(fields=["id", "use_case", "tier"], name="classification_use_case_and_tier"),
            models.CheckConstraint(name="classification_tier_known", condition=Q(tier__in=Tier.values)),
            models.CheckConstraint(
                name="classification_result_has_tier",
                condition=Q(result="", tier="unclassified") | (~Q(result="") & ~Q(tier="unclassified")),
            ),
            models.CheckConstraint(
                name="classification_digests_are_sha256",
                condition=Q(digest__regex=_SHA256, tree_digest__regex=_SHA256),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}"
