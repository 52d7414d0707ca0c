"""Stages, rounds, validity, conditions and policies of approvals: tables, and what no code may get around.

Triggers are ENABLE ALWAYS, as in the migrations before. Existing rows are not touched: every new column has a constant
default or is null, and a request from before is one stage with its own pool and quorum.
"""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = ("request_stage", "request_exclusion", "sealed_decision")
CHANGEABLE = ("condition", "approval_policy")

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
ALTER TABLE approval_request ADD CONSTRAINT request_follows_one_of_its_deployment
  FOREIGN KEY (previous_request_id, deployment_id) REFERENCES approval_request (id, deployment_id);
ALTER TABLE sealed_decision
  ADD CONSTRAINT sealed_decision_commits_to_content CHECK (
    commitment = encode(sha256(decode(salt, 'hex') || convert_to(content, 'UTF8')), 'hex')),
  ADD CONSTRAINT sealed_decision_names_the_requester
    FOREIGN KEY (request_id, requester_id) REFERENCES approval_request (id, requester_id),
  ADD CONSTRAINT sealed_decision_saw_the_digest
    FOREIGN KEY (request_id, digest_seen) REFERENCES approval_request (id, decision_digest);
ALTER TABLE condition ADD CONSTRAINT condition_of_a_decision_on_its_request
  FOREIGN KEY (decision_id, request_id) REFERENCES decision (id, request_id);
ALTER TABLE approval_policy ADD CONSTRAINT approval_policy_digest_of_content
  CHECK (digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'));
"""

# Who may decide: judged by group and person. A person who operates or audits the platform with any log-in decides
# nothing with any other.
PEOPLE = """
CREATE FUNCTION assay_is_barred(human uuid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1 FROM account a JOIN account_groups m ON m.user_id = a.id JOIN auth_group g ON g.id = m.group_id
     WHERE a.person_id = $1 AND a.is_active AND g.name IN ('Operators', 'Auditors')
  )
$$;
CREATE FUNCTION assay_is_member(human uuid, pools text[]) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1 FROM account a JOIN account_groups m ON m.user_id = a.id JOIN auth_group g ON g.id = m.group_id
     WHERE a.person_id = $1 AND a.is_active AND g.name = ANY ($2)
  )
$$;
CREATE FUNCTION assay_why_not_decide(asked approval_request, log_in bigint, human uuid, moment timestamptz)
  RETURNS text LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
  IF asked.state IS DISTINCT FROM 'open' THEN
    RETURN 'the request is not open';
  END IF;
  IF NOT EXISTS (
    SELECT 1 FROM account a JOIN account_groups m ON m.user_id = a.id JOIN auth_group g ON g.id = m.group_id
     WHERE a.id = log_in AND a.person_id = human AND a.is_active AND g.name = asked.pool) THEN
    RETURN 'the log-in is not the decider''s, not active or not in the pool';
  END IF;
  IF assay_is_barred(human) THEN
    RETURN 'who operates or audits the platform decides nothing';
  END IF;
  IF EXISTS (SELECT 1 FROM request_exclusion x
              WHERE x.request_id = asked.id AND x.stage = asked.stage AND x.person_id = human) THEN
    RETURN 'the person is excluded from this stage';
  END IF;
  IF moment > asked.due_at THEN
    RETURN 'the time to decide is over';
  END IF;
  RETURN NULL;
END
$$;
CREATE FUNCTION assay_needed(asked approval_request) RETURNS integer
  LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
  SELECT CASE WHEN asked.approval_policy::jsonb ->> 'reject_rule' = 'majority'
    THEN 2 * asked.quorum - 1 ELSE asked.quorum END
$$;
"""

DECISION = """
CREATE OR REPLACE FUNCTION assay_decision_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  asked approval_request%ROWTYPE; part request_stage%ROWTYPE; closed sealed_decision%ROWTYPE;
  told jsonb; refusal text; sealed bigint;
