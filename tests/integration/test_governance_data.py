"""Data sets, evaluations and thresholds: what is recorded, what is refused, and what the database computes again."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.urls import reverse

from audit import queries as log
from audit.admin.labels import event_label, kind_label
from governance import operations, queries
from governance.models import Adapter, Dataset, DatasetUse, EvaluationRun, Metric, MetricThreshold
from governance.operations import Measured, Refused
from governance.snapshot import snapshot
from tests.integration.data_story import (
    DATASET,
    SHA,
    VERSION,
    dataset_version,
    evaluated,
    evaluated_model,
    limited,
    use_case,
)
from tests.integration.governance_story import NOW, Story, tell
from tests.integration.test_governance_adapters import config, register
from tests.integration.test_governance_api import Pipeline
from tests.services.databases import Database


@pytest.fixture
def story(db: None) -> Story:
    return tell()


def test_a_data_set_its_version_and_its_uses(story: Story) -> None:
    version = dataset_version(story, sha256=f"sha256:{SHA.upper()}", dataset_size=1)
    adapter = Adapter.objects.get(pk=register(story, config=config(revision=None), base_version_id=story.version).id)
    for model, tone in ((story.version, None), (None, adapter.pk)):
        operations.record_dataset_use(
            by=story.requester,
            dataset_version_id=version.pk,
            model_version_id=model,
            adapter_id=tone,
            purpose="testing",
            now=NOW,
        )
    (entry,) = log.history(f"dataset_use:{DatasetUse.objects.get(adapter=adapter).pk}")
    assert (event_label(entry.type), kind_label(entry.subject)) == ("Use of a data set recorded", "Use of a data set")
    assert version.sha256 == SHA
    page = queries.dataset_page(version.dataset_id)
    assert (page.name, page.versions[0].mark, page.older) == ("claims-eval", "todo", 0)
    assert {line.what for line in page.uses} == {"Llama 3.1 8B 2024-07", str(adapter)}
    assert page.versions[0].entry == log.history(f"dataset_version:{version.pk}")[0].index
    assert queries.reconcile() == []


def test_what_a_data_set_is_for_can_be_corrected(story: Story) -> None:
    row = dataset_version(story).dataset
    said: dict[str, Any] = {"dataset_type": "text", "intended_use": "Drafts too.", "reason": "Wider.", "now": NOW}
    made = operations.change_dataset(by=story.requester, dataset_id=row.pk, seen=1, **said)
    facts = log.section_facts(made.entries)[made.entries[0]]
    assert (facts["before"], facts["reason"]) == (snapshot("dataset", row), "Wider.")
    row.refresh_from_db()
    assert facts["after"] == snapshot("dataset", row)
    for other, field in (
        ({"seen": 1}, "row_version"),
        ({"seen": 2}, "intended_use"),
        ({"seen": 2, "reason": " "}, "reason"),
        ({"seen": 2, "dataset_id": uuid4()}, "dataset"),
    ):
        with pytest.raises(Refused) as caught:
            operations.change_dataset(**{"by": story.requester, "dataset_id": row.pk, **said, **other})
        assert caught.value.field == field
    assert queries.reconcile() == []


def test_data_sets_that_cannot_be(story: Story) -> None:
    version = dataset_version(story)
    by = story.requester

    def refused(act: Any, **fields: Any) -> str:
        with pytest.raises(Refused) as caught:
            act(**{"by": by, "now": NOW, **fields})
        return caught.value.field

    assert refused(operations.register_dataset, **DATASET) == "name"
    assert refused(operations.register_dataset, **{**DATASET, "dataset_type": "smell"}) == "dataset_type"
    assert refused(operations.register_dataset, **{**DATASET, "by": story.bystander}) == ""
    for other, field in (
        ({}, "version"),
        ({"version": "2", "dataset_id": uuid4()}, "dataset"),
        ({"version": "2", "provenance": "found"}, "provenance"),
        ({"version": "2", "sha256": "abc"}, "sha256"),
        ({"version": "2", "dataset_size": 0}, "dataset_size"),
        ({"version": "2", "licence": ""}, "licence"),
    ):
        fields = {**VERSION, "dataset_id": version.dataset_id, **other}
        assert refused(operations.register_dataset_version, **fields) == field
    use: dict[str, Any] = {"dataset_version_id": version.pk, "model_version_id": story.version, "purpose": "training"}
    operations.record_dataset_use(by=by, now=NOW, **use)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "purpose"),
        ({"purpose": "fun"}, "purpose"),
        ({"adapter_id": uuid4()}, "model_version"),
        ({"model_version_id": None}, "model_version"),
        ({"model_version_id": uuid4()}, "model_version"),
        ({"model_version_id": None, "adapter_id": uuid4()}, "adapter"),
        ({"dataset_version_id": uuid4()}, "dataset_version"),
    )
    for other, field in wrong:
        assert refused(operations.record_dataset_use, **{**use, **other}) == field
    assert (Dataset.objects.count(), DatasetUse.objects.count()) == (1, 1)


def test_a_run_is_judged_by_the_thresholds_in_force_and_the_stricter_wins(story: Story) -> None:
    case = use_case(story)
    limited(story)
    limited(story, use_case_id=case, limit="0.95", shape="lte")
    limited(story, metric="latency", shape="gt", limit="2.0", valid_from=NOW + timedelta(days=1))
    measured = (Measured("accuracy", "0.9130", lower_bound=".9"), Measured("accuracy", "0.2", slice="ja"))
    alone = evaluated(story, *measured, Measured("latency", "3"))
    beside = evaluated(story, *measured, use_case_id=case)
    words = [(row.name, row.slice, row.value, row.status) for row in alone.metrics.order_by("number")]
    assert words == [
        ("accuracy", "", "0.9130", "passed"),
        ("accuracy", "ja", "0.2", "no_threshold"),
        ("latency", "", "3", "no_threshold"),
    ]
    strict = beside.metrics.get(number=1)
    assert (strict.status, strict.passes_from, strict.passes_from_open, strict.passes_to) == (
        "failed",
        "0.95",
        True,
        "",
    )
    frozen = json.loads(strict.decision_threshold)
    assert [(item["scope"], item["governs"]) for item in frozen] == [("model", False), ("use_case", True)]
    later = evaluated(story, Measured("latency", "3"), now=NOW + timedelta(days=2))
    assert later.metrics.get().status == "failed"
    limited(story, limit=None, shape="", now=NOW + timedelta(days=3))
    assert evaluated(story, now=NOW + timedelta(days=3)).metrics.get().status == "no_threshold"
    assert alone.metrics.get(number=1).status == "passed", "what was judged stays judged"
    page = queries.evaluation_page(beside.pk)
    assert (page.mark, page.word) == ("bad", "failed")
    assert [(line.scope, line.words, line.governs) for line in page.metrics[0].thresholds] == [
        ("model Llama 3.1 8B", "fails below 0.9", False),
        ("use case Claims drafts", "fails at 0.95 and below", True),
    ]
    entry = log.history(f"metric:{strict.pk}")[0]
    assert log.section_facts([entry.index])[entry.index]["after"] == snapshot("metric", strict)
    assert queries.reconcile() == []


def test_whether_a_quantised_form_was_evaluated(story: Story) -> None:
    request = story.submitted(weight_dtype="awq")
    story.decided(request)
    (gap,) = queries.evidence_gaps(NOW)
    assert "runs Llama 3.1 8B 2024-07 as awq, which nobody evaluated after quantisation." in gap.words
    found = queries.model_evaluations(story.version, now=NOW)
    lines = [(line.weight_dtype, line.mark, line.word, line.in_use) for line in found.variants]
    assert lines == [
        ("bf16", "todo", "not evaluated", ()),
        ("awq", "bad", "not evaluated after quantisation", ("credit-memo-draft",)),
    ]
    evaluated(story)
    assert len(queries.evidence_gaps(NOW)) == 1, "an evaluation of other weights is none of these"
    evaluated(story, weight_dtype="awq", quantisation="AWQ, group 128")
    assert queries.evidence_gaps(NOW) == ()
    found = queries.model_evaluations(story.version, now=NOW)
    assert [(line.weight_dtype, line.mark, line.runs) for line in found.variants] == [
        ("bf16", "ok", 1),
        ("awq", "ok", 1),
    ]
    assert [line.weight_dtype for line in found.runs] == ["awq", "bf16"]


def test_evaluations_that_cannot_be(story: Story) -> None:
    one = Measured("accuracy", "0.9")
    other_base = register(story, config=config(base="another/base", revision=None))
    size = log.head_size()
    for metrics, other, field in (
        ((one, one), {}, "metrics.1.name"),
        ((one,) * 201, {}, "metrics"),
        ((Measured("a", "nan"),), {}, "metrics.0.value"),
        ((one, Measured("", "1")), {}, "metrics.1.name"),
        ((Measured("a", "1", lower_bound="2", upper_bound="1.5"),), {}, "metrics.0.upper_bound"),
        ((one,), {"run_at": NOW + timedelta(hours=1)}, "run_at"),
        ((one,), {"weight_dtype": "int3"}, "weight_dtype"),
        ((one,), {"artefact_sha256": "x"}, "artefact_sha256"),
        ((one,), {"tool": "\x00"}, "tool"),
        ((one,), {"model_version_id": uuid4()}, "model_version"),
        ((one,), {"use_case_id": uuid4()}, "use_case"),
        ((one,), {"dataset_version_id": uuid4()}, "dataset_version"),
        ((one,), {"adapter_id": uuid4()}, "adapter"),
        ((one,), {"adapter_id": other_base.id}, "adapter"),
    ):
        with pytest.raises(Refused) as caught:
            evaluated(story, *metrics, **other)
        assert caught.value.field == field
    result = operations.EvaluationResult(story.version, "p", "t", NOW, ())
    for by, field in ((story.requester, "metrics"), (story.bystander, "")):
        with pytest.raises(Refused) as caught:
            operations.record_evaluation(by=by, result=result, now=NOW)
        assert caught.value.field == field
    assert (log.head_size(), EvaluationRun.objects.count()) == (size, 0)


def test_thresholds_that_cannot_be(story: Story) -> None:
    model = evaluated_model(story)
    for other, field in (
        ({"limit": None}, "limit"),
        ({"limit": None, "upper": "1"}, "upper"),
        ({"limit": "x"}, "limit"),
        ({"shape": "near"}, "shape"),
        ({"upper": "2"}, "upper"),
        ({"shape": "outside", "upper": "0.1"}, "upper"),
        ({"valid_from": NOW - timedelta(seconds=1)}, "valid_from"),
        ({"reason": ""}, "reason"),
        ({"model_id": model, "use_case_id": uuid4()}, "model"),
        ({"model_id": uuid4()}, "model"),
        ({"use_case_id": uuid4()}, "use_case"),
    ):
        with pytest.raises(Refused) as caught:
            limited(story, **other)
        assert caught.value.field == field
    limited(story, limit=" +0.90", shape="outside", upper="1")
    row = MetricThreshold.objects.get()
    assert (row.version, row.limit_value, row.upper_value) == (1, "0.90", "1")


@pytest.mark.parametrize(
    "change",
    [
        {"status": "passed"},
        {"status": "no_threshold"},
        {"decision_threshold": ""},
        {"passes_from": "", "status": "passed"},
        {"passes_to": "0.1", "status": "passed"},
        {"passes_from": "0.913", "passes_from_open": True, "status": "passed"},
        {"value": "NaN", "status": "failed"},
        {"value": "1e3", "status": "passed"},
        {"lower_bound": "2", "upper_bound": "1"},
    ],
)
def test_the_database_computes_the_status_again(story: Story, change: dict[str, Any]) -> None:
    limited(story, limit="0.95")
    evaluated(story)
    assert Metric.objects.get().status == "failed"
    statement = (
        "INSERT INTO metric SELECT (jsonb_populate_record(m,"
        " jsonb_build_object('id', gen_random_uuid(), 'number', 2, 'name', 'b') || %s::jsonb)).* FROM metric m"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps({})])
        with pytest.raises(IntegrityError, match="metric_"), transaction.atomic():
            cursor.execute(statement, [json.dumps({"number": 3, "name": "c", **change})])


def test_a_pipeline_pushes_results_without_the_model(story: Story) -> None:
    pipeline = Pipeline(story)
    made = pipeline.post(reverse("api-datasets"), DATASET)
    assert made.status_code == 201, made.content
    dataset = reverse("api-dataset", args=[made.json()["id"]])
    version = pipeline.post(reverse("api-dataset-versions", args=[made.json()["id"]]), VERSION)
    assert version.status_code == 201, version.content
    use: dict[str, Any] = {
        "dataset_version_id": version.json()["id"],
        "model_version_id": str(story.version),
        "purpose": "rag",
    }
    assert pipeline.post(reverse("api-dataset-uses"), use).status_code == 201
    found = pipeline.get(dataset).json()
    assert ([item["version"] for item in found["versions"]], found["uses"][0]["purpose"]) == (["2026-11"], "rag")
    limit = {"model_id": str(evaluated_model(story)), "metric": "accuracy", "reason": "M-7", "limit": "0.9"}
    assert pipeline.post(reverse("api-thresholds"), {**limit, "shape": "lt"}).status_code == 201
    body: dict[str, Any] = {
        "model_version_id": str(story.version),
        "dataset_version_id": version.json()["id"],
        "protocol": "zero shot",
        "tool": "lm-eval",
        "run_at": "2026-11-24T09:00:00+09:00",
        "metrics": [{"name": "accuracy", "value": "0.89"}, {"name": "f1", "value": "0.5"}],
    }
    answer = pipeline.post(reverse("api-evaluations"), body)
    assert answer.status_code == 201, answer.content
    assert len(answer.json()["entries"]) == 3
    assert log.entry(answer.json()["entries"][0]).actor == f"service:{story.service.id}"
    run = pipeline.get(reverse("api-evaluation", args=[answer.json()["id"]])).json()
    assert (run["status"], run["run_at"]) == ("failed", "2026-11-24T00:00:00.000000Z")
    assert [item["status"] for item in run["metrics"]] == ["failed", "no_threshold"]
    forms = pipeline.get(reverse("api-model-version-evaluations", args=[story.version])).json()["forms"]
    assert [(form["weight_dtype"], form["status"], form["runs"]) for form in forms] == [("bf16", "failed", 1)]
    for address in ("api-datasets", "api-dataset-uses", "api-thresholds", "api-evaluations"):
        assert len(pipeline.get(reverse(address)).json()["items"]) == 1
    stale = {"dataset_type": "text", "intended_use": "b", "reason": "c", "row_version": 2}
    answers = [
        pipeline.client.patch(address, json.dumps(stale), content_type="application/json")
        for address in (dataset, reverse("api-dataset", args=[uuid4()]))
    ]
    assert [answer.status_code for answer in answers] == [409, 404]
    for other, field in (
        ({"metrics": [{"name": "a", "value": 0.9}]}, "metrics.0.value"),
        ({"metrics": [{"name": "a", "value": "1", "status": "passed"}]}, "metrics.0.status"),
        ({"metrics": []}, "metrics"),
        ({"run_at": "2026-11-24T09:00:00"}, "run_at"),
        ({"run_at": 5}, "run_at"),
        ({"use_case_id": str(uuid4())}, "use_case"),
        ({"status": "passed"}, "status"),
    ):
        refused = pipeline.post(reverse("api-evaluations"), {**body, **other})
        assert (refused.status_code, refused.json()["field"]) == (400, field), refused.content
    ended = pipeline.post(reverse("api-thresholds"), {**limit, "limit": None})
    assert ended.status_code == 201, ended.content
    for name in ("api-dataset", "api-evaluation", "api-model-version-evaluations"):
        assert pipeline.get(reverse(name, args=[uuid4()])).status_code == 404
    assert pipeline.post(reverse("api-dataset-versions", args=[uuid4()]), VERSION).status_code == 404
    assert Pipeline(story, "registry:read").post(reverse("api-evaluations"), body).status_code == 403


def test_a_changed_value_is_found(committed: Database) -> None:
    story = tell()
    evaluated(story)
    with connections["admin"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("ALTER TABLE metric DISABLE TRIGGER ALL")
        cursor.execute("UPDATE metric SET value = '0.999'")
    (found,) = queries.reconcile()
    assert found.subject.startswith("metric:")
    assert "value" in found.detail
