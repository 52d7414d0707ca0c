"""Machines, cards, slices and pools: by hand, from what nvidia-smi says, and what the database refuses."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from audit import queries as log
from governance import operations, queries
from governance.models import GpuDevice, GpuNode, GpuPool, MigSlice, PoolDevice
from governance.operations import Refused, SliceFacts
from governance.snapshot import snapshot
from tests.absence import needs_shared
from tests.integration.governance_story import NOW, Story, tell

pytestmark = pytest.mark.django_db

HARDWARE = "GPU-00000000-0000-0000-0000-00000000000{}"
SLICE = SliceFacts("3g.40gb", 1, 0, 40448 << 20)


@pytest.fixture
def story() -> Story:
    return tell()


@pytest.fixture
def node(story: Story) -> GpuNode:
    return noded(story)


def noded(story: Story, name: str = "tky2-gpu-07", **other: Any) -> GpuNode:
    fields: dict[str, Any] = {"provider": "on_prem", "region": "jp-east", **other}
    made = operations.register_gpu_node(by=story.requester, name=name, now=NOW, **fields)
    return GpuNode.objects.get(pk=made.id)


def card(story: Story, node: GpuNode, number: int = 1, model: str = "H100 SXM5", **other: Any) -> GpuDevice:
    fields: dict[str, Any] = {"hardware_id": HARDWARE.format(number), "slot": number, "serial": "165", **other}
    made = operations.register_gpu_device(by=story.requester, node_id=node.pk, gpu_model=model, now=NOW, **fields)
    return GpuDevice.objects.get(pk=made.id)


def test_a_node_with_cards_slices_and_a_pool(story: Story, node: GpuNode) -> None:
    one = card(story, node, driver_version="590.48.01", firmware="96.00.A5.00.01")
    for layout in ([SLICE], [SLICE], [SLICE, SliceFacts("1g.10gb", 9, 0, 9984 << 20)]):
        operations.register_mig_slices(by=story.requester, device_id=one.pk, slices=layout, now=NOW)
    assert list(MigSlice.objects.order_by("layout", "profile").values_list("layout", "profile")) == [
        (1, "3g.40gb"),
        (2, "1g.10gb"),
        (2, "3g.40gb"),
    ]
    move: dict[str, Any] = {"by": story.requester, "device_id": one.pk, "now": NOW}
    other = operations.register_gpu_pool(
        by=story.requester,
        name="spare",
        gpu_model="H100 SXM5",
        count=1,
        node=node.name,
        region="jp-east",
        hosting="on_prem",
        gpu_node_id=node.pk,
        now=NOW,
    )
    operations.record_pool_device(pool_id=story.pool, left=False, **move)
    for pool_id, left, words in (
        (story.pool, False, "is in tokyo-h100"),
        (other.id, False, "is in tokyo-h100"),
        (other.id, True, "is not in spare"),
        (uuid4(), False, "not registered"),
    ):
        with pytest.raises(Refused, match=words):
            operations.record_pool_device(pool_id=pool_id, left=left, **move)
    operations.record_pool_device(pool_id=story.pool, left=True, **move)
    last = operations.record_pool_device(pool_id=other.id, left=False, **move)
    (told,) = log.history(f"pool_device:{last.id}")
    facts: Any = log.section_facts([told.index])[told.index]
    assert facts["after"]["left"] is False
    assert snapshot("gpu_pool", GpuPool.objects.get(pk=other.id))["gpu_node_id"] == str(node.pk)
    assert queries.reconcile() == []


def test_cards_come_from_a_real_report(story: Story, node: GpuNode) -> None:
    path = needs_shared("samples", "nvidia_smi", "a100-sxm4-v12.xml")
    made = operations.import_cards(by=story.requester, node_id=node.pk, report=path.read_bytes(), now=NOW)
    device = GpuDevice.objects.select_related("gpu_model").get()
    assert (device.gpu_model.name, device.serial, len(made.entries)) == ("A100 80GB SXM4", "1650522003820", 5)
    assert set(device.slices.values_list("profile", flat=True)) == {"1g.20gb"}
    facts: Any = log.section_facts([made.entries[0]])[made.entries[0]]
    assert (facts["files"][0]["bytes"], facts["after"]) == (path.stat().st_size, snapshot("gpu_device", device))
    assert operations.import_cards(by=story.requester, node_id=node.pk, report=path.read_bytes(), now=NOW).entries == ()
    elsewhere = noded(story, "osk1-gpu-01")
    with pytest.raises(Refused, match=r"stands in tky2-gpu-07") as caught:
        operations.import_cards(by=story.requester, node_id=elsewhere.pk, report=path.read_bytes(), now=NOW)
    assert caught.value.field == "report"
    assert queries.reconcile() == []


def test_a_command_imports_a_file(
    story: Story, node: GpuNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cards.csv"
    file.write_text(
        f"index, name, uuid\n0, NVIDIA H100 80GB HBM3, {HARDWARE.format(1)}\n1, Card X, {HARDWARE.format(2)}"
    )
    arguments = [str(file), "--as", "watanabe", "--node", node.name]
    with pytest.raises(CommandError, match="Card X is not known by this name"):
        call_command("import_cards", *arguments)
    assert not GpuDevice.objects.exists(), "all or nothing"
    call_command("import_cards", *arguments, "--gpu-model", "L40S")
    assert list(GpuDevice.objects.order_by("slot").values_list("gpu_model__name", flat=True)) == ["H100 SXM5", "L40S"]
    call_command("import_cards", *arguments)
    assert "Everything stood already." in capsys.readouterr().out
    for wrong in (["--as", "nobody"], ["--node", "nowhere"]):
        with pytest.raises(CommandError):
            call_command("import_cards", *arguments, *wrong)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_cards", str(tmp_path / "none"), *arguments[1:])


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"hardware_id": "GPU-1"}, "hardware_id"),
        ({"number": 1}, "hardware_id"),
        ({"slot": -1}, "slot"),
        ({"model": "Abacus"}, "gpu_model"),
        ({"serial": "1" * 41}, "serial"),
        ({"firmware": "\x00"}, "firmware"),
    ],
)
def test_a_card_that_cannot_be(story: Story, node: GpuNode, other: dict[str, Any], field: str) -> None:
    card(story, node)
    with pytest.raises(Refused) as caught:
        card(story, node, **{"number": 2, **other})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("slices", "field"),
    [
        ([], "slices"),
        ([SLICE] * 17, "slices"),
        ([SLICE, SLICE], "slices"),
        ([SliceFacts("9g.1gb", 1, 0, 1)], "profile"),
        ([SliceFacts("3g.40gb", 1, 0, 0)], "memory_bytes"),
        ([SliceFacts("3g.40gb", -1, 0, 1)], "gpu_instance"),
    ],
)
def test_slices_that_cannot_be(story: Story, node: GpuNode, slices: list[SliceFacts], field: str) -> None:
    device = card(story, node)
    with pytest.raises(Refused) as caught:
        operations.register_mig_slices(by=story.requester, device_id=device.pk, slices=slices, now=NOW)
    assert caught.value.field == field
    for device_id, match in ((uuid4(), "not registered"), (card(story, node, 2, "L40S").pk, "it has none")):
        with pytest.raises(Refused, match=match):
            operations.register_mig_slices(by=story.requester, device_id=device_id, slices=[SLICE], now=NOW)


def test_a_node_changes_but_keeps_its_name(story: Story) -> None:
    node = noded(story, hourly_cost="31.2", cost_currency="usd", provider="aws")
    assert str(node.hourly_cost) == "31.2000"
    change: dict[str, Any] = {
        "by": story.requester,
        "node_id": node.pk,
        "provider": "gcp",
        "region": "us-1",
        "now": NOW,
    }
    change |= {"owner_id": story.reviewer.person_id, "notes": "Rented until March."}
    operations.change_gpu_node(seen=1, **change)
    node.refresh_from_db()
    assert (node.provider, node.hourly_cost, node.cost_currency, node.row_version) == ("gcp", None, "", 2)
    for other, field in (
        ({"seen": 1}, "row_version"),
        ({"seen": 2, "owner_id": uuid4()}, "owner_id"),
        ({"seen": 2, "node_id": uuid4()}, "node"),
        ({"seen": 2, "provider": "moon"}, "provider"),
        ({"seen": 2, "hourly_cost": "1"}, "cost_currency"),
    ):
        with pytest.raises(Refused) as caught:
            operations.change_gpu_node(**{**change, **other})
        assert caught.value.field == field
    with pytest.raises(Refused, match="stands already"):
        noded(story)
    assert queries.reconcile() == []


def test_the_database_keeps_a_card_in_one_pool_of_its_model(story: Story, node: GpuNode) -> None:
    device, foreign = card(story, node), card(story, node, 2, "L40S")
    operations.record_pool_device(by=story.requester, pool_id=story.pool, device_id=device.pk, left=False, now=NOW)
    other = operations.register_gpu_pool(
        by=story.requester, name="spare", gpu_model="H100 SXM5", count=1, node="a", region="b", hosting="cloud", now=NOW
    ).id
    with pytest.raises(Refused, match="another GPU model"):
        operations.record_pool_device(by=story.requester, pool_id=story.pool, device_id=foreign.pk, left=False, now=NOW)
    rows: list[tuple[UUID, UUID, int, bool, str]] = [
        (other, device.pk, 1, False, "in a pool already"),
        (story.pool, foreign.pk, 1, False, "another model"),
        (story.pool, device.pk, 2, False, "in a pool already"),
        (story.pool, device.pk, 3, True, "joins_and_leaves"),
    ]
    for pool, card_id, number, left, words in rows:
        with pytest.raises(IntegrityError, match=words), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                'INSERT INTO pool_device (id, pool_id, device_id, number, "left", recorded_by, since)'
                " VALUES (gen_random_uuid(), %s, %s, %s, %s, 'a', now())",
                [pool, card_id, number, left],
            )
    assert PoolDevice.objects.count() == 1
