"""The windows that were sealed last, of one kind: what the self-check looks at in every run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_selfcheck")]

    operations = [
        migrations.AddIndex(
            model_name="window",
            index=models.Index(fields=["kind", "-sealed_at"], name="window_sealed_newest"),
        ),
    ]
