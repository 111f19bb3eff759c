"""Fetching, against real servers on loopback. Nothing here leaves the machine."""

from __future__ import annotations

import ast
import gzip
import io
import socket
import ssl
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ssrfguard
from PIL import Image
from servers import CERTIFICATE, Names, dribble, endless, redirect, reset, response, serve, silent

import lookalike
from lookalike import errors
from lookalike.errors import BlockedURL, FetchError, FetchTimeout, HostNotFound, HTTPStatus, LimitExceeded
from lookalike.images import fetch as fetching
from lookalike.images.addresses import address_policy
from lookalike.images.fetch import FetchLimits, fetch
from lookalike.images.limits import Limits

SOURCES = Path(lookalike.__file__).parent
# Everything as shipped, but one address of this machine counts as public.
POLICY = replace(address_policy(), allowed_networks=("127.0.0.1/32",))
QUICK = FetchLimits(connect_seconds=3, total_seconds=0.5)


def picture(format="PNG"):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


PICTURE = picture()


def get(server, path="/", *, names=None, limits=None, host="pictures.example", scheme="http"):
    """What :func:`fetch` does for a public server: only the name lookup and one address are ours."""
    names = Names({host: [["127.0.0.1"]]}) if names is None else names
    return fetching._follow(f"{scheme}://{host}:{server.port}{path}", limits or FetchLimits(), POLICY, names)


@pytest.fixture
def connected(monkeypatch):
    """The addresses that sockets were opened to, in order."""
    seen = []
    connect = ssrfguard.connect

    def spy(addresses, **options):
        seen.extend((str(address.ip), address.port) for address in addresses)
        return connect(addresses, **options)

    monkeypatch.setattr(ssrfguard, "connect", spy)
    return seen


# ---- what works ----


def test_the_bytes_come_back_as_they_are():
    with serve({"/a/b.png?w=200&h=1": response(PICTURE)}) as server:
        assert get(server, "/a/b.png?w=200&h=1#fragment") == PICTURE
        head = server.requests[0].decode().lower()
    assert f"host: pictures.example:{server.port}\r\n" in head
    assert "accept-encoding: identity\r\n" in head
    assert "cookie" not in head
    assert "authorization" not in head
    assert "referer" not in head


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["chunked", "HTTP/1.0", "until closed"],
)
def test_answers_without_a_length(head):
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PICTURE), PICTURE) if b"chunked" in head else PICTURE
    with serve(head + body) as server:
        assert get(server) == PICTURE


def test_an_interim_answer_is_passed_over():
    with serve(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + response(PICTURE)) as server:
        assert get(server) == PICTURE


def test_the_path_is_sent_as_it_was_written():
    with serve({"/fa%C3%A7ade%20%5B1%5D[2]|3.png?q=%C3%A9%26": response(PICTURE)}) as server:
        assert get(server, "/façade%20%5B1%5D[2]|3.png?q=é%26") == PICTURE


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_redirects_are_followed(status):
    with serve({"/": redirect("b/../c.png", status), "/c.png": response(PICTURE)}) as server:
        assert get(server) == PICTURE


def test_three_redirects_are_followed_and_a_fourth_is_not():
    paths = {f"/{n}": redirect(f"/{n + 1}") for n in range(4)} | {"/4": response(PICTURE)}
    with serve(paths) as server:
        assert get(server, "/1") == PICTURE
        with pytest.raises(FetchError, match="redirects more than 3 times"):
            get(server, "/0")
        with pytest.raises(FetchError, match="redirects more than 0 times"):
            get(server, "/3", limits=FetchLimits(max_redirects=0))


def test_a_redirect_loop_ends():
    with serve(redirect("/")) as server:
        with pytest.raises(FetchError, match="redirects more than 3 times"):
            get(server)
        assert len(server.requests) == 4


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "GZIP"])
def test_an_encoding_nobody_asked_for_is_undone(encoding):
    packed = zlib.compress(PICTURE) if encoding == "deflate" else gzip.compress(PICTURE)
    with serve(response(packed, Content_Encoding=encoding)) as server:
        assert get(server) == PICTURE