BEGIN
  SELECT * INTO asked FROM approval_request WHERE id = NEW.request_id FOR UPDATE;
  SELECT * INTO part FROM request_stage WHERE request_id = asked.id AND sequence = asked.stage;
  IF asked.state IS DISTINCT FROM 'open' THEN
    RAISE EXCEPTION 'decision refused: the request is not open' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.stage <> asked.stage THEN
    RAISE EXCEPTION 'decision refused: stage % is not the current one', NEW.stage USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.decision = 'approve_with_conditions' AND NOT coalesce(part.conditions_allowed, false) THEN
    RAISE EXCEPTION 'decision refused: this stage takes no conditions' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT coalesce(part.blind, false) THEN
    refusal := assay_why_not_decide(asked, NEW.account_id, NEW.decider_id, NEW.decided_at);
    IF refusal IS NOT NULL OR NEW.sealed_id IS NOT NULL THEN
      RAISE EXCEPTION 'decision refused: %', coalesce(refusal, 'nothing is sealed in an open stage')
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  -- A blind stage opens what its members sealed, all at once; whether they might decide was judged when they did.
  SELECT * INTO closed FROM sealed_decision WHERE id = NEW.sealed_id;
  told := closed.content::jsonb;
  IF NOT FOUND
     OR (closed.request_id, closed.stage, closed.decider_id, closed.account_id, closed.decided_at)
        IS DISTINCT FROM (NEW.request_id, NEW.stage, NEW.decider_id, NEW.account_id, NEW.decided_at)
     OR (told ->> 'decision', told ->> 'reason') IS DISTINCT FROM (NEW.decision::text, NEW.reason::text) THEN
    RAISE EXCEPTION 'decision refused: it is not what was sealed' USING ERRCODE = 'check_violation';
  END IF;
  SELECT count(*) INTO sealed FROM sealed_decision WHERE request_id = asked.id AND stage = asked.stage;
  IF sealed < assay_needed(asked) THEN
    RAISE EXCEPTION 'decision refused: % of % are sealed', sealed, assay_needed(asked) USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE FUNCTION assay_sealed_decision_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE asked approval_request%ROWTYPE; told jsonb; refusal text;
BEGIN
  SELECT * INTO asked FROM approval_request WHERE id = NEW.request_id FOR UPDATE;
  told := NEW.content::jsonb;
  refusal := assay_why_not_decide(asked, NEW.account_id, NEW.decider_id, NEW.decided_at);
  IF refusal IS NULL AND NOT EXISTS (
    SELECT 1 FROM request_stage WHERE request_id = asked.id AND sequence = asked.stage AND blind
      AND sequence = NEW.stage) THEN
    refusal := 'that is not the current stage, or it is not blind';
  END IF;
  IF refusal IS NULL AND EXISTS (
    SELECT 1 FROM decision WHERE request_id = asked.id AND decider_id = NEW.decider_id) THEN
    refusal := 'this person has decided already';
  END IF;
  IF refusal IS NULL AND (told ->> 'request', told ->> 'stage', told ->> 'decider', told ->> 'digest_seen')
     IS DISTINCT FROM (NEW.request_id::text, NEW.stage::text, NEW.decider_id::text, NEW.digest_seen::text) THEN
    refusal := 'what is sealed is about something else';
  END IF;
  IF refusal IS NOT NULL THEN
    RAISE EXCEPTION 'sealed decision refused: %', refusal USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER sealed_decision_guard BEFORE INSERT ON sealed_decision
  FOR EACH ROW EXECUTE FUNCTION assay_sealed_decision_guard();
ALTER TABLE sealed_decision ENABLE ALWAYS TRIGGER sealed_decision_guard;
"""

STAGE = """
CREATE FUNCTION assay_due(asked approval_request, number integer) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
  SELECT CASE WHEN asked.approval_policy::jsonb -> 'stages' -> (number - 1) ->> 'due_days' IS NOT NULL THEN
    asked.submitted_at + make_interval(hours => 24 * (
      SELECT sum(coalesce((part ->> 'due_days')::integer, 0))::integer
        FROM jsonb_array_elements(asked.approval_policy::jsonb -> 'stages') WITH ORDINALITY AS p (part, place)
       WHERE place <= number)) END
