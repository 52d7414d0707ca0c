"""Who may write and who may look: people, sources, service accounts and their tokens."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Person(models.Model):
    """A human being. The ledger knows only the id; the name is a profile that can be erased."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    display_name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"), blank=True)

    class Meta:
        db_table = "person"
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.display_name


class User(AbstractUser):
    """A log-in. Two log-ins of one person are one person wherever four eyes are asked for."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="users")
    decisions_suspended_at = models.DateTimeField(_("decisions suspended"), null=True, blank=True)
    suspended_because = models.CharField(_("suspended because"), max_length=20, blank=True, db_default="", default="")
    suspended_by = models.ForeignKey("self", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    confirmed_by = models.ForeignKey("self", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    password_set_by_other_at = models.DateTimeField(_("password set by somebody else"), null=True, blank=True)
    row_version = models.IntegerField(default=1, db_default=1)

    REQUIRED_FIELDS = ["person"]

    class Meta:
        db_table = "account"
        verbose_name = _("log-in")
        verbose_name_plural = _("log-ins")
        constraints = [
            models.CheckConstraint(
                name="account_suspended_for_a_cause",
                condition=models.Q(decisions_suspended_at__isnull=True, suspended_because="")
                | models.Q(
                    decisions_suspended_at__isnull=False,
                    suspended_because__in=["reset", "reopened"],
                ),
            ),
        ]

    @property
    def actor(self) -> str:
        """How this log-in's person is named in the ledger."""
        return f"person:{self.person_id}"


class Source(models.Model):
    """A system that records events: its credential decides the source, never the payload."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=500, blank=True)

    class Meta:
        db_table = "source"
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.name


class ServiceAccount(models.Model):
    """The identity a pipeline acts under; a person answers for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="service_accounts")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="service_accounts")

    class Meta:
        db_table = "service_account"
        verbose_name = _("service account")
        verbose_name_plural = _("service accounts")

    def __str__(self) -> str:
        return self.name


class Token(models.Model):
    """A bearer token of a service account. Only the SHA-256 of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    prefix = models.CharField(_("prefix"), max_length=8, unique=True)
    digest = models.BinaryField(max_length=32, editable=False)
    service_account = models.ForeignKey(ServiceAccount, on_delete=models.PROTECT, related_name="tokens")
    scopes = models.JSONField(_("scopes"), default=list)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    networks = models.JSONField(_("networks"), default=list, db_default=models.Value([], models.JSONField()))
    rotated_from = models.ForeignKey("self", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    row_version = models.IntegerField(default=1, db_default=1)

    class Meta:
        db_table = "token"
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        constraints = [
            models.CheckConstraint(
                name="token_expires_after_creation",
                condition=models.Q(expires_at__gt=models.F("created_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.prefix


class TokenDay(models.Model):
    """That a token was used on a day: the first use of each day is an entry, the rest is noise."""

    pk = models.CompositePrimaryKey("token_id", "day")
    token = models.ForeignKey(Token, on_delete=models.PROTECT)
    day = models.DateField()

    class Meta:
        db_table = "token_day"
