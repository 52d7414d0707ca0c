"""Every page in a real browser: accessible, inside the content security policy, readable on a phone, in the dark.

The web server is the real one on a clone of its own; nothing is imitated but the log-in, whose session is made
here.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from audit.models import Alarm, Checkpoint, User
from governance import operations
from governance.classification import Answer, newest
from governance.models import ApprovalRequest, Deployment, UseCase
from tests.absence import needs_chromium
from tests.integration.reports_story import sign, tell_report
from tests.integration.test_governance_adapters import config, register
from tests.services.processes import Web

WIDTHS = (320, 420, 768, 1024, 1440)


PASSPHRASE = "a long pass phrase"


@dataclass(frozen=True, slots=True)
class Site:
    """A running site with a story in it: its address, a session of each role, and one of each kind of page."""

    url: str
    sessions: dict[str, str]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that looks at a site."""

    site: Site
    browser: Browser

    def context(self, role: str | None, *, scheme: str = "light", scripts: bool = True) -> BrowserContext:
        """A browser profile, logged in as `role`."""
        context = self.browser.new_context(
            base_url=self.site.url,
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            locale="en-GB",
        )
        if role:
            value = self.site.sessions[role]
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.site.url}])
        return context


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _addresses() -> Iterator[str]:
    request = ApprovalRequest.objects.order_by("-number")[0]
    for name in ("index", "ledger_list", "desk_requests", "desk_request_new", "desk_adapter_new", "password_change"):
        yield reverse(f"admin:{name}")
    for name in ("modelversion", "adapter", "finding"):
        yield reverse(f"admin:governance_{name}_changelist")
    yield reverse("admin:ledger_entry", args=[3])
    yield f"{reverse('admin:ledger_list')}?subject=re&from=yesterdy"
    yield reverse("admin:ledger_checkpoints")
    yield reverse("admin:ledger_checkpoint", args=[Checkpoint.objects.latest("size").size])
    yield reverse("admin:desk_adapter", args=request.revision.adapters)
    yield reverse("admin:desk_review", args=[request.pk])
    yield reverse("admin:desk_deployment", args=[request.deployment_id])
    yield reverse("admin:governance_usecase_changelist")
    yield reverse("admin:desk_use_case_new")
    for name in ("desk_use_case", "desk_use_case_classify"):
        yield reverse(f"admin:{name}", args=[UseCase.objects.get().pk])
    yield reverse("admin:desk_registry_object", args=["request", request.pk])
    approved = Deployment.objects.filter(approved_revision__isnull=False)[0]
    yield f"{reverse('admin:desk_registry_object', args=['deployment', approved.pk])}?at=5"
    yield reverse("admin:desk_registry_object", args=["deployment", approved.pk])
    yield reverse("admin:desk_registry", args=["deployment"])
    yield f"{reverse('admin:desk_search')}?q=call"
    yield reverse("start")
    yield reverse("api-docs")


def _classified(requester: User) -> None:
    """A use case whose page has a path to show."""
    now = timezone.now()
    made = operations.register_use_case(
        by=requester,
        name="Support chatbot",
        intended_purpose="Answers questions about products; a person takes over on request.",
        eu_role="deployer",
        member_states=("DE", "FR"),
        now=now,
    )
    said = [Answer(node, "yes", "It infers answers from examples.") for node in ("s1", "s2")]
    said.append(Answer("s3", "unsure", "Somebody has to ask the vendor."))
    operations.classify_use_case(
        by=requester, use_case_id=made.id, tree_version=newest().version, answers=said, seen=1, now=now
    )


@pytest.fixture
def site(web: Web) -> Site:
    reported = tell_report()
    adapter = register(reported.story, config=config(revision=None), base_version_id=reported.story.version)
    reported.story.submitted(name="call-summary", adapters=(adapter.id,))
    _classified(reported.story.requester)
    operations.index_log()
    sign()
    reported.auditor.set_password(PASSPHRASE)
    reported.auditor.save()
    people = {"requester": reported.story.requester, "auditor": reported.auditor}
    sessions = {role: _session(user) for role, user in people.items()}
    return Site(web.url, sessions, tuple(_addresses()))


