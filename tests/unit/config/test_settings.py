"""config.settings as processes see it: loaded in an interpreter of its own with a chosen environment."""

import json
import subprocess
import sys

import pytest
from django.conf import settings

from config.celery import app
from config.programs import CHECKOUT
from tests.services.measuring import measuring

_PRODUCTION = {
    "PUBLIC_URL": "https://assay.example",
    "SECRET_KEY": "s" * 64,
    "LEDGER_ORIGIN": "assay.example/log",
    "LEDGER_HMAC_KEY": "ab" * 32,
    "LEDGER_VKEY": "assay.example/log+00000000+AAAA",
    "DATABASE_URL": "postgresql://assay_app:x@db.example/assay",
    "REDIS_URL": "unix:///run/redis.sock?db=2",
}


def _python(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"DJANGO_SETTINGS_MODULE": "config.settings", **measuring(), **environment},
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def _setting(name: str, environment: dict[str, str]) -> object:
    program = f"import json, config.settings as s; print(json.dumps(s.{name}, default=str))"
    result = _python(program, environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def _refusal(environment: dict[str, str]) -> str:
    result = _python("import config.settings", environment)
    assert result.returncode == 1
    return result.stderr.strip().splitlines()[-1]


def test_demo_is_for_loopback_only() -> None:
    assert "only while PUBLIC_URL is a loopback address" in _refusal({**_PRODUCTION, "DEMO": "1"})


def test_debug_is_for_loopback_only() -> None:
    assert "only while PUBLIC_URL is a loopback address" in _refusal({**_PRODUCTION, "DEBUG": "1"})


@pytest.mark.parametrize("name", ["SECRET_KEY", "LEDGER_ORIGIN", "LEDGER_HMAC_KEY", "LEDGER_VKEY"])
def test_a_process_with_a_database_needs_all_keys(name: str) -> None:
    assert name in _refusal({key: value for key, value in _PRODUCTION.items() if key != name})


def test_nothing_at_all_can_be_loaded() -> None:
    assert _setting("SECRET_KEY", {}) == ""


def test_unset_role_explains_itself_on_use_not_on_import() -> None:
    program = """
import django
django.setup()
from django.db import connections
from config.unset_database.base import DatabaseNotConfigured
try:
    connections["owner"].cursor()
except DatabaseNotConfigured as error:
    print(error)
"""
    result = _python(program, _PRODUCTION)
    assert result.stdout.startswith("DATABASE_OWNER_URL is not set in this process."), result.stderr


def test_broker_address_becomes_kombu_s() -> None:
    assert _setting("CELERY_BROKER_URL", _PRODUCTION) == "redis+socket:///run/redis.sock?virtual_host=2"


def test_role_names_come_from_the_addresses() -> None:
    roles = _setting("DATABASE_ROLES", {**_PRODUCTION, "DATABASE_OWNER_URL": "postgresql://chief:x@db.example/assay"})
    assert isinstance(roles, dict)
    assert roles.pop("owner") == "chief"
    assert roles == {name: f"assay_{name}" for name in ("app", "signer", "reader", "admin")}


def test_earlier_secret_keys_stand_by_spaces_or_lines() -> None:
    assert _setting("SECRET_KEY_FALLBACKS", _PRODUCTION) == []
    assert _setting("SECRET_KEY_FALLBACKS", {**_PRODUCTION, "SECRET_KEY_FALLBACKS": "one two\nthree"}) == [
        *("one", "two", "three")
    ]


def test_beat_knows_every_periodic_task() -> None:
    schedule = _setting("CELERY_BEAT_SCHEDULE", {"DEMO": "1"})
    assert isinstance(schedule, dict)
    assert set(schedule) == {
        *("audit.tasks.collect", "audit.tasks.seal_windows", "audit.tasks.self_check"),
        *("audit.tasks.record_acts", "audit.tasks.notify"),
        *("governance.tasks.follow_log", "reports.tasks.advance"),
        *("governance.tasks.follow_notices", "governance.tasks.sweep_notices"),
        *("governance.tasks.send_mails", "governance.tasks.deliver_webhooks"),
        *("governance.tasks.advance_imports",),
        "audit.tasks.count_refusals",
        "governance.tasks.index_log",
        "governance.tasks.sweep",
        "governance.tasks.reapprove",
        *("governance.tasks.follow_notices", "governance.tasks.sweep_notices"),
        *("governance.tasks.send_mails", "governance.tasks.deliver_webhooks"),
    }
    assert schedule["audit.tasks.self_check"]["schedule"] == "0:00:05"


@pytest.mark.parametrize(
    ("given", "saying"),
    [
        ({"NOTIFY_MAIL_TO": "on-call@assay.example"}, "NOTIFY_MAIL_TO needs EMAIL_URL"),
        ({"NOTIFY_WEBHOOK_URL": "https://hooks.example/T0KEN"}, "NOTIFY_WEBHOOK_URL needs NOTIFY_WEBHOOK_SECRET"),
        ({"NOTIFY_WEBHOOK_URL": "ftp://hooks.example/T0KEN"}, "NOTIFY_WEBHOOK_URL must look like"),
        ({"EMAIL_URL": "imap://a:T0KEN@mail.example"}, "EMAIL_URL must look like"),
        ({"DAILY_CHECKPOINT_TO": "here"}, "DAILY_CHECKPOINT_TO must be an absolute path"),
    ],
    ids=str,
)
def test_notices_that_could_not_go_out_are_refused_at_the_start(given: dict[str, str], saying: str) -> None:
    refusal = _refusal({**_PRODUCTION, **given})
    assert saying in refusal
    assert "T0KEN" not in refusal


def test_the_mail_server_is_one_address() -> None:
    mail = {"EMAIL_URL": "smtps://assay:p%40ss@mail.example", "NOTIFY_MAIL_TO": "a@b.example, c@d.example"}
    program = (
        "import json, config.settings as s; print(json.dumps([s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_HOST_USER,"
        " s.EMAIL_HOST_PASSWORD, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL, s.NOTIFY_MAIL_TO, s.NOTIFY_MAIL_FROM]))"
    )
    result = _python(program, {**_PRODUCTION, **mail})
    assert json.loads(result.stdout) == [
        *("mail.example", 465, "assay", "p@ss", False, True),
        ["a@b.example", "c@d.example"],
        "assay@assay.example",
    ]


def test_beat_starts_without_django_and_without_a_database() -> None:
    program = """
import sys
from config.clock import app
print(sorted(app.conf.beat_schedule)[0], "django.db.models" in sys.modules)
"""
    result = _python(program, {"DEMO": "1", "REDIS_URL": "unix:///run/redis.sock"})
    assert result.stdout.split() == ["audit.tasks.collect", "False"], result.stderr


def test_beat_sends_only_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    assert set(settings.CELERY_BEAT_SCHEDULE) <= set(app.tasks)
