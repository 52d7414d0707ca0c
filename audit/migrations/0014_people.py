"""Pools are changed by two persons, a reset password suspends decisions, tokens are rotated and bound to networks.

`audit.access` says why in a sentence; these hold when a statement does not come from there. A membership of a pool that
decides stands as its newest carried-out change says: neither is written without the other. All triggers are ENABLE
ALWAYS, every function fixes its search path.
"""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = ("session_refusal", "refusal_window")
KEPT = ("pool_change", "account", "person", "source", "service_account", "token")

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
    for table in KEPT
)

# Whoever's decisions are suspended belongs to no pool as far as the guards are concerned: those of erasures ask the
# same function.
RULES = """
CREATE SEQUENCE pool_change_number;
CREATE OR REPLACE FUNCTION assay_is_in(account bigint, human uuid, pools text[]) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1 FROM account a JOIN account_groups m ON m.user_id = a.id JOIN auth_group g ON g.id = m.group_id
     WHERE a.id = $1 AND a.person_id = $2 AND a.is_active AND a.decisions_suspended_at IS NULL AND g.name = ANY ($3)
  )
$$;
CREATE FUNCTION assay_deciding_pools() RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
  SELECT ARRAY['Reviewers', 'Risk owners', 'Security reviewers', 'Privacy reviewers', 'Compliance officers',
               'Data protection']
$$;
CREATE FUNCTION assay_pools_conflict(one text, other text) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
  SELECT ($1 IN ('Operators', 'Auditors') AND $2 = ANY (assay_deciding_pools()))
      OR ($2 IN ('Operators', 'Auditors') AND $1 = ANY (assay_deciding_pools()))
      OR ($1 = 'Auditors' AND $2 IN ('Requesters', 'Operators'))
      OR ($2 = 'Auditors' AND $1 IN ('Requesters', 'Operators'))
$$;
"""

