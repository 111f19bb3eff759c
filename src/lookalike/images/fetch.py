"""URL → bytes. Every rule about the network lives here and in :mod:`lookalike.images.addresses`, and only there.

One picture is one exchange: look the name up, check every answer, connect to a checked answer, send one GET, read with
a clock and a byte count running; a redirect starts over from the check. The exchange is spelled out on top of h11
rather than left to a full HTTP client, because such a client counts its timeouts per read (a server that sends a byte
now and then never ends), takes proxies and passwords from the environment, and hides a body longer than announced.
"""

from __future__ import annotations

import functools
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import certifi
import h11
import ssrfguard
from ssrfguard import Policy, Resolver, Target

from lookalike.errors import (
    BlockedURL,
    FetchError,
    FetchTimeout,
    HostNotFound,
    HTTPStatus,
    LimitExceeded,
    UsageError,
    printable,
)
from lookalike.images.addresses import address_policy, check_characters, check_url, redacted, refusal

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_ADDRESSES = 4  # of one host; how many DNS gives is the other side's choice, how long to try is ours
_READ_BYTES = 64 * 1024
_MOST_HEADER_BYTES = 64 * 1024
_AS_WRITTEN = "/%:@!$&'()*+,;=~?[]|"  # not encoded (again) on the way to the server, as in browsers
_INSTEAD = "download the picture and give the file"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What fetching one URL may cost at most.

    Attributes:
        connect_seconds: to connect, over all addresses of the host.
        total_seconds: from the call to the last byte, redirects and name lookups included.
        max_bytes: of the answer, both as sent and once its content encoding is undone.
        max_redirects: how many redirects are followed.
        allow_private_hosts: also fetch from private, loopback and CGNAT addresses. Cloud metadata services,
            link-local, multicast and reserved addresses stay refused.
    """

    connect_seconds: float = 3.0
    total_seconds: float = 10.0
    max_bytes: int = 20 * 2**20
    max_redirects: int = 3
    allow_private_hosts: bool = False

    def __post_init__(self) -> None:
        seconds, counts = (self.connect_seconds, self.total_seconds), (self.max_bytes, self.max_redirects)
        if not (min(seconds) > 0 and min(counts) >= 0):
            raise UsageError("the limits of a fetch cannot be negative, and its seconds not zero")


_DEFAULT = FetchLimits()


def fetch(url: str, *, limits: FetchLimits = _DEFAULT) -> bytes:
    """The bytes behind an http or https URL.

    Whether they are a picture is not asked here, and what the server calls them is never believed.

    Args:
        url: absolute, without user name and password.
        limits: time, size, redirects, and whether private addresses are allowed.

    Raises:
        BlockedURL: the URL, an address of its host, or where it redirects to is not allowed.
        HostNotFound: the name does not resolve.
        FetchTimeout: too slow.
        HTTPStatus: the server answered anything but 200 or a redirect.
        LimitExceeded: more than ``limits.max_bytes``.
        FetchError: no connection, a bad certificate, too many redirects, an answer cut short or longer than announced.

    >>> fetch("http://169.254.169.254/latest/")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    lookalike.errors.BlockedURL: http://169.254.169.254/latest/: 169.254.169.254 is not a public address: ...
    """
    policy = address_policy(allow_private=limits.allow_private_hosts)
    return _follow(url, limits, policy, socket.getaddrinfo)


def _follow(url: str, limits: FetchLimits, policy: Policy, resolver: Resolver) -> bytes:
    """:func:`fetch` with the address table and the name lookup handed in, which is how the tests reach loopback."""
    source = redacted(url)
    clock = _Clock(limits.total_seconds)
    with _translated(source, limits):
        target = check_url(url, policy=policy, allow_private=limits.allow_private_hosts)
        for _ in range(limits.max_redirects + 1):
            answer = _get(_Exchange(source, target, limits, clock), url, policy, resolver)
            if isinstance(answer, bytes):
                return answer
            url, target = _redirected(source, url, answer.location, policy, limits)
    raise FetchError(f"redirects more than {limits.max_redirects} times", source=source, remedy=_INSTEAD)


def _redirected(source: str, url: str, location: str, policy: Policy, limits: FetchLimits) -> tuple[str, Target]:
    """The URL and origin that ``location``, found at ``url``, leads to; checked like the first."""
    try:
        check_characters(location)  # before urljoin, which drops some without a word
        url = urljoin(url, location)
        return url, check_url(url, policy=policy, allow_private=limits.allow_private_hosts)
    except BlockedURL as error:
        reason = f"redirects to {printable(error.source)}, which is refused: {error.reason}"
        raise BlockedURL(reason, source=source, remedy=error.remedy) from error
    except ValueError as error:  # urljoin, on brackets that hold no IPv6 address
        raise BlockedURL("redirects to something that is no URL", source=source, remedy=_INSTEAD) from error


class _Clock:
    """Time left of a budget in seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, more than 0; TimeoutError once there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@dataclass(frozen=True, slots=True)
