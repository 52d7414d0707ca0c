"""The rows of the reference, ready to print."""

from dataclasses import dataclass

from config.apidocs.shapes import Field


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path, query or headers."""

    name: str
    where: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: its media types, fields and samples (title, text). `kind` says what the whole is."""

    media: tuple[str, ...]
    required: bool
    kind: str
    fields: tuple[Field, ...]
    samples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: status, what it means, and a sample of its body ("" for none)."""

    status: str
    reason: str
    description: str
    media: str
    fields: tuple[Field, ...]
    sample: str

    @property
    def good(self) -> bool:
        """Whether the answer is a success."""
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line that calls the operation; `title` tells it from its others, empty when alone."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    auth: tuple[str, ...]
    deprecated: bool
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: tuple[Response, ...]
    commands: tuple[Command, ...]

    @property
    def refusal(self) -> Response | None:
        """One refusal that shows what all of them look like."""
        return next((r for r in self.responses if not r.good and r.sample), None)


@dataclass(frozen=True, slots=True)
class Group:
    """Operations under one tag."""

    name: str
    anchor: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole reference."""

    title: str
    version: str
    description: str
    groups: tuple[Group, ...]
