"""Data sets, thresholds with evaluations, and evidence: tables, and what no code may get around.

Triggers are ENABLE ALWAYS, as in the migrations before.
"""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = (
    "dataset_version", "dataset_use", "metric_threshold", "evaluation_run", "metric", "evidence",
    "evidence_revocation",
)
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
) + """
CREATE TRIGGER dataset_kept BEFORE DELETE ON dataset
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER dataset_no_truncate BEFORE TRUNCATE ON dataset
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE dataset ENABLE ALWAYS TRIGGER dataset_kept, ENABLE ALWAYS TRIGGER dataset_no_truncate;
"""

BOUND = """
ALTER TABLE metric ADD CONSTRAINT metric_status_is_what_the_numbers_say CHECK (
  CASE
    WHEN decision_threshold = '' THEN status = 'no_threshold' AND passes_from = '' AND passes_to = ''
    WHEN passes_from = '' AND passes_to = '' THEN false
    WHEN (passes_from = '' OR value::numeric > passes_from::numeric
          OR (value::numeric = passes_from::numeric AND NOT passes_from_open))
     AND (passes_to = '' OR value::numeric < passes_to::numeric
          OR (value::numeric = passes_to::numeric AND NOT passes_to_open)) THEN status = 'passed'
    ELSE status = 'failed'
  END);
ALTER TABLE metric ADD CONSTRAINT metric_bounds_in_order
  CHECK (lower_bound = '' OR upper_bound = '' OR lower_bound::numeric <= upper_bound::numeric);
ALTER TABLE metric_threshold ADD CONSTRAINT metric_threshold_limits_in_order
  CHECK (upper_value = '' OR limit_value::numeric <= upper_value::numeric);
ALTER TABLE evidence ADD CONSTRAINT evidence_supersedes_its_like
  FOREIGN KEY (supersedes_id, kind, subject_kind, subject_id)
  REFERENCES evidence (id, kind, subject_kind, subject_id);
CREATE SEQUENCE evaluation_number;
CREATE SEQUENCE evidence_number;
"""

