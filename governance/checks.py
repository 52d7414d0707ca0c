"""What must hold before governance starts: tables that cover each other."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from governance.operations.importaddress import AddressNotAllowed, read_prefixes
from governance.queries.reconciling import REGISTERED_BY, TABLES
from governance.snapshot import FIELDS, KEPT_BACK
from governance.workflow import OWNERS, TRANSITIONS, Move, State


@register("governance")
def workflow_covers_itself(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E001: a state without an owner or a move without a place would be a request that nobody can finish."""
    lost = {*(set(State) - set(OWNERS)), *(set(Move) - {found.move for found in TRANSITIONS})}
    return [
        Error(f"The approval workflow does not say what becomes of: {name}.", id="governance.E001")
        for name in sorted(lost)
    ]


@register("governance")
def snapshots_are_full(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E002: a column that no snapshot holds could be changed without the ledger noticing."""
    found: list[CheckMessage] = []
    for kind, table in TABLES.items():
        columns = {field.get_attname() for field in table._meta.concrete_fields}
        told = {*FIELDS.get(kind, ()), *KEPT_BACK.get(kind, ())}
        if columns != told or kind not in REGISTERED_BY:
            missing = ", ".join(sorted(columns ^ told)) or "its first entry"
            found.append(Error(f"The snapshot of {kind} does not cover: {missing}.", id="governance.E002"))
    return found


@register("governance")
def import_addresses_are_prefixes(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E003: a list of allowed addresses that cannot be read would be found out by the first import."""
    try:
        read_prefixes(settings.IMPORT_URLS)
    except AddressNotAllowed as error:
        return [Error(f"IMPORT_URLS: {error}", id="governance.E003")]
    return []
