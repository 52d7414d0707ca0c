"""Key statements, thaws and notices: what is told of them is never changed, and each role writes only its own."""

import django.contrib.postgres.fields
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = ("key_statement", "thaw", "notice", "notice_attempt")

TRIGGERS = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only, ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in INSERT_ONLY
)


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Everybody reads; the signer tells of its keys and thaws, the app of what it told."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    tables = sql.SQL(", ").join(map(sql.Identifier, INSERT_ONLY))
    statements = (
        "REVOKE ALL ON {tables} FROM {app}",
        "GRANT SELECT ON {tables} TO {app}, {reader}",
        "GRANT INSERT ON notice, notice_attempt TO {app}",
        "GRANT SELECT, INSERT ON key_statement, thaw TO {signer}",
        "GRANT USAGE, SELECT ON SEQUENCE thaw_id_seq TO {signer}",
        "REVOKE ALL ON SEQUENCE thaw_id_seq FROM {app}",
    )
    for statement in statements:
        schema_editor.execute(sql.SQL(statement).format(tables=tables, **roles).as_string(None))


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_erasure")]

    operations = [
        migrations.CreateModel(
            name="KeyStatement",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("old_key", models.TextField()),
                ("new_key", models.TextField()),
                ("size", models.BigIntegerField()),
                ("note", models.TextField()),
                ("stated_at", models.DateTimeField()),
            ],
            options={
                "db_table": "key_statement",
                "constraints": [models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="key_statement_numbers_from_one")],
            },
        ),
        migrations.CreateModel(
            name="Thaw",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("size", models.BigIntegerField()),
                ("frozen_reason", models.TextField()),
                ("reason", models.TextField()),
                ("operator", models.TextField()),
                ("alarms", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("thawed_at", models.DateTimeField()),
            ],
            options={"db_table": "thaw"},
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("matter", models.TextField(primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("title", models.TextField()),
                ("body", models.TextField()),
                ("note", models.TextField()),
                ("last_alarm", models.BigIntegerField(null=True)),
                ("made_at", models.DateTimeField()),
            ],
            options={"db_table": "notice"},
        ),
        migrations.CreateModel(
            name="NoticeAttempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("matter", models.TextField()),
                ("channel", models.TextField()),
                ("number", models.IntegerField()),
                ("step", models.TextField()),
                ("detail", models.TextField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "notice_attempt",
                "constraints": [
                    models.UniqueConstraint(fields=("matter", "channel", "number", "step"), name="notice_attempt_once"),
                    models.CheckConstraint(condition=models.Q(("step__in", ["try", "sent", "failed"])), name="notice_attempt_step"),
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
