"""Agent versions, tools, grants that end, machines with their cards, and who oversees a use: tables and guards.

The guards say in the database what the operations say in sentences: a grant reaches at least as far as its tool
version, an irreversible tool needs a person in front of it, a card is in one pool at a time. Triggers are ENABLE
ALWAYS, as in the migrations before.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = (
    "agent_version", "tool_version", "tool_grant_revocation", "gpu_device", "mig_slice", "pool_device",
    "oversight_assignment", "oversight_end",
)
CHANGEABLE = ("tool", "gpu_node")

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

BOUND = """
ALTER TABLE agent_version ADD CONSTRAINT agent_version_digest_of_content
  CHECK (digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'));
ALTER TABLE pool_device ADD CONSTRAINT pool_device_joins_and_leaves CHECK ("left" = (number % 2 = 0));
"""

GRANT_GUARD = """
CREATE FUNCTION assay_tool_grant_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ranks CONSTANT text[] := ARRAY['read_only', 'reversible', 'externally_reversible', 'irreversible'];
  known record;
  acts text;
BEGIN
  -- A grant by name alone is held against the newest version of a tool that is registered under it.
  SELECT t.name, v.reversibility INTO known
    FROM tool_version v JOIN tool t ON t.id = v.tool_id
   WHERE v.id = NEW.tool_version_id OR (NEW.tool_version_id IS NULL AND t.name = NEW.tool)
   ORDER BY v.number DESC LIMIT 1;
  IF NEW.tool_version_id IS NOT NULL AND known.name IS DISTINCT FROM NEW.tool THEN
    RAISE EXCEPTION 'grant refused: the version is of another tool' USING ERRCODE = 'check_violation';
  END IF;
  IF array_position(ranks, NEW.reversibility::text) < array_position(ranks, known.reversibility::text) THEN
    RAISE EXCEPTION 'grant refused: the tool reaches further' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.agent_version_id IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM agent_version WHERE id = NEW.agent_version_id AND agent_id = NEW.agent_id) THEN
    RAISE EXCEPTION 'grant refused: the version is of another agent' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.reversibility = 'irreversible' AND NOT NEW.requires_human THEN
    SELECT coalesce(
      (SELECT autonomy FROM agent_version WHERE id = NEW.agent_version_id),
      (SELECT autonomy FROM agent_version WHERE agent_id = NEW.agent_id ORDER BY number DESC LIMIT 1),
      (SELECT autonomy FROM agent WHERE id = NEW.agent_id)) INTO acts;
    IF acts NOT IN ('suggest', 'act_with_approval') THEN
      RAISE EXCEPTION 'grant refused: an irreversible tool needs a person' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER tool_grant_guard BEFORE INSERT ON tool_grant
  FOR EACH ROW EXECUTE FUNCTION assay_tool_grant_guard();
ALTER TABLE tool_grant ENABLE ALWAYS TRIGGER tool_grant_guard;
"""

VERSION_GUARD = """
CREATE FUNCTION assay_agent_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.autonomy NOT IN ('suggest', 'act_with_approval') AND EXISTS (
    SELECT 1 FROM tool_grant g
     WHERE g.agent_id = NEW.agent_id AND g.reversibility = 'irreversible' AND NOT g.requires_human
       AND g.agent_version_id IS NULL
       AND (g.valid_until IS NULL OR g.valid_until > NEW.registered_at)
       AND NOT EXISTS (SELECT 1 FROM tool_grant_revocation r WHERE r.grant_id = g.id)
       AND NOT EXISTS (
         SELECT 1 FROM tool_grant n WHERE n.agent_id = g.agent_id AND n.tool = g.tool AND n.number > g.number)
  ) THEN
    RAISE EXCEPTION 'version refused: an irreversible tool needs a person' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER agent_version_guard BEFORE INSERT ON agent_version
  FOR EACH ROW EXECUTE FUNCTION assay_agent_version_guard();
ALTER TABLE agent_version ENABLE ALWAYS TRIGGER agent_version_guard;
"""

POOL_GUARD = """
CREATE FUNCTION assay_pool_device_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT gpu_model_id FROM gpu_device WHERE id = NEW.device_id)
     IS DISTINCT FROM (SELECT gpu_model_id FROM gpu_pool WHERE id = NEW.pool_id) THEN
    RAISE EXCEPTION 'pool refused: the card is of another model' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT NEW."left" AND EXISTS (
    SELECT 1 FROM (
      SELECT DISTINCT ON (pool_id) pool_id, "left" FROM pool_device
       WHERE device_id = NEW.device_id ORDER BY pool_id, number DESC) newest
     WHERE NOT newest."left"
  ) THEN
    RAISE EXCEPTION 'pool refused: the card is in a pool already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER pool_device_guard BEFORE INSERT ON pool_device
  FOR EACH ROW EXECUTE FUNCTION assay_pool_device_guard();
