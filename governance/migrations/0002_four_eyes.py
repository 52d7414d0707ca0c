"""What no code may get around: rows that never change, four eyes, and digests that cannot lie.

The checks of `governance.operations` say why in a sentence; these hold when a statement does not come from there.
Triggers are ENABLE ALWAYS, as in the ledger's own migration.
"""

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = ("model_version", "revision", "decision", "tool_grant", "comparison", "finding")
CHANGEABLE = ("model", "gpu_model", "gpu_pool", "deployment", "approval_request", "agent")
CURSORS = ("log_cursor",)

KEEP = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only, ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in INSERT_ONLY
) + "".join(
    f"""
CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_kept, ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in CHANGEABLE
)

DIGESTS = """
ALTER TABLE revision ADD CONSTRAINT revision_digest_of_content
  CHECK (digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'));
ALTER TABLE comparison ADD CONSTRAINT comparison_digest_of_content
  CHECK (digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'));
ALTER TABLE approval_request
  ADD CONSTRAINT request_digest_of_evidence
    CHECK (evidence_digest = encode(sha256(convert_to(evidence, 'UTF8')), 'hex')),
  ADD CONSTRAINT request_digest_of_policy
    CHECK (approval_policy_digest = encode(sha256(convert_to(approval_policy, 'UTF8')), 'hex')),
  ADD CONSTRAINT request_digest_of_revision
    FOREIGN KEY (revision_id, revision_digest) REFERENCES revision (id, digest),
  ADD CONSTRAINT request_revision_of_deployment
    FOREIGN KEY (revision_id, deployment_id) REFERENCES revision (id, deployment_id);
ALTER TABLE deployment ADD CONSTRAINT deployment_approves_its_own_revision
  FOREIGN KEY (approved_revision_id, id) REFERENCES revision (id, deployment_id);
ALTER TABLE decision
  ADD CONSTRAINT decision_names_the_requester
    FOREIGN KEY (request_id, requester_id) REFERENCES approval_request (id, requester_id),
  ADD CONSTRAINT decision_saw_the_digest
    FOREIGN KEY (request_id, digest_seen) REFERENCES approval_request (id, decision_digest);
"""

DECISION = """
CREATE FUNCTION assay_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE asked approval_request%ROWTYPE;
BEGIN
  SELECT * INTO asked FROM approval_request WHERE id = NEW.request_id FOR UPDATE;
  IF asked.state IS DISTINCT FROM 'open' THEN
    RAISE EXCEPTION 'decision refused: the request is not open' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (
    SELECT 1 FROM account a
      JOIN account_groups m ON m.user_id = a.id
      JOIN auth_group g ON g.id = m.group_id
     WHERE a.id = NEW.account_id AND a.person_id = NEW.decider_id AND a.is_active AND g.name = asked.pool
  ) THEN
    RAISE EXCEPTION 'decision refused: the log-in is not the decider''s, not active or not in the pool'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER decision_guard BEFORE INSERT ON decision FOR EACH ROW EXECUTE FUNCTION assay_decision_guard();
ALTER TABLE decision ENABLE ALWAYS TRIGGER decision_guard;
"""

REQUEST = """
CREATE FUNCTION assay_request_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE approvals bigint; rejections bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'open' THEN
      RAISE EXCEPTION 'request refused: it starts open' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (to_jsonb(OLD) - 'state' - 'closed_at' - 'row_version')
     IS DISTINCT FROM (to_jsonb(NEW) - 'state' - 'closed_at' - 'row_version') THEN
    RAISE EXCEPTION 'request refused: what was asked is frozen' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state <> 'open' THEN
    RAISE EXCEPTION 'request refused: it is closed' USING ERRCODE = 'check_violation';
  END IF;
  SELECT count(*) FILTER (WHERE decision = 'approve'), count(*) FILTER (WHERE decision = 'reject')
    INTO approvals, rejections FROM decision WHERE request_id = NEW.id;
  IF NEW.state = 'approved' AND (approvals < NEW.quorum OR rejections > 0) THEN
    RAISE EXCEPTION 'request refused: % of % approvals', approvals, NEW.quorum USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state = 'rejected' AND rejections = 0 THEN
    RAISE EXCEPTION 'request refused: nobody rejected it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER request_guard BEFORE INSERT OR UPDATE ON approval_request
  FOR EACH ROW EXECUTE FUNCTION assay_request_guard();
ALTER TABLE approval_request ENABLE ALWAYS TRIGGER request_guard;
"""

DEPLOYMENT = """
CREATE FUNCTION assay_deployment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.approved_revision_id IS NOT DISTINCT FROM OLD.approved_revision_id THEN
    RETURN NEW;
  END IF;
  IF NEW.approved_revision_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM approval_request r WHERE r.revision_id = NEW.approved_revision_id AND r.state = 'approved'
  ) THEN
    RAISE EXCEPTION 'deployment refused: that revision was not approved' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER deployment_guard BEFORE INSERT OR UPDATE ON deployment
  FOR EACH ROW EXECUTE FUNCTION assay_deployment_guard();
ALTER TABLE deployment ENABLE ALWAYS TRIGGER deployment_guard;
"""

NUMBERS = """
CREATE SEQUENCE deployment_number;
CREATE SEQUENCE request_number;
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Table privileges: the app adds and, where rows live on, changes; the reader reads; nobody deletes."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}

    def tables(*names: str) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, names))

    everything = tables(*INSERT_ONLY, *CHANGEABLE, *CURSORS)
    for statement, named in (
        ("REVOKE ALL ON {tables} FROM {app}", everything),
        ("GRANT SELECT, INSERT ON {tables} TO {app}", everything),
        ("GRANT UPDATE ON {tables} TO {app}", tables(*CHANGEABLE, *CURSORS)),
        ("GRANT SELECT ON {tables} TO {reader}", everything),
        ("GRANT USAGE, SELECT ON SEQUENCE {tables} TO {app}", tables("deployment_number", "request_number")),
    ):
        schema_editor.execute(sql.SQL(statement).format(tables=named, **roles).as_string(None))


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0001_registry_and_approvals"),
        ("audit", "0002_append_only"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunSQL(KEEP),
        migrations.RunSQL(DIGESTS),
        migrations.RunSQL(DECISION),
        migrations.RunSQL(REQUEST),
        migrations.RunSQL(DEPLOYMENT),
        migrations.RunSQL(NUMBERS),
        migrations.RunPython(grant),
    ]
