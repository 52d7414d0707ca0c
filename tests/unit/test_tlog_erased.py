"""Erased sections in a bundle: they verify as erased, and only an entry that tells this very erasure may be named."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from audit.tlog.bundle import Verification, verify_bundle
from audit.tlog.bundleformat import BundleEntry, BundleError, read_bundle, write_bundle
from audit.tlog.leaf import parse_leaf
from audit.tlog.show import bundle_contents, outcome
from tests.unit.tlog_reference import SampleLog

GONE, TOLD, OTHER = 3, 9, 10


class Log(SampleLog):
    """Entry 9 tells the erasure of section `personal` of entry 3; entry 10 that of another section."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for index in (TOLD, OTHER):
            self.leaves[index] = self.leaves[index].replace(b"request.approved", b"section.erased")

    def facts(self, index: int) -> dict[str, object]:
        told = {TOLD: "personal", OTHER: "facts"}
        if index in told:
            return {"entry": GONE, "section": told[index], "before_floor": True}
        return super().facts(index)

    def erased(
        self,
        *indexes: int,
        by: int = TOLD,
        name: str = "personal",
        hidden: tuple[str, ...] = (),
        size: int = 20,
        also: Mapping[int, Mapping[str, int]] | None = None,
        state: Mapping[str, str] | None = None,
    ) -> bytes:
        """A bundle of entry 3 without that section, and of the other entries given, `also` more said to be erased."""

        def entry(index: int) -> BundleEntry:
            gone = ({name: by} if index == GONE else {}) | dict((also or {}).get(index, {}))
            shown = {kept: opened for kept, opened in self.sections[index].items() if kept not in {*gone, *hidden}}
            return BundleEntry(index, self.leaves[index], self.naive.path(index, 0, size), shown, gone)

        return write_bundle(
            origin="assay.example/test",
            keys=[self.key.verifier.to_text()],
            checkpoint=self.checkpoint(size),
            entries=[entry(index) for index in (GONE, *indexes)],
            state=state,
        )


LOG = Log(20)
KEYS = [LOG.key.verifier]


def verified(data: bytes) -> Verification:
    return verify_bundle(data, KEYS)


def edited(data: bytes, change: Callable[[Any], None]) -> bytes:
    found = json.loads(data)
    change(found)
    return json.dumps(found).encode()


def test_an_erased_section_verifies_as_erased() -> None:
    result = verified(LOG.erased(TOLD))
    assert result.ok, result.failures
    assert result.entries[0].sections == {"facts": "disclosed", "personal": "erased, see entry 9"}
    details = {check.name: check for check in result.checks}
    assert details["sections"].detail.endswith("3 of 4 sections are disclosed and as recorded. 1 erased.")
    assert details["erased"].index == GONE
    assert "which tells it. It was before its retention floor" in details["erased"].detail
    text = outcome(result)
    assert "personal erased, see entry 9" in text
    assert "ok   erased 3: The section personal was erased, see entry 9" in text
    assert "erased, see entry 9" in bundle_contents(read_bundle(LOG.erased(TOLD)))


def test_the_facts_of_the_entry_that_tells_it_may_be_closed() -> None:
    closed = verified(LOG.erased(TOLD, hidden=("facts",)))
    assert closed.ok, closed.failures
    assert "not disclosed" in closed.checks[-1].detail


