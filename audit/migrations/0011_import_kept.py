"""What tells which content did not come along with an import is kept for ever, as what tells of an erasure is."""

from django.db import migrations

KEEP = "INSERT INTO retention_floor (type, days) VALUES ('log.imported', NULL) ON CONFLICT DO NOTHING"


class Migration(migrations.Migration):
    dependencies = [("audit", "0010_selfcheck_rounds")]

    operations = [migrations.RunSQL(KEEP, migrations.RunSQL.noop)]
