"""What a URL may point at: how it must be written, and which addresses may be connected to.

Nothing here touches the network. :func:`check_url` reads a URL once and gives the origin it names;
:func:`address_policy` is the table every address has to pass, whether it was written in the URL or came from DNS.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from ssrfguard import DEFAULT_DENIED, AddressTable, Block, BlockedAddressError, Policy, Reach, Target

from lookalike.errors import BlockedURL, printable

ALLOW_PRIVATE = "use --allow-private-hosts if this is your own network"
"""The remedy where a URL is refused only because it is private."""

_LONGEST_URL = 8192
_LONGEST_HOST = 253  # RFC 1035: what DNS can carry
_PORTS = {"http": 80, "https": 443}
_FIRST_FREE_PORT = 1024  # below lie mail, shells and file servers; a request there is never for a picture

_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # the WHATWG test: a host whose last label is one is an IPv4 address
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")  # RFC 6761, RFC 6762, ICANN 2024, RFC 8375
# A password with a slash in it ends the authority early, so what follows "name:" is hidden too unless it is a port.
_USER_INFO = re.compile(r"^([^/\\?#]*[/\\]{2,})(?:[^/?#]*@|[^/?#@[]*:(?!\d*(?:[/?#]|$)).*@)")

_NAT64 = ip_network("64:ff9b::/96")
_PRIVATE = frozenset(
    ip_network(block)
    for block in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "100.64.0.0/10",
        "fc00::/7",
        "::1/128",
    )
)
# The registries of special addresses do not have these. The longest prefix decides, so a metadata service inside a
# private network stays refused where private networks are allowed.
_EXTRA = tuple(
    Block(ip_network(block), name, source, reach)
    for block, name, source, reach in (
        ("::/0", "outside the public part of IPv6", "RFC4291", Reach.DENIED),
        ("2000::/3", "Global Unicast", "RFC4291", Reach.PERMITTED),
        ("168.63.129.16/32", "Cloud metadata (Azure host agent)", "Azure documentation", Reach.DENIED),
        ("fd00:ec2::/32", "Cloud metadata (AWS services over IPv6)", "AWS documentation", Reach.DENIED),
        ("fd20:ce::254/128", "Cloud metadata (Google Cloud over IPv6)", "Google documentation", Reach.DENIED),
        ("fd00:42::42/128", "Cloud metadata (Scaleway over IPv6)", "Scaleway documentation", Reach.DENIED),
    )
)


@functools.cache
def address_policy(*, allow_private: bool = False) -> Policy:
    """The addresses that may be connected to.

    Every block of IANA's two special-purpose registries is refused, those marked globally reachable included (none
    serves pictures), and so are multicast, cloud metadata services and all of IPv6 outside 2000::/3. Addresses that
    wrap an IPv4 address (mapped, compatible, 6to4, Teredo, local NAT64) are refused whatever they wrap. One wrapper
    is looked into instead: 64:ff9b::/96, through which an IPv6-only network reaches every IPv4 site.

    Args:
        allow_private: also allow private (RFC 1918, unique local), loopback and CGNAT addresses. Link-local,
            metadata, multicast, reserved and unspecified ones stay refused.

    >>> address_policy().permits_address("192.168.1.7")
    False
    >>> address_policy(allow_private=True).permits_address("192.168.1.7")
    True
    """

    def reach(block: Block) -> Reach:
        if block.network == _NAT64:
            return Reach.TRANSLATED
        return Reach.PERMITTED if allow_private and block.network in _PRIVATE else Reach.DENIED

    listed = tuple(replace(block, reach=reach(block)) for block in DEFAULT_DENIED.blocks)
    return Policy(denied_networks=AddressTable(listed + _EXTRA))


def check_url(url: str, *, policy: Policy, allow_private: bool = False) -> Target:
    """The origin that ``url`` names, if its spelling and, where written out, its address are allowed.

    A name is not looked up here: its addresses are checked when they are known.

    Raises:
        BlockedURL: refused; nothing was sent or looked up.

    >>> check_url("https://shop.example/b.webp", policy=address_policy())
    <Target https host=shop.example port=443>
    >>> check_url("ftp://shop.example/b.webp", policy=address_policy())
    Traceback (most recent call last):
    lookalike.errors.BlockedURL: ftp://shop.example/b.webp: ftp: URLs are not fetched; use http or https
    """
    parts = _split(url)
    written = parts.hostname or ""
    port = _port(url, parts)
    host = _host(url, written)
    address = _literal(url, written, host)
    if address is not None:
        _check_literal(url, address, policy, allow_private)
    elif not allow_private and ("." not in host or f".{host}".endswith(_LOCAL_SUFFIXES)):
        raise BlockedURL(f"{host} is a name of a local network", source=redacted(url), remedy=ALLOW_PRIVATE)
    return Target(scheme=parts.scheme, host=host, port=port, host_as_written=written, address=address)


def check_characters(url: str) -> None:
    """Refuse what a URL parser would drop or read in its own way: blanks, control characters, backslashes.

    Raises:
        BlockedURL: one of them is there.
    """
    if len(url) > _LONGEST_URL:
        raise BlockedURL(f"the URL is longer than {_LONGEST_URL} characters", source=redacted(url))
    if "\\" in url:
        raise BlockedURL("a URL cannot hold a backslash", source=redacted(url), remedy="write / or %5C")
    if any(c.isspace() or not c.isprintable() for c in url):
        raise BlockedURL(
            "a URL cannot hold blanks, control or invisible characters",
            source=redacted(url),
            remedy="take them out, or write a blank as %20",
        )


def redacted(url: str) -> str:
    """``url`` without a user name and password, fit for a message.

    >>> redacted("https://ann:secret@shop.example/a.jpg")
    'https://***@shop.example/a.jpg'
    """
    return _USER_INFO.sub(r"\1***@", url)


def refusal(error: BlockedAddressError, source: str, *, allow_private: bool = False) -> BlockedURL:
    """The error for an address that the table refuses; its remedy is :data:`ALLOW_PRIVATE` where that would help."""
    try:
        address = ip_address(error.address)
    except ValueError:  # then it is the host name, which has several addresses
        reason, helps = "the host has several addresses, and not all of them are public", True
    else:
        reason = f"{address} is not a public address: {error.reason}"
        helps = address_policy(allow_private=True).permits_address(address)
    return BlockedURL(reason, source=source, remedy=ALLOW_PRIVATE if helps and not allow_private else "")


def _split(url: str) -> SplitResult:
    check_characters(url)
    try:
        parts = urlsplit(url)
    except ValueError:  # its message quotes the URL, password and all, so the cause is not kept
        raise BlockedURL("this is not a valid URL", source=redacted(url)) from None
    if parts.scheme not in _PORTS:
        what = f"{printable(parts.scheme)}: URLs are" if parts.scheme else "a URL without a scheme is"
        raise BlockedURL(f"{what} not fetched", source=redacted(url), remedy="use http or https")
    if "@" in parts.netloc or redacted(url) != url:
        raise BlockedURL(
            "a URL with a user name or password is not fetched",
            source=redacted(url),
            remedy="download the picture and give the file",
        )
    return parts


def _port(url: str, parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise BlockedURL("the port is not a number from 1 to 65535", source=redacted(url)) from error
    if port is None:
        return _PORTS[parts.scheme]
    if port < _FIRST_FREE_PORT and port not in _PORTS.values():
        raise BlockedURL(
            f"port {port} belongs to another service",
            source=redacted(url),
            remedy=f"web servers are at 80, 443, or {_FIRST_FREE_PORT} and up",
        )
    return port


def _host(url: str, written: str) -> str:
    """The host as DNS knows it: lower case, ASCII, without the final dot."""
    try:
        # The codec that getaddrinfo uses itself, so the name checked is the name looked up.
        host = written if written.isascii() else written.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BlockedURL("the host name is not valid", source=redacted(url)) from error
    host = host.lower().removesuffix(".")
    if ":" in host:  # IPv6; urlsplit took the brackets off
        return host
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        raise BlockedURL("the URL has no valid host name", source=redacted(url), remedy="check the URL")
    return host


def _literal(url: str, written: str, host: str) -> IPv4Address | IPv6Address | None:
    """The address that ``host``, in the URL ``written``, spells; None for a name."""
    if ":" not in host and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        # Full-width digits and a final dot are gone from ``host``; a zone ("fe80::1%eth0") is this machine's affair.
        if host == written and "%" not in host:
            return ip_address(host)
    except ValueError:
        pass  # 0177.0.0.1, 2130706433, 0x7f.1: getaddrinfo would read them, each platform in its own way
    raise BlockedURL(
        "this is an odd spelling of an IP address",
        source=redacted(url),
        remedy=f"write it in the usual form, like {'[2001:db8::1]' if ':' in host else '192.0.2.1'}",
    )


def _check_literal(url: str, address: IPv4Address | IPv6Address, policy: Policy, allow_private: bool) -> None:
    if address in _NAT64:  # DNS on an IPv6-only network makes these; nobody writes one in good faith
        raise BlockedURL(f"{address} hides an IPv4 address", source=redacted(url))
    try:
        policy.check_address(address)
    except BlockedAddressError as error:
        raise refusal(error, redacted(url), allow_private=allow_private) from error
