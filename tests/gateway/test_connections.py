"""What is agreed about a connection, from the partnership to the wire: a gateway against real servers on loopback."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edi_gateway.as2.certificates import Certificate, KeyUse
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.connections import (
    PASSWORD_BYTES_MAX,
    Caller,
    ConnectionFault,
    Connections,
    certificate_in_header,
)
from edi_gateway.gateway.dispatch import dispatch
from edi_gateway.gateway.keys import KeyStore
from edi_gateway.partnership import (
    AccessPolicy,
    Credentials,
    DatedCertificate,
    HttpPolicy,
    TlsPolicy,
    TlsTrust,
)
from edi_gateway.store.transmissions import TransmissionKind, TransmissionState
from edi_gateway.transport.http import Answer, HttpClient, Login, Outgoing
from tests.house import NAME, House
from tests.servers import Identity, Request, answering, authority, identity, proxy, server

TEN_YEARS = {"started": 3650, "days": 7300}  # valid for the library's real clock and for that of the house


def dated(*identities: Identity) -> tuple[DatedCertificate, ...]:
    return tuple(DatedCertificate(pem=each.certificate.pem) for each in identities)


def pinning(*identities: Identity, **more: object) -> TlsPolicy:
    return TlsPolicy(trust=TlsTrust.PINNED, certificates=dated(*identities), **more)  # type: ignore[arg-type]


def vendor(house: House, wanted: str = "") -> Callable[[Request], bytes]:
    """The partner's server: opens what comes and gives its signed MDN. `wanted` is the Authorization it asks for."""

    def behave(request: Request) -> bytes:
        if request.headers.get("authorization", "") != wanted:
            return answering(401, WWW_Authenticate='Basic realm="AS2"')(request)
        headers = tuple(request.headers.items())
        outgoing = Outgoing(url="", headers=headers, body=io.BytesIO(), length=len(request.body))
        answer: Answer = house.network.mdn(outgoing, request.body)
        lines = [f"{name}: {value}" for name, value in answer.headers if name.lower() != "content-length"]
        head = "\r\n".join(("HTTP/1.1 200 OK", *lines, f"Content-Length: {len(answer.body)}", "", ""))
        return head.encode("latin-1") + answer.body

    return behave


def on_the_wire(house: House, keys: KeyStore | None = None) -> Gateway:
    """The gateway of the house with the real network."""
    return replace(house.gateway, send=HttpClient(), keys=keys or house.gateway.keys)


def sent(house: House, gateway: Gateway) -> TransmissionState:
    """Where a message stands after one attempt."""
    transmission = house.send()
    dispatch(gateway, NAME)
    return house.row(transmission).state


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "own", b"correct horse battery")


def tls_key(keys: KeyStore, own: Identity, house: House, in_days: int = 0) -> Certificate:
    moment = house.now + timedelta(days=in_days)
    data = own.private_key.to_pem(b"elsewhere") + "".join(c.pem for c in own.chain).encode()
    uses = frozenset({KeyUse.TLS})
    return keys.import_key(data, password=b"elsewhere", now=house.now, use_from=moment, uses=uses).certificate


# --- out ------------------------------------------------------------------------------------------------------------


def test_023_a_message_to_a_pinned_https_server_is_acknowledged(house: House) -> None:
    mine = identity("AS2 server of the vendor", as_name=False)
    with server(vendor(house), tls=mine.server_context()) as there:
        house.agree(url=there.url(), tls=pinning(mine))
        assert sent(house, on_the_wire(house)) is TransmissionState.ACKNOWLEDGED


@pytest.mark.parametrize("trust", [TlsTrust.SYSTEM, TlsTrust.AUTHORITIES, TlsTrust.PINNED])
def test_023_an_https_server_that_is_not_trusted_gets_nothing_and_is_tried_again(house: House, trust: TlsTrust) -> None:
    """OpenAS2 #520: a failure of TLS is no success; the message stays queued with the reason."""
    certificates = () if trust is TlsTrust.SYSTEM else dated(identity("other.example"))
    with server(vendor(house), tls=identity("127.0.0.1").server_context()) as there:
        house.agree(url=there.url(), tls=TlsPolicy(trust=trust, certificates=certificates))
        assert sent(house, on_the_wire(house)) is TransmissionState.QUEUED
    assert there.requests == []
    assert "certificate verify failed" in house.only().reason
    assert "did not leave" in house.only().reason


