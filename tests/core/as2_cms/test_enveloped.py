"""Envelopes: what is sealed for somebody opens for him, and nothing shows why another does not (RFC 5652 §6, 5083)."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from asn1crypto import cms as asn1
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.as2 import cms
from edi_gateway.as2.algorithms import DEFAULT_CIPHERS, LEGACY_CIPHERS, Cipher, Digest, KeyTransport
from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.cms import AlgorithmRefused, ContentType, DecryptionFailed, Malformed, der
from edi_gateway.as2.cms.content import content_info
from edi_gateway.as2.cms.enveloped import ATTRIBUTES_BYTES_MAX
from edi_gateway.as2.cms.recipients import RECIPIENTS_MAX
from tests.core.as2_cms.material import NOW, ORDER, key, opened, pieces, until_refused
from tests.core.as2_cms.test_certificates import issued

CBC, GCM = Cipher.AES_256_CBC, Cipher.AES_256_GCM
CIPHERS = sorted(DEFAULT_CIPHERS)
OAEP = [t for t in KeyTransport if t.digest]
DATA = der.oid(ContentType.DATA.value)


def sealed(
    *recipients: PrivateKey,
    content: bytes = ORDER,
    cipher: Cipher = CBC,
    transport: KeyTransport = KeyTransport.PKCS1V15,
    **options: object,
) -> bytes:
    """The order in an envelope for those keys."""
    certificates = [k.certificate for k in recipients or (key(),)]
    return b"".join(cms.encrypt([content], certificates, cipher, transport, **options))


def refused(message: bytes, *keys: PrivateKey, **bounds: object) -> cms.CmsError:
    with pytest.raises(cms.CmsError) as caught:
        opened(message, *keys, **bounds)
    return caught.value


# --- what we seal --------------------------------------------------------------------------------


@pytest.mark.parametrize("by_key_identifier", [False, True])
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("transport", KeyTransport)
def test_what_we_encrypt_opens(cipher: Cipher, transport: KeyTransport, by_key_identifier: bool) -> None:
    ours = key("us", "p-256") if transport is KeyTransport.ECDH else key()
    message = sealed(ours, cipher=cipher, transport=transport, by_key_identifier=by_key_identifier)
    envelope = cms.open_enveloped([message], [ours])
    assert (envelope.cipher, envelope.key_transport, envelope.key) == (cipher, transport, ours)
    assert b"".join(envelope.chunks) == ORDER


@pytest.mark.parametrize("cipher", [c for c in CIPHERS if not c.authenticated])
def test_055_aes_cbc(cipher: Cipher) -> None:
    assert opened(sealed(cipher=cipher)) == ORDER


@pytest.mark.parametrize("cipher", [c for c in CIPHERS if c.authenticated])
def test_056_aes_gcm_stands_in_auth_enveloped_data(cipher: Cipher) -> None:
    message = sealed(cipher=cipher)
    assert cms.content_type_of(message) is ContentType.AUTH_ENVELOPED
    assert opened(message) == ORDER


def test_058_rsa_pkcs1_v15_transport() -> None:
    assert opened(sealed(transport=KeyTransport.PKCS1V15), transports=frozenset({KeyTransport.PKCS1V15})) == ORDER


@pytest.mark.parametrize("transport", OAEP)
def test_059_rsa_oaep_transport(transport: KeyTransport) -> None:
    assert opened(sealed(transport=transport), transports=frozenset({transport})) == ORDER


@pytest.mark.parametrize("kind", ["p-256", "p-384"])
@pytest.mark.parametrize("cipher", [CBC, GCM, Cipher.AES_128_CBC, Cipher.AES_192_CBC])
def test_060_ecdh_agreement(kind: str, cipher: Cipher) -> None:
    ours = key("us", kind)
    message = sealed(ours, cipher=cipher, transport=KeyTransport.ECDH)
    assert opened(message, ours, transports=frozenset({KeyTransport.ECDH})) == ORDER


def test_061_several_recipients_ours_not_first() -> None:
    others = [key("other"), key("other", "p-384"), key(), key("us", "p-256")]
    for cipher in (CBC, GCM):
        message = sealed(*others, cipher=cipher)
        for recipient in others:
            assert opened(message, recipient) == ORDER
        assert cms.open_enveloped([message], [key()]).recipients == 4


def test_062_the_originator_keeps_a_copy_of_the_content_key() -> None:
    us, them = key(), key("other")
    message = sealed(them, us)
    assert opened(message, us) == opened(message, them) == ORDER


def test_whom_an_envelope_is_for_is_told_without_a_key() -> None:
    people = [key(), key("other"), key("us", "p-256")]
    for by_key_identifier in (False, True):
        named = cms.recipients_of(pieces(sealed(*people, by_key_identifier=by_key_identifier), 50))
        assert all(any(reference.means(p.certificate) for reference in named) for p in people)
        assert len(named) == len(people)


def test_115_any_of_our_keys_opens() -> None:
    assert opened(sealed(key()), key("other"), key("us", "p-256"), key()) == ORDER


@pytest.mark.parametrize("transport", [KeyTransport.PKCS1V15, KeyTransport.OAEP_SHA256])
def test_an_elliptic_certificate_among_rsa_ones_is_reached_by_ecdh(transport: KeyTransport) -> None:
    message = sealed(key(), key("us", "p-256"), transport=transport)
    assert cms.open_enveloped([message], [key("us", "p-256")]).key_transport is KeyTransport.ECDH


def test_another_implementation_reads_what_we_seal() -> None:
    for cipher in (CBC, GCM):
        message = sealed(key(), key("us", "p-256"), cipher=cipher, transport=KeyTransport.OAEP_SHA256)
        info = asn1.ContentInfo.load(message, strict=True)
        assert info.native["content_type"] in ("enveloped_data", "authenticated_enveloped_data")
        assert len(info["content"]["recipient_infos"]) == 2
        assert info.dump(force=True) == message


@pytest.mark.parametrize("cipher", [CBC, GCM])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 65536, 1024 * 1024, 1024 * 1024 + 1])
@pytest.mark.parametrize("told", [True, False])
def test_every_length_survives(cipher: Cipher, size: int, told: bool) -> None:
    content = bytes(size)
    chunks = cms.encrypt(pieces(content, 100_000), [key().certificate], cipher, length=size if told else None)
    message = b"".join(chunks)
    assert (message[1] == 0x80) is (not told and size > 1024 * 1024)
    assert opened(pieces(message, 70_000)) == content


def test_a_length_told_wrongly_is_our_fault() -> None:
    for length in (len(ORDER) - 16, len(ORDER) + 16):
        with pytest.raises(ValueError, match="were told"):
            sealed(length=length)


def test_057_weak_ciphers_are_never_generated() -> None:
    with pytest.raises(AlgorithmRefused):
        sealed(cipher=Cipher.TRIPLE_DES_CBC)


def test_063_nothing_is_encrypted_for_a_short_key() -> None:
    weak = issued("weak", "weak", rsa.generate_private_key(65537, 1024))
    with pytest.raises(cms.UnsuitableKey):
        cms.encrypt([ORDER], [weak], CBC)


def test_what_cannot_be_sealed_is_said_before_the_first_byte() -> None:
    with pytest.raises(cms.UnsuitableKey):
        cms.encrypt([ORDER], [], CBC)
    with pytest.raises(cms.UnsuitableKey):
        cms.encrypt([ORDER], [key().certificate], CBC, KeyTransport.ECDH)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([CBC, GCM]), st.booleans())
def test_043_however_the_stream_is_cut_the_content_is_the_same(
    size: int, segment: int, cipher: Cipher, definite: bool
) -> None:
    message = sealed(cipher=cipher) if definite else in_segments(sealed(cipher=cipher), segment)
    assert opened(pieces(message, size)) == ORDER


def in_segments(message: bytes, size: int) -> bytes:
    """The same envelope in BER: indefinite lengths, the content in constructed segments of that size."""
    info = asn1.ContentInfo.load(message)
    content = info["content"]
    authenticated = info["content_type"].native != "enveloped_data"
    encrypted = content["auth_encrypted_content_info" if authenticated else "encrypted_content_info"]
    start, end = der.indefinite, der.END_OF_CONTENTS
    cut = b"".join(map(der.octet_string, pieces(encrypted["encrypted_content"].native, size)))
    nested = start(0x24) + cut + end
    body = encrypted["content_type"].dump() + encrypted["content_encryption_algorithm"].dump()
    inner = start(0x30) + body + start(0xA0) + nested + end + end
    mac = content["mac"].dump() if authenticated else b""
    head = content["version"].dump() + start(0x31) + content["recipient_infos"].contents + end
    return start(0x30) + info["content_type"].dump() + start(0xA0) + start(0x30) + head + inner + mac + end * 3


# --- what others seal ----------------------------------------------------------------------------


def by_hand(encrypted_key: bytes, transport: bytes, cipher: Cipher, parameters: bytes, ciphertext: bytes) -> bytes:
    """An EnvelopedData for our RSA key with every part ours to choose."""
    issuer = der.sequence(key().certificate.issuer_der, der.integer(key().certificate.serial))
    recipient = der.sequence(der.integer(0), issuer, transport, der.octet_string(encrypted_key))
    return enveloped(der.set_of(recipient), cipher, parameters, ciphertext)


def enveloped(recipients: bytes, cipher: Cipher, parameters: bytes, ciphertext: bytes, *behind: bytes) -> bytes:
    kind = ContentType.AUTH_ENVELOPED if behind else ContentType.ENVELOPED
    body = der.sequence(DATA, der.algorithm(cipher.oid, parameters), der.element(0x80, ciphertext))
    return content_info(kind, der.integer(0), recipients, body, *behind)


PKCS1 = der.algorithm("1.2.840.113549.1.1.1", der.NULL)
CONTENT_KEY, IV = bytes(range(32)), bytes(16)


def wrapped(content_key: bytes = CONTENT_KEY) -> bytes:
    return key().key.public_key().encrypt(content_key, padding.PKCS1v15())


def cbc(content: bytes, content_key: bytes = CONTENT_KEY, pad: bytes | None = None) -> bytes:
    encryptor = BlockCipher(algorithms.AES(content_key), modes.CBC(IV)).encryptor()
    missing = 16 - len(content) % 16
    return encryptor.update(content + (bytes((missing,)) * missing if pad is None else pad))


def test_057_triple_des_opens_by_the_partnerships_switch_alone() -> None:
    content_key = bytes(range(24))
    encryptor = BlockCipher(TripleDES(content_key), modes.CBC(bytes(8))).encryptor()
    ciphertext = encryptor.update(b"an old message 16" + b"\x07" * 7)
    message = by_hand(wrapped(content_key), PKCS1, Cipher.TRIPLE_DES_CBC, der.octet_string(bytes(8)), ciphertext)
    error = refused(message)
    assert isinstance(error, AlgorithmRefused)
    assert error.name == "3des-cbc"
    assert opened(message, accepted=LEGACY_CIPHERS) == b"an old message 16"


def test_059_oaep_with_another_digest_in_its_mask_generation() -> None:
    """Java writes OAEP with SHA-256 and MGF1 with SHA-1."""
    sha1, sha256 = (der.algorithm(d.oid, der.NULL) for d in (Digest.SHA1, Digest.SHA256))
    mask = der.algorithm("1.2.840.113549.1.1.8", sha1)
    oaep = der.algorithm("1.2.840.113549.1.1.7", der.sequence(der.element(0xA0, sha256), der.element(0xA1, mask)))
    used = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA256(), None)
    encrypted_key = key().key.public_key().encrypt(CONTENT_KEY, used)
    assert opened(by_hand(encrypted_key, oaep, CBC, der.octet_string(IV), cbc(ORDER))) == ORDER


def test_059_oaep_with_a_label() -> None:
    label = der.algorithm("1.2.840.113549.1.1.9", der.octet_string(b"label"))
    oaep = der.algorithm("1.2.840.113549.1.1.7", der.sequence(der.element(0xA2, label)))
    used = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), b"label")
    encrypted_key = key().key.public_key().encrypt(CONTENT_KEY, used)
    assert opened(by_hand(encrypted_key, oaep, CBC, der.octet_string(IV), cbc(ORDER))) == ORDER


@pytest.mark.parametrize(
    ("oid", "hash_"),
    [
        ("1.3.133.16.840.63.0.2", hashes.SHA1()),
        ("1.3.132.1.11.1", hashes.SHA256()),
        ("1.3.132.1.11.2", hashes.SHA384()),
        ("1.3.132.1.11.3", hashes.SHA512()),
        ("1.3.132.1.14.1", hashes.SHA256()),
    ],
)
@pytest.mark.parametrize("ukm", [b"", b"keying material"])
def test_060_ecdh_with_every_derivation_with_and_without_keying_material(
    oid: str, hash_: hashes.HashAlgorithm, ukm: bytes
) -> None:
    ours = key("us", "p-256")
    public = ours.key.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    ephemeral = ec.generate_private_key(public.curve)
    wrap = der.algorithm("2.16.840.1.101.3.4.1.45", der.NULL)  # some write NULL, and derive from it
    entity = der.element(0xA0, der.octet_string(ukm)) if ukm else b""
    shared = der.sequence(wrap, entity, der.element(0xA2, der.octet_string(b"\x00\x00\x01\x00")))
    derived = X963KDF(hash_, 32, shared).derive(ephemeral.exchange(ec.ECDH(), public))
    point = ephemeral.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    originator = der.element(0xA1, der.algorithm("1.2.840.10045.2.1", der.NULL), der.bit_string(point))
    issuer = der.sequence(ours.certificate.issuer_der, der.integer(ours.certificate.serial))
    keys = der.sequence(der.sequence(issuer, der.octet_string(aes_key_wrap(derived, CONTENT_KEY))))
    material = der.element(0xA1, der.octet_string(ukm)) if ukm else b""
    info = der.element(0xA1, der.integer(3), der.element(0xA0, originator), material, der.algorithm(oid, wrap), keys)
    assert opened(enveloped(der.set_of(info), CBC, der.octet_string(IV), cbc(ORDER)), ours) == ORDER


def gcm(tag_bytes: int | None, tag_written: int, attributes: bytes = b"", content_type: bytes = DATA) -> bytes:
    """An AuthEnvelopedData by hand: the tag's length as told and as written, and authenticated attributes."""
    nonce = bytes(range(12))
    told = b"" if tag_bytes is None else der.integer(tag_bytes)
    authenticated = der.set_of(attributes) if attributes else None
    both = AESGCM(CONTENT_KEY).encrypt(nonce, ORDER, authenticated)
    issuer = der.sequence(key().certificate.issuer_der, der.integer(key().certificate.serial))
    recipient = der.set_of(der.sequence(der.integer(0), issuer, PKCS1, der.octet_string(wrapped())))
    parameters = der.sequence(der.octet_string(nonce), told)
    body = der.sequence(content_type, der.algorithm(GCM.oid, parameters), der.element(0x80, both[:-16]))
    tail = (b"\xa1" + authenticated[1:]) if authenticated else b""
    mac = der.octet_string(both[-16:][:tag_written])
    return content_info(ContentType.AUTH_ENVELOPED, der.integer(0), recipient, body, tail, mac)


