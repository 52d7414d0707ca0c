"""CycloneDX 1.6 machine-learning bills of materials: what a model is made of, as JSON of a fixed form.

Nothing here looks at a clock or draws a number: the same content gives the same bytes. References (`bom-ref`) are the
ledger's own names of things, such as `model_version:<uuid>`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from cyclonedx.spdx import fixup_id

MEDIA: Final = "application/vnd.cyclonedx+json; version=1.6"
HUB: Final = "https://huggingface.co/"
_HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ancestor:
    """What something was made from; `version` is empty where nobody said which."""

    name: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured value of a model, as text: a figure has the digits that were recorded."""

    type: str
    value: str
    slice: str = ""
    lower: str = ""
    upper: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A model or an adapter.

    Attributes:
        ref: its name in the ledger.
        files: name and SHA-256 of each file whose whole content is known by it.
        uses, limits: the considerations of its card: what it is used for, and what it cannot do.
        properties: what has no place in CycloneDX; names begin with `assay:`.
    """

    ref: str
    name: str
    version: str
    developer: str = ""
    licence: str = ""
    hf_id: str = ""
    family: str = ""
    architecture: str = ""
    task: str = ""
    datasets: tuple[str, ...] = ()
    ancestors: tuple[Ancestor, ...] = ()
    descent: str = ""
    files: tuple[tuple[str, str], ...] = ()
    uses: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that is no model: what is described as a whole, an engine, an image, a card."""

    ref: str
    type: str
    name: str
    version: str = ""
    description: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def ml_bom(
    *,
    serial: UUID,
    made_at: datetime,
    whole: Thing | None,
    parts: Sequence[Part],
    things: Sequence[Thing] = (),
    depends: Mapping[str, Sequence[str]],
) -> bytes:
    """The document. `whole` is what it describes, None when that is the first of its `parts`."""
    listed = [*(_part(part) for part in parts), *(_thing(thing) for thing in things)]
    refs = [*([whole.ref] if whole else []), *(part.ref for part in parts), *(thing.ref for thing in things)]
    metadata: Json = {
        "timestamp": made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "tools": {"components": [{"type": "application", "name": "Assay"}]},
        **({"component": _thing(whole)} if whole else {}),
    }
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": metadata,
        "components": listed,
        "dependencies": [{"ref": ref, "dependsOn": sorted(set(depends.get(ref, ())))} for ref in sorted(set(refs))],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _part(part: Part) -> Json:
    return _filled(
        {
            "type": "machine-learning-model",
            "bom-ref": part.ref,
            "manufacturer": {"name": part.developer} if part.developer else None,
            "name": part.name,
            "version": part.version,
            "licenses": _licences(part.licence),
            "purl": _purl(part.hf_id, part.version),
            "pedigree": _pedigree(part),
            "externalReferences": _references(part.hf_id),
            "properties": _properties(part.properties),
            "components": [_file(part.ref, name, digest) for name, digest in part.files],
            "modelCard": _card(part),
        }
    )


def _card(part: Part) -> Json:
    parameters = {
        "task": part.task,
        "architectureFamily": part.family,
        "modelArchitecture": part.architecture,
        "datasets": [{"type": "dataset", "name": name} for name in part.datasets],
    }
    considerations = {"useCases": list(part.uses), "technicalLimitations": list(part.limits)}
    measured = {"performanceMetrics": [_metric(metric) for metric in part.metrics]}
    return _filled(
        {
            "bom-ref": f"{part.ref}#card",
            "modelParameters": _filled(parameters),
            "quantitativeAnalysis": _filled(measured),
            "considerations": _filled(considerations),
        }
    )


def _metric(metric: Metric) -> Json:
    interval = _filled({"lowerBound": metric.lower, "upperBound": metric.upper})
    told = {"type": metric.type, "value": metric.value, "slice": metric.slice, "confidenceInterval": interval}
    return _filled(told)


def _pedigree(part: Part) -> Json | None:
    if not part.ancestors:
        return None
    made_from = [
        _filled({"type": "machine-learning-model", "name": found.name, "version": found.version})
        for found in part.ancestors
    ]
    return _filled({"ancestors": made_from, "notes": part.descent})


def _thing(thing: Thing) -> Json:
    return _filled(
        {
            "type": thing.type,
            "bom-ref": thing.ref,
            "name": thing.name,
            "version": thing.version,
            "description": thing.description,
            "properties": _properties(thing.properties),
        }
    )


def _file(ref: str, name: str, digest: str) -> Json:
    return {
        "type": "file",
        "bom-ref": f"{ref}#{name}",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _licences(licence: str) -> list[Json]:
    known = fixup_id(licence) if licence else None
    if known:
        return [{"license": {"id": known}}]
    return [{"license": {"name": licence}}] if licence else []


def _purl(hf_id: str, version: str) -> str:
    """A package URL says a commit; a release by another name has none."""
    if not _HUB_ID.fullmatch(hf_id) or not _COMMIT.fullmatch(version):
        return ""
    return f"pkg:huggingface/{hf_id}@{version}"


def _references(hf_id: str) -> list[Json]:
    return [{"type": "distribution", "url": f"{HUB}{hf_id}"}] if _HUB_ID.fullmatch(hf_id) else []


def _properties(said: Mapping[str, str]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in sorted(said.items()) if value]


def _filled(content: Json) -> Json:
    """Without what is not known: an empty field would be a claim."""
    return {key: value for key, value in content.items() if value not in ("", None, [], {})}
