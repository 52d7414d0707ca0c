"""The baseline of `ingest_single_vs_view`: a plain Django view that inserts one row a request."""

import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from config.env import Environment


def _configure() -> None:
    url = Environment(os.environ).database("DATABASE_URL")
    if url is None:
        raise SystemExit("DATABASE_URL is not set: start this through ./quickstart bench.")
    settings.configure(
        SECRET_KEY="bench",
        ROOT_URLCONF="bench.plain.urls",
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=["bench.plain"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": url.name,
                "USER": url.user,
                "PASSWORD": url.password,
                "HOST": url.host,
                "PORT": url.port,
                "CONN_MAX_AGE": 300,
            }
        },
    )
    django.setup()


_configure()


application = WSGIHandler()