@pytest.mark.parametrize(("told", "written"), [(16, 16), (12, 12), (None, 12), (14, 14)])
def test_056_the_tag_length_is_read_and_is_12_where_it_is_absent(told: int | None, written: int) -> None:
    assert opened(gcm(told, written)) == ORDER


@pytest.mark.parametrize(("told", "written"), [(None, 16), (16, 12), (12, 16), (16, 0)])
def test_056_a_tag_of_another_length_than_told_fails(told: int | None, written: int) -> None:
    assert isinstance(refused(gcm(told, written)), DecryptionFailed)


@pytest.mark.parametrize("told", [0, 4, 8, 11, 17, 255])
def test_056_a_tag_too_short_to_protect_is_malformed(told: int) -> None:
    assert isinstance(refused(gcm(told, min(told, 16))), Malformed)


SAYS_DATA = der.attribute("1.2.840.113549.1.9.3", DATA)
SAYS_SIGNED = der.attribute("1.2.840.113549.1.9.3", der.oid(ContentType.SIGNED.value))
OTHER = der.attribute("1.2.3.4", der.octet_string(b"x" * 100))


@pytest.mark.parametrize("attributes", [SAYS_DATA, OTHER, SAYS_DATA + OTHER])
@pytest.mark.parametrize("tag_bytes", [12, 16])
def test_056_authenticated_attributes_behind_the_content_count_in_the_tag(attributes: bytes, tag_bytes: int) -> None:
    message = gcm(tag_bytes, tag_bytes, attributes)
    assert opened(message) == ORDER
    changed = message.replace(b"x" * 100, b"y" * 100).replace(SAYS_DATA, SAYS_DATA[:-1] + b"\x02")
    assert isinstance(refused(changed), DecryptionFailed | Malformed)
    assert isinstance(refused(gcm_without_attributes(message, attributes)), DecryptionFailed)


