"""Certificate exchange messages (CEM): the XML of a request and of a response, both ways.

After draft-meadors-certificate-exchange-14: a multipart/related whose root is this XML, and for each certificate of a
request a part that holds it (certs-only PKCS #7), named by its Content-ID. A request asks to trust certificates for
what they are used for, and says by when an answer is expected; a response accepts or rejects each, naming it by issuer
and serial number.

Nothing here trusts anything: what was read is a proposal, and the address that a request names for its answer is not
answered to. The XML comes from outside: no entity, no DOCTYPE, bounded in every direction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from lxml import etree

from edi_gateway.as2.attachments import Attachment
from edi_gateway.as2.certificates import Certificate, CertificateError, leaf_of, load_certificates
from edi_gateway.as2.errors import PartnerError
from edi_gateway.as2.fields import Parameterised

XML_TYPE: Final = "application/ediint-cert-exchange+xml"
CERTIFICATE_TYPE: Final = "application/pkcs7-mime; smime-type=certs-only"
XML_BYTES_MAX = 256 * 1024
CERTIFICATE_BYTES_MAX = 256 * 1024
CERTIFICATES_MAX = 20  # in one request or response
TEXT_CHARACTERS_MAX = 1000
REQUEST_ID_CHARACTERS_MAX = 255

_OURS: Final = "urn:ietf:params:xml:ns:ediintcertificateexchange"
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_NAMES: Final = {"c": _OURS, "ds": _DSIG}


class Usage(StrEnum):
    """What a certificate is to be trusted for (CertUsage)."""

    SIGNATURE = "digitalSignature"
    ENCRYPTION = "keyEncipherment"
    TLS_CLIENT = "tlsClient"
    TLS_SERVER = "tlsServer"


class Status(StrEnum):
    """The answer to one certificate (CertStatus)."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"


