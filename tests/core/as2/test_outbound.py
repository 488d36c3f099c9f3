"""What we send (RFC 4130 §5, RFC 5402): sealed by us, opened by a partner that runs the same engine with other keys.

`tests/interop` opens it with other implementations.
"""

import io
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_gateway.as2.algorithms import Cipher, Digest, KeyTransport, SignatureScheme
from edi_gateway.as2.cms import read_signed_data, verify
from edi_gateway.as2.fields import FieldMalformed, Parameterised
from edi_gateway.as2.headers import PRODUCT, Feature, Headers, read_request
from edi_gateway.as2.mic import TABLE_DIGESTS
from edi_gateway.as2.mime import read_entity
from edi_gateway.as2.outbound import Sealed, seal, signed_chunks
from edi_gateway.as2.settlement import Outcome, judge
from edi_gateway.partnership import Compression, MdnMode
from tests.partner import NOW, ORDERS, SimulatedPartner, key_of

PACKAGINGS = list(product(Compression, (True, False), (True, False), ("binary", "base64")))


def sent(partner: SimulatedPartner, **arguments) -> Sealed:
    usual = {"message_id": "<9@gateway.example>", "now": NOW, "filename": "orders.edi", "spool": io.BytesIO}
    policy = arguments.pop("policy", {})
    payload = arguments.pop("payload", ORDERS)
    return seal(io.BytesIO(payload), partner.relationship(**policy), **(usual | arguments))


@pytest.mark.parametrize(("compression", "sign", "encrypt", "encoding"), PACKAGINGS)
def test_027_every_packaging_is_sent_opened_and_acknowledged(partner, compression, sign, encrypt, encoding):
    """RFC 4130 §2.4.2 with RFC 5402: 27 to 38, all permutations."""
    sealed = sent(
        partner,
        policy={"compression": compression, "sign": sign, "encrypt": encrypt, "transfer_encoding": encoding},
    )
    opened = partner.received(sealed, require_signature=sign, require_encryption=encrypt)
    assert opened.payload.read() == ORDERS
    assert opened.filename == "orders.edi"
    assert opened.content_type == "application/edifact"
    assert (opened.compressed is Compression.NONE) is (compression is Compression.NONE)
    if sign:
        assert opened.compressed is compression
    assert (opened.signed_with, opened.encrypted_with) == (sealed.signed_with, sealed.encrypted_with)
    assert opened.mic == sealed.mic
    receipt = partner.settled_by_gateway(partner.answer(sealed, mic=opened.mic.render()))
    assert judge(receipt, sealed.sent).outcome is Outcome.ACKNOWLEDGED


@given(payload=st.binary(max_size=3000), packaging=st.sampled_from(PACKAGINGS))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_027_any_bytes_come_out_as_they_went_in(partner, payload, packaging):
    compression, sign, encrypt, encoding = packaging
    policy = {"compression": compression, "sign": sign, "encrypt": encrypt, "transfer_encoding": encoding}
    sealed = sent(partner, payload=payload, policy=policy)
    opened = partner.received(sealed, require_signature=False, require_encryption=False)
    assert opened.payload.read() == payload
    assert opened.mic == sealed.mic


@pytest.mark.parametrize("digest", ["sha-1", "sha-256", "sha-384", "sha-512"])
def test_051_every_digest(partner, digest):
    sealed = sent(partner, policy={"digest": digest})
    assert sealed.signed_with.digest == digest
    assert partner.received(sealed, accepted_digests=frozenset({digest})).mic == sealed.mic


@pytest.mark.parametrize("scheme", ["pkcs1v15", "pss"])
def test_053_both_rsa_schemes(partner, scheme):
    sealed = sent(partner, policy={"signature_scheme": scheme})
    assert sealed.signed_with.scheme is SignatureScheme(scheme)
    assert partner.received(sealed).signed_with == sealed.signed_with


@pytest.mark.parametrize("kind", ["p-256", "p-384"])
def test_054_an_elliptic_key_of_ours(kind):
    partner = SimulatedPartner(gateway_key=key_of("EC", kind))
    sealed = sent(partner)
    assert sealed.signed_with.scheme is SignatureScheme.ECDSA
    assert partner.received(sealed).signed_with == sealed.signed_with


@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-256-gcm"])
def test_056_every_cipher(partner, cipher):
    sealed = sent(partner, policy={"cipher": cipher})
    kind = "authEnveloped-data" if cipher.endswith("gcm") else "enveloped-data"
    assert Parameterised.parse(Headers(sealed.headers).get("Content-Type")).get("smime-type") == kind
    assert partner.received(sealed).encrypted_with.cipher is Cipher(cipher)