def gcm_without_attributes(message: bytes, attributes: bytes) -> bytes:
    info = asn1.ContentInfo.load(message)
    del info["content"]["auth_attrs"]
    return bytes(info.dump(force=True))


def test_056_a_content_other_than_data_says_so_in_an_authenticated_attribute() -> None:
    signed = der.oid(ContentType.SIGNED.value)
    assert opened(gcm(16, 16, SAYS_SIGNED, signed)) == ORDER
    for attributes in (b"", SAYS_DATA, OTHER):
        assert isinstance(refused(gcm(16, 16, attributes, signed)), Malformed)
    assert isinstance(refused(gcm(16, 16, SAYS_SIGNED)), Malformed)


def test_authenticated_attributes_are_bounded() -> None:
    large = der.attribute("1.2.3.4", der.octet_string(bytes(ATTRIBUTES_BYTES_MAX)))
    assert isinstance(refused(gcm(16, 16, large)), Malformed)
    fits = der.attribute("1.2.3.4", der.octet_string(bytes(ATTRIBUTES_BYTES_MAX - 64)))
    assert opened(gcm(16, 16, fits)) == ORDER


def test_gcm_inside_of_enveloped_data_is_refused() -> None:
    """As libas2 sends it: there is no place for a tag, so nothing would authenticate the content."""
    message = by_hand(wrapped(), PKCS1, GCM, der.octet_string(bytes(12)), ORDER)
    assert isinstance(refused(message), DecryptionFailed)


