"""Records and windows are insert-only as the log is (migration 0002), and their partitions are made ahead.

The function that makes partitions belongs to the owner, so the app role needs no right to create tables. A statement
trigger takes a shared lock for every writer of records: whoever takes the same lock alone knows that no lower id is
still to be committed, which is what lets a seal say exactly which rows it covers.
"""

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

RECORDS = ("usage_record", "hardware_sample")
PARTITIONED = (*RECORDS, "slot_outcome")
INSERT_ONLY = ("usage_key", "sealed_window")

WRITERS = """
CREATE FUNCTION telemetry_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1634955640, hashtext(TG_TABLE_NAME));
  RETURN NULL;
END
$$;
CREATE FUNCTION telemetry_settled(relation text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  settled bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(1634955640, hashtext(relation));
  EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM %I', relation || '_id') INTO settled;
  RETURN settled;
END
$$;
""" + "".join(
    f"""
CREATE TRIGGER {table}_writer BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION telemetry_writer();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_writer;
"""
    for table in RECORDS
)

TRIGGERS = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only, ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in (*PARTITIONED, *INSERT_ONLY)
)

# The months that may be made are bounded, so that a stolen app password cannot fill the catalogue.
PARTITIONS = """
CREATE FUNCTION telemetry_partitions(moment timestamptz) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
  parent text;
  part text;
  month timestamptz := date_trunc('month', moment);
BEGIN
  IF moment < clock_timestamp() - interval '400 days' OR moment > clock_timestamp() + interval '100 days' THEN
    RAISE EXCEPTION 'telemetry partitions are made from 400 days ago to 100 days ahead, not for %', moment
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOREACH parent IN ARRAY ARRAY['usage_record', 'hardware_sample', 'slot_outcome'] LOOP
    part := parent || '_' || to_char(month, 'YYYYMM');
    IF to_regclass(part) IS NULL THEN
      PERFORM pg_advisory_xact_lock(1634955641, hashtext(parent));
      IF to_regclass(part) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                       part, parent, month, month + interval '1 month');
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT '
                       'EXECUTE FUNCTION assay_refuse_change()', part || '_no_truncate', part);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I, ENABLE ALWAYS TRIGGER %I',
                       part, parent || '_append_only', part || '_no_truncate');
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, {app}, {reader}', part);
      END IF;
    END IF;
  END LOOP;
END
$$
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Table privileges, the partition function (its text names the roles), and the first partitions."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    records = sql.SQL(", ").join(map(sql.Identifier, (*PARTITIONED, *INSERT_ONLY)))
    statements = (
        PARTITIONS,
        "REVOKE ALL ON FUNCTION telemetry_partitions(timestamptz) FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION telemetry_partitions(timestamptz) TO {app}",
        "REVOKE ALL ON {records} FROM {app}",
        "GRANT SELECT, INSERT ON {records} TO {app}",
        "REVOKE DELETE, TRUNCATE ON target, target_state, coverage_gap, seal_cursor FROM {app}",
        "SELECT telemetry_partitions(clock_timestamp() + m * interval '1 month') FROM generate_series(-1, 2) m",
    )
    for statement in statements:
        query = sql.SQL(statement).format(records=records, **roles)
        schema_editor.execute(query.as_string(None), params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_telemetry")]

    operations = [
        migrations.RunSQL(WRITERS, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
