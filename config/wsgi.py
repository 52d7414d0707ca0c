"""The WSGI application that gunicorn serves."""

import os
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from config.shortway import ShortWay

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_site = get_wsgi_application()


def keep_one_connection() -> None:
    """Forget the databases of other roles: the web server speaks as the app alone, whatever it was told, and Django
    goes through every one it knows three times a request. In every thread of this process: a test does not import this.
    """
    from django.db import DEFAULT_DB_ALIAS, connections  # needs settings

    for alias in set(connections) - {DEFAULT_DB_ALIAS}:
        del connections.settings[alias]


def refuse_unprotected() -> None:
    """Do not serve a database that no longer refuses changes of the ledger. Until it answers, requests say 503.

    Raises:
        audit.checks.LedgerUnprotected: with everything that is wrong.
    """
    from audit.checks import require_protection_at_start  # needs the loaded applications

    require_protection_at_start()


def with_short_way() -> "ShortWay":
    """The site behind the short way for events."""
    from config.shortway import ShortWay  # needs the loaded applications

    return ShortWay(_site)


keep_one_connection()
refuse_unprotected()
application = with_short_way()