def test_cbc_inside_of_auth_enveloped_data_is_refused() -> None:
    issuer = der.sequence(key().certificate.issuer_der, der.integer(key().certificate.serial))
    recipient = der.set_of(der.sequence(der.integer(0), issuer, PKCS1, der.octet_string(wrapped())))
    message = enveloped(recipient, CBC, der.octet_string(IV), cbc(ORDER), der.octet_string(bytes(16)))
    assert isinstance(refused(message), DecryptionFailed)


# --- what does not open --------------------------------------------------------------------------


def test_what_is_encrypted_for_another_says_for_whom() -> None:
    error = refused(sealed(key("other")))
    assert isinstance(error, DecryptionFailed)
    assert f"{key('other').certificate.serial:x} (hex) of CN=other" in error.diagnosis
    assert str(error) == "The message could not be decrypted."


def test_a_cipher_that_is_not_accepted_is_refused_before_a_key_is_touched() -> None:
    error = refused(sealed(key("other")), accepted=frozenset({GCM}))
    assert isinstance(error, AlgorithmRefused)
    assert (error.name, str(error)) == ("aes-256-cbc", "The message uses an algorithm that is not accepted.")
    unknown = sealed().replace(der.oid(CBC.oid), der.oid("2.16.840.1.101.3.4.1.44"))
    assert isinstance(refused(unknown), AlgorithmRefused)