class ExchangeMalformed(PartnerError):
    """The message is no certificate exchange that can be acted upon; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRequest:
    """One certificate that its owner asks us to trust, or we ask a partner to."""

    certificate: Certificate
    usages: frozenset[Usage]
    respond_by: datetime | None = None  # aware
    response_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustResponse:
    """The answer to one certificate."""

    issuer: str
    serial: int
    status: Status
    reason: str = ""  # of a rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRequest:
    """A request with all its certificates."""

    request_id: str
    sender: str  # the AS2 name
    originated: datetime
    requests: tuple[TrustRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeResponse:
    """The answers to a request, all or some."""

    request_id: str
    sender: str
    originated: datetime
    responses: tuple[TrustResponse, ...]


def is_exchange(content_type: str) -> bool:
    """Whether a payload of this type is a certificate exchange message."""
    parsed = Parameterised.parse(content_type)
    inner = Parameterised.parse(parsed.get("type")).main if parsed.main == "multipart/related" else parsed.main
    return inner == XML_TYPE


# --- reading --------------------------------------------------------------------------------------------------------

CertificateOf = Callable[[str], Certificate]  # by the Content-ID of its part; raises ExchangeMalformed


def read_exchange(parts: Sequence[Attachment]) -> ExchangeRequest | ExchangeResponse:
    """The message in the parts of a multipart, its root first. Raises ExchangeMalformed."""
    if not parts:
        raise ExchangeMalformed("a certificate exchange without any part")
    described = [part for part in parts if Parameterised.parse(part.content_type).main == XML_TYPE]
    root = (described or list(parts))[0]
    files = {part.content_id: part for part in parts if part is not root}
    return read_xml(_content(root.payload, XML_BYTES_MAX), lambda name: _certificate_in(files, name))


def read_xml(xml: bytes, certificate_of: CertificateOf) -> ExchangeRequest | ExchangeResponse:
    """A request or a response in its XML. Raises ExchangeMalformed."""
    root = _parsed(xml)
    match etree.QName(root).localname, etree.QName(root).namespace:
        case "EDIINTCertificateExchangeRequest", namespace if namespace == _OURS:
            return _request(root, certificate_of)
        case "EDIINTCertificateExchangeResponse", namespace if namespace == _OURS:
            return _response(root)
        case name, namespace:
            raise ExchangeMalformed(f"the root is {{{namespace}}}{name}, which is no certificate exchange message")


def _parsed(xml: bytes) -> etree._Element:
    if len(xml) > XML_BYTES_MAX:
        raise ExchangeMalformed(f"the XML is longer than {XML_BYTES_MAX} bytes")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ExchangeMalformed(f"not well-formed XML: {str(error)[:200]}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ExchangeMalformed("a DOCTYPE, which a certificate exchange message has no need of")
    return root


def _request(root: etree._Element, certificate_of: CertificateOf) -> ExchangeRequest:
    asked = _several(root, "c:TrustRequest")
    return ExchangeRequest(
        request_id=_request_id(root),
        sender=_text(root, "c:TradingPartnerInfo/c:Name"),
        originated=_moment(_text(root, "c:TradingPartnerInfo/c:MessageOriginated")),
        requests=tuple(_trust_request(each, certificate_of) for each in asked),
    )


def _trust_request(element: etree._Element, certificate_of: CertificateOf) -> TrustRequest:
    certificate = certificate_of(_text(element, "c:EndEntity/c:CertificateContentID").strip("<>"))
    serial = _serial(element, "c:EndEntity/c:CertificateIdentifier/ds:X509SerialNumber")
    if serial != certificate.serial:
        raise ExchangeMalformed(f"serial number {serial} is announced, and the certificate has {certificate.serial}")
    until = _optional(element, "c:RespondByDate")
    return TrustRequest(
        certificate=certificate,
        usages=frozenset(_usages(element)),
        respond_by=_moment(until) if until else None,
        response_url=_optional(element, "c:ResponseURL"),
    )


def _usages(element: etree._Element) -> Iterator[Usage]:
    said = _found(element, "c:CertUsage")
    if not said:
        raise ExchangeMalformed("a TrustRequest without CertUsage")
    for each in said:
        name = _said(each)
        if name not in set(Usage):
            raise ExchangeMalformed(f"CertUsage {name[:60]!r}; {', '.join(Usage)} are known")
        yield Usage(name)


def _response(root: etree._Element) -> ExchangeResponse:
    return ExchangeResponse(
        request_id=_request_id(root),
        sender=_text(root, "c:TradingPartnerInfo/c:Name"),
        originated=_moment(_text(root, "c:TradingPartnerInfo/c:MessageOriginated")),
        responses=tuple(map(_trust_response, _several(root, "c:TrustResponse"))),
    )


def _trust_response(element: etree._Element) -> TrustResponse:
    status = _text(element, "c:CertStatus")
    if status not in set(Status):
        raise ExchangeMalformed(f"CertStatus {status[:60]!r}; {' or '.join(Status)}")
    return TrustResponse(
        issuer=_text(element, "c:CertificateReference/ds:X509IssuerName"),
        serial=_serial(element, "c:CertificateReference/ds:X509SerialNumber"),
        status=Status(status),
        reason=_optional(element, "c:ReasonForRejection"),
    )


def _certificate_in(parts: Mapping[str, Attachment], content_id: str) -> Certificate:
    if content_id not in parts:
        raise ExchangeMalformed(f"no part has the Content-ID {content_id[:100]!r}, which is to hold a certificate")
    try:
        return leaf_of(load_certificates(_content(parts[content_id].payload, CERTIFICATE_BYTES_MAX)))
    except CertificateError as error:
        raise ExchangeMalformed(f"the part {content_id[:100]!r} is no certificate: {error}") from None


def _content(payload: BinaryIO, bytes_max: int) -> bytes:
    payload.seek(0)
    data = payload.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise ExchangeMalformed(f"a part is longer than {bytes_max} bytes")
    return data


def _found(element: etree._Element, path: str) -> list[etree._Element]:
    return list(element.findall(path, _NAMES))


def _several(element: etree._Element, path: str) -> list[etree._Element]:
    found = _found(element, path)
    if not 1 <= len(found) <= CERTIFICATES_MAX:
        raise ExchangeMalformed(f"{len(found)} {path.partition(':')[2]} elements; 1 to {CERTIFICATES_MAX} are taken")
    return found


def _said(element: etree._Element) -> str:
    text = "" if len(element) else (element.text or "").strip()
    if len(text) > TEXT_CHARACTERS_MAX:
        raise ExchangeMalformed(f"{etree.QName(element).localname} is longer than {TEXT_CHARACTERS_MAX} characters")
    return text


def _optional(element: etree._Element, path: str) -> str:
    found = _found(element, path)
    if len(found) > 1:
        raise ExchangeMalformed(f"{path} stands {len(found)} times")
    return _said(found[0]) if found else ""


def _text(element: etree._Element, path: str) -> str:
    text = _optional(element, path)
    if not text:
        raise ExchangeMalformed(f"{path.replace('c:', '').replace('ds:', '')} is missing or empty")
    return text


def _request_id(root: etree._Element) -> str:
    request_id = str(root.get("requestId", "")).strip()
    if not 1 <= len(request_id) <= REQUEST_ID_CHARACTERS_MAX:
        raise ExchangeMalformed(f"a requestId of 1 to {REQUEST_ID_CHARACTERS_MAX} characters is needed")
    return request_id


_SERIAL_DIGITS_MAX = 60  # 20 octets (RFC 5280 §4.1.2.2) are 49


def _serial(element: etree._Element, path: str) -> int:
    text = _text(element, path)
    if not (text.isascii() and text.isdecimal()) or len(text) > _SERIAL_DIGITS_MAX:
        raise ExchangeMalformed(f"{text[:60]!r} is no serial number in decimal digits (XML Signature §4.5.4)")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ExchangeMalformed(f"{text[:60]!r} is no date and time (xs:dateTime)") from None
    if moment.tzinfo is None:
        raise ExchangeMalformed(f"{text[:60]!r} has no time zone")
    return moment


# --- writing --------------------------------------------------------------------------------------------------------


def write_request(request: ExchangeRequest, content_ids: Sequence[str]) -> bytes:
    """The XML of a request; `content_ids` name the parts of its certificates, in their order, without brackets."""
    root = _root("EDIINTCertificateExchangeRequest", request.request_id, request.sender, request.originated)
    for trust, content_id in zip(request.requests, content_ids, strict=True):
        element = _add(root, "TrustRequest")
        for usage in sorted(trust.usages):
            _add(element, "CertUsage", usage.value)
        if trust.respond_by is not None:
            _add(element, "RespondByDate", _written(trust.respond_by))
        _add(element, "ResponseURL", trust.response_url)
        entity = _add(element, "EndEntity")
        identifier = _add(entity, "CertificateIdentifier")
        _reference(identifier, trust.certificate.issuer, trust.certificate.serial)
        _add(entity, "CertificateContentID", content_id)
    return _serialised(root)


def write_response(response: ExchangeResponse) -> bytes:
    """The XML of a response."""
    root = _root("EDIINTCertificateExchangeResponse", response.request_id, response.sender, response.originated)
    for trust in response.responses:
        element = _add(root, "TrustResponse")
        _add(element, "CertStatus", trust.status.value)
        if trust.reason:
            _add(element, "ReasonForRejection", trust.reason)
        _reference(_add(element, "CertificateReference"), trust.issuer, trust.serial)
    return _serialised(root)


def certificate_document(certificate: Certificate, chain: Sequence[Certificate] = ()) -> bytes:
    """The content of a certificate's part: certs-only PKCS #7, DER (RFC 8551 §3.8)."""
    several = [x509.load_der_x509_certificate(each.der) for each in (certificate, *chain)]
    return pkcs7.serialize_certificates(several, serialization.Encoding.DER)


def _root(name: str, request_id: str, sender: str, originated: datetime) -> etree._Element:
    root = etree.Element(f"{{{_OURS}}}{name}", {"requestId": request_id}, nsmap={None: _OURS, "ds": _DSIG})
    info = _add(root, "TradingPartnerInfo")
    _add(info, "Name", sender).set("qualifier", "AS2")
    _add(info, "MessageOriginated", _written(originated))
    return root


def _reference(element: etree._Element, issuer: str, serial: int) -> None:
    etree.SubElement(element, f"{{{_DSIG}}}X509IssuerName").text = _writable(issuer)
    etree.SubElement(element, f"{{{_DSIG}}}X509SerialNumber").text = str(serial)


def _add(element: etree._Element, name: str, text: str = "") -> etree._Element:
    made = etree.SubElement(element, f"{{{_OURS}}}{name}")
    if text:
        made.text = _writable(text)
    return made


def _writable(text: str) -> str:
    """A name in a certificate may hold any character, XML may not (XML 1.0 §2.2)."""
    return "".join(c if c.isprintable() else " " for c in text)


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _serialised(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