CHANGES = """
CREATE FUNCTION assay_pool_change_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  human uuid;
  named text;
  seen timestamptz;
  deciding boolean := NEW.pool = ANY (assay_deciding_pools());
  own text[] := ARRAY['Compliance officers', NEW.pool];
  may_change text[] := array_append(own, 'Operators');
  moving text[] := ARRAY['state', 'decided_by_id', 'decided_account_id', 'decision_reason', 'decided_at',
                         'row_version'];
BEGIN
  -- Two changes of one pool, one after the other: each counts what the other left.
  PERFORM pg_advisory_xact_lock(hashtext('assay pool'), NEW.group_id::integer);
  IF TG_OP = 'UPDATE' THEN
    IF (to_jsonb(OLD) - moving) IS DISTINCT FROM (to_jsonb(NEW) - moving) OR NEW.row_version <> OLD.row_version + 1
    THEN
      RAISE EXCEPTION 'pool change refused: what was proposed is frozen'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_frozen';
    END IF;
    IF OLD.state <> 'proposed' OR NEW.state = 'proposed' THEN
      RAISE EXCEPTION 'pool change refused: it is decided'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_is_open';
    END IF;
    IF NEW.state = 'withdrawn' THEN
      IF NEW.decided_by_id IS DISTINCT FROM OLD.proposed_by_id OR NOT EXISTS (
        SELECT 1 FROM account a
         WHERE a.id = NEW.decided_account_id AND a.person_id = NEW.decided_by_id AND a.is_active
      ) THEN
        RAISE EXCEPTION 'pool change refused: only who proposed it takes it back'
          USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_withdrawn_by_its_proposer';
      END IF;
      RETURN NEW;
    END IF;
    IF NOT assay_is_in(NEW.decided_account_id, NEW.decided_by_id, may_change) THEN
      RAISE EXCEPTION 'pool change refused: the log-in is not this person''s, not active or in no pool that decides it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_decided_by_a_member';
    END IF;
    IF NOT assay_is_in(NEW.decided_account_id, NEW.decided_by_id, own)
       AND NOT assay_is_in(NEW.proposed_account_id, NEW.proposed_by_id, own) THEN
      RAISE EXCEPTION 'pool change refused: operators alone do not change who decides'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_not_by_operators_alone';
    END IF;
    RETURN NEW;
  END IF;
  SELECT a.person_id, a.last_login, g.name INTO human, seen, named FROM account a, auth_group g
   WHERE a.id = NEW.account_id AND g.id = NEW.group_id;
  IF (human, named) IS DISTINCT FROM (NEW.person_id, NEW.pool::text) THEN
    RAISE EXCEPTION 'pool change refused: it does not name its log-in and pool'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_names_its_log_in';
  END IF;
  IF NEW.state <> (CASE NEW.mode WHEN 'two_persons' THEN 'proposed' ELSE 'carried_out' END)
     OR num_nonnulls(NEW.decided_by_id, NEW.decided_account_id, NEW.decided_at) > 0 OR NEW.row_version <> 1 THEN
    RAISE EXCEPTION 'pool change refused: it starts undecided'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_starts_undecided';
  END IF;
  IF deciding <> (NEW.mode <> 'ordinary') THEN
    RAISE EXCEPTION 'pool change refused: pools that decide, and only these, are changed by two persons'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_needs_two_persons';
  END IF;
  IF NEW.mode = 'installation' THEN
    IF seen IS NOT NULL THEN
      RAISE EXCEPTION 'pool change refused: this log-in was used before'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_of_a_new_log_in';
    END IF;
    RETURN NEW;
  END IF;
  IF NOT assay_is_in(NEW.proposed_account_id, NEW.proposed_by_id,
                     (CASE WHEN deciding THEN may_change ELSE ARRAY['Operators'] END)) THEN
    RAISE EXCEPTION 'pool change refused: the log-in is not this person''s, not active or in no pool that proposes it'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_proposed_by_a_member';
  END IF;
  IF NEW.mode <> 'two_persons' AND NEW.proposed_by_id = NEW.person_id THEN
    RAISE EXCEPTION 'pool change refused: nobody changes their own pools alone'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_by_another';
  END IF;
  IF NEW.mode = 'founding'
     AND NOT assay_is_in(NEW.proposed_account_id, NEW.proposed_by_id, ARRAY['Compliance officers']) THEN
    RAISE EXCEPTION 'pool change refused: Compliance alone founds a pool'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_founding_by_compliance';
  END IF;
  -- Members whose log-ins are closed count: else closing them would open this door.
  IF NEW.mode = 'founding' AND (
    SELECT count(DISTINCT a.person_id) FROM account_groups m JOIN account a ON a.id = m.user_id
     WHERE m.group_id = NEW.group_id
  ) >= 2 THEN
    RAISE EXCEPTION 'pool change refused: the pool is founded'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_founding';
  END IF;
  RETURN NEW;
END
$$;
CREATE FUNCTION assay_pool_change_done() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.state = 'carried_out'
     AND NOT EXISTS (SELECT 1 FROM pool_change c WHERE c.account_id = NEW.account_id AND c.group_id = NEW.group_id
                        AND c.state = 'carried_out' AND c.number > NEW.number)
     AND (NEW.change = 'add') <> EXISTS (
       SELECT 1 FROM account_groups m WHERE m.user_id = NEW.account_id AND m.group_id = NEW.group_id) THEN
    RAISE EXCEPTION 'pool change refused: it stands only together with the membership'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_change_is_done';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER pool_change_guard BEFORE INSERT OR UPDATE ON pool_change
  FOR EACH ROW EXECUTE FUNCTION assay_pool_change_guard();
CREATE CONSTRAINT TRIGGER pool_change_done AFTER INSERT OR UPDATE ON pool_change
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION assay_pool_change_done();
ALTER TABLE pool_change ENABLE ALWAYS TRIGGER pool_change_guard, ENABLE ALWAYS TRIGGER pool_change_done;
"""

