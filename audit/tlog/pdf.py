"""A report PDF: how the receipt is attached to it, and how the whole file is checked offline.

    revision 1   pages, `dataset.json`, `facts.assay.json`; its SHA-256 stands in an entry `report.rendered`
    revision 2   appends `receipt.assay.json`: a bundle of that one entry with its facts opened, and the proof that
                 its checkpoint continues the one the report was made from

The file is accepted when it is, byte for byte, revision 1 followed by the update this module would write for the
receipt found in it. So no PDF is interpreted: a page changed by an incremental update is refused however a reader
would show it. Facts of the entry: {"report", "sha256", "size", "dataset_sha256", "facts_sha256", "tree_size", ...}.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Final

from audit.tlog.bundle import trusted_by, verify_bundle
from audit.tlog.bundleformat import BundleError, BundleFile, read_bundle, strict_json
from audit.tlog.encoding import EncodingError, decode_base64
from audit.tlog.keyhistory import KeyHistoryError, Trusted
from audit.tlog.pdfshape import (
    Attachment,
    Revision,
    ShapeError,
    first_attachment,
    read_attachment,
    read_revision,
    table_position,
    update,
)
from audit.tlog.tree import leaf_hash
from audit.tlog.verification import Check, Verification

DATASET: Final = "dataset.json"
FACTS: Final = "facts.assay.json"
RECEIPT: Final = "receipt.assay.json"
RENDERED: Final = "report.rendered"


def attach_receipt(revision1: bytes, receipt: bytes) -> bytes:
    """Revision 2: `revision1` with the bundle `receipt` attached. Raises ShapeError or BundleError."""
    position, updated = table_position(revision1)
    revision = read_revision(revision1, position)
    if updated or revision.end != len(revision1) or RECEIPT in revision.specs:
        raise ShapeError("A receipt can be attached to revision 1 of a report only, and only once.")
    content = _canonical(strict_json(receipt, "receipt"))
    return revision1 + update(revision1, revision, _attachment(content))


def split(data: bytes) -> tuple[Revision, bytes | None]:
    """Revision 1 of the file and the receipt after it; None when there is none yet.

    Raises ShapeError when the file holds anything else, BundleError when the receipt is not JSON.
    """
    position, updated = table_position(data)
    revision = read_revision(data, position)
    if not updated:
        if revision.end != len(data):
            raise ShapeError("Something follows revision 1 that Assay did not write.")
        return revision, None
    receipt = first_attachment(data, revision)
    first = data[: revision.end]
    if first + update(first, revision, _attachment(receipt)) != data:
        raise ShapeError("What follows revision 1 is not the update Assay writes: the file was changed after issue.")
    if _canonical(strict_json(receipt, "receipt")) != receipt:
        raise ShapeError("The receipt is not written the way Assay writes it.")
    return revision, receipt


def verify_pdf(data: bytes, keys: Trusted | None) -> Verification:
    """Check a report file against the log keys one trusts; with `keys` None only against itself (not pinned).

    Never raises for a bad file: what is wrong is a failed check.
    """
    pinned = keys is not None
    try:
        revision, receipt = split(data)
        facts, dataset = read_attachment(data, revision, FACTS), read_attachment(data, revision, DATASET)
    except (ShapeError, BundleError) as error:
        return Verification("pdf", (Check("file", ok=False, detail=str(error)),), pinned)
    if receipt is None:
        detail = "The file is revision 1 without a receipt: nothing shows yet that it was issued. Download it again."
        return Verification("pdf", (Check("file", ok=False, detail=detail),), pinned)
    whole = Check("file", ok=True, detail="The file is revision 1 and its receipt, with nothing added or changed.")
    try:
        # The receipt is the newer of the two: its key history tells the ranges of the keys for both.
        trusted = trusted_by(read_bundle(receipt), keys)
        proven = verify_bundle(receipt, trusted if pinned else None)
        cited = verify_bundle(facts, trusted)
        said = _entry_facts(receipt)
    except (BundleError, KeyHistoryError) as error:
        return Verification("pdf", (whole, Check("bundle", ok=False, detail=str(error))), pinned)
    checks = [whole]
    checks += [
        replace(check, name=f"receipt {check.name}" if check.name != "key" else "key") for check in proven.checks
    ]
    checks += _check_entry(proven, said, data[: revision.end], {"dataset_sha256": dataset, "facts_sha256": facts})
    checks += [replace(check, name=f"facts {check.name}") for check in cited.checks if check.name != "key"]
    checks += _check_dataset(dataset, facts, receipt, said, cited)
    return Verification("pdf", tuple(checks), pinned, proven.keys, proven.checkpoint, (*cited.entries, *proven.entries))


def _attachment(content: bytes) -> Attachment:
    return Attachment(RECEIPT, "Proof that revision 1 of this file is in the ledger", "Supplement", content)


def _canonical(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _entry_facts(receipt: bytes) -> Mapping[str, object]:
    """The opened facts of the one entry of the receipt; empty when there is no such thing."""
    entries = read_bundle(receipt).entries
    section = entries[0].sections.get("facts") if len(entries) == 1 else None
    if section is None:
        return {}
    try:
        content = strict_json(decode_base64(section[1], "section facts"), "section facts")
    except EncodingError as error:
        raise BundleError(str(error)) from error
    return content if isinstance(content, dict) else {}


def _check_entry(
    proven: Verification, said: Mapping[str, object], first: bytes, attached: Mapping[str, bytes]
) -> list[Check]:
    """The entry is Assay's own `report.rendered`, and it names this revision 1 and these attachments."""
    leaf = proven.entries[0].leaf if len(proven.entries) == 1 else None
    if leaf is None or leaf.type != RENDERED or leaf.source != "app" or not said:
        return [Check("report", ok=False, detail="The receipt is not for one entry that records a rendered report.")]
    index = proven.entries[0].index
    same = said.get("sha256") == sha256(first).hexdigest() and said.get("size") == len(first)
    checks = [
        Check(
            "report",
            ok=same,
            detail=f"Entry {index} records exactly this revision 1 ({len(first)} bytes) for {leaf.subject}."
            if same
            else f"Entry {index} records another file: these pages are not the ones that were issued.",
            index=index,
        )
    ]
    wrong = [name for name, content in attached.items() if said.get(name) != sha256(content).hexdigest()]
    detail = (
        f"Entry {index} does not name the attached content: {', '.join(wrong)}."
        if wrong
        else (f"Entry {index} names the attached dataset and facts.")
    )
    return [*checks, Check("attachments", ok=not wrong, detail=detail, index=index)]


