"""Imports from addresses as work in progress. What came of one is the registry's, and its entries tell it."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.registry import ModelVersion


class ImportJob(models.Model):
    """One import that somebody asked for. Changed only by `governance.operations.imports`.

    Attributes:
        gguf: name of the GGUF file at the address, empty for safetensors and adapters.
        progress: the file that is being fetched, or was last.
        result: `model_version:<uuid>` or `adapter:<uuid>`.
        account_id, service_id: the log-in or the service account that asked and registers.
        attempt: counts runs, so that one given up by a dead worker cannot finish over a newer one.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("being fetched")
        DONE = "done", _("registered")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    address = models.CharField(_("address"), max_length=400)
    name = models.CharField(_("name"), max_length=200)
    version = models.CharField(_("version"), max_length=100)
    gguf = models.CharField(_("GGUF file"), max_length=200, blank=True)
    hf_id = models.CharField(_("Hugging Face id"), max_length=200, blank=True)
    developer = models.CharField(_("developer"), max_length=200, blank=True)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    base = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("base")
    )
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.QUEUED)
    progress = models.CharField(_("file"), max_length=200, blank=True)
    failure = models.CharField(_("why it failed"), max_length=1000, blank=True)
    result = models.CharField(_("result"), max_length=100, blank=True)
    requested_by = models.CharField(_("requested by"), max_length=100)
    account_id = models.BigIntegerField(null=True, blank=True)
    service_id = models.UUIDField(null=True, blank=True)
    requested_at = models.DateTimeField(_("requested"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "import_job"
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.CheckConstraint(
                name="import_job_state_known",
                condition=Q(state__in=["queued", "running", "done", "failed", "cancelled"]),
            ),
            models.CheckConstraint(name="import_job_failure_has_reason", condition=~Q(state="failed") | ~Q(failure="")),
            models.CheckConstraint(name="import_job_done_has_result", condition=~Q(state="done") | ~Q(result="")),
            models.CheckConstraint(
                name="import_job_asked_by_one",
                condition=Q(account_id__isnull=True, service_id__isnull=False)
                | Q(account_id__isnull=False, service_id__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["-requested_at", "id"], name="import_job_newest"),
            models.Index(fields=["state", "requested_at"], name="import_job_unfinished"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def subject(self) -> str:
        """How the ledger names this import."""
        return f"import_job:{self.id}"
