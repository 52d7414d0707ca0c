"""From where a token may be used: lists of networks, and the address a request comes from."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

MOST: Final = 50


class NetworkRefused(ValueError):
    """A line that is no network, or a list that says nothing."""


def read_networks(lines: Iterable[str]) -> tuple[str, ...]:
    """Networks as people write them (`10.1.0.0/16`, `2001:db8::/32`, one address), each once, in canonical form.

    Raises:
        NetworkRefused: what is none, has bits beyond its prefix, is all addresses, or more than 50.
    """
    wanted = [line.strip() for line in lines if line.strip()]
    if len(wanted) > MOST:
        raise NetworkRefused(_("At most %(most)s networks are kept.") % {"most": MOST})
    return tuple(dict.fromkeys(_read(line) for line in wanted))


@lru_cache(maxsize=4096)
def admits(networks: tuple[str, ...], address: str) -> bool:
    """Whether an address lies in one of the networks. An IPv4 address written as IPv6 is the same address."""
    found = _address(address)
    return found is not None and any(
        found.version == network.version and found in network for network in map(ip_network, networks)
    )


def client_address(meta: Mapping[str, Any]) -> str:
    """The address a request comes from: the peer of the connection, or what the proxy in front says was its own peer.

    A proxy is believed only when the operator says that one stands in front (BEHIND_TLS_PROXY); it appends its peer to
    X-Forwarded-For, so the last one counts and whatever the client wrote before it does not.
    """
    if settings.BEHIND_TLS_PROXY:
        return str(meta.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    return str(meta.get("REMOTE_ADDR", ""))


def _read(line: str) -> str:
    try:
        network = ip_network(line)
    except ValueError as error:
        shown = {"line": line[:60]}
        if "host bits" in str(error):
            raise NetworkRefused(_("%(line)s has bits beyond its prefix.") % shown) from error
        raise NetworkRefused(_("%(line)s is no network; write 10.1.0.0/16 or 2001:db8::/32.") % shown) from error
    if isinstance(network, IPv6Network) and network.network_address.scope_id is not None:
        raise NetworkRefused(_("%(line)s names a zone of one machine.") % {"line": line[:60]})
    if network.prefixlen == 0:
        raise NetworkRefused(_("%(line)s is every address: leave the list empty for that.") % {"line": line[:60]})
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return str(ip_network(f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}"))
    return str(network)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
