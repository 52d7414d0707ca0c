"""`python -m bench.table < results.jsonl`: figures as the rows of the tables in docs/performance.md."""

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

_PEERS: Final = ("assay", "none", "django-auditlog", "django-simple-history", "django-pghistory", "pymerkle")


def row(figure: Mapping[str, Any]) -> str:
    """One figure: name, value, baseline, ratio with the range of its rounds, target, whether it was met."""
    ratio = "-"
    if figure["ratio"] is not None:
        rounds = figure["rounds"].get("ratio")
        ratio = f"{figure['ratio']:.2f}" + (f" ({rounds['min']:.2f} to {rounds['max']:.2f})" if rounds else "")
    unit = figure["unit"]
    return _cells(
        f"`{figure['name']}`",
        f"{_number(figure['value'])} {unit}",
        "-" if figure["baseline"] is None else f"{_number(figure['baseline'])} {unit}",
        ratio,
        "-" if figure["target"] is None else f"{figure['target']:g}",
        {True: "yes", False: "no", None: "-"}[figure["met"]],
    )


def peers_row(figure: Mapping[str, Any]) -> str:
    """What one comparison with peers found: ours, then each peer's, in the order of the table."""
    return _cells(f"`{figure['name']}`", figure["unit"], *(_number(figure["parts"].get(peer)) for peer in _PEERS))


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | bool | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main() -> None:
    for line in sys.stdin:
        if line.strip():
            figure = json.loads(line)
            of_peers = figure["name"].startswith("peers_")
            sys.stdout.write((peers_row if of_peers else row)(figure) + "\n")


if __name__ == "__main__":
    main()
