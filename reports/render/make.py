"""One report from dataset to revision 1: page, attachments, metadata."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Final

from audit.tlog.pdf import DATASET, FACTS, RECEIPT
from audit.tlog.pdfshape import Attachment
from reports.dataset import Renderer, Report

from . import html, pdf

TEMPLATE: Final = "deployment-transparency 1"


@cache
def renderer() -> Renderer:
    """What would render now; a child process is asked once."""
    described = pdf.describe()
    return Renderer(
        template=TEMPLATE,
        versions=tuple(sorted(described["versions"].items())),
        fonts=tuple(sorted(described["fonts"].items())),
    )


def made_from(report: Report, dataset: bytes, facts: bytes) -> bytes:
    """Revision 1 of `report`; `dataset` its canonical JSON, `facts` the bundle of every cited entry.

    Raises:
        RenderError: the pages cannot be made.
    """
    attachments = (
        Attachment(DATASET, "Every figure of this report, in canonical JSON", "Data", dataset),
        Attachment(FACTS, "The cited ledger entries, opened, with their proofs", "Supplement", facts),
    )
    listed = tuple(
        {
            "name": item.name,
            "relationship": item.relationship,
            "note": item.description,
            "sha256": sha256(item.content).hexdigest(),
        }
        for item in attachments
    )
    receipt = {
        "name": RECEIPT,
        "relationship": "Supplement",
        "note": "Proof that revision 1 is in the ledger",
        "sha256": "",
    }
    return pdf.revision1(
        html.page(report, files=(*listed, receipt)),
        attachments,
        issued_at=datetime.fromisoformat(report.issued_at),
        properties={
            "report": report.report,
            "origin": report.checkpoint.origin,
            "treeSize": str(report.checkpoint.size),
            "rootHash": report.checkpoint.root,
            "datasetSha256": sha256(dataset).hexdigest(),
        },
    )
