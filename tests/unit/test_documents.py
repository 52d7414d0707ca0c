"""Bills of materials and model cards: valid whatever the names are, read back as they were written."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.formats.bomcheck import BomInvalid, check_bom
from governance.formats.cardwriting import HUB_LICENCES, Card, Result, write_card
from governance.formats.mlbom import Ancestor, Metric, Part, Thing, ml_bom
from governance.formats.modelcard import RELATIONS, CardFacts, read_card

NOW = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)
SERIAL = UUID("0199f3c2-7a41-5d0e-9b55-3f1c2ae80d77")
NAMES = st.text(min_size=1, max_size=40)
LINE = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp", "Co", "Zs")), min_size=1, max_size=60
)
CARDS = st.builds(
    CardFacts,
    licence=st.sampled_from(sorted(HUB_LICENCES)) | LINE | st.just(""),
    base_models=st.lists(LINE, max_size=3, unique=True).map(tuple),
    relation=st.sampled_from(["", *RELATIONS]),
    datasets=st.lists(LINE, max_size=3, unique=True).map(tuple),
    tags=st.lists(LINE, max_size=3, unique=True).map(tuple),
    languages=st.lists(st.sampled_from(["no", "en", "ja", "on", "1.10", "null", "~"]), max_size=3, unique=True).map(
        tuple
    ),
)


def bom(part: Part) -> bytes:
    return ml_bom(serial=SERIAL, made_at=NOW, whole=None, parts=[part], depends={})


@settings(max_examples=40)
@given(NAMES, NAMES, NAMES, NAMES)
def test_any_names_make_a_valid_bill(name: str, version: str, licence: str, hf_id: str) -> None:
    part = Part(
        "adapter:1", name, version, developer=name, licence=licence, hf_id=hf_id, family=name, task=name,
        datasets=(name,), ancestors=(Ancestor(name, version), Ancestor(name)), descent=name,
        files=(("config.json", "0" * 64),), uses=(name,), limits=(version,),
        metrics=(Metric("acc", "0.9", lower="0.8"),),
        properties={"assay:source": name},
    )  # fmt: skip
    whole = Thing("revision:1", "application", name, version, name, {"assay:x": version})
    made = ml_bom(
        serial=SERIAL, made_at=NOW, whole=whole, parts=[part], things=[Thing("revision:1#e", "framework", name)],
        depends={"revision:1": ["adapter:1"]},
    )  # fmt: skip
    check_bom(made)
    assert json.loads(made)["dependencies"][1] == {"ref": "revision:1", "dependsOn": ["adapter:1"]}


def test_what_is_known_of_a_model_stands_where_cyclonedx_has_it() -> None:
    commit = "a" * 40
    part = Part("model_version:1", "Q", commit, hf_id="Qwen/Qwen3-8B", licence="apache-2.0", files=(("f", "0" * 64),))
    made = ml_bom(serial=SERIAL, made_at=NOW, whole=None, parts=[part], depends={})
    check_bom(made)
    (found,) = json.loads(made)["components"]
    assert found["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert found["purl"] == f"pkg:huggingface/Qwen/Qwen3-8B@{commit}"
    assert found["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]
    (other,) = json.loads(bom(Part("m:1", "a", "1", licence="Llama 3.1 Community", hf_id="javascript:alert(1)")))[
        "components"
    ]
    assert other["licenses"] == [{"license": {"name": "Llama 3.1 Community"}}]
    assert "purl" not in other
    assert "externalReferences" not in other


def test_a_document_that_is_none_is_found_out() -> None:
    with pytest.raises(BomInvalid, match="not valid CycloneDX"):
        check_bom(bom(Part("m:1", "a", "1", files=(("f", "no digest"),))))
    with pytest.raises(BomInvalid):
        check_bom(b"{}")


@given(CARDS)
def test_a_written_card_is_read_back(facts: CardFacts) -> None:
    card = Card(
        "Name | of <b>it</b>",
        facts,
        "peft",
        "text-generation",
        (Result("t", "d", "acc", "0.90"),),
        (("A", [("b", "c")]),),
    )
    assert read_card(write_card(card)) == facts


def test_a_card_that_says_nothing_and_one_in_other_spelling() -> None:
    nothing = CardFacts("", (), "", (), (), ())
    assert read_card(write_card(Card("x", nothing))) == nothing
    said = write_card(Card("x", CardFacts("Apache-2.0", (), "", (), (), ())))
    assert read_card(said).licence == "apache-2.0"
    assert b"# x" in said