class _Exchange:
    source: str
    target: Target
    limits: FetchLimits
    clock: _Clock


@dataclass(frozen=True, slots=True)
class _Redirect:
    location: str


def _get(exchange: _Exchange, url: str, policy: Policy, resolver: Resolver) -> bytes | _Redirect:
    with _connect(exchange, policy, resolver) as sock:
        wire = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEADER_BYTES)
        request = wire.send(_request(exchange.target, url)) or b""
        sock.settimeout(exchange.clock.left())
        sock.sendall(request + (wire.send(h11.EndOfMessage()) or b""))
        events = _events(sock, wire, exchange.clock)
        response = next(event for event in events if isinstance(event, h11.Response))
        location = _header(response, b"location")
        if response.status_code in _REDIRECTS and location:
            return _Redirect(location)
        if response.status_code != 200:
            raise _status_error(response.status_code, exchange.source)
        return _body(exchange, response, events)


def _connect(exchange: _Exchange, policy: Policy, resolver: Resolver) -> socket.socket:
    """A connection to the origin, over TLS for https."""
    sock = _open(exchange, policy, resolver)
    if exchange.target.scheme == "http":
        return sock
    try:
        sock.settimeout(exchange.clock.left())
        return _tls().wrap_socket(sock, server_hostname=exchange.target.host)
    except BaseException:
        sock.close()
        raise


def _open(exchange: _Exchange, policy: Policy, resolver: Resolver) -> socket.socket:
    """A socket to the first of the host's addresses that answers, all of them checked before."""
    target, clock, limits = exchange.target, exchange.clock, exchange.limits
    # One lookup. What it gives is checked, and the socket is opened to that very answer, never to the name.
    addresses = ssrfguard.resolve(target, policy=policy, resolver=_with_deadline(resolver, clock))[:_MOST_ADDRESSES]
    connecting = _Clock(min(limits.connect_seconds, clock.left()))
    for number, address in enumerate(addresses):
        try:
            # Time is shared out, so that a dead IPv6 route leaves some for IPv4.
            share = connecting.left() / (len(addresses) - number)
            return ssrfguard.connect([address], policy=policy, timeout=share)
        except OSError as error:
            if number + 1 < len(addresses):
                continue
            if isinstance(error, TimeoutError):
                clock.left()  # raises where it is the time for everything that is up
                reason = f"no connection to {target.host} within {limits.connect_seconds:g} s"
                remedy = "try again later, or raise --connect-seconds"
                raise FetchTimeout(reason, source=exchange.source, remedy=remedy) from error
            raise FetchError(
                f"cannot connect to {target.host}:{target.port}: {_words(error.__cause__ or error)}",
                source=exchange.source,
                remedy="check the URL and that the server runs",
            ) from error
    raise FetchError(f"{target.host} has no address", source=exchange.source)


