"""Secrets of one private installation: made once, kept in files that only its owner reads."""

import os
import secrets
from pathlib import Path

from audit.tlog.note import SigningKey

DATABASE_ROLES = ("admin", "owner", "app", "signer", "reader")


def once(path: Path, text: str) -> str:
    """Content of `path`, created with `text` (mode 0600, complete or absent) when it is not there yet."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    return path.read_text(encoding="utf-8").strip()


def database_passwords(data_dir: Path) -> dict[str, str]:
    return {role: once(data_dir / "secrets" / f"database_{role}", secrets.token_urlsafe(32)) for role in DATABASE_ROLES}


def make_web_secrets(data_dir: Path) -> dict[str, str]:
    """Environment that points web and worker to SECRET_KEY and LEDGER_HMAC_KEY."""
    folder = data_dir / "secrets"
    once(folder / "secret_key", secrets.token_urlsafe(64))
    once(folder / "ledger_hmac_key", secrets.token_hex(32))
    return {
        "SECRET_KEY_FILE": str(folder / "secret_key"),
        "LEDGER_HMAC_KEY_FILE": str(folder / "ledger_hmac_key"),
    }


def make_signing_key(data_dir: Path, *, origin: str) -> str:
    """Create the signer's key in its own state folder; returns the public verifier key."""
    folder = data_dir / "signer"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (history := folder / "keys").exists():
        # The log's keys have changed, and the first one may be destroyed: it goes on being known by that one.
        return history.read_text(encoding="utf-8").partition("\n")[0]
    text = once(folder / "signing.key", SigningKey.generate(origin, secrets.token_bytes(32)).to_text())
    return SigningKey.from_text(text).verifier.to_text()