def test_a_transport_that_is_not_accepted_is_refused() -> None:
    error = refused(sealed(), transports=frozenset(OAEP))
    assert isinstance(error, AlgorithmRefused)
    assert error.name == "pkcs1v15"


def wrong_ways() -> Iterator[tuple[str, bytes]]:
    """Envelopes for our key that cannot decrypt, each for another reason, with contents of the same size."""
    iv = der.octet_string(IV)
    yield "padding of the key", by_hand(b"\x01" * 256, PKCS1, CBC, iv, cbc(ORDER))
    yield "length of the key", by_hand(wrapped(bytes(16)), PKCS1, CBC, iv, cbc(ORDER))
    yield "the key", by_hand(wrapped(bytes(32)), PKCS1, CBC, iv, cbc(ORDER))
    yield "padding of the content", by_hand(wrapped(), PKCS1, CBC, iv, cbc(ORDER, pad=b"\x00" * (16 - len(ORDER) % 16)))
    yield (
        "padding longer than a block",
        by_hand(wrapped(), PKCS1, CBC, iv, cbc(ORDER, pad=b"\x11" * (16 - len(ORDER) % 16))),
    )
    yield "half a block", by_hand(wrapped(), PKCS1, CBC, iv, cbc(ORDER)[:-1])
    yield "no content", by_hand(wrapped(), PKCS1, CBC, iv, b"")
    yield "oaep", by_hand(b"\x01" * 256, der.algorithm("1.2.840.113549.1.1.7", der.sequence()), CBC, iv, cbc(ORDER))
    yield "the tag", sealed(cipher=GCM)[:-1] + bytes((sealed(cipher=GCM)[-1] ^ 1,))


