"""`python -m demo.exporters --port N`."""

import argparse
import signal
import sys
import time
from types import FrameType

from demo.exporters.server import serve


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.exporters", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--start", type=float, help="Unix time at which everything began (default: now)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    serve(options.port, start=time.time() if options.start is None else options.start)


if __name__ == "__main__":
    main()
