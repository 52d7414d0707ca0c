"""Coverage of child processes: the variables that start it, handed on with an environment that is otherwise new."""

import os


def measuring() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
