"""Our own private keys: encrypted PEM files under `<data_dir>/keys`, readable by their owner only.

One file a key: a line with the time from which it signs, the encrypted PKCS #8 key, its certificate. Several keys
stand side by side, so that a certificate can be rolled over without a gap: every key that is there decrypts; the one
whose time came last signs. A key is put out of use by moving its file away.

The passphrase comes from EDI_GATEWAY_KEY_PASSPHRASE, or from the file that EDI_GATEWAY_KEY_FILE names. Without
either, the first start makes `<data_dir>/key-passphrase`: enough for a machine of one's own, but a copy of the data
folder then holds both lock and key.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edi_gateway.as2.certificates import Certificate, CertificateError, PrivateKey, generate, load_private_key
from edi_gateway.as2.relationship import DatedKey
from edi_gateway.config import Config

DEFAULT_KEY_FILE = "key-passphrase"
PASSPHRASE_CHARACTERS_MIN = 12
PASSPHRASE_BYTES_MAX = 4096
KEYS_MAX = 100
"""Keys are tried one after the other when a transmission is opened; nobody needs this many."""

_USE_FROM = re.compile(rb"^use-from: (\S{1,40})$", re.MULTILINE)


class KeyStoreError(Exception):
    """A key or its passphrase cannot be read or written; the text says which file, why, and what to do."""


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
    """The keys of one gateway. Safe to share between threads."""

    def __init__(self, data_dir: Path, passphrase: bytes) -> None:
        self._folder = data_dir / "keys"
        self._passphrase = passphrase
        self._lock = threading.Lock()
        self._read: tuple[str, tuple[OwnKey, ...]] | None = None

    def revision(self) -> str:
        """Changes whenever a key is added, changed or removed, by this process or another."""
        return ";".join(f"{path.name}:{path.stat().st_mtime_ns}" for path in self._paths())

    def own_keys(self) -> tuple[OwnKey, ...]:
        """Every key, the one that began to sign last first. Raises KeyStoreError."""
        with self._lock:
            revision = self.revision()
            if self._read is None or self._read[0] != revision:
                keys = sorted(map(self._load, self._paths()), key=lambda own: (own.use_from, own.name), reverse=True)
                self._read = revision, tuple(keys)
            return self._read[1]

    def all(self) -> tuple[PrivateKey, ...]:
        """Every private key, in the same order."""
        return tuple(own.private_key for own in self.own_keys())

    def dated(self) -> tuple[DatedKey, ...]:
        """Every key with its time, as the AS2 engine takes them."""
        return tuple(DatedKey(own.private_key, own.use_from) for own in self.own_keys())

    def generate(
        self,
        common_name: str,
        *,
        now: datetime,
        days: int = 1095,
        key: str = "rsa-3072",
        use_from: datetime | None = None,
    ) -> OwnKey:
        """Makes, stores and gives a new key that signs from `use_from` (now, unless given).

        Its certificate is self-signed and valid at once, so that partners can take it up before it is used.
        """
        starts = (use_from or now).astimezone(UTC).replace(microsecond=0)
        try:
            made = generate(common_name, now, days, key)
        except CertificateError as error:
            raise KeyStoreError(str(error)) from None
        if starts >= made.certificate.not_after:
            raise KeyStoreError(f"the key would begin to sign after {days} days, when it has expired; give more days")
        if len(self._paths()) >= KEYS_MAX:
            raise KeyStoreError(f"{self._folder} holds {KEYS_MAX} keys; move those away that are no longer used")
        own = OwnKey(f"{starts:%Y%m%d}-{made.certificate.fingerprint[:12]}", starts, made)
        head = f"Private key of {made.certificate.subject}, encrypted\nuse-from: {starts.isoformat()}\n"
        _write_new(self._folder / f"{own.name}.pem", head.encode() + made.to_pem(self._passphrase))
        return own

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.pem"))

    def _load(self, path: Path) -> OwnKey:
        data = _read_private(path)
        try:
            private_key = load_private_key(data, self._passphrase)
            found = _USE_FROM.search(data)
            starts = datetime.fromisoformat(found[1].decode()) if found else private_key.certificate.not_before
        except CertificateError as error:
            raise KeyStoreError(
                f"{path}: {error}; it opens with the passphrase of the day it was made, or move it away"
            ) from None
        except ValueError:
            raise KeyStoreError(f"{path}: its use-from line holds no date and time (ISO 8601)") from None
        if starts.tzinfo is None:
            raise KeyStoreError(f"{path}: its use-from line lacks the offset, such as +00:00")
        return OwnKey(path.stem, starts, private_key)


def open_keys(config: Config) -> KeyStore:
    """The key store that the configuration names. Raises KeyStoreError."""
    return KeyStore(config.data_dir, passphrase(config))


def passphrase(config: Config) -> bytes:
    """What opens our keys: from the configuration, its key file, or the file made at the first start."""
    if config.key_passphrase is not None:
        return _strong_enough(config.key_passphrase.get_secret_value().encode(), "EDI_GATEWAY_KEY_PASSPHRASE")
    file = config.key_file or config.data_dir / DEFAULT_KEY_FILE
    if config.key_file is None and not file.exists():
        if any((config.data_dir / "keys").glob("*.pem")):
            raise KeyStoreError(
                f"{config.data_dir / 'keys'} holds keys and nothing opens them; "
                "set EDI_GATEWAY_KEY_PASSPHRASE or EDI_GATEWAY_KEY_FILE as when they were made"
            )
        _write_new(file, secrets.token_urlsafe(32).encode() + b"\n")
    return _strong_enough(_read_private(file).strip(), str(file))


def _strong_enough(secret: bytes, where: str) -> bytes:
    if not PASSPHRASE_CHARACTERS_MIN <= len(secret) <= PASSPHRASE_BYTES_MAX:
        raise KeyStoreError(f"{where}: a passphrase has {PASSPHRASE_CHARACTERS_MIN} to {PASSPHRASE_BYTES_MAX} bytes")
    return secret


def _read_private(path: Path) -> bytes:
    """A secret file, refused if everybody may read or write it."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IROTH | stat.S_IWOTH):
                raise KeyStoreError(f"{path}: everybody may read or write it; chmod 600 {path}")
            return file.read()
    except OSError as error:
        raise KeyStoreError(f"{path}: cannot be read: {error.strerror}") from None


def _write_new(path: Path, data: bytes) -> None:
    """Writes a secret file whole and durably, or leaves the one that another process wrote meanwhile."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _link_new(partial, path)
    except OSError as error:
        raise KeyStoreError(f"{path}: cannot be written: {error.strerror}") from None


def _link_new(partial: Path, path: Path) -> None:
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # another process was first, and its file counts
    finally:
        partial.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
