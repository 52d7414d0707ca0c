"""Going on with every unfinished report: what a lost message, a restart or a dead worker left."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reports.operations.finishing import finish_report
from reports.operations.rendering import render_report
from reports.queries import to_finish, to_render

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Advanced:
    """How many reports were rendered, how many are settled now, and how many wait for a checkpoint."""

    rendered: int
    settled: int
    waiting: int


def advance(*, now: datetime, hand_over: Callable[[UUID], bool] | None = None) -> Advanced:
    """Render what is queued or was left by a dead worker, and attach the receipts that can be had.

    One report that goes wrong keeps none of the others from going on.

    Args:
        hand_over: gives a report to another process to render, True when it went; None renders in this process.
    """

    def render(report_id: UUID) -> bool:
        return render_report(report_id=report_id, now=now)

    def finish(report_id: UUID) -> bool:
        return finish_report(report_id=report_id, now=now)

    rendered = _each(hand_over or render, to_render(now=now))
    settled = _each(finish, to_finish())
    return Advanced(sum(rendered), sum(settled), len(settled) - sum(settled))


def _each(step: Callable[[UUID], bool], report_ids: Iterable[UUID]) -> list[bool]:
    done: list[bool] = []
    for report_id in report_ids:
        try:
            done.append(step(report_id))
        except Exception:
            logger.exception("Report %s could not be moved on.", report_id)
            done.append(False)
    return done