def test_no_way_of_not_decrypting_can_be_told_from_another() -> None:
    seen = set()
    for _, message in wrong_ways():
        envelope = cms.open_enveloped([message], [key()])  # never says anything here
        with pytest.raises(DecryptionFailed) as caught:
            list(envelope.chunks)
        seen.add((type(caught.value), str(caught.value), caught.value.diagnosis, caught.value.__cause__))
    assert len(seen) == 1


def test_a_wrong_key_costs_the_same_time_as_a_wrong_padding() -> None:
    content = bytes(4096)
    messages = {
        "padding": by_hand(b"\x01" * 256, PKCS1, CBC, der.octet_string(IV), cbc(content)),
        "length": by_hand(wrapped(bytes(16)), PKCS1, CBC, der.octet_string(IV), cbc(content)),
        "key": by_hand(wrapped(bytes(32)), PKCS1, CBC, der.octet_string(IV), cbc(content)),
        "content": by_hand(wrapped(), PKCS1, CBC, der.octet_string(IV), cbc(content, pad=bytes(16))),
    }
    fastest = {name: min(elapsed(message) for _ in range(40)) for name, message in messages.items()}
    assert max(fastest.values()) < 2 * min(fastest.values()), fastest


def elapsed(message: bytes) -> float:
    start = time.perf_counter()
    with contextlib.suppress(DecryptionFailed):
        opened(message)
    return time.perf_counter() - start


def test_a_malformed_end_does_not_show_whether_the_padding_held() -> None:
    """An error of structure comes whatever the padding was; otherwise the pair would be an oracle."""
    for pad in (None, bytes(16 - len(ORDER) % 16)):
        message = by_hand(wrapped(), PKCS1, CBC, der.octet_string(IV), cbc(ORDER, pad=pad)) + b"behind"
        assert isinstance(refused(message), Malformed)


def test_a_flipped_bit_shows_in_gcm_and_not_in_cbc() -> None:
    """CBC alone does not protect a content: the partnership must ask for a signature or for GCM."""
    for cipher in (CBC, GCM):
        message = bytearray(sealed(cipher=cipher))
        message[-40 if cipher is CBC else -30] ^= 1
        if cipher is CBC:
            changed = opened(bytes(message))
            assert changed != ORDER
            assert len(changed) == len(ORDER)
        else:
            assert isinstance(refused(bytes(message)), DecryptionFailed)


def test_gcm_content_given_before_the_tag_is_followed_by_the_error() -> None:
    message = bytearray(sealed(cipher=GCM, content=bytes(2_000_000), length=2_000_000))
    message[-1] ^= 1
    chunks = cms.open_enveloped(pieces(bytes(message), 65536), [key()]).chunks
    given, error = until_refused(chunks)
    assert given == 2_000_000
    assert isinstance(error, DecryptionFailed)


def test_a_point_that_is_not_on_the_curve_fails_like_a_wrong_key() -> None:
    ours = key("us", "p-256")
    message = sealed(ours, transport=KeyTransport.ECDH)
    at = message.index(b"\x03\x42\x00\x04") + 10
    broken = message[:at] + bytes((message[at] ^ 1,)) + message[at + 1 :]
    cms.open_enveloped([broken], [ours])
    assert isinstance(refused(broken, ours), DecryptionFailed)


