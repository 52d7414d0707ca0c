"""Evidence that requests rest on, frozen with them. Triggers are ENABLE ALWAYS."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = ("request_evidence",)
KEEP = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE {table}
  ENABLE ALWAYS TRIGGER {table}_append_only, ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in INSERT_ONLY
)

# What a sealed approval rested on is judged at the moment it was decided, not when its stage was opened.
GUARDS = """
CREATE FUNCTION assay_request_evidence_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE piece evidence%ROWTYPE; asked approval_request%ROWTYPE;
BEGIN
  SELECT * INTO asked FROM approval_request WHERE id = NEW.request_id;
  SELECT * INTO piece FROM evidence WHERE id = NEW.evidence_id;
  IF piece.sha256 IS DISTINCT FROM NEW.sha256 THEN
    RAISE EXCEPTION 'request_evidence refused: that is not its digest' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM evidence_revocation r WHERE r.evidence_id = NEW.evidence_id)
     OR piece.valid_until < (asked.submitted_at AT TIME ZONE 'UTC')::date THEN
    RAISE EXCEPTION 'request_evidence refused: it is revoked or expired' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER request_evidence_guard BEFORE INSERT ON request_evidence
  FOR EACH ROW EXECUTE FUNCTION assay_request_evidence_guard();
CREATE TRIGGER request_evidence_part_guard BEFORE INSERT ON request_evidence
  FOR EACH ROW EXECUTE FUNCTION assay_request_part_guard();
CREATE FUNCTION assay_decision_evidence_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.decision IN ('approve', 'approve_with_conditions') AND EXISTS (
    SELECT 1 FROM request_evidence q JOIN evidence e ON e.id = q.evidence_id
      LEFT JOIN evidence_revocation r ON r.evidence_id = e.id
     WHERE q.request_id = NEW.request_id
       AND (r.revoked_at <= NEW.decided_at OR e.valid_until < (NEW.decided_at AT TIME ZONE 'UTC')::date)
  ) THEN
    RAISE EXCEPTION 'decision refused: evidence that it would rest on is revoked or expired'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER decision_evidence_guard BEFORE INSERT ON decision
  FOR EACH ROW EXECUTE FUNCTION assay_decision_evidence_guard();
ALTER TABLE request_evidence
  ENABLE ALWAYS TRIGGER request_evidence_guard, ENABLE ALWAYS TRIGGER request_evidence_part_guard;
ALTER TABLE decision ENABLE ALWAYS TRIGGER decision_evidence_guard;
"""

BACK = """
DROP TRIGGER decision_evidence_guard ON decision;
DROP FUNCTION assay_decision_evidence_guard();
DROP TRIGGER request_evidence_guard ON request_evidence;
DROP FUNCTION assay_request_evidence_guard();
"""

TABLES = ", ".join(INSERT_ONLY)


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds, the reader reads, nobody changes or deletes."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        f"REVOKE ALL ON {TABLES} FROM {{app}}",
        f"GRANT SELECT, INSERT ON {TABLES} TO {{app}}",
        f"GRANT SELECT ON {TABLES} TO {{reader}}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0014_notifications'),
    ]

    operations = [
        migrations.CreateModel(
            name='RequestEvidence',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('digest', models.CharField(max_length=64, verbose_name='digest')),
                ('standing', models.CharField(max_length=20, verbose_name='standing')),
                ('evidence', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='governance.evidence', verbose_name='evidence')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='relied_on', to='governance.approvalrequest', verbose_name='request')),
            ],
            options={
                'verbose_name': 'evidence relied on',
                'verbose_name_plural': 'evidence relied on',
                'db_table': 'request_evidence',
                'constraints': [models.UniqueConstraint(fields=('request', 'evidence'), name='request_evidence_once'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$'), ('sha256__regex', '^[0-9a-f]{64}$')), name='request_evidence_digests_are_sha256'), models.CheckConstraint(condition=models.Q(('standing__in', ['valid', 'expires_soon', 'superseded'])), name='request_evidence_stood')],
            },
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, BACK),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