def test_023_each_partner_has_its_own_trust(house: House) -> None:
    """What one partnership pins is worth nothing for another one, and a change is in force at once."""
    mine = identity("127.0.0.1")
    gateway = on_the_wire(house)
    with server(vendor(house), tls=mine.server_context()) as there:
        house.agree(url=there.url(), tls=pinning(mine))
        assert gateway.connections.route(house.partnership, house.now).pinned
        house.agree(url=there.url())
        assert sent(house, gateway) is TransmissionState.QUEUED
        house.agree(url=there.url(), tls=TlsPolicy(trust=TlsTrust.AUTHORITIES, certificates=dated(mine)))
        assert sent(house, gateway) is TransmissionState.ACKNOWLEDGED


def test_023_a_context_is_made_once_for_what_was_agreed(house: House) -> None:
    connections = house.gateway.connections
    house.agree(tls=pinning(identity("127.0.0.1")))
    first = connections.route(house.partnership, house.now).tls
    house.agree(tls=pinning(identity("127.0.0.1")), mdn_wait=timedelta(hours=1))
    assert connections.route(house.partnership, house.now).tls is first
    house.agree(tls=pinning(identity("127.0.0.1"), minimum_version="1.3"))
    assert connections.route(house.partnership, house.now).tls is not first


def test_024_our_client_certificate_is_shown_with_its_chain(house: House, keys: KeyStore) -> None:
    mine, own = identity("127.0.0.1"), identity("gateway.example", "Client CA", **TEN_YEARS)
    tls_key(keys, own, house)
    context = mine.server_context(clients=authority("Client CA").certificate)
    with server(vendor(house), tls=context) as there:
        house.agree(url=there.url(), tls=pinning(mine, client_certificate=True))
        assert sent(house, on_the_wire(house, keys)) is TransmissionState.ACKNOWLEDGED
    assert there.requests[0].peer_certificate == own.certificate.der


def test_024_117_our_client_certificate_is_switched_by_date(house: House, keys: KeyStore) -> None:
    """The seventh look-up: both are shown to nobody at once, so it goes by the date."""
    mine = identity("127.0.0.1")
    old = identity("gateway.example", "Client CA", **TEN_YEARS)
    new = identity("gateway-2.example", "Client CA", **TEN_YEARS)
    tls_key(keys, old, house)
    tls_key(keys, new, house, in_days=10)
    gateway = on_the_wire(house, keys)
    context = mine.server_context(clients=authority("Client CA").certificate)
    with server(vendor(house), tls=context) as there:
        house.agree(url=there.url(), tls=pinning(mine, client_certificate=True))
        for days in (0, 9, 1):
            house.later(days=days)
            assert sent(house, gateway) is TransmissionState.ACKNOWLEDGED
    shown = [request.peer_certificate for request in there.requests]
    assert shown == [old.certificate.der, old.certificate.der, new.certificate.der]


def test_024_without_a_key_for_tls_it_is_parked_and_said_what_to_do(house: House, keys: KeyStore) -> None:
    keys.generate("MARKET", now=house.now, key="p-256")  # signs, and is for AS2 alone
    house.agree(tls=TlsPolicy(client_certificate=True))
    assert sent(house, on_the_wire(house, keys)) is TransmissionState.PARKED
    assert "keys generate --for tls" in house.only().reason
    assert house.alerts() == ["alert.transmission-parked"]


BASIC = Login("us", "first password")


