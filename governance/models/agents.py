"""Agents with their versions, the tools they were granted, and when a grant ended."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance.models.deployments import Deployment
from governance.models.tools import SHA256, ToolVersion


class Agent(models.Model):
    """A program that acts by a model; a person answers for it. `autonomy` is what it was registered with."""

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


class AgentVersion(models.Model):
    """What an agent is allowed to be, from one release to the next. The newest one counts. Insert-only.

    `digest` is the SHA-256 of `content`: see `governance.operations.agentversions`. A budget that is null has no
    limit.
    """

    class Memory(models.TextChoices):
        NONE = "none", _("keeps nothing")
        SESSION = "session", _("for one session")
        PERSISTENT = "persistent", _("for ever")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="versions", verbose_name=_("agent"))
    number = models.PositiveIntegerField(_("number"))
    version = models.CharField(_("version"), max_length=100)
    autonomy = models.CharField(_("autonomy"), max_length=30, choices=Agent.Autonomy)
    description = models.CharField(_("description"), max_length=2000, blank=True)
    system_prompt_sha256 = models.CharField(_("SHA-256 of the system prompt"), max_length=64, blank=True)
    memory = models.CharField(_("memory"), max_length=20, choices=Memory)
    models_allowed = ArrayField(models.UUIDField(), verbose_name=_("model versions allowed"), default=list)
    delegates_to = ArrayField(models.UUIDField(), verbose_name=_("may delegate to"), default=list)
    max_steps = models.BigIntegerField(_("steps of a run"), null=True, blank=True)
    max_tokens = models.BigIntegerField(_("tokens of a run"), null=True, blank=True)
    max_reasoning_tokens = models.BigIntegerField(_("reasoning tokens of a run"), null=True, blank=True)
    max_wall_seconds = models.BigIntegerField(_("seconds of a run"), null=True, blank=True)
    max_cost = models.DecimalField(_("cost of a run"), max_digits=14, decimal_places=4, null=True, blank=True)
    cost_currency = models.CharField(_("currency"), max_length=3, blank=True)
    sponsor = models.ForeignKey(
        "audit.Person", on_delete=models.PROTECT, related_name="sponsored_agents", verbose_name=_("sponsor")
    )
    kill_switch_declared = models.BooleanField(_("can be stopped at once"))
    kill_switch = models.CharField(_("how it is stopped"), max_length=1000, blank=True)
    content = models.TextField(_("content"))
    digest = models.CharField(_("digest"), max_length=64)
    registered_by = models.CharField(_("registered by"), max_length=100)
    registered_at = models.DateTimeField(_("registered"))

    class Meta:
        db_table = "agent_version"
        verbose_name = _("agent version")
        verbose_name_plural = _("agent versions")
        constraints = [
            models.UniqueConstraint(fields=["agent", "number"], name="agent_version_numbered_once"),
            models.UniqueConstraint(fields=["agent", "version"], name="agent_version_named_once"),
            models.CheckConstraint(name="agent_version_digest_is_sha256", condition=Q(digest__regex=SHA256)),
            models.CheckConstraint(
                name="agent_version_prompt_is_sha256",
                condition=Q(system_prompt_sha256="") | Q(system_prompt_sha256__regex=SHA256),
            ),
            models.CheckConstraint(
                name="agent_version_autonomy_known",
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
            models.CheckConstraint(
                name="agent_version_memory_known", condition=Q(memory__in=["none", "session", "persistent"])
            ),
            models.CheckConstraint(
                name="agent_version_cost_has_currency",
                condition=Q(max_cost__isnull=True, cost_currency="")
                | Q(max_cost__gte=0, cost_currency__regex="^[A-Z]{3}$"),
            ),
            models.CheckConstraint(
                name="agent_version_budgets_not_negative",
                condition=(Q(max_steps__isnull=True) | Q(max_steps__gte=0))
                & (Q(max_tokens__isnull=True) | Q(max_tokens__gte=0))
                & (Q(max_reasoning_tokens__isnull=True) | Q(max_reasoning_tokens__gte=0))
                & (Q(max_wall_seconds__isnull=True) | Q(max_wall_seconds__gte=0)),
            ),
            models.CheckConstraint(
                name="agent_version_says_how_it_stops",
                condition=Q(kill_switch_declared=False) | ~Q(kill_switch=""),
            ),
        ]

    def __str__(self) -> str:
        return self.version


class ToolGrant(models.Model):
    """That an agent may call a tool; `read_only` covers no call with side effects. Insert-only.

    Of several grants of one tool to one agent the one with the highest `number` counts, until it expires or is
    revoked; an older one never comes back.
    """

    class Reversibility(models.TextChoices):
        READ_ONLY = "read_only", _("reads only")
        REVERSIBLE = "reversible", _("reversible")
        EXTERNALLY_REVERSIBLE = "externally_reversible", _("reversible by others")
        IRREVERSIBLE = "irreversible", _("irreversible")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="grants", verbose_name=_("agent"))
    tool = models.CharField(_("tool"), max_length=200)
    number = models.PositiveIntegerField(_("number"), default=1)
    reversibility = models.CharField(_("reversibility"), max_length=30, choices=Reversibility)
    agent_version = models.ForeignKey(
        AgentVersion,
        on_delete=models.PROTECT,
        related_name="grants",
        null=True,
        blank=True,
        verbose_name=_("agent version"),
    )
    tool_version = models.ForeignKey(
        ToolVersion,
        on_delete=models.PROTECT,
        related_name="grants",
        null=True,
        blank=True,
        verbose_name=_("tool version"),
    )
    scopes = ArrayField(models.CharField(max_length=200), verbose_name=_("scopes"), default=list)
    parameter_constraints = models.TextField(_("constraints of its parameters"), default="", blank=True)
    requires_human = models.BooleanField(_("each call needs a person"), default=False)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    granted_by = models.CharField(_("granted by"), max_length=100)
    granted_at = models.DateTimeField(_("granted"))

    class Meta:
        db_table = "tool_grant"
        verbose_name = _("tool grant")
        verbose_name_plural = _("tool grants")
        constraints = [
            models.UniqueConstraint(fields=["agent", "tool", "number"], name="tool_grant_numbered_once"),
            models.CheckConstraint(
                name="tool_grant_reversibility_known",
                condition=Q(reversibility__in=["read_only", "reversible", "externally_reversible", "irreversible"]),
            ),
            models.CheckConstraint(
                name="tool_grant_ends_after_it_begins",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=models.F("granted_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.tool


class ToolGrantRevocation(models.Model):
    """That a grant ended before its time, and why. Insert-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grant = models.OneToOneField(
        ToolGrant, on_delete=models.PROTECT, related_name="revocation", verbose_name=_("tool grant")
    )
    reason = models.CharField(_("reason"), max_length=1000)
    revoked_by = models.CharField(_("revoked by"), max_length=100)
    revoked_at = models.DateTimeField(_("revoked"))

    class Meta:
        db_table = "tool_grant_revocation"
        verbose_name = _("end of a tool grant")
        verbose_name_plural = _("ends of tool grants")

    def __str__(self) -> str:
        return self.reason
