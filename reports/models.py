"""Reports as work in progress: what was asked, how far it is, where the file lies. The evidence is in the ledger."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

_SHA256 = "^[0-9a-f]{64}$"


class Report(models.Model):
    """One requested report, pinned to a tree size. Changed only by `reports.operations`.

    Attributes:
        deployment: `deployment:<uuid>`, no foreign key: the report is about what the ledger says.
        tree_size: the signed checkpoint the report is made from.
        requested_by: `person:<uuid>` or `service:<uuid>`.
        attempt: counts renderings, so that one given up by a dead worker cannot finish over a newer one.
        receipt_attempt: counts attempts to attach the receipt that failed.
        revision1_sha256: SHA-256 of revision 1, as its `report.rendered` entry records it.
        sha256, size: of the file with its receipt.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RENDERING = "rendering", _("rendering")
        RENDERED = "rendered", _("waiting for its receipt")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    class Kind(models.TextChoices):
        DEPLOYMENT_TRANSPARENCY = "deployment_transparency", _("deployment transparency report")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=40, choices=Kind, default=Kind.DEPLOYMENT_TRANSPARENCY)
    deployment = models.CharField(_("deployment"), max_length=100)
    title = models.CharField(_("title"), max_length=200)
    tree_size = models.BigIntegerField(_("tree size"))
    language = models.CharField(_("language"), max_length=10, default="en")
    classification = models.CharField(_("classification"), max_length=200)
    requested_by = models.CharField(_("requested by"), max_length=100)
    requested_at = models.DateTimeField(_("requested"))
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.QUEUED)
    failure = models.CharField(_("why it failed"), max_length=1000, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    receipt_attempt = models.PositiveIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    revision1_sha256 = models.CharField(max_length=64, blank=True)
    dataset_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    size = models.BigIntegerField(_("size"), null=True, blank=True)
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "report"
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            models.CheckConstraint(
                name="report_state_known",
                condition=models.Q(state__in=["queued", "rendering", "rendered", "ready", "failed"]),
            ),
            models.CheckConstraint(name="report_tree_not_empty", condition=models.Q(tree_size__gt=0)),
            models.CheckConstraint(
                name="report_failure_has_reason",
                condition=~models.Q(state="failed") | ~models.Q(failure=""),
            ),
            models.CheckConstraint(
                name="report_rendered_has_hash",
                condition=~models.Q(state__in=["rendered", "ready"]) | models.Q(revision1_sha256__regex=_SHA256),
            ),
            models.CheckConstraint(
                name="report_ready_has_file",
                condition=~models.Q(state="ready") | models.Q(sha256__regex=_SHA256, size__gt=0),
            ),
        ]
        indexes = [
            models.Index(fields=["-requested_at", "id"], name="report_newest"),
            models.Index(fields=["state", "requested_at"], name="report_unfinished"),
            models.Index(fields=["deployment", "-requested_at"], name="report_of_deployment"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def subject(self) -> str:
        """How the ledger names this report."""
        return f"report:{self.id}"
