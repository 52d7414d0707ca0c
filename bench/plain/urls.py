"""The plain view: parse, insert one row, answer."""

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import path

from bench.plain.models import PlainEvent


def insert(request: HttpRequest) -> JsonResponse:
    """What most applications do with an event."""
    event: dict[str, Any] = json.loads(request.body)
    row = PlainEvent._default_manager.create(
        event_id=event["id"],
        type=event["type"],
        subject=event["subject"],
        occurred_at=event["occurred_at"],
        data=event["data"],
    )
    return JsonResponse({"id": row.pk}, status=201)


urlpatterns = [path("api/v1/events", insert)]
