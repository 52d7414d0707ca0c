"""A report file is accepted exactly as issued, and refused after any change, whatever a PDF reader would say."""

import json
from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import pikepdf
import pytest

from audit.tlog.bundleformat import BundleError
from audit.tlog.keys import SigningKey
from audit.tlog.pdf import DATASET, FACTS, RECEIPT, attach_receipt, split, verify_pdf
from audit.tlog.pdfshape import Attachment, ShapeError, attachment_objects, index_objects, read_attachment, update
from reports import dataset
from reports.render import make
from tests.report_files import KEY, ORIGIN, TREE, files, finished, small_log

KEYS = [KEY.verifier]


def failing(data: bytes) -> list[str]:
    result = verify_pdf(data, KEYS)
    assert not result.ok
    return [check.name for check in result.failures]


def test_a_file_as_issued_verifies() -> None:
    made = files()
    result = verify_pdf(made.revision2, KEYS)
    assert result.ok, result.failures
    assert result.kind == "pdf" and result.pinned and result.keys == tuple(KEYS)
    assert result.checkpoint is not None and result.checkpoint.size == len(made.log.entries)
    assert [entry.index for entry in result.entries] == [*(row.index for row in made.report.register), made.rendered]
    names = [check.name for check in result.checks]
    assert names[:2] == ["file", "receipt checkpoint"]
    assert {"key", "report", "attachments", "facts checkpoint", "facts entries", "tree", "register"} <= set(names)


def test_revision_2_begins_with_revision_1_and_reads_back() -> None:
    made = files()
    assert made.revision2.startswith(made.revision1)
    revision, receipt = split(made.revision2)
    assert revision.end == len(made.revision1) and receipt is not None
    assert json.loads(receipt) == json.loads(made.receipt)
    assert read_attachment(made.revision2, revision, DATASET) == dataset.canonical_json(made.report)
    assert read_attachment(made.revision2, revision, FACTS) == made.facts


def test_without_a_key_it_is_only_shown_to_agree_with_itself() -> None:
    result = verify_pdf(files().revision2, None)
    assert result.ok and not result.pinned
    assert [check.name for check in result.checks].count("key") == 1


def test_another_key_is_not_accepted() -> None:
    stranger = SigningKey.generate(ORIGIN, b"S" * 32).verifier
    result = verify_pdf(files().revision2, [stranger])
    assert not result.ok and "receipt checkpoint" in [check.name for check in result.failures]


def test_revision_1_alone_is_not_yet_evidence() -> None:
    (check,) = verify_pdf(files().revision1, KEYS).checks
    assert not check.ok and "without a receipt" in check.detail


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7\n",
        b"%PDF-1.7\n%%EOF\n",
        b"%PDF-1.7\nstartxref\n9\n%%EOF\n",
        b"%PDF-1.7\n>>\nstartxref\n9\n%%EOF\n",
    ],
)
def test_what_is_no_report_is_refused(data: bytes) -> None:
    assert failing(data) == ["file"]


def test_a_flipped_bit_anywhere_is_refused() -> None:
    made = files()
    tail = range(len(made.revision1), len(made.revision2), 5)
    for position in (*range(0, len(made.revision1), 1999), *tail, len(made.revision1) - 1, len(made.revision2) - 1):
        changed = bytearray(made.revision2)
        changed[position] ^= 1
        assert not verify_pdf(bytes(changed), KEYS).ok, position


@pytest.mark.parametrize("more", [b"\n", b" ", b"\x00", b"%%EOF\n", b"1 0 obj\n<<>>\nendobj\n"])
def test_appended_bytes_are_refused(more: bytes) -> None:
    assert failing(files().revision2 + more) == ["file"]
    assert failing(files().revision1 + more) == ["file"]


@pytest.mark.parametrize("cut", [1, 2, 7, 300])
def test_a_cut_file_is_refused(cut: int) -> None:
    assert failing(files().revision2[:-cut]) == ["file"]


def test_bytes_before_the_file_are_refused() -> None:
    assert failing(b"\n" + files().revision2) == ["file"]


