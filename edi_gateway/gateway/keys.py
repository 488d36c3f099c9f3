"""Our own private keys: encrypted PEM files under `<data_dir>/keys`, readable by their owner only.

One file a key: a line with the time from which it signs, one with what it is for, the encrypted PKCS #8 key, its
certificate and, where it was imported with one, its chain. Several keys stand side by side, so that a certificate can
be rolled over without a gap: every key that is there decrypts; the one whose time came last signs. A key is put out of
use by moving its file away.

The passphrase comes from EDI_GATEWAY_KEY_PASSPHRASE, or from the file that EDI_GATEWAY_KEY_FILE names. Without
either, the first start makes `<data_dir>/key-passphrase`: enough for a machine of one's own, but a copy of the data
folder then holds both lock and key.
"""

from __future__ import annotations

import os
import re
import secrets
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edi_gateway.as2.certificates import (
    AS2_USES,
    Certificate,
    CertificateError,
    KeyUse,
    PrivateKey,
    WeaknessKind,
    choose,
    generate,
    load_certificates,
    load_private_key,
    weaknesses,
)
from edi_gateway.as2.relationship import DatedKey
from edi_gateway.config import Config
from edi_gateway.gateway.secret_files import SecretError, read_private

DEFAULT_KEY_FILE = "key-passphrase"
PASSPHRASE_CHARACTERS_MIN = 12
PASSPHRASE_BYTES_MAX = 4096
PASSPHRASE_DIFFERENT_MIN = 5
"""Different characters in it: `aaaaaaaaaaaa` and `121212121212` are long, and guessed first."""
KEYS_MAX = 100
"""Keys are tried one after the other when a transmission is opened; nobody needs this many."""

_USE_FROM = re.compile(rb"^use-from: (\S{1,40})$", re.MULTILINE)
_USES = re.compile(rb"^used-for: ([a-z, ]{1,60})$", re.MULTILINE)


