"""A transmission taken apart without judging it: what it is made of, layer by layer, as far as it can be read.

For the diagnosis of what was refused and for the evidence of what was exchanged. Nothing that comes out of here may be
processed: no signature is verified, no policy is asked, and every algorithm that we can read is read. `inbound` is what
decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from edi_gateway.as2.algorithms import Cipher
from edi_gateway.as2.certificates import Certificate, CertificateError, PrivateKey
from edi_gateway.as2.cms import (
    CmsError,
    EnvelopeHead,
    SignedData,
    head_of,
    inflate,
    open_enveloped,
    open_signed,
    read_signed_data,
)
from edi_gateway.as2.errors import PartnerError
from edi_gateway.as2.fields import FieldMalformed
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.inbound import SIGNATURE_BYTES_MAX
from edi_gateway.as2.layers import Layer, cms_bytes, layer_of
from edi_gateway.as2.mime import (
    Entity,
    Multipart,
    Spool,
    Window,
    chunks_of,
    collected,
    decoded,
    multipart_boundary,
    read_entity,
)

LAYERS_MAX = 6  # more than any order of the standards has
ENVELOPE_HEAD_BYTES_MAX = 128 * 1024
ANY_RATIO = 1 << 20  # zlib's best is about 1:1030
_ANY_CIPHER = frozenset(Cipher)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignaturePart:
    """A signature and what it is over."""

    source: BinaryIO  # the SignedData as received, without its transfer encoding
    signed: SignedData
    block: bytes  # the header block of the signed part
    body: BinaryIO  # the body of the signed part
    is_opaque: bool  # the content stands inside of the SignedData

    def chunks(self) -> Iterator[bytes]:
        """The signed part, to the byte."""
        yield self.block
        self.body.seek(0)
        yield from chunks_of(self.body)

    def source_chunks(self) -> Iterator[bytes]:
        """The SignedData, to the byte."""
        self.source.seek(0)
        yield from chunks_of(self.source)

    @property
    def embedded(self) -> tuple[Certificate, ...]:
        """The certificates inside of the signature that can be read. They prove nothing by themselves."""
        return tuple(_readable(self.signed.embedded_certificates))


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The innermost entity."""

    block: bytes  # its header block; empty where its headers are those of HTTP
    headers: Headers
    body: BinaryIO  # in its transfer encoding

    def chunks(self) -> Iterator[bytes]:
        """Headers and body as they came."""
        yield self.block
        yield from self.body_chunks()

    def body_chunks(self) -> Iterator[bytes]:
        self.body.seek(0)
        yield from chunks_of(self.body)

    def payload_chunks(self) -> Iterator[bytes]:
        """The body without its transfer encoding."""
        encoding = Entity(self.headers, b"", Window([])).transfer_encoding
        yield from decoded(self.body_chunks(), encoding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inflated:
    """How much came out of a compressed layer."""

    compressed_bytes: int
    inflated_bytes: int

    @property
    def ratio(self) -> int:
        """How many times as much came out, rounded up."""
        return -(-self.inflated_bytes // max(1, self.compressed_bytes))


class Dissection:
    """What was found, from the outside in. `fault` is why it went no further. Close it: it holds scratch space."""

    def __init__(self, keys: Sequence[PrivateKey], spool: Spool, bytes_max: int) -> None:
        self.layers: tuple[Layer, ...] = ()
        self.envelope: EnvelopeHead | None = None
        self.opened_by: PrivateKey | None = None
        self.inflated: Inflated | None = None
        self.signature: SignaturePart | None = None
        self.content: Content | None = None
        self.notes: tuple[str, ...] = ()
        self.fault: Exception | None = None
        self.outermost = b""  # the first bytes of what should be a layer, where it is none
        self._keys = keys
        self._spool = spool
        self._bytes_max = bytes_max
        self._scratch: list[BinaryIO] = []

    def __enter__(self) -> Dissection:
        return self

    def __exit__(self, *unused: object) -> None:
        for scratch in self._scratch:
            scratch.close()

    def take_apart(self, entity: Entity) -> None:
        """Layer after layer; what cannot be read ends it."""
        try:
            for _ in range(LAYERS_MAX):
                self.outermost = bytes(entity.body.peek(64)[:64])
                layer, content, note = layer_of(entity)
                self.notes += (note,) if note else ()
                if layer is Layer.CONTENT:
                    break
                self.layers += (layer,)
                entity = self._inside(layer, entity, content)
            self.content = Content(block=entity.block, headers=entity.headers, body=self._stored(entity.body.chunks()))
        except (PartnerError, CmsError, FieldMalformed) as error:
            self.fault = error.with_traceback(None)

    def _inside(self, layer: Layer, entity: Entity, content: Window | None) -> Entity:
        if content is None:
            return self._signed(entity)
        if layer is Layer.ENCRYPTED:
            return self._decrypted(content)
        if layer is Layer.COMPRESSED:
            return self._uncompressed(content)
        return self._opaque(content)

    def _decrypted(self, content: Window) -> Entity:
        self.envelope = head_of([content.peek(ENVELOPE_HEAD_BYTES_MAX)])
        opened = open_enveloped(content.chunks(), self._keys, _ANY_CIPHER)
        self.opened_by = opened.key
        # To its end, so that nothing is shown of what another key made of it.
        return read_entity(chunks_of(self._stored(opened.chunks)))

    def _uncompressed(self, content: Window) -> Entity:
        compressed = self._stored(content.chunks())
        size = compressed.seek(0, 2)
        compressed.seek(0)
        stored = self._stored(inflate(chunks_of(compressed), self._bytes_max, ANY_RATIO))
        self.inflated = Inflated(compressed_bytes=size, inflated_bytes=stored.seek(0, 2))
        stored.seek(0)
        return read_entity(chunks_of(stored))

    def _signed(self, entity: Entity) -> Entity:
        multipart = Multipart(entity.decoded(), multipart_boundary(entity.content_type))
        parts = multipart.parts()
        first = read_entity(next(parts, iter(())))
        body = self._stored(first.body.chunks())
        signature, note = cms_bytes(read_entity(next(parts, iter(()))))
        self.notes += (note,) if note else ()
        der = collected(signature.chunks(), SIGNATURE_BYTES_MAX, "the signature")
        signed = read_signed_data(der)
        source = self._stored(iter([der]))
        self.signature = SignaturePart(source=source, signed=signed, block=first.block, body=body, is_opaque=False)
        return Entity(first.headers, first.block, Window(chunks_of(body)))

    def _opaque(self, content: Window) -> Entity:
        source = self._stored(content.chunks())
        opaque = open_signed(chunks_of(source))
        inner = read_entity(opaque.chunks)
        body = self._stored(inner.body.chunks())
        signed = opaque.signed
        self.signature = SignaturePart(source=source, signed=signed, block=inner.block, body=body, is_opaque=True)
        return Entity(inner.headers, inner.block, Window(chunks_of(body)))

    def _stored(self, chunks: Iterator[bytes]) -> BinaryIO:
        scratch = self._spool()
        self._scratch.append(scratch)
        for chunk in chunks:
            scratch.write(chunk)
        scratch.seek(0)
        return scratch


def dissect(headers: Headers, body: BinaryIO, keys: Sequence[PrivateKey], spool: Spool, bytes_max: int) -> Dissection:
    """Take apart what came under these HTTP headers, or an MDN. `bytes_max` bounds what is inflated. Never raises for
    what stands in it."""
    dissection = Dissection(keys, spool, bytes_max)
    dissection.take_apart(Entity(headers, b"", Window(chunks_of(body))))
    return dissection


def _readable(ders: Sequence[bytes]) -> Iterator[Certificate]:
    for der in ders:
        try:
            yield Certificate.from_der(der)
        except CertificateError:
            continue