@pytest.mark.parametrize("transport", ["pkcs1v15", "oaep-sha-1", "oaep-sha-256", "oaep-sha-384", "oaep-sha-512"])
def test_059_every_key_transport(partner, transport):
    sealed = sent(partner, policy={"key_transport": transport})
    assert partner.received(sealed).encrypted_with.key_transport is KeyTransport(transport)


def test_060_key_agreement_for_an_elliptic_key_of_theirs():
    partner = SimulatedPartner(key=key_of("EC", "p-256"))
    sealed = sent(partner, policy={"key_transport": "ecdh"})
    assert partner.received(sealed).encrypted_with.key_transport is KeyTransport.ECDH


def test_062_the_originator_can_read_what_it_sent(partner):
    sealed = sent(partner, policy={"copy_to_ourselves": True})
    ourselves = SimulatedPartner(key=partner.gateway_key, gateway_key=partner.gateway_key)
    assert ourselves.received(sealed).payload.read() == ORDERS


def test_001_content_length_is_that_of_the_body(partner):
    for compression, sign, encrypt, encoding in PACKAGINGS:
        policy = {"compression": compression, "sign": sign, "encrypt": encrypt, "transfer_encoding": encoding}
        sealed = sent(partner, policy=policy)
        body = sealed.body.read()
        assert len(body) == sealed.length == int(Headers(sealed.headers).get("Content-Length"))


def test_005_no_epilogue_is_sent(partner):
    sealed = sent(partner, policy={"encrypt": False})
    boundary = Parameterised.parse(Headers(sealed.headers).get("Content-Type")).get("boundary")
    body = sealed.body.read()
    assert body.startswith(b"--" + boundary.encode())
    assert body.endswith(b"--" + boundary.encode() + b"--\r\n")


def test_010_names_are_quoted_where_needed(partner):
    headers = Headers(sent(partner, policy={"our_id": "The Marketplace", "their_id": 'A "B"'}).headers)
    assert headers.get("AS2-From") == '"The Marketplace"'
    assert headers.get("AS2-To") == '"A \\"B\\""'


def test_013_nothing_is_folded(partner):
    assert all("\n" not in value and "\r" not in value for _, value in sent(partner).headers)


@pytest.mark.parametrize("message_id", ["", "<a b>", "<a\r\nX: y>", "<" + "x" * 998 + ">"])
def test_014_only_usable_message_ids_are_sent(partner, message_id):
    with pytest.raises(FieldMalformed):
        sent(partner, message_id=message_id)


def test_017_subject_date_and_mime_version_are_sent(partner):
    headers = Headers(sent(partner, subject="orders of today").headers)
    assert headers.get("Subject") == "orders of today"
    assert headers.get("Date") == "Sun, 22 Nov 2026 12:00:00 +0000"
    assert headers.get("MIME-Version") == "1.0"
    assert headers.get("AS2-Version") == "1.2"
    assert read_request(headers).message_id == "<9@gateway.example>"


@pytest.mark.parametrize("subject", ["a\r\nX-Injected: yes", "a\x00", "caf\u00e9"])
def test_crlf_never_leaves_in_a_header(partner, subject):
    with pytest.raises(FieldMalformed):
        sent(partner, subject=subject)
    with pytest.raises(FieldMalformed):
        sent(partner, content_type=subject)


def test_019_the_product_is_named_from_1_3_on(partner):
    assert "AS2-Product" not in Headers(sent(partner).headers)
    assert Headers(sent(partner, policy={"version": "1.3"}).headers).get("AS2-Product") == PRODUCT


def test_020_only_registered_features_are_announced(partner):
    assert "EDIINT-Features" not in Headers(sent(partner).headers)
    headers = Headers(sent(partner, features=frozenset({Feature.CEM, Feature.MULTIPLE_ATTACHMENTS})).headers)
    assert headers.get("EDIINT-Features") == "CEM, multiple-attachments"


def test_we_ask_for_exactly_one_micalg_that_of_our_signature(partner):
    """Then a MIC under the requested algorithm and one under the message's are the same."""
    for digest in ("sha-256", "sha-384", "sha-512"):
        receipt = read_request(Headers(sent(partner, policy={"digest": digest}).headers)).receipt
        assert receipt is not None
        assert receipt.is_signed
        assert receipt.micalgs == (digest,)


def test_no_receipt_is_asked_for_where_none_is_agreed(partner):
    assert read_request(Headers(sent(partner, policy={"mdn_mode": MdnMode.NONE}).headers)).receipt is None


def test_an_unsigned_receipt_is_asked_for_without_options(partner):
    receipt = read_request(Headers(sent(partner, policy={"mdn_signed": False}).headers)).receipt
    assert receipt is not None
    assert not receipt.is_signed


