"""Where the continuous self-check stands, and what its last run came to."""

from django.db import models


class SelfCheck(models.Model):
    """One row: the cursor of the pass under way, and the result of the last run. Working state, not evidence."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    next_index = models.BigIntegerField(default=0)
    edge = models.BinaryField(default=b"")
    pass_started_at = models.DateTimeField(null=True)
    pass_finished_at = models.DateTimeField(null=True)
    run_at = models.DateTimeField(null=True)
    run_entries = models.BigIntegerField(default=0)
    run_milliseconds = models.BigIntegerField(default=0)
    findings = models.BigIntegerField(default=0)

    class Meta:
        db_table = "self_check"
        constraints = [models.CheckConstraint(name="self_check_is_one_row", condition=models.Q(id=1))]
