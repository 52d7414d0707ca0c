"""What approvals should do, written down a second time and as plainly as possible, for the state machine's test.

Nothing of `governance` is used here: a person is a name, a request is an object in memory.
"""

from dataclasses import dataclass, field

APPROVING = ("approve", "approve_with_conditions")


@dataclass(frozen=True)
class Part:
    """A stage: who may decide it, how many must agree."""

    pool: str
    quorum: int
    blind: bool = False
    days: int | None = None
    conditions: bool = True
    kept_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shape:
    """A policy: its stages, whether a majority is needed against it, days that its approval stands."""

    parts: tuple[Part, ...]
    majority: bool
    valid: int

    def due(self, stage: int) -> int | None:
        if self.parts[stage].days is None:
            return None
        return sum(part.days or 0 for part in self.parts[: stage + 1])


@dataclass(frozen=True)
class Somebody:
    """A log-in: whose it is, in which pools, and whether its person operates or audits the platform."""

    person: str
    pools: frozenset[str]
    barred: bool = False


@dataclass
class Ask:
    """One request. Times are days since it was submitted; conditions are days at which they are due, by number."""

    shape: Shape
    requester: str
    born: float
    state: str = "open"
    stage: int = 0
    open: list[tuple[int, str, str]] = field(default_factory=list)
    sealed: list[tuple[str, str, float | None]] = field(default_factory=list)
    due: list[tuple[int, float]] = field(default_factory=list)
    met: set[int] = field(default_factory=set)
    end: float | None = None

    @property
    def part(self) -> Part:
        return self.shape.parts[self.stage]

    def overdue(self, now: float) -> bool:
        due = self.shape.due(self.stage)
        return due is not None and now > self.born + due

    def may_decide(self, who: Somebody, choice: str, now: float, *, stale: bool) -> bool:
        decided = {person for _stage, person, _choice in self.open} | {person for person, _c, _d in self.sealed}
        return (
            self.state == "open"
            and who.person != self.requester
            and who.person not in self.part.kept_out
            and who.person not in decided
            and self.part.pool in who.pools
            and not who.barred
            and not stale
            and not self.overdue(now)
            and (choice != "approve_with_conditions" or self.part.conditions)
        )

    def decide(self, person: str, choice: str, now: float) -> None:
        due = now + 3 if choice == "approve_with_conditions" else None
        if self.part.blind:
            self.sealed.append((person, choice, due))
            wanted = 2 * self.part.quorum - 1 if self.shape.majority else self.part.quorum
            if len(self.sealed) < wanted:
                return
            for one, said, when in self.sealed:
                self._say(one, said, when)
            self.sealed = []
        else:
            self._say(person, choice, due)
        self._settle(now)

    def _say(self, person: str, choice: str, due: float | None) -> None:
        self.open.append((self.stage, person, choice))
        if due is not None:
            self.due.append((self.stage, due))

    def _settle(self, now: float) -> None:
        said = [choice for stage, _person, choice in self.open if stage == self.stage]
        rejections, changes = said.count("reject"), said.count("request_changes")
        approvals = len(said) - rejections - changes
        limit = self.part.quorum if self.shape.majority else 1
        if rejections + changes >= limit:
            first = rejections > changes if self.shape.majority else rejections > 0
            self.state = "rejected" if first else "changes_requested"
        elif approvals >= self.part.quorum:
            if self.stage + 1 < len(self.shape.parts):
                self.stage += 1
            else:
                self.state, self.end = "approved", now + self.shape.valid

    def stands(self, now: float) -> bool:
        return self.state == "approved" and self.end is not None and now < self.end

    def late(self, now: float) -> bool:
        return any(due <= now for number, (_stage, due) in enumerate(self.due, start=1) if number not in self.met)
