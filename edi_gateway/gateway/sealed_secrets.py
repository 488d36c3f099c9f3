"""Secrets that the database keeps for us: sealed with the passphrase that also opens our keys.

AES-256-GCM under a key that scrypt (RFC 7914) makes of the passphrase and a salt of the secret's own. The text says how
it was made, so that stronger parameters can follow; `place` is authenticated with it, so that a sealed secret copied
into another row does not open there.
"""

from __future__ import annotations

import base64
import binascii
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from edi_gateway.config import Config
from edi_gateway.gateway.keys import passphrase

_SCHEME = "scrypt-15-8-1"
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_DERIVED_KEPT = 256  # a derivation costs a tenth of a second, and a delivery needs one


class SealBroken(Exception):
    """A sealed secret does not open: the passphrase is another one, or the text was changed."""


def seal(config: Config, secret: bytes, place: str) -> str:
    """The secret as a text that only the passphrase opens, and only at this place. Raises KeyStoreError."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_derived(passphrase(config), salt)).encrypt(nonce, secret, place.encode())
    return f"{_SCHEME}${base64.b64encode(salt + nonce + sealed).decode()}"


def unseal(config: Config, text: str, place: str) -> bytes:
    """What was sealed. Raises SealBroken, and KeyStoreError where the passphrase cannot be had."""
    scheme, _, encoded = text.partition("$")
    try:
        data = base64.b64decode(encoded, validate=True)
        salt, nonce = data[:_SALT_BYTES], data[_SALT_BYTES : _SALT_BYTES + _NONCE_BYTES]
        if scheme != _SCHEME or len(nonce) < _NONCE_BYTES:
            raise SealBroken(f"the secret of {place} was sealed in a way that this version does not know")
        key = AESGCM(_derived(passphrase(config), salt))
        return key.decrypt(nonce, data[_SALT_BYTES + _NONCE_BYTES :], place.encode())
    except (binascii.Error, InvalidTag):
        raise SealBroken(f"the secret of {place} does not open with our passphrase") from None


@lru_cache(_DERIVED_KEPT)
def _derived(secret: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=_KEY_BYTES, n=2**15, r=8, p=1).derive(secret)
