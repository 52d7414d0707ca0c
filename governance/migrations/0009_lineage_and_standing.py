"""Artefacts, lineage, quantisations and standings: tables, and what no code may get around.

Triggers are ENABLE ALWAYS, as in the migrations before.
"""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

TABLES = ("model_artefact", "model_relation", "quantisation", "standing")

CHANGES = (
    "active>deprecated", "active>superseded", "deprecated>superseded", "active>retired",
    "deprecated>retired", "superseded>retired", "deprecated>active", "superseded>active",
    "retired>active", "active>quarantined", "deprecated>quarantined", "superseded>quarantined",
    "retired>quarantined", "quarantined>active", "quarantined>retired",
)
BLOCKING = ("quarantined", "retired")

KEEP = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only, ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in TABLES
)

LINEAGE = """
CREATE FUNCTION assay_lineage_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.parent_id IS NULL THEN
    RETURN NEW;
  END IF;
  -- Two relations that close a circle together must not pass each other.
  PERFORM pg_advisory_xact_lock(hashtextextended('model_relation', 0));
  IF EXISTS (
    WITH RECURSIVE above(id) AS (
      SELECT NEW.parent_id
      UNION
      SELECT r.parent_id FROM model_relation r JOIN above a ON r.child_id = a.id WHERE r.parent_id IS NOT NULL
    )
    SELECT 1 FROM above WHERE id = NEW.child_id
  ) THEN
    RAISE EXCEPTION 'lineage refused: the parent was itself made from this version' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER model_relation_guard BEFORE INSERT ON model_relation
  FOR EACH ROW EXECUTE FUNCTION assay_lineage_guard();
ALTER TABLE model_relation ENABLE ALWAYS TRIGGER model_relation_guard;
"""

STANDING = """
CREATE FUNCTION assay_standing_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last standing%ROWTYPE; found boolean;
BEGIN
  SELECT * INTO last FROM standing
   WHERE subject_kind = NEW.subject_kind AND subject_id = NEW.subject_id ORDER BY number DESC LIMIT 1;
  IF NEW.number <> coalesce(last.number, 0) + 1 THEN
    RAISE EXCEPTION 'standing refused: its number does not follow the newest' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT (coalesce(last.state, 'active') || '>' || NEW.state) = ANY (ARRAY[:changes]) THEN
    RAISE EXCEPTION 'standing refused: what is % cannot become %', coalesce(last.state, 'active'), NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  IF last.state = 'quarantined' AND last.person_id = NEW.person_id THEN
    RAISE EXCEPTION 'standing refused: a quarantine is lifted by another person than the one who set it'
      USING ERRCODE = 'check_violation';
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE id = $1) AND ($2 IS NULL OR EXISTS ('
    'SELECT 1 FROM %I WHERE id = $2))', NEW.subject_kind, NEW.subject_kind)
    INTO found USING NEW.subject_id, NEW.successor_id;
  IF NOT found THEN
    RAISE EXCEPTION 'standing refused: it is of something that is not registered' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER standing_guard BEFORE INSERT ON standing FOR EACH ROW EXECUTE FUNCTION assay_standing_guard();
ALTER TABLE standing ENABLE ALWAYS TRIGGER standing_guard;
""".replace(":changes", ", ".join(f"'{pair}'" for pair in CHANGES))

