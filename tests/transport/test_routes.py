"""The ways to a partner's server, against real servers: whom TLS trusts, client certificates, logins, proxies."""

from __future__ import annotations

import base64
import io
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from edi_gateway.transport import tls
from edi_gateway.transport.http import Answer, HttpClient, Login, Outgoing, Route, TransportError
from tests.servers import Identity, Request, answering, authority, identity, proxy, server

NAME = "edi.vendor.example"
OK = answering(200, b"ok")


@pytest.fixture(autouse=True)
def names_are_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name of the tests is this machine."""
    resolve = socket.getaddrinfo

    def to_loopback(host: str, *arguments: object, **named: object) -> object:
        return resolve("127.0.0.1" if host.endswith(".example") else host, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", to_loopback)


def post(url: str, route: Route | None = None, client: HttpClient | None = None, **changes: object) -> Answer:
    request: dict[str, object] = {
        "url": url,
        "headers": (("AS2-From", "MARKETPLACE"),),
        "body": io.BytesIO(b"the message"),
        "length": 11,
        "timeout_seconds": 5,
        "trusted": True,
        "route": route or Route(),
    }
    return (client or HttpClient())(Outgoing(**(request | changes)))  # type: ignore[arg-type]  # named above


def refused(url: str, route: Route | None = None, **changes: object) -> str:
    """Why nothing was sent."""
    with pytest.raises(TransportError) as caught:
        post(url, route, **changes)
    assert not caught.value.sent
    return str(caught.value)


def trusting(*identities: Identity, minimum: str = "1.2") -> Route:
    return Route(tls=tls.trusting_authorities([i.certificate.pem for i in identities], minimum))


def pinned(*identities: Identity) -> Route:
    certificates = [each.certificate for each in identities]
    context = tls.trusting_pinned([certificate.pem for certificate in certificates])
    return Route(tls=context, pinned=frozenset(certificate.fingerprint for certificate in certificates))


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_022_ipv4_and_ipv6_literals(host: str) -> None:
    """RFC 3986 §3.2.2: an IPv6 address stands in brackets, in the URL and in Host."""
    with server(OK, host=host) as there:
        assert post(there.url()).status == 200
    assert there.requests[0].headers["host"] == there.url("").removeprefix("http://")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_022_tls_knows_a_server_by_its_address(host: str) -> None:
    mine, other = identity(host), identity("127.0.0.2")
    with server(OK, tls=mine.server_context(), host=host) as there:
        assert post(there.url(), trusting(mine)).status == 200
    with server(OK, tls=other.server_context(), host=host) as there:
        assert "certificate verify failed" in refused(there.url(), trusting(other))


# --- TLS: whom we trust ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_023_tls_1_2_and_1_3(version: str) -> None:
    """Draft rfc4130bis §10.1: 1.2 MUST, 1.3 SHOULD."""
    mine = identity(NAME)
    with server(OK, tls=mine.server_context(version=version)) as there:
        assert post(there.url(host=NAME), trusting(mine)).status == 200
    assert there.requests[0].tls_version == version.replace("_", ".")


def test_023_a_partnership_may_demand_tls_1_3() -> None:
    mine = identity(NAME)
    with server(OK, tls=mine.server_context(version="TLSv1_2")) as there:
        assert refused(there.url(host=NAME), trusting(mine, minimum="1.3"))
    assert there.requests == []


def test_023_nothing_below_tls_1_2_is_spoken() -> None:
    for context in (tls.system_context(), tls.trusting_system("1.2"), trusting(identity(NAME)).tls):
        assert context is not None
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("issuer", "host", "trusts", "accepted"),
    [
        ("Test CA", NAME, "Test CA", True),
        ("Test CA", "other.example", "Test CA", False),  # path and host name are validated (rfc4130bis §10.1)
        ("Test CA", NAME, "Other CA", False),
        ("", NAME, "Other CA", False),
    ],
    ids=["its authority", "another host", "another authority", "self-signed and unknown"],
)
def test_023_a_server_of_an_authority(issuer: str, host: str, trusts: str, accepted: bool) -> None:
    mine = identity(NAME, issuer)
    with server(OK, tls=mine.server_context()) as there:
        if accepted:
            assert post(there.url(host=host), trusting(authority(trusts))).status == 200
        else:
            assert "certificate verify failed" in refused(there.url(host=host), trusting(authority(trusts)))


def test_023_an_intermediate_authority_is_enough() -> None:
    """Partners send the certificate that issued theirs and forget the root."""
    mine = identity(NAME, "Test CA")
    with server(OK, tls=mine.server_context()) as there:
        assert post(there.url(host=NAME), trusting(mine)).status == 200  # its own certificate as the only authority


def test_023_a_name_in_the_subject_alone_does_for_a_partners_own_authority() -> None:
    mine = identity(NAME, "Test CA", as_name=False)
    with server(OK, tls=mine.server_context()) as there:
        assert post(there.url(host=NAME), trusting(authority("Test CA"))).status == 200
        assert refused(there.url(host="other.example"), trusting(authority("Test CA")))


def test_023_the_name_to_expect_may_be_agreed() -> None:
    mine = identity(NAME)
    route = trusting(mine)
    with server(OK, tls=mine.server_context()) as there:
        assert refused(there.url(host="alias.example"), route)
        named = Route(tls=route.tls, server_name=NAME)
        assert post(there.url(host="alias.example"), named).status == 200


@pytest.mark.parametrize("named", [NAME, "AS2 test", "unrelated.example"])
def test_023_a_pinned_certificate_counts_whatever_name_it_bears(named: str) -> None:
    """The certificate with and without the URL's host in its name."""
    mine = identity(named, as_name="." in named)
    with server(OK, tls=mine.server_context()) as there:
        assert post(there.url(host=NAME), pinned(mine)).status == 200
        assert post(there.url(), pinned(mine)).status == 200


