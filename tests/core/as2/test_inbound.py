"""What arrives, opened: every packaging, and what is tolerated (RFC 4130 §2.4.2, RFC 5402 §3, RFC 8551 §3)."""

import io
from base64 import encodebytes
from datetime import timedelta
from quopri import encodestring

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from edi_gateway.as2 import disposition as d
from edi_gateway.as2.algorithms import Cipher, Digest, KeyTransport, SignatureScheme
from edi_gateway.as2.certificates import Certificate, PrivateKey
from edi_gateway.as2.headers import read_request
from edi_gateway.as2.inbound import SIGNATURE_BYTES_MAX, open_transmission
from edi_gateway.as2.opened import Opened, OpenedReport, Refused
from edi_gateway.partnership import Compression
from tests.partner import NOW, ORDERS, SimulatedPartner, key_of, pinned

OPEN = {"require_signature": False, "require_encryption": False}
SIGNED_ONLY = {"require_encryption": False}
ENCRYPTED_ONLY = {"require_signature": False}

# Layers from the inside out, what the policy may demand, and the place of the compression.
PACKAGINGS = {
    "027 plain": ((), OPEN, Compression.NONE),
    "028 signed": (("signed",), SIGNED_ONLY, Compression.NONE),
    "029 encrypted": (("encrypted",), ENCRYPTED_ONLY, Compression.NONE),
    "030 signed and encrypted": (("signed", "encrypted"), {}, Compression.NONE),
    "032 compressed, signed": (("compressed", "signed"), SIGNED_ONLY, Compression.BEFORE_SIGNING),
    "034 compressed, signed, encrypted": (("compressed", "signed", "encrypted"), {}, Compression.BEFORE_SIGNING),
    "035 signed, compressed": (("signed", "compressed"), SIGNED_ONLY, Compression.AFTER_SIGNING),
    "036 signed, compressed, encrypted": (("signed", "compressed", "encrypted"), {}, Compression.AFTER_SIGNING),
    "037 compressed": (("compressed",), OPEN, Compression.BEFORE_SIGNING),
    "038 compressed and encrypted": (("compressed", "encrypted"), ENCRYPTED_ONLY, Compression.BEFORE_SIGNING),
}


def packed(partner: SimulatedPartner, layers: tuple[str, ...], entity: bytes | None = None) -> bytes:
    entity = partner.entity(ORDERS) if entity is None else entity
    for depth, layer in enumerate(layers):
        entity = getattr(partner, layer)(entity, **({"boundary": f"=_{depth}"} if layer == "signed" else {}))
    return entity


def check_packaging(partner: SimulatedPartner, number: str) -> Opened:
    name = next(name for name in PACKAGINGS if name.startswith(number))
    layers, policy, compression = PACKAGINGS[name]
    opened = partner.opened(partner.post(packed(partner, layers)), **policy)
    assert opened.payload.read() == ORDERS
    assert opened.size == len(ORDERS)
    assert opened.content_type == "application/edifact"
    assert opened.compressed is compression
    assert (opened.signed_with is not None) is ("signed" in layers)
    assert (opened.encrypted_with is not None) is ("encrypted" in layers)
    return opened


def test_027_plain(partner):
    check_packaging(partner, "027")


def test_028_signed(partner):
    used = check_packaging(partner, "028").signed_with
    assert used is not None
    assert (used.digest, used.scheme) == (Digest.SHA256, SignatureScheme.PKCS1V15)
    assert used.fingerprint == partner.key.certificate.fingerprint


def test_029_encrypted(partner):
    used = check_packaging(partner, "029").encrypted_with
    assert used is not None
    assert (used.cipher, used.key_transport) == (Cipher.AES_256_CBC, KeyTransport.PKCS1V15)
    assert used.fingerprint == partner.gateway_key.certificate.fingerprint


def test_030_signed_and_encrypted(partner):
    check_packaging(partner, "030")


def test_031_compressed(partner):
    check_packaging(partner, "037")


def test_032_compressed_then_signed(partner):
    check_packaging(partner, "032")


def test_033_compressed_then_encrypted(partner):
    check_packaging(partner, "038")


