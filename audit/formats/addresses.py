"""Which addresses this machine may connect to on a person's word.

An address that a person typed could name a neighbour that only this machine reaches (a cloud's metadata service, an
admin port). Every address that the name resolves to is checked, and the connection goes to a checked address, so a name
that resolves otherwise a moment later gains nothing.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressRefused(ValueError):
    """An address may not be connected to; the message says why."""


def check_url(url: str, *, what: str = "A target's address") -> None:
    """Raises AddressRefused unless `url` is plain http or https to a host, without user name, password or fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"{url!r} is not an address: {error}.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise AddressRefused(f"{what} starts with http:// or https:// and names a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused(f"{what} holds no user name, password or fragment.")


def check_network(address: Address, allowed: Sequence[Network], *, setting: str = "COLLECT_ALLOWED_NETWORKS") -> None:
    """Raises AddressRefused for an address that is neither public nor in a network that is allowed.

    Args:
        setting: the name of the setting that allows networks, for the sentence.
    """
    for candidate in (address, *_embedded(address)):
        if any(candidate in network for network in allowed if network.version == candidate.version):
            continue
        if candidate.is_global and not candidate.is_multicast:
            continue
        raise AddressRefused(f"{address} is in a private network that {setting} does not name.")


def _embedded(address: Address) -> list[IPv4Address]:
    """IPv4 addresses that a gateway or the kernel would reach under an IPv6 one."""
    if isinstance(address, IPv4Address):
        return []
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    teredo = address.teredo[1] if address.teredo else None
    return [found for found in (address.ipv4_mapped, address.sixtofour, teredo, nat64) if found is not None]


async def resolve(
    host: str, port: int, allowed: Sequence[Network], *, setting: str = "COLLECT_ALLOWED_NETWORKS"
) -> Address:
    """The first address of a host, after all of them were found allowed.

    Raises:
        AddressRefused: one of them is in a private network that is not allowed.
        OSError: the name leads nowhere.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]
    for address in addresses:
        check_network(address, allowed, setting=setting)
    return addresses[0]
