"""What the signer does beside signing: its keys change, a person lets it go on. Insert-only (migration 0008).

The signer's own folder is the truth of both; these rows tell everybody else.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class KeyStatement(models.Model):
    """A signed statement that a key begins or ends (audit.tlog.keyhistory), in their order from 1 on."""

    number = models.IntegerField(primary_key=True)
    kind = models.TextField()
    old_key = models.TextField()
    new_key = models.TextField()
    size = models.BigIntegerField()
    note = models.TextField()
    stated_at = models.DateTimeField()

    class Meta:
        db_table = "key_statement"
        constraints = [
            models.CheckConstraint(name="key_statement_numbers_from_one", condition=models.Q(number__gte=1)),
        ]


class Thaw(models.Model):
    """That a person let a frozen signer go on: which alarms were looked at, why, and at how many signed entries.

    `alarms` are their ids; `acknowledged` names the same ones so that no other alarm is meant (audit.formats.alarms).
    """

    id = models.BigAutoField(primary_key=True)
    size = models.BigIntegerField()
    frozen_reason = models.TextField()
    reason = models.TextField()
    operator = models.TextField()
    alarms = ArrayField(models.BigIntegerField())
    acknowledged = ArrayField(models.TextField(), default=list)
    thawed_at = models.DateTimeField()

    class Meta:
        db_table = "thaw"
