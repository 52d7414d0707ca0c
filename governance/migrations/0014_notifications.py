"""Notifications, webhooks and their deliveries: tables, and what no code may get around.

Triggers are ENABLE ALWAYS, as in the migrations before.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

KEPT = ("webhook_endpoint",)
KEEP = "".join(
    f"""
CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_kept, ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in KEPT
)

BOUND = """
ALTER TABLE webhook_endpoint ADD CONSTRAINT webhook_digest_of_its_address
  CHECK (url_sha256 = encode(sha256(convert_to(url, 'UTF8')), 'hex'));
"""

PRIVATE = "webhook_endpoint, notification, notification_preference, notification_digest"
TABLES = f"{PRIVATE}, webhook_delivery"


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds and changes; nobody deletes; the reader sees deliveries, but no secret and nobody's notices."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        f"REVOKE ALL ON {TABLES} FROM {{app}}",
        f"GRANT SELECT, INSERT, UPDATE ON {TABLES} TO {{app}}",
        f"REVOKE ALL ON {PRIVATE} FROM {{reader}}",
        "GRANT SELECT ON webhook_delivery TO {reader}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0013_acknowledged_alarms'),
        ('governance', '0013_suspended_log_ins'),
    ]

    operations = [
        migrations.CreateModel(
            name='NotificationPreference',
            fields=[
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='notification_preference', serialize=False, to='audit.person')),
                ('language', models.CharField(default='en', max_length=5, verbose_name='language')),
                ('waiting', models.CharField(choices=[('at_once', 'at once'), ('digest', 'in the daily digest'), ('none', 'not by mail')], default='at_once', max_length=10, verbose_name='what waits for my decision')),
                ('outcome', models.CharField(choices=[('at_once', 'at once'), ('digest', 'in the daily digest'), ('none', 'not by mail')], default='at_once', max_length=10, verbose_name='what becomes of what is mine')),
                ('deadline', models.CharField(choices=[('at_once', 'at once'), ('digest', 'in the daily digest'), ('none', 'not by mail')], default='digest', max_length=10, verbose_name='what is due or expires')),
                ('platform', models.CharField(choices=[('at_once', 'at once'), ('digest', 'in the daily digest'), ('none', 'not by mail')], default='at_once', max_length=10, verbose_name='what is wrong with the platform')),
                ('digest', models.BooleanField(default=True, verbose_name='a daily digest of what waits')),
            ],
            options={
                'verbose_name': 'notification preference',
                'verbose_name_plural': 'notification preferences',
                'db_table': 'notification_preference',
                'constraints': [models.CheckConstraint(condition=models.Q(('deadline__in', ['at_once', 'digest', 'none']), ('language__in', ['en', 'ja']), ('outcome__in', ['at_once', 'digest', 'none']), ('platform__in', ['at_once', 'digest', 'none']), ('waiting__in', ['at_once', 'digest', 'none'])), name='notification_preference_ways_known')],
            },
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('url', models.CharField(max_length=500, verbose_name='address')),
                ('url_host', models.CharField(max_length=255, verbose_name='host')),
                ('url_sha256', models.CharField(max_length=64)),
                ('kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None, verbose_name='kinds')),
                ('active', models.BooleanField(default=True, verbose_name='active')),
                ('secret', models.TextField()),
                ('secret_set_at', models.DateTimeField(verbose_name='secret set')),
                ('previous_secret', models.TextField(blank=True)),
                ('previous_until', models.DateTimeField(blank=True, null=True, verbose_name='secret before valid until')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('row_version', models.PositiveIntegerField(default=1)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person', verbose_name='owner')),
            ],
            options={
                'verbose_name': 'webhook',
                'verbose_name_plural': 'webhooks',
                'db_table': 'webhook_endpoint',
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=60, verbose_name='kind')),
                ('subject', models.CharField(max_length=100, verbose_name='subject')),
                ('scope', models.CharField(blank=True, max_length=40)),
                ('entry_index', models.BigIntegerField(blank=True, null=True, verbose_name='entry')),
                ('params', models.TextField()),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('state', models.CharField(choices=[('waiting', 'waits'), ('failed', 'failed, is tried again'), ('delivered', 'delivered'), ('dead', 'given up')], default='waiting', max_length=10, verbose_name='state')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('next_at', models.DateTimeField(verbose_name='next attempt')),
                ('last_status', models.PositiveIntegerField(blank=True, null=True, verbose_name='status')),
                ('last_error', models.CharField(blank=True, max_length=200, verbose_name='error')),
                ('delivered_at', models.DateTimeField(blank=True, null=True, verbose_name='delivered')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='governance.webhookendpoint', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'db_table': 'webhook_delivery',
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=60)),
                ('subject', models.CharField(max_length=100)),
                ('scope', models.CharField(blank=True, max_length=40)),
                ('entry_index', models.BigIntegerField(blank=True, null=True)),
                ('params', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('mail', models.CharField(choices=[('none', 'not sent'), ('at_once', 'sent at once'), ('digest', 'in the daily digest'), ('sent', 'sent'), ('dead', 'given up')], default='none', max_length=10)),
                ('mail_attempts', models.PositiveIntegerField(default=0)),
                ('mail_next_at', models.DateTimeField(blank=True, null=True)),
                ('mailed_at', models.DateTimeField(blank=True, null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notifications', to='audit.person')),
            ],
            options={
                'verbose_name': 'notification',
                'verbose_name_plural': 'notifications',
                'db_table': 'notification',
                'indexes': [models.Index(fields=['person', '-created_at', '-id'], name='notification_of_person'), models.Index(condition=models.Q(('read_at__isnull', True)), fields=['person'], name='notification_unread'), models.Index(condition=models.Q(('mail', 'at_once')), fields=['mail_next_at'], name='notification_mail_due'), models.Index(condition=models.Q(('mail', 'sent')), fields=['person', 'mailed_at'], name='notification_mailed'), models.Index(condition=models.Q(('mail', 'digest')), fields=['person'], name='notification_for_digest')],
                'constraints': [models.UniqueConstraint(fields=('person', 'kind', 'subject', 'scope'), name='notification_told_once'), models.CheckConstraint(condition=models.Q(('mail__in', ['none', 'at_once', 'digest', 'sent', 'dead'])), name='notification_mail_known'), models.CheckConstraint(condition=models.Q(models.Q(('mail', 'sent'), ('mailed_at__isnull', False)), models.Q(models.Q(('mail', 'sent'), _negated=True), ('mailed_at__isnull', True)), _connector='OR'), name='notification_sent_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='NotificationDigest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('requests', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None)),
                ('state', models.CharField(choices=[('waiting', 'waits'), ('sent', 'sent'), ('dead', 'given up')], default='waiting', max_length=10)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('next_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person')),
            ],
            options={
                'verbose_name': 'digest',
                'verbose_name_plural': 'digests',
                'db_table': 'notification_digest',
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['next_at'], name='notification_digest_due')],
                'constraints': [models.UniqueConstraint(fields=('person', 'day'), name='notification_digest_once_a_day'), models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'sent', 'dead'])), name='notification_digest_state_known')],
            },
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(condition=models.Q(('url_sha256__regex', '^[0-9a-f]{64}$')), name='webhook_url_digest_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(condition=models.Q(('secret', ''), _negated=True), name='webhook_has_secret'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'failed'])), fields=['next_at'], name='webhook_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['endpoint', '-created_at'], name='webhook_delivery_of_endpoint'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('state', 'dead')), fields=['created_at'], name='webhook_delivery_dead'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('endpoint', 'kind', 'subject', 'scope'), name='webhook_delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'failed', 'delivered', 'dead'])), name='webhook_delivery_state_known'),
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
        migrations.RunSQL(BOUND, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
