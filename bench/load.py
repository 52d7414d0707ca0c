"""HTTP load from a compiled client: requests are encoded beforehand, one thread and socket a connection."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.programs import CHECKOUT

_SOURCE = Path(__file__).with_name("load.c")
_CACHE = CHECKOUT / ".cache" / "bench"
_COMPILE_SECONDS = 60
_RUN_SECONDS = 900


class LoadError(RuntimeError):
    """The client could not run, or the server answered something else than the success that is measured."""


class NoCompiler(LoadError):
    """This machine cannot build the load client."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long all requests took, and each of them in the order they were given, in seconds."""

    elapsed: float
    latencies: tuple[float, ...]


def request_bytes(url: str, path: str, body: bytes, token: str) -> bytes:
    """A complete POST, ready to be sent."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def get_bytes(url: str, path: str, token: str) -> bytes:
    """A complete GET, ready to be sent."""
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def drive(url: str, requests: Sequence[bytes], *, connections: int) -> Timing:
    """Send all requests over `connections` sockets, each waiting for its answer before the next.

    Raises:
        NoCompiler: there is no C compiler to build the client with.
        LoadError: an answer that is not 200 or 201.
    """
    program = client()
    parts = urlsplit(url)
    with tempfile.NamedTemporaryFile(prefix="assay-load-") as file:
        for request in requests:
            file.write(len(request).to_bytes(4, "little") + request)
        file.flush()
        command: list[str | Path] = [program, parts.hostname or "", str(parts.port or 80), str(connections), file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_RUN_SECONDS)
    if done.returncode:
        raise LoadError(done.stderr.strip() or f"The load client ended with status {done.returncode}.")
    elapsed, *latencies = (int(line) / 1e9 for line in done.stdout.split())
    return Timing(elapsed, tuple(latencies))


def client() -> Path:
    """The load client, compiled from bench/load.c where that was not done yet. Raises NoCompiler or LoadError."""
    digest = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    program = _CACHE / f"load-{digest}"
    if program.exists():
        return program
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        raise NoCompiler(
            "The load client is a C program and this machine has no C compiler (looked for cc, gcc, clang). "
            "On Debian: sudo apt-get install gcc libc6-dev"
        )
    _CACHE.mkdir(parents=True, exist_ok=True)
    draft = program.with_suffix(f".{os.getpid()}")
    build: list[str | Path] = [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-pthread", "-o", draft, _SOURCE]
    done = subprocess.run(build, capture_output=True, text=True, check=False, timeout=_COMPILE_SECONDS)
    if done.returncode:
        raise LoadError(f"The load client does not compile here:\n{done.stderr[-1500:]}")
    draft.replace(program)
    return program