WRONG: dict[str, tuple[bytes, str]] = {
    "an entry that tells another erasure": (LOG.erased(OTHER, by=OTHER), "tells the erasure of something else"),
    "an entry that is not there, though the checkpoint covers it": (LOG.erased(), "not in this bundle"),
    "the last that the checkpoint covers": (LOG.erased(by=19), "not in this bundle"),
    "one closed entry for two sections": (
        LOG.erased(TOLD, name="facts", hidden=("facts",), also={GONE: {"personal": TOLD}}),
        "an entry tells one erasure",
    ),
    "one closed entry for sections of two entries": (
        LOG.erased(6, TOLD, hidden=("facts",), also={6: {"personal": TOLD}}),
        "an entry tells one erasure",
    ),
    "one later entry for two sections": (LOG.erased(by=25, also={GONE: {"facts": 25}}), "an entry tells one erasure"),
    "an entry that is no erasure": (LOG.erased(12, by=12), "which is no erasure"),
    "an earlier entry": (LOG.erased(by=2), "not later"),
    "the entry itself": (LOG.erased(by=GONE), "not later"),
    "a section the leaf does not have": (LOG.erased(TOLD, name="extra"), "commits to no section"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_erasure_of_it_is_refused(what: str) -> None:
    data, words = WRONG[what]
    result = verified(data)
    assert result.first_bad_index == GONE
    assert words in result.failures[0].detail


@pytest.mark.parametrize(("size", "by"), [(9, TOLD), (20, 20), (20, 10**15)])
def test_what_a_later_entry_is_said_to_tell_counts_as_not_disclosed(size: int, by: int) -> None:
    result = verified(LOG.erased(by=by, size=size))
    assert result.ok, result.failures
    assert result.entries[0].sections["personal"] == f"said to be erased by a later entry {by}, not shown"
    details = {check.name: check.detail for check in result.checks}
    assert details["sections"] == "1 of 2 sections are disclosed and as recorded. 1 not disclosed."
    assert "counts as not disclosed" in details["erased"]
    assert "was erased" not in outcome(result)


def test_a_state_whose_snapshot_was_erased_is_not_compared() -> None:
    subject = parse_leaf(LOG.leaves[GONE]).subject
    told = LOG.erased(OTHER, by=OTHER, name="facts", state={subject: "{}"})
    result = verified(told)
    assert result.ok, result.failures
    assert "the facts of its newest entry were erased" in result.checks[-1].detail
    later = verified(LOG.erased(by=25, name="facts", state={subject: "{}"}))
    assert [(check.name, check.index) for check in later.failures] == [("state", GONE)]


def test_an_erasure_told_by_what_is_not_proven_is_refused() -> None:
    def unproven(found: Any) -> None:
        found["entries"][1]["proof"].pop()

    result = verified(edited(LOG.erased(TOLD), unproven))
    assert [(check.name, check.index) for check in result.failures] == [
        ("entry", TOLD),
        ("entries", None),
        ("erased", GONE),
    ]


def test_facts_that_are_not_those_of_the_entry_are_refused() -> None:
    def forge(found: Any) -> None:
        section = found["entries"][1]["sections"]["facts"]
        section["body"] = b64encode(b'{"entry":3,"section":"personal"}').decode()

    result = verified(edited(LOG.erased(TOLD), forge))
    assert ("section", TOLD) in [(check.name, check.index) for check in result.failures]


@pytest.mark.parametrize("value", [True, -1, "9", None, 1 << 63, 1.0])
def test_an_index_that_is_none_is_no_bundle(value: object) -> None:
    def change(found: Any) -> None:
        found["entries"][0]["sections"]["personal"] = {"erased": value}

    with pytest.raises(BundleError):
        verified(edited(LOG.erased(TOLD), change))


def test_a_section_is_shown_or_erased_and_not_both() -> None:
    def both(found: Any) -> None:
        found["entries"][0]["sections"]["personal"] = {"erased": 9, "salt": "", "body": ""}

    with pytest.raises(BundleError):
        verified(edited(LOG.erased(TOLD), both))


def test_true_is_not_one() -> None:
    """JSON's true equals 1 in Python, and must not pass for entry 1."""

    class First(Log):
        def facts(self, index: int) -> dict[str, object]:
            return {"entry": True, "section": "facts"} if index == TOLD else super().facts(index)

    log = First(20)
    entries = [
        BundleEntry(1, log.leaves[1], log.naive.path(1, 0, 20), {}, {"facts": TOLD}),
        BundleEntry(TOLD, log.leaves[TOLD], log.naive.path(TOLD, 0, 20), log.sections[TOLD]),
    ]
    data = write_bundle(origin="assay.example/test", keys=[], checkpoint=log.checkpoint(20), entries=entries)
    assert [(check.name, check.index) for check in verified(data).failures] == [("erased", 1)]
