"""A small HTTP/1.1 load client: bodies are encoded beforehand, one thread and socket a connection."""

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


class LoadError(RuntimeError):
    """The server answered something else than the success that is measured."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long all requests took, and each of them, in seconds."""

    elapsed: float
    latencies: tuple[float, ...]


def request_bytes(url: str, path: str, body: bytes, token: str) -> bytes:
    """A complete POST, ready to be sent."""
    host = urlsplit(url).netloc
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def drive(url: str, requests: Sequence[bytes], *, connections: int) -> Timing:
    """Send all requests over `connections` sockets, each waiting for its answer before the next.

    Raises:
        LoadError: an answer that is not 200 or 201.
    """
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    shares = [list(requests[start::connections]) for start in range(connections)]
    latencies: list[float] = []
    errors: list[Exception] = []
    ready = threading.Barrier(connections + 1)

    def work(share: list[bytes]) -> None:
        try:
            with socket.create_connection(address, timeout=60) as sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                own = []
                ready.wait(60)
                for request in share:
                    start = time.perf_counter()
                    sock.sendall(request)
                    _read_answer(sock)
                    own.append(time.perf_counter() - start)
                latencies.extend(own)
        except (OSError, LoadError, threading.BrokenBarrierError) as error:
            errors.append(error)
            ready.abort()

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    ready.wait(60)
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    if errors:
        raise LoadError(f"{len(errors)} connections failed, first: {errors[0]}")
    return Timing(time.perf_counter() - start, tuple(sorted(latencies)))


def _read_answer(sock: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = sock.recv(65536)
        if not chunk:
            raise LoadError("the server closed the connection")
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    if b" 201 " not in head[:16] and b" 200 " not in head[:16]:
        raise LoadError((head[:60] + b" " + body[:200]).decode(errors="replace"))
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
    while len(body) < length:
        chunk = sock.recv(65536)
        if not chunk:
            raise LoadError("the server closed the connection")
        body += chunk
