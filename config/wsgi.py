"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()


def refuse_unprotected() -> None:
    """Do not serve a database that no longer refuses changes of the ledger. Until it answers, requests say 503.

    Raises:
        audit.checks.LedgerUnprotected: with everything that is wrong.
    """
    from audit.checks import require_protection_at_start  # needs the loaded applications

    require_protection_at_start()


refuse_unprotected()
