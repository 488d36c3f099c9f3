"""Which addresses we connect to: the checked one, and never one inside unless an operator configured it."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_gateway.transport.address import URL_CHARACTERS_MAX, AddressRefused, check, refusal

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",  # shared address space of carriers
    "192.0.2.1",  # documentation
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",  # IPv4-mapped
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",  # NAT64
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
]
NOBODYS = [
    "169.254.169.254",  # metadata services
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_only_where_an_operator_configured_it(address: str) -> None:
    assert refusal(ipaddress.ip_address(address), trusted=False)
    assert not refusal(ipaddress.ip_address(address), trusted=True)


@pytest.mark.parametrize("address", NOBODYS)
def test_addresses_that_are_never_a_partners(address: str) -> None:
    for trusted in (False, True):
        assert refusal(ipaddress.ip_address(address), trusted=trusted)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert not refusal(ipaddress.ip_address(address), trusted=False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/",
        "//127.0.0.1/",
        "127.0.0.1",
        "http://",
        "http:///as2",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:port/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nHost: evil",
        "http://127.0.0.1/\x7f",
        "http://exämple.org/",
        "http://[::1/",
        "",
    ],
)
def test_what_is_no_url_of_a_partner(url: str) -> None:
    with pytest.raises(AddressRefused):
        check(url, trusted=True)


@pytest.mark.parametrize(("length", "fits"), [(URL_CHARACTERS_MAX, True), (URL_CHARACTERS_MAX + 1, False)])
def test_the_length_of_a_url(length: int, fits: bool) -> None:
    url = "http://127.0.0.1/".ljust(length, "a")
    if fits:
        assert check(url, trusted=True).path == url.removeprefix("http://127.0.0.1")
    else:
        with pytest.raises(AddressRefused, match="2000"):
            check(url, trusted=True)


@pytest.mark.parametrize("spelling", ["http://localhost/", "http://127.1/", "http://2130706433/", "http://0x7f.1/"])
def test_other_spellings_of_inside(spelling: str) -> None:
    """The resolver knows them, so what it gives is what is checked."""
    with pytest.raises(AddressRefused, match="not a public address"):
        check(spelling, trusted=False)


@pytest.mark.parametrize(
    ("url", "host_header", "port", "path"),
    [
        ("http://127.0.0.1/as2", "127.0.0.1", 80, "/as2"),
        ("https://127.0.0.1", "127.0.0.1", 443, "/"),
        ("http://127.0.0.1:8080/as2?id=1", "127.0.0.1:8080", 8080, "/as2?id=1"),
        ("http://[::1]:8080/as2", "[::1]:8080", 8080, "/as2"),
        ("https://127.0.0.1:80/", "127.0.0.1:80", 80, "/"),
    ],
)
def test_the_parts_of_a_url(url: str, host_header: str, port: int, path: str) -> None:
    target = check(url, trusted=True)
    assert (target.host_header, target.port, target.path) == (host_header, port, path)


def test_one_bad_address_among_good_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A DNS answer with a public and a private address must not get the private one dialled."""

    def answers(host: str, port: int, **named: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        check("http://vendor.example/", trusted=False)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_a_refusal(text: str) -> None:
    with suppress(AddressRefused, OSError):
        check(f"http://127.0.0.1{text}", trusted=True)
