"""Cryptographic Message Syntax for AS2 (RFC 5652, 5083, 5084, 3274, 8551): streams in, streams out.

Reading order: `content` tells what a structure is; `signed`, `verifying` and `signing`, `enveloped`, `compressed` are
the three kinds; `recipients`, `identifiers` and `parameters` hold their parts; `ber` reads and `der` writes
the encoding; `errors` says what can be wrong and what it means for the receipt.

Nothing here touches files, sockets or the clock. Contents pass through in chunks and are never held whole,
unless a function says so. What a partner sent never raises anything but a `CmsError`.
"""

from edi_gateway.as2.cms.compressed import compress, inflate
from edi_gateway.as2.cms.content import PREFIX_BYTES, ContentType, content_type_of
from edi_gateway.as2.cms.enveloped import Enveloped, EnvelopeHead, encrypt, head_of, open_enveloped, recipients_of
from edi_gateway.as2.cms.errors import (
    AlgorithmRefused,
    CmsError,
    DecompressionFailed,
    DecryptionFailed,
    InflateLimit,
    Malformed,
    SignatureRefusal,
    SignatureRefused,
    UnsuitableKey,
)
from edi_gateway.as2.cms.identifiers import KeyReference
from edi_gateway.as2.cms.signed import OpaqueSigned, SignedData, SignerInfo, open_signed, read_signed_data
from edi_gateway.as2.cms.signing import SigningOptions, sign, sign_opaque
from edi_gateway.as2.cms.verifying import VerifiedSigner, verify

__all__ = [
    "PREFIX_BYTES",
    "AlgorithmRefused",
    "CmsError",
    "ContentType",
    "DecompressionFailed",
    "DecryptionFailed",
    "EnvelopeHead",
    "Enveloped",
    "InflateLimit",
    "KeyReference",
    "Malformed",
    "OpaqueSigned",
    "SignatureRefusal",
    "SignatureRefused",
    "SignedData",
    "SignerInfo",
    "SigningOptions",
    "UnsuitableKey",
    "VerifiedSigner",
    "compress",
    "content_type_of",
    "encrypt",
    "head_of",
    "inflate",
    "open_enveloped",
    "open_signed",
    "read_signed_data",
    "recipients_of",
    "sign",
    "sign_opaque",
    "verify",
]
