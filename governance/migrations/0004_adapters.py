"""Adapters, which never change once registered, and the adapters of a revision."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

KEEP = """
CREATE TRIGGER adapter_append_only BEFORE UPDATE OR DELETE ON adapter
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER adapter_no_truncate BEFORE TRUNCATE ON adapter
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE adapter ENABLE ALWAYS TRIGGER adapter_append_only, ENABLE ALWAYS TRIGGER adapter_no_truncate;
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds adapters and reads them, the reader reads them, nobody changes or deletes one."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        "REVOKE ALL ON adapter FROM {app}",
        "GRANT SELECT, INSERT ON adapter TO {app}",
        "GRANT SELECT ON adapter TO {reader}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0003_gguf_headers'),
    ]

    operations = [
        migrations.AddField(
            model_name='revision',
            name='adapters',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None, verbose_name='adapters'),
        ),
        migrations.CreateModel(
            name='Adapter',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('version', models.CharField(max_length=100, verbose_name='version')),
                ('base_name', models.CharField(max_length=300, verbose_name='base as its file names it')),
                ('base_revision', models.CharField(blank=True, max_length=100, verbose_name='revision of the base')),
                ('base_match', models.CharField(choices=[('matched', 'the base it was trained on'), ('revision_differs', 'another revision of its base, or none said'), ('unregistered', 'its base is not registered under that name')], max_length=20, verbose_name='match of the base')),
                ('method', models.CharField(choices=[('lora', 'LoRA'), ('qlora', 'QLoRA'), ('dora', 'DoRA'), ('other', 'another method')], max_length=10, verbose_name='method')),
                ('peft_type', models.CharField(max_length=40, verbose_name='PEFT type')),
                ('task_type', models.CharField(blank=True, max_length=40, verbose_name='task type')),
                ('r', models.PositiveIntegerField(blank=True, null=True, verbose_name='rank')),
                ('largest_rank', models.PositiveIntegerField(blank=True, null=True, verbose_name='largest rank of a module')),
                ('lora_alpha', models.CharField(blank=True, max_length=40, verbose_name='alpha')),
                ('lora_dropout', models.CharField(blank=True, max_length=40, verbose_name='dropout')),
                ('target_modules', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), default=list, size=None, verbose_name='target modules')),
                ('target_pattern', models.CharField(blank=True, max_length=500, verbose_name='target modules by pattern')),
                ('modules_to_save', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), default=list, size=None, verbose_name='modules kept whole')),
                ('use_rslora', models.BooleanField(verbose_name='rank-stabilised')),
                ('quantised_base', models.CharField(blank=True, max_length=40, verbose_name='quantised base')),
                ('params', models.BigIntegerField(blank=True, null=True, verbose_name='parameters')),
                ('weight_bytes', models.BigIntegerField(blank=True, null=True, verbose_name='bytes of weights')),
                ('config_sha256', models.CharField(max_length=64, verbose_name='SHA-256 of adapter_config.json')),
                ('header_sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the safetensors header')),
                ('weights_sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the weights file')),
                ('licence', models.CharField(blank=True, max_length=200, verbose_name='licence')),
                ('source', models.CharField(max_length=500, verbose_name='source')),
                ('registered_by', models.CharField(max_length=100, verbose_name='registered by')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('base', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adapters', to='governance.modelversion', verbose_name='base')),
            ],
            options={
                'verbose_name': 'adapter',
                'verbose_name_plural': 'adapters',
                'db_table': 'adapter',
                'constraints': [models.UniqueConstraint(fields=('name', 'version'), name='adapter_named_once'), models.CheckConstraint(condition=models.Q(('base_match__in', ['matched', 'revision_differs', 'unregistered'])), name='adapter_base_match_known'), models.CheckConstraint(condition=models.Q(models.Q(('base_match', 'matched'), _negated=True), ('base__isnull', False), _connector='OR'), name='adapter_matched_has_base'), models.CheckConstraint(condition=models.Q(('method__in', ['lora', 'qlora', 'dora', 'other'])), name='adapter_method_known'), models.CheckConstraint(condition=models.Q(models.Q(('params__isnull', True), ('weight_bytes__isnull', True)), models.Q(('params__gt', 0), ('weight_bytes__gt', 0)), _connector='OR'), name='adapter_weighs_something'), models.CheckConstraint(condition=models.Q(('config_sha256__regex', '^[0-9a-f]{64}$'), ('header_sha256__regex', '^([0-9a-f]{64})?$'), ('weights_sha256__regex', '^([0-9a-f]{64})?$')), name='adapter_digests_are_sha256')],
            },
        ),
        migrations.RunSQL(KEEP),
        migrations.RunPython(grant),
    ]
