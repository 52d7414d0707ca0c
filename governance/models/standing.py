"""Standing: whether a registered thing may still be used, as a series of records. The newest one counts."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Standing(models.Model):
    """One change of standing of a registered thing; without any, it is active. Insert-only.

    `person` answers for the change: of a service account, its owner. Lifting a quarantine takes another person than
    the one who set it; migration 0009 holds that, the allowed changes and the numbers.
    """

    class Kind(models.TextChoices):
        MODEL = "model", _("model")
        MODEL_VERSION = "model_version", _("model version")
        ADAPTER = "adapter", _("adapter")
        USE_CASE = "use_case", _("use case")
        AGENT = "agent", _("agent")
        GPU_POOL = "gpu_pool", _("GPU pool")
        DEPLOYMENT = "deployment", _("deployment")
        DATASET_VERSION = "dataset_version", _("dataset version")
        TOOL_VERSION = "tool_version", _("tool version")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        DEPRECATED = "deprecated", _("deprecated")
        SUPERSEDED = "superseded", _("superseded")
        RETIRED = "retired", _("retired")
        QUARANTINED = "quarantined", _("quarantined")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject_kind = models.CharField(_("kind"), max_length=40, choices=Kind)
    subject_id = models.UUIDField(_("id of the thing"))
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("standing"), max_length=20, choices=State)
    reason = models.CharField(_("reason"), max_length=2000)
    successor_id = models.UUIDField(_("successor"), null=True, blank=True)
    actor = models.CharField(_("changed by"), max_length=100)
    person = models.ForeignKey("audit.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("person"))
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        db_table = "standing"
        verbose_name = _("standing")
        verbose_name_plural = _("standings")
        constraints = [
            models.UniqueConstraint(fields=["subject_kind", "subject_id", "number"], name="standing_numbered_once"),
            models.CheckConstraint(name="standing_numbers_from_one", condition=Q(number__gt=0)),
            models.CheckConstraint(
                name="standing_kind_known",
                condition=Q(
                    subject_kind__in=[
                        "model",
                        "model_version",
                        "adapter",
                        "use_case",
                        "agent",
                        "gpu_pool",
                        "deployment",
                        "dataset_version",
                        "tool_version",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="standing_state_known",
                condition=Q(state__in=["active", "deprecated", "superseded", "retired", "quarantined"]),
            ),
            models.CheckConstraint(name="standing_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="standing_superseded_names_its_successor",
                condition=~Q(state="superseded") | Q(successor_id__isnull=False),
            ),
            models.CheckConstraint(
                name="standing_successor_where_it_may_be",
                condition=Q(successor_id__isnull=True)
                | (Q(state__in=["superseded", "deprecated", "retired"]) & ~Q(successor_id=models.F("subject_id"))),
            ),
        ]
        indexes = [models.Index(fields=["state", "subject_kind"], name="standing_by_state")]

    def __str__(self) -> str:
        return self.state