# ---- blocked ----


def test_loopback_is_refused_by_default_and_allowed_by_option():
    with serve(response(PICTURE)) as server:
        for url in (f"http://127.0.0.1:{server.port}/", f"http://localhost:{server.port}/"):
            with pytest.raises(BlockedURL, match="--allow-private-hosts"):
                fetch(url)
        assert server.connections == 0
        assert fetch(f"http://127.0.0.1:{server.port}/", limits=FetchLimits(allow_private_hosts=True)) == PICTURE


INWARD = [
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.2/",
    "//10.0.0.1/a.jpg",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://2130706433/",
    "http://localhost/",
    "http://inward.example/",
    "http://both.example/",
    "http://user:secret@pictures.example/",
    "https:\\\\pictures.example/",
    "file:///etc/passwd",
    "ftp://pictures.example/a.jpg",
    "gopher://pictures.example/",
    "data:image/png;base64,AAAA",
    "http://pictures.example:22/",
    "http://[::1/",
    "/a b.jpg",
    "/a\tb.jpg",
]


@pytest.mark.parametrize("location", INWARD)
@pytest.mark.parametrize("hops", [1, 3])
def test_redirects_inward_reach_nothing(location, hops, connected):
    names = Names(
        {
            "pictures.example": [["127.0.0.1"]],
            "inward.example": [["10.0.0.1"]],
            "both.example": [["127.0.0.1", "169.254.169.254"]],
        }
    )
    paths = {f"/{n}": redirect(f"/{n + 1}") for n in range(1, hops)} | {f"/{hops}": redirect(location)}
    with serve(paths) as server:
        with pytest.raises(BlockedURL) as caught:
            get(server, "/1", names=names)
        assert connected == [("127.0.0.1", server.port)] * hops
    assert caught.value.source == f"http://pictures.example:{server.port}/1"
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_ipv6_server_inside_is_never_contacted():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with serve(response(PICTURE), host="::1") as inside:
        url = f"http://[::1]:{inside.port}/"
        with serve(redirect(url)) as outside, pytest.raises(BlockedURL):
            get(outside)
        assert (outside.connections, inside.connections) == (1, 0)
        assert fetch(url, limits=FetchLimits(allow_private_hosts=True)) == PICTURE
        assert f"Host: [::1]:{inside.port}\r\n".encode() in inside.requests[0]


@pytest.mark.parametrize(
    "answer",
    [
        ["10.0.0.1"],
        ["127.0.0.1", "10.0.0.1"],
        ["169.254.169.254", "127.0.0.1"],
        ["127.0.0.1", "::1"],
        ["127.0.0.1", "::ffff:169.254.169.254"],
        ["127.0.0.1", "64:ff9b::a00:1"],
    ],
)
def test_one_bad_answer_of_dns_refuses_the_name(answer, connected):
    with serve(response(PICTURE)) as server:
        with pytest.raises(BlockedURL, match=r"not a public address|not all of them are public"):
            get(server, names=Names({"pictures.example": [answer]}))
        assert connected == []
        assert server.connections == 0


def test_the_checked_answer_is_the_one_connected_to(connected):
    # A name server that answers with a good address once and turns inward for whoever asks again.
    names = Names({"pictures.example": [["127.0.0.1"], ["169.254.169.254"]]})
    with serve(response(PICTURE)) as server:
        assert get(server, names=names) == PICTURE
        assert connected == [("127.0.0.1", server.port)]
    assert names.asked == ["pictures.example"]


def test_every_hop_is_looked_up_and_checked_anew(connected):
    names = Names({"pictures.example": [["127.0.0.1"], ["169.254.169.254"]]})
    with serve(redirect("/again")) as server:
        with pytest.raises(BlockedURL, match=r"169\.254\.169\.254"):
            get(server, names=names)
        assert connected == [("127.0.0.1", server.port)]


