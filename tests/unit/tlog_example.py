"""The worked example of docs/event-format.md, computed. `python -m tests.unit.tlog_example` writes it into the page."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from audit.tlog.bundle import BundleEntry, write_bundle
from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.keys import SigningKey
from audit.tlog.leaf import Leaf, SectionCommitment, encode_leaf, parse_leaf
from audit.tlog.proof import inclusion_proof
from audit.tlog.receipt import Receipt
from audit.tlog.section import commit
from audit.tlog.tree import leaf_hash, node_hash, root_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "event-format.md"

ORIGIN = "assay.example/demo"
KEY = SigningKey.generate(ORIGIN, bytes(range(32)))
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SUBJECT = "request:0195f3a0-0000-7000-8000-0000000000aa"
INDEX = 2

_EVENTS = (
    ("log.started", "log", "system:signer", b'{"after":{"origin":"assay.example/demo"},"before":null}'),
    ("request.submitted", SUBJECT, "person:0195f3a0-0000-7000-8000-0000000000b1", b'{"after":{"state":"submitted"}}'),
    (
        "request.approved",
        SUBJECT,
        "person:0195f3a0-0000-7000-8000-0000000000b2",
        b'{"after":{"state":"approved"},"before":{"state":"submitted"},"reason":"Fits with margin."}',
    ),
)
_BLOCK = re.compile(r"(<!-- example: ([a-z-]+) -->\n```[a-z]*\n)(.*?)(```\n)", re.DOTALL)


def blocks() -> dict[str, str]:
    """Text of each example block by its name."""
    entries, opened = [], []
    for number, (event_type, subject, actor, body) in enumerate(_EVENTS):
        salt = bytes([0xA0 + number]) * 32
        entry_id = f"0195f3a0-0000-7000-8000-{number:012d}"
        leaf = Leaf(
            origin=ORIGIN,
            id=entry_id,
            type=event_type,
            source="app",
            subject=subject,
            actor=actor,
            occurred_at=NOON + timedelta(seconds=number),
            received_at=NOON + timedelta(seconds=number, microseconds=1500),
            sections={
                "facts": SectionCommitment(commit(salt, ORIGIN, entry_id, "facts", body), len(body), "application/json")
            },
        )
        entries.append(encode_leaf(leaf))
        opened.append((salt, body))
    hashes = [leaf_hash(entry) for entry in entries]
    nodes = {(0, 0): hashes[0], (0, 1): hashes[1], (0, 2): hashes[2], (1, 0): node_hash(hashes[0], hashes[1])}
    proof = inclusion_proof(INDEX, len(entries), lambda level, n: nodes[level, n])
    note = sign_checkpoint(Checkpoint(ORIGIN, len(entries), root_of(hashes)), KEY)
    bundle = write_bundle(
        origin=ORIGIN,
        keys=[KEY.verifier.to_text()],
        checkpoint=note,
        entries=[BundleEntry(INDEX, entries[INDEX], proof, {"facts": opened[INDEX]})],
        state={SUBJECT: '{"state":"approved"}'},
    )
    return {
        "section": f"salt        {opened[INDEX][0].hex()}\n"
        f"body        {opened[INDEX][1].decode()}\n"
        f"commitment  {parse_leaf(entries[INDEX]).sections['facts'].commitment.hex()}\n",
        "leaf": entries[INDEX].decode() + "\n",
        "tree": "".join(f"leaf {n}    {item.hex()}\n" for n, item in enumerate(hashes))
        + f"node 0-1  {nodes[1, 0].hex()}\nroot      {root_of(hashes).hex()}\n",
        "key": KEY.verifier.to_text() + "\n",
        "checkpoint": note,
        "receipt": Receipt(INDEX, tuple(proof), note).to_text(),
        "bundle": bundle.decode() + "\n",
    }


def page_blocks(page: str) -> dict[str, str]:
    """The example blocks that stand in the page."""
    return {match[2]: match[3] for match in _BLOCK.finditer(page)}


def rewritten(page: str) -> str:
    """The page with its example blocks computed anew."""
    computed = blocks()
    return _BLOCK.sub(lambda match: match[1] + computed[match[2]] + match[4], page)


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
