"""The tag of AES-GCM when its associated data is known only after the content (RFC 5083 §2).

AuthEnvelopedData puts the authenticated attributes *behind* the encrypted content, but GCM takes them
first. GHASH is a polynomial in its key H = E(0), so associated data can be put in afterwards: with m blocks
of content and a blocks of data A₁…Aₐ the tag differs from the tag without data by

    A₁·H^(a+m+1) ⊕ … ⊕ Aₐ·H^(m+2) ⊕ (bits of data ∥ 0)·H

(NIST SP 800-38D §6.4, §7.1; multiplication in GF(2¹²⁸)). Shifting the received tag by that difference lets
the ordinary decryptor, which has seen no data, check it: the content streams through, whatever its size.
"""

from __future__ import annotations

_R = 0xE1 << 120  # the polynomial x¹²⁸ + x⁷ + x² + x + 1 with GCM's bit order
_ONE = 1 << 127
_BLOCK = 16


def tag_shift(hash_key: bytes, data: bytes, content_bytes: int) -> bytes:
    """What the tag without associated data must be XORed with to become the tag with `data`.

    `hash_key` is the block cipher's output for sixteen zero bytes.
    """
    h = int.from_bytes(hash_key, "big")
    shift = 0
    for at in range(0, len(data), _BLOCK):
        block = data[at : at + _BLOCK].ljust(_BLOCK, b"\x00")
        shift = _times(shift ^ int.from_bytes(block, "big"), h)
    blocks_behind = -(-content_bytes // _BLOCK) + 1  # the content's, and the one of the lengths
    shift = _times(shift, _power(h, blocks_behind))
    shift ^= _times(len(data) * 8 << 64, h)
    return shift.to_bytes(_BLOCK, "big")


def _times(x: int, y: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ _R if y & 1 else y >> 1
    return product


def _power(x: int, exponent: int) -> int:
    result = _ONE
    while exponent:
        if exponent & 1:
            result = _times(result, x)
        x = _times(x, x)
        exponent >>= 1
    return result
