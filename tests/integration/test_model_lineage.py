"""Files, lineage and quantisations of versions: from imports, by hand, from a folder, and what the database refuses."""

import json
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from audit import queries as log
from governance import operations, queries
from governance.models import Adapter, ModelArtefact, ModelRelation, ModelVersion, Quantisation
from governance.operations import File, Recorded, Refused
from governance.queries.lineage import MAX_DEPTH, family
from governance.snapshot import snapshot
from reports.collect.registry import VERSION
from reports.collect.registry import _field as report_field
from tests.integration.governance_story import CONFIG, NOW, Story, tell
from tests.integration.test_model_imports import CARD, FILE, GGUF

pytestmark = pytest.mark.django_db

DIGEST = "a" * 64
LORA = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": "left", "target_modules": ["q"]}


@pytest.fixture
def story() -> Story:
    return tell()


def made(story: Story, name: str, version: str = "1", **other: Any) -> Recorded:
    fields: dict[str, Any] = {"config": json.dumps(CONFIG).encode()} if "gguf" not in other else {}
    return operations.register_from_files(
        by=story.requester, model_name=name, version=version, source="own copy", now=NOW, **{**fields, **other}
    )


def types(found: Recorded) -> list[str]:
    return [log.entry(index).type for index in found.entries]


def link(story: Story, child: UUID, parent: UUID | None = None, relation: str = "finetune", **other: Any) -> Recorded:
    return operations.declare_relation(
        by=story.requester, child_id=child, parent_id=parent, relation=relation, now=NOW, **other
    )


def test_a_gguf_import_brings_its_files_lineage_and_quantisation(story: Story) -> None:
    base = made(story, "Qwen3 8B", hf_id="Qwen/Qwen3-8B")
    found = made(story, "Small Llama", "Q4_K_M", gguf=FILE, card=CARD)
    version = ModelVersion.objects.get(pk=found.id)
    assert types(found)[1:] == [
        "model_version.registered",
        "model_artefact.registered",
        "model_artefact.registered",
        "model_relation.declared",
        "quantisation.declared",
    ]
    files = {row.name: row for row in version.artefacts.all()}
    assert files["model.gguf"].sha256 == sha256(FILE).hexdigest(), "it was sent whole"
    assert (files["model.gguf"].kind, files["model.gguf"].format) == ("weights", "gguf")
    assert (files["README.md"].kind, files["README.md"].size_bytes) == ("card", len(CARD))
    relation = version.parents.get()
    assert (relation.parent_id, relation.parent_name) == (base.id, "Qwen/Qwen3-8B"), "no other version has the name"
    assert (relation.relation, relation.declared_in) == ("quantized", "card")
    quantisation = version.quantisations.get()
    bits = 8 * (version.weight_bytes or 0) / version.params_total
    assert (quantisation.scheme, quantisation.detail, quantisation.bits) == ("gguf", "Q4_K_M", f"{bits:.2f}")
    facts = log.section_facts(found.entries)
    assert facts[found.entries[-1]]["after"] == snapshot("quantisation", quantisation)
    page = queries.model_version_page(version.pk)
    assert {line.what.split(" by ")[0] for line in page.history} == {
        "Model version registered",
        "Artefact registered",
        "Lineage declared",
        "Quantisation declared",
    }
    assert queries.reconcile() == []


def test_a_header_alone_is_no_file_and_two_versions_are_a_choice(story: Story) -> None:
    for number in ("1", "2"):
        made(story, "Qwen3 8B", number, hf_id="Qwen/Qwen3-8B")
    found = made(story, "Small Llama", gguf=GGUF + b"the first weights", card=CARD)
    version = ModelVersion.objects.get(pk=found.id)
    assert [row.name for row in version.artefacts.all()] == ["README.md"]
    assert version.header_sha256 == sha256(GGUF).hexdigest()
    assert version.parents.get().parent_id is None
    branch = queries.model_version_page(version.pk).family.above[0]
    assert (branch.id, branch.name, branch.word) == (None, "Qwen/Qwen3-8B", "Not registered")
    base = ModelVersion.objects.get(model__hf_id="Qwen/Qwen3-8B", version="2")
    assert family(base.pk, called=["Qwen/Qwen3-8B"]).named_by == ((version.pk, "Small Llama 1"),)
    link(story, version.pk, base.pk, "quantized", parent_name="Qwen/Qwen3-8B")
    tied = queries.model_version_page(version.pk).family.above
    assert [branch.id for branch in tied] == [base.pk], "what is tied stands for what was only named"


