"""Message integrity checks: digests of exactly the bytes that were sent or received (RFC 4130 §7.3.1, §7.4.3).

A `Mic` is the digest **and** its algorithm, never a bare string: partners answer under another algorithm
than ours, and write its name in their own way.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edi_gateway.as2.algorithms import Digest, Hash

# What the table of a transmission holds: a returned MIC is checked under the algorithm that the MDN names.
# MD5 is left out: no partner may rely on it.
TABLE_DIGESTS: tuple[Digest, ...] = (Digest.SHA1, Digest.SHA256, Digest.SHA384, Digest.SHA512)

_SIZES = {digest.size: digest for digest in Digest}

_MIC_LENGTH_MAX = 512
# Of a signed content beyond this only the digest agreed is taken when it is sealed: four cost more than the encryption.
# Another one that an MDN names is taken from what is kept (`gateway.settle`).
TABLE_BYTES_MAX = 8 * 1024 * 1024
SHARED_BYTES_MIN = 128 * 1024  # a chunk that is worth handing to another thread


class MicMalformed(ValueError):
    """The text is no MIC: `<base64>, <algorithm>` was expected."""


@dataclass(frozen=True, slots=True)
class Mic:
    """A digest with its algorithm. `digest` is None when the algorithm is one that we do not compute."""

    value: bytes
    digest: Digest | None
    spelling: str = ""  # the algorithm's name as the partner wrote it, or as it is to be written for him

    def render(self) -> str:
        """The value of the `Received-content-MIC` field."""
        return f"{base64.b64encode(self.value).decode()}, {self.spelling or (self.digest or '')}"

    def agrees_with(self, digests: Mapping[Digest, bytes]) -> bool:
        """Whether the table holds this value under the algorithm that this MIC names."""
        expected = digests.get(self.digest) if self.digest else None
        return expected is not None and hmac.compare_digest(expected, self.value)

    @classmethod
    def parse(cls, text: str) -> Mic:
        """Read `Received-content-MIC` in any case, spacing and spelling of the algorithm.

        Without an algorithm the length of the digest tells it. MicMalformed if it is no MIC at all.
        """
        if len(text) > _MIC_LENGTH_MAX:
            raise MicMalformed(f"a MIC of {len(text)} characters; at most {_MIC_LENGTH_MAX} are read")
        encoded, _, name = text.partition(",")
        encoded = re.sub(r"\s+", "", encoded).strip('"')
        try:
            value = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise MicMalformed(f"not base64: {encoded[:60]!r}") from None
        spelling = name.strip().strip('"').strip()
        if not value:
            raise MicMalformed("an empty MIC")
        return cls(value, Digest.parse(spelling) if spelling else _SIZES.get(len(value)), spelling)


class DigestTable:
    """Digests of one pass over a stream, under several algorithms."""

    def __init__(self, digests: Iterable[Digest] = TABLE_DIGESTS) -> None:
        self._hashes: dict[Digest, Hash] = {digest: digest.new() for digest in digests}

    def update(self, data: bytes) -> None:
        for running in self._hashes.values():
            running.update(data)

    def passing(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, digested on their way."""
        for chunk in chunks:
            self.update(chunk)
            yield chunk

    def values(self) -> dict[Digest, bytes]:
        return {digest: running.digest() for digest, running in self._hashes.items()}


def digests_of(chunks: Iterable[bytes], digests: Iterable[Digest]) -> dict[Digest, bytes]:
    """The digests of a whole stream. Several of a large one are taken by two threads: a table of four costs more than
    the encryption."""
    wanted = list(digests)
    mine, other = DigestTable(wanted[::2]), DigestTable(wanted[1::2])
    with ThreadPoolExecutor(1) as pool:
        for chunk in chunks:
            if len(chunk) < SHARED_BYTES_MIN or len(wanted) == 1:
                other.update(chunk)
                mine.update(chunk)
                continue
            running = pool.submit(other.update, chunk)
            mine.update(chunk)
            running.result()
    return mine.values() | other.values()


def digests_to_text(digests: Mapping[Digest, bytes]) -> dict[str, str]:
    """A digest table as it is stored: canonical name to base64."""
    return {digest.value: base64.b64encode(value).decode() for digest, value in digests.items()}


def digests_from_text(texts: Mapping[str, str]) -> dict[Digest, bytes]:
    """The digest table of `digests_to_text`."""
    return {Digest(name): base64.b64decode(text, validate=True) for name, text in texts.items()}