def test_034_compressed_signed_encrypted(partner):
    check_packaging(partner, "034")


def test_035_signed_then_compressed(partner):
    """RFC 5402 §3.3."""
    check_packaging(partner, "035")


def test_036_signed_compressed_encrypted(partner):
    """RFC 5402 §3.6."""
    check_packaging(partner, "036")


def test_037_compressed_only(partner):
    check_packaging(partner, "037")


def test_038_compressed_and_encrypted_unsigned(partner):
    check_packaging(partner, "038")


@pytest.mark.parametrize(
    "layers",
    [
        ("compressed", "compressed"),
        ("compressed", "signed", "compressed"),
        ("compressed", "compressed", "signed"),
        ("compressed", "signed", "compressed", "encrypted"),
        ("encrypted", "compressed"),
        ("encrypted", "signed"),
        ("encrypted", "encrypted"),
        ("signed", "signed"),
        ("signed", "opaque"),
    ],
)
def test_039_compression_twice_and_other_orders_are_refused(partner, layers):
    """RFC 5402 §3: once, before or after signing, never outside of encryption; RFC 4130 §2.4.2: no other layers."""
    refused = partner.refused(partner.post(packed(partner, layers)), **OPEN)
    is_hidden = layers[-1] == "encrypted" and "signed" not in layers  # nothing authenticates what is inside
    assert refused.disposition == (d.DECRYPTION_FAILED if is_hidden else d.UNEXPECTED_PROCESSING_ERROR)
    assert "RFC 5402" in refused.diagnosis


@pytest.mark.parametrize("layers", [("compressed",) * 20, ("signed",) * 20, ("encrypted",) * 20])
def test_039_depth_is_bounded(partner, layers):
    assert partner.refused(partner.post(packed(partner, layers)), **OPEN)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/edifact",
        "application/EDIFACT; charset=UTF-8",
        "application/edi-x12",
        "application/edi-consent",
        "application/xml",
        "text/xml",
        "application/octet-stream",
        "text/plain",
    ],
)
def test_040_content_types_are_kept(partner, content_type):
    entity = partner.encrypted(partner.signed(partner.entity(ORDERS, content_type)))
    opened = partner.opened(partner.post(entity))
    assert opened.content_type == content_type
    assert opened.payload.read() == ORDERS


def test_040_no_content_type_is_an_octet_stream(partner):
    posted = partner.post(partner.entity(ORDERS)).with_headers(Content_Type=None)
    assert partner.opened(posted, **OPEN).content_type == "application/octet-stream"


def test_041_the_old_names_of_pkcs7_types_are_read(partner):
    old = "application/x-pkcs7-mime"
    entity = partner.encrypted(partner.signed(partner.compressed(partner.entity(), main=old)), main=old)
    assert partner.opened(partner.post(entity)).payload.read() == ORDERS
    signed = partner.signed(partner.entity()).replace(b"application/pkcs7-signature", b"application/x-pkcs7-signature")
    assert partner.opened(partner.post(signed), **SIGNED_ONLY).signed_with


@pytest.mark.parametrize("smime_type", [None, "signed-data", "compressed-data", "nonsense"])
def test_042_the_object_identifier_decides_not_smime_type(partner, smime_type):
    entity = partner.signed(partner.compressed(partner.entity(), smime_type=smime_type))
    assert partner.opened(partner.post(partner.encrypted(entity, smime_type=smime_type))).payload.read() == ORDERS


def test_044_signer_by_issuer_and_serial_and_by_key_identifier(partner):
    for by_key_identifier in (False, True):
        entity = partner.signed(partner.entity(), by_key_identifier=by_key_identifier)
        assert partner.opened(partner.post(entity), **SIGNED_ONLY).signed_with


def test_045_signed_attributes_may_be_absent(partner):
    entity = partner.signed(partner.entity(), attributes=False)
    assert partner.opened(partner.post(entity), **SIGNED_ONLY).signed_with


def test_046_algorithm_protection_is_tolerated(partner):
    entity = partner.signed(partner.entity(), algorithm_protection=True)
    assert partner.opened(partner.post(entity), **SIGNED_ONLY).signed_with


