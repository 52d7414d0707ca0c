"""Registering: the catalogue, models, pools, agents, comparisons; and the tables held against the ledger."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from audit import queries as log
from governance import operations, queries
from governance.capacity import catalogue
from governance.capacity.cost import Api, CloudCards, Load, OwnHardware, Price, Prices
from governance.checks import snapshots_are_full, workflow_covers_itself
from governance.models import Comparison, GpuModel, Model, ModelVersion, ToolGrant
from governance.operations import Refused
from governance.queries import reconciling
from governance.queries.reconciling import TABLES
from governance.snapshot import FIELDS, KEPT_BACK, digest, snapshot
from tests.integration.governance_story import CONFIG, INDEX, NOW, Story, login, tell
from tests.services.databases import Database


@pytest.fixture
def story(db: None) -> Story:
    return tell()


def price(low: str, mid: str, high: str) -> Price:
    return Price(Decimal(low), Decimal(mid), Decimal(high), "a published list", "2026-11-01")


def test_a_snapshot_holds_every_column() -> None:
    for kind, table in TABLES.items():
        told = {*FIELDS[kind], *KEPT_BACK.get(kind, ())}
        assert told == {field.attname for field in table._meta.concrete_fields}, kind
    # Only what must stay sealed is kept back, and the commitment that is told is over all of it.
    assert dict(KEPT_BACK) == {
        "sealed_decision": ("content", "salt"),
        "webhook": ("url", "secret", "previous_secret"),
    }


@pytest.mark.django_db
def test_the_catalogue_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = operations.load_catalogue(now=NOW)
    size = log.head_size()
    assert (first.created, first.changed) == (50, 0)
    assert operations.load_catalogue(now=NOW) == operations.CatalogueLoad(0, 0, 50)
    assert log.head_size() == size
    rows = dict(catalogue.gpus())
    changed = replace(rows["L40S"], notes="a correction")
    monkeypatch.setattr("governance.operations.catalogue.gpus", lambda: {**rows, "L40S": changed})
    assert operations.load_catalogue(now=NOW) == operations.CatalogueLoad(0, 1, 49)
    row = GpuModel.objects.get(name="L40S")
    assert (row.notes, row.row_version) == ("a correction", 2)
    facts = log.section_facts([size])[size]
    assert facts["before"] != facts["after"] == snapshot("gpu_model", row)
    assert queries.reconcile() == []


@pytest.mark.django_db
def test_every_model_of_the_catalogue_can_be_registered(story: Story) -> None:
    for name in catalogue.models():
        operations.register_from_catalogue(by=story.requester, name=name, now=NOW)
    assert ModelVersion.objects.filter(facts_from="catalogue").count() == 62
    assert queries.reconcile() == []


def test_files_are_kept_by_digest(story: Story) -> None:
    version = ModelVersion.objects.get(pk=story.version)
    assert version.config_sha256 == digest(json.dumps(CONFIG))
    assert version.index_sha256 == digest(json.dumps(INDEX))
    assert version.weight_bytes == 16060522496
    assert version.params_total == 8030261248
    content = json.loads(story.submitted().revision.content)
    assert content["artefacts"] == [
        {"name": "config.json", "sha256": version.config_sha256},
        {"name": "model.safetensors.index.json", "sha256": version.index_sha256},
    ]


def test_a_version_never_changes(story: Story) -> None:
    with pytest.raises(Refused, match="never changes"):
        operations.register_from_files(
            by=story.requester,
            model_name="Llama 3.1 8B",
            version="2024-07",
            config=json.dumps(CONFIG).encode(),
            source="elsewhere",
            now=NOW,
        )
    operations.register_from_files(
        by=story.requester,
        model_name="Llama 3.1 8B",
        version="2024-08",
        config=json.dumps(CONFIG).encode(),
        source="elsewhere",
        now=NOW,
    )
    assert Model.objects.get().versions.count() == 2


def test_another_model_under_the_same_name(story: Story) -> None:
    with pytest.raises(Refused) as caught:
        operations.register_from_files(
            by=story.requester,
            model_name="Llama 3.1 8B",
            version="2",
            config=json.dumps(CONFIG).encode(),
            licence="MIT",
            source="elsewhere",
            now=NOW,
        )
    assert caught.value.field == "licence"


def test_the_system_checks_pass() -> None:
    assert workflow_covers_itself(None) == []
    assert snapshots_are_full(None) == []


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"name": "tokyo-h100"}, "name"),
        ({"name": ""}, "name"),
        ({"gpu_model": "H900"}, "gpu_model"),
        ({"count": 0}, "count"),
        ({"hosting": "moon"}, "hosting"),
        ({"region": "\x00"}, "region"),
    ],
)
def test_a_pool_that_cannot_be(story: Story, other: dict[str, object], field: str) -> None:
    fields: dict[str, Any] = {
        "name": "p",
        "gpu_model": "L40S",
        "count": 1,
        "node": "n",
        "region": "r",
        "hosting": "cloud",
    }
    with pytest.raises(Refused) as caught:
        operations.register_gpu_pool(by=story.requester, now=NOW, **{**fields, **other})
    assert caught.value.field == field


@pytest.mark.django_db
def test_a_pool_of_what_nobody_loaded() -> None:
    requester = login("first", "Requesters")
    with pytest.raises(Refused, match="load_catalogue"):
        operations.register_gpu_pool(
            by=requester, name="p", gpu_model="L40S", count=1, node="n", region="r", hosting="cloud", now=NOW
        )


def test_the_memory_size_may_stand_in_the_name(story: Story) -> None:
    operations.register_gpu_pool(
        by=story.requester,
        name="other",
        gpu_model="H100 80GB SXM5",
        count=1,
        node="n",
        region="r",
        hosting="cloud",
        now=NOW,
    )


def test_an_auditor_registers_nothing(story: Story) -> None:
    with pytest.raises(Refused, match="Only members"):
        operations.register_from_catalogue(by=story.bystander, name="Qwen3 8B", now=NOW)


def test_agents_and_grants_that_cannot_be(story: Story) -> None:
    by, now = story.requester, NOW
    deployment = story.submitted().deployment_id

    def agent(name: str, of: UUID) -> operations.Recorded:
        return operations.register_agent(by=by, name=name, purpose="b", deployment_id=of, autonomy="suggest", now=now)

    def grant(agent_id: UUID) -> operations.Recorded:
        return operations.grant_tool(by=by, agent_id=agent_id, tool="t", reversibility="read_only", now=now)

    made = agent("a", deployment)
    grant(made.id)
    with pytest.raises(Refused, match="stands already"):
        agent("a", deployment)
    with pytest.raises(Refused, match="not registered"):
        agent("c", uuid4())
    grant(made.id)
    assert list(ToolGrant.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    with pytest.raises(Refused, match="not registered"):
        grant(uuid4())


def test_a_comparison_keeps_prices_sources_and_result(story: Story) -> None:
    deployment = story.submitted().deployment_id
    own = OwnHardware(
        investment=price("300000", "385000", "450000"),
        months=36,
        residual=Decimal("0.25"),
        staff_per_month=Decimal(3125),
        maintenance_per_year=Decimal("0.05"),
        full_power_kw=Decimal("10.2"),
        idle=Decimal("0.3"),
        pue=Decimal("1.54"),
        kwh=price("0.15", "0.15", "0.15"),
    )
    prices = Prices(
        currency="USD",
        own=own,
        cloud=CloudCards(price("1.25", "2.95", "12.29"), 8),
        api=Api(price("1", "2", "3"), price("5", "10", "15"), "a model by API"),
    )
    load = Load(900_000_000, 120_000_000, 1_200_000_000, Decimal(1))
    made = operations.record_comparison(
        by=story.requester, deployment_id=deployment, title="November", load=load, prices=prices, now=NOW
    )
    content = json.loads(Comparison.objects.get(pk=made.id).content)
    assert content["prices"]["cloud"]["card_hour"]["source"] == "a published list"
    options = {option["kind"]: option for option in content["result"]["options"]}
    assert options["on_prem"]["mid"] == "14470.03"
    assert options["api"]["mid"] == "15000.00"
    assert options["api"]["reasoning_share"] == "0.909"
    page = queries.deployment_page(deployment)
    assert [option.cheapest for option in page.comparisons[0].options] == [True, False, False]
    assert f"comparison:{made.id}" in queries.related_subjects(deployment)
    assert queries.reconcile() == []


def test_related_subjects_all_stand_in_the_ledger(story: Story) -> None:
    request = story.submitted()
    story.decided(request)
    subjects = queries.related_subjects(request.deployment_id)
    kinds = {subject.partition(":")[0] for subject in subjects}
    assert kinds >= {"deployment", "revision", "request", "decision", "model", "model_version", "gpu_pool", "gpu_model"}
    assert set(log.states_at(subjects, log.head_size())) == set(subjects)


def test_reconcile_names_what_was_changed_behind_the_ledger(
    committed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = tell()
    request = story.submitted()
    story.decided(request)
    adapter = b'{"peft_type": "LORA", "r": 8, "base_model_name_or_path": "a/b"}'
    operations.register_adapter(by=story.requester, name="tone", version="1", config=adapter, source="own", now=NOW)
    call_command("reconcile")
    with connections["admin"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("ALTER TABLE decision DISABLE TRIGGER ALL")
        cursor.execute("UPDATE decision SET reason = 'A reason nobody gave at that time.'")
        cursor.execute("ALTER TABLE gpu_pool DISABLE TRIGGER ALL")
        cursor.execute("ALTER TABLE revision DISABLE TRIGGER ALL")
        cursor.execute("DELETE FROM tool_grant")
        cursor.execute("UPDATE gpu_pool SET count = 80")
        cursor.execute("ALTER TABLE adapter DISABLE TRIGGER ALL")
        cursor.execute("UPDATE adapter SET r = 64")
    found = {mismatch.subject.partition(":")[0]: mismatch for mismatch in queries.reconcile()}
    assert set(found) == {"adapter", "decision", "gpu_pool"}
    assert found["adapter"].detail.endswith(": r.")
    assert "reason" in found["decision"].detail
    assert "count" in found["gpu_pool"].detail
    index = found["decision"].entry_index
    assert index is not None
    assert log.entry(index).type == "decision.recorded"
    with pytest.raises(CommandError, match="3 rows differ"):
        call_command("reconcile")
    monkeypatch.setattr(reconciling, "BATCH", 1)
    sliced: list[queries.Mismatch] = []
    positions = [""]
    while len(positions) == 1 or positions[-1]:
        part = reconciling.reconcile_slice(positions[-1])
        assert part.rows <= 1
        sliced += part.found
        positions.append(part.position)
    assert {mismatch.subject for mismatch in sliced} == {mismatch.subject for mismatch in found.values()}
    assert len(set(positions[1:])) == len(positions) - 1, "every slice goes on"
    for stranger in ("nonsense", "model rows nonsense", "model told x", "elsewhere rows 1"):
        assert reconciling.reconcile_slice(stranger) == reconciling.reconcile_slice()
    with connections["admin"].cursor() as cursor:
        cursor.execute("ALTER TABLE decision DISABLE TRIGGER ALL")
        cursor.execute("DELETE FROM decision")
    lost = [mismatch for mismatch in queries.reconcile() if mismatch.subject.startswith("decision:")]
    assert ["lost" in mismatch.detail for mismatch in lost] == [True]
