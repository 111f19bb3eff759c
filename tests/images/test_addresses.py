"""What may be fetched from. The oracle for addresses is ``ipaddress`` and the table below, not the library used."""

from __future__ import annotations

import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssrfguard import BlockedAddressError

from lookalike.errors import BlockedURL
from lookalike.images.addresses import ALLOW_PRIVATE, address_policy, check_url, redacted, refusal

PUBLIC, INTRANET = address_policy(), address_policy(allow_private=True)

# IANA special-purpose and multicast registries, and the cloud metadata services outside them; read off the registries.
PRIVATE_V4 = [ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10")]
NEVER_V4 = [
    ip_network(n)
    for n in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",
        "100.100.100.200/32",
    )
]
PRIVATE_V6 = [ip_network(n) for n in ("fc00::/7", "::1/128")]
NEVER_V6 = [
    ip_network(n)
    for n in (
        "::/128",
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
        "5f00::/16",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        "fd00:ec2::254/128",
        "fd00:ec2::23/128",
        "fd20:ce::254/128",
        "fd00:42::42/128",
    )
]

HOSTILE = [
    # loopback, and its many spellings
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/a.jpg",
    "https://127.255.255.254/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://app.localhost/",
    "http://0.0.0.0/",
    "http://0/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7F.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://127.0.0.1./",
    "http://127.0.0.0x1/",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    "http://[::1%25lo]/",
    "http://[::1%lo]/",
    # private networks
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://192.168.1.1:8443/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://[fc00::1]/",
    "http://[fd12:3456:789a::1]/",
    "http://[fec0::1]/",
    "http://intranet/",
    "http://router.local/",
    "http://nas.home.arpa/",
    "http://metadata.google.internal/computeMetadata/v1/",
    # link-local and metadata services
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://169.254.0.23/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://168.63.129.16/machine?comp=goalstate",
    "http://192.0.0.192/opc/v2/instance/",
    "http://100.100.100.200/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fd00:ec2::23]/v1/credentials",
    "http://[fd20:ce::254]/",
    "http://[fe80::1]/",
    "http://[fe80::a9fe:a9fe%25eth0]/",
    # IPv4 inside IPv6
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "http://[::169.254.169.254]/",
    "http://[::a9fe:a9fe]/",
    "http://[::ffff:0:a9fe:a9fe]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::8.8.8.8]/",
    "http://[64:ff9b:1::a9fe:a9fe]/",
    "http://[64:ff9b:1:a9fe:a9:fe00::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:a9fe:a9fe::]/",
    "http://[2001:0:808:808::5601:5601]/",
    # multicast, broadcast, reserved, documentation
    "http://224.0.0.1/",
    "http://239.255.255.250:1900/",
    "http://255.255.255.255/",
    "http://240.0.0.1/",
    "http://0.1.2.3/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.7/",
    "http://203.0.113.9/",
    "http://192.88.99.1/",
    "http://[ff02::1]/",
    "http://[ff0e::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[4000::1]/",
    "http://[5f00::1]/",
    # numbers that are no address at all
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://1.2.3/",
    "http://8.8.8.8./",
    "http://４.４.４.４/",
    "http://example.0x10/",
    "http://[::1/",
    "http://[]/",
    "http://[v1.fe80::a]/",
    "http://[2606:4700::1111%25eth0]/",
    # user info, backslashes, control characters, blanks
    "http://user@shop.example/",
    "http://user:secret@shop.example/",
    "http://@shop.example/",
    "http://:@shop.example/",
    "http://shop.example@127.0.0.1/",
    "http://127.0.0.1#@shop.example/",
    "http://shop.example#@127.0.0.1:22@10.0.0.1/\\",
    "http://shop.example\\@127.0.0.1/",
    "http://127.0.0.1\\.shop.example/",
    "http:\\\\127.0.0.1\\",
    "https://shop.example/a\\b.jpg",
    "http://shop.example/\r\nHost: 127.0.0.1",
    "http://shop.example/a\x00.jpg",
    "http://shop.ex\tample/",
    " http://shop.example/",
    "http://shop.example/ ",
    "http://shop.example/a b.jpg",
    "http://shop.example/\x7f",
    "http://shop.example/\x85",
    "http://shop.example/\u2028",
    "http://shop.\u200bexample/",
    "http://shop.example/\u202egpj.exe",
    "http://shop.example/\u00a0",
    # other schemes, no scheme, no host, other services
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "ftp://shop.example/a.jpg",
    "gopher://shop.example:70/_x",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "jar:http://shop.example/!/a.png",
    "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "ws://shop.example/",
    "//shop.example/a.jpg",
    "shop.example/a.jpg",
    "http:///a.jpg",
    "http:shop.example",
    "http:/shop.example/",
    "http://",
    "https://:443/",
    "http://.shop.example/",
    "http://shop..example/",
    "http://-shop.example/",
    "http://shop_.exa$mple/",
    "http://" + "a" * 64 + ".example/",
    "http://" + "a." * 130 + "example/",
    "http://shop.example/" + "a" * 9000,
    "http://shop.example:22/",
    "http://shop.example:25/",
    "http://shop.example:0/",
    "http://shop.example:65536/",
    "http://shop.example:-80/",
    "http://shop.example:+80/",
    "http://shop.example:８０/",
    "http://shop.example:80:80/",
    "http://shop.example:x/",
    "",
]

