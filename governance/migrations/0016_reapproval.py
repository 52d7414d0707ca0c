"""What spoils an approval after it was given. Triggers are ENABLE ALWAYS."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

# A trigger is raised of an approval that stands, and of the deployment that it is for.
GUARDS = """
CREATE TRIGGER reapproval_trigger_append_only BEFORE UPDATE OR DELETE ON reapproval_trigger
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER reapproval_trigger_no_truncate BEFORE TRUNCATE ON reapproval_trigger
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
CREATE FUNCTION assay_reapproval_trigger_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE asked approval_request%ROWTYPE;
BEGIN
  SELECT * INTO asked FROM approval_request WHERE id = NEW.request_id FOR UPDATE;
  IF asked.state IS DISTINCT FROM 'approved' OR asked.deployment_id <> NEW.deployment_id THEN
    RAISE EXCEPTION 'reapproval_trigger refused: no approval of this deployment stands'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER reapproval_trigger_guard BEFORE INSERT ON reapproval_trigger
  FOR EACH ROW EXECUTE FUNCTION assay_reapproval_trigger_guard();
ALTER TABLE reapproval_trigger
  ENABLE ALWAYS TRIGGER reapproval_trigger_append_only, ENABLE ALWAYS TRIGGER reapproval_trigger_no_truncate,
  ENABLE ALWAYS TRIGGER reapproval_trigger_guard;
"""

# The triggers go with the table.
BACK = """
DROP TRIGGER reapproval_trigger_guard ON reapproval_trigger;
DROP FUNCTION assay_reapproval_trigger_guard();
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds, the reader reads, nobody changes or deletes."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        "REVOKE ALL ON reapproval_trigger FROM {app}",
        "GRANT SELECT, INSERT ON reapproval_trigger TO {app}",
        "GRANT SELECT ON reapproval_trigger TO {reader}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0015_request_evidence'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReapprovalTrigger',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('cause', models.CharField(choices=[('withdrawn', 'retired or quarantined'), ('outdated', 'deprecated or superseded'), ('ancestor_quarantined', 'made from something quarantined'), ('evidence_spoilt', 'evidence revoked or expired'), ('evidence_superseded', 'evidence superseded'), ('tier_raised', 'tier raised'), ('tier_changed', 'tier changed'), ('policy_renewed', 'newer approval policy'), ('grant_widened', 'tool grant widened'), ('oversight_vacant', 'nobody oversees it')], max_length=40, verbose_name='cause')),
                ('effect', models.CharField(choices=[('blocks', 'ends the approval'), ('warns', 'needs another look')], max_length=10, verbose_name='effect')),
                ('subject', models.CharField(max_length=200, verbose_name='subject')),
                ('entry_index', models.BigIntegerField(blank=True, null=True, verbose_name='entry')),
                ('detail', models.CharField(max_length=1000, verbose_name='what changed')),
                ('raised_at', models.DateTimeField(verbose_name='raised')),
                ('deployment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='triggers', to='governance.deployment', verbose_name='deployment')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='triggers', to='governance.approvalrequest', verbose_name='request')),
            ],
            options={
                'verbose_name': 're-approval trigger',
                'verbose_name_plural': 're-approval triggers',
                'db_table': 'reapproval_trigger',
                'indexes': [models.Index(fields=['deployment', '-raised_at'], name='reapproval_of_deployment')],
                'constraints': [models.UniqueConstraint(fields=('request', 'cause', 'subject'), name='reapproval_trigger_raised_once'), models.CheckConstraint(condition=models.Q(('detail', ''), _negated=True), name='reapproval_trigger_has_detail'), models.CheckConstraint(condition=models.Q(models.Q(('cause__in', ['withdrawn', 'ancestor_quarantined', 'evidence_spoilt', 'tier_raised', 'grant_widened']), ('effect', 'blocks')), models.Q(('cause__in', ['outdated', 'evidence_superseded', 'tier_changed', 'policy_renewed', 'oversight_vacant']), ('effect', 'warns')), _connector='OR'), name='reapproval_trigger_cause_has_effect')],
            },
        ),
        migrations.RunSQL(GUARDS, BACK),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