def test_a_password_is_in_no_message():
    with pytest.raises(BlockedURL) as caught:
        fetch("https://ann:secret@shop.example/a.jpg")
    error = caught.value
    assert error.source == "https://***@shop.example/a.jpg"
    assert "secret" not in f"{error}{error.to_dict()}{error.__cause__}"


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_proxies_of_the_environment_are_ignored(variable, monkeypatch):
    with serve(response(b"from the proxy")) as proxy, serve(response(PICTURE)) as server:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        assert get(server) == PICTURE
        assert proxy.connections == 0


def test_passwords_of_netrc_are_ignored(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serve(response(PICTURE)) as server:
        get(server)
        assert b"authorization" not in server.requests[0].lower()


# ---- too slow, too large, lying ----


def in_time(call, least=0.4, most=2.5):
    start = time.monotonic()
    with pytest.raises(FetchTimeout) as caught:
        call()
    assert least < time.monotonic() - start < most
    return str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        dribble(response(b"", length=1_000_000)),
        dribble(response(b"", length=None)),
        dribble(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        dribble(b""),
        silent,
    ],
    ids=["slow body", "slow body without length", "slow headers", "slow status line", "silence"],
)
def test_a_slow_server_ends_on_time(answer):
    with serve(answer) as server:
        assert "not finished within 0.5 s" in in_time(lambda: get(server, limits=QUICK))


def test_the_clock_runs_through_redirects():
    def late(connection, server):
        server.stopped.wait(0.3)
        connection.sendall(redirect("/"))

    with serve(late) as server:
        in_time(lambda: get(server, limits=QUICK))
        assert server.connections == 2


def test_a_slow_name_lookup_ends_on_time():
    over = threading.Event()
    limits = FetchLimits(total_seconds=0.5)

    def never(*_):
        over.wait(10)
        return []

    try:
        in_time(lambda: fetching._follow("http://slow.example/", limits, POLICY, never))
    finally:
        over.set()


def test_a_slow_tls_handshake_ends_on_time():
    with serve(silent) as server:  # waits for the end of a request, and the client for the server's hello
        in_time(lambda: get(server, scheme="https", limits=QUICK))


def test_the_time_to_connect_is_shared_by_all_addresses(monkeypatch):
    given = []

    def connect(addresses, *, policy, timeout):
        given.append((str(addresses[0].ip), timeout))
        raise TimeoutError

    monkeypatch.setattr(ssrfguard, "connect", connect)
    answer = [f"8.8.8.{n}" for n in range(1, 10)]
    limits = FetchLimits(connect_seconds=2)
    with pytest.raises(FetchTimeout, match=r"no connection to many\.example within 2 s"):
        fetching._follow("http://many.example/", limits, POLICY, Names({"many.example": [answer]}))
    assert [address for address, _ in given] == answer[:4]
    assert given[0][1] == pytest.approx(0.5, abs=0.1)
    assert given[3][1] <= 2


def test_the_second_address_is_tried_where_the_first_refuses(monkeypatch):
    connect = ssrfguard.connect

    def first_refuses(addresses, **options):
        if str(addresses[0].ip) != "127.0.0.1":
            raise ConnectionRefusedError
        return connect(addresses, **options)

    monkeypatch.setattr(ssrfguard, "connect", first_refuses)
    with serve(response(PICTURE)) as server:
        assert get(server, names=Names({"pictures.example": [["2606:4700::1", "127.0.0.1"]]})) == PICTURE


def test_an_endless_body_is_cut():
    limits = FetchLimits(max_bytes=1_000_000)
    with serve(endless) as server, pytest.raises(LimitExceeded, match=r"0\.954 MiB.*--max-bytes"):
        get(server, limits=limits)


