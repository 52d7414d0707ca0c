"""The front door of every body: bounded reading, gzip, and JSON that means one thing only.

Django believes CONTENT_LENGTH and shows an empty body for a chunked request, and its own parsers accept
duplicate keys, 1e400, NUL and lone surrogates: each would be stored as something the sender did not say,
or fail later as a server error. Everything is refused here, by name, before anything is written.
"""

import json
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest

MAX_BODY: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 32
MAX_INTEGER: Final = (1 << 53) - 1
_CHUNK: Final = 1 << 16
_DIGITS: Final = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
_LONG_NUMBER: Final = b"0" * 16


class BodyRefused(ValueError):
    """A body that cannot be read as what it claims to be.

    Attributes:
        status: the HTTP status that says so.
        field: where in the body, "" for the body itself.
    """

    def __init__(self, reason: str, *, status: int = 400, field: str = "") -> None:
        self.status = status
        self.field = _sayable(field)
        super().__init__(_sayable(reason))


def _sayable(text: str) -> str:
    """The text as it can be answered: a key that is refused may hold what no answer can."""
    return text.encode("utf-8", "backslashreplace").decode()


def read_body(request: HttpRequest, *, limit: int = MAX_BODY) -> bytes:
    """The whole body, decompressed, at most `limit` bytes.

    Raises:
        BodyRefused: 413 beyond the limit, 415 for an unknown encoding, 400 for a broken one.
    """
    raw = _read(request, limit)
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if encoding in {"identity", ""}:
        return raw
    if encoding in {"gzip", "x-gzip"}:
        return _gunzip(raw, limit)
    raise BodyRefused(f"Content-Encoding {encoding!r} is not understood; send gzip or none.", status=415)


def _read(request: HttpRequest, limit: int) -> bytes:
    if "chunked" not in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()):
            raise BodyRefused("Content-Length is not a number.")
        if int(length) > limit:
            raise _too_large(limit)
        body = _received(lambda: request.body)
        if len(body) < int(length):
            raise BodyRefused("The body ended before Content-Length was reached.")
        return body
    stream = request.META["wsgi.input"]
    chunks, total = [], 0
    while chunk := _received(lambda: stream.read(_CHUNK)):
        total += len(chunk)
        if total > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> BodyRefused:
    return BodyRefused(f"The body is larger than {limit} bytes; send smaller batches.", status=413)


def _received(read: Callable[[], bytes]) -> bytes:
    """What the server hands over; it has errors of its own for a chunk that is malformed or a sender that left."""
    try:
        return read()
    except MemoryError:
        raise
    except Exception as error:
        raise BodyRefused("The body is malformed or was cut off on its way.") from error


def _gunzip(raw: bytes, limit: int) -> bytes:
    decoder = zlib.decompressobj(wbits=31)
    try:
        body = decoder.decompress(raw, limit + 1)
    except zlib.error as error:
        raise BodyRefused("The body is not valid gzip.") from error
    if len(body) > limit:
        raise BodyRefused(f"The body is larger than {limit} bytes after decompression.", status=413)
    if not decoder.eof or decoder.unused_data:
        raise BodyRefused("The gzip body is cut off or has something after its end.")
    return body


def parse_json(body: bytes) -> Any:
    """The value of a strict JSON text.

    Raises:
        BodyRefused: not UTF-8 or JSON, a key twice in one object, NaN or a number that is infinite, an
            integer beyond 2**53 - 1, NUL or a lone surrogate in a string, nesting deeper than 32.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyRefused(f"The body is not UTF-8 (byte {error.start}).") from error
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise BodyRefused(f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from error
    except RecursionError as error:
        raise BodyRefused(f"The body is nested deeper than {MAX_DEPTH} levels.") from error
    if _nesting_may_exceed(text) and nesting_exceeds(value):
        _walk(value, None, 1, _depth)
    if "\\u" in text:
        _walk(value, None, 1, _text)
    return value


def has_no_tricks(body: bytes) -> bool:
    """Whether a body has neither escapes nor numbers of 16 digits, so that no string and integer of it can be refused.

    Not for what is wrong in other ways: repeated keys, infinite numbers, depth.
    """
    return b"\\" not in body and _LONG_NUMBER not in body.translate(_DIGITS)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(key for key, _value in pairs)
        twice = next(key for key, count in counted.items() if count > 1)
        raise BodyRefused(f"The key {twice[:100]!r} stands twice in one object.", field=twice[:100])
    return found


def _constant(name: str) -> Any:
    raise BodyRefused(f"{name} is not a number in JSON.")


def _float(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise BodyRefused(f"The number {text[:40]} is too large.")
    return value


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise BodyRefused(f"The integer {text[:40]} is beyond 2^53 - 1: send it as a string.")
    return int(text)


def _nesting_may_exceed(text: str) -> bool:
    return text.count("{") + text.count("[") > MAX_DEPTH


def nesting_exceeds(value: Any) -> bool:
    """Whether a value is nested deeper than a body may be.

    Level by level, as a batch has many containers and few levels; `_walk` then says where.
    """
    level = [value] if isinstance(value, dict | list) else []
    for _depth_reached in range(MAX_DEPTH):
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


Path = tuple["Path", str | int] | None
"""Where a value stands: its container's place and its key. Text is made of it only for a refusal."""


def _shown(path: Path) -> str:
    parts: list[str] = []
    while path is not None and len(parts) <= MAX_DEPTH:
        path, key = path
        parts.append(f"[{key}]" if isinstance(key, int) else f".{key[:100]}")
    return "".join(reversed(parts)).removeprefix(".")[:200]


def _depth(value: Any, path: Path, depth: int) -> None:
    if depth > MAX_DEPTH and isinstance(value, dict | list):
        raise BodyRefused(f"The body is nested deeper than {MAX_DEPTH} levels.", field=_shown(path))


def _text(value: Any, path: Path, depth: int) -> None:
    if not isinstance(value, str):
        return
    if "\x00" in value:
        raise BodyRefused("A string holds the character U+0000.", field=_shown(path))
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BodyRefused("A string holds a lone surrogate, which is no character.", field=_shown(path)) from error


def _walk(value: Any, path: Path, depth: int, visit: Callable[[Any, Path, int], None]) -> None:
    visit(value, path, depth)
    if isinstance(value, dict):
        for key, item in value.items():
            visit(key, path, depth)
            _walk(item, (path, key), depth + 1, visit)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _walk(item, (path, position), depth + 1, visit)
