"""The XML of certificate exchange messages, both ways, and what is refused (draft-meadors-certificate-exchange-14)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.as2.attachments import Attachment, Document, pack_related, read_attachments
from edi_gateway.as2.certificates import Certificate, load_certificates
from edi_gateway.as2.exchange import (
    CERTIFICATE_BYTES_MAX,
    CERTIFICATE_TYPE,
    CERTIFICATES_MAX,
    TEXT_CHARACTERS_MAX,
    XML_BYTES_MAX,
    XML_TYPE,
    ExchangeMalformed,
    ExchangeRequest,
    ExchangeResponse,
    Status,
    TrustRequest,
    TrustResponse,
    Usage,
    certificate_document,
    is_exchange,
    read_exchange,
    read_xml,
    write_request,
    write_response,
)
from tests.partner import NOW, key_of

MINE = key_of("Exchange", "p-256").certificate
OTHER = key_of("Exchange other", "p-256").certificate
BY_NAME = {"1.x": MINE, "2.x": OTHER}

# As the draft's examples are laid out, with values of our own.
REQUEST = f"""<?xml version="1.0" encoding="UTF-8"?>
<EDIINTCertificateExchangeRequest xmlns="urn:ietf:params:xml:ns:ediintcertificateexchange"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    requestId="request-1@vendor.example">
  <TradingPartnerInfo>
    <Name qualifier="AS2">VENDOR</Name>
    <MessageOriginated>2026-11-22T13:00:00+01:00</MessageOriginated>
  </TradingPartnerInfo>
  <!-- a comment -->
  <TrustRequest>
    <CertUsage>digitalSignature</CertUsage>
    <CertUsage>keyEncipherment</CertUsage>
    <RespondByDate>2026-12-22T00:00:00Z</RespondByDate>
    <ResponseURL>http://169.254.169.254/as2</ResponseURL>
    <EndEntity>
      <CertificateIdentifier>
        <ds:X509IssuerName>CN=Exchange</ds:X509IssuerName>
        <ds:X509SerialNumber>{MINE.serial}</ds:X509SerialNumber>
      </CertificateIdentifier>
      <CertificateContentID>1.x</CertificateContentID>
    </EndEntity>
  </TrustRequest>
</EDIINTCertificateExchangeRequest>
"""
RESPONSE = f"""<EDIINTCertificateExchangeResponse xmlns="urn:ietf:params:xml:ns:ediintcertificateexchange"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#" requestId="request-1@vendor.example">
  <TradingPartnerInfo>
    <Name qualifier="AS2">VENDOR</Name><MessageOriginated>2026-11-22T12:00:00Z</MessageOriginated>
  </TradingPartnerInfo>
  <TrustResponse>
    <CertStatus>Rejected</CertStatus>
    <ReasonForRejection>not by this telephone number</ReasonForRejection>
    <CertificateReference>
      <ds:X509IssuerName>CN=Exchange</ds:X509IssuerName>
      <ds:X509SerialNumber>{MINE.serial}</ds:X509SerialNumber>
    </CertificateReference>
  </TrustResponse>
