"""Does something stand in the registry, and what is it called?"""

from uuid import UUID

from governance.queries.reconciling import TABLES


def registered_name(kind: str, row_id: UUID) -> str | None:
    """What the row of a kind is called; None when there is none."""
    found = TABLES[kind]._default_manager.filter(pk=row_id).first()
    return None if found is None else str(found)
