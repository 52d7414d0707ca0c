"""Health of the installation for whoever watches it: no log-in, no names, no content."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit import publishing
from audit.queries.protection import protection
from audit.queries.pulse import Pulse, pulse


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while entries are taken and signed; 503 when signing stopped, a guard is gone or the database is."""
    now = timezone.now()
    try:
        found = report(pulse(now=now), protection().fallen, now) | {"published": published(now)}
    except DatabaseError:
        found = {"status": "broken", "database": "unreachable"}
    return JsonResponse(found, status=200 if found["status"] in {"ok", "behind"} else 503)


def published(now: datetime) -> dict[str, Any] | None:
    """How publishing goes, as far as this machine can tell; None where it is off or its publisher is elsewhere.

    `state`: ok, unreachable (the store or the database) or refused (what is out contradicts the log).
    `age_seconds`: since the publisher last looked; more than a few PUBLISH_PERIOD say that it does not run.
    """
    status = publishing.read_status(settings.DATA_DIR / publishing.FILE) if settings.PUBLISH_TO else None
    if status is None:
        return None
    age = round((now - status.at).total_seconds(), 1)
    return {"state": status.state, "size": status.size, "age_seconds": age}


def report(state: Pulse, missing: tuple[str, ...], now: datetime) -> dict[str, Any]:
    """The answer as plain values.

    `reason`: why signing stopped, as a class without content: "alarm", "contradiction" or empty.
    `status`: ok; behind (entries wait for the signer); frozen (an alarm stands or the signer stopped for
    good); broken (the database no longer refuses changes of the ledger).
    """
    running = "ok" if state.state == "empty" else state.state
    return {
        "status": "broken" if missing else running,
        "database": "reachable",
        "triggers": {"standing": not missing, "fallen": list(missing)},
        "reason": state.why_stopped,
        "signer": {"frozen": "stopped", "behind": "behind"}.get(state.state, "signing"),
        "entries": state.size,
        "unsigned": state.unsigned,
        "checkpoint": {
            "size": state.signed_size,
            "age_seconds": round((now - state.signed_at).total_seconds(), 1) if state.signed_at else None,
        },
        "alarms": len(state.alarms),
        "more_alarms": state.more_alarms,
    }
