"""What the renderer is not able to do: reach the network or a file, run another program, be told mark-up by data."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import page as validator
import pytest

from reports.dataset import canonical_json
from reports.render import engine, html, make, pdf
from tests.report_sample import provided, sample

ROOT = Path(__file__).resolve().parents[2]


class Knocks(HTTPServer):
    """A server on this machine that counts who comes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.paths: list[str] = []


class _Answer(BaseHTTPRequestHandler):
    server: Knocks

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@pytest.fixture
def outside() -> Iterator[Knocks]:
    server = Knocks()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


REACHES = {
    "img": '<img alt="x" src="{u}/img">',
    "img file": '<img alt="x" src="file:///etc/hostname">',
    "link attachment": '<link rel=attachment href="file://{f}">',
    "a attachment": '<a rel=attachment href="file://{f}">x</a>',
    "css import": "<style>@import url({u}/css);</style>",
    "font-face": "<style>@font-face{{font-family:x;src:url({u}/f.ttf)}} p{{font-family:x}}</style><p>x",
    "background": '<p style="background:url({u}/bg)">x',
    "list-style": '<ul style="list-style-image:url({u}/l)"><li>x</ul>',
    "content": "<style>p::before{{content:url({u}/c)}}</style><p>x",
    "svg image": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>x</title>'
    '<image href="{u}/si" width="9" height="9"/></svg>',
    "svg use": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>x</title>'
    '<use href="{u}/u#a"/></svg>',
    "svg style": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>x</title>'
    "<style>@import url({u}/ss)</style></svg>",
    "data svg": '<img alt="x" src="data:image/svg+xml,%3Csvg xmlns=\'http://www.w3.org/2000/svg\'%3E'
    "%3Cimage href='{u}/d'/%3E%3C/svg%3E\">",
    "stylesheet": '<link rel=stylesheet href="{u}/s.css">',
    "base": '<base href="{u}/"><img alt="x" src="rel.png">',
    "embed": '<embed src="{u}/e">',
    "object": '<object data="{u}/o"></object>',
    "traversal": '<img alt="x" src="asset:../secret.txt">',
    "absolute": '<img alt="x" src="asset:/etc/hostname">',
    "other suffix": '<img alt="x" src="asset:../engine.py">',
    "relative": '<img alt="x" src="x.png">',
    "colour profile": "<style>@color-profile --p{{src:url({u}/icc)}} p{{color:color(--p .1 .1 .1)}}</style><p>x",
}


@pytest.mark.parametrize("case", REACHES)
@pytest.mark.filterwarnings("ignore:Exception ignored in.*sRGB2014.icc")  # left open by WeasyPrint
def test_nothing_outside_is_reached(case: str, outside: Knocks, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")
    body = REACHES[case].format(u=f"http://127.0.0.1:{outside.server_port}", f=secret)
    data = b""
    try:
        document = f'<html lang="en"><title>t</title><body><h1>t</h1>{body}'
        data = engine.render(document, [], stamp="D:20261123000000Z", properties={})
    except (engine.RenderFault, engine.FatalURLFetchingError):
        pass
    assert outside.paths == []
    assert b"TOPSECRET" not in data and b"/Filespec" not in data


@pytest.mark.parametrize("act", ["socket.socket()", "subprocess.run(['true'])", "os.system('true')", "os.fork()"])
def test_the_child_cannot_open_a_socket_or_start_a_program(act: str) -> None:
    script = (
        "import os, socket, subprocess, sys; from reports.render import child; child.limit(); "
        f"sys.addaudithook(child._refuse); {act}"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Forbidden: The renderer may not use" in done.stderr


def test_the_child_is_given_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("SECRET_KEY", "secret")
    given = pdf.environment("/scratch")
    assert "secret" not in " ".join(given.values())
    assert set(given) <= {*pdf.KEPT_VARIABLES, "LANG", "TZ", "FONTCONFIG_FILE", "TMPDIR", "HOME", "XDG_CACHE_HOME"}


def test_a_render_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "WALL_SECONDS", 0.05)
    with pytest.raises(pdf.RenderError, match="took longer"):
        pdf.describe()


def test_a_fault_is_a_sentence() -> None:
    with pytest.raises(pdf.RenderError, match="only its own assets are allowed"):
        pdf._run("render", _job('<img alt="x" src="http://127.0.0.1:9/">'))
    with pytest.raises(pdf.RenderError, match="The renderer complained: Ignored `colour"):
        pdf._run("render", _job("<style>p{colour:red}</style>"))


def _job(body: str) -> bytes:
    document = f'<html lang="en"><title>t</title><body>{body}'
    return json.dumps({"html": document, "stamp": "D:20261123000000Z", "properties": {}, "attachments": []}).encode()


HOSTILE = (
    "<img src=http://127.0.0.1/x>",
    "</td></tr></table><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "{% load x %}{{ settings.SECRET_KEY }}",
    "<style>*{display:none}</style>",
    '<a href="javascript:alert(1)">click</a>',
    "url(http://127.0.0.1/y)",
)


class Seen(HTMLParser):
    """Tags and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.names.update(name for name, _ in attrs)
        self.links.update(value for name, value in attrs if name in {"href", "src"})


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_never_mark_up(text: str) -> None:
    report = sample()
    group = replace(report.groups[0], fields=(provided("name", text, 9), provided("purpose", text, 9, unit="code")))
    finding = replace(report.findings[0], detail=text, kind=text)
    approval = replace(report.approvals[0], reason=text)
    call = replace(report.tool_calls[0], tool=text, agent=text, outcome=text)
    hostile = replace(
        report,
        title=text,
        organisation=text,
        classification=text,
        groups=(group,),
        findings=(finding,),
        approvals=(approval,),
        tool_calls=(call,),
    )
    plain, seen = Seen(), Seen()
    plain.feed(html.page(sample(), files=()))
    seen.feed(html.page(hostile, files=()))
    assert seen.tags <= plain.tags and seen.names <= plain.names
    assert all(link.startswith("#") for link in seen.links)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ünï, 日本語 髙橋 ①", "plain, ünï, 日本語 髙橋 ①"),
        ("a\u202eb", "a[U+202E]b"),
        ("ok \U0001f600", "ok [U+1F600]"),
        ("한국어", "[U+D55C][U+AD6D][U+C5B4]"),
        ("a\x00b\x1b", "a[U+0000]b[U+001B]"),
        ("zero\u200bwidth", "zero\u200bwidth"),
        ("\ue000", "[U+E000]"),
    ],
)
def test_what_no_shipped_font_can_draw_is_spelled_out(text: str, shown: str) -> None:
    assert engine.spell_out(text) == shown


@cache
def unusual() -> tuple[bytes, ...]:
    """An empty report, and one with names nobody should have."""
    bare = sample(
        fit=None, approvals=(), usage=(), hardware=(), tool_calls=(), comparisons=(), findings=(), gaps=(), groups=()
    )
    strange = sample(
        title="x" * 200 + " \U0001f600 \u202e 한국어 <b>&amp;", organisation="株式会社あおぞら金融グループ" * 3
    )
    return tuple(make.made_from(report, canonical_json(report), b"{}") for report in (bare, strange))


@pytest.mark.parametrize("profile", [validator.ValidationProfile.PDF_A_3A, validator.ValidationProfile.PDF_UA_1])
def test_an_empty_report_and_one_with_strange_text_conform(profile: validator.ValidationProfile) -> None:
    for data in unusual():
        result = validator.validate_pdf_bytes(data, profile=profile)
        assert result.is_compliant, [failure.message for failure in result.failures]
