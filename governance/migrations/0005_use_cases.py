"""Use cases and their classifications: tables, and what no code may get around.

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

KEEP = """
CREATE TRIGGER classification_append_only BEFORE UPDATE OR DELETE ON classification
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER classification_no_truncate BEFORE TRUNCATE ON classification
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE classification
  ENABLE ALWAYS TRIGGER classification_append_only, ENABLE ALWAYS TRIGGER classification_no_truncate;
CREATE TRIGGER use_case_kept BEFORE DELETE ON use_case
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER use_case_no_truncate BEFORE TRUNCATE ON use_case
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE use_case ENABLE ALWAYS TRIGGER use_case_kept, ENABLE ALWAYS TRIGGER use_case_no_truncate;
"""

BOUND = """
ALTER TABLE classification ADD CONSTRAINT classification_digest_of_answers
  CHECK (digest = encode(
    sha256(convert_to(tree_digest || chr(10) || path || chr(10) || result, 'UTF8')), 'hex'));
ALTER TABLE use_case ADD CONSTRAINT use_case_has_the_tier_of_its_own_classification
  FOREIGN KEY (classification_id, id, tier) REFERENCES classification (id, use_case_id, tier);
CREATE SEQUENCE use_case_number;
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds classifications and changes use cases; the reader reads; nobody deletes."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        "REVOKE ALL ON use_case, classification FROM {app}",
        "GRANT SELECT, INSERT ON use_case, classification TO {app}",
        "GRANT UPDATE ON use_case TO {app}",
        "GRANT SELECT ON use_case, classification TO {reader}",
        "GRANT USAGE, SELECT ON SEQUENCE use_case_number TO {app}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_telemetry_append_only'),
        ('governance', '0004_adapters'),
    ]

    operations = [
        migrations.CreateModel(
            name='Classification',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('tree', models.CharField(max_length=100, verbose_name='decision tree')),
                ('tree_version', models.CharField(max_length=40, verbose_name='version of the tree')),
                ('tree_digest', models.CharField(max_length=64, verbose_name='digest of the tree')),
                ('path', models.TextField(verbose_name='answers')),
                ('result', models.CharField(blank=True, max_length=60, verbose_name='result')),
                ('tier', models.CharField(choices=[('unclassified', 'unclassified'), ('out_of_scope', 'out of scope'), ('prohibited', 'prohibited'), ('high', 'high risk'), ('transparency', 'transparency duties'), ('minimal', 'minimal risk'), ('gpai', 'general-purpose model'), ('gpai_systemic', 'general-purpose model with systemic risk')], max_length=20, verbose_name='tier')),
                ('outcome', models.TextField(verbose_name='what follows')),
                ('digest', models.CharField(max_length=64, verbose_name='digest')),
                ('classified_by', models.CharField(max_length=100, verbose_name='classified by')),
                ('classified_at', models.DateTimeField(verbose_name='classified')),
            ],
            options={
                'verbose_name': 'classification',
                'verbose_name_plural': 'classifications',
                'db_table': 'classification',
            },
        ),
        migrations.CreateModel(
            name='UseCase',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(unique=True, verbose_name='number')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('intended_purpose', models.CharField(max_length=2000, verbose_name='intended purpose')),
                ('out_of_scope_uses', models.CharField(blank=True, max_length=2000, verbose_name='not meant for')),
                ('eu_role', models.CharField(choices=[('provider', 'provider'), ('deployer', 'deployer'), ('importer', 'importer'), ('distributor', 'distributor'), ('product_manufacturer', 'product manufacturer'), ('authorised_representative', 'authorised representative')], max_length=40, verbose_name='role under the Act')),
                ('member_states', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), default=list, size=None, verbose_name='member states')),
                ('begin_date', models.DateField(blank=True, null=True, verbose_name='begins')),
                ('end_date', models.DateField(blank=True, null=True, verbose_name='ends')),
                ('tier', models.CharField(choices=[('unclassified', 'unclassified'), ('out_of_scope', 'out of scope'), ('prohibited', 'prohibited'), ('high', 'high risk'), ('transparency', 'transparency duties'), ('minimal', 'minimal risk'), ('gpai', 'general-purpose model'), ('gpai_systemic', 'general-purpose model with systemic risk')], default='unclassified', max_length=20, verbose_name='tier')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('row_version', models.PositiveIntegerField(default=1)),
                ('classification', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.classification', verbose_name='classification')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='use_cases', to='audit.person', verbose_name='owner')),
            ],
            options={
                'verbose_name': 'use case',
                'verbose_name_plural': 'use cases',
                'db_table': 'use_case',
            },
        ),
        migrations.AddField(
            model_name='classification',
            name='use_case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='classifications', to='governance.usecase', verbose_name='use case'),
        ),
        migrations.AddConstraint(
            model_name='usecase',
            constraint=models.CheckConstraint(condition=models.Q(('tier__in', ['unclassified', 'out_of_scope', 'prohibited', 'high', 'transparency', 'minimal', 'gpai', 'gpai_systemic'])), name='use_case_tier_known'),
        ),
        migrations.AddConstraint(
            model_name='usecase',
            constraint=models.CheckConstraint(condition=models.Q(('classification__isnull', False), ('tier', 'unclassified'), _connector='OR'), name='use_case_tier_is_of_a_classification'),
        ),
        migrations.AddConstraint(
            model_name='usecase',
            constraint=models.CheckConstraint(condition=models.Q(('eu_role__in', ['provider', 'deployer', 'importer', 'distributor', 'product_manufacturer', 'authorised_representative'])), name='use_case_role_known'),
        ),
        migrations.AddConstraint(
            model_name='usecase',
            constraint=models.CheckConstraint(condition=models.Q(('end_date__isnull', True), ('begin_date__isnull', True), ('end_date__gte', models.F('begin_date')), _connector='OR'), name='use_case_ends_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='classification',
            constraint=models.UniqueConstraint(fields=('use_case', 'number'), name='classification_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='classification',
            constraint=models.UniqueConstraint(fields=('id', 'use_case', 'tier'), name='classification_use_case_and_tier'),
        ),
        migrations.AddConstraint(
            model_name='classification',
            constraint=models.CheckConstraint(condition=models.Q(('tier__in', ['unclassified', 'out_of_scope', 'prohibited', 'high', 'transparency', 'minimal', 'gpai', 'gpai_systemic'])), name='classification_tier_known'),
        ),
        migrations.AddConstraint(
            model_name='classification',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('result', ''), ('tier', 'unclassified')), models.Q(models.Q(('result', ''), _negated=True), models.Q(('tier', 'unclassified'), _negated=True)), _connector='OR'), name='classification_result_has_tier'),
        ),
        migrations.AddConstraint(
            model_name='classification',
            constraint=models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$'), ('tree_digest__regex', '^[0-9a-f]{64}$')), name='classification_digests_are_sha256'),
        ),
        migrations.RunSQL(KEEP),
        migrations.RunSQL(BOUND),
        migrations.RunPython(grant),
    ]
