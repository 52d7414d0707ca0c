"""All settings of Assay, read once from the environment.

Every value is typed and checked while reading: a value nobody defined stops the process with a sentence.
Secrets may stand in files (NAME_FILE). A database address that is missing is an error when that role is
used, not before, so that checks and code generation run without a server.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from config.env import Environment, SettingError

env = Environment(os.environ)
BASE_DIR = Path(__file__).resolve().parent.parent

# --- What this installation is ------------------------------------------------------------------------------
DEMO = env.flag("DEMO", default=False)
DEBUG = env.flag("DEBUG", default=False)
PUBLIC_URL = env.web_address("PUBLIC_URL", "http://127.0.0.1:8000")
ORGANISATION = env.text("ORGANISATION", "Aozora Financial Group" if DEMO else "")
DATA_DIR = env.path("DATA_DIR", BASE_DIR / ".runtime")
_public = urlsplit(PUBLIC_URL)
_loopback = _public.hostname in {"127.0.0.1", "localhost", "::1"}
_https = _public.scheme == "https"
if DEMO and not _loopback:
    raise SettingError("DEMO logs anybody in, so it is allowed only while PUBLIC_URL is a loopback address.")
if DEBUG and not _loopback:
    raise SettingError("DEBUG shows internals, so it is allowed only while PUBLIC_URL is a loopback address.")

# --- Databases: one alias for each role ---------------------------------------------------------------------
_ALIAS_OF_ROLE = {
    "app": "default",
    "owner": "owner",
    "signer": "signer",
    "reader": "reader",
    "admin": "admin",
}
_STATEMENT_TIMEOUT = env.seconds("DATABASE_STATEMENT_TIMEOUT", default=30, high=3600)
_ROLE_PREFIX = env.text("DATABASE_ROLE_PREFIX", "assay")
# The ledger's own statements are prepared once a connection: planning them costs more than running them. Off for a
# pooler that hands each transaction another connection and cannot prepare.
_PREPARE = env.flag("DATABASE_PREPARE", default=True)
# Connections live for minutes and are probed before reuse: opening one costs eight times an insert.
_CONN_MAX_AGE = env.integer("DATABASE_CONN_MAX_AGE", default=300, low=0, high=86_400)


def _database(role: str) -> dict[str, Any]:
    variable = "DATABASE_URL" if role == "app" else f"DATABASE_{role.upper()}_URL"
    url = env.database(variable)
    if url is None:
        user = f"{_ROLE_PREFIX}_{role}"
        return {"ENGINE": "config.unset_database", "NAME": "unset", "USER": user, "VARIABLE": variable}
    options = ["-c lock_timeout=10s", "-c idle_in_transaction_session_timeout=120s"]
    if role in {"app", "signer", "reader"}:
        options.append(f"-c statement_timeout={int(_STATEMENT_TIMEOUT.total_seconds())}s")
    if _PREPARE:
        options.append("-c plan_cache_mode=force_generic_plan")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.name,
        "USER": url.user,
        "PASSWORD": url.password,
        "HOST": url.host,
        "PORT": url.port,
        "CONN_MAX_AGE": _CONN_MAX_AGE,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 10,
            "prepare_threshold": 5 if _PREPARE else None,
            "options": " ".join(options),
            **url.options,
        },
    }


DATABASES = {alias: _database(role) for role, alias in _ALIAS_OF_ROLE.items()}
# Names that migrations grant to; a process that migrates need not hold the other roles' passwords.
DATABASE_ROLES = {role: str(DATABASES[alias]["USER"]) for role, alias in _ALIAS_OF_ROLE.items()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The log ------------------------------------------------------------------------------------------------
LEDGER_ORIGIN = env.text("LEDGER_ORIGIN", "assay.example/demo" if DEMO else "")
LEDGER_HMAC_KEY = env.hex_key("LEDGER_HMAC_KEY", length=32)
LEDGER_VKEY = env.text("LEDGER_VKEY", "")
SIGNER_STATE_DIR = env.path("SIGNER_STATE_DIR", DATA_DIR / "signer")
USAGE_WINDOW = env.seconds("USAGE_WINDOW", default=10 if DEMO else 300)
HARDWARE_WINDOW = env.seconds("HARDWARE_WINDOW", default=10 if DEMO else 900)
# How often due windows are looked for; a window waits a fifth of its length for what is late (2 s to 2 min).
SEAL_PERIOD = env.seconds("SEAL_PERIOD", default=2 if DEMO else 60)
SELF_CHECK_PERIOD = env.seconds("SELF_CHECK_PERIOD", default=5 if DEMO else 60)
# In this time every entry and every section is hashed again at least once; each run does its part of it.
SELF_CHECK_FULL_PERIOD = env.seconds("SELF_CHECK_FULL_PERIOD", default=7200 if DEMO else 86_400, high=31 * 86_400)
# Comparisons of tables above the ledger with the ledger: audit may not import them, so they are named here.
SELF_CHECK_COMPARISONS = [
    "governance.queries.reconciling.reconcile_slice",
    "audit.windows.contradictions",
    "audit.queries.memberships.contradictions",
]
COLLECT_PERIOD = env.seconds("COLLECT_PERIOD", default=1 if DEMO else 5)
# Private networks that collectors may reach; none by default, since they can reach what a browser cannot.
COLLECT_ALLOWED_NETWORKS = env.networks("COLLECT_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128" if DEMO else "")
# Addresses that model files may be fetched from, by prefix; none by default. docs/imports.md says how they are written.
IMPORT_URLS = env.words("IMPORT_URLS")
REPORT_PERIOD = env.seconds("REPORT_PERIOD", default=10 if DEMO else 30)
FOLLOW_PERIOD = env.seconds("FOLLOW_PERIOD", default=2 if DEMO else 5)
# How often it is recorded what is past its time; answers go by the clock and do not wait for it.
SWEEP_PERIOD = env.seconds("SWEEP_PERIOD", default=10 if DEMO else 60)
# How often approvals that stand are held against what they stand on: standings, evidence, tiers, grants, oversight.
REAPPROVE_PERIOD = env.seconds("REAPPROVE_PERIOD", default=10 if DEMO else 60)
# Where the log is published as static files, for everybody: a folder, a bucket, or nowhere (None).
PUBLISH_TO = env.place("PUBLISH_TO", DATA_DIR / "public" if DEMO else None)
PUBLISH_PERIOD = env.seconds("PUBLISH_PERIOD", default=2 if DEMO else 10)
S3_ENDPOINT_URL = env.web_address("S3_ENDPOINT_URL", "") if env.text("S3_ENDPOINT_URL", "") else ""

# What people outside are told, once each: that signing stopped, that entries wait, and each day's first checkpoint.
NOTIFY_MAIL_TO = env.words("NOTIFY_MAIL_TO")
NOTIFY_MAIL_FROM = env.text("NOTIFY_MAIL_FROM", f"assay@{_public.hostname}")
NOTIFY_WEBHOOK_URL = env.endpoint("NOTIFY_WEBHOOK_URL")
NOTIFY_WEBHOOK_SECRET = env.secret("NOTIFY_WEBHOOK_SECRET")
NOTIFY_PERIOD = env.seconds("NOTIFY_PERIOD", default=5 if DEMO else 15)
NOTIFY_SILENT_AFTER = env.seconds("NOTIFY_SILENT_AFTER", default=300)
DAILY_CHECKPOINT_TO = env.path("DAILY_CHECKPOINT_TO", Path()) if env.text("DAILY_CHECKPOINT_TO", "") else None
_mail = env.mail_server("EMAIL_URL")
if NOTIFY_MAIL_TO and _mail is None:
    raise SettingError("NOTIFY_MAIL_TO needs EMAIL_URL, the server that takes the mail: smtps://user:password@host.")
if NOTIFY_WEBHOOK_URL and len(NOTIFY_WEBHOOK_SECRET) < 16:
    raise SettingError("NOTIFY_WEBHOOK_URL needs NOTIFY_WEBHOOK_SECRET, 16 characters or more: it signs each request.")
if _mail is not None:
    EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.host, _mail.port, _mail.user, _mail.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls
EMAIL_TIMEOUT = 10

# What people are told by mail goes through the same server; without one they are told in the app alone.
MAIL_SERVER_SET = _mail is not None
DIGEST_HOUR = env.integer("DIGEST_HOUR", default=7, low=0, high=23)
# Private networks that webhooks may reach, also by plain http; none by default: an address is typed by a person.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128" if DEMO else "")

# What the ledger's pages call the subjects of apps above it, which audit may not import: app.Model.field by kind.
LEDGER_NAMES = {
    "adapter": "governance.Adapter.name",
    "agent": "governance.Agent.name",
    "classification": "governance.Classification.use_case__name",
    "comparison": "governance.Comparison.title",
    "decision": "governance.Decision.request__deployment__name",
    "deployment": "governance.Deployment.name",
    "gpu_model": "governance.GpuModel.name",
    "gpu_pool": "governance.GpuPool.name",
    "model": "governance.Model.name",
    "model_version": "governance.ModelVersion.model__name",
    "model_artefact": "governance.ModelArtefact.name",
    "model_relation": "governance.ModelRelation.parent_name",
    "quantisation": "governance.Quantisation.model_version__model__name",
    "request": "governance.ApprovalRequest.deployment__name",
    "revision": "governance.Revision.deployment__name",
    "use_case": "governance.UseCase.name",
    "dataset": "governance.Dataset.name",
    "dataset_version": "governance.DatasetVersion.dataset__name",
    "dataset_use": "governance.DatasetUse.dataset_version__dataset__name",
    "metric_threshold": "governance.MetricThreshold.metric",
    "evaluation_run": "governance.EvaluationRun.model_version__model__name",
    "metric": "governance.Metric.name",
    "evidence": "governance.Evidence.title",
    "evidence_revocation": "governance.EvidenceRevocation.evidence__title",
    "webhook": "governance.WebhookEndpoint.name",
}

# The small process that serves captured exporter pages to the demo's collectors.
DEMO_EXPORTER_URL = env.web_address("DEMO_EXPORTER_URL", "http://127.0.0.1:9400")

# Django itself refuses an empty SECRET_KEY, with its own sentence, as soon as something needs it.
SECRET_KEY = env.secret("SECRET_KEY")
# Earlier ones, by spaces or one a line: they still open the secrets of webhooks and the sessions that they closed.
SECRET_KEY_FALLBACKS = env.secret("SECRET_KEY_FALLBACKS").split()
_serves = DATABASES["default"]["ENGINE"] != "config.unset_database"
if _serves and not (SECRET_KEY and LEDGER_ORIGIN and LEDGER_HMAC_KEY and LEDGER_VKEY):
    raise SettingError(
        "With DATABASE_URL set, SECRET_KEY, LEDGER_ORIGIN, LEDGER_HMAC_KEY and LEDGER_VKEY are needed too."
    )

# --- Web ----------------------------------------------------------------------------------------------------
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ALLOWED_HOSTS = sorted({_public.hostname or "", *env.words("ALLOWED_HOSTS"), *(["localhost"] if _loopback else [])})
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
INSTALLED_APPS = [
    *(["demo"] if DEMO else []),
    "reports",
    "governance",
    "audit",
    "config.apps.DeskConfig",
    "config.apps.AssayAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.refusals.refuse_nul",
    "config.publiclog.answer_plainly",
    "config.forpages.Sessions",
    "config.forpages.Languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.forpages.People",
    "config.forpages.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.forpages.ContentPolicy",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_REFERRER_POLICY = "same-origin"
# Believed only when the operator says that a proxy which overwrites the header stands in front.
BEHIND_TLS_PROXY = env.flag("BEHIND_TLS_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 8 * 3600
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# With STATIC_ROOT (after `manage.py collectstatic`) files get names for ever-caching; without, they are
# found in place.
STATIC_ROOT = env.path("STATIC_ROOT", Path()) if env.text("STATIC_ROOT", "") else None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- People, languages --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "audit.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
TIME_ZONE = "UTC"
USE_TZ = USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"

# --- REST ---------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "audit.access.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "audit.api.errors.handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Assay",
    "DESCRIPTION": "AI governance desk and tamper-evident ledger.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "RequestStateEnum": "governance.api.shapes.STATES",
        "ToolKindEnum": "governance.api.agentinputs.TOOL_KINDS",
        "StandingStateEnum": "governance.models.standing.Standing.State",
        "NotificationWayEnum": ["at_once", "digest", "none"],
    },
}

# --- Background work: messages carry ids, PostgreSQL is the queue of record ---------------------------------
REDIS_URL = env.redis("REDIS_URL")
CELERY_BROKER_URL = (
    # kombu has its own word for a socket: redis+socket://PATH?virtual_host=N
    REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A message of a killed worker comes back after visibility_timeout, looked for every interval x throttle
    # seconds. It is above the longest task, or a task would run twice while its first run still works.
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 5,
    "socket_timeout": 30,
    "max_retries": 3,
    "interval_start": 0.2,
    "interval_max": 1,
    "global_keyprefix": env.text("REDIS_PREFIX", "assay:"),
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 3,
    "interval_start": 0.2,
    "interval_step": 0.2,
    "interval_max": 1,
}
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT, CELERY_TASK_SOFT_TIME_LIMIT = 240, 200
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "assay"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    # A message that waited longer than its period is dropped: the next one does the same work.
    task: {"task": task, "schedule": period, "options": {"expires": max(period.total_seconds(), 5)}}
    for task, period in {
        "audit.tasks.collect": COLLECT_PERIOD,
        "audit.tasks.seal_windows": SEAL_PERIOD,
        "audit.tasks.self_check": SELF_CHECK_PERIOD,
        "audit.tasks.record_acts": FOLLOW_PERIOD,
        "audit.tasks.notify": NOTIFY_PERIOD,
        "audit.tasks.count_refusals": SEAL_PERIOD,
        "governance.tasks.follow_log": FOLLOW_PERIOD,
        "governance.tasks.sweep": SWEEP_PERIOD,
        "governance.tasks.reapprove": REAPPROVE_PERIOD,
        "governance.tasks.advance_imports": REPORT_PERIOD,
        "governance.tasks.index_log": FOLLOW_PERIOD,
        "governance.tasks.follow_notices": FOLLOW_PERIOD,
        "governance.tasks.sweep_notices": SWEEP_PERIOD,
        "governance.tasks.send_mails": NOTIFY_PERIOD,
        "governance.tasks.deliver_webhooks": NOTIFY_PERIOD,
        "reports.tasks.advance": REPORT_PERIOD,
    }.items()
}

# --- Logs go to standard error; the process manager keeps them ----------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("LOG_LEVEL", choices=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO"),
    },
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # One line a request of ours would drown what the collectors and the demo have to say.
        "httpx": {"level": "WARNING"},
    },
}
