"""From one record to the signed checkpoint: record, window's root, entry, receipt."""

from datetime import datetime

import pytest
from django.conf import settings

from audit import queries
from audit.models import Checkpoint, Head, RecordKind, TargetKind
from audit.tlog.checkpoint import Checkpoint as SignedCheckpoint
from audit.tlog.checkpoint import open_checkpoint, sign_checkpoint
from audit.tlog.leaf import parse_leaf
from audit.tlog.proof import ProofError, verify_inclusion
from audit.tlog.receipt import Receipt
from audit.tlog.section import opens
from audit.tlog.tree import leaf_hash
from audit.windows import RecordNotSealed, RecordProof, prove_record, seal_windows
from tests.integration import telemetry_story as story
from tests.integration.telemetry_story import DUE, LENGTH, SECOND, START
from tests.services.constants import SIGNING_KEY
from tests.services.databases import Database

USAGE, HARDWARE = RecordKind.USAGE, RecordKind.HARDWARE


def check(proof: RecordProof) -> None:
    """What a reader does with a proof of a record."""
    verify_inclusion(leaf_hash(proof.body), proof.index, proof.rows, proof.hashes, proof.root)
    facts = queries.section_facts([proof.entry_index])[proof.entry_index]
    assert (facts["root"], facts["rows"]) == (proof.root.hex(), proof.rows)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 2, 5, 8, 13])
def test_every_record_of_a_window_is_proven(count: int) -> None:
    about = story.subject()
    records = {story.reported(about, START + n * SECOND / 2): START + n * SECOND / 2 for n in range(count)}
    seal_windows(now=DUE)
    for record_id, observed_at in records.items():
        proof = prove_record(kind=USAGE, record_id=record_id, observed_at=observed_at)
        assert proof.rows == count
        check(proof)
        if count > 1:
            with pytest.raises(ProofError):
                verify_inclusion(leaf_hash(proof.body + b" "), proof.index, count, proof.hashes, proof.root)


@pytest.mark.django_db
def test_a_late_record_is_proven_under_the_amendment() -> None:
    about = story.subject()
    first = story.reported(about, START)
    seal_windows(now=DUE)
    late = story.reported(about, START, received_at=DUE)
    seal_windows(now=DUE + LENGTH)
    proofs = [prove_record(kind=USAGE, record_id=record_id, observed_at=START) for record_id in (first, late)]
    for proof in proofs:
        check(proof)
    assert [queries.entry(proof.entry_index).type for proof in proofs] == ["window.usage", "window.amended"]


@pytest.mark.django_db
def test_a_sample_of_a_device_is_proven() -> None:
    target = story.target(story.subject(), kind=TargetKind.DCGM, interval=5)
    story.slot(target, START)
    ids = [story.sampled(target, START, series) for series in ("GPU-a", "GPU-b", "GPU-c")]
    seal_windows(now=DUE)
    for record_id in ids:
        check(prove_record(kind=HARDWARE, record_id=record_id, observed_at=START))


@pytest.mark.django_db
def test_what_is_not_sealed_has_no_proof() -> None:
    record_id = story.reported(story.subject(), START)
    for wrong_id, moment in ((record_id, START), (record_id + 1, START), (record_id, START + SECOND)):
        with pytest.raises(RecordNotSealed):
            prove_record(kind=USAGE, record_id=wrong_id, observed_at=moment)


def test_a_record_leads_to_the_signed_checkpoint(committed: Database) -> None:
    about = story.subject()
    record_id = story.reported(about, START, body=b'{"tokens":7}')
    story.reported(about, START + SECOND)
    seal_windows(now=DUE)
    sign(DUE)
    proof = prove_record(kind=USAGE, record_id=record_id, observed_at=START)
    check(proof)
    entry = queries.entry(proof.entry_index)
    (section,) = queries.sections_of(entry.index)[entry.index]
    leaf = parse_leaf(entry.leaf)
    assert opens(
        leaf.sections["facts"].commitment, section.salt, settings.LEDGER_ORIGIN, leaf.id, "facts", section.body
    )
    receipt = Receipt.parse(queries.receipt(entry.index))
    signed = open_checkpoint(receipt.checkpoint_note, [SIGNING_KEY.verifier])
    verify_inclusion(leaf_hash(entry.leaf), receipt.index, signed.size, receipt.hashes, signed.root)
    assert proof.body == b'{"tokens":7}'


def sign(now: datetime) -> None:
    """What the signer process does, without its state."""
    head = Head.objects.get()
    note = sign_checkpoint(SignedCheckpoint(settings.LEDGER_ORIGIN, head.size, bytes(head.root)), SIGNING_KEY)
    Checkpoint.objects.using("signer").create(size=head.size, root=bytes(head.root), note=note, signed_at=now)