def _check_dataset(
    dataset: bytes, facts: bytes, receipt: bytes, said: Mapping[str, object], cited: Verification
) -> list[Check]:
    """The dataset is of the tree the facts are proven in, and its register shows those very entries."""
    try:
        content = strict_json(dataset, "dataset")
    except BundleError as error:
        return [Check("dataset", ok=False, detail=str(error))]
    point = content.get("checkpoint") if isinstance(content, dict) else None
    register = content.get("register") if isinstance(content, dict) else None
    if not isinstance(point, dict) or not isinstance(register, list) or cited.checkpoint is None:
        return [Check("dataset", ok=False, detail="The dataset does not say which tree it was made from.")]
    tree = (cited.checkpoint.size, cited.checkpoint.root.hex())
    bundle = read_bundle(facts)
    continued = bundle.checkpoint in [item.note for item in read_bundle(receipt).consistency] or (
        bundle.checkpoint == read_bundle(receipt).checkpoint
    )
    same = (point.get("size"), point.get("root")) == tree and said.get("tree_size") == tree[0] and continued
    shown = dict(_shown(bundle))
    strange = _strange(register, shown)
    return [
        Check(
            "tree",
            ok=same,
            detail=f"Dataset, facts and report are of one tree of {tree[0]} entries; the receipt's continues it."
            if same
            else "Dataset, facts and receipt are not of one and the same tree, continued.",
        ),
        Check(
            "register",
            ok=not strange,
            detail=strange or f"All {len(register)} entries of the printed register are proven.",
        ),
    ]


def _shown(bundle: BundleFile) -> Iterator[tuple[int, str]]:
    """Index and leaf hash of each readable entry; one that is not has failed a check of the bundle already."""
    for raw in bundle.entries:
        with suppress(EncodingError):
            yield raw.index, leaf_hash(decode_base64(raw.leaf, "leaf")).hex()


def _strange(register: Sequence[object], shown: Mapping[int, str]) -> str:
    """What is wrong with the rows of a register; empty when each is one of the entries `shown`, none twice."""
    seen: set[int] = set()
    for place, row in enumerate(register, 1):
        index = row.get("index") if isinstance(row, dict) else None
        if not isinstance(row, dict) or type(index) is not int or index in seen:
            return f"Row {place} of the register names no entry, or one that stands above it."
        seen.add(index)
        if index not in shown or row.get("leaf_hash") != shown[index]:
            return f"The register prints entry {index} otherwise than the ledger has it."
    return ""