@pytest.fixture
def red_site(site: Site) -> Site:
    """The same after something changed a stored entry."""
    Alarm.objects.create(kind="section", entry_index=3, subject="", detail="Does not open.", raised_at=timezone.now())
    return site


@pytest.fixture
def look() -> Iterator[Callable[[Site], Visitor]]:
    """Opens a browser. Playwright keeps an event loop in this thread: the database is done with before it starts."""
    program = needs_chromium()
    with ExitStack() as stack:

        def opened(site: Site) -> Visitor:
            playwright = stack.enter_context(sync_playwright())
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            stack.callback(browser.close)
            return Visitor(site, browser)

        yield opened


Look = Callable[[Site], Visitor]


def listen(page: Page) -> list[str]:
    """What the console complains of: the content security policy, script errors, files not found."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def violations(page: Page) -> list[tuple[str, list[str]]]:
    return [(found["id"], found["nodes"][0]["target"]) for found in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_keep_the_policy(site: Site, look: Look, scheme: str) -> None:
    page = look(site).context("requester", scheme=scheme).new_page()
    said = listen(page)
    for address in site.addresses:
        answer = page.goto(address)
        assert answer and answer.ok, address
        assert said == [], address
        assert violations(page) == [], address
        said.clear()  # axe itself tries to inline the sheets that stock forms import


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_red_page_is_accessible_too(red_site: Site, look: Look, scheme: str) -> None:
    page = look(red_site).context("auditor", scheme=scheme).new_page()
    said = listen(page)
    for address in ("/admin/", "/admin/ledger/3/", "/admin/reports/"):
        page.goto(address)
        assert page.get_by_role("alert").first.is_visible()
        assert said == [], address
        assert violations(page) == [], address
        said.clear()


def test_nothing_scrolls_sideways(site: Site, look: Look) -> None:
    page = look(site).context("requester").new_page()
    for address in [*site.addresses, "/admin/login/"]:
        page.goto(address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, (address, width)


def test_signing_in_and_filters_need_no_script(site: Site, look: Look) -> None:
    page = look(site).context(None, scripts=False).new_page()
    page.goto("/admin/ledger/")
    page.get_by_label("Username").fill("auditor")
    page.get_by_label("Password").fill(PASSPHRASE)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("What happened").select_option("decision.recorded")
    page.get_by_role("button", name="Show").click()
    assert page.locator("table.ledger tbody tr").count() == 1
    page.locator("table.ledger tbody a").first.click()
    assert page.get_by_role("heading", name="Path to the signed root").is_visible()


def test_the_keyboard_reaches_the_content_first(site: Site, look: Look) -> None:
    page = look(site).context("auditor").new_page()
    page.goto("/admin/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-to-content-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content-start"


def test_an_auditor_takes_a_bundle_away(site: Site, look: Look) -> None:
    page = look(site).context("auditor").new_page()
    page.goto("/admin/ledger/3/")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download bundle, JSON").click()
    assert waiting.value.suggested_filename == "entry-3.assay.json"


def test_the_language_changes_by_a_button(site: Site, look: Look) -> None:
    page = look(site).context("auditor").new_page()
    page.goto("/admin/ledger/")
    page.get_by_role("button", name="日本語").click()
    assert page.get_by_role("heading", name="台帳", exact=True).is_visible()
    assert violations(page) == []


def test_a_command_is_copied(site: Site, look: Look) -> None:
    context = look(site).context("auditor")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/api/docs")
    page.locator("button.copy").nth(1).click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -sS")


def test_the_slider_goes_back_in_time_and_a_key_leads_to_the_search(site: Site, look: Look) -> None:
    page = look(site).context("auditor").new_page()
    address = next(address for address in site.addresses if "/registry/deployment/" in address and "?at=" in address)
    page.goto(address.partition("?")[0])
    slider = page.get_by_role("slider")
    slider.press("Home")
    page.wait_for_url("**?at=*")
    assert page.get_by_text("As of entry").is_visible()
    assert slider.get_attribute("aria-valuetext") == page.locator("output").text_content()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("/")
    page.keyboard.type("call/summary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=call*")
    assert page.get_by_role("searchbox").last.input_value() == "call/summary"