WELCOME = {
    "https://shop.example/b.webp": ("shop.example", 443),
    "HTTP://SHOP.example/b.webp": ("shop.example", 80),
    "http://shop.example:8080/a.jpg?w=200&h=100#top": ("shop.example", 8080),
    "https://shop.example:/a.jpg": ("shop.example", 443),
    "https://shop.example./a.jpg": ("shop.example", 443),
    "https://cdn.shop.example/@2x/a@b.png": ("cdn.shop.example", 443),
    "https://shop.example?next=http://user:secret@127.0.0.1/": ("shop.example", 443),
    "https://shop.example/x:y@z.png": ("shop.example", 443),
    "https://my_bucket.storage.example/a.jpg": ("my_bucket.storage.example", 443),
    "https://xn--bcher-kva.example/a.jpg": ("xn--bcher-kva.example", 443),
    "https://bücher.example/façade.jpg": ("xn--bcher-kva.example", 443),
    "https://1.example/": ("1.example", 443),
    "https://0x10.example/": ("0x10.example", 443),
    "http://8.8.8.8/a.jpg": ("8.8.8.8", 80),
    "http://172.32.0.1/": ("172.32.0.1", 80),
    "http://100.128.0.1/": ("100.128.0.1", 80),
    "http://169.253.255.255/": ("169.253.255.255", 80),
    "http://168.63.129.17/": ("168.63.129.17", 80),
    "http://223.255.255.255/": ("223.255.255.255", 80),
    "https://[2606:4700:4700::1111]:8443/a.jpg": ("2606:4700:4700::1111", 8443),
    "https://[2A00:1450:4001::200E]/": ("2a00:1450:4001::200e", 443),
}


def test_the_list_is_long_enough():
    assert len(set(HOSTILE)) == len(HOSTILE) >= 80


@pytest.mark.parametrize("url", HOSTILE, ids=lambda url: ascii(url)[:60])
def test_hostile_url_is_refused_unseen(url):
    with pytest.raises(BlockedURL) as caught:
        check_url(url, policy=PUBLIC)
    message = str(caught.value)
    assert message.isprintable()
    assert "secret" not in message


@pytest.mark.parametrize(("url", "origin"), WELCOME.items(), ids=lambda value: ascii(value)[:60])
def test_public_url_passes(url, origin):
    target = check_url(url, policy=PUBLIC)
    assert (target.host, target.port) == origin


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:5000/", "http://10.1.2.3/", "http://100.64.0.1/", "http://[::1]/", "http://[fd12::1]/"],
)
def test_the_intranet_is_an_option_and_the_message_names_it(url):
    with pytest.raises(BlockedURL, match="--allow-private-hosts"):
        check_url(url, policy=PUBLIC)
    assert check_url(url, policy=INTRANET, allow_private=True).address is not None


@pytest.mark.parametrize("url", ["http://localhost/", "http://intranet/", "http://nas.local/"])
def test_local_names_are_the_same_option(url):
    with pytest.raises(BlockedURL, match="--allow-private-hosts"):
        check_url(url, policy=PUBLIC)
    assert check_url(url, policy=INTRANET, allow_private=True).address is None


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://169.254.1.1/",
        "http://168.63.129.16/",
        "http://192.0.0.192/",
        "http://100.100.100.200/",
        "http://[fd00:ec2::254]/",
        "http://[fd00:ec2::23]/",
        "http://[fd20:ce::254]/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://224.0.0.1/",
        "http://[ff02::1]/",
        "http://240.0.0.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://127.1/",
        "http://user@10.0.0.1/",
        "ftp://10.0.0.1/",
    ],
)
def test_the_intranet_option_opens_nothing_else(url):
    with pytest.raises(BlockedURL) as caught:
        check_url(url, policy=INTRANET, allow_private=True)
    assert "--allow-private-hosts" not in str(caught.value)


def inside(network):
    address = IPv4Address if network.version == 4 else IPv6Address
    return st.integers(int(network[0]), int(network[-1])).map(address)


