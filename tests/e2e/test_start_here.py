"""The first ten minutes in a browser: a visitor of the start-here page decides, records, takes a report and checks it.

One demo for the module. Every page that is visited is looked over: nothing in the console (which is where the
browser tells of the content security policy), nothing that axe objects to, in light and in dark.
"""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from demo.seed import RUNNING, WAITING
from tests.absence import needs_chromium
from tests.e2e.demo_site import DemoSite, running_demo, verify
from tests.waiting import until

SECONDS = 20_000
REASON = "Drafts only, a person decides; it fits both cards with the margin shown."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = needs_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(
    browser: Browser, template_database: str, worker_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DemoSite]:
    with running_demo(template_database, worker_name, tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture
def context(browser: Browser, site: DemoSite) -> Iterator[BrowserContext]:
    visitor = browser.new_context(base_url=site.url, locale="en-GB", reduced_motion="reduce")
    visitor.set_default_timeout(SECONDS)
    yield visitor
    visitor.close()
    site.check_alive()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of a new visitor; fails the test when the console of the browser said anything."""
    said: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    assert said == []


def look_over(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found = Axe().run(page).response["violations"]
        assert [(item["id"], item["nodes"][0]["target"]) for item in found] == [], (page.url, scheme)
    page.emulate_media(color_scheme="light")


def become(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", name="Desk", exact=True)).to_be_visible()
    expect(page.locator("#user-tools")).to_contain_text(name)


def step(page: Page, key: str) -> Locator:
    return page.locator(f"#step-{key}")


def decisions(site: DemoSite) -> int:
    return int(site.value("SELECT count(*) FROM entry WHERE type = 'decision.recorded'"))


def waiting_request(page: Page) -> str:
    """Go to the request that waits; its address."""
    page.get_by_role("link", name="Requests").first.click()
    page.get_by_role("row").filter(has_text=WAITING).get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="What is asked")).to_be_visible()
    return page.url


def test_six_steps_are_shown_and_ticked_by_entries(page: Page) -> None:
    page.goto("/")
    expect(page.locator("ol.steps > li")).to_have_count(6)
    look_over(page)
    for key in ("register", "approve", "record", "collect", "seal"):  # the demo has done these; the report is ours
        expect(step(page, key).get_by_text("Done")).to_be_visible(timeout=60_000)
        expect(step(page, key).locator(".at a")).to_have_text(re.compile(r"^\d+$"))


def test_only_another_person_decides(page: Page, context: BrowserContext, site: DemoSite) -> None:
    become(page, "Ken Watanabe")
    address = waiting_request(page)
    expect(page.get_by_role("button", name="Record decision")).to_be_disabled()
    expect(page.locator("#why")).to_contain_text("You asked for this")
    before = decisions(site)
    forged = context.request.post(
        address,
        form={
            "csrfmiddlewaretoken": page.locator("aside input[name=csrfmiddlewaretoken]").first.input_value(),
            "digest_seen": page.locator("input[name=digest_seen]").input_value(),
            "decision": "approve",
            "reason": REASON,
        },
        headers={"Referer": address},
    )
    assert forged.status == 400
    assert re.search(r"Nothing was recorded\.\s+You asked for this", forged.text())
    assert decisions(site) == before

    become(page, "Rosa Okafor")
    look_over(page)
    assert waiting_request(page) == address
    look_over(page)
    facts = page.locator("section", has=page.get_by_role("heading", name="What is asked"))
    expect(facts).to_contain_text("Llama 3.3 70B")
    expect(facts.locator("dl.facts")).to_contain_text("Ken Watanabe")
    expect(page.locator("section", has=page.get_by_role("heading", name="Does it fit"))).to_contain_text("KV cache")
    page.get_by_label("Approve", exact=True).check()
    page.get_by_label("Reason, required").fill(REASON)
    page.get_by_role("button", name="Record decision").click()
    expect(page.get_by_text("Your decision is recorded in the ledger.")).to_be_visible()
    assert decisions(site) == before + 2, "hers, and the one that stayed sealed until then"

    page.goto("/")
    entry = site.value("SELECT max(index) FROM entry WHERE type = 'request.approved'")
    expect(step(page, "approve").get_by_text("Done")).to_be_visible()
    expect(step(page, "approve").locator(".at")).to_have_text(str(entry))
    step(page, "approve").locator(".at a").click()
    expect(page.get_by_role("heading", name="Path to the signed root")).to_be_visible()
    look_over(page)


def test_an_auditor_takes_a_report_away_that_verifies(page: Page, tmp_path: Path) -> None:
    become(page, "Aiko Mori")
    look_over(page)
    page.get_by_role("link", name="Reports").first.click()
    page.get_by_label("Deployment").select_option(label=RUNNING)
    page.get_by_role("button", name="Make the report").click()
    expect(page.get_by_role("heading", name="What it is")).to_be_visible()

    button = page.get_by_role("button", name="Download the PDF")

    def ready() -> bool:
        page.reload()
        return button.is_visible()

    until(ready, seconds=60, what="the report")
    look_over(page)
    with page.expect_download() as download:
        button.click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF-")
    done = verify(file)
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["key_pinned"]
    file.write_bytes(file.read_bytes().replace(b"\nendobj", b"\rendobj", 1))
    assert verify(file).returncode == 1

    page.goto("/")
    expect(step(page, "report").get_by_text("Done")).to_be_visible()


def test_an_event_of_ones_own_appears_while_one_looks(page: Page, site: DemoSite) -> None:
    become(page, "Aiko Mori")
    page.goto("/")
    page.evaluate("window.stayed = true")
    command = page.locator("#cmd-send").inner_text()
    body = re.search(r"--data '(.*)'$", command, re.DOTALL)
    token = re.search(r"Authorization: Bearer (\S+)\"", command)
    address = re.search(r"https?://\S+", command)
    assert body and token and address
    text = body[1].replace("'$(date +%s)'", str(time.time_ns()))
    text = text.replace("'$(date -u +%Y-%m-%dT%H:%M:%SZ)'", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    answer = httpx.post(
        address[0],
        content=text,
        headers={"Authorization": f"Bearer {token[1]}", "Content-Type": "application/json"},
        timeout=20,
    )
    assert answer.status_code == 201, answer.text
    index = answer.json()["index"]
    mine = page.locator("#mine")
    expect(mine.get_by_role("heading", name=f"Your event is entry {index}")).to_be_visible(timeout=SECONDS)
    expect(mine.get_by_text("Under checkpoint")).to_be_visible(timeout=SECONDS)
    expect(mine.locator("svg.chart")).to_be_visible()
    assert page.evaluate("window.stayed")
    look_over(page)
    mine.get_by_role("link", name="open the entry").click()
    expect(page.get_by_role("heading", name=f"Entry {index}")).to_be_visible()
    expect(page.get_by_text("Included in checkpoint")).to_be_visible()


def test_the_page_needs_no_script(browser: Browser, site: DemoSite) -> None:
    context = browser.new_context(base_url=site.url, locale="en-GB", java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    expect(page.locator("ol.steps > li")).to_have_count(6)
    expect(step(page, "seal").get_by_text("Done")).to_be_visible()
    expect(page.locator("#cmd-send")).to_contain_text("Authorization: Bearer")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    become(page, "Rosa Okafor")
    context.close()
