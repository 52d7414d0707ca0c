"""Tools that agents call, and their versions."""

import uuid
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

SHA256: Final = "^[0-9a-f]{64}$"


class Tool(models.Model):
    """Something an agent may call, by the name that calls carry. What it does stands in its versions."""

    class Kind(models.TextChoices):
        MCP = "mcp", _("MCP server")
        HTTP = "http", _("HTTP address")
        FUNCTION = "function", _("function")
        SHELL = "shell", _("shell command")
        DB = "db", _("database")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    endpoint = models.CharField(_("endpoint"), max_length=500, blank=True)
    owner = models.ForeignKey("audit.Person", on_delete=models.PROTECT, related_name="tools", verbose_name=_("owner"))
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "tool"
        verbose_name = _("tool")
        verbose_name_plural = _("tools")
        constraints = [
            models.CheckConstraint(
                name="tool_kind_known", condition=Q(kind__in=["mcp", "http", "function", "shell", "db"])
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ToolVersion(models.Model):
    """What a tool does in one release, and whether it can be undone. The newest one counts. Insert-only."""

    class Reversibility(models.TextChoices):
        READ_ONLY = "read_only", _("reads only")
        REVERSIBLE = "reversible", _("reversible")
        EXTERNALLY_REVERSIBLE = "externally_reversible", _("reversible by others")
        IRREVERSIBLE = "irreversible", _("irreversible")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="versions", verbose_name=_("tool"))
    number = models.PositiveIntegerField(_("number"))
    version = models.CharField(_("version"), max_length=100)
    schema_sha256 = models.CharField(_("SHA-256 of the schema"), max_length=64, blank=True)
    reversibility = models.CharField(_("reversibility"), max_length=30, choices=Reversibility)
    side_effects = models.CharField(_("side effects"), max_length=1000, blank=True)
    data_classes = ArrayField(models.CharField(max_length=100), verbose_name=_("data classes"), default=list)
    description = models.CharField(_("description"), max_length=2000, blank=True)
    registered_by = models.CharField(_("registered by"), max_length=100)
    registered_at = models.DateTimeField(_("registered"))

    class Meta:
        db_table = "tool_version"
        verbose_name = _("tool version")
        verbose_name_plural = _("tool versions")
        constraints = [
            models.UniqueConstraint(fields=["tool", "number"], name="tool_version_numbered_once"),
            models.UniqueConstraint(fields=["tool", "version"], name="tool_version_named_once"),
            models.CheckConstraint(
                name="tool_version_reversibility_known",
                condition=Q(reversibility__in=["read_only", "reversible", "externally_reversible", "irreversible"]),
            ),
            models.CheckConstraint(
                name="tool_version_schema_is_sha256",
                condition=Q(schema_sha256="") | Q(schema_sha256__regex=SHA256),
            ),
            models.CheckConstraint(
                name="tool_version_says_its_side_effects",
                condition=Q(reversibility="read_only") | ~Q(side_effects=""),
            ),
        ]

    def __str__(self) -> str:
        return self.version
