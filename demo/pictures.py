"""The README's pictures, taken from a running demo: the same pages, width and colours every time.

Needs Playwright (a development requirement), an installed Chromium, and pdftoppm for the page of a report.
"""

import io
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from PIL import Image

from demo.seed import RUNNING, WAITING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH: Final = 1440
HEIGHT: Final = 1000
LARGEST: Final = 300_000
"""Bytes of one picture: all of them together load in a second on a slow line."""

_COLOURS: Final = (256, 128, 64)
_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
_REPORT_SECONDS: Final = 120
_SUMMARY: Final = "3"
"""Page of a report that says all in short; before it come the cover and the contents."""

_MILLISECONDS: Final = 20_000


class PictureFailed(RuntimeError):
    """A picture could not be taken; the message says what is missing."""


def take(*, base: str, folder: Path) -> Iterator[Path]:
    """Take all pictures of the demo at `base`, and give each file's path when it is written.

    Args:
        base: address of the running demo, without a slash at the end.
        folder: where the PNG files go; those of the same names are replaced.

    Raises:
        PictureFailed: something is not installed, or a page does not show what the picture is of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _browser() as browser:
        page = browser.new_page(
            base_url=base,
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        page.set_default_timeout(_MILLISECONDS)
        page.goto("/")
        yield _save(folder / "start-here.png", page.screenshot())
        _become(page, "Rosa Okafor")
        _open_request(page)
        yield _save(folder / "review.png", page.screenshot())
        _become(page, "Aiko Mori")
        _open_decision(page)
        yield _save(folder / "ledger-entry.png", page.screenshot())
        yield _save(folder / "report.png", _summary_page(_report(page)))


@contextmanager
def _browser() -> Iterator["Browser"]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise PictureFailed("Playwright is not installed: pip install -r requirements-dev.txt") from error
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        raise PictureFailed("Chromium is not installed. On Debian: sudo apt-get install chromium")
    if shutil.which("pdftoppm") is None:
        raise PictureFailed("pdftoppm is not installed. On Debian: sudo apt-get install poppler-utils")
    # Chromium's sandbox does not start as root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        except Error as error:
            raise PictureFailed(str(error)) from error
        finally:
            browser.close()


def _become(page: "Page", name: str) -> None:
    page.goto("/")
    page.get_by_role("button", name=name).click()
    page.get_by_role("heading", name="Desk", exact=True).wait_for()


def _open_request(page: "Page") -> None:
    """The request that waits for a reviewer; once it is decided, what was decided."""
    for state in ("open", "approved", "rejected"):
        page.goto(f"/admin/desk/requests/?state={state}")
        rows = page.get_by_role("row").filter(has_text=WAITING)
        if rows.count():
            rows.get_by_role("link").first.click()
            page.get_by_role("heading", name="What is asked").wait_for()
            return
    raise PictureFailed(f"There is no request for {WAITING}: is the demo seeded?")


def _open_decision(page: "Page") -> None:
    """The entry of the newest decision, scrolled to its path to the signed root."""
    page.goto("/admin/ledger/?type=decision.recorded")
    page.locator("table.ledger tbody a").first.click()
    heading = page.get_by_role("heading", name="Path to the signed root")
    heading.evaluate("element => element.scrollIntoView({block: 'center'})")


def _report(page: "Page") -> bytes:
    """The newest report about the running deployment; made now when there is none."""
    page.goto("/admin/reports/?state=ready")
    ready = page.locator("table.grid tbody a").filter(has_text=RUNNING)
    if ready.count():
        ready.first.click()
    else:
        page.goto("/admin/reports/")
        page.get_by_label("Deployment").select_option(label=RUNNING)
        page.get_by_role("button", name="Make the report").click()
    button = page.get_by_role("button", name="Download the PDF")
    page.get_by_role("heading", name="What it is").wait_for()
    deadline, pause = time.monotonic() + _REPORT_SECONDS, Event()
    while not button.is_visible():
        if time.monotonic() > deadline:
            raise PictureFailed(f"The report was not ready after {_REPORT_SECONDS} s; see the worker's log.")
        pause.wait(0.5)
        page.reload()
    with page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_bytes()


def _summary_page(pdf: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.pdf"
        file.write_bytes(pdf)
        width, stem = str(WIDTH), file.with_name("page")
        done = subprocess.run(
            ["pdftoppm", "-png", "-f", _SUMMARY, "-l", _SUMMARY, "-scale-to-x", width, "-scale-to-y", "-1", file, stem],
            capture_output=True,
            check=False,
            timeout=60,
        )
        pages = sorted(Path(folder).glob("page*.png"))
        if done.returncode or not pages:
            raise PictureFailed(f"pdftoppm could not draw the report: {done.stderr.decode(errors='replace').strip()}")
        return pages[0].read_bytes()


def _save(path: Path, png: bytes) -> Path:
    """Write a picture with as many colours as fit `LARGEST` bytes, without text chunks that would differ each time."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in _COLOURS:
        file = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if len(file.getvalue()) < LARGEST:
            path.write_bytes(file.getvalue())
            return path
    raise PictureFailed(f"{path.name} is larger than {LARGEST:,} bytes.")