REQUEST = """
CREATE FUNCTION assay_request_standing_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE kind text; how text;
BEGIN
  IF TG_OP = 'UPDATE' AND NOT (NEW.state = 'approved' AND OLD.state <> 'approved') THEN
    RETURN NEW;
  END IF;
  SELECT uses.kind, newest.state INTO kind, how
    FROM revision r JOIN model_version v ON v.id = r.model_version_id JOIN deployment d ON d.id = r.deployment_id
    CROSS JOIN LATERAL (
      VALUES ('deployment', r.deployment_id), ('model_version', v.id), ('model', v.model_id),
             ('gpu_pool', r.gpu_pool_id), ('use_case', d.use_case_id)
      UNION ALL SELECT 'adapter', unnest(r.adapters)
    ) AS uses (kind, id)
    CROSS JOIN LATERAL (
      SELECT s.state FROM standing s WHERE s.subject_kind = uses.kind AND s.subject_id = uses.id
       ORDER BY s.number DESC LIMIT 1
    ) AS newest
   WHERE r.id = NEW.revision_id AND newest.state = ANY (ARRAY[:blocking]) LIMIT 1;
  IF kind IS NOT NULL THEN
    RAISE EXCEPTION 'request refused: its % is %', replace(kind, '_', ' '), how USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER request_standing_guard BEFORE INSERT OR UPDATE ON approval_request
  FOR EACH ROW EXECUTE FUNCTION assay_request_standing_guard();
ALTER TABLE approval_request ENABLE ALWAYS TRIGGER request_standing_guard;
""".replace(":blocking", ", ".join(f"'{state}'" for state in BLOCKING))


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds rows and reads them, the reader reads them, nobody changes or deletes one."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in ("REVOKE ALL ON {tables} FROM {app}", "GRANT SELECT, INSERT ON {tables} TO {app}",
                      "GRANT SELECT ON {tables} TO {reader}"):
        tables = sql.SQL(", ").join(map(sql.Identifier, TABLES))
        schema_editor.execute(sql.SQL(statement).format(tables=tables, **roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_telemetry_append_only'),
        ('governance', '0008_data_and_evaluations'),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelArtefact',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('weights', 'weights'), ('adapter', 'weights of an adapter'), ('tokenizer', 'tokenizer'), ('config', 'configuration'), ('index', 'index of the weights'), ('container', 'container image'), ('card', 'model card'), ('other', 'another file')], max_length=20, verbose_name='kind')),
                ('name', models.CharField(max_length=500, verbose_name='path')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256 of the file')),
                ('size_bytes', models.BigIntegerField(blank=True, null=True, verbose_name='bytes')),
                ('format', models.CharField(choices=[('safetensors', 'safetensors'), ('gguf', 'GGUF'), ('onnx', 'ONNX'), ('pytorch_pickle', 'PyTorch pickle'), ('bin', 'binary'), ('json', 'JSON'), ('oci', 'OCI image'), ('other', 'another format')], max_length=20, verbose_name='format')),
                ('address', models.CharField(blank=True, max_length=500, verbose_name='address')),
                ('registered_by', models.CharField(max_length=100, verbose_name='registered by')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('adapter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='artefacts', to='governance.adapter', verbose_name='adapter')),
                ('model_version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='artefacts', to='governance.modelversion', verbose_name='model version')),
            ],
            options={
                'verbose_name': 'artefact',
                'verbose_name_plural': 'artefacts',
                'db_table': 'model_artefact',
                'indexes': [models.Index(fields=['sha256'], name='artefact_by_digest')],
                'constraints': [models.UniqueConstraint(fields=('model_version', 'name'), name='artefact_of_a_version_named_once'), models.UniqueConstraint(fields=('adapter', 'name'), name='artefact_of_an_adapter_named_once'), models.CheckConstraint(condition=models.Q(models.Q(('adapter__isnull', True), ('model_version__isnull', False)), models.Q(('adapter__isnull', False), ('model_version__isnull', True)), _connector='OR'), name='artefact_belongs_to_one'), models.CheckConstraint(condition=models.Q(('kind__in', ['weights', 'adapter', 'tokenizer', 'config', 'index', 'container', 'card', 'other'])), name='artefact_kind_known'), models.CheckConstraint(condition=models.Q(('format__in', ['safetensors', 'gguf', 'onnx', 'pytorch_pickle', 'bin', 'json', 'oci', 'other'])), name='artefact_format_known'), models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='artefact_digest_is_sha256'), models.CheckConstraint(condition=models.Q(('size_bytes__isnull', True), ('size_bytes__gte', 0), _connector='OR'), name='artefact_size_is_no_debt')],
            },
        ),
        migrations.CreateModel(
            name='ModelRelation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('parent_name', models.CharField(max_length=300, verbose_name='as it was declared')),
                ('parent_revision', models.CharField(blank=True, max_length=100, verbose_name='revision as it was declared')),
                ('relation', models.CharField(choices=[('adapter', 'adapter of'), ('finetune', 'fine-tuned from'), ('merge', 'merged from'), ('quantized', 'quantised from'), ('distilled', 'distilled from'), ('converted', 'converted from'), ('unstated', 'made from, nobody said how')], max_length=20, verbose_name='relation')),
                ('declared_in', models.CharField(choices=[('card', 'its model card'), ('config', 'its configuration or header'), ('person', 'a person')], max_length=20, verbose_name='declared in')),
                ('declared_by', models.CharField(max_length=100, verbose_name='declared by')),
                ('declared_at', models.DateTimeField(verbose_name='declared')),
                ('child', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parents', to='governance.modelversion', verbose_name='model version')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='governance.modelversion', verbose_name='made from')),
            ],
            options={
                'verbose_name': 'relation of models',
                'verbose_name_plural': 'relations of models',
                'db_table': 'model_relation',
                'constraints': [models.UniqueConstraint(fields=('child', 'parent', 'parent_name', 'parent_revision', 'relation'), name='model_relation_declared_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('parent__isnull', True), models.Q(('parent', models.F('child')), _negated=True), _connector='OR'), name='model_relation_not_to_itself'), models.CheckConstraint(condition=models.Q(('relation__in', ['adapter', 'finetune', 'merge', 'quantized', 'distilled', 'converted', 'unstated'])), name='model_relation_known'), models.CheckConstraint(condition=models.Q(('declared_in__in', ['card', 'config', 'person'])), name='model_relation_source_known')],
            },
        ),
        migrations.CreateModel(
            name='Quantisation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('scheme', models.CharField(choices=[('int8', 'INT8'), ('int4', 'INT4'), ('nf4', 'NF4'), ('gptq', 'GPTQ'), ('awq', 'AWQ'), ('fp8', 'FP8'), ('mxfp4', 'MXFP4'), ('gguf', 'GGUF')], max_length=10, verbose_name='scheme')),
                ('detail', models.CharField(blank=True, max_length=60, verbose_name='detail')),
                ('bits', models.CharField(blank=True, max_length=20, verbose_name='bits of a weight')),
                ('group_size', models.PositiveIntegerField(blank=True, null=True, verbose_name='group size')),
                ('calibration', models.CharField(blank=True, max_length=300, verbose_name='calibrated with')),
                ('kv_cache_dtype', models.CharField(blank=True, max_length=40, verbose_name='KV cache')),
                ('tool', models.CharField(blank=True, max_length=200, verbose_name='tool')),
                ('declared_in', models.CharField(choices=[('card', 'its model card'), ('config', 'its configuration or header'), ('person', 'a person')], max_length=20, verbose_name='declared in')),
                ('declared_by', models.CharField(max_length=100, verbose_name='declared by')),
                ('declared_at', models.DateTimeField(verbose_name='declared')),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quantisations', to='governance.modelversion', verbose_name='model version')),
                ('source_version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quantised_as', to='governance.modelversion', verbose_name='quantised from')),
            ],
            options={
                'verbose_name': 'quantisation',
                'verbose_name_plural': 'quantisations',
                'db_table': 'quantisation',
                'constraints': [models.UniqueConstraint(fields=('model_version', 'scheme', 'detail'), name='quantisation_declared_once'), models.CheckConstraint(condition=models.Q(('scheme__in', ['int8', 'int4', 'nf4', 'gptq', 'awq', 'fp8', 'mxfp4', 'gguf'])), name='quantisation_scheme_known'), models.CheckConstraint(condition=models.Q(('declared_in__in', ['card', 'config', 'person'])), name='quantisation_source_known'), models.CheckConstraint(condition=models.Q(('source_version__isnull', True), models.Q(('source_version', models.F('model_version')), _negated=True), _connector='OR'), name='quantisation_not_from_itself'), models.CheckConstraint(condition=models.Q(('group_size__isnull', True), ('group_size__gt', 0), _connector='OR'), name='quantisation_group_of_some')],
            },
        ),
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subject_kind', models.CharField(choices=[('model', 'model'), ('model_version', 'model version'), ('adapter', 'adapter'), ('use_case', 'use case'), ('agent', 'agent'), ('gpu_pool', 'GPU pool'), ('deployment', 'deployment'), ('dataset_version', 'dataset version'), ('tool_version', 'tool version')], max_length=40, verbose_name='kind')),
                ('subject_id', models.UUIDField(verbose_name='id of the thing')),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('state', models.CharField(choices=[('active', 'active'), ('deprecated', 'deprecated'), ('superseded', 'superseded'), ('retired', 'retired'), ('quarantined', 'quarantined')], max_length=20, verbose_name='standing')),
                ('reason', models.CharField(max_length=2000, verbose_name='reason')),
                ('successor_id', models.UUIDField(blank=True, null=True, verbose_name='successor')),
                ('actor', models.CharField(max_length=100, verbose_name='changed by')),
                ('changed_at', models.DateTimeField(verbose_name='changed')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person', verbose_name='person')),
            ],
            options={
                'verbose_name': 'standing',
                'verbose_name_plural': 'standings',
                'db_table': 'standing',
                'indexes': [models.Index(fields=['state', 'subject_kind'], name='standing_by_state')],
                'constraints': [models.UniqueConstraint(fields=('subject_kind', 'subject_id', 'number'), name='standing_numbered_once'), models.CheckConstraint(condition=models.Q(('number__gt', 0)), name='standing_numbers_from_one'), models.CheckConstraint(condition=models.Q(('subject_kind__in', ['model', 'model_version', 'adapter', 'use_case', 'agent', 'gpu_pool', 'deployment', 'dataset_version', 'tool_version'])), name='standing_kind_known'), models.CheckConstraint(condition=models.Q(('state__in', ['active', 'deprecated', 'superseded', 'retired', 'quarantined'])), name='standing_state_known'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='standing_has_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'superseded'), _negated=True), ('successor_id__isnull', False), _connector='OR'), name='standing_superseded_names_its_successor'), models.CheckConstraint(condition=models.Q(('successor_id__isnull', True), models.Q(('state__in', ['superseded', 'deprecated', 'retired']), models.Q(('successor_id', models.F('subject_id')), _negated=True)), _connector='OR'), name='standing_successor_where_it_may_be')],
            },
        ),
        migrations.RunSQL(KEEP),
        migrations.RunSQL(LINEAGE),
        migrations.RunSQL(STANDING),
        migrations.RunSQL(REQUEST),
        migrations.RunPython(grant),
    ]
