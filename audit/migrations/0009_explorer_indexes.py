from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

class Migration(migrations.Migration):
    """Indexes that the explorer reads by row comparison (audit.queries.search), so all their columns ascend.

    Two of them are remade, because PostgreSQL reads (type, index) backwards as well as (type, index DESC) forwards, but
    compares whole rows only with an index whose columns have one direction. The third is new: without it a source that
    has not sent anything for long is found only by reading every entry since.

    Concurrently, since `entry` is large and written all the time. So nothing is undone when it is interrupted, and what
    it does it can do again: an index that was left unfinished is dropped first. Building waits for every transaction
    that runs, longer than a connection's lock_timeout.
    """

    atomic = False
    dependencies = [("audit", "0008_keys")]

    operations = [
        migrations.RunSQL("SET lock_timeout = 0", "RESET lock_timeout"),
        RemoveIndexConcurrently(model_name="entry", name="entry_subject_index"),
        AddIndexConcurrently("entry", models.Index(fields=["subject", "index"], name="entry_subject_index")),
        RemoveIndexConcurrently(model_name="entry", name="entry_type_index"),
        AddIndexConcurrently("entry", models.Index(fields=["type", "index"], name="entry_type_index")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS entry_source_index", migrations.RunSQL.noop),
        AddIndexConcurrently("entry", models.Index(fields=["source", "index"], name="entry_source_index")),
        migrations.RunSQL("RESET lock_timeout", "SET lock_timeout = 0"),
    ]