MEMBERSHIP = """
CREATE FUNCTION assay_writes(scopes jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
  SELECT $1 ?| ARRAY['events:write', 'usage:write', 'registry:write']
$$;
CREATE FUNCTION assay_membership_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  newest text;
  way text;
  joining text;
  human uuid;
  changed account_groups%ROWTYPE;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'membership refused: it is added or removed, never changed'
      USING ERRCODE = 'insufficient_privilege';
  ELSIF TG_OP = 'DELETE' THEN
    changed := OLD;
  ELSE
    changed := NEW;
  END IF;
  SELECT c.change, c.mode INTO newest, way FROM pool_change c
   WHERE c.account_id = changed.user_id AND c.group_id = changed.group_id AND c.state = 'carried_out'
   ORDER BY c.number DESC LIMIT 1;
  IF TG_OP = 'DELETE' THEN
    IF newest IS DISTINCT FROM 'remove' THEN
      RAISE EXCEPTION 'membership refused: it ends by a carried-out change of the pool alone'
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'membership_by_a_pool_change';
    END IF;
    RETURN OLD;
  END IF;
  SELECT g.name INTO joining FROM auth_group g WHERE g.id = NEW.group_id;
  SELECT a.person_id INTO human FROM account a WHERE a.id = NEW.user_id;
  IF joining = ANY (assay_deciding_pools()) AND newest IS DISTINCT FROM 'add' THEN
    RAISE EXCEPTION 'membership refused: % is joined by a carried-out change of the pool alone', joining
      USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_by_a_pool_change';
  END IF;
  IF joining = ANY (assay_deciding_pools()) AND way <> 'installation' AND EXISTS (
    SELECT 1 FROM account a
     WHERE a.id = NEW.user_id AND a.password_set_by_other_at IS NOT NULL AND a.decisions_suspended_at IS NULL
  ) THEN
    RAISE EXCEPTION 'membership refused: whoever joins with a password that somebody else set is suspended'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_with_an_own_password';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('assay person'), hashtext(human::text));
  IF EXISTS (
    SELECT 1 FROM account a JOIN account_groups m ON m.user_id = a.id JOIN auth_group g ON g.id = m.group_id
     WHERE a.person_id = human AND assay_pools_conflict(g.name, joining)
  ) THEN
    RAISE EXCEPTION 'membership refused: this person belongs to a pool that goes not together with %', joining
      USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_conflict';
  END IF;
  IF joining = 'Auditors' AND EXISTS (
    SELECT 1 FROM token t JOIN service_account s ON s.id = t.service_account_id
     WHERE s.owner_id = human AND t.revoked_at IS NULL AND t.expires_at > now() AND assay_writes(t.scopes)
  ) THEN
    RAISE EXCEPTION 'membership refused: tokens write in the name of this person'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_of_an_owner_of_writing_tokens';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER account_groups_guard BEFORE INSERT OR UPDATE OR DELETE ON account_groups
  FOR EACH ROW EXECUTE FUNCTION assay_membership_guard();
CREATE TRIGGER account_groups_no_truncate BEFORE TRUNCATE ON account_groups
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE account_groups
  ENABLE ALWAYS TRIGGER account_groups_guard, ENABLE ALWAYS TRIGGER account_groups_no_truncate;
"""