def page_update(data: bytes) -> bytes:
    """What an attacker would do: an incremental update that leaves page 3 empty."""
    with pikepdf.open(BytesIO(data)) as pdf:
        contents, root = pdf.pages[2].Contents.objgen[0], pdf.Root.objgen[0]
    previous = int(data[data.rindex(b"startxref\n") + len(b"startxref\n") :].split(b"\n")[0])
    added = b"%d 0 obj\n<</Length 0>>\nstream\n\nendstream\nendobj\n" % contents
    table = b"xref\n%d 1\n%010d 00000 n \n" % (contents, len(data))
    trailer = b"trailer\n<</Size 99999 /Root %d 0 R /Prev %d>>\n" % (root, previous)
    return data + added + table + trailer + b"startxref\n%d\n%%%%EOF\n" % (len(data) + len(added))


def test_a_page_changed_by_an_incremental_update_is_refused_though_readers_take_it() -> None:
    made = files()
    for data in (made.revision2, made.revision1):
        changed = page_update(data)
        with pikepdf.open(BytesIO(changed)) as pdf:
            assert pdf.pages[2].Contents.read_bytes() == b""
        assert failing(changed) == ["file"]


def test_an_update_slipped_between_pages_and_receipt_is_refused() -> None:
    made = files()
    changed = page_update(made.revision1)
    with pytest.raises(ShapeError):
        attach_receipt(changed, made.receipt)
    assert failing(changed + made.revision2[len(made.revision1) :]) == ["file"]


def test_a_resaved_file_is_refused() -> None:
    output = BytesIO()
    with pikepdf.open(BytesIO(files().revision2)) as pdf:
        pdf.save(output)
    assert failing(output.getvalue()) == ["file"]


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ({"sha256": "0" * 64}, ["report"]),
        ({"size": 1}, ["report"]),
        ({"dataset_sha256": "0" * 64}, ["attachments"]),
        ({"facts_sha256": "0" * 64}, ["attachments"]),
        ({"tree_size": TREE - 1}, ["tree"]),
    ],
)
def test_an_entry_that_says_something_else_is_refused(changes: dict[str, object], fails: list[str]) -> None:
    log, report = small_log()
    made = files()
    assert failing(finished(log, report, made.facts, made.revision1, **changes).revision2) == fails


def rendered(report: dataset.Report, facts: bytes) -> bytes:
    log, _ = small_log()
    data = make.made_from(report, dataset.canonical_json(report), facts)
    return finished(log, report, facts, data).revision2


def test_a_register_that_is_not_the_ledgers_is_refused_even_when_issued() -> None:
    made = files()
    first, *others = made.report.register
    lying = replace(made.report, register=(replace(first, leaf_hash="0" * 64), *others))
    assert failing(rendered(lying, made.facts)) == ["register"]


def remade(content: bytes, facts: bytes) -> bytes:
    """A file without pages around these attachments, issued as a report is."""
    log, report = small_log()
    data, offsets = b"%PDF-1.7\n", list[int]()
    objects = [b"1 0 obj\n<<>>\nendobj\n"]
    for number, name, attached in ((2, DATASET, content), (4, FACTS, facts)):
        attachment = Attachment(name, "x", "Data", attached)
        objects += attachment_objects(number, attachment, stamp="D:20261123000000Z", compress=False)
    for item in (*objects, *index_objects(6, {DATASET: 3, FACTS: 5})):
        offsets.append(len(data))
        data += item
    table = b"xref\n0 8\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<</Size 8 /Root 1 0 R /Info 1 0 R /ID [<%b> <%b>]>>\n" % (b"0" * 32, b"0" * 32)
    first = data + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(data)
    digest = sha256(content).hexdigest()
    return finished(log, report, facts, first, dataset_sha256=digest).revision2


def test_the_file_without_pages_is_refused_for_nothing_else() -> None:
    made = files()
    assert verify_pdf(remade(dataset.canonical_json(made.report), made.facts), KEYS).ok


