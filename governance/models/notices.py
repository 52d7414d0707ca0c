"""What people and systems are told: notifications, how each person wants them, and webhooks with their deliveries.

None of it is evidence but the endpoints, whose changes are entries; what is told points at an entry or a page.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Notification(models.Model):
    """One matter that one person is told of, once: (person, kind, subject, scope) is what it is told once for.

    `params` is JSON with what the sentence needs, a ref or a number of days; never a reason or a decision.
    `mail` is where it stands on its way by mail; a row of `at_once` with attempts is being sent or was tried.
    """

    class Mail(models.TextChoices):
        NONE = "none", _("not sent")
        AT_ONCE = "at_once", _("sent at once")
        DIGEST = "digest", _("in the daily digest")
        SENT = "sent", _("sent")
        DEAD = "dead", _("given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey("audit.Person", on_delete=models.PROTECT, related_name="notifications")
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=100)
    scope = models.CharField(max_length=40, blank=True)
    entry_index = models.BigIntegerField(null=True, blank=True)
    params = models.TextField()
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=10, choices=Mail, default=Mail.NONE)
    mail_attempts = models.PositiveIntegerField(default=0)
    mail_next_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "notification"
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["person", "kind", "subject", "scope"], name="notification_told_once"),
            models.CheckConstraint(
                name="notification_mail_known", condition=Q(mail__in=["none", "at_once", "digest", "sent", "dead"])
            ),
            models.CheckConstraint(
                name="notification_sent_at_a_time",
                condition=Q(mail="sent", mailed_at__isnull=False) | (~Q(mail="sent") & Q(mailed_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-created_at", "-id"], name="notification_of_person"),
            models.Index(fields=["person"], name="notification_unread", condition=Q(read_at__isnull=True)),
            models.Index(fields=["mail_next_at"], name="notification_mail_due", condition=Q(mail="at_once")),
            models.Index(fields=["person", "mailed_at"], name="notification_mailed", condition=Q(mail="sent")),
            models.Index(fields=["person"], name="notification_for_digest", condition=Q(mail="digest")),
        ]

    def __str__(self) -> str:
        return self.kind


class NotificationPreference(models.Model):
    """How one person wants to be told; without a row the defaults hold. In the app everything is told always."""

    class Way(models.TextChoices):
        AT_ONCE = "at_once", _("at once")
        DIGEST = "digest", _("in the daily digest")
        NONE = "none", _("not by mail")

    person = models.OneToOneField(
        "audit.Person", on_delete=models.PROTECT, related_name="notification_preference", primary_key=True
    )
    language = models.CharField(_("language"), max_length=5, default="en")
    waiting = models.CharField(_("what waits for my decision"), max_length=10, choices=Way, default=Way.AT_ONCE)
    outcome = models.CharField(_("what becomes of what is mine"), max_length=10, choices=Way, default=Way.AT_ONCE)
    deadline = models.CharField(_("what is due or expires"), max_length=10, choices=Way, default=Way.DIGEST)
    platform = models.CharField(_("what is wrong with the platform"), max_length=10, choices=Way, default=Way.AT_ONCE)
    digest = models.BooleanField(_("a daily digest of what waits"), default=True)

    class Meta:
        db_table = "notification_preference"
        verbose_name = _("notification preference")
        verbose_name_plural = _("notification preferences")
        constraints = [
            models.CheckConstraint(
                name="notification_preference_ways_known",
                condition=Q(
                    waiting__in=["at_once", "digest", "none"],
                    outcome__in=["at_once", "digest", "none"],
                    deadline__in=["at_once", "digest", "none"],
                    platform__in=["at_once", "digest", "none"],
                    language__in=["en", "ja"],
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.person_id)


class NotificationDigest(models.Model):
    """The digest of one person and day: made once, sent until it was taken or given up."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits")
        SENT = "sent", _("sent")
        DEAD = "dead", _("given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey("audit.Person", on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    requests = ArrayField(models.UUIDField(), default=list)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "notification_digest"
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        constraints = [
            models.UniqueConstraint(fields=["person", "day"], name="notification_digest_once_a_day"),
            models.CheckConstraint(
                name="notification_digest_state_known", condition=Q(state__in=["waiting", "sent", "dead"])
            ),
        ]
        indexes = [models.Index(fields=["next_at"], name="notification_digest_due", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"{self.day}"


class WebhookEndpoint(models.Model):
    """An address that is told of matters by signed requests.

    `url` may hold a key in its path and the secrets sign: they stay out of the ledger, which holds the host, the digest
    of the address and when the secret was set. Secrets are encrypted with a key made from SECRET_KEY. While
    `previous_until` has not come, requests carry a second signature, made with the secret before.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.CharField(_("address"), max_length=500)
    url_host = models.CharField(_("host"), max_length=255)
    url_sha256 = models.CharField(max_length=64)
    kinds = ArrayField(models.CharField(max_length=60), default=list, verbose_name=_("kinds"))
    active = models.BooleanField(_("active"), default=True)
    owner = models.ForeignKey("audit.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("owner"))
    secret = models.TextField()
    secret_set_at = models.DateTimeField(_("secret set"))
    previous_secret = models.TextField(blank=True)
    previous_until = models.DateTimeField(_("secret before valid until"), null=True, blank=True)
    registered_at = models.DateTimeField(_("registered"))
    row_version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "webhook_endpoint"
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [
            models.CheckConstraint(
                name="webhook_url_digest_is_sha256", condition=Q(url_sha256__regex="^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(name="webhook_has_secret", condition=~Q(secret="")),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One matter on its way to one endpoint; its id is the same over all attempts."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits")
        FAILED = "failed", _("failed, is tried again")
        DELIVERED = "delivered", _("delivered")
        DEAD = "dead", _("given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("webhook")
    )
    kind = models.CharField(_("kind"), max_length=60)
    subject = models.CharField(_("subject"), max_length=100)
    scope = models.CharField(max_length=40, blank=True)
    entry_index = models.BigIntegerField(_("entry"), null=True, blank=True)
    params = models.TextField()
    created_at = models.DateTimeField(_("created"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"))
    last_status = models.PositiveIntegerField(_("status"), null=True, blank=True)
    last_error = models.CharField(_("error"), max_length=200, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta:
        db_table = "webhook_delivery"
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "kind", "subject", "scope"], name="webhook_delivery_once"),
            models.CheckConstraint(
                name="webhook_delivery_state_known",
                condition=Q(state__in=["waiting", "failed", "delivered", "dead"]),
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], name="webhook_delivery_due", condition=Q(state__in=["waiting", "failed"])),
            models.Index(fields=["endpoint", "-created_at"], name="webhook_delivery_of_endpoint"),
            models.Index(fields=["created_at"], name="webhook_delivery_dead", condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return str(self.id)
