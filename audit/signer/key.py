"""The signing key: a file in the signer's folder that no other process reads."""

import os
import stat
from collections.abc import Callable
from typing import Final

from audit.signer.state import StateDir, write_private
from audit.tlog.keys import SEED_SIZE, KeyTextError, SigningKey

KEY_FILE: Final = "signing.key"


class KeyRefused(RuntimeError):
    """The signing key is missing, open to others, or not the one this installation publishes."""


def load_key(folder: StateDir, *, origin: str, vkey: str) -> SigningKey:
    """The key of this log.

    Args:
        folder: where the key file lies.
        origin: name of the log, which must be the key's name (c2sp.org/tlog-checkpoint).
        vkey: the verifier key that readers are given; the signing key must be its other half.

    Raises:
        KeyRefused: with a sentence that says what to do.
    """
    path = folder.path / KEY_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise KeyRefused(
            f"There is no {KEY_FILE} in {folder.path}. Put the log's key there, or, for a new log, "
            "make one with: manage.py signer --init"
        ) from None
    if mode & 0o077:
        raise KeyRefused(f"{path} can be read by others (mode {mode:04o}): chmod 600 it, or make a new log.")
    try:
        key = SigningKey.from_text(text)
    except KeyTextError as error:
        raise KeyRefused(f"{path} holds no signing key: {error}") from error
    if key.name != origin:
        raise KeyRefused(f"{path} is the key of {key.name}, but LEDGER_ORIGIN is {origin}.")
    if key.verifier.to_text() != vkey:
        raise KeyRefused(
            f"LEDGER_VKEY is not the public half of {path}: nobody could check what it signs. "
            f"Set LEDGER_VKEY to {key.verifier.to_text()} if that key is the right one."
        )
    return key


def make_key(folder: StateDir, *, origin: str, entropy: Callable[[int], bytes] = os.urandom) -> SigningKey:
    """Create the key of a new log. Raises KeyRefused when there is one already."""
    path = folder.path / KEY_FILE
    if path.exists():
        raise KeyRefused(f"{path} is there already; a log keeps its key.")
    if not origin:
        raise KeyRefused("Set LEDGER_ORIGIN, the name of the log, before its key is made.")
    try:
        key = SigningKey.generate(origin, entropy(SEED_SIZE))
    except KeyTextError as error:
        raise KeyRefused(f"LEDGER_ORIGIN cannot name a key: {error}") from error
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, key.to_text())
    return key
