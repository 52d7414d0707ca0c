"""The self-check tells what its last whole round covered, and keeps the place of each comparison of tables."""

from django.db import migrations, models

MOMENTS = ("pass_started_at", "round_started_at", "round_finished_at")


class Migration(migrations.Migration):
    dependencies = [("audit", "0009_explorer_indexes")]

    operations = [
        migrations.AddField("selfcheck", "pass_sections", models.BigIntegerField(default=0)),
        migrations.AddField("selfcheck", "round_started_at", models.DateTimeField(null=True)),
        migrations.AddField("selfcheck", "round_entries", models.BigIntegerField(default=0)),
        migrations.AddField("selfcheck", "round_sections", models.BigIntegerField(default=0)),
        migrations.CreateModel(
            name="SelfCheckComparison",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("position", models.CharField(blank=True, max_length=200)),
                *((name, models.DateTimeField(null=True)) for name in MOMENTS),
                ("pass_rows", models.BigIntegerField(default=0)),
                ("round_rows", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "self_check_comparison"},
        ),
    ]