def test_a_gguf_version_runs_as_stored(story: Story) -> None:
    found = made(story, "Small Llama", "Q4_K_M", gguf=FILE)
    version = ModelVersion.objects.get(pk=found.id)
    request = story.submitted(
        "small", model_version_id=version.pk, weight_dtype="as-stored", engine="llama.cpp", context=64, concurrency=1
    )
    assert request.revision.weight_dtype == "as-stored"
    assert json.loads(request.revision.content)["quantisation"]["weights"] == "as-stored"
    (weights, *_others) = json.loads(request.evidence)["terms"]
    assert weights["how"] == "bytes as stored"
    state = log.state_at(f"model_version:{version.pk}", log.head_size())
    assert state is not None
    fields = {spec.key: report_field(spec, state, {}) for spec in VERSION}
    assert fields["config_sha256"].state == "not_applicable"
    assert "GGUF" in fields["config_sha256"].reason
    assert fields["training_data"].state == "missing"
    bare = made(story, "from catalogue", config=json.dumps(CONFIG).encode())
    with pytest.raises(Refused, match="nobody read how many bytes"):
        story.submitted("bare", model_version_id=bare.id, weight_dtype="as-stored")


def test_a_config_says_its_quantisation_and_an_adapter_has_files(story: Story) -> None:
    config = {**CONFIG, "quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}
    found = made(story, "Awq", config=json.dumps(config).encode())
    version = ModelVersion.objects.get(pk=found.id)
    assert [str(row) for row in version.quantisations.all()] == (["AWQ"] if version.weight_dtype == "awq" else [])
    adapter = operations.register_adapter(
        by=story.requester,
        name="tone",
        version="1",
        config=json.dumps(
            {"peft_type": "LORA", "r": 8, "base_model_name_or_path": "x", "target_modules": ["q"]}
        ).encode(),
        weights_sha256=DIGEST,
        source="own",
        now=NOW,
    )
    rows = ModelArtefact.objects.filter(adapter=adapter.id)
    assert set(rows.values_list("name", "kind", "format")) == {
        ("adapter_config.json", "config", "json"),
        ("weights", "adapter", "other"),
    }


def test_lineage_is_drawn_both_ways_with_adapters_and_without_circles(story: Story) -> None:
    root, left, right, leaf = (made(story, name).id for name in ("root", "left", "right", "leaf"))
    link(story, left, root)
    link(story, right, root, "distilled")
    link(story, leaf, left, "merge")
    link(story, leaf, right, "merge")
    link(story, root, None, "converted", parent_name="somebody/else", parent_revision="abc")
    for child, parent in ((root, leaf), (root, root), (left, leaf)):
        with pytest.raises(Refused, match="was made from it"):
            link(story, child, parent)
        with pytest.raises(IntegrityError, match=r"itself made from|not_to_itself"), transaction.atomic():
            ModelRelation.objects.create(
                child_id=child, parent_id=parent, parent_name="x", relation="merge", declared_in="person",
                declared_by="person:x", declared_at=NOW,
            )  # fmt: skip
    operations.register_adapter(
        by=story.requester, name="tone", version="1", config=json.dumps(LORA).encode(), base_version_id=left,
        source="own", now=NOW,
    )  # fmt: skip
    operations.change_standing(
        by=story.reviewer, subject_kind="model_version", subject_id=left, state="quarantined", reason="Bad.", seen=0,
        now=NOW,
    )  # fmt: skip
    found = family(root)
    assert [branch.name for branch in found.above] == ["somebody/else abc"]
    assert [(branch.name, branch.how, branch.word) for branch in found.below] == [
        ("left 1", "fine-tuned from", "Quarantined"),
        ("right 1", "distilled from", "Active"),
    ]
    assert [branch.name for branch in found.below[0].beyond] == ["leaf 1", "tone 1"]
    assert found.below[1].beyond[0].repeated, "a member is unfolded once"
    up = family(leaf)
    assert [branch.name for branch in up.above] == ["left 1", "right 1"]
    assert up.above[0].beyond[0].name == "root 1"
    assert [item.child_id for item in queries.ancestors(leaf)][:2] == [leaf, leaf]
    assert {item.child_id for item in queries.descendants(root)} == {left, right, leaf}


def test_a_long_line_is_cut(story: Story) -> None:
    chain = [made(story, f"m{number}").id for number in range(MAX_DEPTH + 3)]
    for child, parent in zip(chain[1:], chain, strict=False):
        link(story, child, parent)
    assert len(queries.descendants(chain[0])) == MAX_DEPTH
    assert len(queries.ancestors(chain[-1])) == MAX_DEPTH


WRONG_RELATIONS: list[tuple[dict[str, Any], str]] = [
    ({"relation": "cousin"}, "relation"),
    ({"parent": uuid4()}, "parent_id"),
    ({"child": uuid4(), "parent_name": "x"}, "child_id"),
    ({"parent_name": " "}, "parent_name"),
    ({"parent_name": "known", "parent_revision": "1"}, "parent_name"),
]


def test_relations_that_cannot_be(story: Story) -> None:
    link(story, story.version, None, "finetune", parent_name="known", parent_revision="1")
    for other, field in WRONG_RELATIONS:
        with pytest.raises(Refused) as caught:
            link(story, **{"child": story.version, **other})
        assert caught.value.field == field, other


WRONG_FILES: list[tuple[dict[str, Any], str]] = [
    ({"sha256": "ab"}, "sha256"),
    ({"kind": "king"}, "kind"),
    ({"format": "zip"}, "format"),
    ({"name": "\x00"}, "name"),
    ({"size_bytes": -1}, "size_bytes"),
    ({"name": "config.json"}, "name"),
]


def test_files_that_cannot_be(story: Story) -> None:
    for other, field in WRONG_FILES:
        file = File(**{"name": "a.bin", "kind": "weights", "format": "pytorch_pickle", "sha256": DIGEST, **other})
        with pytest.raises(Refused) as caught:
            operations.add_artefact(by=story.requester, file=file, model_version_id=story.version, now=NOW)
        assert caught.value.field == field, other
    neither = File("b", "other", "other", DIGEST)
    for which in ({}, {"model_version_id": story.version, "adapter_id": uuid4()}, {"adapter_id": uuid4()}):
        with pytest.raises(Refused):
            operations.add_artefact(by=story.requester, file=neither, now=NOW, **which)


WRONG_QUANTISATIONS: list[tuple[dict[str, Any], str]] = [
    ({"scheme": "int3"}, "scheme"),
    ({"bits": "four"}, "bits"),
    ({"group_size": 0}, "group_size"),
    ({"source_version_id": uuid4()}, "source_version_id"),
    ({"source_version_id": "itself"}, "source_version_id"),
    ({"scheme": "awq"}, "scheme"),
]


def test_quantisations_that_cannot_be(story: Story) -> None:
    fields: dict[str, Any] = {"by": story.requester, "model_version_id": story.version, "now": NOW}
    operations.declare_quantisation(scheme="awq", bits="4.25", group_size=128, **fields)
    for other, field in WRONG_QUANTISATIONS:
        given = {key: story.version if value == "itself" else value for key, value in other.items()}
        with pytest.raises(Refused) as caught:
            operations.declare_quantisation(**{"scheme": "gptq", **given, **fields})
        assert caught.value.field == field, other
    assert Quantisation.objects.count() == 1


def test_a_folder_is_hashed_once(story: Story, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "sub" / "pytorch_model.bin").write_bytes(b"\x80\x02pickle")
    (tmp_path / "link").symlink_to(tmp_path / "model.safetensors")

    def run(version: str = "2024-07", login: str = "watanabe", folder: Path = tmp_path) -> str:
        out = StringIO()
        call_command("add_artefacts", "Llama 3.1 8B", version, folder, "--as", login, stdout=out)
        return out.getvalue()

    assert "2 registered, 0 stood already." in run()
    rows = ModelArtefact.objects.filter(model_version=story.version)
    assert rows.get(name="model.safetensors").sha256 == sha256(b"weights").hexdigest()
    assert rows.get(name="sub/pytorch_model.bin").format == "pytorch_pickle"
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    assert "1 registered, 2 stood already." in run()
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    for words, other in (
        ("another file", {}),
        ("not registered", {"version": "1999"}),
        ("no log-in", {"login": "nobody"}),
        ("No such file", {"folder": tmp_path / "none"}),
    ):
        with pytest.raises(CommandError, match=words):
            run(**other)
    assert queries.reconcile() == []


def test_the_database_keeps_what_is_declared(story: Story) -> None:
    assert Adapter.objects.count() == 0
    for other in ("'name', 'x', 'sha256', 'y'", "'name', 'x', 'model_version_id', null", "'kind', 'card'"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO model_artefact SELECT (jsonb_populate_record(a, jsonb_build_object("
                f"'id', gen_random_uuid(), {other}))).* FROM model_artefact a"
            )