class KeyStoreError(Exception):
    """A key or its passphrase cannot be read or written; the text says which file, why, and what to do."""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A private key of ours with its certificate, and when it begins to sign."""

    name: str  # of its file, without .pem
    use_from: datetime  # aware UTC
    private_key: PrivateKey
    uses: frozenset[KeyUse] = AS2_USES
    chain: tuple[Certificate, ...] = ()  # of the certificate, without it

    @property
    def certificate(self) -> Certificate:
        return self.private_key.certificate

    @property
    def purpose(self) -> str:
        """What it is for, in words."""
        return ", ".join(sorted(self.uses))

    # Both ends of its life, for `choose`.
    @property
    def not_before(self) -> datetime:
        return self.certificate.not_before

    @property
    def not_after(self) -> datetime:
        return self.certificate.not_after


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
        """Every key for AS2 with its time and uses, as the engine takes them."""
        return tuple(
            DatedKey(own.private_key, own.use_from, own.uses) for own in self.own_keys() if own.uses & AS2_USES
        )

    def chosen(self, use: KeyUse, now: datetime) -> OwnKey | None:
        """The key that does `use` at `now`; None if there is none."""
        return choose([(own, own.use_from) for own in self.own_keys() if use in own.uses], now)

    def present(self, context: ssl.SSLContext, own: OwnKey) -> None:
        """Let a TLS context show the certificate of `own` with its chain. Raises KeyStoreError."""
        try:
            context.load_cert_chain(self._path(own.name), password=self._passphrase)
        except (OSError, ssl.SSLError) as error:
            raise KeyStoreError(f"{self._path(own.name)}: cannot be used for TLS: {error}") from None

    def generate(
        self,
        common_name: str,
        *,
        now: datetime,
        days: int = 1095,
        key: str = "rsa-3072",
        use_from: datetime | None = None,
        uses: frozenset[KeyUse] = AS2_USES,
    ) -> OwnKey:
        """Makes, stores and gives a new key that serves from `use_from` (now, unless given).

        Its certificate is self-signed and valid at once, so that partners can take it up before it is used.
        """
        starts = (use_from or now).astimezone(UTC).replace(microsecond=0)
        try:
            made = generate(common_name, now, days, key)
        except CertificateError as error:
            raise KeyStoreError(str(error)) from None
        if starts >= made.certificate.not_after:
            raise KeyStoreError(f"the key would begin to sign after {days} days, when it has expired; give more days")
        return self._add(made, starts, uses)

    def import_key(
        self,
        data: bytes,
        *,
        now: datetime,
        password: bytes | None = None,
        certificates: bytes = b"",
        use_from: datetime | None = None,
        uses: frozenset[KeyUse] = AS2_USES,
    ) -> OwnKey:
        """Takes up a key that was made elsewhere: PKCS #12, or PEM with its certificate in the same file.

        `certificates` is a file that holds its certificate, with or without the chain, where `data` has none.
        Raises KeyStoreError where it cannot be read, is weak, has expired, or is here already.
        """
        try:
            made, chain = _read_foreign(data, password, certificates)
        except CertificateError as error:
            raise KeyStoreError(str(error)) from None
        faults = [fault for fault in weaknesses(made.certificate, now) if fault.kind is not WeaknessKind.NOT_YET_VALID]
        if grave := [fault.text for fault in faults if fault.fatal]:
            raise KeyStoreError(f"the certificate {made.certificate.subject} is not taken: {'; '.join(grave)}")
        starts = (use_from or max(now, made.not_before)).astimezone(UTC).replace(microsecond=0)
        if starts >= made.not_after:
            raise KeyStoreError(f"it expires on {made.not_after:%Y-%m-%d}, before it would begin to serve")
        return self._add(made, starts, uses, chain)

    def _add(
        self, made: PrivateKey, starts: datetime, uses: frozenset[KeyUse], chain: Sequence[Certificate] = ()
    ) -> OwnKey:
        certificate = made.certificate
        if len(self._paths()) >= KEYS_MAX:
            raise KeyStoreError(f"{self._folder} holds {KEYS_MAX} keys; move those away that are no longer used")
        if same := [own.name for own in self.own_keys() if own.certificate == certificate]:
            raise KeyStoreError(f"this key is here already: {same[0]}; to change its date or use, move that file away")
        name = f"{starts:%Y%m%d}-{certificate.fingerprint[:12]}"
        own = OwnKey(name, starts, made, uses, tuple(chain))
        head = (
            f"Private key of {_one_line(certificate.subject)}, encrypted\n"
            f"use-from: {starts.isoformat()}\nused-for: {own.purpose}\n"
        )
        text = head.encode() + made.to_pem(self._passphrase) + "".join(c.pem for c in chain).encode()
        _write_new(self._path(name), text)
        return own

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.pem"

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.pem"))

    def _load(self, path: Path) -> OwnKey:
        data = _read_private(path)
        try:
            private_key = load_private_key(data, self._passphrase)
            found = _USE_FROM.search(data)
            starts = datetime.fromisoformat(found[1].decode()) if found else private_key.certificate.not_before
            chain = tuple(c for c in load_certificates(data) if c != private_key.certificate)
        except CertificateError as error:
            raise KeyStoreError(
                f"{path}: {error}; it opens with the passphrase of the day it was made, or move it away"
            ) from None
        except ValueError:
            raise KeyStoreError(f"{path}: its use-from line holds no date and time (ISO 8601)") from None
        if starts.tzinfo is None:
            raise KeyStoreError(f"{path}: its use-from line lacks the offset, such as +00:00")
        return OwnKey(path.stem, starts, private_key, _uses(path, data), chain)


def _uses(path: Path, data: bytes) -> frozenset[KeyUse]:
    found = _USES.search(data)
    if found is None:
        return AS2_USES
    try:
        return frozenset(KeyUse(word.strip()) for word in found[1].decode().split(","))
    except ValueError:
        known = ", ".join(use.value for use in KeyUse)
        raise KeyStoreError(f"{path}: its used-for line is to name some of {known}") from None


def _read_foreign(
    data: bytes, password: bytes | None, certificates: bytes
) -> tuple[PrivateKey, tuple[Certificate, ...]]:
    """A key of another program with its certificate and the rest of its chain. Raises CertificateError."""
    beside = load_certificates(certificates) if certificates else ()
    if not beside:
        private_key = load_private_key(data, password)
        beside = load_certificates(data, password)
    else:
        private_key = _key_beside(data, password, beside)
    return private_key, tuple(c for c in beside if c != private_key.certificate)


def _key_beside(data: bytes, password: bytes | None, candidates: Sequence[Certificate]) -> PrivateKey:
    """The key with that one of the certificates which belongs to it."""
    refused: CertificateError | None = None
    for candidate in candidates:
        try:
            return load_private_key(data, password, candidate)
        except CertificateError as error:
            refused = refused or error
    raise refused or CertificateError("no certificate was given")


def _one_line(text: str) -> str:
    """A subject may hold any character, and a line of its own could pass for one of ours."""
    return "".join(c if c.isprintable() else "?" for c in text)


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
    if len(set(secret)) < PASSPHRASE_DIFFERENT_MIN:
        raise KeyStoreError(f"{where}: a passphrase has at least {PASSPHRASE_DIFFERENT_MIN} different characters")
    return secret


def _read_private(path: Path) -> bytes:
    try:
        return read_private(path)
    except SecretError as error:
        raise KeyStoreError(str(error)) from None


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