def test_025_credentials_come_from_a_file_and_a_new_password_needs_no_restart(house: House) -> None:
    file = house.folder / "vendor-password"
    house.agree(http=HttpPolicy(credentials=Credentials(username="us", password_file="vendor-password")))
    gateway = on_the_wire(house)
    for password in ("first password", "second password"):
        file.write_text(f"{password}\n")
        file.chmod(0o600)
        with server(vendor(house, Login("us", password).header)) as there:
            house.agree(
                url=there.url(),
                http=HttpPolicy(credentials=Credentials(username="us", password_file="vendor-password")),
            )
            assert sent(house, gateway) is TransmissionState.ACKNOWLEDGED
        assert "authorization" in there.requests[-1].headers


def test_025_credentials_come_from_a_variable(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDI_GATEWAY_SECRET_VENDOR", BASIC.password)
    with server(vendor(house, BASIC.header)) as there:
        credentials = Credentials(username="us", password_variable="EDI_GATEWAY_SECRET_VENDOR")
        house.agree(url=there.url(), http=HttpPolicy(credentials=credentials))
        assert sent(house, on_the_wire(house)) is TransmissionState.ACKNOWLEDGED
    everything = "".join(str(event.content) for event in house.events()) + str(house.only().headers)
    assert BASIC.password not in everything
    assert BASIC.header not in everything


@pytest.mark.parametrize(
    ("mode", "content", "says"),
    [
        (0o644, b"x", "chmod 600"),
        (0o600, b"", "no password of 1 to"),
        (0o600, b"\n", "no password of 1 to"),
        (0o600, b"\xff", "not UTF-8"),
        (0o600, b"x" * (PASSWORD_BYTES_MAX + 1), "no password of 1 to"),
        (None, b"", "cannot be read"),
    ],
)
def test_025_a_password_that_cannot_be_had_parks_and_says_which(
    house: House, mode: int | None, content: bytes, says: str
) -> None:
    if mode is not None:
        (house.folder / "secret").write_bytes(content)
        (house.folder / "secret").chmod(mode)
    house.agree(http=HttpPolicy(credentials=Credentials(username="us", password_file="secret")))
    assert sent(house, on_the_wire(house)) is TransmissionState.PARKED
    assert "as2.http.credentials: " in house.only().reason
    assert says in house.only().reason


def test_025_a_password_of_the_greatest_length_is_taken(house: House) -> None:
    environment = {"EDI_GATEWAY_SECRET_X": "x" * PASSWORD_BYTES_MAX}
    connections = Connections(house.gateway.keys, house.folder, environment)
    credentials = Credentials(username="us", password_variable="EDI_GATEWAY_SECRET_X")
    house.agree(http=HttpPolicy(credentials=credentials))
    login = connections.route(house.partnership, house.now).login
    assert login == Login("us", "x" * PASSWORD_BYTES_MAX)
    house.agree(http=HttpPolicy(credentials=replace(credentials, password_variable="EDI_GATEWAY_SECRET_Y")))
    with pytest.raises(ConnectionFault, match="EDI_GATEWAY_SECRET_Y holds no password"):
        connections.route(house.partnership, house.now)


def test_026_through_a_proxy_with_credentials_of_its_own(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDI_GATEWAY_SECRET_PROXY", "for the proxy")
    wanted = Login("me", "for the proxy").header
    mine = identity("127.0.0.1")
    with (
        server(vendor(house), tls=mine.server_context()) as there,
        proxy((there.host, there.port), authorization=wanted) as between,
    ):
        credentials = Credentials(username="me", password_variable="EDI_GATEWAY_SECRET_PROXY")
        http = HttpPolicy(proxy=between.url(""), proxy_credentials=credentials)
        house.agree(url="https://edi.vendor.invalid:8443/as2", tls=pinning(mine), http=http)
        assert sent(house, on_the_wire(house)) is TransmissionState.ACKNOWLEDGED
    assert between.asked == ["edi.vendor.invalid:8443"]


def test_022_to_an_ipv6_literal(house: House) -> None:
    with server(vendor(house), host="::1") as there:
        house.agree(url=there.url())
        assert sent(house, on_the_wire(house)) is TransmissionState.ACKNOWLEDGED


@pytest.mark.parametrize("trusted", [True, False])
def test_081_an_asynchronous_receipt_goes_to_an_https_address(house: House, trusted: bool) -> None:
    """RFC 4130 §7.2: with the trust of the partnership, or not at all."""
    mine = identity("127.0.0.1")
    with server(answering(204), tls=mine.server_context()) as there:
        house.agree(mdn_url=there.url("/mdn"), tls=pinning(mine) if trusted else TlsPolicy())
        answer = house.post(house.message(Receipt_Delivery_Option=there.url("/mdn")))
        assert (answer.status, answer.body) == (200, b"")
        dispatch(on_the_wire(house), NAME)
    (receipt,) = [row for row in house.rows() if row.kind is TransmissionKind.RECEIPT]
    if trusted:
        assert receipt.state is TransmissionState.SENT
        (posted,) = there.requests
        assert posted.target == "/mdn"
        assert posted.body == house.receipts()[0].body
        assert (posted.headers["as2-from"], posted.headers["as2-to"]) == ("MARKETPLACE", "VENDOR")
    else:
        assert receipt.state is TransmissionState.QUEUED
        assert there.requests == []


# --- in -------------------------------------------------------------------------------------------------------------


def denial(house: House, access: AccessPolicy, caller: Caller) -> tuple[int, bool] | None:
    connections = Connections(house.gateway.keys, house.folder, {"EDI_GATEWAY_SECRET_IN": "their password"})
    house.agree(access=access)
    denied = connections.denial(house.partnership, caller)
    return (denied.status, denied.was_tried) if denied else None


THEIRS = Credentials(username="them", password_variable="EDI_GATEWAY_SECRET_IN")


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        (Login("them", "their password"), None),
        (Login("them", "another"), (401, True)),
        (Login("others", "their password"), (401, True)),
        (Login("", ""), (401, True)),
        (None, (401, False)),
    ],
)
def test_025_basic_authentication_of_a_caller(
    house: House, login: Login | None, expected: tuple[int, bool] | None
) -> None:
    assert denial(house, AccessPolicy(credentials=THEIRS), Caller(login)) == expected