def disguises(address):
    """Every IPv6 address that carries an IPv4 address in a form some gateway or kernel understands."""
    n = int(address)
    public = 0x08080808
    yield IPv6Address(0xFFFF << 32 | n)  # mapped, RFC 4291
    yield IPv6Address(0xFFFF << 48 | n)  # translated, RFC 2765
    yield IPv6Address(0x2002 << 112 | n << 80 | 1)  # 6to4, RFC 3056
    yield IPv6Address(0x20010000 << 96 | n << 64 | (public ^ 0xFFFFFFFF))  # Teredo server, RFC 4380
    yield IPv6Address(0x20010000 << 96 | public << 64 | (n ^ 0xFFFFFFFF))  # Teredo client, bits inverted
    yield IPv6Address(0x64FF9B << 96 | n)  # NAT64, RFC 6052
    yield IPv6Address(0x64FF9B0001 << 80 | n)  # local NAT64, RFC 8215, as /96
    yield IPv6Address(0x64FF9B0001 << 80 | (n >> 16) << 64 | (n & 0xFFFF) << 40)  # … and as /48, RFC 6052 section 2.2
    if n > 1:
        yield IPv6Address(n)  # compatible, RFC 4291; 0 and 1 are :: and ::1, which are themselves


@given(st.one_of([inside(network) for network in PRIVATE_V4 + NEVER_V4]))
def test_blocked_ipv4_stays_blocked_in_every_disguise(address):
    assert not PUBLIC.permits_address(address)
    assert not any(PUBLIC.permits_address(disguise) for disguise in disguises(address))


@given(st.one_of([inside(network) for network in NEVER_V4]))
def test_what_is_never_allowed_stays_so_on_an_intranet(address):
    assert not INTRANET.permits_address(address)
    assert not any(INTRANET.permits_address(disguise) for disguise in disguises(address))


@given(st.one_of([inside(network) for network in NEVER_V6]))
def test_blocked_ipv6_is_blocked_everywhere(address):
    assert not PUBLIC.permits_address(address)
    assert not INTRANET.permits_address(address) or address.is_loopback  # ::1 lies in the block of compatible addresses


@given(st.ip_addresses(v=4))
def test_ipv4_agrees_with_the_table(address):
    private = any(address in network for network in PRIVATE_V4)
    never = any(address in network for network in NEVER_V4)
    assert PUBLIC.permits_address(address) == (not private and not never)
    assert INTRANET.permits_address(address) == (not never)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), inside(ip_network("2000::/3"))))
def test_nothing_passes_that_the_standard_library_calls_special(address):
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    if special and address not in ip_network("64:ff9b::/96"):
        assert not PUBLIC.permits_address(address)


def test_a_nat64_answer_for_a_public_address_passes():
    # On an IPv6-only network this is how DNS answers for every IPv4 site.
    assert PUBLIC.permits_address("64:ff9b::8.8.8.8")
    assert not PUBLIC.permits_address("64:ff9b::10.0.0.1")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:secret@shop.example/a", "https://***@shop.example/a"),
        ("https://ann:se/cret@shop.example/a", "https://***@shop.example/a"),
        ("https://ann:se@cret@shop.example/a", "https://***@shop.example/a"),
        ("https:\\\\ann:secret@shop.example", "https:\\\\***@shop.example"),
        ("https://shop.example:8080/@a", "https://shop.example:8080/@a"),
        ("https://shop.example/?q=http://a:b@c", "https://shop.example/?q=http://a:b@c"),
    ],
)
def test_passwords_are_hidden_and_nothing_else(url, shown):
    assert redacted(url) == shown


@given(st.text(alphabet="abc:@/?#[]\\%.1 é\t", max_size=30).map(lambda rest: f"http://{rest}"))
def test_any_text_is_an_origin_or_a_typed_refusal(url):
    try:
        target = check_url(url, policy=PUBLIC)
    except BlockedURL:
        return
    assert target.host.isascii()
    assert target.host == unicodedata.normalize("NFKC", target.host).lower()
    assert "@" not in url.partition("//")[2].partition("/")[0].partition("?")[0].partition("#")[0]


@pytest.mark.parametrize(
    ("address", "allow_private", "remedy"),
    [
        ("10.0.0.1", False, ALLOW_PRIVATE),
        ("10.0.0.1", True, ""),
        ("169.254.169.254", False, ""),
        ("fd00:ec2::254", False, ""),
        ("both.example", False, ALLOW_PRIVATE),
    ],
)
def test_the_remedy_is_given_only_where_it_helps(address, allow_private, remedy):
    error = refusal(
        BlockedAddressError(address, "10.0.0.0/8 is Private-Use"), "https://a/", allow_private=allow_private
    )
    assert error.remedy == remedy
