"""The client of a request: the address by which rates and places are counted."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

SITE = 64
"""Bits of an IPv6 address that identify a site. Its owner chooses the other 64 freely."""


def client_of(scope: Mapping[str, Any]) -> str:
    """Return the client of an ASGI scope: its IPv4 address or its IPv6 network.

    Behind a proxy that ``--proxy`` names, this is the address in the proxy's header.

    Example:
        >>> client_of({"client": ("192.0.2.7", 51000)}), client_of({"client": ("2001:db8:1:2:3::4", 1)})
        ('192.0.2.7', '2001:db8:1:2::')
    """
    return network_of(scope["client"][0] if scope.get("client") else "")


def network_of(address: str) -> str:
    """Return an IPv4 address unchanged, and the network of an IPv6 address.

    Example:
        >>> network_of("::1"), network_of("::ffff:192.0.2.7"), network_of("testclient")
        ('::', '192.0.2.7', 'testclient')
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if known.version == 4:
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((int(known), SITE), strict=False).network_address)
