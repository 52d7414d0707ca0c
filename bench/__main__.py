"""`./quickstart bench [NAME ...]`: measure, and print one JSON object a line."""

import argparse
import os
import sys
from collections.abc import Callable

import django

from bench.figure import progress

Group = Callable[[argparse.Namespace], None]


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from bench import cost, crash, durability, growth, ingest, lists, verify  # needs configured settings
    from bench.crashcheck import Wrong
    from bench.lists import WrongPage
    from bench.load import LoadError
    from bench.peers import compare
    from bench.peers.compare import PeersFailed
    from bench.preload import PreloadFailed
    from bench.published import PublishFailed
    from bench.verify import NotVerified

    groups: dict[str, tuple[Group, ...]] = {"ingest": (ingest.run,), "verify": (verify.run,), "growth": (growth.run,)}
    groups["peers"] = (compare.run,)
    groups["ledger"] = (ingest.run, verify.run, growth.run, compare.run)
    groups["cost"] = (cost.run,)
    groups["crash"] = (crash.run,)
    groups["governance"] = (lists.run,)
    options = _options(list(groups))
    try:
        durability.require_fsync()
        for run in dict.fromkeys(run for name in options.names or ["ledger"] for run in groups[name]):
            run(options)
    except durability.NotDurable as error:
        progress(f"refused: {error}")
        return 1
    except (LoadError, PreloadFailed, PublishFailed, NotVerified, PeersFailed, Wrong, WrongPage) as error:
        progress(f"error: {error}")
        return 1
    return 0


def _options(groups: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./quickstart bench",
        description="Measure Assay against baselines built in the same run. Progress goes to standard error.",
        epilog="example: ./quickstart bench ingest --preload 100000 --rounds 3",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which groups (default ledger): {', '.join(groups)}")
    parser.add_argument("--preload", type=int, help="entries in the log before events are measured (1,000,000)")
    parser.add_argument("--entries", type=int, help="entries of the large log whose proofs are measured (10,000,000)")
    parser.add_argument("--rows", type=int, help="rows of each kind behind the pages of the large registry (1,000,000)")
    parser.add_argument("--rounds", type=int, help="alternating rounds; the median counts (5)")
    parser.add_argument("--small", action="store_true", help="small numbers: shows that it works, measures nothing")
    parser.add_argument("--keep", action="store_true", help="keep the servers' data, so that logs are loaded once")
    storm = parser.add_argument_group("crash")
    storm.add_argument("--seconds", type=float, default=180, help="how long writers are killed (180)")
    storm.add_argument("--kills", type=int, default=0, help="end after so many kills, if that comes first")
    storm.add_argument("--seed", type=int, help="of the random moments (a new one each time)")
    storm.add_argument("--no-server-crashes", dest="server_crashes", action="store_false", help="kill only writers")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(groups)):
        parser.error(f"there is no figure group {', '.join(unknown)}; choose from {', '.join(groups)}")
    defaults = {"preload": 20_000, "entries": 20_000, "rows": 3_000, "rounds": 2}
    if not options.small:
        defaults = {"preload": 1_000_000, "entries": 10_000_000, "rows": 1_000_000, "rounds": 5}
    for name, value in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
        if getattr(options, name) < 1:
            parser.error(f"--{name} is a whole number from 1 up")
    return options


if __name__ == "__main__":
    sys.exit(main())
