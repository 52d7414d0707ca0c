"""`python -m config VERB ...`: what ./quickstart does once Python and the packages are there."""

import sys

from config.stopping import StopFlag


def main() -> int:
    flag = StopFlag()
    flag.install()
    # Loaded afterwards: it takes long enough for somebody to press Ctrl-C meanwhile.
    from config.verbs import run

    return run(flag, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