$$;
CREATE FUNCTION assay_request_part_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE asked approval_request%ROWTYPE; said jsonb;
BEGIN
  SELECT * INTO asked FROM approval_request WHERE id = NEW.request_id FOR UPDATE;
  IF asked.state IS DISTINCT FROM 'open' OR asked.row_version <> 1
     OR EXISTS (SELECT 1 FROM decision WHERE request_id = asked.id)
     OR EXISTS (SELECT 1 FROM sealed_decision WHERE request_id = asked.id) THEN
    RAISE EXCEPTION '% refused: it is set when the request is submitted', TG_TABLE_NAME
      USING ERRCODE = 'check_violation';
  END IF;
  IF TG_TABLE_NAME = 'request_stage' THEN
    said := asked.approval_policy::jsonb -> 'stages' -> (NEW.sequence - 1);
    IF (said ->> 'name', said ->> 'pool', (said ->> 'quorum')::integer, (said ->> 'blind')::boolean,
        (said ->> 'conditions_allowed')::boolean, assay_due(asked, NEW.sequence))
       IS DISTINCT FROM
       (NEW.name::text, NEW.pool::text, NEW.quorum, NEW.blind, NEW.conditions_allowed, NEW.due_at) THEN
      RAISE EXCEPTION 'request_stage refused: the frozen policy says otherwise' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER request_stage_guard BEFORE INSERT ON request_stage
  FOR EACH ROW EXECUTE FUNCTION assay_request_part_guard();
CREATE TRIGGER request_exclusion_guard BEFORE INSERT ON request_exclusion
  FOR EACH ROW EXECUTE FUNCTION assay_request_part_guard();
ALTER TABLE request_stage ENABLE ALWAYS TRIGGER request_stage_guard;
ALTER TABLE request_exclusion ENABLE ALWAYS TRIGGER request_exclusion_guard;
"""

# A request without stages in its policy was submitted before there were any: it is one stage with its own pool.
REQUEST = """
CREATE FUNCTION assay_refuse_unless_passed(asked approval_request) RETURNS void
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE plan jsonb; wanted integer; approvals bigint; against bigint;
BEGIN
  plan := asked.approval_policy::jsonb;
  FOR number IN 1 .. asked.stage LOOP
    wanted := coalesce((plan -> 'stages' -> (number - 1) ->> 'quorum')::integer, asked.quorum);
    SELECT count(*) FILTER (WHERE decision IN ('approve', 'approve_with_conditions')),
           count(*) FILTER (WHERE decision IN ('reject', 'request_changes'))
      INTO approvals, against FROM decision WHERE request_id = asked.id AND stage = number;
    IF approvals < wanted OR against >= (CASE WHEN plan ->> 'reject_rule' = 'majority' THEN wanted ELSE 1 END) THEN
      RAISE EXCEPTION 'request refused: % of % approvals in stage %', approvals, wanted, number
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
END
$$;
CREATE FUNCTION assay_refuse_unless_against(asked approval_request, choice text) RETURNS void
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE said bigint; against bigint; rule text;
BEGIN
  rule := asked.approval_policy::jsonb ->> 'reject_rule';
  SELECT count(*) FILTER (WHERE decision = choice), count(*) FILTER (WHERE decision IN ('reject', 'request_changes'))
    INTO said, against FROM decision WHERE request_id = asked.id AND stage = asked.stage;
  IF said = 0 OR (rule = 'majority' AND against < asked.quorum) THEN
    RAISE EXCEPTION 'request refused: nobody rejected it or asked for changes, or too few' USING ERRCODE = 'check_violation';
  END IF;
END
$$;
CREATE FUNCTION assay_request_begins(asked approval_request) RETURNS void
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE first jsonb; before approval_request%ROWTYPE;
BEGIN
  IF asked.state <> 'open' OR asked.stage <> 1 OR asked.row_version <> 1 THEN
    RAISE EXCEPTION 'request refused: it starts open, in its first stage' USING ERRCODE = 'check_violation';
  END IF;
  IF asked.tier = 'prohibited' THEN
    RAISE EXCEPTION 'request refused: the use is prohibited' USING ERRCODE = 'check_violation';
  END IF;
  first := asked.approval_policy::jsonb -> 'stages' -> 0;
  IF first IS NOT NULL AND (first ->> 'pool', (first ->> 'quorum')::integer, assay_due(asked, 1))
     IS DISTINCT FROM (asked.pool::text, asked.quorum, asked.due_at) THEN
    RAISE EXCEPTION 'request refused: the frozen policy says otherwise' USING ERRCODE = 'check_violation';
  END IF;
  SELECT * INTO before FROM approval_request WHERE id = asked.previous_request_id;
  IF asked.round <> (CASE WHEN before.state = 'changes_requested' THEN before.round + 1 ELSE 1 END)
     OR before.state = 'open' THEN
    RAISE EXCEPTION 'request refused: round % does not follow', asked.round USING ERRCODE = 'check_violation';
  END IF;
