"""Erasure of single sections: the only way is `erase_section`, and it obeys floors, holds and two persons.

The checks of `audit.erasure` say why in a sentence; these hold when a statement does not come from there. A row of
`erasure` needs the deletion and the entry that tells it, a deletion needs the row; triggers are ENABLE ALWAYS, so the
owner meets them as well. Every function fixes its search path: a table or clock of the caller's own is not seen.
"""

import uuid

from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg import sql

INSERT_ONLY = ("erasure", "erasure_request", "erasure_decision", "legal_hold", "hold_release", "retention_floor")
WRITTEN_BY_APP = ("erasure_request", "erasure_decision", "legal_hold", "hold_release")

LOG_TYPES = (
    "x:", "selfcheck.completed", "token.issued", "token.used", "session.started", "sessions.refused",
    "deployment.started", "deployment.stopped", "agent.tool_call", "usage.reported", "client.event", "window.usage",
    "window.hardware", "window.amended", "coverage.gap", "report.downloaded",
)
PERMANENT_TYPES = ("erasure.requested", "erasure.rejected", "section.erased", "hold.placed", "hold.released")

# A type that is not listed is documentation: forgetting to list one keeps its content longer, never shorter.
FLOORS = (
    "INSERT INTO retention_floor (type, days) VALUES "
    + ", ".join([f"('{kind}', 183)" for kind in LOG_TYPES] + [f"('{kind}', NULL)" for kind in PERMANENT_TYPES])
    + """;
ALTER TABLE retention_floor ADD CONSTRAINT retention_floor_days CHECK (days >= 183);
-- Hours, not days: a day of a session's time zone may have 23.
CREATE FUNCTION assay_floor_ends(entry_index bigint, section text) RETURNS timestamptz
  LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT CASE WHEN f.type IS NOT NULL AND f.days IS NULL AND $2 = 'facts' THEN 'infinity'::timestamptz
              ELSE e.received_at + make_interval(hours => 24 * coalesce(f.days, 3653)) END
    FROM entry e LEFT JOIN retention_floor f
      ON f.type = CASE WHEN starts_with(e.type, 'x:') THEN 'x:' ELSE e.type END
   WHERE e.index = $1
$$;
"""
)

KEEP = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only, ENABLE ALWAYS TRIGGER {table}_no_truncate;
"""
    for table in INSERT_ONLY
)

# New entries stand above all that was erased, so the second look is made for what nobody should write only.
SECTION = """
CREATE FUNCTION assay_section_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (
    SELECT 1 FROM erasure x WHERE x.entry_index = OLD.entry_index AND x.name = OLD.name
  ) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'insufficient_privilege';
END
$$;
DROP TRIGGER section_append_only ON section;
CREATE TRIGGER section_append_only BEFORE UPDATE OR DELETE ON section
  FOR EACH ROW EXECUTE FUNCTION assay_section_guard();
CREATE FUNCTION assay_section_not_again() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM fresh f WHERE f.entry_index <= (SELECT max(entry_index) FROM erasure)
       AND EXISTS (SELECT 1 FROM erasure x WHERE x.entry_index = f.entry_index AND x.name = f.name)
  ) THEN
    RAISE EXCEPTION 'table section is append-only: what was erased is not put back'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER section_not_again AFTER INSERT ON section REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION assay_section_not_again();
ALTER TABLE section ENABLE ALWAYS TRIGGER section_append_only, ENABLE ALWAYS TRIGGER section_not_again;
"""

# Who may what, judged by group as the pools of approvals are (governance migration 0002).
PEOPLE = """
CREATE FUNCTION assay_is_in(account bigint, human uuid, pools text[]) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT 1 FROM account a JOIN account_groups m ON m.user_id = a.id JOIN auth_group g ON g.id = m.group_id
     WHERE a.id = $1 AND a.person_id = $2 AND a.is_active AND g.name = ANY ($3)
  )
$$;
CREATE FUNCTION assay_erasure_request_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT assay_is_in(NEW.account_id, NEW.requested_by, ARRAY['Auditors', 'Operators', 'Data protection']) THEN
    RAISE EXCEPTION 'erasure request refused: the log-in is not this person''s, not active or in no pool that asks'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_request_by_a_member';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM section s WHERE s.entry_index = NEW.entry_index AND s.name = NEW.name) THEN
    RAISE EXCEPTION 'erasure request refused: there is no such section'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_request_of_a_section';
  END IF;
  RETURN NEW;
