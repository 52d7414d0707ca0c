"""What `nvidia-smi` says of the cards in a machine: `-q -x` (XML), or `--query-gpu=… --format=csv` with its header.

The XML names a document type without content, and that is all of one that is taken: a document type with content
could declare entities that unfold into gigabytes, so it is refused before any of it is read, and nothing is fetched.
"""

import csv
import io
import re
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from governance.formats.strict_json import FormatError

LIMIT: Final = 4 << 20
MAX_DEPTH: Final = 32
MAX_DEVICES: Final = 64
MAX_SLICES: Final = 16
MAX_COLUMNS: Final = 1000
NAME: Final = "nvidia-smi"
UUID: Final = re.compile(r"GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MIB: Final = 1 << 20

_SHORT: Final = re.compile(r"[\x20-\x7e]{1,100}")
_MEMORY: Final = re.compile(r"([0-9]{1,9}) MiB")
_PROFILE: Final = re.compile(r"([1-7])g\.([0-9]+)gb")
_PER_SLICE: Final = (14, 16)
"""Multiprocessors in a seventh of a card: Ampere, Hopper. Other cards are told by their memory alone."""

_ROOT: Final = "nvidia_smi_log"
_CARD: Final = f"{_ROOT}/gpu"
_SLICE: Final = f"{_CARD}/mig_devices/mig_device"
_KEPT: Final = {
    f"{_ROOT}/driver_version": "driver",
    f"{_CARD}/product_name": "product",
    f"{_CARD}/uuid": "uuid",
    f"{_CARD}/serial": "serial",
    f"{_CARD}/minor_number": "slot",
    f"{_CARD}/vbios_version": "firmware",
    f"{_SLICE}/gpu_instance_id": "gpu_instance",
    f"{_SLICE}/compute_instance_id": "compute_instance",
    f"{_SLICE}/fb_memory_usage/total": "memory",
    f"{_SLICE}/device_attributes/shared/multiprocessor_count": "multiprocessors",
}


@dataclass(frozen=True, slots=True)
class SmiSlice:
    """A part of a card: the ids of its instances, its memory, and its multiprocessors."""

    gpu_instance: int
    compute_instance: int
    memory_bytes: int
    multiprocessors: int


@dataclass(frozen=True, slots=True)
class SmiDevice:
    """A card. `serial` and `firmware` are empty where the driver names none."""

    product: str
    uuid: str
    serial: str
    slot: int
    driver: str
    firmware: str
    slices: tuple[SmiSlice, ...] = ()


def read_devices(data: bytes) -> tuple[SmiDevice, ...]:
    """The cards that a report names, in its order.

    Raises:
        FormatError: neither form within the limits, no card in it, or a card without a hardware id.
    """
    if len(data) > LIMIT:
        raise FormatError(NAME, f"is {len(data)} bytes; at most {LIMIT} are read.")
    found = _read_xml(data) if data.lstrip().startswith(b"<") else _read_csv(data)
    if not found:
        raise FormatError(NAME, "names no card.")
    if len({device.uuid for device in found}) != len(found):
        raise FormatError("uuid", "names one card twice.")
    return found


def profile_of(found: SmiSlice, profiles: str) -> str:
    """Which of a card's profiles (`1g.10gb x7;2g.20gb x3`) a slice is; empty when they do not tell.

    The profile with the smallest memory that holds the slice; of several with that memory, the one with as many
    sevenths of the multiprocessors.
    """
    known = [
        (match[0], int(match[1]), int(match[2])) for match in map(_PROFILE.fullmatch, profile_names(profiles)) if match
    ]
    sizes = sorted({size for _name, _parts, size in known if size << 30 >= found.memory_bytes})
    fitting = [(name, parts) for name, parts, size in known if sizes and size == sizes[0]]
    if len(fitting) < 2:
        return fitting[0][0] if fitting else ""
    per_slice = [unit for unit in _PER_SLICE if found.multiprocessors % unit == 0]
    unit = per_slice[0] if len(per_slice) == 1 else _PER_SLICE[-1]
    parts = found.multiprocessors // unit
    return next((name for name, own in fitting if own == parts), "")


def profile_names(profiles: str) -> list[str]:
    """The names in the catalogue's list of profiles."""
    return [part.split()[0] for part in profiles.split(";") if part.split()]


@dataclass(slots=True)
class _Card:
    text: dict[str, str] = field(default_factory=dict)
    slices: list[dict[str, str]] = field(default_factory=list)


class _Reader:
    """Keeps the text of the few elements that are known; everything else is passed over."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.driver = ""
        self.cards: list[_Card] = []
        self.said: list[str] = []

    def doctype(self, _name: str, _system: str | None, _public: str | None, has_content: int) -> None:
        if has_content:
            raise FormatError(NAME, "declares a document type with content; nvidia-smi writes none.")

    def begin(self, name: str, _attributes: object) -> None:
        self.path.append(name)
        if len(self.path) > MAX_DEPTH:
            raise FormatError(NAME, f"nests more than {MAX_DEPTH} elements.")
        if len(self.path) == 1 and name != _ROOT:
            raise FormatError(NAME, f"begins with {name[:40]!r}, not with {_ROOT}.")
        where = "/".join(self.path)
        self.said = []
        if where == _CARD:
            if len(self.cards) == MAX_DEVICES:
                raise FormatError(NAME, f"names more than {MAX_DEVICES} cards.")
            self.cards.append(_Card())
        elif where == _SLICE:
            if len(self.cards[-1].slices) == MAX_SLICES:
                raise FormatError("mig_devices", f"are more than {MAX_SLICES}.")
            self.cards[-1].slices.append({})

    def words(self, text: str) -> None:
        if "/".join(self.path) in _KEPT:
            self.said.append(text)

    def end(self, _name: str) -> None:
        where = "/".join(self.path)
        key = _KEPT.get(where)
        self.path.pop()
        if key is None:
            return
        value = "".join(self.said).strip()
        if where.startswith(_SLICE):
            self.cards[-1].slices[-1].setdefault(key, value)
        elif where.startswith(_CARD):
            self.cards[-1].text.setdefault(key, value)
        else:
            self.driver = value

    def skipped(self, name: str, _parameter: object) -> None:
        raise FormatError(NAME, f"uses the entity {name[:40]!r}, which nobody declared.")


def _read_xml(data: bytes) -> tuple[SmiDevice, ...]:
    reader, parser = _Reader(), expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.words
    parser.SkippedEntityHandler = reader.skipped
    try:
        parser.ParseFile(io.BytesIO(data))
    except expat.ExpatError as error:
        raise FormatError(NAME, f"is not XML: line {error.lineno}.") from error
    return tuple(_device(card.text, reader.driver, order, card.slices) for order, card in enumerate(reader.cards))


def _read_csv(data: bytes) -> tuple[SmiDevice, ...]:
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), skipinitialspace=True, strict=True))
    except UnicodeDecodeError as error:
        raise FormatError(NAME, "is neither XML nor UTF-8 text.") from error
    except csv.Error as error:
        raise FormatError(NAME, f"is not CSV: {error}.") from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    header = [cell.strip().partition(" [")[0] for cell in rows[0]] if rows else []
    if "uuid" not in header or "name" not in header:
        raise FormatError(NAME, "has no columns name and uuid: ask for them, and leave the header in.")
    if len(header) > MAX_COLUMNS or len(set(header)) != len(header):
        raise FormatError(NAME, "names a column twice, or too many of them.")
    if len(rows) - 1 > MAX_DEVICES:
        raise FormatError(NAME, f"names more than {MAX_DEVICES} cards.")
    found = []
    for order, row in enumerate(rows[1:]):
        if len(row) != len(header):
            raise FormatError(NAME, f"line {order + 2} has {len(row)} cells; the header has {len(header)}.")
        cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
        text = {"product": cells["name"], "uuid": cells["uuid"], "serial": cells.get("serial", "")}
        text |= {"slot": cells.get("index", ""), "firmware": cells.get("vbios_version", "")}
        found.append(_device(text, cells.get("driver_version", ""), order, []))
    return tuple(found)


def _device(text: dict[str, str], driver: str, order: int, slices: list[dict[str, str]]) -> SmiDevice:
    uuid = text.get("uuid", "")
    uuid = uuid[:4] + uuid[4:].lower()
    if not UUID.fullmatch(uuid):
        raise FormatError("uuid", f"of card {order} is no hardware id such as GPU-9a9a6c50-2a47-….")
    serial = _short("serial", text.get("serial", ""), 40)
    slot = text.get("slot", "")
    return SmiDevice(
        product=_short("product_name", text.get("product", ""), 100, required=True),
        uuid=uuid,
        serial=serial if serial.strip("0") else "",
        slot=int(slot) if re.fullmatch(r"[0-9]{1,4}", slot) else order,
        driver=_short("driver_version", driver, 40),
        firmware=_short("vbios_version", text.get("firmware", ""), 40),
        slices=tuple(_slice(item) for item in slices),
    )


def _slice(text: dict[str, str]) -> SmiSlice:
    memory = _MEMORY.fullmatch(text.get("memory", ""))
    if memory is None or not int(memory[1]):
        raise FormatError("mig_device", "does not say its memory in MiB.")
    return SmiSlice(
        gpu_instance=_count("gpu_instance_id", text.get("gpu_instance", "")),
        compute_instance=_count("compute_instance_id", text.get("compute_instance", "")),
        memory_bytes=int(memory[1]) * MIB,
        multiprocessors=_count("multiprocessor_count", text.get("multiprocessors", "")),
    )


def _count(name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value):
        raise FormatError(name, "of a slice is no number.")
    return int(value)


def _short(name: str, value: str, limit: int, *, required: bool = False) -> str:
    if value in {"", "N/A", "[N/A]"}:
        if required:
            raise FormatError(name, "is missing.")
        return ""
    if len(value) > limit or not _SHORT.fullmatch(value):
        raise FormatError(name, f"is longer than {limit} characters, or holds what is not ASCII.")
    return value