ACCOUNTS = """
CREATE FUNCTION assay_account_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  pools text[];
  confirmer account%ROWTYPE;
BEGIN
  IF NEW.person_id <> OLD.person_id THEN
    RAISE EXCEPTION 'log-in refused: it stays with its person'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'account_stays_with_its_person';
  END IF;
  IF OLD.password_set_by_other_at IS NOT NULL AND NEW.password_set_by_other_at IS NULL
     AND NEW.password = OLD.password THEN
    RAISE EXCEPTION 'log-in refused: its password is still the one that somebody else set'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'account_has_an_own_password';
  END IF;
  IF NEW.is_active = OLD.is_active AND NEW.decisions_suspended_at IS NOT DISTINCT FROM OLD.decisions_suspended_at THEN
    RETURN NEW;
  END IF;
  SELECT array_agg(g.name) INTO pools FROM account_groups m JOIN auth_group g ON g.id = m.group_id
   WHERE m.user_id = NEW.id AND g.name = ANY (assay_deciding_pools());
  IF NEW.is_active AND NOT OLD.is_active AND pools IS NOT NULL AND NEW.decisions_suspended_at IS NULL THEN
    RAISE EXCEPTION 'log-in refused: whoever comes back decides only when another person confirmed it'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'account_comes_back_suspended';
  END IF;
  IF OLD.decisions_suspended_at IS NOT NULL AND NEW.decisions_suspended_at IS NULL THEN
    IF NEW.password_set_by_other_at IS NOT NULL THEN
      RAISE EXCEPTION 'log-in refused: its owner changes the password that somebody else set before it is confirmed'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'account_confirmed_with_an_own_password';
    END IF;
    SELECT * INTO confirmer FROM account a WHERE a.id = NEW.confirmed_by_id;
    IF NOT FOUND OR confirmer.person_id = NEW.person_id
       OR confirmer.person_id = (SELECT a.person_id FROM account a WHERE a.id = OLD.suspended_by_id)
       OR NOT assay_is_in(confirmer.id, confirmer.person_id, array_append(pools, 'Compliance officers')) THEN
      RAISE EXCEPTION 'log-in refused: another person of its pools confirms it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'account_confirmed_by_another';
    END IF;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER account_guard BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION assay_account_guard();
ALTER TABLE account ENABLE ALWAYS TRIGGER account_guard;
"""

TOKENS = """
CREATE FUNCTION assay_token_owner_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE human uuid;
BEGIN
  SELECT s.owner_id INTO human FROM service_account s WHERE s.id = NEW.service_account_id;
  PERFORM pg_advisory_xact_lock(hashtext('assay person'), hashtext(human::text));
  IF assay_writes(NEW.scopes) AND EXISTS (
    SELECT 1 FROM account a JOIN account_groups m ON m.user_id = a.id JOIN auth_group g ON g.id = m.group_id
     WHERE a.person_id = human AND g.name = 'Auditors'
  ) THEN
    RAISE EXCEPTION 'token refused: its owner is an auditor, and nothing writes in their name'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'token_writes_for_no_auditor';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER token_owner_guard BEFORE INSERT ON token FOR EACH ROW EXECUTE FUNCTION assay_token_owner_guard();
ALTER TABLE token ENABLE ALWAYS TRIGGER token_owner_guard;
CREATE FUNCTION assay_token_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE moving text[] := ARRAY['expires_at', 'revoked_at', 'row_version'];
BEGIN
  IF (to_jsonb(OLD) - moving) IS DISTINCT FROM (to_jsonb(NEW) - moving) OR NEW.expires_at > OLD.expires_at
     OR OLD.revoked_at IS NOT NULL THEN
    RAISE EXCEPTION 'token refused: it may only end sooner'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'token_ends_sooner_only';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER token_guard BEFORE UPDATE ON token FOR EACH ROW EXECUTE FUNCTION assay_token_guard();
ALTER TABLE token ENABLE ALWAYS TRIGGER token_guard;
ALTER TABLE token ADD CONSTRAINT token_lives_at_most_a_year CHECK (expires_at <= created_at + interval '8784 hours');
ALTER TABLE token ADD CONSTRAINT token_networks_are_a_list CHECK (jsonb_typeof(networks) = 'array');
"""

FLOORS = """
INSERT INTO retention_floor (type, days) VALUES
  ('session.ended', 183), ('token.rotated', 183), ('token.revoked', 183) ON CONFLICT DO NOTHING
"""