def test_a_key_of_the_other_kind_is_malformed() -> None:
    ours = key("us", "p-256")
    issuer = der.sequence(ours.certificate.issuer_der, der.integer(ours.certificate.serial))
    info = der.set_of(der.sequence(der.integer(0), issuer, PKCS1, der.octet_string(bytes(256))))
    assert isinstance(refused(enveloped(info, CBC, der.octet_string(IV), cbc(ORDER)), ours), Malformed)


@pytest.mark.parametrize("count", [RECIPIENTS_MAX, RECIPIENTS_MAX + 1])
def test_the_number_of_recipients_is_bounded(count: int) -> None:
    one = asn1.ContentInfo.load(sealed())["content"]["recipient_infos"].contents
    message = enveloped(der.element(der.SET, one * count), CBC, der.octet_string(IV), cbc(ORDER))
    if count > RECIPIENTS_MAX:
        assert isinstance(refused(message), Malformed)
    else:
        assert cms.open_enveloped([message], [key()]).recipients == count


def test_recipients_of_kinds_we_do_not_know_are_passed_over() -> None:
    ours = asn1.ContentInfo.load(sealed())["content"]["recipient_infos"].contents
    password = der.element(0xA3, der.integer(0), der.algorithm("1.2.3"), der.octet_string(b"x"))
    message = enveloped(der.element(der.SET, password + ours), CBC, der.octet_string(IV), cbc(ORDER))
    assert cms.open_enveloped([message], [key()]).recipients == 1
    nobody = refused(enveloped(der.set_of(password), CBC, der.octet_string(IV), cbc(ORDER)))
    assert "nobody" in nobody.diagnosis


@pytest.mark.parametrize(
    ("parameters", "cipher"),
    [(b"", CBC), (der.NULL, CBC), (der.octet_string(bytes(15)), CBC), (der.sequence(), CBC)],
)
def test_parameters_that_do_not_fit_are_malformed(parameters: bytes, cipher: Cipher) -> None:
    assert isinstance(refused(by_hand(wrapped(), PKCS1, cipher, parameters, cbc(ORDER))), Malformed)


def agreement(
    point: bytes = b"\x04" + bytes(64),
    ukm: bytes = b"",
    wrap: str = "2.16.840.1.101.3.4.1.45",
    scheme: str = "1.3.132.1.11.1",
    originator: bytes = b"",
    recipient: bytes = b"",
    encrypted_key: bytes = bytes(40),
) -> bytes:
    """An envelope for an elliptic key of ours with every part of the agreement ours to choose."""
    named = key("us", "p-256").certificate
    issuer = recipient or der.sequence(named.issuer_der, der.integer(named.serial))
    given = originator or der.element(0xA1, der.algorithm("1.2.840.10045.2.1"), der.bit_string(point))
    info = der.element(
        0xA1,
        der.integer(3),
        der.element(0xA0, given),
        der.element(0xA1, der.octet_string(ukm)) if ukm else b"",
        der.algorithm(scheme, der.algorithm(wrap)),
        der.sequence(der.sequence(issuer, der.octet_string(encrypted_key))),
    )
    return enveloped(der.set_of(info), CBC, der.octet_string(IV), cbc(ORDER))


RSA_OF_OURS = der.sequence(key().certificate.issuer_der, der.integer(key().certificate.serial))


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({}, DecryptionFailed),
        ({"point": b"\x04" * 256}, DecryptionFailed),
        ({"point": b"\x04" * 257}, Malformed),
        ({"ukm": bytes(1020)}, DecryptionFailed),
        ({"ukm": bytes(1021)}, Malformed),
        ({"encrypted_key": bytes(2048)}, DecryptionFailed),
        ({"encrypted_key": bytes(2049)}, Malformed),
        ({"wrap": "1.2.840.113549.1.9.16.3.6"}, AlgorithmRefused),
        ({"scheme": "1.3.132.1.11.0"}, AlgorithmRefused),
        ({"originator": der.element(0xA1, der.algorithm("1.2.840.10046.2.1"), der.bit_string(b"x"))}, Malformed),
        ({"originator": der.sequence(der.sequence(), der.integer(1))}, DecryptionFailed),
        ({"recipient": RSA_OF_OURS}, Malformed),
    ],
)
def test_060_an_agreement_that_does_not_fit(parts: dict[str, bytes], error: type[cms.CmsError]) -> None:
    message = agreement(**parts)
    assert isinstance(refused(message, key("us", "p-256"), key()), error)


