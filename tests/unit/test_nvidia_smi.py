"""Reports of nvidia-smi: real ones, and what is refused of those that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.formats.nvidiasmi import LIMIT, MIB, SmiSlice, profile_of, read_devices
from governance.formats.strict_json import FormatError
from tests.absence import needs_shared

UUID = "GPU-513536b6-7d19-9063-b049-1e69664bb298"
DOCTYPE = '<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">'
A100 = "1g.10gb x7;1g.20gb x4;2g.20gb x3;3g.40gb x2;4g.40gb x1;7g.80gb x1"


def report(inside: str = "", *, before: str = DOCTYPE, uuid: str = UUID, name: str = "NVIDIA A100-SXM4-80GB") -> bytes:
    card = f"<gpu><product_name>{name}</product_name><uuid>{uuid}</uuid>{inside}</gpu>"
    log = f"<nvidia_smi_log><driver_version>535.54.03</driver_version>{card}</nvidia_smi_log>"
    return f'<?xml version="1.0" ?>{before}{log}'.encode()


@pytest.mark.parametrize(
    ("file", "product", "serial", "driver", "firmware"),
    [
        ("a10g.xml", "NVIDIA A10G", "", "515.105.01", "94.02.75.00.01"),
        ("tesla-t4.xml", "Tesla T4", "", "515.105.01", "90.04.84.00.06"),
        ("gtx-1070-ti.xml", "GeForce GTX 1070 Ti", "", "", ""),
        ("rtx-3080-v12.xml", "NVIDIA GeForce RTX 3080", "", "536.40", "94.02.71.40.72"),
        ("rtx-3080-v13.xml", "NVIDIA GeForce RTX 3080", "REDACTED", "595.58.03", "94.02.71.40.72"),
        ("rtx-4000-sff-ada-v13.xml", "NVIDIA RTX 4000 SFF Ada Generation", "REDACTED", "595.84", "95.04.53.00.01"),
    ],
)
def test_real_reports_in_xml(file: str, product: str, serial: str, driver: str, firmware: str) -> None:
    (found,) = read_devices(needs_shared("samples", "nvidia_smi", file).read_bytes())
    assert (found.product, found.serial, found.driver, found.firmware) == (product, serial, driver, firmware)
    assert found.slices == ()


def test_a_real_card_in_slices() -> None:
    (found,) = read_devices(needs_shared("samples", "nvidia_smi", "a100-sxm4-v12.xml").read_bytes())
    assert (found.uuid, found.serial, found.slot) == (UUID, "1650522003820", 1)
    assert [(item.gpu_instance, item.memory_bytes // MIB) for item in found.slices] == [
        (3, 19968),
        (4, 19968),
        (5, 19968),
        (6, 19968),
    ]
    assert {profile_of(item, A100) for item in found.slices} == {"1g.20gb"}


@pytest.mark.parametrize(
    ("file", "product", "driver"),
    [
        ("linux-x86_64__nvidia-h100-80gb-hbm3__590.48.01.txt", "NVIDIA H100 80GB HBM3", "590.48.01"),
        ("linux-x86_64__nvidia-h100-mig__590.48.01.txt", "NVIDIA H100 80GB HBM3", "590.48.01"),
        ("linux-x86_64__nvidia-l40s__595.80.txt", "NVIDIA L40S", "595.80"),
    ],
)
def test_real_reports_in_csv(file: str, product: str, driver: str) -> None:
    text = needs_shared("samples", "nvidia_smi", file).read_text(encoding="utf-8")
    lines = text.partition("query-gpu (csv, what the exporter parses)")[2].splitlines()[3:5]
    (found,) = read_devices("\n".join(lines).encode())
    assert (found.product, found.driver, found.slot, found.serial) == (product, driver, 0, "")
    assert found.uuid == "GPU-00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("multiprocessors", "mib", "profiles", "profile"),
    [
        (14, 9728, A100, "1g.10gb"),
        (28, 19968, A100, "2g.20gb"),
        (42, 40192, A100, "3g.40gb"),
        (56, 40192, A100, "4g.40gb"),
        (98, 81050, A100, "7g.80gb"),
        (60, 40448, A100, "3g.40gb"),
        (64, 40448, A100, "4g.40gb"),
        (16, 9984, A100, "1g.10gb"),
        (32, 20096, A100, "2g.20gb"),
        (14, 90000, A100, ""),
        (99, 40192, A100, ""),
        (14, 9728, "", ""),
    ],
)
def test_a_slice_is_told_by_memory_and_multiprocessors(
    multiprocessors: int, mib: int, profiles: str, profile: str
) -> None:
    assert profile_of(SmiSlice(1, 0, mib * MIB, multiprocessors), profiles) == profile


BOMB = (
    '<!DOCTYPE nvidia_smi_log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
)
SLICE = "<mig_devices><mig_device>{}</mig_device></mig_devices>"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (report("<serial>&c;</serial>", before=BOMB), "document type with content"),
        (report(before='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'), "document type with content"),
        (report("<serial>&c;</serial>"), "nobody declared"),
        (report("<serial>&c;</serial>", before=""), "is not XML"),
        (report("<a>" * 40 + "</a>" * 40), "nests more than 32"),
        (report("<a>"), "is not XML"),
        (b"<html></html>", "begins with 'html'"),
        (b"<nvidia_smi_log></nvidia_smi_log>", "names no card"),
        (b"<nvidia_smi_log>" + b"<gpu></gpu>" * 65 + b"</nvidia_smi_log>", "more than 64 cards"),
        (report(uuid="MIG-1"), "is no hardware id"),
        (report(name=""), "is missing"),
        (report(name="é"), "not ASCII"),
        (report("<serial>" + "1" * 41 + "</serial>"), "longer than 40"),
        (report(SLICE.format("")), "does not say its memory"),
        (report(SLICE.format("<fb_memory_usage><total>5 MiB</total></fb_memory_usage>")), "is no number"),
        (report("<mig_devices>" + "<mig_device></mig_device>" * 17 + "</mig_devices>"), "more than 16"),
        (b"", "no columns name and uuid"),
        (b"index, name\n0, a", "no columns name and uuid"),
        (b"name, uuid, uuid\n", "a column twice"),
        (b"name, uuid\n", "names no card"),
        (b"name, uuid\na", "has 1 cells"),
        (b"name, uuid\n" + b"a, b\n" * 65, "more than 64"),
        (f"name, uuid\na, {UUID}\nb, {UUID}".encode(), "one card twice"),
        (b'name, uuid\n"a" b, c', "is not CSV"),
        (b"\xff\xfe", "neither XML nor UTF-8"),
        (b"<" + b" " * LIMIT, "at most"),
    ],
)
def test_what_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read_devices(data)


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: report(text)))
def test_nothing_else_comes_out_than_cards_or_a_refusal(data: bytes) -> None:
    try:
        assert read_devices(data)
    except FormatError as error:
        assert error.reason