</EDIINTCertificateExchangeResponse>
"""


def by_name(content_id: str) -> Certificate:
    return BY_NAME[content_id]


def refused(xml: str | bytes, find: Callable[[str], Certificate] = by_name) -> str:
    with pytest.raises(ExchangeMalformed) as caught:
        read_xml(xml.encode() if isinstance(xml, str) else xml, find)
    return str(caught.value)


def part(content_type: str, data: bytes, content_id: str = "") -> Attachment:
    return Attachment(
        content_type=content_type,
        payload=io.BytesIO(data),
        size=len(data),
        filename="",
        filename_received="",
        content_id=content_id,
    )


def test_121_a_request_is_read() -> None:
    request = read_xml(REQUEST.encode(), by_name)
    assert request == ExchangeRequest(
        request_id="request-1@vendor.example",
        sender="VENDOR",
        originated=datetime(2026, 11, 22, 13, tzinfo=timezone(timedelta(hours=1))),
        requests=(
            TrustRequest(
                certificate=MINE,
                usages=frozenset({Usage.SIGNATURE, Usage.ENCRYPTION}),
                respond_by=datetime(2026, 12, 22, tzinfo=UTC),
                response_url="http://169.254.169.254/as2",
            ),
        ),
    )


def test_121_a_response_is_read() -> None:
    response = read_xml(RESPONSE.encode(), by_name)
    assert isinstance(response, ExchangeResponse)
    assert response.responses == (
        TrustResponse(
            issuer="CN=Exchange", serial=MINE.serial, status=Status.REJECTED, reason="not by this telephone number"
        ),
    )


usages = st.sets(st.sampled_from(Usage), min_size=1).map(frozenset)
moments = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@given(sender=names, usage=usages, moment=moments, until=st.none() | moments)
@settings(max_examples=50, deadline=None)
def test_121_what_is_written_is_read_again(
    sender: str, usage: frozenset[Usage], moment: datetime, until: datetime | None
) -> None:
    asked = [
        TrustRequest(
            certificate=certificate, usages=usage, respond_by=until, response_url="http://us.example/as2?a=1&b=2"
        )
        for certificate in (MINE, OTHER)
    ]
    request = ExchangeRequest(request_id="7@us", sender=sender, originated=moment, requests=tuple(asked))
    assert read_xml(write_request(request, ["1.x", "2.x"]), by_name) == request
    answer = TrustResponse(issuer="CN=a,O=<b>", serial=MINE.serial, status=Status.ACCEPTED)
    response = ExchangeResponse(request_id="7@us", sender=sender, originated=moment, responses=(answer,))
    assert read_xml(write_response(response), by_name) == response


def test_121_a_request_travels_with_its_certificates_as_p7() -> None:
    """RFC 8551 §3.8: certs-only."""
    request = read_xml(REQUEST.encode(), by_name)
    assert isinstance(request, ExchangeRequest)
    documents = (
        Document(content_type=XML_TYPE, payload=io.BytesIO(write_request(request, ["1.request@us"]))),
        Document(content_type=CERTIFICATE_TYPE, payload=io.BytesIO(certificate_document(MINE))),
    )
    content_type, payload = pack_related(documents, "request@us", io.BytesIO)
    assert is_exchange(content_type)
    assert read_exchange(read_attachments(content_type, payload, io.BytesIO)) == request
    assert load_certificates(certificate_document(MINE, [OTHER])) == (MINE, OTHER)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (f'multipart/related; type="{XML_TYPE}"; boundary=x', True),
        (f"Multipart/Related; boundary=x; TYPE={XML_TYPE.upper()}", True),
        (XML_TYPE, True),
        ("multipart/related; type=application/xml; boundary=x", False),
        ("multipart/related; boundary=x", False),
        ("application/edifact", False),
        ("", False),
    ],
)
def test_121_a_certificate_exchange_is_known_by_its_type(content_type: str, expected: bool) -> None:
    assert is_exchange(content_type) is expected


@pytest.mark.parametrize("form", ["pem", "der", "base64"])
def test_121_the_part_of_a_certificate_may_have_any_form(form: str) -> None:
    data = {
        "pem": MINE.pem.encode(),
        "der": MINE.der,
        "base64": b"".join(MINE.pem.encode().splitlines()[1:-1]),
    }[form]
    found = read_exchange([part(XML_TYPE, REQUEST.encode()), part(CERTIFICATE_TYPE, data, "1.x")])
    assert isinstance(found, ExchangeRequest)
    assert found.requests[0].certificate == MINE


def test_121_a_root_that_is_not_named_by_its_type_is_the_first_part() -> None:
    found = read_exchange([part("application/xml", REQUEST.encode()), part(CERTIFICATE_TYPE, MINE.der, "1.x")])
    assert isinstance(found, ExchangeRequest)


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doctype", "inner"),
    [
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "&e;"),
        ('<!DOCTYPE x [<!ENTITY e "VENDOR">]>', "&e;"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">', "VENDOR"),
        ("<!DOCTYPE x>", "VENDOR"),
        (
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
            '<!ENTITY e "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>',
            "&e;",
        ),
    ],
    ids=["external entity", "internal entity", "external subset", "bare", "expansion"],
)
def test_121_no_doctype_and_no_entity(doctype: str, inner: str) -> None:
    """The threat of any XML from outside: files of ours, connections of ours, memory of ours."""
    xml = REQUEST.replace("?>\n", f"?>\n{doctype}\n", 1).replace(">VENDOR<", f">{inner}<")
    assert "DOCTYPE" in refused(xml)
    assert "DOCTYPE" in refused(xml.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("<TradingPartnerInfo>", "<Trading", "not well-formed"),
        ("EDIINTCertificateExchangeRequest", "Order", "no certificate exchange message"),
        ("ns:ediintcertificateexchange", "ns:other", "no certificate exchange message"),
        (' requestId="request-1@vendor.example"', "", "requestId"),
        ("request-1@vendor.example", "x" * 256, "1 to 255"),
        ("VENDOR", "", "TradingPartnerInfo/Name is missing"),
        ("VENDOR", "x" * (TEXT_CHARACTERS_MAX + 1), "longer than 1000"),
        ("2026-11-22T13:00:00+01:00", "today", "no date and time"),
        ("2026-11-22T13:00:00+01:00", "2026-11-22T13:00:00", "no time zone"),
        (
            "<CertUsage>digitalSignature</CertUsage>\n    <CertUsage>keyEncipherment</CertUsage>",
            "",
            "without CertUsage",
        ),
        ("digitalSignature", "everything", "'everything'; digitalSignature, keyEncipherment, tlsClient, tlsServer"),
        (str(MINE.serial), "0x1F", "decimal digits"),
        (str(MINE.serial), "9" * 61, "decimal digits"),
        (str(MINE.serial), "1", "serial number 1 is announced"),
        ("<CertificateContentID>1.x</CertificateContentID>", "", "CertificateContentID is missing"),
        ("<RespondByDate>", "<RespondByDate>2026-12-01T00:00:00Z</RespondByDate><RespondByDate>", "stands 2 times"),
        ("2026-12-22T00:00:00Z", "soon", "no date and time"),
    ],
)
def test_121_a_request_that_cannot_be_acted_upon_is_refused(old: str, new: str, says: str) -> None:
    assert old in REQUEST
    assert says in refused(REQUEST.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (">Rejected<", ">Perhaps<", "CertStatus 'Perhaps'; Accepted or Rejected"),
        ("<CertStatus>Rejected</CertStatus>", "", "CertStatus is missing"),
        (f"<ds:X509SerialNumber>{MINE.serial}</ds:X509SerialNumber>", "", "X509SerialNumber is missing"),
        ("TrustResponse", "Trust", "0 TrustResponse elements"),
    ],
)
def test_121_a_response_that_says_nothing_is_refused(old: str, new: str, says: str) -> None:
    assert old in RESPONSE
    assert says in refused(RESPONSE.replace(old, new))


@pytest.mark.parametrize("count", [0, CERTIFICATES_MAX, CERTIFICATES_MAX + 1])
def test_121_the_number_of_certificates_is_bounded(count: int) -> None:
    begin, end = REQUEST.index("<TrustRequest>"), REQUEST.index("</EDIINT")
    xml = REQUEST[:begin] + REQUEST[begin:end] * count + REQUEST[end:]
    if count == CERTIFICATES_MAX:
        found = read_xml(xml.encode(), by_name)
        assert isinstance(found, ExchangeRequest)
        assert len(found.requests) == count
    else:
        assert f"{count} TrustRequest elements" in refused(xml)


@pytest.mark.parametrize("size", [XML_BYTES_MAX, XML_BYTES_MAX + 1])
def test_121_the_size_of_the_xml_is_bounded(size: int) -> None:
    xml = REQUEST.encode()
    xml += b" " * (size - len(xml))
    if size <= XML_BYTES_MAX:
        assert read_xml(xml, by_name)
    else:
        assert "longer than" in refused(xml)
        with pytest.raises(ExchangeMalformed, match="longer than"):
            read_exchange([part(XML_TYPE, xml)])


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "without any part"),
        ([part(XML_TYPE, REQUEST.encode())], "no part has the Content-ID '1.x'"),
        ([part(XML_TYPE, REQUEST.encode()), part(CERTIFICATE_TYPE, b"x", "1.x")], "is no certificate"),
        ([part(XML_TYPE, REQUEST.encode()), part(CERTIFICATE_TYPE, b"", "1.x")], "is no certificate"),
        (
            [part(XML_TYPE, REQUEST.encode()), part(CERTIFICATE_TYPE, (MINE.pem + OTHER.pem).encode(), "1.x")],
            "not one chain",
        ),
        (
            [part(XML_TYPE, REQUEST.encode()), part(CERTIFICATE_TYPE, b"x" * (CERTIFICATE_BYTES_MAX + 1), "1.x")],
            "longer than",
        ),
        ([part(XML_TYPE, REQUEST.encode()), part(CERTIFICATE_TYPE, OTHER.der, "1.x")], "is announced"),
    ],
)
def test_121_parts_that_do_not_belong_together_are_refused(parts: list[Attachment], says: str) -> None:
    with pytest.raises(ExchangeMalformed, match=says):
        read_exchange(parts)


@given(data=st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_121_any_bytes_are_refused_and_never_a_crash(data: bytes) -> None:
    with pytest.raises(ExchangeMalformed):
        read_xml(data, by_name)


@given(at=st.integers(0, len(REQUEST) - 1), data=st.binary(min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_121_a_damaged_request_is_read_or_refused(at: int, data: bytes) -> None:
    xml = REQUEST.encode()

    def find(content_id: str) -> Certificate:
        if content_id not in BY_NAME:
            raise ExchangeMalformed("no such part")
        return BY_NAME[content_id]

    try:
        assert read_xml(xml[:at] + data + xml[at + len(data) :], find)
    except ExchangeMalformed as error:
        assert str(error)  # noqa: PT017 - either of two ends is right


def test_121_a_name_that_xml_cannot_hold_is_written_without_it() -> None:
    answer = TrustResponse(issuer="CN=a\x00b\x1b", serial=1, status=Status.REJECTED, reason="no\x00")
    response = ExchangeResponse(request_id="7@us", sender="US", originated=NOW, responses=(answer,))
    found = read_xml(write_response(response), by_name)
    assert isinstance(found, ExchangeResponse)
    assert (found.responses[0].issuer, found.responses[0].reason) == ("CN=a b", "no")
