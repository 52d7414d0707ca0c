"""What a database superuser changes past all triggers is noticed within seconds, and the entry is named."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.browser import Visitor
from tests.e2e.demo_site import DemoSite, refused_entries, running_demo, verify
from tests.waiting import until

SECONDS = 30
"""The self-check runs every 5 s; the rest is for a machine that does other things too."""

TOLD = "SELECT max(id) FROM alarm WHERE kind <> 'signer.frozen'"
"""The self-check's own alarm, and with it, in one transaction, its entry; the signer may have been faster."""


@pytest.fixture
def site(template_database: str, worker_name: str, tmp_path: Path) -> Iterator[DemoSite]:
    """A fresh demo for each test: an alarm is for good."""
    with running_demo(template_database, worker_name, tmp_path) as demo:
        yield demo


@pytest.fixture
def auditor(site: DemoSite) -> Iterator[Visitor]:
    visitor = Visitor(site.url)
    visitor.become("mori")
    yield visitor
    visitor.close()


def tamper(site: DemoSite, what: str) -> int:
    """Run the command as an attacker with the superuser's address would; the entry that it names, once it was told."""
    assert site.value(TOLD) is None
    done = site.manage("demo_tamper", f"--{what}", roles=("app", "admin"))
    assert done.returncode == 0, done.stderr
    named = re.search(r"names entry (\d+)", done.stdout)
    assert named, done.stdout
    until(lambda: site.value(TOLD), seconds=SECONDS, what="the self-check's alarm")
    return int(named[1])


def alarm_on_the_home_page(site: DemoSite, auditor: Visitor) -> str:
    """The alarm in words, and what must hold whatever was changed."""
    until(lambda: site.value("SELECT frozen_reason FROM signer_lease"), seconds=SECONDS, what="the signer's stop")
    health = site.health()
    assert (health["http"], health["status"], health["signer"]) == (503, "frozen", "stopped")
    assert health["alarms"]
    assert health["unsigned"]  # the entry in which the self-check tells of it: nobody signs any more
    page = auditor.get("/admin/").text
    box = re.search(r'<section class="alarm-box".*?</section>', page, re.DOTALL)
    assert box, "the home page is not red"
    assert "The ledger does not agree with what was signed" in box[0]
    site.check_alive()
    return " ".join(re.sub(r"<[^>]+>", " ", box[0]).split())


def bundle(auditor: Visitor, index: int, folder: Path) -> Path:
    """The bundle of one entry, as the auditor takes it away."""
    answer = auditor.post_json("/api/v1/bundles", {"indexes": [index]})
    assert answer.status_code == 200, answer.text
    path = folder / "bundle.assay.json"
    path.write_bytes(answer.content)
    return path


@pytest.mark.parametrize(
    ("what", "found", "refused"),
    [
        ("section", "The content of section facts of entry {} is not what was recorded.", "section facts"),
        ("leaf", "Entry {} was changed: its leaf has another hash than before.", "does not lead to the root"),
    ],
)
def test_a_changed_approval_is_named(
    site: DemoSite, auditor: Visitor, tmp_path: Path, what: str, found: str, refused: str
) -> None:
    approval = int(site.value("SELECT max(index) FROM entry WHERE type = 'decision.recorded'"))
    intact = verify(bundle(auditor, approval, tmp_path))
    assert intact.returncode == 0, intact.stdout

    assert tamper(site, what) == approval
    words = alarm_on_the_home_page(site, auditor)
    assert f"Entry {approval} look at it : {found.format(approval)}" in words

    changed = verify(bundle(auditor, approval, tmp_path))
    assert changed.returncode == 1, changed.stdout
    said = refused_entries(changed)
    assert set(said) == {approval}
    assert refused in said[approval]


def test_a_changed_row_of_the_registry_is_named(site: DemoSite, auditor: Visitor) -> None:
    assert site.manage("reconcile").returncode == 0
    index = tamper(site, "row")
    words = alarm_on_the_home_page(site, auditor)
    said = "The table differs from the entry in: justification."
    assert f"Entry {index} look at it : {said}" in words
    done = site.manage("reconcile")
    assert done.returncode == 1
    subject = site.value(f"SELECT subject FROM entry WHERE index = {index}")
    assert done.stdout == f"{subject} (entry {index}): {said}\n"