END
$$;
CREATE OR REPLACE FUNCTION assay_request_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  moving text[] := ARRAY['state', 'stage', 'pool', 'quorum', 'due_at', 'closed_at', 'valid_until', 'ended_at',
    'row_version'];
  stages integer; part request_stage%ROWTYPE; days integer;
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM assay_request_begins(NEW);
    RETURN NEW;
  END IF;
  IF (to_jsonb(OLD) - moving) IS DISTINCT FROM (to_jsonb(NEW) - moving) THEN
    RAISE EXCEPTION 'request refused: what was asked is frozen' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.stage = OLD.stage
     AND (OLD.pool, OLD.quorum, OLD.due_at) IS DISTINCT FROM (NEW.pool, NEW.quorum, NEW.due_at) THEN
    RAISE EXCEPTION 'request refused: what was asked is frozen' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state = 'approved' AND NEW.state IN ('revoked', 'expired', 'invalidated') THEN
    IF (OLD.stage, OLD.closed_at, OLD.valid_until) IS DISTINCT FROM (NEW.stage, NEW.closed_at, NEW.valid_until)
       OR (NEW.state = 'expired' AND (OLD.valid_until IS NULL OR NEW.ended_at < OLD.valid_until)) THEN
      RAISE EXCEPTION 'request refused: what was approved is frozen, and expires at its time'
        USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM deployment d WHERE d.id = NEW.deployment_id AND d.approved_revision_id = NEW.revision_id)
       AND NOT EXISTS (SELECT 1 FROM approval_request r
                        WHERE r.revision_id = NEW.revision_id AND r.state = 'approved' AND r.id <> NEW.id) THEN
      RAISE EXCEPTION 'request refused: its deployment still runs on this approval' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.state <> 'open' THEN
    RAISE EXCEPTION 'request refused: it is closed' USING ERRCODE = 'check_violation';
  END IF;
  stages := coalesce(jsonb_array_length(OLD.approval_policy::jsonb -> 'stages'), 1);
  IF NEW.state = 'open' THEN
    IF NEW.stage = OLD.stage THEN
      RETURN NEW;
    END IF;
    SELECT * INTO part FROM request_stage WHERE request_id = NEW.id AND sequence = NEW.stage;
    IF NEW.stage <> OLD.stage + 1 OR NOT FOUND
       OR (part.pool, part.quorum, part.due_at) IS DISTINCT FROM (NEW.pool, NEW.quorum, NEW.due_at) THEN
      RAISE EXCEPTION 'request refused: there is no such next stage' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM assay_refuse_unless_passed(OLD);
    RETURN NEW;
  END IF;
  IF NEW.stage <> OLD.stage THEN
    RAISE EXCEPTION 'request refused: a closed request moves no stage' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state = 'approved' THEN
    PERFORM assay_refuse_unless_passed(OLD);
    IF OLD.stage <> stages THEN
      RAISE EXCEPTION 'request refused: stage % of %', OLD.stage, stages USING ERRCODE = 'check_violation';
    END IF;
    days := coalesce(OLD.approval_policy::jsonb -> 'valid_days' ->> OLD.tier,
                     OLD.approval_policy::jsonb -> 'valid_days' ->> 'default')::integer;
    IF NEW.valid_until IS DISTINCT FROM NEW.closed_at + make_interval(hours => 24 * days) THEN
      RAISE EXCEPTION 'request refused: its policy lets it stand for % days', days USING ERRCODE = 'check_violation';
    END IF;
  ELSIF NEW.state = 'rejected' THEN
    PERFORM assay_refuse_unless_against(OLD, 'reject');
  ELSIF NEW.state = 'changes_requested' THEN
    PERFORM assay_refuse_unless_against(OLD, 'request_changes');
  ELSIF NEW.state = 'timed_out' AND (OLD.due_at IS NULL OR NEW.closed_at < OLD.due_at) THEN
    RAISE EXCEPTION 'request refused: there is still time' USING ERRCODE = 'check_violation';
  ELSIF NEW.state NOT IN ('withdrawn', 'timed_out') THEN
    RAISE EXCEPTION 'request refused: an open request does not become %', NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