END
$$;
CREATE FUNCTION assay_erasure_decision_guard() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE asked erasure_request%ROWTYPE;
BEGIN
  SELECT * INTO asked FROM erasure_request WHERE id = NEW.request_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'erasure decision refused: nobody asked'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_decision_of_a_request';
  END IF;
  -- Who asked may take the request back.
  IF NOT assay_is_in(NEW.account_id, NEW.decided_by, ARRAY['Data protection'])
     AND NOT (NEW.decision = 'reject' AND NEW.decided_by = asked.requested_by
              AND assay_is_in(NEW.account_id, NEW.decided_by, ARRAY['Auditors', 'Operators'])) THEN
    RAISE EXCEPTION 'erasure decision refused: the log-in is not this person''s, not active or not in Data protection'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_decision_by_a_member';
  END IF;
  RETURN NEW;
END
$$;
CREATE FUNCTION assay_erasure_approved() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.decision = 'approve' AND NOT EXISTS (SELECT 1 FROM erasure x WHERE x.request_id = NEW.request_id) THEN
    RAISE EXCEPTION 'erasure decision refused: an approval stands only together with its erasure'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_decision_is_done';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER erasure_request_guard BEFORE INSERT ON erasure_request
  FOR EACH ROW EXECUTE FUNCTION assay_erasure_request_guard();
CREATE TRIGGER erasure_decision_guard BEFORE INSERT ON erasure_decision
  FOR EACH ROW EXECUTE FUNCTION assay_erasure_decision_guard();
CREATE CONSTRAINT TRIGGER erasure_decision_done AFTER INSERT ON erasure_decision
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION assay_erasure_approved();
ALTER TABLE erasure_request ENABLE ALWAYS TRIGGER erasure_request_guard;
ALTER TABLE erasure_decision ENABLE ALWAYS TRIGGER erasure_decision_guard, ENABLE ALWAYS TRIGGER erasure_decision_done;
"""

HOLDS = """
CREATE FUNCTION assay_hold_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT assay_is_in(NEW.account_id, NEW.placed_by, ARRAY['Auditors', 'Data protection']) THEN
    RAISE EXCEPTION 'hold refused: the log-in is not this person''s, not active or in no pool that places holds'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_by_a_member';
  END IF;
  RETURN NEW;
END
$$;
CREATE FUNCTION assay_hold_release_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE held legal_hold%ROWTYPE;
BEGIN
  SELECT * INTO held FROM legal_hold WHERE id = NEW.hold_id;
  IF NOT FOUND OR held.placed_by = NEW.released_by THEN
    RAISE EXCEPTION 'release refused: another person than the one who placed the hold releases it'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_release_by_another';
  END IF;
  IF NOT assay_is_in(NEW.account_id, NEW.released_by, ARRAY['Data protection']) THEN
    RAISE EXCEPTION 'release refused: the log-in is not this person''s, not active or not in Data protection'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_release_by_a_member';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER legal_hold_guard BEFORE INSERT ON legal_hold
  FOR EACH ROW EXECUTE FUNCTION assay_hold_guard();
CREATE TRIGGER hold_release_guard BEFORE INSERT ON hold_release
  FOR EACH ROW EXECUTE FUNCTION assay_hold_release_guard();
ALTER TABLE legal_hold ENABLE ALWAYS TRIGGER legal_hold_guard;
ALTER TABLE hold_release ENABLE ALWAYS TRIGGER hold_release_guard;
"""

# The head lock orders erasures, holds and entries: what this sees is what the log says up to its own entry.
ERASURE = """
CREATE FUNCTION assay_erasure_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  asked erasure_request%ROWTYPE;
  decided erasure_decision%ROWTYPE;
  next_index bigint;
  ends timestamptz;
  held text;
