"""`./quickstart bench [NAME ...]`: measure, and print one JSON object a line."""

import argparse
import os
import sys

import django

from bench.figure import progress


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from bench import durability, ingest  # needs configured settings

    groups = {"durability": durability.run, "ingest": ingest.run}
    parser = argparse.ArgumentParser(
        prog="./quickstart bench",
        description="Measure Assay against baselines built in the same run. Progress goes to standard error.",
        epilog="example: ./quickstart bench ingest --preload 100000 --rounds 3",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which groups (default all): {', '.join(groups)}")
    parser.add_argument("--preload", type=int, default=1_000_000, help="rows in the tables before measuring")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds; the median counts")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(groups))
    if unknown:
        parser.error(f"there is no figure group {', '.join(unknown)}; choose from {', '.join(groups)}")
    try:
        for name in options.names or list(groups):
            groups[name](options)
    except durability.NotDurable as error:
        progress(f"refused: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
