"""Which addresses model files may be fetched from: the operator's list of prefixes, and nothing that only looks alike.

A prefix is an address that ends with a slash. `private+` before it says that its host may lie in a private network; an
`http` prefix is taken only so, because an answer that anybody on the way can change says nothing about a model.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

MAX_ADDRESS: Final = 400
HUB: Final = "huggingface.co"
PRIVATE: Final = "private+"
_PORTS: Final = {"https": 443, "http": 80}
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~+=@,:-]*)*")
_SENT_PATH: Final = re.compile(r"(/([A-Za-z0-9._~+=@,:!$&'()*;-]|%[0-9A-Fa-f]{2})*)*")
_HIDDEN: Final = re.compile(r"%(2e|2f|5c|00|25)", re.IGNORECASE)
_HUB_REPOSITORY: Final = re.compile(r"(/[\w.-]+/[\w.-]+)(?:/(?:tree|resolve)/([\w.-]+))?/?", re.ASCII)


class AddressNotAllowed(ValueError):
    """An address that nothing is fetched from; the message says why."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """What an address must begin with. `private`: its host may have a private address."""

    scheme: str
    host: str
    port: int
    path: str
    private: bool


@dataclass(frozen=True, slots=True)
class Place:
    """An allowed address, taken apart and put together again."""

    url: str
    scheme: str
    host: str
    port: int
    private: bool


def read_prefixes(words: Iterable[str]) -> tuple[Prefix, ...]:
    """The prefixes that the operator wrote.

    Raises:
        AddressNotAllowed: one that is none.
    """
    found = []
    for word in words:
        private = word.startswith(PRIVATE)
        scheme, host, port, path, query = _parts(word.removeprefix(PRIVATE), _PATH)
        if query:
            raise AddressNotAllowed(f"{word!r} has a query; a prefix ends with a folder.")
        if scheme == "http" and not private:
            raise AddressNotAllowed(f"{word!r} is not https; only a prefix that begins with {PRIVATE} may be http.")
        found.append(Prefix(scheme, host, port, path if path.endswith("/") else f"{path}/", private))
    return tuple(found)


def allowed(address: str, prefixes: Sequence[Prefix], *, redirected: bool = False) -> Place:
    """`address`, when it begins with one of the prefixes; an address that a server sent may have a query.

    Raises:
        AddressNotAllowed: it does not, or it is written so that it may mean something else.
    """
    scheme, host, port, path, query = _parts(address, _SENT_PATH if redirected else _PATH)
    if query and not redirected:
        raise AddressNotAllowed("The address of a repository has no query.")
    for prefix in prefixes:
        same = (scheme, host, port) == (prefix.scheme, prefix.host, prefix.port)
        if same and (path.startswith(prefix.path) or f"{path}/" == prefix.path):
            shown = f"[{host}]" if ":" in host else host
            origin = shown if port == _PORTS[scheme] else f"{shown}:{port}"
            return Place(f"{scheme}://{origin}{path}{query}", scheme, host, port, prefix.private)
    raise AddressNotAllowed(f"{host} at this path is not among the addresses that the operator allows (IMPORT_URLS).")


def folder_of(address: str, release: str) -> str:
    """The address under which the files of a repository lie, with a slash at its end.

    On the Hub that is made of the repository and the release; elsewhere it is the address itself.
    """
    parts = urlsplit(address)
    match = _HUB_REPOSITORY.fullmatch(parts.path)
    if parts.hostname == HUB and match:
        return f"{parts.scheme}://{parts.netloc}{match[1]}/resolve/{match[2] or release}/"
    return address if address.endswith("/") else f"{address}/"


def _parts(address: str, path_form: re.Pattern[str]) -> tuple[str, str, int, str, str]:
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        raise AddressNotAllowed("An address holds only printable ASCII characters without spaces.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise AddressNotAllowed(f"This is not an address: {error}.") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise AddressNotAllowed("An address starts with https:// and names a host.")
    if parts.username is not None or parts.password is not None or parts.fragment or "#" in address:
        raise AddressNotAllowed("An address holds no user name, password or fragment.")
    path = parts.path or "/"
    segments = path.split("/")[1:]
    odd = {"", ".", ".."} & set(segments[:-1]) or segments[-1] in {".", ".."}
    if not path_form.fullmatch(path) or _HIDDEN.search(path) or odd:
        raise AddressNotAllowed(
            "The path of an address is written plainly: no dots as steps, no empty steps, no escapes."
        )
    query = f"?{parts.query}" if parts.query else ""
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path, query