BEGIN
  SELECT size INTO next_index FROM head WHERE id = 1 FOR UPDATE;
  IF NEW.request_id IS NULL THEN
    IF EXISTS (SELECT 1 FROM section s WHERE s.entry_index = NEW.entry_index AND s.name = NEW.name) THEN
      RAISE EXCEPTION 'erasure refused: nobody asked for it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_has_a_request';
    END IF;
    RETURN NEW;
  END IF;
  SELECT * INTO asked FROM erasure_request WHERE id = NEW.request_id;
  SELECT * INTO decided FROM erasure_decision WHERE request_id = NEW.request_id;
  IF decided.decision IS DISTINCT FROM 'approve'
     OR (NEW.entry_index, NEW.name, NEW.legal_basis, NEW.requested_by)
        IS DISTINCT FROM (asked.entry_index, asked.name, asked.legal_basis, asked.requested_by)
     OR NEW.approved_by IS DISTINCT FROM nullif(decided.decided_by, asked.requested_by) THEN
    RAISE EXCEPTION 'erasure refused: it is not what was asked for and approved'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_approved';
  END IF;
  ends := assay_floor_ends(NEW.entry_index, NEW.name);
  IF ends IS NULL OR ends = 'infinity' THEN
    RAISE EXCEPTION 'erasure refused: what tells of an erasure or a hold stays for ever'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_of_what_may_go';
  END IF;
  IF NEW.erased_at > clock_timestamp() OR NEW.override IS DISTINCT FROM (NEW.erased_at < ends) THEN
    RAISE EXCEPTION 'erasure refused: its floor ends %', ends
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_floor';
  END IF;
  IF NEW.override AND NEW.approved_by IS NULL THEN
    RAISE EXCEPTION 'erasure refused: before the floor two persons are needed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_before_the_floor_by_two';
  END IF;
  SELECT h.reference INTO held FROM legal_hold h JOIN entry e ON e.index = NEW.entry_index
   WHERE h.subject IN ('', e.subject) AND h.source IN ('', e.source) AND h.type IN ('', e.type)
     AND (h.first_index IS NULL OR e.index BETWEEN h.first_index AND h.last_index)
     AND NOT EXISTS (SELECT 1 FROM hold_release r WHERE r.hold_id = h.id)
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'erasure refused: the legal hold % is on it', held
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_held';
  END IF;
  IF NEW.erased_by <> next_index THEN
    RAISE EXCEPTION 'erasure refused: the next entry must tell it'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_told';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER erasure_guard BEFORE INSERT ON erasure FOR EACH ROW EXECUTE FUNCTION assay_erasure_guard();
"""

TOLD = """
CREATE FUNCTION assay_erasure_told() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  gone entry%ROWTYPE;
  told entry%ROWTYPE;
  said jsonb;
BEGIN
  IF EXISTS (SELECT 1 FROM section s WHERE s.entry_index = NEW.entry_index AND s.name = NEW.name) THEN
    RAISE EXCEPTION 'erasure refused: the section still stands'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_deletes';
  END IF;
  SELECT * INTO gone FROM entry WHERE index = NEW.entry_index;
  SELECT * INTO told FROM entry WHERE index = NEW.erased_by;
  SELECT convert_from(body, 'UTF8')::jsonb INTO said FROM section WHERE entry_index = NEW.erased_by AND name = 'facts';
  IF told.type IS DISTINCT FROM 'section.erased' OR told.source IS DISTINCT FROM 'app'
     OR told.subject IS DISTINCT FROM coalesce('erasure:' || NEW.request_id, told.subject)
     OR (convert_from(gone.leaf, 'UTF8')::jsonb -> 'sections' -> NEW.name) IS NULL
     OR said -> 'entry' IS DISTINCT FROM to_jsonb(NEW.entry_index)
     OR said -> 'section' IS DISTINCT FROM to_jsonb(NEW.name)
     OR said -> 'legal_basis' IS DISTINCT FROM to_jsonb(NEW.legal_basis)
     OR said -> 'before_floor' IS DISTINCT FROM to_jsonb(NEW.override)
     OR said ->> 'requested_by' IS DISTINCT FROM 'person:' || NEW.requested_by
     OR said ->> 'approved_by' IS DISTINCT FROM 'person:' || NEW.approved_by THEN
    RAISE EXCEPTION 'erasure refused: entry % does not tell it', NEW.erased_by
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_told';
  END IF;
  IF NEW.override AND NEW.request_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM section WHERE entry_index = NEW.erased_by AND name = 'restricted' AND octet_length(body) > 0
  ) THEN
    RAISE EXCEPTION 'erasure refused: before the floor a reason is needed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_before_the_floor_has_a_reason';
  END IF;
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER erasure_told AFTER INSERT ON erasure
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION assay_erasure_told();
ALTER TABLE erasure ENABLE ALWAYS TRIGGER erasure_guard, ENABLE ALWAYS TRIGGER erasure_told;
"""

ERASE = """
CREATE FUNCTION erase_section(request uuid) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  next_index bigint;
  moment timestamptz;
  done erasure;
