"""`./quickstart verifier`: the offline verifier as one file, for auditors to take along.

A zip archive of `audit/tlog` that Python runs as it is (PEP 441). Its bytes depend on the source alone: files
sorted, one fixed time, not compressed, because compressors differ. Needs the standard library only.
"""

import sys
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / "dist" / "assay-verifier.pyz"

_SHEBANG: Final = b"#!/usr/bin/env python3\n"
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""The first time a zip archive can hold."""

_UNIX: Final = 3
_MODE: Final = 0o100644 << 16

_MAIN: Final = '''\
"""Assay's offline verifier: `python assay-verifier.pyz --help`."""

import importlib.util
import sys

if sys.version_info < (3, 11):
    sys.stderr.write("The verifier needs Python 3.11 or newer.\\n")
    sys.exit(2)
if importlib.util.find_spec("cryptography") is None:
    sys.stderr.write("The verifier needs the package cryptography: python -m pip install cryptography\\n")
    sys.exit(2)

from audit.tlog.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''


def archive() -> bytes:
    """The file's bytes."""
    content = {"__main__.py": _MAIN.encode()}
    for path in [ROOT / "audit" / "__init__.py", *(ROOT / "audit" / "tlog").glob("*.py")]:
        content[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    stream = BytesIO()
    stream.write(_SHEBANG)
    with ZipFile(stream, "w", ZIP_STORED) as file:
        for name in sorted(content):
            entry = ZipInfo(name, _EARLIEST)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            file.writestr(entry, content[name])
    return stream.getvalue()


def main() -> int:
    """Write the file and say its name and SHA-256, by which two builds are compared."""
    data = archive()
    TARGET.parent.mkdir(exist_ok=True)
    draft = TARGET.with_suffix(".new")
    draft.write_bytes(data)
    draft.chmod(0o755)
    draft.replace(TARGET)
    sys.stdout.write(f"{TARGET}  {len(data)} bytes  SHA-256 {sha256(data).hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