def test_a_length_over_the_limit_is_refused_before_the_body():
    def announce(connection, server):
        connection.sendall(response(b"", length=20 * 2**20 + 1))
        server.stopped.wait(10)

    with serve(announce) as server, pytest.raises(LimitExceeded, match=r"20 MiB.*--max-bytes"):
        get(server)


def test_the_limit_itself_is_allowed():
    with serve(response(bytes(1000))) as server:
        assert len(get(server, limits=FetchLimits(max_bytes=1000))) == 1000
        with pytest.raises(LimitExceeded):
            get(server, limits=FetchLimits(max_bytes=999))


def test_a_packed_body_counts_as_sent_and_as_unpacked():
    with serve({"/": response(gzip.compress(bytes(1000)), Content_Encoding="gzip")}) as server:
        assert len(get(server, limits=FetchLimits(max_bytes=1000))) == 1000
        with pytest.raises(LimitExceeded):
            get(server, limits=FetchLimits(max_bytes=999))


def test_a_gzip_bomb_is_not_unpacked():
    bomb = gzip.compress(bytes(300 * 2**20), compresslevel=1)
    assert len(bomb) < 2 * 2**20
    with serve(response(bomb, Content_Encoding="gzip")) as server:
        tracemalloc.start()
        with pytest.raises(LimitExceeded):
            get(server)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 70 * 2**20  # the limit of 20 MiB, what grows a bytearray, and the bomb itself


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (response(PICTURE, length=len(PICTURE) + 1), "broken"),
        (response(PICTURE, length=len(PICTURE) - 1), "broken"),
        (response(PICTURE, length=0), "broken"),
        (response(PICTURE, length=None, Content_Length="-1"), "broken"),
        (response(PICTURE, length=None, Content_Length="9" * 5000), "broken"),
        (response(PICTURE, Content_length="1"), "broken"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "broken"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", "broken"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, "broken"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "broken"),
        (b"HTTP/1.1 200 OK\r\n", "broken"),
        (b"220 mail.example ESMTP\r\n", "broken"),
        (PICTURE, "broken"),
        (b"", "broken"),
        (response(gzip.compress(PICTURE)[:-9], Content_Encoding="gzip"), "gzip data do not end"),
        (response(gzip.compress(PICTURE) + b"more", Content_Encoding="gzip"), "gzip data do not end"),
        (response(PICTURE, Content_Encoding="gzip"), "damaged"),
        (response(PICTURE, Content_Encoding="br"), "'br' unasked"),
        (response(PICTURE, Content_Encoding="gzip, gzip"), "unasked"),
        (response(PICTURE, Content_Encoding="gzip", Content_encoding="gzip"), "unasked"),
        (reset, "connection broke|answer is broken"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value)[:20],
)
def test_a_broken_answer_is_an_error(answer, words):
    with serve(answer) as server, pytest.raises(FetchError, match=words) as caught:
        get(server)
    assert type(caught.value) is FetchError
    assert caught.value.__cause__ is not None or "data" in words or "unasked" in words
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


# ---- no answer, other answers ----


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("404 Not Found", "check the URL"),
        ("410 Gone", "check the URL"),
        ("403 Forbidden", "give the file"),
        ("429 Too Many Requests", "later"),
        ("500 Internal Server Error", "later"),
        ("503 Unavailable", "later"),
        ("204 No Content", "give the file"),
        ("206 Partial Content", "give the file"),
        ("302 Found", "give the file"),
    ],
)
def test_other_answers_carry_their_status(status, remedy):
    body = b"" if status.startswith("204") else b"sorry"
    with serve(response(body, status=status)) as server, pytest.raises(HTTPStatus, match=remedy) as caught:
        get(server)
    assert caught.value.status == int(status[:3])


def test_a_name_that_does_not_resolve():
    with serve(response(PICTURE)) as server, pytest.raises(HostNotFound, match="does not resolve"):
        get(server, names=Names({}))


