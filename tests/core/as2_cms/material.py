"""Keys and small readers that the CMS tests share. Keys are made once a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache

from edi_gateway.as2 import cms
from edi_gateway.as2.certificates import PrivateKey, generate

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
ORDER = b"UNA:+.? 'UNB+UNOC:3+4012345000009:14+4098765000010:14+261102:0930+1'UNZ+0+1'\r\n" * 20


@cache
def key(name: str = "us", kind: str = "rsa-2048") -> PrivateKey:
    """The key of that name, the same one whenever it is asked for."""
    return generate(name, NOW, days=365, key=kind)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """The data in chunks of that size, as a stream gives it."""
    return (data[at : at + size] for at in range(0, len(data), size))


def opened(message: bytes | Iterable[bytes], *keys: PrivateKey, **bounds: object) -> bytes:
    """The whole content of an envelope."""
    chunks = [message] if isinstance(message, bytes) else message
    return b"".join(cms.open_enveloped(chunks, keys or (key(),), **bounds).chunks)


def verified(
    signed: bytes, content: bytes, *certificates: object, **accepted: object
) -> tuple[cms.VerifiedSigner, ...]:
    """The signers of a detached signature over that content."""
    pinned = certificates or (key().certificate,)
    return cms.verify(cms.read_signed_data(signed), lambda d: d.of(content), pinned, **accepted)


def until_refused(chunks: Iterable[bytes]) -> tuple[int, cms.CmsError | None]:
    """How many bytes came before an error, and the error."""
    given = 0
    try:
        for chunk in chunks:
            given += len(chunk)
    except cms.CmsError as error:
        return given, error
    return given, None
