"""The WSGI application that gunicorn serves."""

import logging
import os

from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()


def refuse_unprotected() -> None:
    """Do not serve a database that no longer refuses changes of the ledger.

    A database that does not answer yet is no reason to end: requests say 503 until it does, and the self-check
    looks at the guards every few seconds.

    Raises:
        audit.checks.LedgerUnprotected: with everything that is wrong.
    """
    from audit.checks import require_protection  # needs the loaded applications

    try:
        require_protection()
    except DatabaseError as error:
        logging.getLogger(__name__).warning("the database does not answer at the start: %s", error)
    finally:
        connections.close_all()


refuse_unprotected()
