"""The AS2 endpoint: what goes from HTTP to the gateway and back, and nothing else."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from edi_gateway.config import ReverseProxy
from edi_gateway.gateway.failed_logins import FAILURE_SECONDS, FAILURES_MAX
from edi_gateway.partnership import AccessPolicy, Credentials, DatedCertificate
from edi_gateway.store.transmissions import TransmissionState
from edi_gateway.web.app import create_app
from edi_gateway.web.as2 import allowed
from tests.house import House
from tests.partner import Posted


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture
def client(house: House) -> FlaskClient:
    return create_app(house.gateway).test_client()


def post(client: FlaskClient, posted: Posted, **more: str) -> TestResponse:
    headers = [*posted.headers, *((name.replace("_", "-"), value) for name, value in more.items())]
    return client.post("/as2", data=posted.body, headers=headers)


def test_the_receipt_goes_back_with_its_headers(house: House, client: FlaskClient) -> None:
    response = post(client, house.message())
    (kept,) = house.receipts()
    assert (response.status_code, response.data) == (200, kept.body)
    for name, value in kept.headers:
        assert response.headers[name] == value
    assert response.headers["Content-Type"].startswith("multipart/signed")


def test_the_same_again_is_the_same_to_the_byte(house: House, client: FlaskClient) -> None:
    posted = house.message()
    first, second = post(client, posted), post(client, posted)
    assert (first.data, list(first.headers)) == (second.data, list(second.headers))
    assert len(house.rows()) == 1


def test_an_empty_answer_has_no_content_type(house: House, client: FlaskClient) -> None:
    response = post(client, house.message(Disposition_Notification_To=None))
    assert (response.status_code, response.data, "Content-Type" in response.headers) == (200, b"", False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_another_method_is_told_what_this_is_rfc9110_15_5_6(client: FlaskClient, method: str) -> None:
    response = client.open("/as2", method=method)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert method == "HEAD" or b"RFC 4130" in response.data


def test_a_stranger_without_as2_headers(client: FlaskClient, house: House) -> None:
    response = client.post("/as2", data=b"hello")
    assert (response.status_code, house.rows()) == (400, [])


def test_only_headers_that_have_a_meaning_go_further(house: House, client: FlaskClient) -> None:
    post(client, house.message(), Cookie="session=1", Authorization="Basic c2VjcmV0", X_Forwarded_For="10.0.0.1")
    kept = {name.lower() for name, _ in house.only().headers}
    assert {"as2-from", "as2-to", "message-id", "content-type", "disposition-notification-to"} <= kept
    assert kept.isdisjoint({"cookie", "authorization", "x-forwarded-for", "host"})


def test_the_table_of_headers() -> None:
    given = [("AS2-Anything", "1"), ("content-md5", "2"), ("Via", "3"), ("EDIINT-FEATURES", "4"), ("Te", "5")]
    assert [value for _, value in allowed(given)] == ["1", "2", "4"]


def test_our_own_fault_is_a_503_without_a_receipt_and_without_details(
    house: House, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The partner sends again; what he reads says nothing of our inside."""

    def full(*arguments: object) -> None:
        raise OperationalError("INSERT INTO transmission", {}, Exception("disk is full"))

    posted = house.message()
    with monkeypatch.context() as patch:
        patch.setattr("sqlalchemy.Connection.commit", full)
        response = post(client, posted)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
    assert b"INSERT" not in response.data
    assert b"disk" not in response.data
    assert post(client, posted).status_code == 200
    assert house.only().state is TransmissionState.RECEIVED


def test_a_page_that_does_not_exist(client: FlaskClient) -> None:
    assert client.get("/nothing").status_code == 404


# --- health ---------------------------------------------------------------------------------------------------------


def test_healthy_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json == {"ready": True, "checks": {"database": True, "payloads": True, "workers": True}}


def test_not_ready_without_a_place_for_payloads(house: House, client: FlaskClient) -> None:
    folder = house.folder / "payloads" / "incoming"
    folder.rename(folder.with_name("gone"))
    response = client.get("/readyz")
    assert (response.status_code, response.json["checks"]["payloads"]) == (503, False)
    assert client.get("/healthz").status_code == 200