def test_047_signed_data_without_certificates(partner):
    entity = partner.signed(partner.entity(), certificate=False)
    assert partner.opened(partner.post(entity), **SIGNED_ONLY).signed_with


@pytest.mark.parametrize("encoding", ["base64", "binary", "", "8bit"])
def test_048_the_signature_in_base64_or_binary(partner, encoding):
    """OpenAS2 #299, #120: unreadable binary signatures."""
    entity = partner.signed(partner.entity(), encoding=encoding)
    assert partner.opened(partner.post(entity), **SIGNED_ONLY).signed_with


@pytest.mark.parametrize("smime_type", ["signed-data", None])
def test_049_opaque_signing_is_accepted(partner, smime_type):
    """RFC 8551 §3.5.2."""
    for layers in ((), ("encrypted",), ("compressed", "encrypted")):
        entity = packed(partner, layers, partner.opaque(partner.entity(), smime_type=smime_type))
        opened = partner.opened(partner.post(entity), **SIGNED_ONLY)
        assert opened.payload.read() == ORDERS
        assert opened.signed_with
        assert opened.mic.value == Digest.SHA256.of(partner.entity())


@pytest.mark.parametrize("micalg", [None, "", "md5", "sha1", "sha-512", "nonsense"])
def test_050_micalg_may_be_wrong_or_missing(partner, micalg):
    """The digest is what the SignerInfo says."""
    opened = partner.opened(partner.post(partner.signed(partner.entity(), micalg=micalg)), **SIGNED_ONLY)
    assert opened.signed_with
    assert opened.signed_with.digest is Digest.SHA256
    assert opened.mic.value == Digest.SHA256.of(partner.entity())


# --- tolerances ------------------------------------------------------------------------------


def test_003_no_content_transfer_encoding_never_fails(partner):
    bare = b"Content-Type: application/edifact\r\n\r\n" + ORDERS
    entity = partner.encrypted(partner.signed(bare, encoding=""), encoding="")
    opened = partner.opened(partner.post(entity))
    assert opened.payload.read() == ORDERS
    assert opened.mic.value == Digest.SHA256.of(bare)


@pytest.mark.parametrize("encoding", ["binary", "8bit", "7bit", "base64", "quoted-printable", "BASE64", " Binary "])
def test_004_every_transfer_encoding_inside(partner, encoding):
    encode = {"base64": encodebytes, "quoted-printable": encodestring}.get(encoding.strip().lower(), bytes)
    entity = partner.entity(encode(ORDERS), encoding=encoding)
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(entity))))
    assert opened.payload.read() == ORDERS
    assert opened.mic.value == Digest.SHA256.of(entity)


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_004_every_transfer_encoding_outside(partner, encoding):
    """OpenAS2 #299, #396: base64 on an encrypted body was not decoded."""
    entity = partner.encrypted(partner.signed(partner.entity()), encoding=encoding)
    opened = partner.opened(partner.post(entity))
    assert opened.payload.read() == ORDERS
    assert opened.notes == ()


def test_004_base64_that_is_not_declared_is_noted(partner):
    head, _, body = partner.encrypted(partner.signed(partner.entity())).partition(b"\r\n\r\n")
    posted = partner.post(head + b"\r\n\r\n" + encodebytes(body)).with_headers(Content_Transfer_Encoding=None)
    opened = partner.opened(posted)
    assert opened.payload.read() == ORDERS
    assert "base64" in opened.notes[0]


def test_004_base64_that_is_declared_but_binary_is_noted(partner):
    posted = partner.post(partner.encrypted(partner.signed(partner.entity())))
    opened = partner.opened(posted.with_headers(Content_Transfer_Encoding="base64"))
    assert opened.payload.read() == ORDERS
    assert "binary" in opened.notes[0]


@pytest.mark.parametrize("wrap", [False, True])
def test_005_preamble_and_epilogue_are_ignored(partner, wrap):
    entity = partner.signed(partner.entity(), preamble=b"S/MIME message\r\n", epilogue=b"the end\r\n")
    opened = partner.opened(partner.post(partner.encrypted(entity) if wrap else entity), require_encryption=wrap)
    assert opened.payload.read() == ORDERS


