"""The start-here page in a browser: one click makes a visitor a persona, and an event sent by its own command
appears with its path to the signed root while the page is open.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from audit.access.people import register_service_account
from audit.access.tokens import issue_token
from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from demo.personas import ensure_personas
from demo.visitor import ACCOUNT
from tests.absence import needs_chromium
from tests.services.constants import ORIGIN, SIGNING_KEY
from tests.services.databases import Database
from tests.services.processes import Web

SECONDS = 15_000


@dataclass(frozen=True, slots=True)
class Opened:
    """The start page in a browser, and the database behind it."""

    page: Page
    url: str
    database: Database


def sign(database: Database) -> None:
    """A checkpoint over the whole log, as the signer writes it."""
    with psycopg.connect(database.admin_address()) as connection:
        row = connection.execute("SELECT size, root FROM head").fetchone()
        assert row
        size, root = int(row[0]), bytes(row[1])
        note = sign_checkpoint(Checkpoint(ORIGIN, size, root), SIGNING_KEY)
        values = (size, root, note, datetime.now(UTC))
        connection.execute("INSERT INTO checkpoint (size, root, note, signed_at) VALUES (%s, %s, %s, %s)", values)


@pytest.fixture
def opened(committed: Database, tmp_path: Path, web: Web) -> Iterator[Opened]:
    program = needs_chromium()
    now = datetime.now(UTC)
    owner = ensure_personas(now=now)["watanabe"]
    account = register_service_account(
        name=ACCOUNT, source_name=ACCOUNT, owner_id=owner.person_id, actor="system:test", now=now
    )
    token = issue_token(
        service_account_id=account.id,
        scopes=["events:write"],
        lifetime=timedelta(days=1),
        actor="system:test",
        now=now,
    )
    (tmp_path / f"demo-token-{ACCOUNT}").write_text(token.text, encoding="ascii")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(base_url=web.url, locale="en-GB")
        page.goto("/")
        yield Opened(page, web.url, committed)
        browser.close()


def send(opened: Opened) -> None:
    """Run the page's own command, on the port this test serves."""
    command = opened.page.locator("#cmd-send").inner_text()
    address = command.split("/api/v1", 1)[0].rsplit(" ", 1)[1]
    command = command.replace(address, opened.url)
    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=30)
    assert '"status":"created"' in answer.stdout.replace(" ", ""), answer.stdout


def test_an_event_sent_by_hand_appears_while_one_looks(opened: Opened) -> None:
    page = opened.page
    step = page.locator("#step-record")
    expect(step.get_by_text("Not yet")).to_be_visible()
    send(opened)
    expect(step.get_by_text("Done")).to_be_visible(timeout=SECONDS)
    expect(page.locator("#mine").get_by_text("Waits for the signer")).to_be_visible(timeout=SECONDS)
    sign(opened.database)
    expect(page.locator("#mine").get_by_text("Under checkpoint")).to_be_visible(timeout=SECONDS)
    expect(page.locator("#mine svg.chart")).to_be_visible()
    expect(page.locator("#step-seal").get_by_text("Done")).to_be_visible(timeout=SECONDS)


def test_one_click_makes_a_visitor_a_persona(opened: Opened) -> None:
    page = opened.page
    page.get_by_role("button", name="Rosa Okafor").click()
    expect(page.get_by_role("heading", name="Desk", exact=True)).to_be_visible()
    expect(page.locator("#user-tools")).to_contain_text("Reviewer")
    page.get_by_role("link", name="Start here").click()
    page.get_by_role("button", name="Usage windows").click()
    expect(page.get_by_role("heading", name="Ledger", exact=True)).to_be_visible()
    expect(page.get_by_label("What happened")).to_have_value("window.usage")
    expect(page.locator("#user-tools")).to_contain_text("Aiko Mori")
