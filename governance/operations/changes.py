"""What may change of rows that live on, one operation for each kind. Everything else of them is fixed."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from audit.models import User
from governance.models import Deployment, GpuPool, UseCase
from governance.operations.base import By, Recorded, Refused, choice, text, whole
from governance.operations.changing import Clean, change_row
from governance.operations.pools import MAX_CARDS
from governance.operations.usecases import MEMBER_STATES

Values = Mapping[str, object]


def change_model(*, by: By, model_id: UUID, seen: int, values: Values, reason: str, now: datetime) -> Recorded:
    """Change what is said about a model; its name and its versions are fixed. Raises as `change_row`."""
    return change_row(
        "model", by=by, row_id=model_id, seen=seen, values=values, cleans=CHANGEABLE["model"], reason=reason, now=now
    )


def change_gpu_pool(*, by: By, pool_id: UUID, seen: int, values: Values, reason: str, now: datetime) -> Recorded:
    """Change how many cards a pool has and where they are. Raises as `change_row`."""
    return change_row(
        "gpu_pool",
        by=by,
        row_id=pool_id,
        seen=seen,
        values=values,
        cleans=CHANGEABLE["gpu_pool"],
        reason=reason,
        now=now,
        check=_enough_cards,
    )


def change_use_case(*, by: By, use_case_id: UUID, seen: int, values: Values, reason: str, now: datetime) -> Recorded:
    """Change what a use is; its classification is never edited, only recorded anew. Raises as `change_row`."""
    return change_row(
        "use_case",
        by=by,
        row_id=use_case_id,
        seen=seen,
        values=values,
        cleans=CHANGEABLE["use_case"],
        reason=reason,
        now=now,
        check=_ends_after_it_begins,
    )


def change_deployment(
    *, by: By, deployment_id: UUID, seen: int, values: Values, reason: str, now: datetime
) -> Recorded:
    """Change who answers for a deployment; another purpose is another deployment. Raises as `change_row`."""
    return change_row(
        "deployment",
        by=by,
        row_id=deployment_id,
        seen=seen,
        values=values,
        cleans=CHANGEABLE["deployment"],
        reason=reason,
        now=now,
    )


def change_agent(*, by: By, agent_id: UUID, seen: int, values: Values, reason: str, now: datetime) -> Recorded:
    """Change what an agent is for and who answers for it. Raises as `change_row`."""
    return change_row(
        "agent", by=by, row_id=agent_id, seen=seen, values=values, cleans=CHANGEABLE["agent"], reason=reason, now=now
    )


def _words(field: str, limit: int, *, required: bool = False) -> Clean:
    def clean(value: Any) -> str:
        return text(field, value, limit=limit, required=required)

    return clean


def _owner(value: Any) -> UUID:
    if not User.objects.filter(person_id=value, is_active=True).exists():
        raise Refused("owner_id", "is no person with an open log-in.")
    return UUID(str(value))


def _cards(value: Any) -> int:
    return whole("count", value, low=1, high=MAX_CARDS)


def _role(value: Any) -> str:
    return choice("eu_role", value, UseCase.EuRole.values)


def _states(value: Any) -> list[str]:
    return sorted({choice("member_states", state, MEMBER_STATES) for state in value})


def _day(value: Any) -> object:
    return value


def _enough_cards(pool: GpuPool) -> None:
    """A pool keeps the cards that an approved revision needs."""
    approved = Deployment.objects.filter(
        approved_revision__gpu_pool=pool.pk, approved_revision__gpu_count__gt=pool.count
    )
    for name, cards in approved.order_by("name").values_list("name", "approved_revision__gpu_count")[:1]:
        raise Refused("count", f"is too few: {name} is approved with {cards}.")


def _ends_after_it_begins(use: UseCase) -> None:
    if use.begin_date is not None and use.end_date is not None and use.end_date < use.begin_date:
        raise Refused("end_date", "is before the use begins.")


CHANGEABLE: Final = MappingProxyType[str, Mapping[str, Clean]](
    {
        "model": {
            "hf_id": _words("hf_id", 200),
            "family": _words("family", 100),
            "developer": _words("developer", 200),
            "licence": _words("licence", 200),
            "licence_source": _words("licence_source", 500),
        },
        "gpu_pool": {"count": _cards, "node": _words("node", 100, required=True)},
        "use_case": {
            "intended_purpose": _words("intended_purpose", 2000, required=True),
            "out_of_scope_uses": _words("out_of_scope_uses", 2000),
            "eu_role": _role,
            "member_states": _states,
            "begin_date": _day,
            "end_date": _day,
            "owner_id": _owner,
        },
        "deployment": {"owner_id": _owner},
        "agent": {"purpose": _words("purpose", 1000, required=True), "owner_id": _owner},
    }
)
"""Columns that may change, by kind."""