BEGIN
  SELECT size INTO next_index FROM head WHERE id = 1 FOR UPDATE;
  moment := clock_timestamp();
  INSERT INTO erasure
    (entry_index, name, erased_by, request_id, legal_basis, requested_by, approved_by, override, erased_at)
  SELECT r.entry_index, r.name, next_index, r.id, r.legal_basis, r.requested_by,
         nullif(d.decided_by, r.requested_by), moment < assay_floor_ends(r.entry_index, r.name), moment
    FROM erasure_request r JOIN erasure_decision d ON d.request_id = r.id WHERE r.id = request
  RETURNING * INTO done;
  IF done.entry_index IS NULL THEN
    RAISE EXCEPTION 'erasure refused: it is not what was asked for and approved'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_is_approved';
  END IF;
  DELETE FROM section s WHERE s.entry_index = done.entry_index AND s.name = done.name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'erasure refused: there is no such section'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_deletes';
  END IF;
END
$$;
-- For a log that is imported: the section is not there, and an entry of the log tells why.
CREATE FUNCTION import_erasure(entry_index bigint, section text, erased_by bigint) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO erasure
    (entry_index, name, erased_by, request_id, legal_basis, requested_by, approved_by, override, erased_at)
  SELECT $1, $2, $3, NULL, said ->> 'legal_basis', substr(said ->> 'requested_by', 8)::uuid,
         substr(said ->> 'approved_by', 8)::uuid, (said ->> 'before_floor')::boolean, received_at
    FROM (SELECT e.received_at, convert_from(s.body, 'UTF8')::jsonb AS said FROM entry e
            LEFT JOIN section s ON s.entry_index = e.index AND s.name = 'facts' WHERE e.index = $3) told
$$;
"""

# Backwards only while there is nothing to lose; the tables themselves go with their models.
UNDO = """
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM erasure) OR EXISTS (SELECT 1 FROM erasure_request) OR EXISTS (SELECT 1 FROM legal_hold) THEN
    RAISE EXCEPTION 'erasures, requests or legal holds are recorded: the tables that hold them stay';
  END IF;
END
$$;
DROP TRIGGER section_not_again ON section;
DROP TRIGGER section_append_only ON section;
CREATE TRIGGER section_append_only BEFORE UPDATE OR DELETE ON section
  FOR EACH ROW EXECUTE FUNCTION assay_refuse_change();
ALTER TABLE section ENABLE ALWAYS TRIGGER section_append_only;
DROP FUNCTION erase_section(uuid), import_erasure(bigint, text, bigint), assay_floor_ends(bigint, text),
  assay_section_guard(), assay_section_not_again(), assay_is_in(bigint, uuid, text[]), assay_erasure_request_guard(),
  assay_erasure_decision_guard(), assay_erasure_approved(), assay_hold_guard(), assay_hold_release_guard(),
  assay_erasure_guard(), assay_erasure_told() CASCADE;