# Backwards only while nothing was changed by two persons. The tables themselves go with their models.
UNDO = """
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pool_change WHERE mode <> 'installation') THEN
    RAISE EXCEPTION 'changes of pools are recorded: the table that holds them stays';
  END IF;
END
$$;
CREATE OR REPLACE FUNCTION assay_is_in(account bigint, human uuid, pools text[]) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1 FROM account a JOIN account_groups m ON m.user_id = a.id JOIN auth_group g ON g.id = m.group_id
     WHERE a.id = $1 AND a.person_id = $2 AND a.is_active AND g.name = ANY ($3)
  )
$$;
ALTER TABLE token DROP CONSTRAINT token_lives_at_most_a_year, DROP CONSTRAINT token_networks_are_a_list;
DROP TRIGGER account_groups_no_truncate ON account_groups;
DROP FUNCTION assay_pool_change_guard(), assay_pool_change_done(), assay_membership_guard(), assay_account_guard(),
  assay_token_guard(), assay_token_owner_guard(), assay_writes(jsonb), assay_pools_conflict(text, text), assay_deciding_pools() CASCADE;
DROP SEQUENCE pool_change_number;
""" + "".join(
    f"DROP TRIGGER {table}_kept ON {table}; DROP TRIGGER {table}_no_truncate ON {table};\n" for table in KEPT
) + "".join(
    f"DROP TRIGGER {table}_append_only ON {table}; DROP TRIGGER {table}_no_truncate ON {table};\n" for table in INSERT_ONLY
)


