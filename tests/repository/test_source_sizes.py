"""Files and functions stay small: the hard limits of docs/architecture.md."""

import ast

from tests.repository.tree import name, python_files

_FILE_LINES = 400
_FUNCTION_LINES = 60


def test_files_have_at_most_400_lines() -> None:
    sizes = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {path: size for path, size in sizes.items() if size > _FILE_LINES} == {}


def test_functions_have_at_most_60_lines() -> None:
    long = {}
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > _FUNCTION_LINES:
                    long[f"{name(path)}:{node.name}"] = size
    assert long == {}
