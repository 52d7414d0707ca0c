"""What was compared of costs, read back from the record as it was hashed."""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from governance.models import Comparison


@dataclass(frozen=True, slots=True)
class ComparisonOption:
    """A month of one way to run the load: with low, mid and high prices."""

    kind: str
    name: str
    low: Decimal
    mid: Decimal
    high: Decimal
    cheapest: bool


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A recorded comparison of own cards, cloud cards and an API at the same load."""

    title: str
    currency: str
    recorded_at: datetime
    options: tuple[ComparisonOption, ...]
    break_even_utilisation: str | None
    break_even_tokens: int | None


def comparison_views(deployment_id: UUID, *, limit: int) -> tuple[ComparisonView, ...]:
    """The newest comparisons of a deployment, newest first, in one query."""
    rows = Comparison.objects.filter(deployment_id=deployment_id).order_by("-recorded_at", "pk")[:limit]
    views = []
    for row in rows:
        content = json.loads(row.content)
        result = content["result"]
        views.append(
            ComparisonView(
                title=row.title,
                currency=content["currency"],
                recorded_at=row.recorded_at,
                options=tuple(
                    ComparisonOption(
                        kind=option["kind"],
                        name=option["name"],
                        low=Decimal(option["low"]),
                        mid=Decimal(option["mid"]),
                        high=Decimal(option["high"]),
                        cheapest=option["kind"] == result["cheapest"],
                    )
                    for option in result["options"]
                ),
                break_even_utilisation=result["break_even_utilisation"],
                break_even_tokens=result["break_even_tokens"],
            )
        )
    return tuple(views)
