"""Webhooks over REST, for operators who have logged in."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

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
from governance.api.base import PeopleOnly, Registry, read, refused, write
from governance.api.fields import Choice, Strict, Text, Whole
from governance.api.notified import Nothing
from governance.api.schemas import BY_LOG_IN, PROBLEMS, RegisteredSchema
from governance.queries.matters import SENDABLE

STATES = ("waiting", "failed", "delivered", "dead")


class WebhookInput(Strict):
    """An address and the kinds of matters that it is told of."""

    name = Text(max_length=100)
    url = Text(max_length=500, help_text="https; plain http goes only to networks that the operator allows.")
    kinds = serializers.ListField(child=Choice(choices=SENDABLE), min_length=1, max_length=len(SENDABLE))


class WebhookChangeInput(WebhookInput):
    """The whole webhook as it shall be."""

    active = serializers.BooleanField()
    row_version = Whole(min_value=1, help_text="Of the webhook that was read.")


class SecretInput(Strict):
    """Which webhook was read."""

    row_version = Whole(min_value=1, help_text="Of the webhook that was read.")


class WebhookSchema(serializers.Serializer[dict[str, object]]):
    """A webhook without its secret."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()
    secret_set_at = serializers.DateTimeField()
    previous_until = serializers.DateTimeField(allow_null=True, help_text="Until then the secret before signs too.")
    registered_at = serializers.DateTimeField()
    row_version = serializers.IntegerField()


class WebhooksSchema(serializers.Serializer[dict[str, object]]):
    """All webhooks."""

    items = WebhookSchema(many=True)


class SecretSchema(RegisteredSchema):
    """What was written, and the secret, this once."""

    secret = serializers.CharField(help_text="whsec_ and Base64, as libraries of Standard Webhooks take it.")


class DeliverySchema(serializers.Serializer[dict[str, object]]):
    """One delivery."""

    id = serializers.UUIDField()
    endpoint_id = serializers.UUIDField()
    kind = serializers.CharField()
    entry = serializers.IntegerField(allow_null=True)
    sentence = serializers.CharField()
    state = serializers.CharField(help_text="waiting, failed (tried again), delivered or dead.")
    attempts = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="Of the last answer.")
    error = serializers.CharField(help_text="Why the last attempt failed.")
    created_at = serializers.DateTimeField()


class DeliveriesSchema(serializers.Serializer[dict[str, object]]):
    """A page of deliveries, newest first."""

    items = DeliverySchema(many=True)
    next = serializers.UUIDField(allow_null=True, help_text="Send it as `after` for the next page.")


class QueuedSchema(serializers.Serializer[dict[str, object]]):
    """What is sent soon."""

    id = serializers.UUIDField()


class _ForOperators(Registry):
    permission_classes = [PeopleOnly]

    @property
    def operator(self) -> User:
        """Who asks; the operations refuse everybody who is no operator."""
        user = self.request.user
        assert isinstance(user, User)  # PeopleOnly
        return user

    def refusal(self) -> Response | None:
        """Why this person may not look."""
        words = queries.why_not_run_webhooks(queries.viewer(self.operator))
        return problem(403, words) if words else None


