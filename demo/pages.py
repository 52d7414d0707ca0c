"""What the start-here page shows: six steps with ticks from the ledger, the visitor's own event, ready commands.

The views answer three addresses by these names; the template and static/assay/js/start.js rely on them:

    start          GET  /               TemplateResponse("demo/start.html", {**admin.site.each_context(request),
                                                         "title": …, "start": start(...)})
    start-status   GET  /start/status   JsonResponse(status_json(...)), no log-in, no cookie needed
    start-persona  POST /start/persona  fields `username` and `next` (a path of this site): log in, redirect

A tick is set by an entry of the log, never by a flag: what is ticked can be proven.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from audit.events import EventType
from audit.queries import entries
from audit.queries.explorer import EntryPage, entry_page
from audit.queries.pulse import Pulse, pulse
from demo.personas import PERSONAS, Persona
from demo.steps import Step, steps


@dataclass(frozen=True, slots=True)
class Command:
    """A command line that runs as it stands."""

    key: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Start:
    """The page.

    Attributes:
        steps: the six, in order. `done`: how many are ticked.
        personas: who the visitor can be.
        commands: "send your own event" first; none while the demo is still being filled.
        tampering: the commands that show an alarm.
        mine: the newest event that came in with the demo's token, with its proof; None before the first.
        pulse: size, checkpoint, state of the log.
    """

    steps: tuple[Step, ...]
    done: int
    personas: tuple[Persona, ...]
    commands: tuple[Command, ...]
    tampering: tuple[Command, ...]
    mine: EntryPage | None
    pulse: Pulse


def start(*, now: datetime, base: str, token: str, source: str) -> Start:
    """The page at `now`.

    Args:
        base: address of this site, without a slash at the end.
        token: of the demo's visitor, ready to paste.
        source: `source:<uuid>` that the token records as.
    """
    found = steps()
    return Start(
        steps=found,
        done=sum(step.done for step in found),
        personas=PERSONAS,
        commands=_commands(base, token),
        tampering=_tampering(),
        mine=mine(source),
        pulse=pulse(now=now),
    )


def mine(source: str) -> EntryPage | None:
    """The newest event that `source` recorded with the command of this page, with its proof as far as it is signed.

    It is known by its type, which the demo's own pipeline never sends.
    """
    newest = entries(type_=EventType.TRAINING_COMPLETED, source=source, limit=1)
    return entry_page(newest[0].index, sees_everything=True) if newest else None


def status_json(*, now: datetime, source: str, render: Callable[[str, dict[str, Any]], str]) -> dict[str, Any]:
    """What start.js polls: ticks, the state of the log, and the visitor's own event as a fragment of HTML.

    `render(template, context)` gives that fragment; with a request it knows the language.
    """
    found, state = steps(), pulse(now=now)
    return {
        "steps": [{"key": s.key, "done": s.done, "words": s.words, "entry": s.entry} for s in found],
        "done": sum(step.done for step in found),
        "size": state.size,
        "signed": state.signed_size,
        "state": state.state,
        "mine": render("demo/_mine.html", {"mine": mine(source), "now": now}),
    }


def _commands(base: str, token: str) -> tuple[Command, ...]:
    if not token:
        return ()
    body = (
        '{"id": "hello-\'$(date +%s)\'", "type": "training.completed", "subject": "my-first-model",'
        ' "occurred_at": "\'$(date -u +%Y-%m-%dT%H:%M:%SZ)\'", "data": {"loss": "1.842", "note": "sent by hand"}}'
    )
    authorised = f'-H "Authorization: Bearer {token}"'
    send = f"curl -sS -X POST {base}/api/v1/events \\\n  {authorised} \\\n  -H 'Content-Type: application/json'"
    return (
        Command("send", _("Send your own event"), f"{send} \\\n  --data '{body}'"),
        Command("wait", _("The same, and wait for its receipt"), f"{send} -H 'Prefer: wait=2' \\\n  --data '{body}'"),
        Command("checkpoint", _("Keep the newest checkpoint"), f"curl -sS {base}/log/checkpoint | tee checkpoint.txt"),
    )


def _tampering() -> tuple[Command, ...]:
    return (
        Command("section", _("Change the reason of an approval"), "./quickstart tamper --section"),
        Command("leaf", _("Change its leaf"), "./quickstart tamper --leaf"),
        Command("row", _("Change the registry behind it"), "./quickstart tamper --row"),
    )