@functools.cache
def _tls() -> ssl.SSLContext:
    """Trusts what the system trusts, SSL_CERT_FILE included, and Mozilla's list, which some systems lack."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _with_deadline(resolver: Resolver, clock: _Clock) -> Resolver:
    """``resolver``, given up when time is up: getaddrinfo itself knows no timeout on any platform."""

    def lookup(*arguments: Any) -> Any:
        answer: Future[Any] = Future()

        def run() -> None:
            try:
                answer.set_result(resolver(*arguments))
            except BaseException as error:  # noqa: BLE001 - handed on to the caller, whatever it is
                answer.set_exception(error)

        # A daemon, so that a lookup nobody waits for any more does not hold the process when it ends.
        threading.Thread(target=run, name="lookalike-dns", daemon=True).start()
        return answer.result(timeout=clock.left())

    return lookup


def _request(target: Target, url: str) -> h11.Request:
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe=_AS_WRITTEN)
    query = "?" + quote(parts.query, safe=_AS_WRITTEN) if parts.query else ""
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = target.port == {"http": 80, "https": 443}[target.scheme]
    return h11.Request(
        method="GET",
        target=path + query,
        headers=[
            ("Host", host if usual else f"{host}:{target.port}"),
            ("User-Agent", "lookalike"),
            ("Accept", "image/*, */*;q=0.1"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ],
    )


def _events(sock: socket.socket, wire: h11.Connection, clock: _Clock) -> Iterator[h11.Event]:
    """What the server says, up to the end of its answer."""
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            sock.settimeout(clock.left())
            received = sock.recv(_READ_BYTES)
            if not received and wire.their_state is h11.SEND_RESPONSE:
                raise h11.RemoteProtocolError("it stops before the body")
            wire.receive_data(received)
        elif isinstance(event, h11.EndOfMessage):
            if wire.trailing_data[0]:
                raise h11.RemoteProtocolError("it is longer than announced")
            return
        elif isinstance(event, (h11.InformationalResponse, h11.Response, h11.Data)):
            yield event
        else:
            raise h11.RemoteProtocolError("it is not an answer to a GET")


def _header(response: h11.Response, name: bytes) -> str:
    """Its value, the values of several joined; "" where there is none."""
    return b", ".join(value for key, value in response.headers if key == name).decode("utf-8", "replace")


def _body(exchange: _Exchange, response: h11.Response, events: Iterator[h11.Event]) -> bytes:
    """The body with its content encoding undone; never more than a read above the limit is held."""
    most = exchange.limits.max_bytes
    announced = _header(response, b"content-length")
    if announced and int(announced) > most:  # h11 let only digits through
        raise _too_large(exchange)
    encoding = _header(response, b"content-encoding").strip().lower()
    unpack = _unpacker(encoding, exchange.source)
    sent, body = 0, bytearray()
    for event in events:
        if isinstance(event, h11.Data):
            sent += len(event.data)
            body += event.data if unpack is None else unpack.decompress(bytes(event.data), most + 1 - len(body))
            if max(sent, len(body)) > most:
                raise _too_large(exchange)
    if unpack is not None and (unpack.unused_data or not unpack.eof):
        reason = f"the {encoding} data do not end where the answer does"
        raise FetchError(reason, source=exchange.source, remedy=_INSTEAD)
    return bytes(body)


def _unpacker(encoding: str, source: str) -> zlib._Decompress | None:
    """For the servers that compress although asked not to; None where nothing is to be undone."""
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)  # 32: gzip and zlib headers both
    reason = f"the server sent content encoding {printable(encoding, 40)!r} unasked"
    raise FetchError(reason, source=source, remedy=_INSTEAD)


def _too_large(exchange: _Exchange) -> LimitExceeded:
    return LimitExceeded(
        f"the file has more than {exchange.limits.max_bytes / 2**20:.3g} MiB",
        source=exchange.source,
        remedy="raise --max-bytes to read it anyway",
    )


def _status_error(status: int, source: str) -> HTTPStatus:
    if status in (404, 410):
        remedy = "check the URL"
    elif status == 429 or status >= 500:
        remedy = "try again later"
    else:
        remedy = _INSTEAD
    return HTTPStatus(f"the server answered {status}", source=source, status=status, remedy=remedy)


@contextmanager
def _translated(source: str, limits: FetchLimits) -> Iterator[None]:
    """Errors of sockets, TLS, HTTP and the address check → ours, in this one place."""
    failed: Callable[[str], FetchError] = functools.partial(FetchError, source=source, remedy=_INSTEAD)
    try:
        yield
    except ssrfguard.BlockedAddressError as error:
        raise refusal(error, source, allow_private=limits.allow_private_hosts) from error
    except (socket.gaierror, UnicodeError) as error:
        remedy = "check the spelling and the network"
        raise HostNotFound("the host name does not resolve", source=source, remedy=remedy) from error
    except TimeoutError as error:
        reason = f"not finished within {limits.total_seconds:g} s"
        remedy = "try again later, or raise --total-seconds"
        raise FetchTimeout(reason, source=source, remedy=remedy) from error
    except ssl.SSLCertVerificationError as error:
        raise failed(f"the server's certificate is not valid: {error.verify_message}") from error
    except h11.RemoteProtocolError as error:
        raise failed(f"the server's answer is broken: {error}") from error
    except zlib.error as error:
        raise failed("the compressed data are damaged") from error
    except OSError as error:
        raise failed(f"the connection broke: {_words(error)}") from error


def _words(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
