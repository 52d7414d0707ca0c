"""Where the continuous self-check stands, and what its last runs and its last round came to.

Working state, not evidence: what a round came to is an entry, `selfcheck.completed`.
"""

from django.db import models


class SelfCheck(models.Model):
    """One row: the round over the log that is under way (`pass_…`), the last whole one (`round_…`), the last run.

    `pass_found`: a run of the round under way found something, so the round is not told as one that found nothing.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    next_index = models.BigIntegerField(default=0)
    edge = models.BinaryField(default=b"")
    pass_started_at = models.DateTimeField(null=True)
    pass_sections = models.BigIntegerField(default=0)
    pass_found = models.BooleanField(default=False)
    pass_finished_at = models.DateTimeField(null=True)
    round_started_at = models.DateTimeField(null=True)
    round_entries = models.BigIntegerField(default=0)
    round_sections = models.BigIntegerField(default=0)
    run_at = models.DateTimeField(null=True)
    run_entries = models.BigIntegerField(default=0)
    run_milliseconds = models.BigIntegerField(default=0)
    findings = models.BigIntegerField(default=0)

    class Meta:
        db_table = "self_check"
        constraints = [models.CheckConstraint(name="self_check_is_one_row", condition=models.Q(id=1))]


class SelfCheckComparison(models.Model):
    """One row for each comparison of SELF_CHECK_COMPARISONS: where its round stands (empty: at the start)."""

    name = models.CharField(primary_key=True, max_length=200)
    position = models.CharField(max_length=200, blank=True)
    pass_started_at = models.DateTimeField(null=True)
    pass_rows = models.BigIntegerField(default=0)
    round_started_at = models.DateTimeField(null=True)
    round_finished_at = models.DateTimeField(null=True)
    round_rows = models.BigIntegerField(default=0)

    class Meta:
        db_table = "self_check_comparison"