class Webhooks(_ForOperators):
    """All webhooks."""

    @extend_schema(
        operation_id="list_webhooks",
        auth=BY_LOG_IN,
        summary="List webhooks",
        description="For operators. Secrets are not among what is read.",
        tags=["Notifications"],
        responses={200: WebhooksSchema, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        return self.refusal() or Response({"items": [_told(line) for line in queries.webhooks()]})

    @extend_schema(
        operation_id="register_webhook",
        auth=BY_LOG_IN,
        summary="Register a webhook",
        description="For operators. The answer holds the secret that signs; it is not shown again.",
        tags=["Notifications"],
        request=WebhookInput,
        responses={201: SecretSchema, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        return _secret(
            request,
            WebhookInput,
            lambda fields: operations.register_webhook(by=self.operator, now=timezone.now(), **fields),
        )


class OneWebhook(_ForOperators):
    """One webhook."""

    @extend_schema(
        operation_id="get_webhook",
        auth=BY_LOG_IN,
        summary="Get a webhook",
        description="For operators.",
        tags=["Notifications"],
        responses={200: WebhookSchema, **PROBLEMS},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        try:
            return self.refusal() or Response(_told(queries.webhook(webhook_id)))
        except queries.WebhookNotFound as error:
            return problem(404, str(error), field="webhook_id")

    @extend_schema(
        operation_id="change_webhook",
        auth=BY_LOG_IN,
        summary="Change a webhook",
        description="For operators. It is never deleted; switched off, what waits for it is given up.",
        tags=["Notifications"],
        request=WebhookChangeInput,
        responses={201: RegisteredSchema, **PROBLEMS},
    )
    def put(self, request: Request, webhook_id: UUID) -> Response:
        def change(fields: dict[str, Any]) -> operations.Recorded:
            seen = fields.pop("row_version")
            return operations.change_webhook(
                by=self.operator, webhook_id=webhook_id, seen=seen, now=timezone.now(), **fields
            )

        return write(request, WebhookChangeInput, change)


class WebhookSecrets(_ForOperators):
    """A new secret."""

    @extend_schema(
        operation_id="rotate_webhook_secret",
        auth=BY_LOG_IN,
        summary="Make a new secret of a webhook",
        description="For operators. For a day each request carries a second signature, made with the secret before.",
        tags=["Notifications"],
        request=SecretInput,
        responses={201: SecretSchema, **PROBLEMS},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        return _secret(
            request,
            SecretInput,
            lambda fields: operations.rotate_webhook_secret(
                by=self.operator, webhook_id=webhook_id, seen=fields["row_version"], now=timezone.now()
            ),
        )


class WebhookTests(_ForOperators):
    """A test delivery."""

    @extend_schema(
        operation_id="test_webhook",
        auth=BY_LOG_IN,
        summary="Send a test to a webhook",
        description="For operators. It is queued and sent like any other.",
        tags=["Notifications"],
        request=Nothing,
        responses={202: QueuedSchema, **PROBLEMS},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        return _queue(
            request,
            lambda: operations.queue_test(by=self.operator, webhook_id=webhook_id, now=timezone.now()),
        )


class WebhookDeliveries(_ForOperators):
    """Deliveries of a webhook."""

    @extend_schema(
        operation_id="list_webhook_deliveries",
        auth=BY_LOG_IN,
        summary="List the deliveries of a webhook",
        description="For operators; newest first.",
        tags=["Notifications"],
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, enum=STATES, description="Only those in this state."),
            OpenApiParameter("after", OpenApiTypes.UUID, description="`next` of the page before."),
        ],
        responses={200: DeliveriesSchema, **PROBLEMS},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        if words := self.refusal():
            return words
        state = request.query_params.get("state", "")
        if state and state not in STATES:
            return problem(400, f"Must be one of: {', '.join(STATES)}.", field="state")
        try:
            after = UUID(request.query_params["after"]) if "after" in request.query_params else None
        except ValueError:
            return problem(400, "Must be the `next` of the page before.", field="after")
        rows, following = queries.deliveries(webhook_id=webhook_id, state=state, after=after)
        left_out = {"endpoint", "word", "mark"}
        items = [{key: value for key, value in asdict(row).items() if key not in left_out} for row in rows]
        return Response({"items": items, "next": following})


class DeliveriesAgain(_ForOperators):
    """Sending again what was given up."""

    @extend_schema(
        operation_id="send_webhook_delivery_again",
        auth=BY_LOG_IN,
        summary="Send a delivery again",
        description="For operators, and only for what was given up; it goes out under the same id.",
        tags=["Notifications"],
        request=Nothing,
        responses={202: QueuedSchema, **PROBLEMS},
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        return _queue(
            request,
            lambda: operations.send_again(by=self.operator, delivery_id=delivery_id, now=timezone.now()),
            delivery_id,
        )


def _told(line: queries.WebhookLine) -> dict[str, Any]:
    shown = {key: value for key, value in asdict(line).items() if key not in {"kinds", "host", "owner"}}
    return {**shown, "kinds": [kind for kind, _word in line.kinds]}


def _secret(request: Request, shape: type[Strict], act: Callable[[dict[str, Any]], operations.SecretSet]) -> Response:
    try:
        made = act(read(request._request, shape))
    except BodyRefused as error:
        return problem(error.status, str(error), field=error.field)
    except operations.Refused as error:
        return refused(error)
    told = {"id": str(made.recorded.id), "entries": list(made.recorded.entries), "secret": made.secret}
    return Response(told, status=201, headers={"Cache-Control": "no-store"})


def _queue(request: Request, act: Callable[[], UUID], named: UUID | None = None) -> Response:
    try:
        read(request._request, Nothing)
        found = act()
    except BodyRefused as error:
        return problem(error.status, str(error), field=error.field)
    except operations.Refused as error:
        return refused(error)
    return Response({"id": str(named or found)}, status=202)
