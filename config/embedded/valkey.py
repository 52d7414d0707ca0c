"""A private Valkey on a socket. It keeps nothing: the database is the record, messages can be made again."""

import os
import pwd
import socket
from pathlib import Path

from config import child
from config.embedded.place import EmbeddedError, reachable, valkey_program
from config.stopping import StopFlag


def start(*, sockets: Path, log: Path, user: pwd.struct_passwd | None, flag: StopFlag) -> child.Child:
    """Start the server and wait until it answers; returns it. Its socket is `sockets`/valkey.sock."""
    program = valkey_program()
    address = sockets / "valkey.sock"
    process = child.start(
        "valkey",
        [
            reachable(program, tree=program.parents[2], user=user),
            "--port", "0", "--unixsocket", address, "--unixsocketperm", "700", "--dir", sockets,
            "--save", "", "--appendonly", "no", "--maxmemory", "256mb", "--maxmemory-policy", "noeviction",
        ],
        environment={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        log=log,
        user=user,
    )  # fmt: skip
    try:
        if not flag.until(lambda: _answers(process, address), seconds=20):
            raise EmbeddedError(f"Valkey did not answer within 20 s. The end of its log:\n{process.tail()}")
    except BaseException:
        child.stop([process], grace=5)
        raise
    return process


def _answers(process: child.Child, address: Path) -> bool:
    if not process.running:
        raise EmbeddedError(f"Valkey did not start. The end of its log:\n{process.tail()}")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(address))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