"""

DEPLOYMENT = """
CREATE OR REPLACE FUNCTION assay_deployment_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.use_case_id IS NOT NULL AND NEW.use_case_id IS DISTINCT FROM OLD.use_case_id THEN
    RAISE EXCEPTION 'deployment refused: its use case is set once' USING ERRCODE = 'check_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.approved_revision_id IS NOT DISTINCT FROM OLD.approved_revision_id THEN
    RETURN NEW;
  END IF;
  IF NEW.approved_revision_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM approval_request r WHERE r.revision_id = NEW.approved_revision_id AND r.state = 'approved'
  ) THEN
    RAISE EXCEPTION 'deployment refused: that revision was not approved' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
"""

CONDITION = """
CREATE FUNCTION assay_condition_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  moving text[] := ARRAY['state', 'met_at', 'met_by_id', 'evidence', 'row_version'];
  asked approval_request%ROWTYPE; made decision%ROWTYPE; pool text;
BEGIN
  SELECT * INTO asked FROM approval_request WHERE id = NEW.request_id;
  SELECT * INTO made FROM decision WHERE id = NEW.decision_id;
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'open' OR made.decision IS DISTINCT FROM 'approve_with_conditions' OR asked.state <> 'open' THEN
      RAISE EXCEPTION 'condition refused: it comes with an approval that has conditions'
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (to_jsonb(OLD) - moving) IS DISTINCT FROM (to_jsonb(NEW) - moving) OR OLD.state = 'met'
     OR (NEW.state <> OLD.state AND (OLD.state, NEW.state)
         NOT IN (('open', 'met'), ('open', 'breached'), ('breached', 'met'))) THEN
    RAISE EXCEPTION 'condition refused: what was asked for is frozen, and what is met stays met'
      USING ERRCODE = 'check_violation';
  END IF;
  SELECT s.pool INTO pool FROM request_stage s WHERE s.request_id = NEW.request_id AND s.sequence = made.stage;
  IF NEW.state = 'met' AND (NEW.met_by_id = asked.requester_id OR assay_is_barred(NEW.met_by_id)
                            OR NOT assay_is_member(NEW.met_by_id, ARRAY[pool])) THEN
    RAISE EXCEPTION 'condition refused: a member of its stage''s pool confirms it, and not the one who asked'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER condition_guard BEFORE INSERT OR UPDATE ON condition
  FOR EACH ROW EXECUTE FUNCTION assay_condition_guard();
ALTER TABLE condition ENABLE ALWAYS TRIGGER condition_guard;
"""

POLICY = """
CREATE FUNCTION assay_approval_policy_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE moving text[] := ARRAY['state', 'decided_by_id', 'decision_reason', 'decided_at', 'row_version'];
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'proposed' OR NOT assay_is_member(NEW.proposed_by_id, ARRAY['Compliance officers', 'Operators'])
       OR (NEW.content::jsonb ->> 'name', (NEW.content::jsonb ->> 'version')::integer)
          IS DISTINCT FROM (NEW.name::text, NEW.version) THEN
      RAISE EXCEPTION 'approval policy refused: it begins as the proposal of a member of its pools'
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (to_jsonb(OLD) - moving) IS DISTINCT FROM (to_jsonb(NEW) - moving) THEN
    RAISE EXCEPTION 'approval policy refused: what was proposed is frozen' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state = 'adopted' AND NEW.state = 'retired' THEN
    IF (OLD.decided_by_id, OLD.decision_reason, OLD.decided_at)
       IS DISTINCT FROM (NEW.decided_by_id, NEW.decision_reason, NEW.decided_at)
       OR NOT EXISTS (SELECT 1 FROM approval_policy p
                       WHERE p.name = OLD.name AND p.version > OLD.version AND p.state = 'proposed') THEN
      RAISE EXCEPTION 'approval policy refused: only a newer version retires it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.state <> 'proposed' OR NEW.state NOT IN ('adopted', 'refused', 'withdrawn') THEN
    RAISE EXCEPTION 'approval policy refused: it does not go from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state IN ('adopted', 'refused') AND (NOT assay_is_member(NEW.decided_by_id, ARRAY['Compliance officers'])
                                              OR assay_is_barred(NEW.decided_by_id)) THEN
    RAISE EXCEPTION 'approval policy refused: a compliance officer decides it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER approval_policy_guard BEFORE INSERT OR UPDATE ON approval_policy
  FOR EACH ROW EXECUTE FUNCTION assay_approval_policy_guard();
