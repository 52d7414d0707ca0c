"""What the `adapter_config.json` of a PEFT adapter says: its base, its method, its rank, where it sits.

The base is kept as it is named there, because an adapter is only ever an adapter of those weights. Numbers that may
have a fraction are kept as text. Keys that are not read here are let pass, within the limits on size and number.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from governance.formats.strict_json import FormatError, flag, integer, mapping, read_object, text

ADAPTER_LIMIT: Final = 1 << 20
MAX_KEYS: Final = 500
MAX_MODULES: Final = 1_000
MAX_PATTERNS: Final = 10_000
MAX_RANK: Final = 1 << 16
MAX_ALPHA: Final = 1_000_000
NAME_LIMIT: Final = 200
PATTERN_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """An `adapter_config.json`, read.

    Attributes:
        base_revision: commit or tag of the base that it was trained on; empty when not said.
        rank: r, None where the method has none. `largest_rank`: the largest that any module gets, which is what
            an engine must make room for.
        alpha, dropout: as text; empty when not said.
        target_modules: names of modules, or none where `target_pattern` says it by one expression.
        dora, rslora: variants of the method.
    """

    peft_type: str
    task_type: str
    base_name: str
    base_revision: str
    rank: int | None
    largest_rank: int | None
    alpha: str
    dropout: str
    target_modules: tuple[str, ...]
    target_pattern: str
    modules_to_save: tuple[str, ...]
    dora: bool
    rslora: bool


def read_adapter_config(data: bytes) -> AdapterFacts:
    """The facts in an `adapter_config.json`.

    Raises:
        FormatError: not such a file, or a value that cannot be; `field` is the key.
    """
    root = read_object(data, name="adapter_config.json", limit=ADAPTER_LIMIT)
    if len(root) > MAX_KEYS:
        raise FormatError("adapter_config.json", f"has {len(root)} keys; at most {MAX_KEYS} are read.")
    peft_type = text(root, "peft_type", limit=40)
    if not peft_type:
        raise FormatError("peft_type", "is missing; this is not the adapter_config.json of an adapter.")
    base_name = text(root, "base_model_name_or_path", limit=300)
    if not base_name:
        raise FormatError("base_model_name_or_path", "is missing; an adapter says which base it is for.")
    rank = integer(root, "r", low=1, high=MAX_RANK)
    if rank is None and peft_type == "LORA":
        raise FormatError("r", "is missing.")
    modules, pattern = _targets(root)
    _numbers(root, "alpha_pattern")
    return AdapterFacts(
        peft_type=peft_type,
        task_type=text(root, "task_type", limit=40),
        base_name=base_name,
        base_revision=text(root, "revision", limit=100),
        rank=rank,
        largest_rank=max((*_ranks(root), rank)) if rank is not None else None,
        alpha=_number(root.get("lora_alpha"), "lora_alpha", high=MAX_ALPHA),
        dropout=_number(root.get("lora_dropout"), "lora_dropout", high=1),
        target_modules=modules,
        target_pattern=pattern,
        modules_to_save=_names(root, "modules_to_save"),
        dora=flag(root, "use_dora", default=False),
        rslora=flag(root, "use_rslora", default=False),
    )


def _targets(root: Mapping[str, object]) -> tuple[tuple[str, ...], str]:
    """`target_modules`: a list of names, or one string that is an expression over names."""
    if isinstance(root.get("target_modules"), str):
        return (), text(root, "target_modules", limit=PATTERN_LIMIT)
    return _names(root, "target_modules"), ""


def _names(root: Mapping[str, object], field: str) -> tuple[str, ...]:
    value = root.get(field)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise FormatError(field, "must be a list of names.")
    if len(value) > MAX_MODULES:
        raise FormatError(field, f"names {len(value)} modules; at most {MAX_MODULES} are read.")
    found = set()
    for item in value:
        name = text({field: item}, field, limit=NAME_LIMIT)
        if not name:
            raise FormatError(field, "must hold names of modules, none of them empty.")
        found.add(name)
    return tuple(sorted(found))


def _pattern(root: Mapping[str, object], field: str) -> Mapping[str, object]:
    found = mapping(root, field) or {}
    if len(found) > MAX_PATTERNS:
        raise FormatError(field, f"has {len(found)} lines; at most {MAX_PATTERNS} are read.")
    return found


def _ranks(root: Mapping[str, object]) -> list[int]:
    """The ranks that single modules get in place of `r`."""
    found = []
    for value in _pattern(root, "rank_pattern").values():
        rank = integer({"rank_pattern": value}, "rank_pattern", low=1, high=MAX_RANK)
        if rank is None:
            raise FormatError("rank_pattern", "must give every module a whole number.")
        found.append(rank)
    return found


def _numbers(root: Mapping[str, object], field: str) -> None:
    for value in _pattern(root, field).values():
        if not _number(value, field, high=MAX_ALPHA):
            raise FormatError(field, "must give every module a number.")


def _number(value: object, field: str, *, high: int) -> str:
    """A number from 0 to `high` as text; empty when null. The text is the shortest that reads back the same."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(field, "must be a number.")
    if not math.isfinite(value) or not 0 <= value <= high:
        raise FormatError(field, f"must be between 0 and {high}.")
    return repr(abs(value))  # a zero has no sign
