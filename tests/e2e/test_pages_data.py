"""The pages of data sets, evaluations and evidence in a real browser: accessible, inside the policy, narrow, dark."""

from datetime import timedelta

from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import sync_playwright

from governance import operations
from governance.models import EvaluationRun, Evidence
from tests.absence import needs_chromium
from tests.e2e.test_pages_look import listen, violations
from tests.integration.governance_story import tell
from tests.integration.test_governance_data_pages import told
from tests.services.processes import Web


def test_the_pages_are_accessible_narrow_dark_and_within_the_policy(web: Web) -> None:
    program = needs_chromium()
    story = tell()
    addresses = [address for address in told(story) if "/desk/" in address and "?" not in address]
    now = timezone.now()
    run = EvaluationRun.objects.get()
    ending = operations.record_evidence(
        by=story.requester, title="Red team report of the quarter", kind="red_team", subject_kind="evaluation_run",
        subject_id=run.pk, sha256="0" * 64, size_bytes=1, media_type="application/pdf", address="shelf 4",
        collected_at=now.date(), valid_until=now.date() + timedelta(days=3), classification="open", now=now,
    )  # fmt: skip
    wrong = Evidence.objects.latest("number")
    addresses.append(reverse("admin:desk_evidence", args=[ending.id]))
    client = Client()
    client.force_login(story.requester)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            context = browser.new_context(
                base_url=web.url, color_scheme="dark" if scheme == "dark" else "light", locale="en-GB"
            )
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": web.url}])
            page = context.new_page()
            said = listen(page)
            for address in addresses if scheme == "light" else addresses[-4:]:
                answer = page.goto(address)
                assert answer and answer.ok, address
                assert said == [], address
                for width in (320, 420, 1440) if scheme == "light" else ():
                    page.set_viewport_size({"width": width, "height": 800})
                    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    assert over <= 0, (address, width)
                assert violations(page) == [], address
                said.clear()  # axe itself tries to inline the sheets that stock forms import
        # By keyboard alone: say why, and revoke.
        page = browser.contexts[0].new_page()
        page.goto(reverse("admin:desk_evidence", args=[wrong.pk]))
        page.get_by_label("Why").focus()
        page.keyboard.type("It is of another model.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("Revoked by Watanabe: It is of another model.").wait_for()
