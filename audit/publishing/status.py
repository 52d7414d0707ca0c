"""What the publisher last came to, in a small file for whoever watches: no addresses, no content."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, get_args

State = Literal["ok", "unreachable", "refused"]
"""`ok`: all that is signed is out, or will be in a moment. `unreachable`: store or database do not answer. `refused`:
what is published, stored and signed do not tell the same; the publisher's log says what."""

FILE: Final = "publisher.json"
_MAX_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Status:
    """The last look of the publisher.

    Attributes:
        size: entries under the checkpoint that is out.
        at: when the publisher last looked.
    """

    state: State
    size: int
    at: datetime


def write_status(path: Path, status: Status) -> None:
    """Replace the file in one step. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(json.dumps(asdict(status) | {"at": status.at.isoformat()}), encoding="ascii")
    draft.replace(path)


def read_status(path: Path) -> Status | None:
    """What the file says; None when there is none that says anything (no publisher ever ran with this folder)."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
        at = datetime.fromisoformat(content["at"])
        if content["state"] not in get_args(State) or not isinstance(content["size"], int) or at.tzinfo is None:
            return None
        return Status(content["state"], content["size"], at)
    except (OSError, ValueError, KeyError, TypeError):
        return None
