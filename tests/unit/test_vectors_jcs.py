"""The canonical JSON our facts, digests and datasets are written in, against its reference data (in ../shared)."""

import json
import struct

import pytest
import rfc8785

from tests.absence import needs_shared

NAMES = ("arrays", "french", "structures", "unicode", "values", "weird")


@pytest.mark.parametrize("name", NAMES)
def test_documents(name: str) -> None:
    folder = needs_shared("vectors", "jcs", "testdata")
    content = json.loads((folder / "input" / f"{name}.json").read_bytes())
    written = rfc8785.dumps(content)
    assert written == (folder / "output" / f"{name}.json").read_bytes()
    assert written == bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())


def test_numbers() -> None:
    found = json.loads(needs_shared("vectors", "jcs", "number_vectors.json").read_text())
    for case in found["rfc8785_numbers"]:
        (number,) = struct.unpack(">d", bytes.fromhex(case["ieee754_hex"]))
        if case["json"] is None:
            with pytest.raises(rfc8785.CanonicalizationError):
                rfc8785.dumps(number)
        else:
            assert rfc8785.dumps(number) == case["json"].encode()
