"""The project itself as an app: management commands, the Celery application, the admin's own site."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class DeskConfig(AppConfig):
    """Loads the Celery application, so that tasks of every process publish to the configured broker."""

    default = False
    name = "config"

    def ready(self) -> None:
        import_module("config.celery")


class AssayAdminConfig(AdminConfig):
    """The stock admin with our own site object."""

    default = False
    default_site = "config.site.AssaySite"

    def ready(self) -> None:
        super().ready()
        # Pools are groups, known by name: a page that renames one would decide who decides, without an entry.
        from django.contrib.admin import site
        from django.contrib.auth.models import Group

        site.unregister(Group)
