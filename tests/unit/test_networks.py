"""Networks of a token: what people write is read as the same network, and an address is in it as arithmetic says."""

import ipaddress

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from audit.access.networks import MOST, NetworkRefused, admits, client_address, read_networks

ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)


@st.composite
def networks(draw: st.DrawFn) -> tuple[str, int, int, int]:
    """A network as text, its version, its first address as a number, and how many bits are free."""
    address = draw(ADDRESSES)
    width = 32 if address.version == 4 else 128
    prefix = draw(st.integers(1, width))
    free = width - prefix
    first = int(address) >> free << free
    written = ipaddress.IPv4Address(first) if width == 32 else ipaddress.IPv6Address(first)
    return f"{written}/{prefix}", address.version, first, free


@given(network=networks(), address=ADDRESSES)
def test_an_address_is_in_a_network_as_arithmetic_says(
    network: tuple[str, int, int, int], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    text, version, first, free = network
    [bound] = read_networks([f"  {text} "])
    mapped = getattr(address, "ipv4_mapped", None)
    plain = mapped or address
    if ":" in text and ipaddress.IPv6Address(first).ipv4_mapped and 128 - free >= 96:
        version, first = 4, first & 0xFFFFFFFF
    expected = plain.version == version and int(plain) >> free == first >> free
    assert admits((bound,), str(address)) is expected
    # Reading what was read changes nothing, and the first and last address are inside.
    assert read_networks([bound]) == (bound,)
    inside = ipaddress.ip_network(bound)
    assert admits((bound,), str(inside[0])) and admits((bound,), str(inside[-1]))


@given(text=st.text(max_size=40))
def test_whatever_is_no_network_is_refused_or_canonical(text: str) -> None:
    try:
        found = read_networks([text])
    except NetworkRefused as error:
        assert str(error)
    else:
        assert all(str(ipaddress.ip_network(network)) == network for network in found)
    assert admits(("10.0.0.0/8",), text) in {True, False}


def test_what_says_nothing_or_too_much_is_refused() -> None:
    for line in ("0.0.0.0/0", "::/0", "10.0.0.1/8", "fe80::1%eth0", "example.org", "10.0.0.0/33", "10.0.0.0-10.0.0.9"):
        with pytest.raises(NetworkRefused, match=line.split("/")[0].split("%")[0]):
            read_networks([line])
    with pytest.raises(NetworkRefused, match=str(MOST)):
        read_networks([f"10.0.{number}.0/24" for number in range(MOST + 1)])
    assert read_networks(["", "10.1.2.3", "10.1.2.3/32", " 2001:DB8::/32"]) == ("10.1.2.3/32", "2001:db8::/32")
    assert read_networks(["::ffff:10.0.0.0/104"]) == ("10.0.0.0/8",)
    assert not admits(("10.0.0.0/8",), "") and admits(("10.0.0.0/8",), "::ffff:10.9.9.9")


def test_a_forwarded_address_counts_behind_the_operators_proxy_only() -> None:
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1, 192.0.2.7"}
    with override_settings(BEHIND_TLS_PROXY=False):
        assert client_address(meta) == "10.0.0.1"
    with override_settings(BEHIND_TLS_PROXY=True):
        assert client_address(meta) == "192.0.2.7"
        assert client_address({"REMOTE_ADDR": "10.0.0.1"}) == ""
