"""Whether exactly what a request asked for can be asked for again, following it."""

from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from governance.models import ApprovalRequest
from governance.queries.rights import Viewer, why_not_request

RENEW_DAYS: Final = 30
"""From how many days before its end on an approval may be asked for again unchanged."""

_State = ApprovalRequest.State


def why_not_again(request: ApprovalRequest, who: Viewer | None, now: datetime) -> str:
    """Why the configuration of `request` cannot be asked for again; empty when it can.

    Args:
        who: the log-in that asks; None for a service account.
    """
    refusal = why_not_request(who) if who is not None else ""
    if refusal:
        return refusal
    if request.state == _State.OPEN:
        return _("This request is still open.")
    waiting = ApprovalRequest.objects.filter(deployment=request.deployment_id, state=_State.OPEN).first()
    if waiting is not None:
        return _("%(ref)s is still open for this deployment.") % {"ref": waiting.ref}
    if request.deployment.approved_revision_id != request.revision_id:
        return ""
    if request.state != _State.APPROVED:
        return _("Exactly this is approved already, by another request.")
    if request.valid_until is None or request.valid_until - timedelta(days=RENEW_DAYS) > now:
        return _("This approval stands; it can be renewed in its last %(days)s days.") % {"days": RENEW_DAYS}
    return ""
