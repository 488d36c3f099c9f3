"""Several documents in one transmission (RFC 6362)."""

import io

import pytest

from edi_gateway.as2.attachments import ATTACHMENTS_MAX, Document, is_related, pack_related, read_attachments
from edi_gateway.as2.errors import MimeMalformed, RelationshipFault
from edi_gateway.as2.fields import FieldMalformed, Parameterised
from edi_gateway.as2.headers import Feature, Headers, read_request
from edi_gateway.as2.outbound import Sealed, seal
from tests.partner import NOW, ORDERS

DOCUMENTS = [
    ("application/edifact", ORDERS, "orders.edi"),
    ("application/pdf", b"%PDF-1.7\r\n\r\n--=_x\r\n" + bytes(range(256)), "caf\u00e9 label.pdf"),
    ("text/plain", b"", ""),
]


def documents(*kept: int) -> list[Document]:
    chosen = [DOCUMENTS[number] for number in kept or range(len(DOCUMENTS))]
    return [Document(content_type=t, payload=io.BytesIO(p), filename=n) for t, p, n in chosen]


def sealed_with_attachments(partner, **policy) -> Sealed:
    content_type, payload = pack_related(documents(), "<9@gateway.example>", io.BytesIO)
    return seal(
        payload,
        partner.relationship(**policy),
        message_id="<9@gateway.example>",
        now=NOW,
        filename="",
        spool=io.BytesIO,
        content_type=content_type,
    )


def test_123_documents_travel_as_multipart_related_and_come_apart_again(partner):
    sealed = sealed_with_attachments(partner, attachments=True)
    opened = partner.received(sealed)
    assert is_related(opened.content_type)
    assert Parameterised.parse(opened.content_type).get("type") == "application/edifact"
    assert opened.mic == sealed.mic
    found = read_attachments(opened.content_type, opened.payload, io.BytesIO)
    assert [(a.content_type, a.payload.read(), a.filename) for a in found] == DOCUMENTS
    assert [a.size for a in found] == [len(content) for _, content, _ in DOCUMENTS]
    assert len({a.content_id for a in found}) == len(DOCUMENTS)


def test_124_the_feature_is_announced_where_it_is_agreed(partner):
    request = read_request(Headers(sealed_with_attachments(partner, attachments=True).headers))
    assert request.features == {Feature.MULTIPLE_ATTACHMENTS}


def test_126_a_partner_without_the_agreement_is_refused_before_sending(partner):
    with pytest.raises(RelationshipFault, match="attachments"):
        sealed_with_attachments(partner, attachments=False)


def related(*parts: bytes, parameters: str = "") -> tuple[str, io.BytesIO]:
    body = b"".join(b"--r\r\n" + part + b"\r\n" for part in parts) + b"--r--\r\n"
    return f"multipart/related; boundary=r{parameters}", io.BytesIO(body)


def test_125_names_are_safe_and_encodings_undone():
    part = (
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="../../evil.pdf"\r\nContent-ID: <a@b>\r\n\r\nJVBERg=='
    )
    (found,) = read_attachments(*related(part), io.BytesIO)
    assert (found.filename, found.filename_received, found.content_id) == ("evil.pdf", "../../evil.pdf", "a@b")
    assert found.payload.read() == b"%PDF"


def test_123_the_root_comes_first():
    """RFC 2387 §3.2."""
    first = b"Content-ID: <one>\r\n\r\n1"
    second = b"Content-ID: <two>\r\n\r\n2"
    found = read_attachments(*related(first, second, parameters='; start="<two>"'), io.BytesIO)
    assert [a.content_id for a in found] == ["two", "one"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/edifact", b""),
        ("multipart/related", b"--r--\r\n"),
        ("multipart/related; boundary=r", b"--r--\r\n"),
        ("multipart/related; boundary=r", b"--r\r\n\r\ntruncated"),
        ("multipart/related; boundary=r", b"--r\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\r\n--r--\r\n"),
        ("multipart/related; boundary=r", b"--r\r\nContent-Transfer-Encoding: uu\r\n\r\n\r\n--r--\r\n"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused_and_leaves_nothing_open(content_type, body):
    made: list[io.BytesIO] = []

    def spool() -> io.BytesIO:
        made.append(io.BytesIO())
        return made[-1]

    with pytest.raises(MimeMalformed):
        read_attachments(content_type, io.BytesIO(body), spool)
    assert all(scratch.closed for scratch in made)


def test_the_number_of_attachments_is_bounded():
    part = b"Content-Type: text/plain\r\n\r\nx"
    assert len(read_attachments(*related(*[part] * ATTACHMENTS_MAX), io.BytesIO)) == ATTACHMENTS_MAX
    with pytest.raises(MimeMalformed, match=str(ATTACHMENTS_MAX)):
        read_attachments(*related(*[part] * (ATTACHMENTS_MAX + 1)), io.BytesIO)
    with pytest.raises(FieldMalformed):
        pack_related([], "<1@x>", io.BytesIO)
    with pytest.raises(FieldMalformed):
        pack_related(documents(0) * (ATTACHMENTS_MAX + 1), "<1@x>", io.BytesIO)


def test_a_content_type_cannot_bring_header_lines():
    evil = Document(content_type="text/plain\r\nX-Injected: yes", payload=io.BytesIO())
    with pytest.raises(FieldMalformed):
        pack_related([evil], "<1@x>", io.BytesIO)
