"""The dataset: canonical JSON, states that bear out their content, citations."""

import json
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import pytest

from reports.dataset import Field, FieldState, IncompleteField, Report, canonical_json
from tests.report_sample import sample


def test_canonical_json_is_sorted_compact_and_repeatable() -> None:
    data = canonical_json(sample())
    content = json.loads(data)
    assert data == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert canonical_json(sample()) == data
    assert content["schema"] == "assay-report/deployment-transparency@v1"


def test_every_part_is_a_frozen_dataclass() -> None:
    def walk(value: object) -> None:
        if isinstance(value, tuple):
            for item in value:
                walk(item)
        elif is_dataclass(value):
            for field in fields(value):
                with pytest.raises(FrozenInstanceError):
                    setattr(value, field.name, None)
                walk(getattr(value, field.name))
        else:
            assert value is None or isinstance(value, str | int), value

    walk(sample())


@pytest.mark.parametrize(
    ("state", "value", "reason"),
    [
        (FieldState.PROVIDED, None, ""),
        (FieldState.MISSING, "x", ""),
        (FieldState.DERIVED, "x", ""),
        (FieldState.WITHHELD, None, ""),
        (FieldState.NOT_APPLICABLE, None, ""),
        (FieldState.NOT_APPLICABLE, 3, "why"),
    ],
)
def test_a_state_that_its_content_does_not_bear_out_is_refused(
    state: FieldState, value: str | None, reason: str
) -> None:
    with pytest.raises(IncompleteField, match="k:"):
        Field(key="k", state=state, value=value, reason=reason)


def test_a_zero_is_a_value() -> None:
    assert Field(key="k", state=FieldState.PROVIDED, value=0).value == 0


def test_every_citation_stands_in_the_register() -> None:
    report = sample()
    assert set(report.cited()) == {row.index for row in report.register}


def test_citations_of_every_part_are_found() -> None:
    report = replace(sample(), register=())
    for part in ("approvals", "usage", "hardware", "tool_calls", "comparisons", "findings", "gaps"):
        for item in getattr(report, part):
            assert item.entry in report.cited()
    assert report.fit is not None and report.fit.entry in report.cited()
    assert {index for field in report.fields() for index in field.entries} <= set(report.cited())
    assert all(item.evidence in report.cited() for item in report.findings)


def test_the_sample_shows_every_state() -> None:
    assert {field.state for field in sample().fields()} == set(FieldState)
    assert isinstance(sample(), Report)
