"""What an approval relies on."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.approvals import ApprovalRequest
from governance.models.evidencing import Evidence


class RequestEvidence(models.Model):
    """Evidence that a request relies on, as it was when it was submitted. Insert-only.

    `digest` is what the request's decision digest holds of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="relied_on", verbose_name=_("request")
    )
    evidence = models.ForeignKey(
        Evidence, on_delete=models.PROTECT, related_name="requests", verbose_name=_("evidence")
    )
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    digest = models.CharField(_("digest"), max_length=64)
    standing = models.CharField(_("standing"), max_length=20)

    class Meta:
        db_table = "request_evidence"
        verbose_name = _("evidence relied on")
        verbose_name_plural = _("evidence relied on")
        constraints = [
            models.UniqueConstraint(fields=["request", "evidence"], name="request_evidence_once"),
            models.CheckConstraint(
                name="request_evidence_digests_are_sha256",
                condition=Q(sha256__regex="^[0-9a-f]{64}$", digest__regex="^[0-9a-f]{64}$"),
            ),
            models.CheckConstraint(
                name="request_evidence_stood", condition=Q(standing__in=["valid", "expires_soon", "superseded"])
            ),
        ]

    def __str__(self) -> str:
        return self.sha256
