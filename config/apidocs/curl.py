"""A command line that calls one operation as it stands: POSIX shell, curl, no other tool."""

import shlex
from collections.abc import Sequence
from urllib.parse import urlencode

BEARER = '-H "Authorization: Bearer $ASSAY_TOKEN"'
"""The token comes from the environment: a command in a history file must not hold it."""

SESSION = '-b "sessionid=$ASSAY_SESSION; csrftoken=$ASSAY_CSRF" -H "X-CSRFToken: $ASSAY_CSRF"'
"""People's decisions are made with a log-in; this is how a script of theirs would carry it."""


def command(
    *, method: str, address: str, query: Sequence[tuple[str, str]], auth: Sequence[str], body: str, media: str
) -> str:
    """The command over several lines.

    Args:
        auth: alternatives the operation takes (`token`, `session`, `none`); the easiest one is used.
        body: text to send, "" for none. `media`: its type.
    """
    url = f"{address}?{urlencode(query)}" if query else address
    parts = [f"curl -sS {shlex.quote(url)}" if method == "GET" else f"curl -sS -X {method} {shlex.quote(url)}"]
    if "none" not in auth:
        parts.append(BEARER if "token" in auth or not auth else SESSION)
    if body:
        parts += [f"-H 'Content-Type: {media}'", f"--data {shlex.quote(body)}"]
    return " \\\n  ".join(parts)
