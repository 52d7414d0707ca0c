"""The signing keys: files in the signer's folder that no other process reads, and the statements that join them.

signing.key             the key the log was started with
signing-<key ID>.key    a later one
keys                    the key history (audit.tlog.keyhistory), from the first rotation on
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.signer.state import StateDir, sync_folder, write_private
from audit.tlog.keyhistory import MAX_HISTORY_BYTES, KeyHistory, KeyHistoryError, KeyRange, read_history
from audit.tlog.keys import SEED_SIZE, KeyTextError, SigningKey, VerifierKey

KEY_FILE: Final = "signing.key"
HISTORY_FILE: Final = "keys"
_LATER_KEYS: Final = "signing-*.key"
_DOOMED: Final = ".destroyed"


class KeyRefused(RuntimeError):
    """A signing key is missing, open to others, or not one of those this installation publishes."""


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The keys of one log: their history, and the private halves that lie in the folder."""

    history: KeyHistory
    private: tuple[SigningKey, ...]

    @property
    def origin(self) -> str:
        """The name of the log, which all its keys have."""
        return self.history.ranges[0].key.name

    @property
    def living(self) -> tuple[SigningKey, ...]:
        """The keys that go on, oldest first."""
        goes_on = [item.key for item in self.history.ranges if item.last is None]
        return tuple(self._private(key) for key in goes_on)

    def at(self, size: int) -> tuple[SigningKey, ...]:
        """The keys that sign a tree of `size` entries. Raises KeyRefused when one is not in the folder."""
        return tuple(self._private(key) for key in self.history.valid_at(size))

    def _private(self, key: VerifierKey) -> SigningKey:
        for own in self.private:
            if own.verifier == key:
                return own
        raise KeyRefused(
            f"The private half of {key.to_text()} is not in the signer's folder. Put its file back: without it the log "
            "cannot go on."
        )


def load_keys(folder: StateDir, *, origin: str, vkey: str) -> LogKeys:
    """The keys of this log.

    Args:
        folder: where the key files lie.
        origin: name of the log, which must be the keys' name (c2sp.org/tlog-checkpoint).
        vkey: the verifier key by which readers know this log; it must be one of its history.

    Raises:
        KeyRefused: with a sentence that says what to do.
    """
    path = folder.path / KEY_FILE
    history = _history(folder)
    private = tuple(_read(found, origin) for found in key_files(folder))
    if history is None:
        first = next((key for found, key in zip(key_files(folder), private, strict=True) if found == path), None)
        if first is None:
            raise KeyRefused(
                f"There is no {KEY_FILE} in {folder.path}. Put the log's key there, or, for a new log, "
                "make one with: manage.py signer --init"
            )
        history = KeyHistory((KeyRange(first.verifier, 0, None),))
        if first.verifier.to_text() != vkey:
            raise KeyRefused(
                f"LEDGER_VKEY is not the public half of {path}: nobody could check what it signs. "
                f"Set LEDGER_VKEY to {first.verifier.to_text()} if that key is the right one."
            )
    keys = LogKeys(history, private)
    if keys.origin != origin:
        raise KeyRefused(f"The keys in {folder.path} are of {keys.origin}, but LEDGER_ORIGIN is {origin}.")
    if vkey not in [key.to_text() for key in history.keys]:
        raise KeyRefused(f"LEDGER_VKEY is none of the keys in {folder.path / HISTORY_FILE}: it is of another log.")
    if not keys.living:  # asking for them refuses when a file is missing
        raise KeyRefused(f"No key in {folder.path / HISTORY_FILE} goes on.")
    return keys


def key_files(folder: StateDir) -> list[Path]:
    """The key files that lie in the folder, the first key's first."""
    first = folder.path / KEY_FILE
    return [*([first] if first.exists() else []), *sorted(folder.path.glob(_LATER_KEYS))]


def make_key(folder: StateDir, *, origin: str, entropy: Callable[[int], bytes] = os.urandom) -> SigningKey:
    """Create the key of a new log. Raises KeyRefused when there is one already."""
    path = folder.path / KEY_FILE
    if path.exists() or (folder.path / HISTORY_FILE).exists():
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


def make_next_key(folder: StateDir, keys: LogKeys, *, entropy: Callable[[int], bytes] = os.urandom) -> SigningKey:
    """Create a further key beside the others, or take up the one that an interrupted rotation made."""
    for unused in keys.private:
        if unused.verifier not in keys.history.keys:
            return unused
    key = SigningKey.generate(keys.origin, entropy(SEED_SIZE))
    write_private(folder.path / f"signing-{key.verifier.key_id.hex()}.key", key.to_text())
    return key


def save_history(folder: StateDir, history: KeyHistory) -> None:
    """Replace the file `keys`. When this returns it survives a power cut. Raises OSError."""
    write_private(folder.path / HISTORY_FILE, history.to_text())


def destroy_ended(folder: StateDir, keys: LogKeys) -> list[VerifierKey]:
    """Overwrite and remove the files of keys whose range has ended; which keys that were.

    What a disk keeps of overwritten blocks is beyond a program: the folder belongs on an encrypted disk.
    """
    ended = {item.key for item in keys.history.ranges if item.last is not None}
    gone = []
    for path in key_files(folder):
        key = _read(path, keys.origin).verifier
        if key in ended:
            # Renamed first: half overwritten under its own name it would be a damaged key to the next start.
            path.rename(path.with_suffix(_DOOMED))
            gone.append(key)
    doomed = sorted(folder.path.glob(f"*{_DOOMED}"))
    for path in doomed:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    if doomed:
        sync_folder(folder.path)
    return gone


def _history(folder: StateDir) -> KeyHistory | None:
    path = folder.path / HISTORY_FILE
    try:
        with path.open("rb") as file:
            text = file.read(MAX_HISTORY_BYTES + 1).decode()
        return read_history(text, None)
    except FileNotFoundError:
        return None
    except (KeyHistoryError, UnicodeDecodeError) as error:
        raise KeyRefused(f"{path} is no key history of this log: {error} Put back the copy that is.") from error


def _read(path: Path, origin: str) -> SigningKey:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyRefused(f"{path} can be read by others (mode {mode:04o}): chmod 600 it, or make a new log.")
    try:
        key = SigningKey.from_text(path.read_text(encoding="utf-8").strip())
    except (KeyTextError, UnicodeDecodeError) as error:
        raise KeyRefused(f"{path} holds no signing key: {error}") from error
    if key.name != origin:
        raise KeyRefused(f"{path} is the key of {key.name}, but LEDGER_ORIGIN is {origin}.")
    return key
