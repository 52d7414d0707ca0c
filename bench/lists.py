"""What a thousand times more rows cost the pages of the desk: review desk, lists, findings, search."""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench import databases
from bench.arithmetic import alternate
from bench.figure import Figure, growth, progress
from bench.registry import ACCOUNT, EVERYWHERE, WORDS, registry

TIMES: Final = 1_000
FEWEST: Final = 1_000
TARGET: Final = 1.2
_WARM_UP: Final = 3

Page = Callable[[random.Random], str]


class WrongPage(RuntimeError):
    """A page answered something else than the success that is measured."""


def run(options: argparse.Namespace) -> None:
    """Print `lists_growth_<page>` for each page, and `lists_growth`: the worst of them."""
    rows = options.rows
    names = {"small": registry(max(FEWEST, rows // TIMES)), "large": registry(rows)}
    clients = {side: _client(name) for side, name in names.items()}
    count = 10 if options.small else 60
    figures = [_measure(page, address, names, clients, options.rounds, count) for page, address in _pages().items()]
    worst = max(figures, key=lambda figure: figure.ratio or 0)
    counts = {figure.name.removeprefix("lists_growth_"): dict(figure.parts["queries"]) for figure in figures}
    constant = all(found["small"] == found["large"] for found in counts.values())
    progress(f"query counts {'are' if constant else 'are NOT'} the same at both sizes")
    parts = {"rows": rows, "worst": worst.name, "queries": counts, "queries_constant": constant}
    met = None if worst.ratio is None else worst.ratio <= TARGET and constant
    Figure("lists_growth", worst.value, "ms", worst.baseline, worst.ratio, TARGET, met, worst.rounds, parts).print()


def _pages() -> Mapping[str, Page]:
    requests, search = reverse("admin:desk_requests"), reverse("admin:desk_search")
    return {
        "home": lambda _chance: reverse("admin:index"),
        "review_desk": lambda _chance: requests,
        "review_desk_closed": lambda _chance: f"{requests}?state=approved",
        "deployments": lambda _chance: reverse("admin:governance_deployment_changelist"),
        "model_versions": lambda _chance: reverse("admin:governance_modelversion_changelist"),
        "findings": lambda _chance: reverse("admin:governance_finding_changelist"),
        "findings_filtered": lambda _chance: (
            reverse("admin:governance_finding_changelist") + "?kind__exact=unregistered_subject"
        ),
        "search_word": lambda chance: f"{search}?q=w{chance.randrange(WORDS)}",
        "search_two_words": lambda chance: f"{search}?q=w{chance.randrange(WORDS)}+w{chance.randrange(WORDS)}",
        "search_everywhere": lambda _chance: f"{search}?q={EVERYWHERE}",
        "rest_deployments": lambda _chance: reverse("api-deployments"),
        "rest_search": lambda chance: f"{reverse('api-search')}?q=w{chance.randrange(WORDS)}",
    }


def _client(name: str) -> Client:
    from audit.models import User

    databases.use(name)
    client = Client(headers={"Host": "localhost"})
    client.force_login(User.objects.get(username=ACCOUNT))
    return client


def _measure(
    page: str, address: Page, names: Mapping[str, str], clients: Mapping[str, Client], rounds: int, count: int
) -> Figure:
    chance = random.Random(page)
    queries: dict[str, int] = {}

    def side(which: str) -> Callable[[], float]:
        def measure() -> float:
            databases.use(names[which])
            for _turn in range(_WARM_UP):
                _get(clients[which], address(chance))
            with CaptureQueriesContext(connection) as captured:
                _get(clients[which], address(chance))
            queries[which] = len(captured)
            return statistics.median(_get(clients[which], address(chance)) for _turn in range(count)) * 1000

        return measure

    results = alternate({which: side(which) for which in names}, rounds)
    parts: dict[str, Any] = {"queries": queries, "pages_a_round": count}
    figure = growth(f"lists_growth_{page}", results["large"], results["small"], "ms", target=TARGET, parts=parts)
    figure.print()
    return figure


def _get(client: Client, address: str) -> float:
    start = time.perf_counter()
    answer = client.get(address)
    taken = time.perf_counter() - start
    if answer.status_code != 200:
        raise WrongPage(f"{address} answered {answer.status_code}.")
    return taken