def test_the_system_is_asked_for_names(monkeypatch):
    names = Names({"inward.example": [["192.168.1.1"]]})
    monkeypatch.setattr("socket.getaddrinfo", names)
    with pytest.raises(HostNotFound, match="check the spelling"):
        fetch("http://pictures.invalid/a.jpg")
    with pytest.raises(BlockedURL, match="--allow-private-hosts"):
        fetch("http://inward.example/a.jpg")
    assert names.asked == ["pictures.invalid", "inward.example"]


def test_a_closed_port_is_an_error():
    with serve(response(PICTURE)) as server:
        pass  # and gone
    with pytest.raises(FetchError, match=r"no connection to|cannot connect to"):
        get(server)


def test_what_the_server_calls_it_is_not_believed():
    html = b"<!doctype html><title>Sorry</title>"
    paths = {
        "/page.jpg": response(html, Content_Type="image/jpeg"),
        "/picture": response(PICTURE, Content_Type="text/html"),
    }
    limits = Limits(allow_private_hosts=True)
    with serve(paths) as server:
        assert get(server, "/page.jpg") == html
        with pytest.raises(errors.UnsupportedFormat):
            lookalike.load(f"http://127.0.0.1:{server.port}/page.jpg", limits=limits)
        loaded = lookalike.load(f"http://127.0.0.1:{server.port}/picture", limits=limits)
    assert np.array_equal(loaded.pixels, lookalike.load(PICTURE).pixels)


# ---- TLS ----


@pytest.fixture
def trusted(monkeypatch):
    """The test certificate is one that the system trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    fetching._tls.cache_clear()
    yield
    fetching._tls.cache_clear()


@pytest.mark.usefixtures("trusted")
def test_tls_is_checked_against_the_name_not_the_address(connected):
    names = Names({"pictures.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})
    with serve(response(PICTURE), tls=True) as server:
        assert get(server, scheme="https", names=names) == PICTURE
        for host in ("other.example", "127.0.0.1"):
            with pytest.raises(FetchError, match="certificate is not valid") as caught:
                get(server, scheme="https", names=names, host=host)
            assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        assert len(server.requests) == 1
        assert connected == [("127.0.0.1", server.port)] * 3


def test_a_certificate_nobody_vouches_for_is_refused():
    with serve(response(PICTURE), tls=True) as server:
        with pytest.raises(FetchError, match="certificate is not valid: self"):
            get(server, scheme="https")
        assert server.requests == []


@pytest.mark.usefixtures("trusted")
def test_a_redirect_to_tls_and_a_slow_body_over_it():
    with serve({}, tls=True) as secure, serve(redirect(f"https://pictures.example:{secure.port}/")) as server:
        secure.paths["/"] = dribble(response(b"", length=1000))
        in_time(lambda: get(server, limits=QUICK))
        assert len(secure.requests) == 1


def test_plain_http_at_a_tls_port_is_an_error():
    with serve(response(PICTURE), tls=True) as server, pytest.raises(FetchError, match="broke"):
        get(server)


# ---- the room itself ----


@pytest.mark.parametrize("limits", [{"connect_seconds": 0}, {"total_seconds": -1}, {"max_bytes": -1}])
def test_senseless_limits_are_refused(limits):
    with pytest.raises(errors.UsageError):
        FetchLimits(**limits)


CLIENTS = {
    "aiohttp",
    "h11",
    "h2",
    "http.client",
    "httpcore",
    "httpx",
    "pycurl",
    "requests",
    "urllib.request",
    "urllib3",
    "websockets",
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def test_only_fetch_speaks_http():
    found = {
        path.relative_to(SOURCES.parent).as_posix()
        for path in SOURCES.parent.rglob("*.py")
        if any(name in CLIENTS or name.split(".")[0] in CLIENTS for name in imported(path))
    }
    assert found == {"lookalike/images/fetch.py"}


def test_pictures_from_files_need_no_network_code():
    check = "import sys, lookalike; print({'h11', 'ssrfguard', 'certifi'} & set(sys.modules) or 'none')"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "none"
