"""The auditor's bundle: entries, proofs, disclosed sections and a checkpoint in one JSON file, checked
offline.

    {"format": "assay-bundle@v1", "origin": S, "keys": [verifier key, ...], "checkpoint": signed note,
     "entries": [{"index": I, "leaf": B, "proof": [B, ...], "sections": {name: {"salt": B, "body": B}}}, ...],
     "consistency": [{"from": signed note, "proof": [B, ...]}, ...],      (optional)
     "state": {subject: canonical JSON text},                             (optional)
     "key_history": text of the log's file `keys`}                        (optional: once its keys have changed)

B is standard Base64. A section that was erased stands as {"erased": N}, N being the entry that tells its erasure. One
that a leaf commits to and the bundle does not carry is "not disclosed": no fault, its content was withheld.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from audit.tlog.batch import InclusionBatch
from audit.tlog.bundleerased import erased_faults, erasure_checks
from audit.tlog.bundleformat import (
    FORMAT,
    BundleEntry,
    BundleError,
    BundleFile,
    RawConsistency,
    RawEntry,
    read_bundle,
    write_bundle,
)
from audit.tlog.bundlestate import state_checks
from audit.tlog.checkpoint import Checkpoint, CheckpointError, peek_checkpoint
from audit.tlog.encoding import EncodingError, decode_base64, decode_hash
from audit.tlog.keyhistory import KeyHistory, KeyHistoryError, Trusted, of_keys, read_checkpoint_in, read_history, trust
from audit.tlog.keys import KeyTextError, VerifierKey
from audit.tlog.leaf import Leaf, LeafError, parse_leaf
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.proof import ProofError, verify_extension
from audit.tlog.section import SectionError, opens
from audit.tlog.tree import leaf_hash
from audit.tlog.verification import (
    DISCLOSED,
    NOT_DISCLOSED,
    WRONG,
    Check,
    Verification,
    VerifiedEntry,
    erased,
    erased_later,
)

__all__ = [
    "FORMAT",
    "BundleEntry",
    "BundleError",
    "Check",
    "Verification",
    "VerifiedEntry",
    "key_check",
    "trusted_by",
    "verify_bundle",
    "write_bundle",
]


def verify_bundle(data: bytes, keys: Trusted | None) -> Verification:
    """Check everything a bundle says, against the log keys one trusts.

    Each signature must be by a key of its own tree size, as the key history says that was given or came along.

    With `keys` None the keys inside the bundle are used: that shows only that the file agrees with itself,
    and the result says so (pinned is False). Raises BundleError when the file is not a bundle at all.
    """
    bundle = read_bundle(data)
    pinned = keys is not None
    try:
        trusted = trusted_by(bundle, keys)
    except KeyHistoryError as error:
        return _unsigned(bundle, (), pinned, f"The keys do not hold. {error}")
    try:
        checkpoint, opened = read_checkpoint_in(bundle.checkpoint, trusted)
    except (CheckpointError, MalformedNoteError, InvalidSignatureError, UnverifiedNoteError) as error:
        return _unsigned(bundle, trusted.keys, pinned, str(error))
    checks = [
        Check(
            "checkpoint",
            ok=True,
            detail=f"The log {checkpoint.origin} signed its state of {checkpoint.size} entries.",
        ),
        key_check(opened.signers, keys),
    ]
    if bundle.origin != checkpoint.origin:
        checks.append(Check("origin", ok=False, detail=f"The bundle says it is of another log: {bundle.origin}."))
    if not bundle.entries and not bundle.consistency:
        detail = "Nothing is shown: the bundle holds no entry, nor a proof that an older checkpoint is continued."
        checks.append(Check("nothing", ok=False, detail=detail))
    entries, found = _check_entries(bundle, checkpoint)
    checks += found
    checks += [_check_consistency(item, checkpoint, trusted) for item in bundle.consistency]
    checks += state_checks(bundle, entries)
    return Verification("bundle", tuple(checks), pinned, opened.signers, checkpoint, tuple(entries))


def trusted_by(bundle: BundleFile, keys: Trusted | None) -> KeyHistory:
    """The keys to judge a bundle by: the given ones (None: those inside) with the ranges its key history tells.

    Raises KeyHistoryError.
    """
    if keys is not None:
        return trust(keys, bundle.key_history)
    inside = _keys_inside(bundle)
    if bundle.key_history is None:
        return of_keys(inside)
    return replace(read_history(bundle.key_history, inside), pinned=frozenset())


def key_check(signers: Sequence[VerifierKey], given: Trusted | None) -> Check:
    """The statement every verification makes about whose key it was; `given` None: the key came with the file."""
    if given is not None:
        known = given.keys if isinstance(given, KeyHistory) else given
        if any(key in known for key in signers):
            return Check("key", ok=True, detail="The signature is by a key you gave.")
        return Check(
            "key",
            ok=True,
            detail="The signature is by a key of the same log as the one you gave: each change of keys is signed by "
            "the old and the new one.",
        )
    return Check(
        "key",
        ok=True,
        detail="NOT PINNED: the key came with this file, so the file is only shown to agree with itself. "
        "Compare the key's fingerprint with the one the organisation publishes, or verify again with --key. "
        + " ".join(f"{key.name}: SHA-256 {key.fingerprint}" for key in signers),
    )


def _keys_inside(bundle: BundleFile) -> list[VerifierKey]:
    keys = []
    for text in bundle.keys:
        try:
            keys.append(VerifierKey.parse(text))
        except KeyTextError:
            # Keys of kinds this program does not know stand beside ours in other verifiers' bundles.
            continue
    return keys


def _unsigned(bundle: BundleFile, trusted: Sequence[VerifierKey], pinned: bool, reason: str) -> Verification:
    """The result when nobody trusted signed; entries are still compared with the claimed root."""
    checks = [Check("checkpoint", ok=False, detail=reason)]
    keys = () if pinned else tuple(trusted)
    try:
        claimed = peek_checkpoint(bundle.checkpoint)
    except (CheckpointError, MalformedNoteError):
        return Verification("bundle", tuple(checks), pinned, keys)
    entries, found = _check_entries(bundle, claimed)
    return Verification("bundle", tuple(checks + found), pinned, keys, None, tuple(entries))


def _check_entries(bundle: BundleFile, checkpoint: Checkpoint) -> tuple[list[VerifiedEntry], list[Check]]:
    batch = InclusionBatch(checkpoint.size, checkpoint.root)
    entries: list[VerifiedEntry] = []
    faults: list[Check] = []
    seen: Counter[str] = Counter()
    proven = 0
    for raw in bundle.entries:
        try:
            data = decode_base64(raw.leaf, "leaf")
            batch.verify(leaf_hash(data), raw.index, raw.proof)
            proven += 1
        except (EncodingError, ProofError) as error:
            faults.append(Check("entry", ok=False, detail=str(error), index=raw.index))
            continue
        try:
            leaf = parse_leaf(data)
        except LeafError as error:
            faults.append(Check("leaf", ok=False, detail=str(error), index=raw.index))
            continue
        if leaf.origin != checkpoint.origin:
            faults.append(Check("leaf", ok=False, detail=f"It belongs to the log {leaf.origin}.", index=raw.index))
        sections = dict.fromkeys(leaf.sections, NOT_DISCLOSED)
        for name, fault in (*_section_faults(raw, leaf), *erased_faults(raw, leaf)):
            sections[name] = WRONG if fault else _status(raw.erased.get(name), checkpoint.size)
            if fault:
                faults.append(Check("section", ok=False, detail=fault, index=raw.index))
        later = {erased_later(told_by) for told_by in raw.erased.values()}
        seen.update(NOT_DISCLOSED if status in later else status for status in sections.values())
        entries.append(VerifiedEntry(raw.index, leaf, sections))
    told = erasure_checks(bundle, entries, checkpoint.size)
    return entries, [*faults, *_summaries(len(bundle.entries), proven, seen), *told]


def _status(told_by: int | None, size: int) -> str:
    """Of a section with nothing wrong: disclosed, or erased by an entry that a tree of `size` entries has or not."""
    if told_by is None:
        return DISCLOSED
    return erased(told_by) if told_by < size else erased_later(told_by)


def _section_faults(raw: RawEntry, leaf: Leaf) -> Iterator[tuple[str, str]]:
    """Each section the bundle carries, with what is wrong with it or an empty text."""
    for name, (salt, body) in raw.sections.items():
        said = leaf.sections.get(name)
        if said is None:
            yield name, f"The leaf commits to no section named {name[:80]!r}."
            continue
        try:
            content = decode_base64(body, f"section {name}")
            same = len(content) == said.length and opens(
                said.commitment,
                decode_base64(salt, f"salt of section {name}"),
                leaf.origin,
                leaf.id,
                name,
                content,
            )
        except (EncodingError, SectionError) as error:
            yield name, str(error)
            continue
        yield (
            name,
            "" if same else f"The section {name} is not what was recorded: it was changed after the fact.",
        )


def _summaries(total: int, proven: int, seen: Counter[str]) -> list[Check]:
    sections = sum(seen.values())
    checks = [Check("entries", ok=proven == total, detail=f"{proven} of {total} entries are in the log as shown.")]
    if sections:
        hidden = f" {seen[NOT_DISCLOSED]} not disclosed." if seen[NOT_DISCLOSED] else ""
        gone = sections - seen[DISCLOSED] - seen[NOT_DISCLOSED] - seen[WRONG]
        hidden += f" {gone} erased." if gone else ""
        checks.append(
            Check(
                "sections",
                ok=not seen[WRONG],
                detail=f"{seen[DISCLOSED]} of {sections} sections are disclosed and as recorded.{hidden}",
            )
        )
    return checks


def _check_consistency(item: RawConsistency, checkpoint: Checkpoint, trusted: KeyHistory) -> Check:
    try:
        older, _ = read_checkpoint_in(item.note, trusted)
        if older.origin != checkpoint.origin:
            raise CheckpointError(f"The older checkpoint is of another log: {older.origin}.")
        proof = [decode_hash(text, f"consistency hash {n}") for n, text in enumerate(item.proof, 1)]
        verify_extension(older.size, checkpoint.size, older.root, checkpoint.root, proof)
    except (
        CheckpointError,
        EncodingError,
        InvalidSignatureError,
        MalformedNoteError,
        ProofError,
        UnverifiedNoteError,
    ) as error:
        return Check("consistency", ok=False, detail=str(error))
    return Check(
        "consistency",
        ok=True,
        detail=f"The {checkpoint.size} entries continue the {older.size} signed before.",
    )
