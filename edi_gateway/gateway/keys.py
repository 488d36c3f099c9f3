"""Our own private keys: encrypted PEM files under `<data_dir>/keys`, readable by their owner only.

One file a key: a line with the time from which it signs, the encrypted PKCS#8 key (PBES2), its certificate.
Several keys may stand side by side, so that a certificate can be rolled over without a gap: every key that
has not been removed decrypts; the newest one whose time has come signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edi_gateway.as2.certificates import Certificate, PrivateKey
from edi_gateway.config import Config


class KeyStoreError(Exception):
    """A key cannot be read or written; the text says which file, why, and what to do."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A private key of ours with its certificate, and when it begins to sign."""

    name: str  # of its file, without .pem
    use_from: datetime  # aware UTC
    private_key: PrivateKey

    @property
    def certificate(self) -> Certificate:
        return self.private_key.certificate


class KeyStore:
    """The keys of one gateway."""

    def __init__(self, data_dir: Path, passphrase: bytes) -> None:
        raise NotImplementedError

    def revision(self) -> str:
        """Changes whenever a key is added or removed, by this process or another."""
        raise NotImplementedError

    def own_keys(self) -> tuple[OwnKey, ...]:
        """Every key, the newest `use_from` first."""
        raise NotImplementedError

    def all(self) -> tuple[PrivateKey, ...]:
        """Every private key, the newest first."""
        raise NotImplementedError

    def generate(
        self,
        common_name: str,
        *,
        now: datetime,
        days: int = 1095,
        key: str = "rsa-3072",
        use_from: datetime | None = None,
    ) -> OwnKey:
        """Makes, stores and gives a new key that signs from `use_from` (now, unless given)."""
        raise NotImplementedError


def passphrase(config: Config) -> bytes:
    """The passphrase from EDI_GATEWAY_KEY_PASSPHRASE or the key file; raises KeyStoreError."""
    raise NotImplementedError


def open_keys(config: Config) -> KeyStore:
    """The key store that the configuration names."""
    return KeyStore(config.data_dir, passphrase(config))
