"""Alarms are named by their content too: ids begin again in a new or restored database."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0012_selfcheck_pass_found")]

    operations = [
        migrations.AddField(
            model_name="thaw",
            name="acknowledged",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
        ),
        migrations.AddField(
            model_name="notice",
            name="alarms",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
        ),
        migrations.RemoveField(model_name="notice", name="last_alarm"),
    ]