@pytest.mark.parametrize("row", [{"index": [1]}, {"index": True, "leaf_hash": "x"}, {}, 7, None])
def test_a_register_of_anything_else_is_refused_and_raises_nothing(row: object) -> None:
    made = files()
    content = json.loads(dataset.canonical_json(made.report))
    content["register"].append(row)
    assert "register" in failing(remade(json.dumps(content).encode(), made.facts))
    twice = {**content, "register": content["register"][:1] * 2}
    assert "register" in failing(remade(json.dumps(twice).encode(), made.facts))


@pytest.mark.parametrize("leaf", ["!!", "AA", ""])
def test_a_leaf_that_is_none_is_refused_and_raises_nothing(leaf: str) -> None:
    made = files()
    facts = json.loads(made.facts)
    facts["entries"][0]["leaf"] = leaf
    found = failing(remade(dataset.canonical_json(made.report), json.dumps(facts).encode()))
    assert {"facts entry", "register"} <= set(found)


def test_facts_with_an_undisclosed_entry_still_verify() -> None:
    log, report = small_log()
    hidden = log.bundle([row.index for row in report.register], TREE, hide=frozenset({report.register[0].index}))
    assert verify_pdf(rendered(report, hidden), KEYS).ok


def test_an_entry_of_a_client_cannot_stand_for_a_report() -> None:
    log, report = small_log()
    made = files()
    forged = type(log)()
    forged.entries = [*log.entries]
    said = {"sha256": sha256(made.revision1).hexdigest(), "size": len(made.revision1)}
    index = forged.add("report.rendered", report.report, said, source="source:pipeline")
    receipt = forged.bundle([index], len(forged.entries), (TREE,))
    assert "report" in failing(attach_receipt(made.revision1, receipt))


def test_a_receipt_without_the_older_tree_is_refused() -> None:
    made = files()
    alone = made.log.bundle([made.rendered], len(made.log.entries))
    assert failing(attach_receipt(made.revision1, alone)) == ["tree"]


def test_a_receipt_for_two_entries_or_with_closed_facts_is_refused() -> None:
    made = files()
    size = len(made.log.entries)
    two = made.log.bundle([0, made.rendered], size, (TREE,))
    closed = made.log.bundle([made.rendered], size, (TREE,), hide=frozenset({made.rendered}))
    for receipt in (two, closed):
        assert "report" in failing(attach_receipt(made.revision1, receipt))


def test_a_receipt_written_otherwise_is_refused() -> None:
    made = files()
    revision, receipt = split(made.revision2)
    assert receipt is not None
    spaced = Attachment(RECEIPT, "Proof that revision 1 of this file is in the ledger", "Supplement", receipt + b" ")
    assert failing(made.revision1 + update(made.revision1, revision, spaced)) == ["file"]


def test_a_receipt_is_attached_once_and_must_be_json() -> None:
    made = files()
    with pytest.raises(ShapeError):
        attach_receipt(made.revision2, made.receipt)
    with pytest.raises(BundleError):
        attach_receipt(made.revision1, b"{")


@pytest.mark.parametrize(
    "attachment",
    [
        Attachment("a b", "x", "Data", b"{}"),
        Attachment("a", "x)", "Data", b"{}"),
        Attachment("a", "x", "Source", b"{}"),
        Attachment("a", "x", "Data", b"{}\n"),
    ],
)
def test_what_the_shape_has_no_room_for_is_refused(attachment: Attachment) -> None:
    with pytest.raises(ShapeError):
        attachment_objects(1, attachment, stamp="D:20261123000000Z", compress=False)


def test_content_whose_compressed_form_ends_in_a_line_end_is_stored_plain() -> None:
    seen = set()
    for number in range(256):
        content = b'{"n":"%s"}' % (b"b" * number)  # the last byte of zlib's checksum is the sum of the content's
        stream, _ = attachment_objects(
            1, Attachment("a", "x", "Data", content), stamp="D:20261123000000Z", compress=True
        )
        seen.add(b"/FlateDecode" in stream)
        assert not stream.endswith((b"\r\nendstream\nendobj\n", b"\n\nendstream\nendobj\n"))
    assert seen == {True, False}
