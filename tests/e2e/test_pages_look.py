"""Every page in a real browser: accessible, inside the content security policy, readable on a phone, in the dark.

The web server is the real one on a clone of its own, which the tests share: none changes what another looks at.
Nothing is imitated but the log-in, whose session is made here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from audit.models import User
from tests.absence import needs_chromium
from tests.e2e.looked_at import addresses, tell_everything
from tests.integration.reports_story import sign, tell_report
from tests.services.databases import Database, cloned, pointed_at
from tests.services.processes import running_web

WIDTHS = (320, 420, 768, 1024, 1440)
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
PASSPHRASE = "a long pass phrase"
RAISED = (
    "INSERT INTO alarm (kind, entry_index, subject, detail, raised_at)"
    " VALUES ('section', 3, '', 'Does not open.', now())"
)


@dataclass(frozen=True, slots=True)
class Told:
    """A database with a story in it, a session of each role, and the address of one of each kind of page."""

    database: Database
    sessions: dict[str, str]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that looks at a running site."""

    told: Told
    url: str
    browser: Browser

    @contextmanager
    def page(self, role: str | None, *, scripts: bool = True) -> Iterator[Page]:
        """A page in a new browser profile, logged in as `role`."""
        context = self.browser.new_context(base_url=self.url, java_script_enabled=scripts, locale="en-GB")
        if role:
            value = self.told.sessions[role]
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.url}])
        yield context.new_page()
        context.close()


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture(scope="module")
def told(
    django_db_setup: None, template_database: str, worker_name: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Told]:
    with cloned(template_database, worker_name) as database:
        with pointed_at(database, worker_name, django_db_blocker):
            reported = tell_report()
            tell_everything(reported.story)
            sign()
            # Hashed as the site would: its first use must not make it a new one, which ends the other sessions.
            reported.auditor.password = PBKDF2PasswordHasher().encode(PASSPHRASE, salt="e2e" * 8)
            reported.auditor.save()
            people = {"requester": reported.story.requester, "auditor": reported.auditor}
            sessions = {role: _session(user) for role, user in people.items()}
            story = Told(database, sessions, tuple(addresses(reported.story)))
        yield story


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Playwright keeps an event loop in this thread, in which Django uses no database: what follows does without."""
    program = needs_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def visitor(
    told: Told, browser: Browser, worker_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    with (
        cloned(told.database.name, worker_name) as database,
        running_web(database, worker_name, tmp_path_factory.mktemp("site")) as web,
    ):
        yield Visitor(told, web.url, browser)


@pytest.fixture
def red_visitor(told: Told, browser: Browser, worker_name: str, tmp_path: Path) -> Iterator[Visitor]:
    """The same after something changed a stored entry."""
    with cloned(told.database.name, worker_name) as database:
        with psycopg.connect(database.environment("app")["DATABASE_URL"]) as connection:
            connection.execute(RAISED)
        with running_web(database, worker_name, tmp_path) as web:
            yield Visitor(told, web.url, browser)


def listen(page: Page) -> list[str]:
    """What the console complains of: the content security policy, script errors, files not found."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def violations(page: Page) -> list[tuple[str, list[str]]]:
    return [(found["id"], found["nodes"][0]["target"]) for found in Axe().run(page).response["violations"]]


SETTLED = "Promise.allSettled(document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished))"
"""A button whose colour is on its way from one scheme to the other is neither."""


BEYOND = """() => [...document.querySelectorAll("#content *")]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth)
  .map(e => e.outerHTML.slice(0, 160)).slice(-3)"""
"""What reaches beyond the edge, innermost last."""


def looked_over(page: Page, address: str) -> None:
    """Nothing that axe objects to, in light and in dark; nothing beyond the edge at any width."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.evaluate(SETTLED)
        assert violations(page) == [], (address, scheme)
    page.emulate_media(color_scheme="light")
    size = page.viewport_size
    assert size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, (address, width, page.evaluate(BEYOND))
    page.set_viewport_size(size)


def test_pages_are_accessible_keep_the_policy_and_scroll_in_one_direction(visitor: Visitor) -> None:
    with visitor.page("requester") as page:
        said = listen(page)
        for address in (*visitor.told.addresses, "/admin/login/"):
            answer = page.goto(address)
            assert answer and answer.ok, address
            assert said == [], address
            looked_over(page, address)
            said.clear()  # axe itself tries to inline the sheets that stock forms import


def test_a_red_page_is_so_too(red_visitor: Visitor) -> None:
    with red_visitor.page("auditor") as page:
        said = listen(page)
        for address in ("/admin/", "/admin/ledger/3/", "/admin/reports/"):
            page.goto(address)
            assert page.get_by_role("alert").first.is_visible()
            assert said == [], address
            looked_over(page, address)
            said.clear()


def test_signing_in_and_filters_need_no_script(visitor: Visitor) -> None:
    with visitor.page(None, scripts=False) as page:
        page.goto("/admin/ledger/")
        page.get_by_label("Username").fill("auditor")
        page.get_by_label("Password").fill(PASSPHRASE)
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("What happened").select_option("decision.recorded")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("table.ledger tbody tr")).to_have_count(1)
        page.locator("table.ledger tbody a").first.click()
        page.get_by_role("heading", name="Path to the signed root").wait_for()


def test_the_keyboard_reaches_the_content_first(visitor: Visitor) -> None:
    with visitor.page("auditor") as page:
        page.goto("/admin/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip-to-content-link"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content-start"


def test_an_auditor_takes_a_bundle_away(visitor: Visitor) -> None:
    with visitor.page("auditor") as page:
        page.goto("/admin/ledger/3/")
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Download bundle, JSON").click()
        assert waiting.value.suggested_filename == "entry-3.assay.json"


def test_the_language_changes_by_a_button(visitor: Visitor) -> None:
    with visitor.page("auditor") as page:
        page.goto("/admin/ledger/")
        page.get_by_role("button", name="日本語").click()
        page.get_by_role("heading", name="台帳", exact=True).wait_for()
        assert violations(page) == []


def test_a_command_is_copied(visitor: Visitor) -> None:
    with visitor.page("auditor") as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/api/docs")
        page.locator("button.copy").nth(1).click()
        assert page.evaluate("navigator.clipboard.readText()").startswith("curl -sS")


def test_the_slider_goes_back_in_time_and_a_key_leads_to_the_search(visitor: Visitor) -> None:
    with visitor.page("auditor") as page:
        pages = visitor.told.addresses
        address = next(address for address in pages if "/registry/deployment/" in address and "?at=" in address)
        page.goto(address.partition("?")[0])
        slider = page.get_by_role("slider")
        slider.press("Home")
        page.wait_for_url("**?at=*")
        expect(page.get_by_text("As of entry")).to_be_visible()
        assert slider.get_attribute("aria-valuetext") == page.locator("output").text_content()
        page.keyboard.press("Escape")
        page.locator("h1").click()
        page.keyboard.press("/")
        page.keyboard.type("call/summary")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search/?q=call*")
        assert page.get_by_role("searchbox").last.input_value() == "call/summary"
