"""A person's own notifications over REST, and how they want to be told. A token is no person."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.body import BodyRefused
from audit.api.errors import problem
from audit.models import User
from governance import operations, queries
from governance.api.base import PeopleOnly, Registry, read, refused
from governance.api.fields import Choice, Strict
from governance.api.schemas import BY_LOG_IN, PROBLEMS
from governance.models import NotificationPreference
from governance.operations.reading import GROUPS, LANGUAGES

WAYS = NotificationPreference.Way.values


class NotificationSchema(serializers.Serializer[dict[str, object]]):
    """One notification."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    subject = serializers.CharField()
    entry = serializers.IntegerField(allow_null=True, help_text="The entry that it follows.")
    sentence = serializers.CharField()
    url = serializers.CharField(help_text="The page, which judges by itself who may look.")
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class NotificationsSchema(serializers.Serializer[dict[str, object]]):
    """A page of notifications, newest first."""

    items = NotificationSchema(many=True)
    unread = serializers.IntegerField()
    next = serializers.UUIDField(allow_null=True, help_text="Send it as `after` for the next page.")


class ReadSchema(serializers.Serializer[dict[str, object]]):
    """How many were unread."""

    read = serializers.IntegerField()


class Nothing(Strict):
    """An empty object."""


class PreferenceInput(Strict):
    """How a person is told; in the app everything is."""

    language = Choice(choices=LANGUAGES)
    waiting = Choice(choices=WAYS)
    outcome = Choice(choices=WAYS)
    deadline = Choice(choices=WAYS)
    platform = Choice(choices=WAYS)
    digest = serializers.BooleanField()


class _Own(Registry):
    permission_classes = [PeopleOnly]

    @property
    def person(self) -> User:
        """Who asks."""
        user = self.request.user
        assert isinstance(user, User)  # PeopleOnly
        return user


class NotificationList(_Own):
    """What this person was told."""

    @extend_schema(
        operation_id="list_notifications",
        auth=BY_LOG_IN,
        summary="List your notifications",
        description="Newest first. A notification holds refs and a sentence; content stands on the page it names.",
        tags=["Notifications"],
        parameters=[
            OpenApiParameter("unread", OpenApiTypes.BOOL, description="Only those that are unread."),
            OpenApiParameter("after", OpenApiTypes.UUID, description="`next` of the page before."),
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 200; 50 when left out."),
        ],
        responses={200: NotificationsSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "50")
        if not (limit.isascii() and limit.isdigit() and len(limit) < 6):
            return problem(400, "Must be a whole number.", field="limit")
        try:
            after = UUID(request.query_params["after"]) if "after" in request.query_params else None
        except ValueError:
            return problem(400, "Must be the `next` of the page before.", field="after")
        only = request.query_params.get("unread") == "true"
        found = queries.notifications(self.person, after=after, unread=only, limit=int(limit))
        items = [
            {
                "id": line.id,
                "kind": line.kind,
                "subject": line.subject,
                "entry": line.entry,
                "sentence": line.sentence,
                "url": settings.PUBLIC_URL.rstrip("/") + line.path,
                "created_at": line.created_at,
                "read_at": line.read_at,
            }
            for line in found.lines
        ]
        return Response({"items": items, "unread": found.unread, "next": found.next})


class NotificationsRead(_Own):
    """Reading all of them."""

    @extend_schema(
        operation_id="read_notifications",
        auth=BY_LOG_IN,
        summary="Mark all notifications as read",
        description="Your own; gives how many were unread.",
        tags=["Notifications"],
        request=Nothing,
        responses={200: ReadSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        return _mark(request, self.person, None)


class NotificationRead(_Own):
    """Reading one of them."""

    @extend_schema(
        operation_id="read_notification",
        auth=BY_LOG_IN,
        summary="Mark a notification as read",
        description="One of your own.",
        tags=["Notifications"],
        request=Nothing,
        responses={200: ReadSchema, **PROBLEMS},
    )
    def post(self, request: Request, notification_id: UUID) -> Response:
        return _mark(request, self.person, notification_id)


class NotificationPreferences(_Own):
    """How this person is told."""

    @extend_schema(
        operation_id="get_notification_preferences",
        auth=BY_LOG_IN,
        summary="Get your notification preferences",
        description="The defaults, before you chose.",
        tags=["Notifications"],
        responses={200: PreferenceInput, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return Response(self._told())

    @extend_schema(
        operation_id="put_notification_preferences",
        auth=BY_LOG_IN,
        summary="Choose how you are told",
        description="By mail at once, in the daily digest or not; in the app everything is told.",
        tags=["Notifications"],
        request=PreferenceInput,
        responses={200: PreferenceInput, **PROBLEMS},
    )
    def put(self, request: Request) -> Response:
        try:
            operations.prefer(by=self.person, **read(request._request, PreferenceInput))
        except BodyRefused as error:
            return problem(error.status, str(error), field=error.field)
        except operations.Refused as error:
            return refused(error)
        return Response(self._told())

    def _told(self) -> dict[str, Any]:
        row = queries.preference_of(self.person)
        return {name: getattr(row, name) for name in ("language", *GROUPS, "digest")}


def _mark(request: Request, person: User, notification_id: UUID | None) -> Response:
    try:
        read(request._request, Nothing)
        marked = operations.mark_read(by=person, notification_id=notification_id, now=timezone.now())
    except BodyRefused as error:
        return problem(error.status, str(error), field=error.field)
    except operations.Refused as error:
        return problem(404, f"The notification {error.reason}", field="notification_id")
    return Response({"read": marked})
