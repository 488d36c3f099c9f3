"""Which addresses we connect to. A host name is resolved once; what was checked here is what is dialled.

Threat: a URL that came from outside (Receipt-Delivery-Option) and points into our own network or at a cloud's metadata
service, directly, by DNS answer, or wrapped into IPv6. Hence an address must be global; loopback and private ones
are for URLs that an operator configured; link-local ones (169.254.169.254) are for nobody.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}
URL_CHARACTERS_MAX = 2000


class AddressRefused(Exception):
    """The URL points where we do not send; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart and its checked addresses, in the resolver's order."""

    secure: bool
    host: str
    port: int
    path: str  # with its query
    addresses: tuple[str, ...]

    @property
    def bracketed(self) -> str:
        """The host as a URL writes it: an IPv6 address in brackets (RFC 3986 §3.2.2)."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def host_header(self) -> str:
        is_usual = self.port == _PORTS["https" if self.secure else "http"]
        return self.bracketed if is_usual else f"{self.bracketed}:{self.port}"


def check(url: str, *, trusted: bool) -> Target:
    """Resolve `url` and check every address it has. Raises AddressRefused, or OSError if the name does not resolve.

    `trusted`: an operator configured this very URL, so it may lie on this machine or in a private network.
    """
    secure, host, port, path = _parts(url)
    addresses = _resolve(host, port)
    for address in addresses:
        reason = refusal(address, trusted=trusted)
        if reason:
            raise AddressRefused(f"{host} is {address}: {reason}")
    return Target(secure, host, port, path, tuple(str(address) for address in addresses))


def unresolved(url: str) -> Target:
    """A URL that an operator configured and whose name a proxy resolves: without addresses.

    Raises AddressRefused, also where its host is an address that is never a partner's.
    """
    secure, host, port, path = _parts(url)
    with suppress(ValueError):
        if reason := refusal(ipaddress.ip_address(host), trusted=True):
            raise AddressRefused(f"{host}: {reason}")
    return Target(secure, host, port, path, ())


def refusal(address: IpAddress, *, trusted: bool) -> str:
    """Why we do not connect to `address`; empty if we do."""
    inner = _unwrapped(address)
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        return "link-local, multicast and unspecified addresses are never a partner's"
    if not trusted and not inner.is_global:
        return "not a public address, and this URL is not the one configured for the partnership"
    return ""


def _parts(url: str) -> tuple[bool, str, int, str]:
    if len(url) > URL_CHARACTERS_MAX or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise AddressRefused(f"not a URL of at most {URL_CHARACTERS_MAX} printable ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressRefused(f"not a URL: {error}") from None
    if parts.scheme not in _PORTS or not host:
        raise AddressRefused(f"only http:// and https:// URLs with a host are sent to, got {parts.scheme!r}")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("a URL with a user name or password is not sent to")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme == "https", host, port or _PORTS[parts.scheme], path


def _resolve(host: str, port: int) -> list[IpAddress]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
    return list(dict.fromkeys(addresses))


def _unwrapped(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one carries (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
