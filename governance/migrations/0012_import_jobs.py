"""Imports from addresses as work in progress: changed while they run, deleted by nobody."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

KEEP = """
CREATE TRIGGER import_job_kept BEFORE DELETE ON import_job
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER import_job_no_truncate BEFORE TRUNCATE ON import_job
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE import_job ENABLE ALWAYS TRIGGER import_job_kept, ENABLE ALWAYS TRIGGER import_job_no_truncate;
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds imports and moves them on, the reader reads them, nobody deletes one."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        "REVOKE ALL ON import_job FROM {app}",
        "GRANT SELECT, INSERT, UPDATE ON import_job TO {app}",
        "GRANT SELECT ON import_job TO {reader}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0011_search'),
    ]

    operations = [
        migrations.CreateModel(
            name='ImportJob',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('address', models.CharField(max_length=400, verbose_name='address')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('version', models.CharField(max_length=100, verbose_name='version')),
                ('gguf', models.CharField(blank=True, max_length=200, verbose_name='GGUF file')),
                ('hf_id', models.CharField(blank=True, max_length=200, verbose_name='Hugging Face id')),
                ('developer', models.CharField(blank=True, max_length=200, verbose_name='developer')),
                ('licence', models.CharField(blank=True, max_length=200, verbose_name='licence')),
                ('state', models.CharField(choices=[('queued', 'queued'), ('running', 'being fetched'), ('done', 'registered'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='queued', max_length=20, verbose_name='state')),
                ('progress', models.CharField(blank=True, max_length=200, verbose_name='file')),
                ('failure', models.CharField(blank=True, max_length=1000, verbose_name='why it failed')),
                ('result', models.CharField(blank=True, max_length=100, verbose_name='result')),
                ('requested_by', models.CharField(max_length=100, verbose_name='requested by')),
                ('account_id', models.BigIntegerField(blank=True, null=True)),
                ('service_id', models.UUIDField(blank=True, null=True)),
                ('requested_at', models.DateTimeField(verbose_name='requested')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('row_version', models.PositiveIntegerField(default=1)),
                ('base', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.modelversion', verbose_name='base')),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'db_table': 'import_job',
                'indexes': [models.Index(fields=['-requested_at', 'id'], name='import_job_newest'), models.Index(fields=['state', 'requested_at'], name='import_job_unfinished')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'done', 'failed', 'cancelled'])), name='import_job_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'failed'), _negated=True), models.Q(('failure', ''), _negated=True), _connector='OR'), name='import_job_failure_has_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), models.Q(('result', ''), _negated=True), _connector='OR'), name='import_job_done_has_result'), models.CheckConstraint(condition=models.Q(models.Q(('account_id__isnull', True), ('service_id__isnull', False)), models.Q(('account_id__isnull', False), ('service_id__isnull', True)), _connector='OR'), name='import_job_asked_by_one')],
            },
        ),
        migrations.RunSQL(KEEP),
        migrations.RunPython(grant),
    ]
