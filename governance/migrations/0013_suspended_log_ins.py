"""A log-in whose decision rights are suspended decides nothing, whatever statement tries it.

The column is audit's, and is read through JSON: this holds wherever the two migrations stand to each other.
"""

from django.db import migrations

SUSPENDED = """
CREATE FUNCTION assay_decider_not_suspended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- What was sealed before is only opened now.
  IF to_jsonb(NEW) ->> 'sealed_id' IS NULL AND EXISTS (
    SELECT 1 FROM account a WHERE a.id = NEW.account_id AND to_jsonb(a) ->> 'decisions_suspended_at' IS NOT NULL
  ) THEN
    RAISE EXCEPTION 'decision refused: the decision rights of this log-in are suspended'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER decision_not_suspended BEFORE INSERT ON decision
  FOR EACH ROW EXECUTE FUNCTION assay_decider_not_suspended();
CREATE TRIGGER sealed_decision_not_suspended BEFORE INSERT ON sealed_decision
  FOR EACH ROW EXECUTE FUNCTION assay_decider_not_suspended();
ALTER TABLE decision ENABLE ALWAYS TRIGGER decision_not_suspended;
ALTER TABLE sealed_decision ENABLE ALWAYS TRIGGER sealed_decision_not_suspended;
"""

BACK = """
DROP TRIGGER sealed_decision_not_suspended ON sealed_decision;
DROP TRIGGER decision_not_suspended ON decision;
DROP FUNCTION assay_decider_not_suspended();
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0012_import_jobs")]

    operations = [migrations.RunSQL(SUSPENDED, BACK)]
