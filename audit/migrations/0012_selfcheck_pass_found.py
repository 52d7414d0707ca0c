"""A round over the log goes on after most findings, and remembers that it had one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0011_import_kept")]

    operations = [migrations.AddField("selfcheck", "pass_found", models.BooleanField(default=False))]
