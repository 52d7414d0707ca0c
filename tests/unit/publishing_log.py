"""A log to publish that stands in memory, what a reader of its files needs, and a store that dies when told to."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from audit.publishing.signedlog import EntryMissing, Signed
from audit.publishing.store import MAX_FILE_BYTES, File, differs
from audit.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from audit.tlog.note import SigningKey
from audit.tlog.tiles import decode_bundle, encode_bundle
from tests.unit.tlog_reference import Naive

ORIGIN = "assay.example/test"
KEY = SigningKey.generate(ORIGIN, bytes(range(32)))
MOST = 70_000


@cache
def naive() -> Naive:
    """The slow second implementation, over distinct entries of different lengths."""
    return Naive([b"%d" % index + b"." * (index % 7) for index in range(MOST)])


def root(size: int) -> bytes:
    return naive().root(size)


def note(size: int) -> str:
    return sign_checkpoint(Checkpoint(ORIGIN, size, root(size)), KEY)


class MemoryLog:
    """The first entries of `naive`, signed at the given sizes."""

    def __init__(self, *signed: int) -> None:
        self.signed = {size: Signed(size, root(size), note(size)) for size in signed}
        self.entries = naive().entries[: max(signed, default=0)]
        self.statements: list[str] = []

    def newest(self) -> Signed | None:
        return self.signed[max(self.signed)] if self.signed else None

    def at(self, size: int) -> Signed | None:
        return self.signed.get(size)

    def after(self, size: int, *, within: int) -> Signed | None:
        later = sorted(found for found in self.signed if found > size)
        near = [found for found in later if found <= size + within]
        return self.signed[(near or later)[-1 if near else 0]] if later else None

    def leaves(self, start: int, stop: int) -> Iterator[list[bytes]]:
        for low in range(start, stop, 100):  # deliberately no multiple of a tile
            found = list(self.entries[low : min(low + 100, stop)])
            if len(found) != min(low + 100, stop) - low:
                raise EntryMissing(low + len(found))
            yield found

    def key_statements(self) -> list[str]:
        return self.statements


def wanted(size: int) -> dict[str, bytes]:
    """Every tile and bundle that a reader of `size` entries may ask for, named and filled in the plainest way."""
    files = {}
    for level in range(4):
        count = size >> 8 * level
        for n in range(-(-count // 256)):
            width = min(256, count - 256 * n)
            path = f"{_number(n)}" + (f".p/{width}" if width < 256 else "")
            hashes = [naive().hash_at(8 * level, 256 * n + offset) for offset in range(width)]
            files[f"tile/{level}/{path}"] = b"".join(hashes)
            if level == 0:
                files[f"tile/entries/{path}"] = encode_bundle(naive().entries[256 * n : 256 * n + width])
    return files


def _number(n: int) -> str:
    return f"{n:03d}" if n < 1000 else f"x{n // 1000:03d}/{n % 1000:03d}"


def reader_sees(read: Callable[[str], bytes | None]) -> int:
    """What a reader who starts now gets: the size of the published checkpoint, all of whose files must be there."""
    published = read("checkpoint")
    if published is None:
        return 0
    checkpoint = open_checkpoint(published, [KEY.verifier])
    for path, content in wanted(checkpoint.size).items():
        assert read(path) == content, path
    assert read("keys") == f"{KEY.verifier.to_text()}\n".encode()
    entries = []
    for n in range(checkpoint.size // 256):
        entries += decode_bundle(read(f"tile/entries/{_number(n)}") or b"")
    if rest := checkpoint.size % 256:
        entries += decode_bundle(read(f"tile/entries/{_number(checkpoint.size // 256)}.p/{rest}") or b"")
    assert Naive(entries).root(checkpoint.size) == checkpoint.root
    return checkpoint.size


class Killed(BaseException):
    """The process ends here; nothing of it runs any more."""


class DyingStore:
    """Files in memory. The write number `dies_at` is done or not, and the process is gone."""

    place = "memory"

    def __init__(self, files: dict[str, bytes], *, dies_at: int = -1, done: bool = False) -> None:
        self.files = files
        self.writes = 0
        self._dies_at = dies_at
        self._done = done

    def read(self, path: str) -> bytes | None:
        content = self.files.get(path)
        return content and content[: MAX_FILE_BYTES + 1]

    def add(self, files: Sequence[File]) -> None:
        for file in files:
            if self.files.get(file.path, file.content) != file.content:
                raise differs(file.path, self.place)
            self._write(file.path, file.content)

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        if self.files.get(path) not in (expected, content):
            raise differs(path, self.place)
        self._write(path, content)

    def remove(self, folder: str) -> None:
        for path in [path for path in self.files if path.startswith(f"{folder}/")]:
            self._write(path, None)

    def close(self) -> None:
        """Nothing is held."""

    def _write(self, path: str, content: bytes | None) -> None:
        self.writes += 1
        if self.writes == self._dies_at and not self._done:
            raise Killed
        if content is None:
            del self.files[path]
        else:
            self.files[path] = content
        if self.writes == self._dies_at:
            raise Killed
