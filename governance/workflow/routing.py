"""Which policy applies to a request: by attributes of what is asked, the heaviest that matches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from governance.workflow.policy import SINGLE_REVIEW, ApprovalPolicy, PolicyRefused

ATTRIBUTES: Final = MappingProxyType(
    {
        "environment": ("development", "staging", "production"),
        "tier": ("unclassified", "out_of_scope", "high", "transparency", "minimal", "gpai", "gpai_systemic"),
        "hosting": ("on_prem", "cloud"),
        "kind": ("deploy", "change"),
        "fit": ("fits", "tight", "does_not_fit"),
        "adapters": ("yes", "no"),
        "reasoning": ("capped", "uncapped", "none"),
        "tools": ("none", "some"),
    }
)
"""What is known of a request when it is submitted, and the values each can have."""

MAX_WEIGHT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Route:
    """An adopted policy and when it applies: every attribute named must have one of its values."""

    policy: ApprovalPolicy
    weight: int
    applies_when: Mapping[str, tuple[str, ...]]

    def matches(self, attributes: Mapping[str, str]) -> bool:
        return all(attributes.get(name) in allowed for name, allowed in self.applies_when.items())


def choose(routes: Iterable[Route], attributes: Mapping[str, str]) -> ApprovalPolicy:
    """The matching policy of the highest weight, of equal ones the first by name; the built-in one without any."""
    matching = sorted(
        (route for route in routes if route.matches(attributes)), key=lambda route: (-route.weight, route.policy.name)
    )
    return matching[0].policy if matching else SINGLE_REVIEW


def parse_applies_when(data: object) -> Mapping[str, tuple[str, ...]]:
    """The condition of a route from JSON data: an object of attributes with lists of values; empty matches all.

    Raises:
        PolicyRefused: an attribute or value that no request can have.
    """
    if not isinstance(data, dict):
        raise PolicyRefused("applies_when", "must be an object.")
    found: dict[str, tuple[str, ...]] = {}
    for name, values in sorted(data.items(), key=lambda pair: str(pair[0])):
        if name not in ATTRIBUTES:
            raise PolicyRefused("applies_when", f"must name attributes among {', '.join(ATTRIBUTES)}.")
        if not isinstance(values, list) or not values:
            raise PolicyRefused(f"applies_when.{name}", "must be a list of values.")
        for value in values:
            if not isinstance(value, str) or value not in ATTRIBUTES[name]:
                raise PolicyRefused(f"applies_when.{name}", f"must be among {', '.join(ATTRIBUTES[name])}.")
        found[name] = tuple(sorted(set(values)))
    return MappingProxyType(found)
