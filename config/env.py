"""Typed readers for environment variables.

Every reader either returns a value of the promised type or raises SettingError with a sentence that names the
variable. Any value may stand in a file instead: `NAME_FILE` holds the path, so that a secret never appears in a
process list.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_DATABASE_OPTIONS = frozenset({"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout"})
# Names that any S3-compatible server takes, and a prefix that means the same in an address and as a key.
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(\w[\w.-]*(?:/\w[\w.-]*)*))?/?", re.ASCII)
_MAIL_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_REDIS_SCHEMES = frozenset({"redis", "rediss", "unix"})


class SettingError(ImproperlyConfigured):
    """An environment variable is missing, contradictory or has a value nobody defined."""


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """The parts of a `postgresql://` address; `host` may be a socket directory."""

    user: str
    password: str
    host: str
    port: str
    name: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in: TLS from the start, by STARTTLS, or not at all."""

    host: str
    port: int
    user: str
    password: str
    starttls: bool
    tls: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in S3-compatible object storage; `prefix` has no slashes at its ends and may be empty."""

    bucket: str
    prefix: str


class Environment:
    """Readers over one mapping of variables (usually `os.environ`)."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def secret(self, name: str) -> str:
        """Value of NAME, or the content of the file NAME_FILE points to; "" when neither is set."""
        value, path = self._values.get(name, ""), self._values.get(f"{name}_FILE", "")
        if value and path:
            raise SettingError(f"Set either {name} or {name}_FILE, not both.")
        if not path:
            return value
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"{name}_FILE points to {path}, which cannot be read: {error}.") from error

    def text(self, name: str, default: str) -> str:
        value = self.secret(name)
        if "\x00" in value or "\n" in value:
            raise SettingError(f"{name} must be a single line of text.")
        return value or default

    def words(self, name: str) -> list[str]:
        """A comma-separated list, empty when unset."""
        return [word.strip() for word in self.text(name, "").split(",") if word.strip()]

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.secret(name).lower()
        if not value:
            return default
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise SettingError(f"{name} must be one of 1, 0, true, false, yes, no, on, off; not {value!r}.")

    def choice(self, name: str, *, choices: Sequence[str], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise SettingError(f"{name} must be one of {', '.join(choices)}; not {value!r}.")
        return value

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        value = self.secret(name) or str(default)
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise SettingError(f"{name} must be a whole number from {low} to {high}; not {value!r}.")
        return int(value)

    def seconds(self, name: str, *, default: int, low: int = 1, high: int = 86_400) -> timedelta:
        return timedelta(seconds=self.integer(name, default=default, low=low, high=high))

    def networks(self, name: str, default: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """A comma-separated list of networks in CIDR form, e.g. 10.20.0.0/16."""
        words = self.words(name) or [word for word in default.split(",") if word]
        try:
            return tuple(ip_network(word) for word in words)
        except ValueError as error:
            raise SettingError(f"{name} must list networks like 10.20.0.0/16: {error}.") from error

    def path(self, name: str, default: Path) -> Path:
        value = self.text(name, "")
        if not value:
            return default
        if not Path(value).is_absolute():
            raise SettingError(f"{name} must be an absolute path; not {value!r}.")
        return Path(value)

    def place(self, name: str, default: Path | None) -> Path | Bucket | None:
        """A folder's absolute path or s3://bucket/prefix; None for the word `off`."""
        value = self.text(name, "")
        if not value or value == "off":
            return default if not value else None
        if match := _BUCKET.fullmatch(value):
            return Bucket(match[1], match[2] or "")
        if not Path(value).is_absolute():
            raise SettingError(f"{name} must be an absolute path, s3://bucket/prefix or off; not {value!r}.")
        return Path(value)

    def hex_key(self, name: str, *, length: int) -> bytes:
        """A key of `length` bytes in hexadecimal (NAME or NAME_FILE); b"" when unset."""
        value = self.secret(name)
        if not value:
            return b""
        try:
            key = bytes.fromhex(value)
        except ValueError:
            key = b""
        if len(key) != length:
            raise SettingError(f"{name} must be {length} bytes written as {2 * length} hexadecimal digits.")
        return key

    def database(self, name: str) -> DatabaseUrl | None:
        """The address in NAME or NAME_FILE, None when unset."""
        value = self.secret(name)
        return parse_database_url(name, value) if value else None

    def redis(self, name: str) -> str:
        """A redis://, rediss:// or unix:// address, "" when unset."""
        value = self.secret(name)
        if value and urlsplit(value).scheme not in _REDIS_SCHEMES:
            raise SettingError(f"{name} must start with redis://, rediss:// or unix://.")
        return value

    def web_address(self, name: str, default: str) -> str:
        """An http or https origin without a path."""
        value = self.text(name, default).rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
            raise SettingError(f"{name} must look like https://assay.example, without a path; not {value!r}.")
        return value

    def endpoint(self, name: str) -> str:
        """An http or https address with a path, "" when unset. The message of a refusal never repeats it."""
        value = self.text(name, "")
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment):
            raise SettingError(f"{name} must look like https://hooks.example/path.")
        return value

    def mail_server(self, name: str) -> MailServer | None:
        """`smtp://` (STARTTLS), `smtps://` (TLS from the start) or `smtp+plain://` (no TLS), None when unset."""
        value = self.secret(name)
        return parse_mail_url(name, value) if value else None


def parse_mail_url(name: str, value: str) -> MailServer:
    """Parse `smtps://user:password@mail.example:465`. The message of a SettingError never repeats the address."""
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError as error:
        raise SettingError(f"{name} has a port that is not a number from 1 to 65535.") from error
    if parts.scheme not in _MAIL_PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingError(f"{name} must look like smtps://user:password@mail.example:465, or smtp:// for STARTTLS.")
    return MailServer(
        host=parts.hostname,
        port=port or _MAIL_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp",
        tls=parts.scheme == "smtps",
    )


def parse_database_url(name: str, value: str) -> DatabaseUrl:
    """Parse `postgresql://user:password@host:port/database?host=/socket/dir&sslmode=…`.

    The message of a SettingError never repeats the address, which may hold a password.
    """
    parts = urlsplit(value)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise SettingError(f"{name} must start with postgresql://: PostgreSQL is the only database.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - _DATABASE_OPTIONS)
    if unknown:
        raise SettingError(f"{name} has options nobody defined: {', '.join(unknown)}.")
    try:
        port = str(parts.port or "")
    except ValueError as error:
        raise SettingError(f"{name} has a port that is not a number from 1 to 65535.") from error
    database = unquote(parts.path.removeprefix("/"))
    if not parts.username or not database or "/" in database:
        raise SettingError(f"{name} must name a user and one database: postgresql://user:password@host/database.")
    return DatabaseUrl(
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        host=options.pop("host", "") or unquote(parts.hostname or ""),
        port=options.pop("port", "") or port,
        name=database,
        options=options,
    )