def test_not_ready_without_the_database(house: House, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*arguments: object, **named: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr("edi_gateway.store.database.WritingSqlite.do_begin", locked)
    response = client.get("/readyz")
    assert (response.status_code, response.json["checks"]["database"]) == (503, False)


def test_not_ready_without_workers(house: House) -> None:
    client = create_app(house.gateway, workers_alive=lambda: False).test_client()
    response = client.get("/readyz")
    assert (response.status_code, response.json["checks"]["workers"]) == (503, False)


# --- beyond the signature -------------------------------------------------------------------------------------------

THEIRS = Credentials(username="them", password_variable="EDI_GATEWAY_SECRET_VENDOR")


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def test_025_a_partner_that_has_to_log_in_is_asked_and_let_in(
    house: House, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9110 §11.6.1: the challenge, and then the same message with credentials. A first try without is no fault."""
    monkeypatch.setenv("EDI_GATEWAY_SECRET_VENDOR", "their password")
    house.agree(access=AccessPolicy(credentials=THEIRS))
    asked = post(client, house.message())
    assert (asked.status_code, asked.headers["WWW-Authenticate"]) == (401, 'Basic realm="AS2", charset="UTF-8"')
    assert (house.rows(), house.events()) == ([], [])
    answer = post(client, house.message(), Authorization=basic("them", "their password"))
    assert answer.status_code == 200
    assert house.only().state is TransmissionState.RECEIVED
    assert "authorization" not in {name.lower() for name, _ in house.only().headers}


@pytest.mark.parametrize(
    "authorization", [basic("them", "wrong"), basic("us", "their password"), "Basic %%%", "Bearer x", "Basic"]
)
def test_025_wrong_credentials_leave_an_event_and_nothing_else(
    house: House, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, authorization: str
) -> None:
    monkeypatch.setenv("EDI_GATEWAY_SECRET_VENDOR", "their password")
    house.agree(access=AccessPolicy(credentials=THEIRS))
    assert post(client, house.message(), Authorization=authorization).status_code == 401
    assert house.rows() == []
    for event in house.events():
        assert (event.kind, event.subject) == ("partnership.access-denied", "partnership:vendor")
        assert "wrong" not in str(event.details)


def test_who_guesses_has_to_wait_and_the_log_does_not_grow(
    house: House, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDI_GATEWAY_SECRET_VENDOR", "their password")
    house.agree(access=AccessPolicy(credentials=THEIRS))
    for _ in range(FAILURES_MAX):
        assert post(client, house.message(), Authorization=basic("them", "guess")).status_code == 401
    for password in ("guess", "their password"):
        answer = post(client, house.message(), Authorization=basic("them", password))
        assert (answer.status_code, 0 < int(answer.headers["Retry-After"]) <= FAILURE_SECONDS) == (429, True)
    assert len(house.events()) == FAILURES_MAX
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    headers = [*house.message().headers, ("Authorization", basic("them", "their password"))]
    assert client.post("/as2", headers=headers, environ_base=elsewhere, data=b"").status_code != 429


def test_025_without_its_password_the_gateway_lets_nobody_in(house: House, client: FlaskClient) -> None:
    house.agree(access=AccessPolicy(credentials=THEIRS))
    assert post(client, house.message(), Authorization=basic("them", "")).status_code == 503
    assert house.alerts() == ["alert.relationship-fault"]


@pytest.mark.parametrize(
    ("believed", "header", "status"),
    [
        ("127.0.0.1", "Client-Cert", 200),
        ("127.0.0.0/8, ::1", "Client-Cert", 200),
        ("10.0.0.1", "Client-Cert", 403),  # a client that writes the header itself
        ("", "Client-Cert", 403),
        ("127.0.0.1", "", 403),
        ("127.0.0.1", "X-Other", 403),
    ],
)
def test_024_a_client_certificate_counts_from_a_trusted_proxy_alone(
    house: House, believed: str, header: str, status: int
) -> None:
    """RFC 9440 §4: any client can write this header."""
    shown = house.partner.key.certificate
    house.agree(access=AccessPolicy(client_certificates=(DatedCertificate(pem=shown.pem),)))
    proxied = ReverseProxy(addresses=believed, client_certificate_header=header)
    config = house.gateway.config.model_copy(update={"reverse_proxy": proxied})
    client = create_app(replace(house.gateway, config=config)).test_client()
    value = f":{base64.b64encode(shown.der).decode()}:"
    assert post(client, house.message(), Client_Cert=value).status_code == status
    assert len(house.rows()) == (status == 200)
    assert [event.kind for event in house.events("partnership.")] == ["partnership.access-denied"] * (status == 403)


@pytest.mark.parametrize(("header", "waits"), [("X-Forwarded-For", False), ("", True)])
def test_behind_a_proxy_who_guesses_passwords_waits_by_an_address_of_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch, header: str, waits: bool
) -> None:
    """RFC 7235 through a proxy: without its header it is the proxy, and so every caller, who has to wait."""
    monkeypatch.setenv("EDI_GATEWAY_SECRET_VENDOR", "right")
    house.agree(access=AccessPolicy(credentials=THEIRS))
    proxied = ReverseProxy(addresses="127.0.0.1", forwarded_header=header)
    config = house.gateway.config.model_copy(update={"reverse_proxy": proxied})
    client = create_app(replace(house.gateway, config=config)).test_client()

    def status(password: str, address: str) -> int:
        token = base64.b64encode(f"them:{password}".encode()).decode()
        sent = {"Authorization": f"Basic {token}", "X_Forwarded_For": f"192.0.2.66, {address}"}
        return post(client, house.message(), **sent).status_code

    guesses = [status("wrong", "203.0.113.5") for _ in range(11)]
    assert (guesses[0], guesses[-1]) == (401, 429)
    assert status("right", "203.0.113.9") == (429 if waits else 200)