def test_013_folded_headers_inside_count_for_the_mic(partner):
    """phpas2 #26."""
    entity = b'Content-Type: application/edifact;\r\n\tname="orders.edi"\r\nX-Folded: a\r\n b\r\n\r\n' + ORDERS
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(entity))))
    assert opened.mic.value == Digest.SHA256.of(entity)
    assert opened.filename == "orders.edi"


def test_a_multipart_in_bare_lf_is_read(partner):
    entity = b"Content-Type: application/edifact\n\n" + ORDERS
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(entity, line_end=b"\n"))))
    assert opened.payload.read() == ORDERS
    assert opened.mic.value == Digest.SHA256.of(entity)


CONTENTS = {
    "LF only": b"UNA:+.? '\nUNB+1'\nUNZ+0+1'\n",
    "CR only": b"UNA:+.? '\rUNB+1'\r",
    "no trailing newline": b"UNB+1'",
    "leading blank line": b"\r\n\r\nUNB+1'\r\n",
    "0 bytes": b"",
    "trailing CRLFs": b"UNB+1'\r\n\r\n",
    "8 bit": bytes(range(256)),
    "like a delimiter": b"--=_by_hand x\r\n--=_by_han\r\n",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_077_every_content_keeps_its_bytes_and_its_mic(partner, content):
    """phase2 #12: bare LF; pyas2lib re-serialises and finds another digest."""
    entity = partner.entity(content)
    for wrapped, policy in (
        (partner.encrypted(partner.signed(entity)), {}),
        (partner.encrypted(partner.signed(partner.compressed(entity))), {}),
        (partner.encrypted(entity), ENCRYPTED_ONLY),
        (entity, OPEN),
    ):
        opened = partner.opened(partner.post(wrapped), **policy)
        assert opened.payload.read() == content


# --- MIC ---------------------------------------------------------------------------------------


def test_065_mic_covers_exactly_the_signed_bytes(partner):
    """RFC 4130 §7.3.1: the first part with its headers, as received."""
    entity = b"content-type:application/edifact\r\n\r\n" + ORDERS  # no space: libraries that re-serialise fail here
    for wrapped in (partner.signed(entity), partner.encrypted(partner.signed(entity))):
        assert partner.opened(partner.post(wrapped), **SIGNED_ONLY).mic.value == Digest.SHA256.of(entity)


def test_066_signed_compressed_before_is_over_the_compressed_entity(partner):
    """RFC 5402 §4.1; phase2 #140."""
    compressed = partner.compressed(partner.entity())
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(compressed))))
    assert opened.mic.value == Digest.SHA256.of(compressed)


def test_067_signed_compressed_after_is_over_the_signed_entity(partner):
    entity = partner.entity()
    opened = partner.opened(partner.post(partner.encrypted(partner.compressed(partner.signed(entity)))))
    assert opened.mic.value == Digest.SHA256.of(entity)


def test_068_encrypted_unsigned_is_over_headers_and_content(partner):
    """RFC 4130 §7.3.1."""
    entity = partner.entity()
    opened = partner.opened(partner.post(partner.encrypted(entity)), **ENCRYPTED_ONLY)
    assert opened.mic.value == Digest.SHA256.of(entity)


@pytest.mark.parametrize("layers", [("compressed",), ("compressed", "encrypted")])
def test_069_compressed_unsigned_is_over_the_entity_in_its_encoding(partner, layers):
    """RFC 5402 §4.2, §4.3; OpenAS2 digests before inflating."""
    entity = partner.entity(encodebytes(ORDERS), encoding="base64")
    opened = partner.opened(partner.post(packed(partner, layers, entity)), **OPEN)
    assert opened.payload.read() == ORDERS
    assert opened.mic.value == Digest.SHA256.of(entity)


def test_070_plain_is_over_the_content_without_headers(partner):
    """RFC 4130 §7.3.1."""
    assert partner.opened(partner.post(partner.entity()), **OPEN).mic.value == Digest.SHA256.of(ORDERS)


ASKED = "signed-receipt-protocol=optional,pkcs7-signature; signed-receipt-micalg=optional,{}"


