"""Requirements are pinned to one version and to hashes, and agree with each other."""

import re

import pytest

from tests.repository.tree import ROOT

_FILES = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt", "requirements-bench.txt")
_PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==(\S+)")


def _blocks(file: str) -> list[str]:
    text = (ROOT / file).read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [line for line in lines if not line.lstrip().startswith("#")]


@pytest.mark.parametrize("file", _FILES)
def test_every_requirement_is_pinned_and_hashed(file: str) -> None:
    blocks = _blocks(file)
    assert blocks
    assert [block for block in blocks if not _PIN.match(block) or "--hash=sha256:" not in block] == []


def test_files_that_are_installed_together_agree() -> None:
    pins: dict[str, set[str]] = {}
    for file in _FILES:
        for block in _blocks(file):
            match = _PIN.match(block)
            assert match
            pins.setdefault(match[1], set()).add(match[2])
    # Two pins of one package are fine only when markers choose between them inside one file.
    runtime = {match[0] for block in _blocks(_FILES[0]) if (match := _PIN.match(block))}
    development = {match[0] for block in _blocks(_FILES[1]) if (match := _PIN.match(block))}
    both = {pin.split("==")[0] for pin in runtime} & {pin.split("==")[0] for pin in development}
    assert {n for n in both if len(pins[n]) > 1} == set()


def test_everything_asked_for_is_compiled() -> None:
    for file in _FILES:
        asked = {
            re.split(r"[<>=!\[; ]", line.strip())[0].lower().replace("_", "-")
            for line in (ROOT / file.replace(".txt", ".in")).read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.startswith(("#", "-"))
        }
        compiled = {match[1] for block in _blocks(file) if (match := _PIN.match(block))}
        assert asked - compiled == set(), f"run ./quickstart lock for {file}"
