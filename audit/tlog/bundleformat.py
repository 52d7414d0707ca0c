"""The JSON of an auditor's bundle, read strictly and written; bundle.py checks what it says."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from typing import Final, NamedTuple, Never, TypeGuard

from audit.tlog.encoding import MAX_SIZE, encode_base64

FORMAT: Final = "assay-bundle@v1"
MAX_BUNDLE_BYTES: Final = 64 * 1024 * 1024
MAX_ENTRIES: Final = 100_000
MAX_DEPTH: Final = 64

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_REQUIRED: Final = frozenset(("format", "origin", "keys", "checkpoint", "entries"))
_OPTIONAL: Final = frozenset(("consistency", "key_history", "state"))


class BundleError(ValueError):
    """A file is not an assay-bundle@v1."""


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """One entry to write: exact leaf bytes, inclusion proof, (salt, body) of each section to disclose, and for each
    erased section the entry that tells its erasure.
    """

    index: int
    leaf: bytes
    proof: Sequence[bytes]
    sections: Mapping[str, tuple[bytes, bytes]]
    erased: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One entry as it stands in the file: the right JSON types, the Base64 not decoded yet."""

    index: int
    leaf: str
    proof: list[str]
    sections: dict[str, tuple[str, str]]
    erased: dict[str, int] = field(default_factory=dict)


class RawConsistency(NamedTuple):
    """An older signed checkpoint and the proof that the bundle's checkpoint continues it."""

    note: str
    proof: list[str]


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A bundle whose structure is right; nothing in it has been verified."""

    origin: str
    keys: list[str]
    checkpoint: str
    entries: list[RawEntry]
    """In ascending index order, no index twice."""
    consistency: list[RawConsistency]
    state: dict[str, str]
    key_history: str | None = None
    """The log's file `keys` (keyhistory.py), once its keys have changed."""


def write_bundle(
    *,
    origin: str,
    keys: Iterable[str],
    checkpoint: str,
    entries: Iterable[BundleEntry],
    consistency: Iterable[tuple[str, Sequence[bytes]]] = (),
    state: Mapping[str, str] | None = None,
    key_history: str | None = None,
) -> bytes:
    """The bundle as JSON bytes. `checkpoint` and the first of each `consistency` pair are signed notes."""
    bundle: dict[str, object] = {
        "format": FORMAT,
        "origin": origin,
        "keys": list(keys),
        "checkpoint": checkpoint,
        "entries": [
            {
                "index": entry.index,
                "leaf": encode_base64(entry.leaf),
                "proof": [encode_base64(item) for item in entry.proof],
                "sections": {
                    name: {"salt": encode_base64(salt), "body": encode_base64(body)}
                    for name, (salt, body) in entry.sections.items()
                }
                | {name: {"erased": told_by} for name, told_by in entry.erased.items()},
            }
            for entry in entries
        ],
        "consistency": [
            {"from": note, "proof": [encode_base64(item) for item in proof]} for note, proof in consistency
        ],
    }
    if state is not None:
        bundle["state"] = dict(state)
    if key_history is not None:
        bundle["key_history"] = key_history
    return json.dumps(bundle, ensure_ascii=False, indent=1).encode()