ALTER TABLE pool_device ENABLE ALWAYS TRIGGER pool_device_guard;
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds rows and changes tools and nodes; the reader reads; nobody deletes."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    names = {"every": sql.SQL(", ").join(map(sql.Identifier, (*INSERT_ONLY, *CHANGEABLE)))}
    names["kept"] = sql.SQL(", ").join(map(sql.Identifier, CHANGEABLE))
    for statement in (
        "REVOKE ALL ON {every} FROM {app}",
        "GRANT SELECT, INSERT ON {every} TO {app}",
        "GRANT UPDATE ON {kept} TO {app}",
        "GRANT SELECT ON {every} TO {reader}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles, **names).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_telemetry_append_only'),
        ('governance', '0009_lineage_and_standing'),
    ]

    operations = [
        migrations.CreateModel(
            name='AgentVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('version', models.CharField(max_length=100, verbose_name='version')),
                ('autonomy', models.CharField(choices=[('suggest', 'suggests'), ('act_with_approval', 'acts with approval'), ('act_with_checkpoints', 'acts with checkpoints'), ('autonomous_bounded', 'autonomous within bounds'), ('autonomous', 'autonomous')], max_length=30, verbose_name='autonomy')),
                ('description', models.CharField(blank=True, max_length=2000, verbose_name='description')),
                ('system_prompt_sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the system prompt')),
                ('memory', models.CharField(choices=[('none', 'keeps nothing'), ('session', 'for one session'), ('persistent', 'for ever')], max_length=20, verbose_name='memory')),
                ('models_allowed', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None, verbose_name='model versions allowed')),
                ('delegates_to', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None, verbose_name='may delegate to')),
                ('max_steps', models.BigIntegerField(blank=True, null=True, verbose_name='steps of a run')),
                ('max_tokens', models.BigIntegerField(blank=True, null=True, verbose_name='tokens of a run')),
                ('max_reasoning_tokens', models.BigIntegerField(blank=True, null=True, verbose_name='reasoning tokens of a run')),
                ('max_wall_seconds', models.BigIntegerField(blank=True, null=True, verbose_name='seconds of a run')),
                ('max_cost', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True, verbose_name='cost of a run')),
                ('cost_currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                ('kill_switch_declared', models.BooleanField(verbose_name='can be stopped at once')),
                ('kill_switch', models.CharField(blank=True, max_length=1000, verbose_name='how it is stopped')),
                ('content', models.TextField(verbose_name='content')),
                ('digest', models.CharField(max_length=64, verbose_name='digest')),
                ('registered_by', models.CharField(max_length=100, verbose_name='registered by')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
            ],
            options={
                'verbose_name': 'agent version',
                'verbose_name_plural': 'agent versions',
                'db_table': 'agent_version',
            },
        ),
        migrations.CreateModel(
            name='GpuDevice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('uuid', models.CharField(max_length=40, unique=True, verbose_name='hardware id')),
                ('serial', models.CharField(blank=True, max_length=40, verbose_name='serial number')),
                ('slot', models.PositiveIntegerField(verbose_name='slot')),
                ('driver_version', models.CharField(blank=True, max_length=40, verbose_name='driver version')),
                ('firmware', models.CharField(blank=True, max_length=40, verbose_name='firmware')),
                ('registered_by', models.CharField(max_length=100, verbose_name='registered by')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
            ],
            options={
                'verbose_name': 'card',
                'verbose_name_plural': 'cards',
                'db_table': 'gpu_device',
            },
        ),
        migrations.CreateModel(
            name='GpuNode',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('provider', models.CharField(choices=[('on_prem', 'own machine'), ('aws', 'AWS'), ('gcp', 'Google Cloud'), ('azure', 'Azure'), ('oci', 'OCI'), ('other', 'another provider')], max_length=20, verbose_name='provider')),
                ('region', models.CharField(max_length=100, verbose_name='region')),
                ('hourly_cost', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True, verbose_name='cost an hour')),
                ('cost_currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                ('notes', models.CharField(blank=True, max_length=1000, verbose_name='notes')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('row_version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name': 'GPU node',
                'verbose_name_plural': 'GPU nodes',
                'db_table': 'gpu_node',
            },
        ),
        migrations.CreateModel(
            name='MigSlice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('layout', models.PositiveIntegerField(verbose_name='layout')),
                ('profile', models.CharField(max_length=40, verbose_name='profile')),
                ('gpu_instance', models.PositiveIntegerField(verbose_name='GPU instance')),
                ('compute_instance', models.PositiveIntegerField(verbose_name='compute instance')),
                ('memory_bytes', models.BigIntegerField(verbose_name='memory (bytes)')),
                ('registered_by', models.CharField(max_length=100, verbose_name='registered by')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
            ],
            options={
                'verbose_name': 'MIG slice',
                'verbose_name_plural': 'MIG slices',
                'db_table': 'mig_slice',
            },
        ),
        migrations.CreateModel(
            name='OversightAssignment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=200, verbose_name='role')),
                ('competence', models.CharField(max_length=1000, verbose_name='competence')),
                ('training', models.CharField(max_length=500, verbose_name='training')),
                ('training_date', models.DateField(verbose_name='trained on')),
                ('authority', models.CharField(choices=[('interpret', 'may interpret'), ('override', 'may override'), ('stop', 'may stop it'), ('all', 'may interpret, override and stop it')], max_length=20, verbose_name='authority')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('valid_until', models.DateField(blank=True, null=True, verbose_name='valid until')),
                ('assigned_by', models.CharField(max_length=100, verbose_name='assigned by')),
                ('assigned_at', models.DateTimeField(verbose_name='assigned')),
            ],
            options={
                'verbose_name': 'oversight',
                'verbose_name_plural': 'oversight',
                'db_table': 'oversight_assignment',
            },
        ),
        migrations.CreateModel(
            name='OversightEnd',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=1000, verbose_name='reason')),
                ('ended_by', models.CharField(max_length=100, verbose_name='ended by')),
                ('ended_at', models.DateTimeField(verbose_name='ended')),
            ],
            options={
                'verbose_name': 'end of oversight',
                'verbose_name_plural': 'ends of oversight',
                'db_table': 'oversight_end',
            },
        ),
        migrations.CreateModel(
            name='PoolDevice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('left', models.BooleanField(verbose_name='left')),
                ('recorded_by', models.CharField(max_length=100, verbose_name='recorded by')),
                ('since', models.DateTimeField(verbose_name='since')),
            ],
            options={
                'verbose_name': 'card of a pool',
                'verbose_name_plural': 'cards of pools',
                'db_table': 'pool_device',
            },
        ),
        migrations.CreateModel(
            name='Tool',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200, unique=True, verbose_name='name')),
                ('kind', models.CharField(choices=[('mcp', 'MCP server'), ('http', 'HTTP address'), ('function', 'function'), ('shell', 'shell command'), ('db', 'database')], max_length=20, verbose_name='kind')),
                ('endpoint', models.CharField(blank=True, max_length=500, verbose_name='endpoint')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
                ('row_version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name': 'tool',
                'verbose_name_plural': 'tools',
                'db_table': 'tool',
            },
        ),
        migrations.CreateModel(
            name='ToolGrantRevocation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=1000, verbose_name='reason')),
                ('revoked_by', models.CharField(max_length=100, verbose_name='revoked by')),
                ('revoked_at', models.DateTimeField(verbose_name='revoked')),
            ],
            options={
                'verbose_name': 'end of a tool grant',
                'verbose_name_plural': 'ends of tool grants',
                'db_table': 'tool_grant_revocation',
            },
        ),
        migrations.CreateModel(
            name='ToolVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('version', models.CharField(max_length=100, verbose_name='version')),
                ('schema_sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the schema')),
                ('reversibility', models.CharField(choices=[('read_only', 'reads only'), ('reversible', 'reversible'), ('externally_reversible', 'reversible by others'), ('irreversible', 'irreversible')], max_length=30, verbose_name='reversibility')),
                ('side_effects', models.CharField(blank=True, max_length=1000, verbose_name='side effects')),
                ('data_classes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None, verbose_name='data classes')),
                ('description', models.CharField(blank=True, max_length=2000, verbose_name='description')),
                ('registered_by', models.CharField(max_length=100, verbose_name='registered by')),
                ('registered_at', models.DateTimeField(verbose_name='registered')),
            ],
            options={
                'verbose_name': 'tool version',
                'verbose_name_plural': 'tool versions',
                'db_table': 'tool_version',
            },
        ),
        migrations.RemoveConstraint(
            model_name='finding',
            name='finding_kind_known',
        ),
        migrations.RemoveConstraint(
            model_name='toolgrant',
            name='tool_granted_once',
        ),
        migrations.AddField(
            model_name='toolgrant',
            name='number',
            field=models.PositiveIntegerField(default=1, verbose_name='number'),
        ),
        migrations.AddField(
            model_name='toolgrant',
            name='parameter_constraints',
            field=models.TextField(blank=True, default='', verbose_name='constraints of its parameters'),
        ),
        migrations.AddField(
            model_name='toolgrant',
            name='requires_human',
            field=models.BooleanField(default=False, verbose_name='each call needs a person'),
        ),
        migrations.AddField(
            model_name='toolgrant',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), default=list, size=None, verbose_name='scopes'),
        ),
        migrations.AddField(
            model_name='toolgrant',
            name='valid_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='valid until'),
        ),
        migrations.AlterField(
            model_name='finding',
            name='kind',
            field=models.CharField(choices=[('reasoning_cap_exceeded', 'reasoning above the approved cap'), ('tool_call_outside_grant', 'tool call outside its grant'), ('unregistered_subject', 'unregistered subject'), ('unapproved_revision', 'nothing approved, yet in use'), ('agent_budget_exceeded', 'agent above its budget'), ('tool_grant_expired_use', 'tool call after its grant ended')], max_length=40, verbose_name='kind'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['reasoning_cap_exceeded', 'tool_call_outside_grant', 'unregistered_subject', 'unapproved_revision', 'agent_budget_exceeded', 'tool_grant_expired_use'])), name='finding_kind_known'),
        ),
        migrations.AddField(
            model_name='agentversion',
            name='agent',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='governance.agent', verbose_name='agent'),
        ),
        migrations.AddField(
            model_name='agentversion',
            name='sponsor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sponsored_agents', to='audit.person', verbose_name='sponsor'),
        ),
        migrations.AddField(
            model_name='toolgrant',
            name='agent_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='governance.agentversion', verbose_name='agent version'),
        ),
        migrations.AddField(
            model_name='gpudevice',
            name='gpu_model',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='governance.gpumodel', verbose_name='GPU model'),
        ),
        migrations.AddField(
            model_name='gpunode',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gpu_nodes', to='audit.person', verbose_name='owner'),
        ),
        migrations.AddField(
            model_name='gpudevice',
            name='node',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='governance.gpunode', verbose_name='GPU node'),
        ),
        migrations.AddField(
            model_name='gpupool',
            name='gpu_node',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='gpu_pools', to='governance.gpunode', verbose_name='GPU node'),
        ),
        migrations.AddField(
            model_name='migslice',
            name='device',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slices', to='governance.gpudevice', verbose_name='card'),
        ),
        migrations.AddField(
            model_name='oversightassignment',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='oversees', to='audit.person', verbose_name='person'),
        ),
        migrations.AddField(
            model_name='oversightassignment',
            name='use_case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='oversight', to='governance.usecase', verbose_name='use case'),
        ),
        migrations.AddField(
            model_name='oversightend',
            name='assignment',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='end', to='governance.oversightassignment', verbose_name='oversight'),
        ),
        migrations.AddField(
            model_name='pooldevice',
            name='device',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pools', to='governance.gpudevice', verbose_name='card'),
        ),
        migrations.AddField(
            model_name='pooldevice',
            name='pool',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='governance.gpupool', verbose_name='GPU pool'),
        ),
        migrations.AddField(
            model_name='tool',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tools', to='audit.person', verbose_name='owner'),
        ),
        migrations.AddField(
            model_name='toolgrantrevocation',
            name='grant',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='revocation', to='governance.toolgrant', verbose_name='tool grant'),
        ),
        migrations.AddField(
            model_name='toolversion',
            name='tool',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='governance.tool', verbose_name='tool'),
        ),
        migrations.AddField(
            model_name='toolgrant',
            name='tool_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='governance.toolversion', verbose_name='tool version'),
        ),
        migrations.AddConstraint(
            model_name='toolgrant',
            constraint=models.UniqueConstraint(fields=('agent', 'tool', 'number'), name='tool_grant_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='toolgrant',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_until__gt', models.F('granted_at')), _connector='OR'), name='tool_grant_ends_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.UniqueConstraint(fields=('agent', 'number'), name='agent_version_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.UniqueConstraint(fields=('agent', 'version'), name='agent_version_named_once'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='agent_version_digest_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.CheckConstraint(condition=models.Q(('system_prompt_sha256', ''), ('system_prompt_sha256__regex', '^[0-9a-f]{64}$'), _connector='OR'), name='agent_version_prompt_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.CheckConstraint(condition=models.Q(('autonomy__in', ['suggest', 'act_with_approval', 'act_with_checkpoints', 'autonomous_bounded', 'autonomous'])), name='agent_version_autonomy_known'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.CheckConstraint(condition=models.Q(('memory__in', ['none', 'session', 'persistent'])), name='agent_version_memory_known'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cost_currency', ''), ('max_cost__isnull', True)), models.Q(('cost_currency__regex', '^[A-Z]{3}$'), ('max_cost__gte', 0)), _connector='OR'), name='agent_version_cost_has_currency'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('max_steps__isnull', True), ('max_steps__gte', 0), _connector='OR'), models.Q(('max_tokens__isnull', True), ('max_tokens__gte', 0), _connector='OR'), models.Q(('max_reasoning_tokens__isnull', True), ('max_reasoning_tokens__gte', 0), _connector='OR'), models.Q(('max_wall_seconds__isnull', True), ('max_wall_seconds__gte', 0), _connector='OR')), name='agent_version_budgets_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='agentversion',
            constraint=models.CheckConstraint(condition=models.Q(('kill_switch_declared', False), models.Q(('kill_switch', ''), _negated=True), _connector='OR'), name='agent_version_says_how_it_stops'),
        ),
        migrations.AddConstraint(
            model_name='gpunode',
            constraint=models.CheckConstraint(condition=models.Q(('provider__in', ['on_prem', 'aws', 'gcp', 'azure', 'oci', 'other'])), name='gpu_node_provider_known'),
        ),
        migrations.AddConstraint(
            model_name='gpunode',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cost_currency', ''), ('hourly_cost__isnull', True)), models.Q(('cost_currency__regex', '^[A-Z]{3}$'), ('hourly_cost__gte', 0)), _connector='OR'), name='gpu_node_cost_has_currency'),
        ),
        migrations.AddConstraint(
            model_name='gpudevice',
            constraint=models.CheckConstraint(condition=models.Q(('uuid__regex', '^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')), name='gpu_device_uuid_is_one'),
        ),
        migrations.AddConstraint(
            model_name='migslice',
            constraint=models.UniqueConstraint(fields=('device', 'layout', 'gpu_instance', 'compute_instance'), name='mig_slice_stands_once'),
        ),
        migrations.AddConstraint(
            model_name='migslice',
            constraint=models.CheckConstraint(condition=models.Q(('memory_bytes__gt', 0)), name='mig_slice_has_memory'),
        ),
        migrations.AddConstraint(
            model_name='migslice',
            constraint=models.CheckConstraint(condition=models.Q(('profile__regex', '^[1-7]g\\.[0-9]+gb[a-z0-9+.]*$')), name='mig_slice_profile_is_one'),
        ),
        migrations.AddConstraint(
            model_name='oversightassignment',
            constraint=models.CheckConstraint(condition=models.Q(('authority__in', ['interpret', 'override', 'stop', 'all'])), name='oversight_authority_known'),
        ),
        migrations.AddConstraint(
            model_name='oversightassignment',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_until__gte', models.F('valid_from')), _connector='OR'), name='oversight_ends_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='pooldevice',
            constraint=models.UniqueConstraint(fields=('pool', 'device', 'number'), name='pool_device_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='tool',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['mcp', 'http', 'function', 'shell', 'db'])), name='tool_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='toolversion',
            constraint=models.UniqueConstraint(fields=('tool', 'number'), name='tool_version_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='toolversion',
            constraint=models.UniqueConstraint(fields=('tool', 'version'), name='tool_version_named_once'),
        ),
        migrations.AddConstraint(
            model_name='toolversion',
            constraint=models.CheckConstraint(condition=models.Q(('reversibility__in', ['read_only', 'reversible', 'externally_reversible', 'irreversible'])), name='tool_version_reversibility_known'),
        ),
        migrations.AddConstraint(
            model_name='toolversion',
            constraint=models.CheckConstraint(condition=models.Q(('schema_sha256', ''), ('schema_sha256__regex', '^[0-9a-f]{64}$'), _connector='OR'), name='tool_version_schema_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='toolversion',
            constraint=models.CheckConstraint(condition=models.Q(('reversibility', 'read_only'), models.Q(('side_effects', ''), _negated=True), _connector='OR'), name='tool_version_says_its_side_effects'),
        ),
        migrations.RunSQL(KEEP),
        migrations.RunSQL(BOUND),
        migrations.RunSQL(GRANT_GUARD),
        migrations.RunSQL(VERSION_GUARD),
        migrations.RunSQL(POOL_GUARD),
        migrations.RunPython(grant),
    ]
