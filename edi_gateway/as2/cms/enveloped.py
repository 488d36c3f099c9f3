"""EnvelopedData (RFC 5652 §6) and AuthEnvelopedData (RFC 5083, 5084): opening and sealing, as streams."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import CipherContext, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from edi_gateway.as2.algorithms import DEFAULT_CIPHERS, Cipher, KeyTransport
from edi_gateway.as2.certificates import Certificate, PrivateKey
from edi_gateway.as2.cms import ber, der
from edi_gateway.as2.cms.ber import Element
from edi_gateway.as2.cms.chunks import Frame, closing, measured, opening, segments
from edi_gateway.as2.cms.content import ContentType, enter_content, leave_content
from edi_gateway.as2.cms.errors import AlgorithmRefused, DecryptionFailed, Malformed, UnsuitableKey
from edi_gateway.as2.cms.gcm import tag_shift
from edi_gateway.as2.cms.identifiers import KeyReference
from edi_gateway.as2.cms.parameters import (
    GCM_NONCE_BYTES,
    GCM_TAG_BYTES,
    AlgorithmIdentifier,
    GcmParameters,
    gcm_parameters,
    read_algorithm,
    read_gcm,
)
from edi_gateway.as2.cms.recipients import (
    RecipientInfo,
    read_recipients,
    recipients_version,
    recover,
    write_recipients,
)
from edi_gateway.as2.cms.signed import CONTENT_TYPE_OID

ALL_TRANSPORTS = frozenset(KeyTransport)
ATTRIBUTES_BYTES_MAX = 16 * 1024  # of authenticated attributes
UNDECIPHERABLE = "the content did not decrypt: it was encrypted with another key, or altered on the way"


@dataclass(frozen=True, slots=True)
class Enveloped:
    """An envelope that is being opened.

    `chunks` gives the decrypted content once, as it arrives. Nothing of it may be believed before the
    iteration has ended without an error: only then has the end of the message been seen and the padding
    (CBC) or the tag (GCM) been checked. `DecryptionFailed` and `Malformed` can come as late as that. With
    CBC even a clean end does not show that the content is whole; its signature does.
    """

    chunks: Iterator[bytes]
    cipher: Cipher
    key_transport: KeyTransport
    key: PrivateKey  # which of ours opened it
    recipients: int  # how many the message was encrypted for


# --- opening -------------------------------------------------------------------------------------


def open_enveloped(
    chunks: Iterable[bytes],
    keys: Sequence[PrivateKey],
    accepted: frozenset[Cipher] = DEFAULT_CIPHERS,
    transports: frozenset[KeyTransport] = ALL_TRANSPORTS,
) -> Enveloped:
    """Opens an EnvelopedData or AuthEnvelopedData for the first of `keys` that it is encrypted for.

    Reads as much of `chunks` as stands before the content. `AlgorithmRefused` for a cipher or transport that
    is not accepted, `DecryptionFailed` if it is not encrypted for us, `Malformed` if it is no envelope.
    """
    source = ber.Source(chunks)
    kind, infos = _recipients(source)
    source.enter(der.SEQUENCE, "encryptedContentInfo")
    content_type = source.element("contentType", der.OBJECT_IDENTIFIER).oid()
    algorithm = read_algorithm(source.element("contentEncryptionAlgorithm"))
    cipher = _cipher(algorithm, kind, accepted)
    parameters = read_gcm(algorithm.required()) if cipher.authenticated else _iv(algorithm, cipher)
    recovered = recover(infos, keys, cipher.key_bytes, transports)
    if isinstance(parameters, GcmParameters):
        content = _gcm_content(source, recovered.content_key, parameters, content_type)
    else:
        content = _cbc_content(source, cipher, recovered.content_key, parameters)
    return Enveloped(content, cipher, recovered.transport, recovered.key, len(infos))


@dataclass(frozen=True, slots=True)
class EnvelopeHead:
    """What an envelope tells anybody, without any key."""

    recipients: tuple[KeyReference, ...]
    cipher: Cipher | None  # None: one that we do not know
    cipher_oid: str
    has_tag: bool  # AuthEnvelopedData: there is a place for the tag of an authenticated cipher


def head_of(chunks: Iterable[bytes]) -> EnvelopeHead:
    """What stands before the content; reads no further. `Malformed` if it is no envelope."""
    source = ber.Source(chunks)
    kind, infos = _recipients(source)
    source.enter(der.SEQUENCE, "encryptedContentInfo")
    source.element("contentType", der.OBJECT_IDENTIFIER)
    oid = read_algorithm(source.element("contentEncryptionAlgorithm")).oid
    recipients = tuple(info.recipient for info in infos)
    return EnvelopeHead(recipients, Cipher.of_oid(oid), oid, kind is ContentType.AUTH_ENVELOPED)


def recipients_of(chunks: Iterable[bytes]) -> tuple[KeyReference, ...]:
    """Whom an envelope is encrypted for, told without any key. Reads only what stands before the content."""
    _, infos = _recipients(ber.Source(chunks))
    return tuple(info.recipient for info in infos)


def _recipients(source: ber.Source) -> tuple[ContentType, tuple[RecipientInfo, ...]]:
    kind = enter_content(source, ContentType.ENVELOPED, ContentType.AUTH_ENVELOPED)
    source.element("version").integer()
    source.optional("originatorInfo", der.context(0))
    return kind, read_recipients(source.element("recipientInfos", der.SET))


def _cipher(algorithm: AlgorithmIdentifier, kind: ContentType, accepted: frozenset[Cipher]) -> Cipher:
    cipher = Cipher.of_oid(algorithm.oid)
    if cipher is None:
        raise AlgorithmRefused(algorithm.oid, f"the cipher {algorithm.oid} is not known")
    if cipher.authenticated is not (kind is ContentType.AUTH_ENVELOPED):
        # An authenticated cipher without a place for its tag, or CBC where a tag belongs (RFC 5084 §1, RFC 5083 §2).
        raise DecryptionFailed(f"{cipher} cannot stand in {kind.name}: its tag could not be checked")
    if cipher not in accepted:
        names = ", ".join(sorted(accepted))
        raise AlgorithmRefused(cipher, f"encrypted with {cipher}; accepted are {names}")
    return cipher


def _iv(algorithm: AlgorithmIdentifier, cipher: Cipher) -> bytes:
    iv = algorithm.required().octets()
    if len(iv) != cipher.block_bytes:
        raise Malformed(f"an initialization vector of {len(iv)} bytes for {cipher}")
    return iv


def _cbc_content(source: ber.Source, cipher: Cipher, key: bytes, iv: bytes) -> Iterator[bytes]:
    """Decrypts and unpads. The padding is judged after the rest was read, so that no error shows whether it held.

    Only the last block waits for that: a reader that refuses the content by its first bytes gives the same answer
    whatever the padding is.
    """
    decryptor = BlockCipher(_block_cipher(cipher, key), modes.CBC(iv)).decryptor()
    held = b""
    for piece in source.octets("encryptedContent", der.implicit(0)):
        out = held + decryptor.update(piece)
        held = out[-cipher.block_bytes :]
        if len(out) > cipher.block_bytes:
            yield out[: -cipher.block_bytes]
    source.leave()
    source.optional("unprotectedAttrs", der.context(1))
    leave_content(source)
    unpadder = PKCS7(cipher.block_bytes * 8).unpadder()
    try:
        decryptor.finalize()
        last = unpadder.update(held) + unpadder.finalize()
    except ValueError:
        raise DecryptionFailed(UNDECIPHERABLE) from None
    yield last


def _gcm_content(source: ber.Source, key: bytes, parameters: GcmParameters, content_type: str) -> Iterator[bytes]:
    """Decrypts, and checks the tag at the end, over the content and the authenticated attributes behind it."""
    aes = algorithms.AES(key)
    mode = modes.GCM(parameters.nonce, None, min_tag_length=parameters.tag_bytes)
    decryptor = BlockCipher(aes, mode).decryptor()
    size = 0
    for piece in source.octets("encryptedContent", der.implicit(0)):
        size += len(piece)
        try:
            out = decryptor.update(piece)
        except ValueError:  # more than GCM may encrypt under one nonce (SP 800-38D §5.2.1.1)
            raise Malformed(f"{size} bytes under one GCM nonce") from None
        yield out
    source.leave()
    attributes = source.optional("authAttrs", der.context(1))
    tag = source.element("mac", der.OCTET_STRING).octets()
    source.optional("unauthAttrs", der.context(2))
    leave_content(source)
    _check_authenticated(attributes, content_type)
    if attributes is not None:
        hash_key = BlockCipher(aes, modes.ECB()).encryptor().update(bytes(16))  # noqa: S305 - H of GCM, one block
        shift = tag_shift(hash_key, attributes.to_der(der.SET), size)
        tag = bytes(a ^ b for a, b in zip(tag, shift, strict=False))
    try:
        if len(tag) != parameters.tag_bytes:
            raise ValueError
        yield decryptor.finalize_with_tag(tag)
    except (ValueError, InvalidTag):
        raise DecryptionFailed(UNDECIPHERABLE) from None


def _check_authenticated(attributes: Element | None, content_type: str) -> None:
    """A content other than data must say so in an authenticated attribute (RFC 5083 §2.1)."""
    if attributes is not None and len(attributes.raw) > ATTRIBUTES_BYTES_MAX:
        raise Malformed(f"more than {ATTRIBUTES_BYTES_MAX} bytes of authenticated attributes")
    said = [] if attributes is None else [v.oid() for v in _values(attributes, CONTENT_TYPE_OID)]
    if (said or content_type != ContentType.DATA.value) and said != [content_type]:
        raise Malformed(f"the authenticated attributes do not say that the content is {content_type}")


def _values(attributes: Element, oid: str) -> Iterator[Element]:
    for attribute in attributes.children():
        fields = attribute.expect(der.SEQUENCE, "an attribute").fields()
        if fields.take("the attribute's type").oid() == oid:
            yield from fields.take("the attribute's values", der.SET).children()


def _block_cipher(cipher: Cipher, key: bytes) -> algorithms.AES | TripleDES:
    return TripleDES(key) if cipher is Cipher.TRIPLE_DES_CBC else algorithms.AES(key)


# --- sealing -------------------------------------------------------------------------------------

_DATA = der.oid(ContentType.DATA.value)
_MAC_BYTES = 2 + GCM_TAG_BYTES  # of the mac field: identifier, length, tag
_ENVELOPE = 2  # the frame, counted from the outermost, behind whose content the mac stands


def encrypt(
    content: Iterable[bytes],
    recipients: Sequence[Certificate],
    cipher: Cipher,
    key_transport: KeyTransport = KeyTransport.PKCS1V15,
    *,
    length: int | None = None,
    by_key_identifier: bool = False,
) -> Iterator[bytes]:
    """The content encrypted for every recipient, as the bytes of an EnvelopedData, or AuthEnvelopedData for GCM.

    `length` is the content's in bytes: with it, or if the content is at most `WHOLE_BYTES_MAX`, the structure
    is DER; otherwise BER of indefinite length. `UnsuitableKey` and `AlgorithmRefused` come before the first
    byte. A weak cipher is never generated.
    """
    if cipher.weak:
        raise AlgorithmRefused(cipher, f"{cipher} is understood, but never generated")
    if not recipients:
        raise UnsuitableKey("there is nobody to encrypt for")
    content_key = secrets.token_bytes(cipher.key_bytes)
    infos = write_recipients(content_key, recipients, key_transport, by_key_identifier)
    version = 0 if cipher.authenticated else recipients_version(by_key_identifier, recipients)
    chunks, size = measured(content, length)
    seal = _gcm_sealed if cipher.authenticated else _cbc_sealed
    return seal(chunks, size, cipher, content_key, der.integer(version) + infos)


def _frames(kind: ContentType, fields: bytes, algorithm: bytes, bytes_after: int = 0) -> tuple[Frame, ...]:
    return (
        Frame(der.SEQUENCE, der.oid(kind.value)),
        Frame(der.context(0)),
        Frame(der.SEQUENCE, fields, bytes_after),
        Frame(der.SEQUENCE, _DATA + algorithm),
    )


def _cbc_sealed(
    chunks: Iterable[bytes], size: int | None, cipher: Cipher, key: bytes, fields: bytes
) -> Iterator[bytes]:
    iv = secrets.token_bytes(cipher.block_bytes)
    block = cipher.block_bytes
    sealed_size = None if size is None else (size // block + 1) * block
    frames = _frames(ContentType.ENVELOPED, fields, der.algorithm(cipher.oid, der.octet_string(iv)))
    encryptor = BlockCipher(_block_cipher(cipher, key), modes.CBC(iv)).encryptor()
    yield opening(frames, der.implicit(0), sealed_size)
    yield from segments(_padded(chunks, encryptor, block), sealed_size)
    yield closing(frames, {}, sealed_size)


def _padded(chunks: Iterable[bytes], encryptor: CipherContext, block: int) -> Iterator[bytes]:
    """The ciphertext with PKCS #7 padding (RFC 5652 §6.3)."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        yield encryptor.update(chunk)
    missing = block - size % block
    yield encryptor.update(bytes((missing,)) * missing) + encryptor.finalize()


def _gcm_sealed(
    chunks: Iterable[bytes], size: int | None, cipher: Cipher, key: bytes, fields: bytes
) -> Iterator[bytes]:
    nonce = secrets.token_bytes(GCM_NONCE_BYTES)  # of a key that is used once
    frames = _frames(ContentType.AUTH_ENVELOPED, fields, der.algorithm(cipher.oid, gcm_parameters(nonce)), _MAC_BYTES)
    encryptor = BlockCipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    yield opening(frames, der.implicit(0), size)
    yield from segments(map(encryptor.update, chunks), size)
    encryptor.finalize()
    yield closing(frames, {_ENVELOPE: der.octet_string(encryptor.tag)}, size)
