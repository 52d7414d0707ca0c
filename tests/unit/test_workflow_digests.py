"""The digests that approvals bind: fixed values, order does not matter, every part does."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.snapshot import AdapterUse, Artefact, RevisionContent, UnknownKind, decision_digest, digest, snapshot

CONTENT = RevisionContent(
    deployment="credit-memo-draft",
    model="Llama 3.1 8B",
    version="2024-07",
    artefacts=(Artefact("config.json", "a" * 64),),
    weight_dtype="bf16",
    kv_dtype="fp8",
    engine="vllm",
    engine_version="0.11.1",
    runtime_image="vllm@sha256:" + "b" * 64,
    context=8192,
    concurrency=8,
    tensor_parallel=1,
    reasoning_cap=4096,
    gpu="H100 SXM5",
    gpu_count=1,
    environment="production",
    region="jp-east",
    tool_grants=("search",),
)
TONE = AdapterUse("1", "tone", "1", "c" * 64, "d" * 64, "", "matched")
TEXT = (
    '{"adapters":[],"artefacts":[{"name":"config.json","sha256":"' + "a" * 64 + '"}],'
    '"deployment":"credit-memo-draft","environment":"production","format":"assay-revision@v1",'
    '"hardware":{"count":1,"gpu":"H100 SXM5"},"model":{"name":"Llama 3.1 8B","version":"2024-07"},'
    '"quantisation":{"kv_cache":"fp8","weights":"bf16"},"region":"jp-east",'
    '"runtime":{"engine":"vllm","image":"vllm@sha256:' + "b" * 64 + '","version":"0.11.1"},'
    '"serving":{"concurrency":8,"context":8192,"reasoning_cap":4096,"tensor_parallel":1},'
    '"tool_grants":["search"]}'
)


def test_the_text_of_a_revision_is_fixed() -> None:
    assert CONTENT.text() == TEXT
    assert digest(TEXT) == "f921d0f5dcb360e994af7bd9a388c22b044966e2dc026a04cad2b204e84879c4"


@pytest.mark.parametrize("field", [field.name for field in fields(RevisionContent)])
def test_every_part_of_a_revision_changes_its_digest(field: str) -> None:
    value = getattr(CONTENT, field)
    other: Any = value + 1 if isinstance(value, int) else value + "x" if isinstance(value, str) else ()
    whole = replace(CONTENT, adapters=(TONE,))
    assert digest(replace(whole, **{field: other}).text()) != digest(whole.text())


@pytest.mark.parametrize("field", [field.name for field in fields(AdapterUse)])
def test_every_part_of_an_adapter_changes_the_digest(field: str) -> None:
    other = replace(TONE, **{field: "x"})
    assert replace(CONTENT, adapters=(other,)).text() != replace(CONTENT, adapters=(TONE,)).text()


def test_adapters_are_sorted() -> None:
    zeal = replace(TONE, name="zeal")
    texts = {replace(CONTENT, adapters=order).text() for order in ((TONE, zeal), (zeal, TONE))}
    assert len(texts) == 1


def test_no_cap_is_not_a_cap_of_nothing() -> None:
    texts = {replace(CONTENT, reasoning_cap=cap).text() for cap in (None, 0, 4096)}
    assert len(texts) == 3


@given(st.permutations(["a", "b", "c"]), st.permutations([1, 2, 3]))
def test_order_does_not_matter(tools: list[str], files: list[int]) -> None:
    artefacts = tuple(Artefact(f"f{number}", f"{number}" * 64) for number in files)
    shuffled = replace(CONTENT, tool_grants=tuple(tools), artefacts=artefacts)
    ordered = tuple(sorted(artefacts, key=lambda item: item.name))
    assert shuffled.text() == replace(CONTENT, tool_grants=("a", "b", "c"), artefacts=ordered).text()


def test_a_decision_covers_revision_policy_and_evidence() -> None:
    base = decision_digest(revision="a" * 64, approval_policy="b" * 64, evidence=["c" * 64, "d" * 64])
    assert base == decision_digest(revision="a" * 64, approval_policy="b" * 64, evidence=["d" * 64, "c" * 64])
    others = [
        decision_digest(revision="b" * 64, approval_policy="b" * 64, evidence=["c" * 64, "d" * 64]),
        decision_digest(revision="a" * 64, approval_policy="c" * 64, evidence=["c" * 64, "d" * 64]),
        decision_digest(revision="a" * 64, approval_policy="b" * 64, evidence=["c" * 64]),
        decision_digest(
            revision="a" * 64, approval_policy="b" * 64, evidence=["c" * 64, "d" * 64], policies=["e" * 64]
        ),
    ]
    assert len({base, *others}) == 5


def test_rows_without_a_snapshot() -> None:
    with pytest.raises(UnknownKind):
        snapshot("cursor", object())