ALTER TABLE approval_policy ENABLE ALWAYS TRIGGER approval_policy_guard;
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app adds everything and changes what lives on; the reader reads all but what is sealed; nobody deletes."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    for statement in (
        "REVOKE ALL ON request_stage, request_exclusion, sealed_decision, condition, approval_policy FROM {app}",
        "GRANT SELECT, INSERT ON request_stage, request_exclusion, sealed_decision, condition, approval_policy TO {app}",
        "GRANT UPDATE ON condition, approval_policy TO {app}",
        "GRANT SELECT ON request_stage, request_exclusion, condition, approval_policy TO {reader}",
        "REVOKE ALL ON sealed_decision FROM {reader}",
    ):
        schema_editor.execute(sql.SQL(statement).format(**roles).as_string(None))


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_telemetry_append_only'),
        ('governance', '0005_use_cases'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ApprovalPolicyVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('weight', models.PositiveIntegerField(verbose_name='weight')),
                ('applies_when', models.TextField(verbose_name='applies when')),
                ('content', models.TextField(verbose_name='content')),
                ('digest', models.CharField(max_length=64, verbose_name='digest')),
                ('state', models.CharField(choices=[('proposed', 'proposed'), ('adopted', 'adopted'), ('refused', 'refused'), ('withdrawn', 'withdrawn'), ('retired', 'retired')], default='proposed', max_length=20, verbose_name='state')),
                ('reason', models.CharField(max_length=2000, verbose_name='reason')),
                ('proposed_at', models.DateTimeField(verbose_name='proposed')),
                ('decision_reason', models.CharField(blank=True, max_length=2000, verbose_name='reason of the decision')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
                ('row_version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name': 'approval policy',
                'verbose_name_plural': 'approval policies',
                'db_table': 'approval_policy',
            },
        ),
        migrations.CreateModel(
            name='Condition',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(verbose_name='number')),
                ('text', models.CharField(max_length=1000, verbose_name='condition')),
                ('due_at', models.DateTimeField(verbose_name='due')),
                ('on_breach', models.CharField(choices=[('block', 'blocks'), ('notify', 'is told')], max_length=10, verbose_name='when it is late')),
                ('state', models.CharField(choices=[('open', 'open'), ('met', 'met'), ('breached', 'not met in time')], default='open', max_length=10, verbose_name='state')),
                ('met_at', models.DateTimeField(blank=True, null=True, verbose_name='met')),
                ('evidence', models.CharField(blank=True, max_length=1000, verbose_name='evidence')),
                ('row_version', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name': 'condition',
                'verbose_name_plural': 'conditions',
                'db_table': 'condition',
            },
        ),
        migrations.CreateModel(
            name='RequestExclusion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('stage', models.PositiveIntegerField(verbose_name='stage')),
                ('why', models.CharField(choices=[('deployment_owner', 'owns the deployment'), ('use_case_owner', 'owns the use case')], max_length=30, verbose_name='why')),
            ],
            options={
                'verbose_name': 'exclusion',
                'verbose_name_plural': 'exclusions',
                'db_table': 'request_exclusion',
            },
        ),
        migrations.CreateModel(
            name='RequestStage',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('sequence', models.PositiveIntegerField(verbose_name='stage')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('pool', models.CharField(max_length=150, verbose_name='pool')),
                ('quorum', models.PositiveIntegerField(verbose_name='quorum')),
                ('blind', models.BooleanField(verbose_name='blind')),
                ('conditions_allowed', models.BooleanField(verbose_name='conditions allowed')),
                ('due_at', models.DateTimeField(blank=True, null=True, verbose_name='due')),
            ],
            options={
                'verbose_name': 'stage',
                'verbose_name_plural': 'stages',
                'db_table': 'request_stage',
            },
        ),
        migrations.CreateModel(
            name='SealedDecision',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('stage', models.PositiveIntegerField(verbose_name='stage')),
                ('commitment', models.CharField(max_length=64, verbose_name='commitment')),
                ('content', models.TextField(verbose_name='content')),
                ('salt', models.CharField(max_length=64, verbose_name='salt')),
                ('digest_seen', models.CharField(max_length=64, verbose_name='digest seen')),
                ('decided_at', models.DateTimeField(verbose_name='decided')),
            ],
            options={
                'verbose_name': 'sealed decision',
                'verbose_name_plural': 'sealed decisions',
                'db_table': 'sealed_decision',
            },
        ),
        migrations.RemoveConstraint(
            model_name='approvalrequest',
            name='request_state_known',
        ),
        migrations.RemoveConstraint(
            model_name='decision',
            name='decision_choice_known',
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='due_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='due'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='ended_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='ended'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='previous_request',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.approvalrequest', verbose_name='follows'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='round',
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name='round'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='stage',
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name='stage'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='tier',
            field=models.CharField(choices=[('unclassified', 'unclassified'), ('out_of_scope', 'out of scope'), ('prohibited', 'prohibited'), ('high', 'high risk'), ('transparency', 'transparency duties'), ('minimal', 'minimal risk'), ('gpai', 'general-purpose model'), ('gpai_systemic', 'general-purpose model with systemic risk')], db_default='unclassified', default='unclassified', max_length=20, verbose_name='tier'),
        ),
        migrations.AddField(
            model_name='approvalrequest',
            name='valid_until',
            field=models.DateTimeField(blank=True, null=True, verbose_name='valid until'),
        ),
        migrations.AddField(
            model_name='decision',
            name='stage',
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name='stage'),
        ),
        migrations.AddField(
            model_name='deployment',
            name='use_case',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='governance.usecase', verbose_name='use case'),
        ),
        migrations.AlterField(
            model_name='approvalrequest',
            name='state',
            field=models.CharField(choices=[('open', 'open'), ('approved', 'approved'), ('rejected', 'rejected'), ('changes_requested', 'changes requested'), ('withdrawn', 'withdrawn'), ('timed_out', 'timed out'), ('revoked', 'revoked'), ('expired', 'expired'), ('invalidated', 'invalidated')], default='open', max_length=20, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='decision',
            name='decision',
            field=models.CharField(choices=[('approve', 'approve'), ('approve_with_conditions', 'approve with conditions'), ('reject', 'reject'), ('request_changes', 'request changes')], max_length=30, verbose_name='decision'),
        ),
        migrations.AddIndex(
            model_name='approvalrequest',
            index=models.Index(condition=models.Q(('state', 'approved')), fields=['valid_until'], name='request_valid_until'),
        ),
        migrations.AddIndex(
            model_name='approvalrequest',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['due_at'], name='request_due_at'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'approved', 'rejected', 'changes_requested', 'withdrawn', 'timed_out', 'revoked', 'expired', 'invalidated'])), name='request_state_known'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.UniqueConstraint(fields=('id', 'deployment'), name='request_id_and_deployment'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['revoked', 'expired', 'invalidated'])), models.Q(models.Q(('state__in', ['revoked', 'expired', 'invalidated']), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='request_ended_after_approval'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), models.Q(('state__in', ['approved', 'revoked', 'expired', 'invalidated']), ('valid_until__gt', models.F('closed_at'))), _connector='OR'), name='request_valid_when_approved'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(('round__gt', 0), ('stage__gt', 0)), name='request_stage_and_round_positive'),
        ),
        migrations.AddConstraint(
            model_name='approvalrequest',
            constraint=models.CheckConstraint(condition=models.Q(('tier__in', ['unclassified', 'out_of_scope', 'prohibited', 'high', 'transparency', 'minimal', 'gpai', 'gpai_systemic'])), name='request_tier_known'),
        ),
        migrations.AddField(
            model_name='approvalpolicyversion',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person', verbose_name='decided by'),
        ),
        migrations.AddField(
            model_name='approvalpolicyversion',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person', verbose_name='proposed by'),
        ),
        migrations.AddField(
            model_name='condition',
            name='decision',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conditions', to='governance.decision', verbose_name='decision'),
        ),
        migrations.AddField(
            model_name='condition',
            name='met_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person', verbose_name='confirmed by'),
        ),
        migrations.AddField(
            model_name='condition',
            name='request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conditions', to='governance.approvalrequest', verbose_name='request'),
        ),
        migrations.AddField(
            model_name='requestexclusion',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person', verbose_name='person'),
        ),
        migrations.AddField(
            model_name='requestexclusion',
            name='request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exclusions', to='governance.approvalrequest', verbose_name='request'),
        ),
        migrations.AddField(
            model_name='requeststage',
            name='request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stages', to='governance.approvalrequest', verbose_name='request'),
        ),
        migrations.AddField(
            model_name='sealeddecision',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='log-in'),
        ),
        migrations.AddField(
            model_name='sealeddecision',
            name='decider',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person', verbose_name='decider'),
        ),
        migrations.AddField(
            model_name='sealeddecision',
            name='request',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sealed_decisions', to='governance.approvalrequest', verbose_name='request'),
        ),
        migrations.AddField(
            model_name='sealeddecision',
            name='requester',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.person', verbose_name='requester'),
        ),
        migrations.AddField(
            model_name='decision',
            name='sealed',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='opened', to='governance.sealeddecision', verbose_name='sealed as'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.UniqueConstraint(fields=('id', 'request'), name='decision_id_and_request'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('decision__in', ['approve', 'approve_with_conditions', 'reject', 'request_changes'])), name='decision_choice_known'),
        ),
        migrations.AddConstraint(
            model_name='approvalpolicyversion',
            constraint=models.UniqueConstraint(fields=('name', 'version'), name='approval_policy_version_once'),
        ),
        migrations.AddConstraint(
            model_name='approvalpolicyversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'adopted')), fields=('name',), name='approval_policy_adopted_once_per_name'),
        ),
        migrations.AddConstraint(
            model_name='approvalpolicyversion',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['proposed', 'adopted', 'refused', 'withdrawn', 'retired'])), name='approval_policy_state_known'),
        ),
        migrations.AddConstraint(
            model_name='approvalpolicyversion',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='approval_policy_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='approvalpolicyversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_by__isnull', True), ('state__in', ['proposed', 'withdrawn'])), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state__in', ['adopted', 'refused', 'retired'])), _connector='OR'), name='approval_policy_decided_by_somebody'),
        ),
        migrations.AddIndex(
            model_name='condition',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['due_at'], name='condition_due'),
        ),
        migrations.AddConstraint(
            model_name='condition',
            constraint=models.UniqueConstraint(fields=('request', 'number'), name='condition_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='condition',
            constraint=models.CheckConstraint(condition=models.Q(('on_breach__in', ['block', 'notify'])), name='condition_on_breach_known'),
        ),
        migrations.AddConstraint(
            model_name='condition',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'met', 'breached'])), name='condition_state_known'),
        ),
        migrations.AddConstraint(
            model_name='condition',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('met_at__isnull', False), ('met_by__isnull', False), ('state', 'met')), models.Q(models.Q(('state', 'met'), _negated=True), ('evidence', ''), ('met_at__isnull', True), ('met_by__isnull', True)), _connector='OR'), name='condition_met_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='requestexclusion',
            constraint=models.UniqueConstraint(fields=('request', 'stage', 'person'), name='request_exclusion_once'),
        ),
        migrations.AddConstraint(
            model_name='requestexclusion',
            constraint=models.CheckConstraint(condition=models.Q(('why__in', ['deployment_owner', 'use_case_owner'])), name='request_exclusion_why_known'),
        ),
        migrations.AddConstraint(
            model_name='requeststage',
            constraint=models.UniqueConstraint(fields=('request', 'sequence'), name='request_stage_once'),
        ),
        migrations.AddConstraint(
            model_name='requeststage',
            constraint=models.CheckConstraint(condition=models.Q(('quorum__gt', 0), ('sequence__gt', 0)), name='request_stage_counts_positive'),
        ),
        migrations.AddConstraint(
            model_name='sealeddecision',
            constraint=models.CheckConstraint(condition=models.Q(('decider', models.F('requester')), _negated=True), name='sealed_decision_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='sealeddecision',
            constraint=models.UniqueConstraint(fields=('request', 'decider'), name='sealed_decision_once_per_person'),
        ),
        migrations.AddConstraint(
            model_name='sealeddecision',
            constraint=models.CheckConstraint(condition=models.Q(('salt__regex', '^[0-9a-f]{64}$')), name='sealed_decision_salt_is_long'),
        ),
        migrations.RunSQL(KEEP),
        migrations.RunSQL(BOUND),
        migrations.RunSQL(PEOPLE),
        migrations.RunSQL(STAGE),
        migrations.RunSQL(DECISION),
        migrations.RunSQL(REQUEST),
        migrations.RunSQL(DEPLOYMENT),
        migrations.RunSQL(CONDITION),
        migrations.RunSQL(POLICY),
        migrations.RunPython(grant),
    ]
