"""The whole way of an approval in a browser: asked, passed with a condition, decided blind by two, revoked."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect, sync_playwright

from audit.models import User
from tests.absence import needs_chromium
from tests.integration.approvals_story import stage, tell_approvals
from tests.integration.governance_story import login
from tests.services.processes import Web

RISK = "Risk owners"
REASON = "Weights and cache fit, and the use is within policy."
WIDTHS = (420, 1280)


@dataclass(frozen=True, slots=True)
class Told:
    """The page of the request, and a session of each log-in."""

    address: str
    sessions: dict[str, str]


@pytest.fixture
def told(web: Web) -> Told:
    approvals = tell_approvals()
    story = approvals.story
    approvals.adopted(
        stages=[stage("technical", due_days=None), stage("risk", RISK, quorum=2, blind=True, due_days=None)]
    )
    request = story.submitted("claims-triage")
    people = {
        "requester": story.requester,
        "reviewer": story.reviewer,
        "risk": approvals.risk,
        "second": login("ortiz", RISK),
    }
    return Told(
        reverse("admin:desk_review", args=[request.pk]), {name: _session(user) for name, user in people.items()}
    )


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Desk:
    """A browser in which one person after the other opens the request."""

    def __init__(self, page: Page, url: str, told: Told) -> None:
        self.page, self._url, self._told = page, url, told

    def open(self, who: str) -> Page:
        """The page of the request as `who` sees it."""
        session = self._told.sessions[who]
        self.page.context.clear_cookies()
        self.page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self._url}])
        self.page.goto(self._url + self._told.address)
        return self.page

    def decide(self, who: str, choice: str) -> None:
        page = self.open(who)
        page.get_by_label(choice, exact=True).check()
        page.get_by_label("Reason, required").fill(REASON)
        page.get_by_role("button", name="Record decision").click()
        expect(page.get_by_text("Your decision is recorded in the ledger.")).to_be_visible()

    def looks_right(self) -> None:
        """Nothing axe objects to in light and dark, nothing beyond the edge at either width."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found = [item["id"] for item in Axe().run(self.page).response["violations"]]
            assert found == [], scheme
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture
def desk(told: Told, web: Web) -> Iterator[Desk]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needs_chromium(), args=["--no-sandbox"])
        yield Desk(browser.new_context(locale="en-GB").new_page(), web.url, told)
        browser.close()


def test_an_approval_from_asking_to_revoking(desk: Desk) -> None:
    page = desk.open("requester")
    button = page.get_by_role("button", name="Record decision")
    expect(button).to_be_disabled()
    assert "You asked for this" in page.locator("#why").inner_text()
    desk.looks_right()

    page = desk.open("reviewer")
    page.get_by_label("Approve with conditions", exact=True).check()
    page.get_by_label("Reason, required").fill(REASON)
    page.locator("form.panel details summary").first.click()
    page.locator("[name=condition_1]").fill("Show that a machine answers.")
    page.locator("[name=due_1]").fill("2099-01-31")
    page.get_by_role("button", name="Record decision").click()
    expect(page.get_by_text("Your decision is recorded in the ledger.")).to_be_visible()

    desk.decide("risk", "Approve")
    page = desk.open("second")
    assert "1 of 2 decisions are sealed" in page.locator("main, #content").first.inner_text()
    assert page.get_by_text(REASON).count() == 1, "the sealed reason is nowhere; the open one of stage 1 is"
    desk.looks_right()
    desk.decide("second", "Approve")

    page = desk.open("risk")
    assert page.get_by_text(REASON).count() == 3
    desk.looks_right()
    revoking = page.locator("form", has=page.get_by_role("button", name="Revoke this approval"))
    revoking.get_by_label("Reason, required").fill("The notice was not shown in two of ten first messages.")
    revoking.get_by_role("button").click()
    expect(page.locator(".meta").get_by_text("Revoked")).to_be_visible()
    desk.looks_right()
