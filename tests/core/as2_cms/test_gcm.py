"""The tag of GCM when the associated data comes last."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.as2.cms.gcm import tag_shift

KEY, NONCE = bytes(range(16)), bytes(12)
HASH_KEY = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor().update(bytes(16))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=70), st.binary(max_size=100))
def test_shifting_the_tag_equals_authenticating_the_data_first(data: bytes, content: bytes) -> None:
    with_data = AESGCM(KEY).encrypt(NONCE, content, data)[-16:]
    without = AESGCM(KEY).encrypt(NONCE, content, None)[-16:]
    shift = tag_shift(HASH_KEY, data, len(content))
    assert bytes(a ^ b for a, b in zip(without, shift, strict=True)) == with_data


def test_a_content_of_many_blocks() -> None:
    content, data = bytes(1_000_003), b"attributes"
    with_data = AESGCM(KEY).encrypt(NONCE, content, data)[-16:]
    without = AESGCM(KEY).encrypt(NONCE, content, None)[-16:]
    shift = tag_shift(HASH_KEY, data, len(content))
    assert bytes(a ^ b for a, b in zip(without, shift, strict=True)) == with_data