def test_071_the_algorithm_of_a_signed_message_is_that_of_its_signature(partner):
    """RFC 4130 §7.4.3."""
    entity = partner.signed(partner.entity(), digest=Digest.SHA512)
    posted = partner.post(entity).with_headers(Disposition_Notification_Options=ASKED.format("sha-256"))
    assert partner.opened(posted, **SIGNED_ONLY).mic.digest is Digest.SHA512


def test_071_or_the_requested_one_where_the_partnership_says_so(partner):
    """OpenAS2 and phase2 read the draft's §8.3 like this."""
    entity = partner.signed(partner.entity(), digest=Digest.SHA512)
    posted = partner.post(entity).with_headers(Disposition_Notification_Options=ASKED.format("sha-256"))
    opened = partner.opened(posted, mic_by_request=True, **SIGNED_ONLY)
    assert opened.mic.digest is Digest.SHA256
    assert opened.mic.value == Digest.SHA256.of(partner.entity())


@pytest.mark.parametrize(
    ("asked", "taken"), [("sha-512, sha-256", Digest.SHA512), ("md5, SHA384", Digest.SHA384), (None, Digest.SHA256)]
)
def test_071_of_an_unsigned_message_the_first_supported_or_the_default(partner, asked, taken):
    options = ASKED.format(asked) if asked else None
    posted = partner.post(partner.entity()).with_headers(Disposition_Notification_Options=options)
    mic = partner.opened(posted, **OPEN).mic
    assert (mic.digest, mic.value) == (taken, taken.of(ORDERS))


@pytest.mark.parametrize("spelling", ["sha256", "SHA-256", "sha-256", "Sha256"])
def test_072_the_mic_is_answered_in_the_partners_spelling(partner, spelling):
    posted = partner.post(partner.signed(partner.entity()))
    posted = posted.with_headers(Disposition_Notification_Options=ASKED.format(spelling))
    assert partner.opened(posted, **SIGNED_ONLY).mic.render().endswith(f", {spelling}")


def test_075_multipart_related_is_digested_whole(partner):
    """RFC 6362 §4; pyas2lib PR #12: multipart/related from Cleo broke the signature check."""
    body = (
        b"--in\r\nContent-Type: application/xml\r\n\r\n<order/>\r\n"
        b"--in\r\nContent-Type: application/pdf\r\nContent-ID: <a@b>\r\n\r\n%PDF\r\n--in--\r\n"
    )
    entity = b'Content-Type: multipart/related; type="application/xml"; boundary=in\r\n\r\n' + body
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(entity))))
    assert opened.mic.value == Digest.SHA256.of(entity)
    assert opened.payload.read() == body
    plain = partner.opened(partner.post(partner.encrypted(entity)), **ENCRYPTED_ONLY)
    assert plain.mic.value == Digest.SHA256.of(entity)


def test_076_a_large_content_has_the_same_mic_as_a_small_one_would(partner):
    """phase2 #37: the "large file" mode gave another MIC. Here there is one path."""
    content = bytes(range(256)) * 4096 * 8
    entity = partner.entity(content)
    for layers in (("signed", "encrypted"), ("signed", "compressed", "encrypted")):
        opened = partner.opened(partner.post(packed(partner, layers, entity)), inflate_ratio_max=10_000)
        assert opened.mic.value == Digest.SHA256.of(entity)
        assert Digest.SHA256.of(opened.payload.read()) == Digest.SHA256.of(content)


# --- algorithms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", [Digest.SHA256, Digest.SHA384, Digest.SHA512])
def test_051_the_digests_of_sha_2(partner, digest):
    opened = partner.opened(partner.post(partner.signed(partner.entity(), digest=digest)), **SIGNED_ONLY)
    assert opened.mic.value == digest.of(partner.entity())


def test_051_sha_1_only_where_the_partnership_says_legacy(partner):
    posted = partner.post(partner.signed(partner.entity(), digest=Digest.SHA1))
    refused = partner.refused(posted, **SIGNED_ONLY)
    assert refused.disposition == d.INSUFFICIENT_MESSAGE_SECURITY
    assert "sha-1" in refused.diagnosis
    opened = partner.opened(posted, accepted_digests=frozenset({"sha-1", "sha-256"}), **SIGNED_ONLY)
    assert opened.mic.value == Digest.SHA1.of(partner.entity())


