"""A person at the demo's pages, as far as HTTP goes: a session, forms with their CSRF token, downloads."""

import html
import re
from collections.abc import Mapping
from typing import Any, Final

import httpx

_TIMEOUT: Final = httpx.Timeout(30)
_FIELD: Final = re.compile(r'<input type="hidden" name="(?P<name>\w+)" value="(?P<value>[^"]*)"')


class PageFailed(RuntimeError):
    """A page answered something else than was expected; the message says which and what."""


class Visitor:
    """One browser session."""

    def __init__(self, base: str) -> None:
        self._client = httpx.Client(base_url=base, timeout=_TIMEOUT, follow_redirects=True)

    def close(self) -> None:
        self._client.close()

    def become(self, username: str) -> None:
        """One click on a persona of the start-here page."""
        self.get("/")
        self.post("/start/persona", {"username": username, "next": "/admin/"})

    def get(self, path: str) -> httpx.Response:
        """A page. Raises PageFailed unless it is there."""
        return _expected(self._client.get(path), {200})

    def post(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        expect: frozenset[int] = frozenset({200}),
    ) -> httpx.Response:
        """Send a form with the session's CSRF token, and follow to where it leads."""
        data: dict[str, Any] = {**fields, "csrfmiddlewaretoken": (self._client.cookies.get("csrftoken") or "")}
        origin = str(self._client.base_url).rstrip("/")
        answer = self._client.post(path, data=data, files=dict(files) if files else None, headers={"Referer": origin})
        return _expected(answer, expect)

    def post_json(self, path: str, body: object) -> httpx.Response:
        """A REST call under this person's session; any status."""
        headers = {
            "X-CSRFToken": (self._client.cookies.get("csrftoken") or ""),
            "Referer": str(self._client.base_url).rstrip("/"),
        }
        return self._client.post(path, json=body, headers=headers)


def hidden_field(page: str, name: str) -> str:
    """The value of a hidden field of a page.

    Raises:
        PageFailed: the page has no such field.
    """
    for match in _FIELD.finditer(page):
        if match["name"] == name:
            return html.unescape(match["value"])
    raise PageFailed(f"The page has no field {name}: the form is not offered to this person.")


def _expected(answer: httpx.Response, statuses: set[int] | frozenset[int]) -> httpx.Response:
    if answer.status_code not in statuses:
        words = " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())[:300]
        raise PageFailed(f"{answer.request.method} {answer.request.url.path}: {answer.status_code}. {words}")
    return answer
