"""The pages of erasures and holds in a real browser: accessible, inside the policy, on a phone, in the dark."""

from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import sync_playwright

from audit import erasure, ledger
from tests.absence import needs_chromium
from tests.e2e.test_pages_look import listen, violations
from tests.integration.erasure_story import NOW, record, tell_erasures
from tests.services.processes import Web


def test_the_pages_are_accessible_narrow_dark_and_within_the_policy(web: Web) -> None:
    program = needs_chromium()
    story = tell_erasures()
    story.erase(story.young_log)
    asked = story.ask(story.old_log)
    record(ledger.Section("facts", b"{}"), subject="x:" + "a" * 64)
    erasure.place_hold(
        reference="Case 2026-114",
        scope=erasure.Scope(subject="x:" + "a" * 64, first=0, last=9),
        by=story.second,
        now=NOW,
    )
    client = Client()
    client.force_login(story.officer)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    addresses = [
        reverse("admin:erasures"),
        f"{reverse('admin:erasure_new')}?entry={story.young_log}",
        reverse("admin:erasure", args=[asked]),
        reverse("admin:holds"),
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(base_url=web.url, color_scheme="dark", locale="en-GB")
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": web.url}])
        page = context.new_page()
        said = listen(page)
        for address in addresses:
            answer = page.goto(address)
            assert answer and answer.ok, address
            assert said == [], address
            for width in (320, 768, 1440):
                page.set_viewport_size({"width": width, "height": 800})
                over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert over <= 0, (address, width)
            assert violations(page) == [], address
            said.clear()  # axe itself tries to inline the sheets that stock forms import
        # By keyboard alone: choose the section, the basis and a reason, and send.
        page.goto(addresses[1])
        page.get_by_label("Legal basis").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.type("They asked us to forget them.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Erasure of facts").wait_for()
        browser.close()