def signed_in(partner: SimulatedPartner, scheme: SignatureScheme) -> SignatureScheme:
    opened = partner.opened(partner.post(partner.signed(partner.entity(), scheme=scheme)), **SIGNED_ONLY)
    assert opened.signed_with
    return opened.signed_with.scheme


def test_052_rsa_pkcs1_v1_5(partner):
    assert signed_in(partner, SignatureScheme.PKCS1V15) is SignatureScheme.PKCS1V15


def test_053_rsa_pss(partner):
    assert signed_in(partner, SignatureScheme.PSS) is SignatureScheme.PSS


@pytest.mark.parametrize("kind", ["p-256", "p-384"])
def test_054_ecdsa(kind):
    partner = SimulatedPartner(key=key_of("EC", kind))
    opened = partner.opened(partner.post(partner.signed(partner.entity())), **SIGNED_ONLY)
    assert opened.signed_with
    assert opened.signed_with.scheme is SignatureScheme.ECDSA


@pytest.mark.parametrize(
    "cipher", [Cipher.AES_128_CBC, Cipher.AES_192_CBC, Cipher.AES_256_CBC, Cipher.AES_128_GCM, Cipher.AES_256_GCM]
)
def test_055_every_cipher(partner, cipher):
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(partner.entity()), cipher=cipher)))
    assert opened.encrypted_with
    assert opened.encrypted_with.cipher is cipher


def test_057_a_cipher_that_is_not_agreed_is_refused(partner):
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), cipher=Cipher.AES_128_CBC))
    refused = partner.refused(posted, accepted_ciphers=frozenset({"aes-256-gcm"}))
    assert refused.disposition == d.INSUFFICIENT_MESSAGE_SECURITY
    assert "aes-128-cbc" in refused.diagnosis


def transported_by(partner: SimulatedPartner, transport: KeyTransport) -> KeyTransport:
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(partner.entity()), transport=transport)))
    assert opened.encrypted_with
    return opened.encrypted_with.key_transport


def test_058_key_transport_by_pkcs1_v1_5(partner):
    assert transported_by(partner, KeyTransport.PKCS1V15) is KeyTransport.PKCS1V15


@pytest.mark.parametrize("transport", [t for t in KeyTransport if t.value.startswith("oaep")])
def test_059_key_transport_by_oaep(partner, transport):
    assert transported_by(partner, transport) is transport


def test_060_key_agreement():
    partner = SimulatedPartner(gateway_key=key_of("EC", "p-256"))
    assert transported_by(partner, KeyTransport.ECDH) is KeyTransport.ECDH


