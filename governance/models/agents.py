"""Agents, and the tools they were granted."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.deployments import Deployment


class Agent(models.Model):
    """A program that acts by a model; a person answers for it."""

    class Autonomy(models.TextChoices):
        SUGGEST = "suggest", _("suggests")
        ACT_WITH_APPROVAL = "act_with_approval", _("acts with approval")
        ACT_WITH_CHECKPOINTS = "act_with_checkpoints", _("acts with checkpoints")
        AUTONOMOUS_BOUNDED = "autonomous_bounded", _("autonomous within bounds")
        AUTONOMOUS = "autonomous", _("autonomous")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    purpose = models.CharField(_("purpose"), max_length=1000)
    owner = models.ForeignKey("audit.Person", on_delete=models.PROTECT, related_name="agents", verbose_name=_("owner"))
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="agents", verbose_name=_("deployment")
    )
    autonomy = models.CharField(_("autonomy"), max_length=30, choices=Autonomy)
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "agent"
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints = [
            models.CheckConstraint(
                name="agent_autonomy_known",
                condition=Q(
                    autonomy__in=[
                        "suggest",
                        "act_with_approval",
                        "act_with_checkpoints",
                        "autonomous_bounded",
                        "autonomous",
                    ]
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ToolGrant(models.Model):
    """That an agent may call a tool; `read_only` covers no call with side effects. Insert-only."""

    class Reversibility(models.TextChoices):
        READ_ONLY = "read_only", _("reads only")
        REVERSIBLE = "reversible", _("reversible")
        EXTERNALLY_REVERSIBLE = "externally_reversible", _("reversible by others")
        IRREVERSIBLE = "irreversible", _("irreversible")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="grants", verbose_name=_("agent"))
    tool = models.CharField(_("tool"), max_length=200)
    reversibility = models.CharField(_("reversibility"), max_length=30, choices=Reversibility)
    granted_by = models.CharField(_("granted by"), max_length=100)
    granted_at = models.DateTimeField(_("granted"))

    class Meta:
        db_table = "tool_grant"
        verbose_name = _("tool grant")
        verbose_name_plural = _("tool grants")
        constraints = [
            models.UniqueConstraint(fields=["agent", "tool"], name="tool_granted_once"),
            models.CheckConstraint(
                name="tool_grant_reversibility_known",
                condition=Q(reversibility__in=["read_only", "reversible", "externally_reversible", "irreversible"]),
            ),
        ]

    def __str__(self) -> str:
        return self.tool
