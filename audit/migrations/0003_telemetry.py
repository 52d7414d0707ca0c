"""Telemetry tables: targets, records partitioned by month, windows, gaps. Rights and triggers: migration 0004."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

TABLES = """
CREATE SEQUENCE usage_record_id;
CREATE TABLE usage_record (
  id bigint NOT NULL DEFAULT nextval('usage_record_id'),
  observed_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  subject text NOT NULL,
  source text NOT NULL,
  method text NOT NULL CHECK (method IN ('counter', 'request')),
  target_id uuid,
  slot bigint,
  series text NOT NULL,
  model text NOT NULL,
  requests bigint CHECK (requests >= 0),
  input_tokens bigint CHECK (input_tokens >= 0),
  output_tokens bigint CHECK (output_tokens >= 0),
  reasoning_tokens bigint CHECK (reasoning_tokens >= 0),
  cached_tokens bigint CHECK (cached_tokens >= 0),
  duration_ms bigint CHECK (duration_ms >= 0),
  elapsed_ms bigint,
  resets integer NOT NULL,
  body bytea NOT NULL CHECK (octet_length(body) BETWEEN 2 AND 16384),
  CONSTRAINT usage_record_request_has_no_target CHECK ((method = 'request') = (target_id IS NULL)),
  CONSTRAINT usage_record_slot_with_target CHECK ((target_id IS NULL) = (slot IS NULL)),
  CONSTRAINT usage_record_subsets CHECK (
    method = 'counter'
    OR ((reasoning_tokens IS NULL OR reasoning_tokens <= output_tokens)
        AND (cached_tokens IS NULL OR cached_tokens <= input_tokens))),
  PRIMARY KEY (id, observed_at),
  UNIQUE (target_id, slot, series, observed_at)
) PARTITION BY RANGE (observed_at);
CREATE INDEX usage_record_subject ON usage_record (subject, observed_at, id);

CREATE SEQUENCE hardware_sample_id;
CREATE TABLE hardware_sample (
  id bigint NOT NULL DEFAULT nextval('hardware_sample_id'),
  observed_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  subject text NOT NULL,
  source text NOT NULL,
  target_id uuid NOT NULL,
  slot bigint NOT NULL,
  series text NOT NULL,
  node text NOT NULL,
  device_model text NOT NULL,
  util_ppm bigint,
  memory_used_bytes bigint,
  memory_total_bytes bigint,
  power_mw bigint,
  energy_mj bigint,
  energy_delta_mj bigint CHECK (energy_delta_mj >= 0),
  temperature_mc bigint,
  load_milli bigint,
  elapsed_ms bigint,
  resets integer NOT NULL,
  body bytea NOT NULL CHECK (octet_length(body) BETWEEN 2 AND 16384),
  PRIMARY KEY (id, observed_at),
  UNIQUE (target_id, slot, series, observed_at)
) PARTITION BY RANGE (observed_at);
CREATE INDEX hardware_sample_subject ON hardware_sample (subject, observed_at, id);