def test_063_a_short_rsa_key_is_refused_even_if_it_was_pinned():
    """Draft rfc4130bis §9: RSA of 2048 bits or more."""
    weak = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WEAK")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(weak.public_key())
    builder = (
        builder.serial_number(7).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    )
    der = builder.sign(weak, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    partner = SimulatedPartner(key=PrivateKey(weak, Certificate.from_der(der)))
    refused = partner.refused(partner.post(partner.signed(partner.entity())), **SIGNED_ONLY)
    assert refused.disposition == d.INSUFFICIENT_MESSAGE_SECURITY
    assert "RSA-1024" in refused.diagnosis


def test_061_of_several_recipients_ours_need_not_be_the_first(partner):
    others = [key_of("SOMEBODY ELSE").certificate, partner.gateway_key.certificate]
    entity = partner.encrypted(partner.signed(partner.entity()), recipients=others)
    assert partner.opened(partner.post(entity)).payload.read() == ORDERS


# --- certificates --------------------------------------------------------------------------------


def test_114_any_pinned_certificate_verifies(partner):
    old, new = key_of("VENDOR old"), key_of("VENDOR new")
    policy = {"signing_certificates": pinned(old.certificate, new.certificate), **SIGNED_ONLY}
    for key in (old, new):
        opened = partner.opened(partner.post(partner.signed(partner.entity(), key=key)), **policy)
        assert opened.signed_with
        assert opened.signed_with.fingerprint == key.certificate.fingerprint


def test_118_a_signature_with_an_expired_certificate_is_a_noticeable_error(partner):
    later = partner.key.certificate.not_after + timedelta(days=1)
    posted = partner.post(partner.signed(partner.entity()))
    refused = partner.refused(posted, now=later, **SIGNED_ONLY)
    assert refused.disposition == d.AUTHENTICATION_FAILED
    assert f"{partner.key.certificate.not_after:%Y-%m-%d}" in refused.diagnosis
    assert "accept_expired_certificates" in refused.diagnosis
    opened = partner.opened(posted, now=later, accept_expired_certificates=True, **SIGNED_ONLY)
    assert partner.key.certificate.fingerprint in opened.notes[0]


def test_119_signing_and_encryption_certificates_are_apart(partner):
    """A certificate that is pinned for encryption verifies nothing."""
    other = key_of("VENDOR encryption")
    policy = {"encryption_certificates": pinned(other.certificate), **SIGNED_ONLY}
    refused = partner.refused(partner.post(partner.signed(partner.entity(), key=other)), **policy)
    assert refused.disposition == d.AUTHENTICATION_FAILED


# --- what is demanded ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers", [(), ("signed",), ("compressed",), ("compressed", "signed"), ("signed", "compressed")]
)
def test_092_unencrypted_where_encryption_is_demanded(partner, layers):
    """RFC 4130 §7.5.3: insufficient-message-security."""
    refused = partner.refused(partner.post(packed(partner, layers)), require_signature=False)
    assert refused.disposition == d.INSUFFICIENT_MESSAGE_SECURITY
    assert "require_encryption" in refused.diagnosis


@pytest.mark.parametrize("layers", [(), ("encrypted",), ("compressed",), ("compressed", "encrypted")])
def test_092_unsigned_where_a_signature_is_demanded(partner, layers):
    refused = partner.refused(partner.post(packed(partner, layers)), require_encryption=False)
    assert refused.disposition == d.INSUFFICIENT_MESSAGE_SECURITY
    assert "require_signature" in refused.diagnosis
    assert refused.mic is None


def test_092_changed_content_fails_the_integrity_check(partner):
    entity = partner.signed(partner.entity()).replace(b"UNZ+0", b"UNZ+9")
    refused = partner.refused(partner.post(partner.encrypted(entity)))
    assert refused.disposition == d.INTEGRITY_CHECK_FAILED


def test_092_a_stranger_fails_the_authentication(partner):
    entity = partner.signed(partner.entity(), key=key_of("STRANGER"))
    refused = partner.refused(partner.post(partner.encrypted(entity)))
    assert refused.disposition == d.AUTHENTICATION_FAILED
    assert "pinned" in refused.diagnosis
    assert "STRANGER" not in refused.explanation


def test_092_what_is_encrypted_for_another_fails_the_decryption(partner):
    other = [key_of("SOMEBODY ELSE").certificate]
    refused = partner.refused(partner.post(partner.encrypted(partner.signed(partner.entity()), recipients=other)))
    assert refused.disposition == d.DECRYPTION_FAILED


def test_092_broken_compression(partner):
    head, _, body = partner.compressed(partner.entity(ORDERS * 50)).partition(b"\r\n\r\n")
    damaged = bytearray(body)
    damaged[-40] ^= 0xFF
    refused = partner.refused(partner.post(head + b"\r\n\r\n" + bytes(damaged)), **OPEN)
    assert refused.disposition == d.DECOMPRESSION_FAILED


def test_the_bare_lf_of_canonical_text_is_diagnosed_and_accepted_by_switch(partner):
    """RFC 8551 §3.1.1: some sign the text with CRLF and send it with LF."""
    entity = partner.entity(b"UNB+1'\nUNZ+0+1'\n")
    canonical = entity.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    posted = partner.post(partner.encrypted(partner.signed(entity, signature=partner.signature(canonical))))
    refused = partner.refused(posted)
    assert refused.disposition == d.INTEGRITY_CHECK_FAILED
    assert "accept_canonicalised" in refused.diagnosis
    opened = partner.opened(posted, accept_canonicalised=True)
    assert opened.mic.value == Digest.SHA256.of(canonical)
    assert opened.payload.read() == b"UNB+1'\nUNZ+0+1'\n"