def test_025_where_nothing_is_agreed_the_signature_is_enough(house: House) -> None:
    assert denial(house, AccessPolicy(), Caller()) is None
    assert denial(house, AccessPolicy(), Caller(Login("any", "body"))) is None


def test_025_a_password_of_ours_that_cannot_be_had_lets_nobody_in(house: House) -> None:
    house.agree(access=AccessPolicy(credentials=Credentials(username="them", password_file="absent")))
    with pytest.raises(ConnectionFault, match="absent: cannot be read"):
        house.post(house.message())
    assert house.rows() == []
    assert house.alerts() == ["alert.relationship-fault"]


def test_024_the_certificate_of_a_caller(house: House) -> None:
    pinned, other = identity("client.example").certificate, identity("other.example").certificate
    both = dated(identity("client-2.example"), identity("client.example"))
    access = AccessPolicy(client_certificates=both)
    assert denial(house, access, Caller(certificate=pinned.fingerprint)) is None
    assert denial(house, access, Caller(certificate=other.fingerprint)) == (403, True)
    assert denial(house, access, Caller()) == (403, True)
    with_login = replace(access, credentials=THEIRS)
    assert denial(house, with_login, Caller(certificate=pinned.fingerprint)) == (401, False)


def test_024_a_certificate_as_proxies_write_it() -> None:
    """RFC 9440 §2.1, nginx's $ssl_client_escaped_cert, and bare base64."""
    certificate = identity("client.example").certificate
    text = base64.b64encode(certificate.der).decode()
    escaped = certificate.pem.replace("\n", "%0A").replace(" ", "%20").replace("+", "%2B")
    for value in (f":{text}:", f" :{text}: ", escaped, text):
        assert certificate_in_header(value) == certificate.fingerprint
    for value in ("", ":", "::", "rubbish", f":{text[:-9]}:", f":{text}:,:{text}:", "%", "SUCCESS"):
        assert certificate_in_header(value) == ""