CREATE TABLE slot_outcome (
  target_id uuid NOT NULL,
  slot bigint NOT NULL,
  observed_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  outcome text NOT NULL,
  detail text NOT NULL,
  rows integer NOT NULL,
  PRIMARY KEY (target_id, slot, observed_at)
) PARTITION BY RANGE (observed_at);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name='Gap',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('began_at', models.DateTimeField(verbose_name='from')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='to')),
                ('reason', models.CharField(max_length=32, verbose_name='reason')),
                ('missed_slots', models.BigIntegerField(null=True, verbose_name='missed slots')),
                ('announced', models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'gap',
                'verbose_name_plural': 'gaps',
                'db_table': 'coverage_gap',
            },
        ),
        migrations.CreateModel(
            name='SealCursor',
            fields=[
                ('kind', models.CharField(choices=[('usage', 'usage'), ('hardware', 'hardware')], max_length=16, primary_key=True, serialize=False)),
                ('through_id', models.BigIntegerField()),
            ],
            options={
                'db_table': 'seal_cursor',
            },
        ),
        migrations.CreateModel(
            name='Target',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('kind', models.CharField(choices=[('vllm', 'vLLM server'), ('dcgm', 'dcgm-exporter'), ('nvidia_gpu_exporter', 'nvidia_gpu_exporter'), ('host', 'this host')], max_length=32, verbose_name='kind')),
                ('url', models.CharField(blank=True, max_length=500, verbose_name='address')),
                ('subject', models.CharField(max_length=100, verbose_name='subject')),
                ('interval_seconds', models.PositiveIntegerField(verbose_name='interval')),
                ('phase_seconds', models.PositiveIntegerField(verbose_name='phase')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('row_version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name': 'target',
                'verbose_name_plural': 'targets',
                'db_table': 'target',
            },
        ),
        migrations.CreateModel(
            name='UsageKey',
            fields=[
                ('key', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('content', models.BinaryField(max_length=32)),
                ('observed_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'usage_key',
            },
        ),
        migrations.CreateModel(
            name='Window',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('usage', 'usage'), ('hardware', 'hardware')], max_length=16, verbose_name='kind')),
                ('subject', models.CharField(max_length=100, verbose_name='subject')),
                ('starts_at', models.DateTimeField(verbose_name='start')),
                ('ends_at', models.DateTimeField(verbose_name='end')),
                ('revision', models.PositiveIntegerField(verbose_name='revision')),
                ('after_id', models.BigIntegerField()),
                ('through_id', models.BigIntegerField()),
                ('rows', models.BigIntegerField(verbose_name='rows')),
                ('root', models.BinaryField(max_length=32)),
                ('expected', models.IntegerField(null=True, verbose_name='expected')),
                ('received', models.IntegerField(null=True, verbose_name='received')),
                ('sealed_at', models.DateTimeField(verbose_name='sealed')),
            ],
            options={
                'verbose_name': 'window',
                'verbose_name_plural': 'windows',
                'db_table': 'sealed_window',
            },
        ),
        migrations.CreateModel(
            name='TargetState',
            fields=[
                ('target', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='state', serialize=False, to='audit.target')),
                ('due_at', models.DateTimeField()),
                ('lease_token', models.UUIDField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('last_outcome', models.CharField(blank=True, max_length=32)),
                ('last_detail', models.CharField(blank=True, max_length=200)),
                ('last_slot', models.BigIntegerField(null=True)),
                ('last_ok_slot', models.BigIntegerField(null=True)),
                ('counters', models.TextField(default='{}')),
            ],
            options={
                'db_table': 'target_state',
            },
        ),
        migrations.AddConstraint(
            model_name='target',
            constraint=models.CheckConstraint(condition=models.Q(('interval_seconds__gte', 1), ('interval_seconds__lte', 86400), ('phase_seconds__lt', models.F('interval_seconds'))), name='target_grid'),
        ),
        migrations.AddConstraint(
            model_name='target',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'host'), ('url', '')), models.Q(models.Q(('kind', 'host'), _negated=True), models.Q(('url', ''), _negated=True)), _connector='OR'), name='target_url_unless_host'),
        ),
        migrations.AddField(
            model_name='gap',
            name='target',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gaps', to='audit.target'),
        ),
        migrations.AddIndex(
            model_name='window',
            index=models.Index(fields=['kind', 'subject', '-ends_at'], name='window_newest'),
        ),
        migrations.AddConstraint(
            model_name='window',
            constraint=models.UniqueConstraint(fields=('kind', 'subject', 'starts_at', 'revision'), name='window_sealed_once'),
        ),
        migrations.AddConstraint(
            model_name='window',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='window_has_length'),
        ),
        migrations.AddConstraint(
            model_name='window',
            constraint=models.CheckConstraint(condition=models.Q(('through_id__gte', models.F('after_id'))), name='window_id_range'),
        ),
        migrations.AddIndex(
            model_name='targetstate',
            index=models.Index(fields=['due_at'], name='target_state_due'),
        ),
        migrations.AddIndex(
            model_name='gap',
            index=models.Index(condition=models.Q(('announced__lt', 2)), fields=['announced'], name='coverage_gap_untold'),
        ),
        migrations.AddConstraint(
            model_name='gap',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('target',), name='coverage_gap_one_open'),
        ),
        migrations.AddConstraint(
            model_name='gap',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('missed_slots', None)), models.Q(('ended_at__gte', models.F('began_at')), ('missed_slots__isnull', False)), _connector='OR'), name='coverage_gap_end_has_count'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, migrations.RunSQL.noop)],
            state_operations=[
                migrations.CreateModel(
                    name='SlotOutcome',
                    fields=[
                        ('pk', models.CompositePrimaryKey('target_id', 'slot', 'observed_at', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('target_id', models.UUIDField()),
                        ('slot', models.BigIntegerField()),
                        ('observed_at', models.DateTimeField()),
                        ('received_at', models.DateTimeField()),
                        ('outcome', models.TextField()),
                        ('detail', models.TextField()),
                        ('rows', models.IntegerField()),
                    ],
                    options={
                        'db_table': 'slot_outcome',
                    },
                ),
                migrations.CreateModel(
                    name='UsageRecord',
                    fields=[
                        ('pk', models.CompositePrimaryKey('id', 'observed_at', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('id', models.BigIntegerField()),
                        ('observed_at', models.DateTimeField()),
                        ('received_at', models.DateTimeField()),
                        ('subject', models.TextField()),
                        ('source', models.TextField()),
                        ('method', models.TextField()),
                        ('target_id', models.UUIDField(null=True)),
                        ('slot', models.BigIntegerField(null=True)),
                        ('series', models.TextField()),
                        ('model', models.TextField()),
                        ('requests', models.BigIntegerField(null=True)),
                        ('input_tokens', models.BigIntegerField(null=True)),
                        ('output_tokens', models.BigIntegerField(null=True)),
                        ('reasoning_tokens', models.BigIntegerField(null=True)),
                        ('cached_tokens', models.BigIntegerField(null=True)),
                        ('duration_ms', models.BigIntegerField(null=True)),
                        ('elapsed_ms', models.BigIntegerField(null=True)),
                        ('resets', models.IntegerField()),
                        ('body', models.BinaryField()),
                    ],
                    options={
                        'db_table': 'usage_record',
                    },
                ),
                migrations.CreateModel(
                    name='HardwareSample',
                    fields=[
                        ('pk', models.CompositePrimaryKey('id', 'observed_at', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('id', models.BigIntegerField()),
                        ('observed_at', models.DateTimeField()),
                        ('received_at', models.DateTimeField()),
                        ('subject', models.TextField()),
                        ('source', models.TextField()),
                        ('target_id', models.UUIDField()),
                        ('slot', models.BigIntegerField()),
                        ('series', models.TextField()),
                        ('node', models.TextField()),
                        ('device_model', models.TextField()),
                        ('util_ppm', models.BigIntegerField(null=True)),
                        ('memory_used_bytes', models.BigIntegerField(null=True)),
                        ('memory_total_bytes', models.BigIntegerField(null=True)),
                        ('power_mw', models.BigIntegerField(null=True)),
                        ('energy_mj', models.BigIntegerField(null=True)),
                        ('energy_delta_mj', models.BigIntegerField(null=True)),
                        ('temperature_mc', models.BigIntegerField(null=True)),
                        ('load_milli', models.BigIntegerField(null=True)),
                        ('elapsed_ms', models.BigIntegerField(null=True)),
                        ('resets', models.IntegerField()),
                        ('body', models.BinaryField()),
                    ],
                    options={
                        'db_table': 'hardware_sample',
                        'indexes': [models.Index(fields=['subject', 'observed_at', 'id'], name='hardware_sample_subject')],
                    },
                ),
                migrations.AddIndex(
                    model_name='usagerecord',
                    index=models.Index(fields=['subject', 'observed_at', 'id'], name='usage_record_subject'),
                ),
            ],
        ),
    ]
