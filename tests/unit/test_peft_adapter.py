"""`adapter_config.json` of PEFT: what is read, both forms of `target_modules`, and hostile files refused by field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.formats.peft import ADAPTER_LIMIT, MAX_KEYS, AdapterFacts, read_adapter_config
from governance.formats.strict_json import FormatError

LORA: dict[str, Any] = {
    "alpha_pattern": {},
    "auto_mapping": None,
    "base_model_name_or_path": "meta-llama/Llama-3.1-8B",
    "bias": "none",
    "fan_in_fan_out": False,
    "inference_mode": True,
    "init_lora_weights": True,
    "layers_to_transform": None,
    "lora_alpha": 32,
    "lora_dropout": 0.05,
    "megatron_config": None,
    "modules_to_save": None,
    "peft_type": "LORA",
    "r": 16,
    "rank_pattern": {},
    "revision": None,
    "target_modules": ["v_proj", "q_proj"],
    "task_type": "CAUSAL_LM",
    "use_dora": False,
    "use_rslora": False,
}

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.floats(),
    st.text(max_size=30),
)
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner)),
    max_leaves=8,
)


def read(**other: Any) -> AdapterFacts:
    return read_adapter_config(json.dumps({**LORA, **other}).encode())


def test_the_facts_of_a_plain_adapter() -> None:
    assert read() == AdapterFacts(
        peft_type="LORA",
        task_type="CAUSAL_LM",
        base_name="meta-llama/Llama-3.1-8B",
        base_revision="",
        rank=16,
        largest_rank=16,
        alpha="32",
        dropout="0.05",
        target_modules=("q_proj", "v_proj"),
        target_pattern="",
        modules_to_save=(),
        dora=False,
        rslora=False,
    )


def test_modules_by_pattern() -> None:
    found = read(target_modules=r".*\.(q|v)_proj")
    assert (found.target_modules, found.target_pattern) == ((), r".*\.(q|v)_proj")
    assert read(target_modules="all-linear").target_pattern == "all-linear"


def test_the_largest_rank_is_what_an_engine_needs_room_for() -> None:
    assert read(rank_pattern={"model.layers.0.q_proj": 64, "k_proj": 8}).largest_rank == 64
    assert read(rank_pattern={"k_proj": 8}).largest_rank == 16


def test_another_method_has_no_rank() -> None:
    found = read_adapter_config(b'{"peft_type": "PROMPT_TUNING", "base_model_name_or_path": "a/b"}')
    assert (found.rank, found.largest_rank, found.alpha) == (None, None, "")


def test_numbers_are_kept_as_text() -> None:
    assert read(lora_alpha=16.5, lora_dropout=1e-05).alpha == "16.5"
    assert read(lora_dropout=1e-05).dropout == "1e-05"
    assert read(lora_dropout=-0.0).dropout == "0.0"


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"peft_type": None}, "peft_type"),
        ({"peft_type": "L" * 41}, "peft_type"),
        ({"base_model_name_or_path": ""}, "base_model_name_or_path"),
        ({"base_model_name_or_path": "a\u0000b"}, "base_model_name_or_path"),
        ({"r": None}, "r"),
        ({"r": 0}, "r"),
        ({"r": 8.0}, "r"),
        ({"r": True}, "r"),
        ({"r": 1 << 20}, "r"),
        ({"lora_alpha": "16"}, "lora_alpha"),
        ({"lora_alpha": -1}, "lora_alpha"),
        ({"lora_dropout": 1.1}, "lora_dropout"),
        ({"target_modules": {"q_proj": 1}}, "target_modules"),
        ({"target_modules": [""]}, "target_modules"),
        ({"target_modules": [1]}, "target_modules"),
        ({"target_modules": "x" * 501}, "target_modules"),
        ({"target_modules": [f"m{number}" for number in range(1001)]}, "target_modules"),
        ({"modules_to_save": "lm_head"}, "modules_to_save"),
        ({"rank_pattern": []}, "rank_pattern"),
        ({"rank_pattern": {"a": None}}, "rank_pattern"),
        ({"rank_pattern": {"a": 0}}, "rank_pattern"),
        ({"alpha_pattern": {"a": "1"}}, "alpha_pattern"),
        ({"alpha_pattern": {"a": None}}, "alpha_pattern"),
        ({"rank_pattern": {f"m{number}": 1 for number in range(10_001)}}, "rank_pattern"),
        ({"use_dora": 1}, "use_dora"),
        ({"revision": 5}, "revision"),
        ({f"key{number}": 1 for number in range(MAX_KEYS)}, "adapter_config.json"),
    ],
)
def test_what_cannot_be_names_its_field(other: dict[str, Any], field: str) -> None:
    with pytest.raises(FormatError) as refused:
        read(**other)
    assert refused.value.field == field
    assert refused.value.reason


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"\xff", b'{"r": NaN}', b'{"r": 1, "r": 2}', b'{"a":' * 40, b" " * (ADAPTER_LIMIT + 1)],
)
def test_what_is_no_such_file(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_adapter_config(data)


def test_a_number_beyond_every_float() -> None:
    with pytest.raises(FormatError, match="between 0 and"):
        read_adapter_config(json.dumps(LORA).replace("0.05", "1e999").encode())


@given(st.dictionaries(st.sampled_from(sorted(LORA)) | st.text(max_size=10), ANY_JSON, max_size=8))
def test_any_json_is_read_or_refused_in_its_own_words(other: dict[str, Any]) -> None:
    try:
        found = read(**other)
    except FormatError as error:
        assert error.reason
        return
    assert found.base_name
    assert found.rank is None or 1 <= found.rank <= (found.largest_rank or 0)
    assert len(found.alpha) <= 40


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_adapter_config(data)