def test_080_an_asynchronous_receipt_names_the_address(partner):
    policy = {"mdn_mode": MdnMode.ASYNC}
    headers = Headers(sent(partner, policy=policy, async_mdn_url="https://gateway.example/as2").headers)
    receipt = read_request(headers).receipt
    assert receipt is not None
    assert receipt.delivery_url == "https://gateway.example/as2"
    with pytest.raises(FieldMalformed):
        sent(partner, policy=policy)


def test_081_or_an_address_in_https(partner):
    """RFC 4130 §7.3: the scheme of the address decides, and both are asked for in the same way."""
    for url in ("http://gateway.example/as2", "https://gateway.example:8443/as2?from=us"):
        headers = Headers(sent(partner, policy={"mdn_mode": MdnMode.ASYNC}, async_mdn_url=url).headers)
        receipt = read_request(headers).receipt
        assert receipt is not None
        assert receipt.is_asynchronous
        assert receipt.delivery_url == url


def test_074_the_table_is_over_the_signed_bytes_under_every_algorithm(partner):
    sealed = sent(partner, policy={"encrypt": False})
    entity = b"Content-Type: application/edifact\r\nContent-Transfer-Encoding: binary\r\n"
    entity += b'Content-Disposition: attachment; filename="orders.edi"\r\n\r\n' + ORDERS
    assert entity in sealed.body.read()
    assert sealed.digests == {digest: digest.of(entity) for digest in TABLE_DIGESTS}
    assert Digest.MD5 not in sealed.digests


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("orders.edi", 'attachment; filename="orders.edi"'),
        ("../../orders.edi", 'attachment; filename="orders.edi"'),
        ("caf\u00e9.edi", "attachment; filename*=UTF-8''caf%C3%A9%2Eedi"),
        ("", ""),
    ],
)
def test_the_file_name_goes_with_the_payload(partner, filename, header):
    opened = partner.received(sent(partner, filename=filename))
    assert opened.filename == filename.rpartition("/")[2]
    plain = sent(partner, filename=filename, policy={"sign": False, "encrypt": False})
    assert Headers(plain.headers).get("Content-Disposition") == header


def test_the_same_input_gives_the_same_bytes_where_nothing_is_encrypted(partner):
    first, second = (sent(partner, policy={"encrypt": False}) for _ in range(2))
    assert (first.headers, first.body.read()) == (second.headers, second.body.read())


def test_the_content_key_is_never_the_same(partner):
    first, second = (sent(partner) for _ in range(2))
    assert first.body.read() != second.body.read()
    assert first.digests == second.digests


def test_scratch_space_is_closed_except_for_the_body(partner):
    for compression, sign, encrypt, encoding in PACKAGINGS:
        made: list[io.BytesIO] = []

        def spool(made=made) -> io.BytesIO:
            made.append(io.BytesIO())
            return made[-1]

        policy = {"compression": compression, "sign": sign, "encrypt": encrypt, "transfer_encoding": encoding}
        sealed = sent(partner, policy=policy, spool=spool)
        given = (
            [sealed.body] if sealed.signed is None or sealed.signed.body is None else [sealed.signed.body, sealed.body]
        )
        assert {id(scratch) for scratch in made if not scratch.closed} == set(map(id, given))
        assert {stream.tell() for stream in given} == {0}


def test_the_signed_part_is_rebuilt_to_the_byte(partner):
    """What we sent can be proved to a third party, though only the partner can decrypt it."""
    for compression, sign, encrypt, encoding in PACKAGINGS:
        policy = {"compression": compression, "sign": sign, "encrypt": encrypt, "transfer_encoding": encoding}
        sealed = sent(partner, policy=policy)
        if not sign:
            assert sealed.signed is None
            continue
        kept = sealed.signed
        body = kept.body or io.BytesIO(ORDERS)
        rebuilt = b"".join(signed_chunks(kept.head, body, is_payload=kept.body is None))
        assert Digest.SHA256.of(rebuilt) == sealed.digests[Digest.SHA256], policy
        signed = read_signed_data(kept.signature)
        assert verify(signed, lambda digest, over=rebuilt: digest.of(over), [partner.gateway_key.certificate])


def test_the_body_is_plain_mime(partner):
    """What a partner's library sees after decryption has no surprises: CRLF, known headers, no empty lines."""
    sealed = sent(partner, policy={"encrypt": False, "compression": Compression.BEFORE_SIGNING})
    head = "".join(f"{name}: {value}\r\n" for name, value in sealed.headers).encode() + b"\r\n"
    entity = read_entity([head + sealed.body.read()])
    assert entity.content_type.main == "multipart/signed"
    assert entity.content_type.get("protocol") == "application/pkcs7-signature"
    assert entity.content_type.get("micalg") == "sha-256"
