"""The only door out of a render: `asset:<path below assets/>`, read-only, by suffix. Everything else stops it.

User text never carries markup, so a URL outside this list is a fault of ours or an attack: both end the render.
"""

from __future__ import annotations

from pathlib import Path

from weasyprint.urls import FatalURLFetchingError, URLFetcherResponse

ASSETS = Path(__file__).parent / "assets"
MEDIA = {".ttf": "font/ttf", ".css": "text/css"}


class LockedFetcher:
    """Serves files below `assets/` with an allowed suffix; no http, file, ftp or data."""

    _fail_on_errors = True  # WeasyPrint asks: any other fault here ends the render too

    def __call__(self, url: str) -> URLFetcherResponse:
        if not url.startswith("asset:"):
            raise FatalURLFetchingError(f"The report tried to load {url[:120]!r}; only its own assets are allowed.")
        path = (ASSETS / url.removeprefix("asset:")).resolve()
        if ASSETS.resolve() not in path.parents or path.suffix not in MEDIA:
            raise FatalURLFetchingError(f"The report tried to load {url[:120]!r}, which is not an asset.")
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": MEDIA[path.suffix]})
