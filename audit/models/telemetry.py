"""Telemetry: what is collected from where, the records themselves, and the windows that seal them.

`usage_record`, `hardware_sample` and `slot_outcome` are insert-only and partitioned by month (migration 0003).
Their rows are written by COPY, never through these models; the models are for reading. Columns hold what sums
and charts need; `body` holds the canonical bytes that a window's root is made from.

Units stand in the names: bytes, mw (milliwatt), mj (millijoule), ppm (millionths of the whole), mc (thousandths
of a degree Celsius), ms. NULL means that the source did not say, which is not zero.
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class TargetKind(models.TextChoices):
    """What answers at a target; each kind has one collector."""

    VLLM = "vllm", _("vLLM server")
    DCGM = "dcgm", _("dcgm-exporter")
    NVIDIA_GPU_EXPORTER = "nvidia_gpu_exporter", _("nvidia_gpu_exporter")
    HOST = "host", _("this host")


class RecordKind(models.TextChoices):
    """The two families of records; each has its own table and its own window length."""

    USAGE = "usage", _("usage")
    HARDWARE = "hardware", _("hardware")


class Target(models.Model):
    """Something that is asked on a grid of slots: slot n is due at n * interval + phase seconds of Unix time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=32, choices=TargetKind)
    url = models.CharField(_("address"), max_length=500, blank=True)
    subject = models.CharField(_("subject"), max_length=100)
    interval_seconds = models.PositiveIntegerField(_("interval"))
    phase_seconds = models.PositiveIntegerField(_("phase"))
    registered_at = models.DateTimeField(_("registered"))
    enabled = models.BooleanField(_("enabled"), default=True)
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "target"
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [
            models.CheckConstraint(
                name="target_grid",
                condition=models.Q(interval_seconds__gte=1, interval_seconds__lte=86_400)
                & models.Q(phase_seconds__lt=models.F("interval_seconds")),
            ),
            models.CheckConstraint(
                name="target_url_unless_host",
                condition=models.Q(kind="host", url="") | (~models.Q(kind="host") & ~models.Q(url="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TargetState(models.Model):
    """Where collection of a target stands: the lease of who asks now, and the last value of every counter.

    Working state, not evidence: every record holds the raw counters beside the difference made from this.
    """

    target = models.OneToOneField(Target, on_delete=models.PROTECT, primary_key=True, related_name="state")
    due_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_outcome = models.CharField(max_length=32, blank=True)
    last_detail = models.CharField(max_length=200, blank=True)
    last_slot = models.BigIntegerField(null=True)
    last_ok_slot = models.BigIntegerField(null=True)
    counters = models.TextField(default="{}")

    class Meta:
        db_table = "target_state"
        indexes = [models.Index(fields=["due_at"], name="target_state_due")]


class SlotOutcome(models.Model):
    """What came of asking a target in a slot. No row: nobody asked. Every outcome but `ok` is a missed slot."""

    pk = models.CompositePrimaryKey("target_id", "slot", "observed_at")
    target_id = models.UUIDField()
    slot = models.BigIntegerField()
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    outcome = models.TextField()
    detail = models.TextField()
    rows = models.IntegerField()

    class Meta:
        db_table = "slot_outcome"


class UsageRecord(models.Model):
    """Use of a model: the growth of an engine's counters in a slot, or one request that a pipeline reported.

    Attributes:
        method: `counter` or `request`.
        source: `target:<uuid>` or `source:<uuid>`.
        series: which of the target's series (engine and model); empty for a request.
        resets: 1 when a counter began anew since the sample before; the growth is then a lower bound.
        elapsed_ms: time since the sample before, for counters.
    """

    pk = models.CompositePrimaryKey("id", "observed_at")
    id = models.BigIntegerField()
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    subject = models.TextField()
    source = models.TextField()
    method = models.TextField()
    target_id = models.UUIDField(null=True)
    slot = models.BigIntegerField(null=True)
    series = models.TextField()
    model = models.TextField()
    requests = models.BigIntegerField(null=True)
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    reasoning_tokens = models.BigIntegerField(null=True)
    cached_tokens = models.BigIntegerField(null=True)
    duration_ms = models.BigIntegerField(null=True)
    elapsed_ms = models.BigIntegerField(null=True)
    resets = models.IntegerField()
    body = models.BinaryField()

    class Meta:
        db_table = "usage_record"
        indexes = [models.Index(fields=["subject", "observed_at", "id"], name="usage_record_subject")]


class HardwareSample(models.Model):
    """One device of a target in one slot: a GPU (board or MIG instance), or the host itself.

    Attributes:
        series: the device, unique in the target: GPU UUID, GPU UUID with MIG instance, or `host`.
        energy_mj: the device's own counter; `energy_delta_mj` its growth since the sample before.
        util_ppm: GPU or, for the host, CPU utilisation.
    """

    pk = models.CompositePrimaryKey("id", "observed_at")
    id = models.BigIntegerField()
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    subject = models.TextField()
    source = models.TextField()
    target_id = models.UUIDField()
    slot = models.BigIntegerField()
    series = models.TextField()
    node = models.TextField()
    device_model = models.TextField()
    util_ppm = models.BigIntegerField(null=True)
    memory_used_bytes = models.BigIntegerField(null=True)
    memory_total_bytes = models.BigIntegerField(null=True)
    power_mw = models.BigIntegerField(null=True)
    energy_mj = models.BigIntegerField(null=True)
    energy_delta_mj = models.BigIntegerField(null=True)
    temperature_mc = models.BigIntegerField(null=True)
    load_milli = models.BigIntegerField(null=True)
    elapsed_ms = models.BigIntegerField(null=True)
    resets = models.IntegerField()
    body = models.BinaryField()

    class Meta:
        db_table = "hardware_sample"
        indexes = [models.Index(fields=["subject", "observed_at", "id"], name="hardware_sample_subject")]


class UsageKey(models.Model):
    """Exact idempotency of reported requests: SHA-256 of (source, client id), and of what content."""

    key = models.BinaryField(primary_key=True, max_length=32)
    content = models.BinaryField(max_length=32)
    observed_at = models.DateTimeField()

    class Meta:
        db_table = "usage_key"


class Window(models.Model):
    """A sealed window, or a later revision of one that sealed what came late. Insert-only.

    A revision covers the rows of subject and time range with `after_id` < id <= `through_id`, so each row is
    under exactly one root.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=RecordKind)
    subject = models.CharField(_("subject"), max_length=100)
    starts_at = models.DateTimeField(_("start"))
    ends_at = models.DateTimeField(_("end"))
    revision = models.PositiveIntegerField(_("revision"))
    after_id = models.BigIntegerField()
    through_id = models.BigIntegerField()
    rows = models.BigIntegerField(_("rows"))
    root = models.BinaryField(max_length=32)
    expected = models.IntegerField(_("expected"), null=True)
    received = models.IntegerField(_("received"), null=True)
    sealed_at = models.DateTimeField(_("sealed"))

    class Meta:
        db_table = "sealed_window"
        verbose_name = _("window")
        verbose_name_plural = _("windows")
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject", "starts_at", "revision"], name="window_sealed_once"),
            models.CheckConstraint(name="window_has_length", condition=models.Q(ends_at__gt=models.F("starts_at"))),
            models.CheckConstraint(name="window_id_range", condition=models.Q(through_id__gte=models.F("after_id"))),
        ]
        indexes = [
            models.Index(fields=["kind", "subject", "-ends_at"], name="window_newest"),
            models.Index(fields=["kind", "-sealed_at"], name="window_sealed_newest"),
        ]


class SealCursor(models.Model):
    """Every record with an id up to `through_id` is under a window: where the next seal starts to look."""

    kind = models.CharField(primary_key=True, max_length=16, choices=RecordKind)
    through_id = models.BigIntegerField()

    class Meta:
        db_table = "seal_cursor"


class Gap(models.Model):
    """Slots of a target that were missed in a row. `ended_at` is NULL while it lasts.

    `announced` counts the ledger entries about it: 1 when the opening is told, 2 when the end is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="gaps")
    began_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("to"), null=True)
    reason = models.CharField(_("reason"), max_length=32)
    missed_slots = models.BigIntegerField(_("missed slots"), null=True)
    announced = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "coverage_gap"
        verbose_name = _("gap")
        verbose_name_plural = _("gaps")
        constraints = [
            models.UniqueConstraint(fields=["target"], condition=models.Q(ended_at=None), name="coverage_gap_one_open"),
            models.CheckConstraint(
                name="coverage_gap_end_has_count",
                condition=models.Q(ended_at=None, missed_slots=None)
                | models.Q(ended_at__gte=models.F("began_at"), missed_slots__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["announced"], condition=models.Q(announced__lt=2), name="coverage_gap_untold"),
        ]
