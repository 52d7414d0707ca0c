"""What may never change is refused by the database itself, and each role gets what its process needs.

Triggers are ENABLE ALWAYS, so a session that plays replica (`session_replication_role`) meets them too. They stop
accidents and an owned web process; a database superuser is noticed by the signer, not stopped here.
"""

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = ("entry", "section", "tile", "event_key", "checkpoint", "alarm", "token_day")

REFUSE = """
CREATE FUNCTION assay_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'insufficient_privilege';
END
$$;
"""

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

HEAD = """
CREATE FUNCTION assay_head_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR NEW.size <= OLD.size OR NEW.received_at < OLD.received_at THEN
    RAISE EXCEPTION 'head only grows: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
INSERT INTO head (id, size, edge, root, received_at) VALUES
  (1, 0, '', decode('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex'), '1970-01-01T00:00:00Z');
CREATE TRIGGER head_only_grows BEFORE UPDATE OR DELETE ON head
  FOR EACH ROW EXECUTE FUNCTION assay_head_only_grows();
CREATE TRIGGER head_no_truncate BEFORE TRUNCATE ON head
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE head ENABLE ALWAYS TRIGGER head_only_grows, ENABLE ALWAYS TRIGGER head_no_truncate;
ALTER TABLE section ALTER COLUMN body SET STORAGE EXTERNAL;
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Table privileges of the app, signer and reader roles, for these tables and for those to come."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    ledger = sql.SQL(", ").join(map(sql.Identifier, (*INSERT_ONLY, "head", "signer_lease", "django_migrations")))
    statements = (
        "GRANT USAGE ON SCHEMA public TO {app}, {signer}, {reader}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {app}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {reader}",
        "REVOKE ALL ON {ledger} FROM {app}",
        "GRANT SELECT ON {ledger} TO {app}",
        "GRANT INSERT ON entry, section, tile, event_key, alarm, token_day TO {app}",
        "GRANT UPDATE ON head TO {app}",
        # A session key is a log-in, a token row opens a pipeline: neither is evidence, so the reader sees none.
        "REVOKE ALL ON token, account, django_session FROM {reader}",
        # Who may decide is judged by the name of a group and by membership: the app adds members, and no more.
        "REVOKE UPDATE, DELETE, TRUNCATE ON auth_group, account_groups FROM {app}",
        "GRANT SELECT ON entry, head, checkpoint, alarm, signer_lease TO {signer}",
        "GRANT INSERT ON checkpoint, alarm TO {signer}",
        "GRANT INSERT, UPDATE ON signer_lease TO {signer}",
        "GRANT USAGE, SELECT ON SEQUENCE alarm_id_seq TO {signer}",
    )
    for statement in statements:
        query = sql.SQL(statement).format(ledger=ledger, **roles)
        schema_editor.execute(query.as_string(None))


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_ledger"), ("sessions", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, migrations.RunSQL.noop),
        migrations.RunSQL(HEAD, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
