"""The profile between two peers of AS2 1.3 (draft rfc4130bis), from the first byte to the last: docs/adr/0008."""

from __future__ import annotations

import pytest

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.disposition import DUPLICATE_FILENAME, ILLEGAL_FILENAME, Disposition
from edi_gateway.as2.headers import PRODUCT, Headers
from edi_gateway.partnership import MdnMode
from edi_gateway.store.transmissions import TransmissionState
from tests.house import House, headers_of, status
from tests.partner import Posted

MDN_URL = "http://vendor.example/mdn"


@pytest.fixture(autouse=True)
def modern(house: House) -> None:
    house.agree(version="1.3", mdn_url=MDN_URL)


def message(house: House, **changes: str | None) -> Posted:
    return house.message(AS2_Version="1.3", AS2_Product="vendor-connect:4.2.3", **changes)


def wish(*micalgs: str) -> str:
    named = ", ".join(micalgs)
    return f"signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, {named}"


def test_019_version_and_product_stand_on_what_we_send(house: House) -> None:
    """Draft §6.1 and §6.2: MUST from 1.3 on; a static name and version."""
    house.send()
    house.dispatch()
    ((request, _),) = house.network.requests
    headers = Headers(request.headers)
    assert (headers.get("AS2-Version"), headers.get("AS2-Product")) == ("1.3", PRODUCT)
    name, _, version = PRODUCT.partition(":")
    assert name.replace("-", "").isalnum()
    assert name == name.lower()
    assert all(number.isdecimal() for number in version.split("."))


def test_019_version_and_product_stand_on_the_receipt(house: House) -> None:
    headers = headers_of(house.post(message(house)))
    assert (headers.get("AS2-Version"), headers.get("AS2-Product")) == ("1.3", PRODUCT)


def test_085_the_first_supported_algorithm_of_the_list_signs_the_receipt(house: House) -> None:
    """Draft §8.3: unknown entries are passed over, and so is SHA-1, which two 1.3 peers do not use."""
    posted = message(house, Disposition_Notification_Options=wish("sha3-256", "sha-1", "sha-384", "sha-256"))
    answer = house.post(posted)
    assert "micalg=sha-384" in headers_of(answer).get("Content-Type")
    assert house.only().mic is not None


def test_064_086_a_partner_that_wants_sha_1_alone_is_refused_unsigned(house: House) -> None:
    """Draft §8.3: an algorithm that is not listed MUST NOT be used, and §6.1 forbids the one that is."""
    answer = house.post(message(house, Disposition_Notification_Options=wish("sha-1")))
    assert b"failed/Failure: unsupported MIC-algorithms" in answer.body
    assert headers_of(answer).get("Content-Type").startswith("multipart/report")


def test_064_a_message_that_is_signed_with_sha_1_is_refused(house: House) -> None:
    partner = house.partner
    signed = partner.signed(partner.entity(), digest=Digest.SHA1, micalg="sha-1")
    house.post(partner.post(partner.encrypted(signed), AS2_Version="1.3"))
    assert house.only().disposition == "processed/error: insufficient-message-security"


def test_099_an_asynchronous_receipt_is_announced_with_204(house: House) -> None:
    """Draft §5.4 and §8.2. It goes out when what came is kept: a 2xx is a promise."""
    answer = house.post(message(house, Receipt_Delivery_Option=MDN_URL))
    assert (answer.status, answer.body) == (204, b"")
    assert house.kept(house.rows()[0].raw_sha256)


@pytest.mark.parametrize("answered", [200, 202, 204])
def test_099_every_2xx_before_their_asynchronous_receipt_is_delivery(house: House, answered: int) -> None:
    house.agree(version="1.3", mdn_mode=MdnMode.ASYNC)
    sent = house.send()
    house.network.answers = [status(answered)]
    house.dispatch()
    assert house.row(sent).state is TransmissionState.AWAITING_MDN


@pytest.mark.parametrize(
    ("changes", "modifier"),
    [
        ({"Message_ID": "<a b@vendor.example>"}, b"processed/error: invalid-message-id"),
        ({"Message_ID": f"<{'a' * 998}@vendor.example>"}, b"processed/error: invalid-message-id"),
        ({"AS2_From": "STRANGER"}, b"processed/error: unknown-trading-relationship"),
    ],
)
def test_092_the_modifiers_that_are_new_in_1_3(house: House, changes: dict[str, str], modifier: bytes) -> None:
    """Draft §8.5.4, with an explanation for people."""
    answer = house.post(message(house, **changes))
    assert (answer.status, modifier in answer.body, b"\r\nError: " in answer.body) == (200, True, True)


@pytest.mark.parametrize("disposition", [DUPLICATE_FILENAME, ILLEGAL_FILENAME])
def test_092_what_a_partner_says_of_file_names_is_a_refusal(house: House, disposition: Disposition) -> None:
    """We never say it ourselves: a file name is data here, and no two of them meet in a folder."""
    sent = house.send()
    house.network.answers = [lambda request, body: house.network.mdn(request, body, disposition)]
    house.dispatch()
    row = house.row(sent)
    assert (row.state, row.disposition) == (TransmissionState.REFUSED, disposition.status)


@pytest.mark.parametrize("name", ["../../etc/passwd", "CON", "same.edi"])
def test_092_no_file_name_is_illegal_and_none_a_duplicate(house: House, name: str) -> None:
    partner = house.partner
    disposition = f'Content-Disposition: attachment; filename="{name}"'
    for number in range(2):
        entity = partner.entity(b"UNB+%d'" % number, "application/edifact", disposition)
        sealed = partner.encrypted(partner.signed(entity))
        house.post(partner.post(sealed, f"<{number}@vendor.example>", AS2_Version="1.3"))
    assert [row.state for row in house.rows()] == [TransmissionState.RECEIVED] * 2
