"""No GET changes anything: every address of the site, opened in a transaction that refuses writes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from audit.models import Checkpoint, Person, PoolChange, ServiceAccount, Token, User
from demo.seed import Seeded, seed
from governance.models import Agent, ApprovalRequest, ToolGrant, UseCase

_USE_CASE = UUID(int=4)
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


def _site_routes() -> list[str]:
    routes = sorted(set(_routes(get_resolver().url_patterns)))
    # The admin's catch-all, and its list of one app, whose pattern is no route.
    return [route for route in routes if "(?P<" not in route]


@pytest.fixture
def seeded(db: None, settings: LazySettings, tmp_path: Path) -> Seeded:
    settings.DATA_DIR = tmp_path
    found = seed(now=datetime.now(UTC))
    UseCase.objects.create(
        pk=_USE_CASE, number=999, name="a use", intended_purpose="to be looked at", eu_role="deployer",
        owner=found.running.owner, registered_at=datetime.now(UTC),
    )  # fmt: skip
    return found


@pytest.fixture
def superuser(db: None) -> User:
    person = Person.objects.create(display_name="Root", email="root@assay.example")
    return User.objects.create_superuser("root", "root@assay.example", "-", person=person)


def _first_row(route: str) -> str:
    """Primary key of a row of the model whose stock admin page `route` is; an unknown one where there is none."""
    label, name = route.split("/")[1:3]
    row = apps.get_model(label, name)._default_manager.order_by("pk").values_list("pk", flat=True).first()
    return str(row) if row is not None else "0"


def _fill(route: str, seeded: Seeded) -> str:
    request = ApprovalRequest.objects.order_by("pk").first()
    assert request
    values = {
        "import_id": "00000000-0000-4000-8000-000000000000",
        "of": "adapter",
        "of_id": "00000000-0000-4000-8000-000000000000",
        "document": "ml-bom",
        "adapter_id": "00000000-0000-4000-8000-000000000000",
        "report_id": "00000000-0000-4000-8000-000000000000",
        "request_id": str(request.pk),
        "deployment_id": str(seeded.running.pk),
        "use_case_id": str(_USE_CASE),
        "policy_id": "00000000-0000-4000-8000-000000000000",
        "number": "1",
        "dataset_id": "00000000-0000-4000-8000-000000000000",
        "evaluation_id": "00000000-0000-4000-8000-000000000000",
        "evaluated_version_id": str(request.revision.model_version_id),
        "evidence_id": "00000000-0000-4000-8000-000000000000",
        "subject_kind": "deployment",
        "version_id": str(request.revision.model_version_id),
        "subject_id": str(seeded.running.pk),
        "model_id": "00000000-0000-4000-8000-000000000000",
        "pool_id": "00000000-0000-4000-8000-000000000000",
        "agent_id": str(Agent.objects.values_list("pk", flat=True).first()),
        "grant_id": str(ToolGrant.objects.values_list("pk", flat=True).first()),
        "tool_id": "00000000-0000-4000-8000-000000000000",
        "node_id": "00000000-0000-4000-8000-000000000000",
        "device_id": "00000000-0000-4000-8000-000000000000",
        "assignment_id": "00000000-0000-4000-8000-000000000000",
        "kind": "deployment",
        "notification_id": "00000000-0000-4000-8000-000000000000",
        "webhook_id": "00000000-0000-4000-8000-000000000000",
        "delivery_id": "00000000-0000-4000-8000-000000000000",
        "hold_id": "00000000-0000-4000-8000-000000000000",
        "index": "1",
        "person_id": str(seeded.running.owner_id),
        "account_id": str(User.objects.order_by("pk").values_list("pk", flat=True)[0]),
        "change_id": str(PoolChange.objects.values_list("pk", flat=True)[0]),
        "service_id": str(ServiceAccount.objects.values_list("pk", flat=True)[0]),
        "token_id": str(Token.objects.values_list("pk", flat=True)[0]),
        "size": str(Checkpoint.objects.values_list("size", flat=True).first() or 1),
        "revision_digest": "0" * 64,
        "signed": "forged",
        "name": "checkpoint",
        "content_type_id": str(ContentType.objects.get_for_model(User).pk),
    }

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "object_id":
            return "1" if "content_type_id" in route else _first_row(route)
        assert name in values, f"{route}: tell this test a value of {name}"
        return values[name]

    return "/" + _PARAMETER.sub(value, route)


def _get_read_only(client: Client, addresses: list[str]) -> dict[str, int]:
    """Status of each; a view that writes fails with PostgreSQL's own error."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        answers = {address: client.get(address).status_code for address in addresses}
        transaction.set_rollback(True)  # back to a transaction that may write
    return answers


def test_no_get_writes(seeded: Seeded, superuser: User) -> None:
    client = Client(raise_request_exception=True)
    client.force_login(superuser)
    addresses = [_fill(route, seeded) for route in _site_routes()]
    addresses += [f"/admin/{label}/" for label in sorted({model._meta.app_label for model in admin.site._registry})]
    answers = _get_read_only(client, addresses)
    assert len(answers) > 50
    assert {address: status for address, status in answers.items() if status >= 500} == {}
    # Enough of them are pages, not refusals: else this would prove nothing.
    assert sum(status == 200 for status in answers.values()) > 30


def test_no_get_of_a_stranger_writes_or_fails(seeded: Seeded) -> None:
    addresses = [_fill(route, seeded) for route in _site_routes()]
    answers = _get_read_only(Client(raise_request_exception=True), addresses)
    assert {address: status for address, status in answers.items() if status >= 500} == {}
    open_pages = {address for address, status in answers.items() if status == 200 and address.startswith("/admin/")}
    assert open_pages == {"/admin/login/"}
