"""Dataset -> HTML. Autoescaped Django templates in an engine of their own; no user text is ever mark-up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.template import Context, Engine
from django.utils import translation
from django.utils.translation import gettext as _

from reports.dataset import Report

from . import view
from .labels import label

SHORT = 10  # rows


@dataclass(frozen=True, slots=True)
class Part:
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered section; headings and contents come from here and are typed once."""

    id: str
    number: int
    title: str
    flow: bool  # follows on the page instead of opening a new one
    parts: dict[str, Part]
    whole: bool = False  # short enough to stay on one page

    @property
    def template(self) -> str:
        return f"deployment/{self.id}.html"


@cache
def _engine() -> Engine:
    return Engine(
        dirs=[str(settings.BASE_DIR / "templates" / "reports")],
        app_dirs=False,
        autoescape=True,
        libraries={"i18n": "django.templatetags.i18n"},
        builtins=["django.templatetags.i18n", "reports.render.tags"],
    )


def sections(report: Report) -> tuple[Section, ...]:
    """The sections this report has. A section without content says so: its absence would hide a gap."""
    plan: list[tuple[str, str, bool, dict[str, str]]] = [
        ("summary", _("Summary"), False, {"attention": _("What needs attention"), "basis": _("Basis of preparation")}),
        ("deployed", _("What is deployed"), False, {group.key: label(group.key) for group in report.groups}),
        ("fit", _("Does it fit"), False, {}),
        ("approvals", _("Approvals"), True, {}),
        ("usage", _("Usage"), not report.usage, {}),
        ("hardware", _("Hardware and energy"), not report.hardware, {}),
        ("tools", _("Agent tool calls"), True, {}),
        ("comparison", _("Local against API"), True, {}),
        ("findings", _("Findings"), False, {}),
        ("coverage", _("Coverage"), True, {"gaps": _("Stretches not observed"), "fields": _("Fields without a value")}),
        ("register", _("Event register"), False, {}),
        (
            "verify",
            _("How to verify this document"),
            False,
            {
                "steps": _("Three steps, without our server"),
                "checkpoint": _("Checkpoint"),
                "files": _("Files in this PDF"),
                "renderer": _("What made these pages"),
            },
        ),
    ]
    short = {
        "approvals": len(report.approvals) <= SHORT,
        "tools": len(report.tool_calls) <= SHORT,
        "coverage": len(report.gaps) + len(view.lacks(report)) <= SHORT,
        "comparison": len(report.comparisons) <= 1,
    }
    return tuple(
        Section(
            name,
            number,
            title,
            flow,
            {key: Part(f"{name}-{key}", words) for key, words in parts.items()},
            short.get(name, False),
        )
        for number, (name, title, flow, parts) in enumerate(plan, start=1)
    )


def page(report: Report, *, files: tuple[dict[str, str], ...]) -> str:
    """The HTML of the whole report. `files`: name, relation, sha256 and note of each attachment."""
    with translation.override(report.language):
        context = _context(report)
        context["files"] = files
        return str(_engine().get_template("deployment/report.html").render(Context(context)))


def _context(report: Report) -> dict[str, Any]:
    devices = view.devices(report.hardware)
    root = report.checkpoint.root
    return {
        "report": report,
        "issued": f"{report.issued_at[:19]}Z",
        "sections": sections(report),
        "number": report.report.rpartition(":")[2],
        "glance": view.glance(report),
        "usage": view.usage(report.usage),
        "usage_chart": view.usage_chart(report.usage),
        "devices": devices,
        "energy": view.total_energy(devices),
        "power_chart": view.power_chart(report.hardware),
        "memory_chart": view.memory_chart(report.fit) if report.fit else "",
        "spare": view.spare(report.fit),
        "comparisons": [(item, view.comparison_chart(item)) for item in report.comparisons],
        "decision": view.decision(report),
        "refused_calls": sum(call.granted is False for call in report.tool_calls),
        "lacks": view.lacks(report),
        "tally": view.tally(report),
        "root_chart": view.root_chart(root),
        "root_groups": [root[at : at + 8] for at in range(0, 64, 8)],
        "fingerprint_groups": [report.checkpoint.key_fingerprint[at : at + 8] for at in range(0, 64, 8)],
    }