def test_023_a_pinned_certificate_of_an_authority_needs_no_authority() -> None:
    mine = identity(NAME, "Test CA")
    with server(OK, tls=mine.server_context()) as there:
        assert post(there.url(host=NAME), pinned(mine)).status == 200


def test_023_another_certificate_than_the_pinned_one_is_refused() -> None:
    with server(OK, tls=identity(NAME).server_context()) as there:
        assert "certificate verify failed" in refused(there.url(host=NAME), pinned(identity("other.example")))
    assert there.requests == []


def test_023_what_a_pinned_certificate_has_issued_is_not_the_pinned_certificate() -> None:
    """A pin on an authority's certificate trusts no server that it vouches for."""
    mine = identity(NAME, "Test CA")
    with server(OK, tls=mine.server_context()) as there:
        reason = refused(there.url(host=NAME), pinned(authority("Test CA")))
    assert mine.certificate.fingerprint in reason
    assert there.requests == []


def test_023_both_pinned_certificates_serve_while_their_server_changes() -> None:
    old, new = identity(NAME), identity(NAME, days=366)
    for now in (old, new):
        with server(OK, tls=now.server_context()) as there:
            assert post(there.url(host=NAME), pinned(old, new)).status == 200


def test_118_an_expired_server_certificate_is_refused_even_if_pinned() -> None:
    expired = identity(NAME, days=5, started=10)
    with server(OK, tls=expired.server_context()) as there:
        for route in (pinned(expired), trusting(expired)):
            assert "certificate has expired" in refused(there.url(host=NAME), route)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_023_no_variable_adds_an_authority(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = identity(NAME)
    (tmp_path / "own.pem").write_text(mine.certificate.pem)
    monkeypatch.setenv(variable, str(tmp_path / "own.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with server(OK, tls=mine.server_context()) as there:
        for route in (Route(), Route(tls=tls.trusting_system()), Route(tls=tls.trusting_system("1.3"))):
            assert "certificate verify failed" in refused(there.url(host=NAME), route)


def test_023_no_variable_takes_the_machines_authorities_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    expected = Path("/etc/ssl/certs/ca-certificates.crt")
    if not expected.exists():
        pytest.skip("this machine keeps its authorities elsewhere")
    assert len(tls.trusting_system().get_ca_certs()) > 50


def test_023_plain_http_behind_an_https_url_is_a_failure_before_sending() -> None:
    with server(OK) as there:
        assert refused(there.url().replace("http:", "https:"), timeout_seconds=0.3)


# --- TLS: what we show ----------------------------------------------------------------------------------------------


def showing(own: Identity, folder: Path) -> Callable[[ssl.SSLContext], None]:
    pem = own.private_key.to_pem(b"a passphrase") + "".join(c.pem for c in own.chain).encode()
    (folder / "own.pem").write_bytes(pem)
    return lambda context: context.load_cert_chain(folder / "own.pem", password=b"a passphrase")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_024_a_client_certificate_is_shown_to_a_server_that_asks(tmp_path: Path, version: str) -> None:
    mine, own = identity(NAME), identity("gateway.example", "Client CA")
    route = trusting(mine)
    assert route.tls is not None
    showing(own, tmp_path)(route.tls)
    context = mine.server_context(clients=authority("Client CA").certificate, version=version)
    with server(OK, tls=context) as there:
        assert post(there.url(host=NAME), route).status == 200
    assert there.requests[0].peer_certificate == own.certificate.der


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_024_without_the_certificate_it_asks_for_nothing_is_delivered(version: str) -> None:
    mine = identity(NAME)
    context = mine.server_context(clients=authority("Client CA").certificate, version=version)
    with server(OK, tls=context) as there, pytest.raises(TransportError):
        post(there.url(host=NAME), trusting(mine))
    assert there.requests == []


# --- basic authentication out ---------------------------------------------------------------------------------------

LOGIN = Login("us", "pässword")


def asking(challenge: str = 'Basic realm="AS2"', status: int = 401, login: Login = LOGIN) -> Callable[[Request], bytes]:
    """A server that answers only with the right credentials."""
    wanted = "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    no = answering(status, WWW_Authenticate=challenge)
    return lambda request: (OK if request.headers.get("authorization") == wanted else no)(request)


@pytest.mark.parametrize(
    "challenge", ['Basic realm="AS2"', 'basic realm="x", charset="UTF-8"', 'Digest a=1, Basic r="x"']
)
def test_007_025_a_401_is_answered_with_the_credentials_and_the_same_bytes(challenge: str) -> None:
    """RFC 9110 §11.6.1, RFC 7617 §2: after the challenge, and not before."""
    with server(asking(challenge)) as there:
        assert post(there.url(), Route(login=LOGIN)).status == 200
    first, second = there.requests
    assert "authorization" not in first.headers
    assert first.body == second.body == b"the message"


def test_025_a_server_that_has_asked_gets_them_with_the_first_request_from_then_on() -> None:
    """RFC 7617 §2.2: a large message does not travel twice each time."""
    client = HttpClient()
    with server(asking()) as there:
        for _ in range(3):
            assert post(there.url(), Route(login=LOGIN), client).status == 200
        assert len(there.requests) == 4
        other = Route(login=Login("somebody else", "x"))
        assert post(there.url(), other, client).status == 401
    assert "authorization" not in there.requests[4].headers


def test_025_a_wrong_password_is_sent_once_more_and_no_oftener() -> None:
    with server(asking()) as there:
        assert post(there.url(), Route(login=Login("us", "wrong"))).status == 401
    assert len(there.requests) == 2


@pytest.mark.parametrize(
    ("challenge", "status"), [('Digest realm="x"', 401), ("Bearer", 401), ('Basic realm="x"', 403), ("NotBasic", 401)]
)
def test_025_credentials_go_to_nobody_who_does_not_ask_for_them_this_way(challenge: str, status: int) -> None:
    with server(asking(challenge, status)) as there:
        assert post(there.url(), Route(login=LOGIN)).status == status
    assert [request.headers.get("authorization") for request in there.requests] == [None]


def test_025_without_credentials_a_401_is_the_answer() -> None:
    with server(asking()) as there:
        assert post(there.url()).status == 401
    assert len(there.requests) == 1


def test_025_a_header_of_the_message_cannot_pass_for_credentials() -> None:
    with server(OK) as there:
        post(there.url(), headers=(("Authorization", "Basic x"), ("Proxy-Authorization", "Basic y")))
    assert not {"authorization", "proxy-authorization"} & there.requests[0].headers.keys()


def test_025_a_password_is_never_shown() -> None:
    request = Outgoing(url="http://x/", headers=(), body=io.BytesIO(), length=0, route=Route(login=LOGIN))
    assert "pässword" not in repr(request)


# --- proxies --------------------------------------------------------------------------------------------------------


def test_026_an_https_server_is_reached_through_a_tunnel() -> None:
    """RFC 9110 §9.3.6. The proxy resolves the name and sees nothing of what passes."""
    mine = identity(NAME)
    with server(OK, tls=mine.server_context()) as there, proxy((there.host, there.port)) as between:
        route = Route(tls=trusting(mine).tls, proxy=between.url(""))
        assert post(f"https://{NAME}/as2", route).status == 200
    assert between.asked == [f"{NAME}:443"]
    (request,) = there.requests
    assert (request.target, request.headers["host"], request.body) == ("/as2", NAME, b"the message")
    assert between.requests[0].headers["host"] == f"{NAME}:443"
    assert "as2-from" not in between.requests[0].headers


def test_026_the_proxy_resolves_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def only_addresses(host: str, *arguments: object, **named: object) -> object:
        asked.append(host)
        return resolve(host, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", only_addresses)
    mine = identity("vendor.invalid")
    with server(OK, tls=mine.server_context()) as there, proxy((there.host, there.port)) as between:
        route = Route(tls=trusting(mine).tls, proxy=between.url(""))
        assert post("https://vendor.invalid/as2", route).status == 200
    assert set(asked) == {"127.0.0.1"}


def test_026_the_certificate_behind_the_tunnel_is_the_servers() -> None:
    mine, other = identity(NAME), identity("proxy.example")
    with server(OK, tls=other.server_context()) as there, proxy((there.host, there.port)) as between:
        for route in (trusting(mine), trusting(other), pinned(mine)):
            tunnel = Route(tls=route.tls, pinned=route.pinned, proxy=between.url(""))
            assert "certificate verify failed" in refused(f"https://{NAME}/as2", tunnel)
    assert there.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_026_a_proxy_and_a_server_at_ipv6_addresses(host: str) -> None:
    mine = identity("::1")
    with server(OK, tls=mine.server_context(), host="::1") as there, proxy(("::1", there.port), host=host) as between:
        route = Route(tls=trusting(mine).tls, proxy=between.url(""))
        assert post(there.url(), route).status == 200
    assert between.asked == [f"[::1]:{there.port}"]


def test_026_an_http_server_is_asked_for_by_its_whole_url() -> None:
    """RFC 9112 §3.2.2: there is nothing to hide, and many proxies allow CONNECT to port 443 alone."""
    with server(OK) as there, proxy((there.host, there.port)) as between:
        assert post("http://vendor.invalid:8080/as2?a=1", Route(proxy=between.url(""))).status == 200
    assert between.asked == ["http://vendor.invalid:8080/as2?a=1"]
    assert (there.requests[0].target, there.requests[0].headers["host"]) == ("/as2?a=1", "vendor.invalid:8080")


@pytest.mark.parametrize("secure", [True, False])
def test_026_a_proxy_gets_its_own_credentials_and_the_server_none_of_them(secure: bool) -> None:
    mine = identity(NAME)
    context = mine.server_context() if secure else None
    login = Login("me", "proxy password")
    with (
        server(asking(), tls=context) as there,
        proxy((there.host, there.port), authorization=login.header) as between,
    ):
        route = Route(tls=trusting(mine).tls, login=LOGIN, proxy=between.url(""), proxy_login=login)
        url = f"{'https' if secure else 'http'}://{NAME}/as2"
        assert post(url, route).status == 200
        without = Route(tls=trusting(mine).tls, proxy=between.url(""))
        if secure:
            assert "407" in refused(url, without)
        else:
            assert post(url, without).status == 407
    assert all("proxy-authorization" not in request.headers for request in there.requests)
    assert there.requests[-1].headers["authorization"] == LOGIN.header
    if secure:
        assert all("authorization" not in request.headers for request in between.requests)


@pytest.mark.parametrize("status", [403, 502])
def test_026_a_proxy_that_refuses_has_sent_nothing(status: int) -> None:
    with proxy(("127.0.0.1", 1), refuses=status) as between:
        route = Route(tls=trusting(identity(NAME)).tls, proxy=between.url(""))
        assert f"Tunnel connection failed: {status}" in refused(f"https://{NAME}/as2", route)


def test_026_a_proxy_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "refused" in refused(f"https://{NAME}/as2", Route(proxy=f"http://127.0.0.1:{port}"))


def test_026_a_proxy_is_no_way_around_the_addresses_that_we_do_not_send_to() -> None:
    with proxy(("127.0.0.1", 1)) as between:
        route = Route(proxy=between.url(""))
        assert "link-local" in refused("http://169.254.169.254/latest", route)
        assert "link-local" in refused("https://[fe80::1]/", route)
        assert "not a public address" in refused("http://127.0.0.1/", route, trusted=False)
    assert between.asked == []


def test_026_no_variable_names_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with server(OK) as there:
        assert post(there.url()).status == 200
