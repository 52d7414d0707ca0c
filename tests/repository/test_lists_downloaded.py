"""Every list of the site is handed out as CSV and as JSON, and each download is an entry."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from audit import queries as log
from audit.access.people import register_login
from audit.models import User
from demo.seed import seed

_OWN = {
    "desk_requests_export", "ledger_export", "ledger_checkpoints_export", "erasures_export", "holds_export",
    "reports_export",
}  # fmt: skip


def _names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _names(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name


@pytest.fixture
def client(db: None, settings: LazySettings, tmp_path: Path) -> Client:
    settings.DATA_DIR = tmp_path
    seed(now=datetime.now(UTC))
    auditor = register_login(
        username="auditor", display_name="Auditor", password=None, groups=["Auditors"], actor="system:test",
        now=datetime.now(UTC),
    )  # fmt: skip
    found = Client()
    found.force_login(User.objects.get(pk=auditor.pk))
    return found


def test_every_list_is_downloaded_in_both_forms(client: Client) -> None:
    own_models = [model for model in admin.site._registry if model.__module__.split(".")[0] in {"audit", "governance"}]
    stock = {f"{model._meta.app_label}_{model._meta.model_name}" for model in own_models}
    exports = sorted({name for name in _names(get_resolver().url_patterns) if name.endswith("_export")})
    assert {f"{name}_export" for name in stock} | _OWN <= set(exports)
    filled = 0
    for name in exports:
        address = reverse(f"admin:{name}")
        assert client.get(address).status_code == 405, name
        rows = {form: _download(client, address, form) for form in ("csv", "json")}
        assert rows["csv"] == rows["json"] or name == "ledger_export", name  # the ledger grows by each download
        filled += rows["csv"] > 0
    assert filled >= 8


def _download(client: Client, address: str, form: str) -> int:
    """The number of rows of a list, which the entry about it tells too."""
    answer = client.post(address, {"format": form})
    assert answer.status_code == 200, (address, form)
    data = answer.getvalue()
    entry = log.entries(limit=1)[0]
    told = log.section_facts([entry.index])[entry.index]
    assert entry.type == "list.exported"
    assert told["sha256"] == hashlib.sha256(data).hexdigest()
    assert told["bytes"] == len(data) == int(answer["Content-Length"])
    if form == "json":
        found = json.loads(data)
        rows = len(found["rows"])
        assert all(set(row) == set(found["columns"]) for row in found["rows"])
    else:
        rows = len(list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))) - 1
    assert told["rows"] == rows
    return rows


def test_pages_offer_what_there_is(client: Client) -> None:
    for name in ("governance_modelversion_changelist", "desk_requests", "ledger_list", "reports", "erasures"):
        page = client.get(reverse(f"admin:{name}")).content.decode()
        assert "Download CSV" in page, name