def ungrant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """As before: nobody leaves a pool."""
    app = sql.Identifier(settings.DATABASE_ROLES["app"])
    for statement in (
        "REVOKE DELETE ON account_groups FROM {app}",
        "GRANT DELETE ON account, person, source, service_account, token TO {app}",
    ):
        schema_editor.execute(sql.SQL(statement).format(app=app).as_string(None))


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app carries out what was decided: it may take a membership away, and no longer deletes people or tokens."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        "REVOKE ALL ON pool_change, session_refusal, refusal_window FROM {app}",
        "GRANT SELECT, INSERT ON pool_change, session_refusal, refusal_window TO {app}",
        "GRANT UPDATE ON pool_change TO {app}",
        "GRANT SELECT ON pool_change, session_refusal, refusal_window TO {reader}",
        "GRANT USAGE, SELECT ON SEQUENCE pool_change_number TO {app}",
        "GRANT DELETE ON account_groups TO {app}",
        "REVOKE DELETE ON account, person, source, service_account, token FROM {app}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0013_acknowledged_alarms'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='PoolChange',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(unique=True, verbose_name='number')),
                ('pool', models.CharField(max_length=150, verbose_name='pool')),
                ('change', models.CharField(choices=[('add', 'joins'), ('remove', 'leaves')], max_length=10, verbose_name='change')),
                ('mode', models.CharField(choices=[('two_persons', 'two persons'), ('founding', 'founding: the pool has fewer than two persons'), ('ordinary', 'one person: the pool decides nothing'), ('installation', 'set up on the machine itself')], max_length=20, verbose_name='way')),
                ('reason', models.TextField(verbose_name='reason')),
                ('state', models.CharField(choices=[('proposed', 'waits for a second person'), ('carried_out', 'carried out'), ('refused', 'refused'), ('withdrawn', 'withdrawn')], max_length=20, verbose_name='state')),
                ('proposed_at', models.DateTimeField(verbose_name='proposed')),
                ('decision_reason', models.TextField(blank=True, verbose_name='reason of the decision')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided')),
                ('row_version', models.IntegerField(default=1)),
            ],
            options={
                'verbose_name': 'change of a pool',
                'verbose_name_plural': 'changes of pools',
                'db_table': 'pool_change',
            },
        ),
        migrations.CreateModel(
            name='RefusalWindow',
            fields=[
                ('begins_at', models.DateTimeField(primary_key=True, serialize=False)),
                ('refused', models.IntegerField()),
            ],
            options={
                'db_table': 'refusal_window',
            },
        ),
        migrations.CreateModel(
            name='SessionRefusal',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('refused_at', models.DateTimeField(db_index=True)),
                ('person_id', models.UUIDField(null=True)),
            ],
            options={
                'db_table': 'session_refusal',
            },
        ),
        migrations.AddField(
            model_name='token',
            name='networks',
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list, verbose_name='networks'),
        ),
        migrations.AddField(
            model_name='token',
            name='rotated_from',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.token'),
        ),
        migrations.AddField(
            model_name='token',
            name='row_version',
            field=models.IntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='user',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='user',
            name='decisions_suspended_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='decisions suspended'),
        ),
        migrations.AddField(
            model_name='user',
            name='password_set_by_other_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='password set by somebody else'),
        ),
        migrations.AddField(
            model_name='user',
            name='row_version',
            field=models.IntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='user',
            name='suspended_because',
            field=models.CharField(blank=True, db_default='', default='', max_length=20, verbose_name='suspended because'),
        ),
        migrations.AddField(
            model_name='user',
            name='suspended_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decisions_suspended_at__isnull', True), ('suspended_because', '')), models.Q(('decisions_suspended_at__isnull', False), ('suspended_because__in', ['reset', 'reopened'])), _connector='OR'), name='account_suspended_for_a_cause'),
        ),
        migrations.AddField(
            model_name='poolchange',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pool_changes', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='poolchange',
            name='decided_account',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='poolchange',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person'),
        ),
        migrations.AddField(
            model_name='poolchange',
            name='group',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='auth.group'),
        ),
        migrations.AddField(
            model_name='poolchange',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pool_changes', to='audit.person'),
        ),
        migrations.AddField(
            model_name='poolchange',
            name='proposed_account',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='poolchange',
            name='proposed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person'),
        ),
        migrations.AddIndex(
            model_name='poolchange',
            index=models.Index(fields=['account', 'group', '-number'], name='pool_change_newest'),
        ),
        migrations.AddIndex(
            model_name='poolchange',
            index=models.Index(fields=['state', 'number'], name='pool_change_by_state'),
        ),
        migrations.AddConstraint(
            model_name='poolchange',
            constraint=models.CheckConstraint(condition=models.Q(('change__in', ['add', 'remove']), ('mode__in', ['two_persons', 'founding', 'ordinary', 'installation']), ('state__in', ['proposed', 'carried_out', 'refused', 'withdrawn'])), name='pool_change_choices'),
        ),
        migrations.AddConstraint(
            model_name='poolchange',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'withdrawn'), ('decided_by__isnull', True), models.Q(models.Q(('decided_by', models.F('proposed_by')), _negated=True), models.Q(('decided_by', models.F('person')), _negated=True)), _connector='OR'), name='pool_change_by_another'),
        ),
        migrations.AddConstraint(
            model_name='poolchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('mode', 'two_persons'), ('state__in', ['carried_out', 'refused']), _negated=True), models.Q(('decided_account__isnull', False), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='pool_change_two_persons'),
        ),
        migrations.AddConstraint(
            model_name='poolchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('mode__in', ['founding', 'installation']), _negated=True), ('change', 'add'), _connector='OR'), name='pool_change_founding_adds'),
        ),
        migrations.AddConstraint(
            model_name='poolchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('mode', 'installation'), ('proposed_account__isnull', True), ('proposed_by__isnull', True)), models.Q(('proposed_account__isnull', False), ('proposed_by__isnull', False), models.Q(('mode', 'installation'), _negated=True)), _connector='OR'), name='pool_change_is_proposed_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='poolchange',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('account', 'group'), name='pool_change_one_open'),
        ),
        migrations.RunSQL(KEEP, UNDO),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
        migrations.RunSQL(CHANGES, migrations.RunSQL.noop),
        migrations.RunSQL(MEMBERSHIP, migrations.RunSQL.noop),
        migrations.RunSQL(ACCOUNTS, migrations.RunSQL.noop),
        migrations.RunSQL(TOKENS, migrations.RunSQL.noop),
        migrations.RunSQL(FLOORS, migrations.RunSQL.noop),
        migrations.RunPython(grant, ungrant),
    ]
