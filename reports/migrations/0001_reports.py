import uuid

from django.conf import settings
from django.db import migrations, models
from psycopg import sql


def grant(apps, schema_editor):
    """A report row lives on while it is made; nobody deletes one."""
    table = sql.Identifier("report")
    app = sql.Identifier(settings.DATABASE_ROLES["app"])
    statement = sql.SQL("REVOKE DELETE, TRUNCATE ON {table} FROM {app}").format(table=table, app=app)
    schema_editor.execute(statement.as_string(None))


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("audit", "0002_append_only"),  # gives the app role its default rights
    ]

    operations = [
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('deployment_transparency', 'deployment transparency report')], default='deployment_transparency', max_length=40, verbose_name='kind')),
                ('deployment', models.CharField(max_length=100, verbose_name='deployment')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('tree_size', models.BigIntegerField(verbose_name='tree size')),
                ('language', models.CharField(default='en', max_length=10, verbose_name='language')),
                ('classification', models.CharField(max_length=200, verbose_name='classification')),
                ('requested_by', models.CharField(max_length=100, verbose_name='requested by')),
                ('requested_at', models.DateTimeField(verbose_name='requested')),
                ('state', models.CharField(choices=[('queued', 'queued'), ('rendering', 'rendering'), ('rendered', 'waiting for its receipt'), ('ready', 'ready'), ('failed', 'failed')], default='queued', max_length=20, verbose_name='state')),
                ('failure', models.CharField(blank=True, max_length=1000, verbose_name='why it failed')),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('revision1_sha256', models.CharField(blank=True, max_length=64)),
                ('dataset_sha256', models.CharField(blank=True, max_length=64)),
                ('sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256')),
                ('size', models.BigIntegerField(blank=True, null=True, verbose_name='size')),
                ('row_version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name': 'report',
                'verbose_name_plural': 'reports',
                'db_table': 'report',
                'indexes': [models.Index(fields=['-requested_at', 'id'], name='report_newest'), models.Index(fields=['state', 'requested_at'], name='report_unfinished'), models.Index(fields=['deployment', '-requested_at'], name='report_of_deployment')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'rendering', 'rendered', 'ready', 'failed'])), name='report_state_known'), models.CheckConstraint(condition=models.Q(('tree_size__gt', 0)), name='report_tree_not_empty'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'failed'), _negated=True), models.Q(('failure', ''), _negated=True), _connector='OR'), name='report_failure_has_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['rendered', 'ready']), _negated=True), ('revision1_sha256__regex', '^[0-9a-f]{64}$'), _connector='OR'), name='report_rendered_has_hash'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'ready'), _negated=True), models.Q(('sha256__regex', '^[0-9a-f]{64}$'), ('size__gt', 0)), _connector='OR'), name='report_ready_has_file')],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
