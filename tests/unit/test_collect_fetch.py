"""Which addresses a collector may ask at all."""

from ipaddress import ip_address, ip_network

import pytest

from audit.formats.addresses import AddressRefused, check_network, check_url

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a01:203::",
        "2001:db8::1",
    ],
)  # fmt: skip
def test_what_is_not_public_must_be_named(address: str) -> None:
    with pytest.raises(AddressRefused, match="COLLECT_ALLOWED_NETWORKS"):
        check_network(ip_address(address), [])


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_public_addresses_need_no_name(address: str) -> None:
    check_network(ip_address(address), [])


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_a_named_network_is_allowed(address: str) -> None:
    check_network(ip_address(address), LOOPBACK)
    with pytest.raises(AddressRefused):
        check_network(ip_address("10.0.0.1"), LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        "", "metrics", "/metrics", "ftp://host/metrics", "file:///etc/passwd", "gopher://host/", "http://", "http:///x",
        "http://user@host/", "http://user:secret@host/", "http://host/#part", "http://host:0/", "http://host:99999/",
        "http://host:port/", "http://[::1/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_addresses_that_no_target_has(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url)


@pytest.mark.parametrize("url", ["http://host/metrics", "https://host:8443/m?model=x", "http://[::1]:9400/metrics"])
def test_addresses_that_a_target_may_have(url: str) -> None:
    check_url(url)
