"""The words of clients that findings are about: kept in the evidence alone, so that they can be withheld and erased."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from audit import ledger
from audit import queries as log
from audit.queries.disclosure import is_open_to_all
from audit.queries.entries import entries_at
from governance.models import Finding

MAX_QUOTED: Final = 200


class Told(NamedTuple):
    """What stands in a finding: its kind and scope, the index of its evidence, and the sentence."""

    kind: str
    scope: str
    entry_index: int
    detail: str

    @staticmethod
    def of(row: Finding) -> "Told":
        """The same of a row."""
        return Told(row.kind, row.scope, row.entry_index, row.detail)

    @staticmethod
    def said(after: Mapping[str, object]) -> "Told":
        """The same of the snapshot that an entry carries; empty where it says nothing."""
        index = after.get("entry_index")
        kind, scope, detail = (str(after.get(field) or "") for field in ("kind", "scope", "detail"))
        return Told(kind, scope, index if isinstance(index, int) else -1, detail)


def leaf_form(label: str, word: str) -> str:
    """How a client's own word stands in a leaf: `x:` and its HMAC under the log key, in hexadecimal."""
    # What JSON can write and UTF-8 cannot (half of a surrogate pair) must not stop a reader of the log.
    text = word.encode("utf-8", "replace").decode()
    return f"x:{ledger.secret_form(settings.LEDGER_HMAC_KEY, label.encode(), text).hex()}"


def leaf_forms(kind: str, name: str) -> set[str]:
    """The forms that what is called `name` has in a leaf, with and without its kind: from before it was registered."""
    return {leaf_form("subject", name), leaf_form("subject", f"{kind}:{name}")}


def named(content: Mapping[str, object], kind: str) -> str:
    """What facts call the deployment or agent (`kind`) that they are about; empty when they name none."""
    word = content.get(kind) or content.get("subject")
    return word if isinstance(word, str) else ""


def details(findings: Iterable[Told], *, sees_everything: bool) -> list[str]:
    """The sentence of each finding for one reader, in at most three queries: with the client's own word where the
    reader may read the evidence, with a remark where it was erased, otherwise as it is kept.

    Args:
        sees_everything: whether the reader may read every section.
    """
    told = list(findings)
    indexes = {found.entry_index for found in told if _quotes(found)}
    if not indexes:
        return [found.detail for found in told]
    rows = entries_at(indexes)
    readable = [index for index, row in rows.items() if sees_everything or is_open_to_all(row.source, "facts")]
    facts = log.section_facts(readable)
    erased = {index for index, names in log.erasures_of(indexes).items() if "facts" in names}
    return [_detail(found, facts.get(found.entry_index), erased) for found in told]


def _quotes(found: Told) -> bool:
    return found.kind == "unregistered_subject" or found.scope.startswith("x:")


def _detail(found: Told, content: Mapping[str, object] | None, erased: set[int]) -> str:
    if not _quotes(found):
        return found.detail
    sentence = found.detail.removesuffix(".")
    if found.entry_index in erased:
        return _("%(sentence)s (its name was erased).") % {"sentence": sentence}
    data = content.get("data") if content is not None else None
    said = {"subject": content.get("subject"), **data} if content is not None and isinstance(data, dict) else content
    if said is None:
        return found.detail
    tool = said.get("tool")
    word = named(said, found.scope) if found.kind == "unregistered_subject" else tool if isinstance(tool, str) else ""
    shown = "".join(character if character.isprintable() else "?" for character in word[:MAX_QUOTED])
    return f"{sentence}: {shown}." if shown else found.detail