"""


def grant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The app asks, decides and holds; rows of `erasure` and deletions come through the functions alone."""
    roles = {role: sql.Identifier(name) for role, name in settings.DATABASE_ROLES.items()}
    functions = sql.SQL("FUNCTION erase_section(uuid), import_erasure(bigint, text, bigint)")
    erase = sql.SQL("FUNCTION erase_section(uuid)")
    everything = sql.SQL(", ").join(map(sql.Identifier, INSERT_ONLY))
    written = sql.SQL(", ").join(map(sql.Identifier, WRITTEN_BY_APP))
    for statement in (
        "REVOKE ALL ON {everything} FROM {app}",
        "GRANT SELECT ON {everything} TO {app}",
        "GRANT INSERT ON {written} TO {app}",
        "REVOKE ALL ON {functions} FROM PUBLIC",
        "GRANT EXECUTE ON {erase} TO {app}",
    ):
        query = sql.SQL(statement).format(everything=everything, written=written, functions=functions, erase=erase, **roles)
        schema_editor.execute(query.as_string(None))


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_window_sealed_newest"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.CreateModel(
            name="HoldRelease",
            fields=[
                ("hold_id", models.UUIDField(primary_key=True, serialize=False)),
                ("released_by", models.UUIDField()),
                ("account_id", models.BigIntegerField()),
                ("released_at", models.DateTimeField(verbose_name="released")),
            ],
            options={
                "db_table": "hold_release",
            },
        ),
        migrations.CreateModel(
            name="RetentionFloor",
            fields=[
                ("type", models.TextField(primary_key=True, serialize=False)),
                ("days", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "retention_floor",
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("pk", models.CompositePrimaryKey("entry_index", "name", blank=True, editable=False, primary_key=True, serialize=False)),
                ("entry_index", models.BigIntegerField(verbose_name="entry")),
                ("name", models.TextField(verbose_name="section")),
                ("erased_by", models.BigIntegerField(unique=True)),
                ("request_id", models.UUIDField(null=True, unique=True)),
                ("legal_basis", models.TextField(verbose_name="legal basis")),
                ("requested_by", models.UUIDField()),
                ("approved_by", models.UUIDField(null=True)),
                ("override", models.BooleanField(verbose_name="before the floor")),
                ("erased_at", models.DateTimeField(verbose_name="erased")),
            ],
            options={
                "db_table": "erasure",
                "constraints": [models.CheckConstraint(condition=models.Q(("legal_basis", ""), _negated=True), name="erasure_has_a_basis"), models.CheckConstraint(condition=models.Q(("erased_by__gt", models.F("entry_index"))), name="erasure_comes_after_its_entry"), models.CheckConstraint(condition=models.Q(("override", False), ("approved_by__isnull", False), _connector="OR"), name="erasure_before_the_floor_by_two"), models.CheckConstraint(condition=models.Q(("approved_by", None), models.Q(("approved_by", models.F("requested_by")), _negated=True), _connector="OR"), name="erasure_approver_is_another")],
            },
        ),
        migrations.CreateModel(
            name="ErasureDecision",
            fields=[
                ("request_id", models.UUIDField(primary_key=True, serialize=False)),
                ("decision", models.TextField(choices=[("approve", "approve"), ("reject", "reject")])),
                ("decided_by", models.UUIDField()),
                ("account_id", models.BigIntegerField()),
                ("decided_at", models.DateTimeField(verbose_name="decided")),
            ],
            options={
                "db_table": "erasure_decision",
                "constraints": [models.CheckConstraint(condition=models.Q(("decision__in", ["approve", "reject"])), name="erasure_decision_is_known")],
            },
        ),
        migrations.CreateModel(
            name="ErasureRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entry_index", models.BigIntegerField(verbose_name="entry")),
                ("name", models.TextField(verbose_name="section")),
                ("legal_basis", models.TextField(verbose_name="legal basis")),
                ("requested_by", models.UUIDField()),
                ("account_id", models.BigIntegerField()),
                ("requested_at", models.DateTimeField(verbose_name="requested")),
            ],
            options={
                "db_table": "erasure_request",
                "indexes": [models.Index(fields=["entry_index", "name"], name="erasure_request_section"), models.Index(fields=["-requested_at", "id"], name="erasure_request_newest")],
                "constraints": [models.CheckConstraint(condition=models.Q(("legal_basis", ""), _negated=True), name="erasure_request_has_a_basis")],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reference", models.TextField(verbose_name="reference")),
                ("subject", models.TextField(blank=True, verbose_name="subject")),
                ("source", models.TextField(blank=True, verbose_name="source")),
                ("type", models.TextField(blank=True, verbose_name="type")),
                ("first_index", models.BigIntegerField(null=True, verbose_name="first entry")),
                ("last_index", models.BigIntegerField(null=True, verbose_name="last entry")),
                ("placed_by", models.UUIDField()),
                ("account_id", models.BigIntegerField()),
                ("placed_at", models.DateTimeField(verbose_name="placed")),
            ],
            options={
                "db_table": "legal_hold",
                "constraints": [models.CheckConstraint(condition=models.Q(("first_index", None), ("last_index", None), ("source", ""), ("subject", ""), ("type", ""), _negated=True), name="hold_has_a_scope"), models.CheckConstraint(condition=models.Q(models.Q(("first_index", None), ("last_index", None)), models.Q(("first_index__gte", 0), ("first_index__isnull", False), ("last_index__gte", models.F("first_index")), ("last_index__isnull", False)), _connector="OR"), name="hold_range_is_whole"), models.CheckConstraint(condition=models.Q(("reference", ""), _negated=True), name="hold_has_a_reference")],
            },
        ),
        migrations.RunSQL(FLOORS, UNDO),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
        migrations.RunSQL(SECTION, migrations.RunSQL.noop),
        migrations.RunSQL(PEOPLE, migrations.RunSQL.noop),
        migrations.RunSQL(HOLDS, migrations.RunSQL.noop),
        migrations.RunSQL(ERASURE, migrations.RunSQL.noop),
        migrations.RunSQL(TOLD, migrations.RunSQL.noop),
        migrations.RunSQL(ERASE, migrations.RunSQL.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