TABLES = ", ".join((*INSERT_ONLY, "dataset"))


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds to all of them and changes data sets; the reader reads; nobody deletes."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        f"REVOKE ALL ON {TABLES} FROM {{app}}",
        f"GRANT SELECT, INSERT ON {TABLES} TO {{app}}",
        "GRANT UPDATE ON dataset TO {app}",
        f"GRANT SELECT ON {TABLES} TO {{reader}}",
        "GRANT USAGE, SELECT ON SEQUENCE evaluation_number, evidence_number TO {app}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_telemetry_append_only'),
        ('governance', '0006_approval_stages'),
    ]

    operations = [
        migrations.CreateModel(
            name='Dataset',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200, unique=True, verbose_name='name')),
                ('dataset_type', models.CharField(choices=[('audio', 'audio'), ('categorical', 'categorical'), ('graph', 'graph'), ('image', 'images'), ('numeric', 'numbers'), ('sensor', 'sensor readings'), ('structured', 'structured'), ('syntactic', 'syntactic'), ('text', 'text'), ('timeseries', 'time series'), ('timestamp', 'timestamps'), ('video', 'video'), ('other', 'another type'), ('noAssertion', 'not said')], max_length=20, verbose_name='type of data')),
                ('intended_use', models.CharField(max_length=2000, verbose_name='intended use')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('row_version', models.PositiveIntegerField(default=1)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='datasets', to='audit.person', verbose_name='owner')),
            ],
            options={
                'verbose_name': 'data set',
                'verbose_name_plural': 'data sets',
                'db_table': 'dataset',
            },
        ),
        migrations.CreateModel(
            name='DatasetVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('version', models.CharField(max_length=100, verbose_name='version')),
                ('dataset_size', models.BigIntegerField(blank=True, null=True, verbose_name='size (bytes)')),
                ('data_collection_process', models.CharField(max_length=4000, verbose_name='how it was collected')),
                ('data_preprocessing', models.CharField(blank=True, max_length=4000, verbose_name='how it was prepared')),
                ('known_bias', models.CharField(blank=True, max_length=4000, verbose_name='known bias')),
                ('confidentiality_level', models.CharField(choices=[('red', 'red: named persons only'), ('amber', 'amber: within the organisation'), ('green', 'green: within the community'), ('clear', 'clear: for everybody')], max_length=10, verbose_name='confidentiality')),
                ('has_sensitive_personal_information', models.CharField(choices=[('yes', 'yes'), ('no', 'no'), ('unknown', 'unknown')], max_length=10, verbose_name='sensitive personal information')),
                ('anonymization_method_used', models.CharField(blank=True, max_length=1000, verbose_name='anonymisation')),
                ('licence', models.CharField(max_length=200, verbose_name='licence')),
                ('provenance', models.CharField(choices=[('public', 'publicly available'), ('licensed', 'licensed from its rightsholders'), ('third_party', 'from another third party'), ('scraped', 'crawled from online sources'), ('user', 'data of users'), ('synthetic', 'synthetic'), ('other', 'another source')], max_length=20, verbose_name='where the data come from')),
                ('sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256')),
                ('source', models.CharField(max_length=500, verbose_name='source')),
                ('registered_by', models.CharField(max_length=100, verbose_name='registered by')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='governance.dataset', verbose_name='data set')),
            ],
            options={
                'verbose_name': 'version of a data set',
                'verbose_name_plural': 'versions of data sets',
                'db_table': 'dataset_version',
            },
        ),
        migrations.CreateModel(
            name='DatasetUse',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('training', 'training'), ('validation', 'validation'), ('testing', 'testing'), ('calibration', 'calibration'), ('rag', 'retrieval')], max_length=20, verbose_name='purpose')),
                ('note', models.CharField(blank=True, max_length=1000, verbose_name='note')),
                ('recorded_by', models.CharField(max_length=100, verbose_name='recorded by')),
                ('recorded_at', models.DateTimeField(verbose_name='recorded')),
                ('adapter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='dataset_uses', to='governance.adapter', verbose_name='adapter')),
                ('model_version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='dataset_uses', to='governance.modelversion', verbose_name='model version')),
                ('dataset_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='governance.datasetversion', verbose_name='version of a data set')),
            ],
            options={
                'verbose_name': 'use of a data set',
                'verbose_name_plural': 'uses of data sets',
                'db_table': 'dataset_use',
            },
        ),
        migrations.CreateModel(
            name='EvaluationRun',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(unique=True, verbose_name='number')),
                ('weight_dtype', models.CharField(max_length=40, verbose_name='weights')),
                ('quantisation', models.CharField(blank=True, max_length=200, verbose_name='quantisation')),
                ('hardware', models.CharField(blank=True, max_length=500, verbose_name='hardware')),
                ('protocol', models.CharField(max_length=500, verbose_name='protocol')),
                ('tool', models.CharField(max_length=100, verbose_name='tool')),
                ('tool_version', models.CharField(blank=True, max_length=100, verbose_name='version of the tool')),
                ('run_at', models.DateTimeField(verbose_name='run')),
                ('artefact_sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the results')),
                ('artefact_address', models.CharField(blank=True, max_length=500, verbose_name='where the results lie')),
                ('signed_by', models.CharField(blank=True, max_length=200, verbose_name='signed by')),
                ('notes', models.CharField(blank=True, max_length=4000, verbose_name='notes')),
                ('pushed_by', models.CharField(max_length=100, verbose_name='recorded by')),
                ('recorded_at', models.DateTimeField(verbose_name='recorded')),
                ('adapter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='governance.adapter', verbose_name='adapter')),
                ('dataset_version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='governance.datasetversion', verbose_name='version of a data set')),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='governance.modelversion', verbose_name='model version')),
                ('use_case', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='evaluations', to='governance.usecase', verbose_name='use case')),
            ],
            options={
                'verbose_name': 'evaluation',
                'verbose_name_plural': 'evaluations',
                'db_table': 'evaluation_run',
            },
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(unique=True, verbose_name='number')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('kind', models.CharField(choices=[('test_report', 'test report'), ('red_team', 'red team report'), ('dpia', 'data protection impact assessment'), ('fria', 'fundamental rights impact assessment'), ('impact_assessment', 'impact assessment of an AI system'), ('security_review', 'security review'), ('licence_review', 'licence review'), ('model_card', 'model card'), ('data_sheet', 'data sheet'), ('contract', 'contract'), ('other', 'something else')], max_length=20, verbose_name='kind')),
                ('subject_kind', models.CharField(max_length=40, verbose_name='kind of subject')),
                ('subject_id', models.UUIDField(verbose_name='subject')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('size_bytes', models.BigIntegerField(verbose_name='size (bytes)')),
                ('media_type', models.CharField(max_length=100, verbose_name='media type')),
                ('address', models.CharField(max_length=500, verbose_name='where it lies')),
                ('collected_at', models.DateField(verbose_name='collected')),
                ('valid_until', models.DateField(blank=True, null=True, verbose_name='valid until')),
                ('classification', models.CharField(choices=[('open', 'open'), ('internal', 'internal'), ('confidential', 'confidential')], max_length=20, verbose_name='classification')),
                ('recorded_by', models.CharField(max_length=100, verbose_name='recorded by')),
                ('recorded_at', models.DateTimeField(verbose_name='recorded')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='audit.person', verbose_name='owner')),
                ('supersedes', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='governance.evidence', verbose_name='supersedes')),
            ],
            options={
                'verbose_name': 'evidence',
                'verbose_name_plural': 'evidence',
                'db_table': 'evidence',
            },
        ),
        migrations.CreateModel(
            name='EvidenceRevocation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=2000, verbose_name='reason')),
                ('revoked_by', models.CharField(max_length=100, verbose_name='revoked by')),
                ('revoked_at', models.DateTimeField(verbose_name='revoked')),
                ('evidence', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='revocation', to='governance.evidence', verbose_name='evidence')),
            ],
            options={
                'verbose_name': 'revocation of evidence',
                'verbose_name_plural': 'revocations of evidence',
                'db_table': 'evidence_revocation',
            },
        ),
        migrations.CreateModel(
            name='Metric',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('type', models.CharField(blank=True, max_length=100, verbose_name='type')),
                ('slice', models.CharField(blank=True, max_length=200, verbose_name='slice')),
                ('value', models.CharField(max_length=62, verbose_name='value')),
                ('unit', models.CharField(blank=True, max_length=40, verbose_name='unit')),
                ('lower_bound', models.CharField(blank=True, max_length=62, verbose_name='lower bound')),
                ('upper_bound', models.CharField(blank=True, max_length=62, verbose_name='upper bound')),
                ('decision_threshold', models.TextField(blank=True, verbose_name='threshold')),
                ('passes_from', models.CharField(blank=True, max_length=62, verbose_name='passes from')),
                ('passes_from_open', models.BooleanField(default=False, verbose_name='passes above it only')),
                ('passes_to', models.CharField(blank=True, max_length=62, verbose_name='passes up to')),
                ('passes_to_open', models.BooleanField(default=False, verbose_name='passes below it only')),
                ('status', models.CharField(choices=[('passed', 'passed'), ('failed', 'failed'), ('no_threshold', 'no threshold')], max_length=20, verbose_name='status')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='metrics', to='governance.evaluationrun', verbose_name='evaluation')),
            ],
            options={
                'verbose_name': 'metric',
                'verbose_name_plural': 'metrics',
                'db_table': 'metric',
            },
        ),
        migrations.CreateModel(
            name='MetricThreshold',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('metric', models.CharField(max_length=100, verbose_name='metric')),
                ('slice', models.CharField(blank=True, max_length=200, verbose_name='slice')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('shape', models.CharField(blank=True, choices=[('gt', 'greater than'), ('gte', 'greater than or equal to'), ('lt', 'less than'), ('lte', 'less than or equal to'), ('outside', 'outside')], max_length=10, verbose_name='fails when')),
                ('limit_value', models.CharField(blank=True, max_length=62, verbose_name='limit')),
                ('upper_value', models.CharField(blank=True, max_length=62, verbose_name='upper limit')),
                ('reason', models.CharField(max_length=1000, verbose_name='reason')),
                ('valid_from', models.DateTimeField(verbose_name='valid from')),
                ('set_by', models.CharField(max_length=100, verbose_name='set by')),
                ('set_at', models.DateTimeField(verbose_name='set')),
                ('model', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='thresholds', to='governance.model', verbose_name='model')),
                ('use_case', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='thresholds', to='governance.usecase', verbose_name='use case')),
            ],
            options={
                'verbose_name': 'threshold',
                'verbose_name_plural': 'thresholds',
                'db_table': 'metric_threshold',
            },
        ),
        migrations.AddConstraint(
            model_name='dataset',
            constraint=models.CheckConstraint(condition=models.Q(('dataset_type__in', ['audio', 'categorical', 'graph', 'image', 'numeric', 'sensor', 'structured', 'syntactic', 'text', 'timeseries', 'timestamp', 'video', 'other', 'noAssertion'])), name='dataset_type_known'),
        ),
        migrations.AddConstraint(
            model_name='datasetversion',
            constraint=models.UniqueConstraint(fields=('dataset', 'version'), name='dataset_version_named_once'),
        ),
        migrations.AddConstraint(
            model_name='datasetversion',
            constraint=models.CheckConstraint(condition=models.Q(('confidentiality_level__in', ['red', 'amber', 'green', 'clear']), ('has_sensitive_personal_information__in', ['yes', 'no', 'unknown']), ('provenance__in', ['public', 'licensed', 'third_party', 'scraped', 'user', 'synthetic', 'other'])), name='dataset_version_choices_known'),
        ),
        migrations.AddConstraint(
            model_name='datasetversion',
            constraint=models.CheckConstraint(condition=models.Q(('dataset_size__isnull', True), ('dataset_size__gt', 0), _connector='OR'), name='dataset_version_has_bytes'),
        ),
        migrations.AddConstraint(
            model_name='datasetversion',
            constraint=models.CheckConstraint(condition=models.Q(('sha256', ''), ('sha256__regex', '^[0-9a-f]{64}$'), _connector='OR'), name='dataset_version_digest_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='datasetuse',
            constraint=models.UniqueConstraint(fields=('dataset_version', 'model_version', 'adapter', 'purpose'), name='dataset_use_told_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='datasetuse',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('adapter__isnull', False), ('model_version__isnull', True)), models.Q(('adapter__isnull', True), ('model_version__isnull', False)), _connector='OR'), name='dataset_use_of_one'),
        ),
        migrations.AddConstraint(
            model_name='datasetuse',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['training', 'validation', 'testing', 'calibration', 'rag'])), name='dataset_use_purpose_known'),
        ),
        migrations.AddIndex(
            model_name='evaluationrun',
            index=models.Index(fields=['model_version', '-run_at'], name='evaluation_of_version'),
        ),
        migrations.AddConstraint(
            model_name='evaluationrun',
            constraint=models.CheckConstraint(condition=models.Q(('artefact_sha256__regex', '^([0-9a-f]{64})?$')), name='evaluation_run_digest_is_sha256'),
        ),
        migrations.AddIndex(
            model_name='evidence',
            index=models.Index(fields=['subject_kind', 'subject_id'], name='evidence_of_subject'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.UniqueConstraint(fields=('supersedes',), name='evidence_superseded_once'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.UniqueConstraint(fields=('id', 'kind', 'subject_kind', 'subject_id'), name='evidence_of_kind_and_subject'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='evidence_digest_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('size_bytes__gte', 0)), name='evidence_has_size'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['test_report', 'red_team', 'dpia', 'fria', 'impact_assessment', 'security_review', 'licence_review', 'model_card', 'data_sheet', 'contract', 'other'])), name='evidence_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('classification__in', ['open', 'internal', 'confidential'])), name='evidence_classification_known'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_until__gte', models.F('collected_at')), _connector='OR'), name='evidence_ends_after_it_was_collected'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('supersedes', models.F('id')), _negated=True), name='evidence_not_its_own'),
        ),
        migrations.AddConstraint(
            model_name='evidencerevocation',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='evidence_revocation_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='metric',
            constraint=models.UniqueConstraint(fields=('run', 'number'), name='metric_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='metric',
            constraint=models.UniqueConstraint(fields=('run', 'name', 'slice'), name='metric_measured_once'),
        ),
        migrations.AddConstraint(
            model_name='metric',
            constraint=models.CheckConstraint(condition=models.Q(('lower_bound__regex', '^(-?(0|[1-9][0-9]{0,29})(\\.[0-9]{1,30})?)?$'), ('passes_from__regex', '^(-?(0|[1-9][0-9]{0,29})(\\.[0-9]{1,30})?)?$'), ('passes_to__regex', '^(-?(0|[1-9][0-9]{0,29})(\\.[0-9]{1,30})?)?$'), ('upper_bound__regex', '^(-?(0|[1-9][0-9]{0,29})(\\.[0-9]{1,30})?)?$'), ('value__regex', '^-?(0|[1-9][0-9]{0,29})(\\.[0-9]{1,30})?$')), name='metric_numbers_are_decimal'),
        ),
        migrations.AddConstraint(
            model_name='metricthreshold',
            constraint=models.UniqueConstraint(fields=('model', 'use_case', 'metric', 'slice', 'version'), name='metric_threshold_versioned_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='metricthreshold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('model__isnull', True), ('use_case__isnull', False)), models.Q(('model__isnull', False), ('use_case__isnull', True)), _connector='OR'), name='metric_threshold_of_one'),
        ),
        migrations.AddConstraint(
            model_name='metricthreshold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('limit_value', ''), ('shape', ''), ('upper_value', '')), models.Q(('limit_value__regex', '^-?(0|[1-9][0-9]{0,29})(\\.[0-9]{1,30})?$'), ('shape__in', ['gt', 'gte', 'lt', 'lte']), ('upper_value', '')), models.Q(('limit_value__regex', '^-?(0|[1-9][0-9]{0,29})(\\.[0-9]{1,30})?$'), ('shape', 'outside'), ('upper_value__regex', '^-?(0|[1-9][0-9]{0,29})(\\.[0-9]{1,30})?$')), _connector='OR'), name='metric_threshold_has_limits'),
        ),
        migrations.AddConstraint(
            model_name='metricthreshold',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from__gte', models.F('set_at'))), name='metric_threshold_not_backdated'),
        ),
        migrations.RunSQL(KEEP),
        migrations.RunSQL(BOUND),
        migrations.RunPython(grant),
    ]