def test_a_key_transport_that_nobody_knows_is_refused_by_name() -> None:
    error = refused(by_hand(wrapped(), der.algorithm("1.2.3.4"), CBC, der.octet_string(IV), cbc(ORDER)))
    assert isinstance(error, AlgorithmRefused)
    assert error.name == "1.2.3.4"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (der.element(0xA0, der.algorithm("1.2.840.113549.2.5")), "digest that is not known"),
        (der.element(0xA1, der.algorithm("1.2.3", der.NULL)), "other than MGF1"),
        (der.element(0xA1, der.algorithm("1.2.840.113549.1.1.8")), "lacks its parameters"),
        (der.element(0xA2, der.algorithm("1.2.3")), "label source"),
        (der.NULL, "unexpected field"),
        (der.element(0xA0, der.sequence(der.oid("1.2.3"), der.NULL, der.NULL)), "unexpected field"),
        (der.element(0xA2, der.algorithm("1.2.840.113549.1.1.9", der.octet_string(bytes(4096)))), "more than 4096"),
    ],
)
def test_oaep_parameters_that_are_none(fields: bytes, why: str) -> None:
    oaep = der.algorithm("1.2.840.113549.1.1.7", der.sequence(fields))
    error = refused(by_hand(wrapped(), oaep, CBC, der.octet_string(IV), cbc(ORDER)))
    assert isinstance(error, Malformed)
    assert why in error.diagnosis


@pytest.mark.parametrize(
    ("size", "error"), [(7, Malformed), (8, DecryptionFailed), (64, DecryptionFailed), (65, Malformed)]
)
def test_056_the_nonce_is_bounded(size: int, error: type[cms.CmsError]) -> None:
    recipient = der.set_of(der.sequence(der.integer(0), RSA_OF_OURS, PKCS1, der.octet_string(wrapped())))
    parameters = der.sequence(der.octet_string(bytes(size)), der.integer(16))
    assert isinstance(refused(enveloped(recipient, GCM, parameters, ORDER, der.octet_string(bytes(16)))), error)


@pytest.mark.parametrize(
    ("recipient", "error"),
    [
        (der.element(0x80, bytes(64)), DecryptionFailed),
        (der.element(0x80, bytes(65)), Malformed),
        (der.element(0x80), Malformed),
        (der.sequence(der.sequence(der.octet_string(bytes(4080))), der.integer(1)), DecryptionFailed),
        (der.sequence(der.sequence(der.octet_string(bytes(4097))), der.integer(1)), Malformed),
    ],
)
def test_the_name_of_a_recipient_is_bounded(recipient: bytes, error: type[cms.CmsError]) -> None:
    info = der.sequence(der.integer(0), recipient, PKCS1, der.octet_string(bytes(256)))
    assert isinstance(refused(enveloped(der.set_of(info), CBC, der.octet_string(IV), cbc(ORDER))), error)


# --- size ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", [CBC, GCM])
def test_memory_does_not_grow_with_the_content(cipher: Cipher) -> None:
    megabytes = (3, 30)
    peaks = [peak(cipher, size) for size in megabytes]
    assert all(later < earlier + 1024 * 1024 for earlier, later in pairwise(peaks))


def peak(cipher: Cipher, megabytes: int) -> int:
    """The most memory that sealing and opening a stream of that size took."""
    content = (bytes(65536) for _ in range(megabytes * 16))
    tracemalloc.start()
    try:
        sealing = cms.encrypt(content, [key().certificate], cipher, length=megabytes * 1024 * 1024)
        total = sum(map(len, cms.open_enveloped(sealing, [key()]).chunks))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert total == megabytes * 1024 * 1024


def test_the_time_of_the_test_keys_is_now() -> None:
    assert key().certificate.valid_at(NOW)