def read_bundle(data: bytes) -> BundleFile:
    """The parts of a bundle. Raises BundleError, naming the place, on anything that is not exactly the
    format.

    Unknown names are refused: nothing may stand in the file that the verifier passes over in silence.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise BundleError(f"The file has {len(data)} bytes; a bundle may have at most {MAX_BUNDLE_BYTES}.")
    found = strict_json(data, "file")
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BundleError(f"The file is not a bundle: it does not say that its format is {FORMAT}.")
    _require_names(found, "bundle", _REQUIRED, _OPTIONAL)
    entries = found["entries"]
    consistency = found.get("consistency", [])
    state = found.get("state", {})
    if not isinstance(entries, list) or not isinstance(consistency, list) or not _is_text_map(state):
        raise BundleError("The bundle's entries and consistency must be lists and its state an object of texts.")
    if len(entries) > MAX_ENTRIES:
        raise BundleError(f"A bundle may hold at most {MAX_ENTRIES} entries, not {len(entries)}.")
    raw = sorted((_entry(item, number) for number, item in enumerate(entries, 1)), key=attrgetter("index"))
    for left, right in pairwise(raw):
        if left.index == right.index:
            raise BundleError(f"The bundle holds entry {left.index} twice.")
    keys = found["keys"]
    return BundleFile(
        origin=_text(found["origin"], "origin"),
        keys=keys if _is_text_list(keys) else _refuse("The bundle's keys must be a list of texts."),
        checkpoint=_text(found["checkpoint"], "checkpoint"),
        entries=raw,
        consistency=[_consistency(item, number) for number, item in enumerate(consistency, 1)],
        state=state,
        key_history=_text(found["key_history"], "key history") if "key_history" in found else None,
    )


def strict_json(data: bytes | str, what: str) -> object:
    """JSON in UTF-8 without repeated names, fractions, NaN or unpaired surrogates, at most MAX_DEPTH levels deep.

    So whatever it returns can be written again. Raises BundleError.
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
        result: object = json.loads(text, object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float)
    except BundleError as error:
        raise BundleError(f"The {what} is refused. {error}") from None
    except (ValueError, RecursionError):
        raise BundleError(f"The {what} is not JSON in UTF-8, or is nested too deeply.") from None
    if not _is_shallow(result):
        raise BundleError(f"The {what} is nested more than {MAX_DEPTH} levels deep.")
    if _SURROGATE.search(text):
        try:
            json.dumps(result, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise BundleError(f"The {what} holds half of a surrogate pair, which is no character.") from None
    return result


def _entry(item: object, number: int) -> RawEntry:
    where = f"entry at place {number} of the bundle"
    if not isinstance(item, dict):
        raise BundleError(f"The {where} is not an object.")
    _require_names(item, where, frozenset(("index", "leaf", "proof")), frozenset(("sections",)))
    index, leaf, proof, sections = item["index"], item["leaf"], item["proof"], item.get("sections", {})
    if type(index) is not int or not 0 <= index <= MAX_SIZE:
        raise BundleError(f"The {where} has no usable index.")
    if not isinstance(leaf, str) or not _is_text_list(proof) or not isinstance(sections, dict):
        raise BundleError(f"The {where} has a leaf, proof or sections of the wrong kind.")
    erased = {name: _erased(value["erased"], where) for name, value in sections.items() if _is_erased(value)}
    shown = {name: _section(value, where) for name, value in sections.items() if name not in erased}
    return RawEntry(index, leaf, proof, shown, erased)


def _is_erased(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict) and value.keys() == {"erased"}


def _erased(value: object, where: str) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise BundleError(f"The {where} has a section erased by no usable index.")
    return value


def _section(value: object, where: str) -> tuple[str, str]:
    if isinstance(value, dict) and value.keys() == {"salt", "body"}:
        salt, body = value["salt"], value["body"]
        if isinstance(salt, str) and isinstance(body, str):
            return salt, body
    raise BundleError(f"The {where} has a section that is neither just a salt and a body nor erased.")


def _consistency(item: object, number: int) -> RawConsistency:
    if not isinstance(item, dict) or item.keys() != {"from", "proof"} or not _is_text_list(item["proof"]):
        raise BundleError(f"The consistency proof at place {number} is not a note and a list of hashes.")
    return RawConsistency(_text(item["from"], "older checkpoint"), item["proof"])


def _require_names(found: Mapping[str, object], where: str, required: frozenset[str], optional: frozenset[str]) -> None:
    if missing := required - found.keys():
        raise BundleError(f"The {where} lacks {min(missing)}.")
    if unknown := found.keys() - required - optional:
        raise BundleError(f"The {where} holds the unknown name {min(unknown)[:80]!r}.")


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise BundleError(f"The bundle's {what} must be a text.")
    return value


def _is_text_list(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and set(map(type, value)) <= {str}


def _is_text_map(value: object) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and set(map(type, value.values())) <= {str}


def _refuse(message: str) -> Never:
    raise BundleError(message)


def _is_shallow(value: object) -> bool:
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [
            child
            for item in layer
            for child in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            if isinstance(child, dict | list)
        ]
        if not layer:
            return True
    return False


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BundleError("It names one value twice.")
    return result


def _no_float(text: str) -> Never:
    raise BundleError(f"It holds the number {text[:40]}; only whole numbers are allowed.")