@pytest.mark.parametrize("excess", [0, 1])
def test_the_content_is_bounded_by_the_partnership(partner, excess):
    posted = partner.post(partner.encrypted(partner.signed(partner.entity(b"x" * (1000 + excess)))))
    outcome = partner.delivered(posted, payload_bytes_max=1000)
    if excess:
        assert isinstance(outcome, Refused)
        assert "payload_bytes_max" in outcome.diagnosis
    else:
        assert isinstance(outcome, Opened)


def test_the_signature_is_bounded(partner):
    entity = partner.signed(partner.entity(), signature=b"\xff" * (SIGNATURE_BYTES_MAX + 1), encoding="binary")
    assert "signature" in partner.refused(partner.post(entity), **SIGNED_ONLY).diagnosis


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"rubbish",
        b"0\x80",
        b"0" * 100_000,
        b"\x30\x84\xff\xff\xff\xff",
        b"--=_by_hand\r\n",
        bytes(range(256)) * 40,
    ],
)
@pytest.mark.parametrize(
    "content_type",
    [
        "application/pkcs7-mime; smime-type=enveloped-data",
        "application/pkcs7-mime",
        'multipart/signed; boundary="=_by_hand"',
        "multipart/signed",
        "multipart/report; boundary=b",
        "message/disposition-notification",
    ],
)
def test_rubbish_is_refused_and_never_raises(partner, body, content_type):
    entity = b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    refused = partner.refused(partner.post(entity))
    assert not refused.disposition.is_positive
    assert refused.explanation
    assert refused.diagnosis


# --- receipts that cannot be given -------------------------------------------------------------------


def test_086_unsupported_algorithms_are_refused_before_anything_is_opened(partner):
    posted = partner.post(b"Content-Type: application/pkcs7-mime\r\n\r\nrubbish")
    posted = posted.with_headers(Disposition_Notification_Options=ASKED.format("md5"))
    assert partner.refused(posted).disposition == d.UNSUPPORTED_MIC_ALGORITHMS


def test_receipts_go_to_the_agreed_address_only(partner):
    posted = partner.post(partner.encrypted(partner.signed(partner.entity())))
    stranger = posted.with_headers(Receipt_Delivery_Option="http://169.254.169.254/latest/meta-data")
    refused = partner.refused(stranger, mdn_url="http://vendor.example/mdn")
    assert refused.disposition == d.UNSUPPORTED_FORMAT
    assert "mdn_url" in refused.diagnosis
    agreed = posted.with_headers(Receipt_Delivery_Option="http://vendor.example/mdn?id=7")
    partner.opened(agreed, mdn_url="http://vendor.example/mdn")


# --- asynchronous MDNs ---------------------------------------------------------------------------------


def test_100_an_mdn_on_the_message_url_is_a_report(partner):
    sealed = partner.sealed_by_gateway()
    outcome = partner.delivered(partner.answer(sealed))
    assert isinstance(outcome, OpenedReport)
    assert outcome.report.as2_from == partner.name
    assert outcome.report.original_message_id == sealed.sent.message_id


def test_an_encrypted_mdn_is_read(partner):
    sealed = partner.sealed_by_gateway()
    entity = partner.signed(partner.report(partner.notification(sealed.sent.message_id)))
    assert isinstance(partner.delivered(partner.mdn(partner.encrypted(entity))), OpenedReport)


def test_scratch_space_is_closed_except_for_the_payload(partner):
    made: list[io.BytesIO] = []

    def spool() -> io.BytesIO:
        made.append(io.BytesIO())
        return made[-1]

    posted = partner.post(packed(partner, ("compressed", "signed", "encrypted")))
    body, request = io.BytesIO(posted.body), read_request(posted.headers)
    outcome = open_transmission(request, posted.headers, body, partner.relationship(), spool, NOW)
    assert isinstance(outcome, Opened)
    assert [scratch for scratch in made if not scratch.closed] == [outcome.payload]
