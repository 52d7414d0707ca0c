"""Settings of a peer's process: PEER names it, DATABASE_URL its own database."""

import os
from urllib.parse import parse_qs, unquote, urlsplit

PEER = os.environ["PEER"]

_url = urlsplit(os.environ["DATABASE_URL"])

SECRET_KEY = "bench"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    *{
        "none": (),
        "django-auditlog": ("auditlog",),
        "django-simple-history": ("simple_history",),
        "django-pghistory": ("pgtrigger", "pghistory"),
    }[PEER],
    "bench.peers",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.removeprefix("/"),
        "USER": unquote(_url.username or ""),
        "PASSWORD": unquote(_url.password or ""),
        "HOST": _url.hostname or parse_qs(_url.query).get("host", [""])[0],
        "PORT": _url.port or "",
        "CONN_MAX_AGE": None,
    }
}
# The models of this package have no migrations, so their triggers are installed by `pgtrigger install`.
MIGRATION_MODULES = {"peers": None}
