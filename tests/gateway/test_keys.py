"""Our own keys: encrypted, readable by nobody else, and rolled over without a gap."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from edi_gateway import logs
from edi_gateway.as2.certificates import AS2_USES, Certificate, KeyUse, PrivateKey, generate
from edi_gateway.config import Config, read
from edi_gateway.gateway import keys as module
from edi_gateway.gateway.keys import KeyStore, KeyStoreError, open_keys, passphrase
from edi_gateway.gateway.secret_files import SECRET_BYTES_MAX, SecretError, read_private

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
PASSPHRASE = b"correct horse battery"


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path, PASSPHRASE)


def config(folder: Path, **environment: str) -> Config:
    return read("", "gateway.toml", {"EDI_GATEWAY_DATA_DIR": str(folder), **environment})


@pytest.fixture
def any_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_key_is_found_again(keys: KeyStore, tmp_path: Path) -> None:
    made = keys.generate("MARKET", now=NOW, key="p-256")
    assert KeyStore(tmp_path, PASSPHRASE).own_keys() == (made,)
    assert made.certificate.subject == "CN=MARKET"
    assert made.use_from == NOW
    assert made.name == f"20261101-{made.certificate.fingerprint[:12]}"


@pytest.mark.usefixtures("any_umask")
def test_a_key_file_is_encrypted_and_for_its_owner_only(keys: KeyStore, tmp_path: Path) -> None:
    made = keys.generate("MARKET", now=NOW, key="p-256")
    file = tmp_path / "keys" / f"{made.name}.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in file.read_bytes()
    opened = ["openssl", "pkey", "-in", str(file), "-noout", "-passin", "pass:" + PASSPHRASE.decode()]
    assert subprocess.run(opened, check=False).returncode == 0
    wrong = [*opened[:-1], "pass:another one entirely"]
    assert subprocess.run(wrong, check=False, capture_output=True).returncode != 0


def test_the_newest_key_stands_first_and_the_next_one_waits(keys: KeyStore) -> None:
    present = keys.generate("MARKET", now=NOW, key="p-256")
    coming = keys.generate("MARKET", now=NOW, key="p-256", use_from=NOW + timedelta(days=30))
    assert keys.own_keys() == (coming, present)
    assert keys.all() == (coming.private_key, present.private_key)
    assert coming.certificate.valid_at(NOW)  # partners can take it up before it is used
    assert [dated.use_from for dated in keys.dated()] == [NOW + timedelta(days=30), NOW]


def test_keys_that_another_process_adds_or_takes_away_are_noticed(keys: KeyStore, tmp_path: Path) -> None:
    first = keys.generate("MARKET", now=NOW, key="p-256")
    revision = keys.revision()
    second = KeyStore(tmp_path, PASSPHRASE).generate("MARKET", now=NOW + timedelta(days=1), key="p-256")
    assert keys.revision() != revision
    assert keys.own_keys() == (second, first)
    (tmp_path / "keys" / f"{first.name}.pem").rename(tmp_path / "retired.pem")
    assert keys.own_keys() == (second,)


def test_files_are_not_read_again_while_nothing_changes(keys: KeyStore) -> None:
    keys.generate("MARKET", now=NOW, key="p-256")
    assert keys.own_keys() is keys.own_keys()


def test_without_keys_there_are_none(keys: KeyStore) -> None:
    assert keys.own_keys() == ()


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644])
def test_a_key_that_everybody_may_read_or_write_is_refused(keys: KeyStore, tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys" / f"{keys.generate('MARKET', now=NOW, key='p-256').name}.pem"
    file.chmod(mode)
    with pytest.raises(KeyStoreError, match=r"everybody may read or write it; chmod 600"):
        KeyStore(tmp_path, PASSPHRASE).own_keys()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data[: len(data) // 2], "no certificate in the file"),
        (lambda data: b"", "no private key"),
        (lambda data: data.replace(b"use-from: 2026", b"use-from: soon"), "no date and time"),
        (lambda data: data.replace(b"12:00:00+00:00", b"12:00:00"), "lacks the offset"),
    ],
)
def test_a_damaged_key_file_is_named(keys: KeyStore, tmp_path: Path, change, says: str) -> None:
    file = tmp_path / "keys" / f"{keys.generate('MARKET', now=NOW, key='p-256').name}.pem"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(KeyStoreError, match=says) as refused:
        keys.own_keys()
    assert str(file) in str(refused.value)


def test_the_wrong_passphrase_is_named(keys: KeyStore, tmp_path: Path) -> None:
    keys.generate("MARKET", now=NOW, key="p-256")
    with pytest.raises(KeyStoreError, match="it opens with the passphrase of the day it was made"):
        KeyStore(tmp_path, b"incorrect horse").own_keys()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"days": 0}, "1 to 3650 days"),
        ({"days": 3651}, "1 to 3650 days"),
        ({"key": "dsa"}, "not a kind of key"),
        ({"days": 10, "use_from": NOW + timedelta(days=10)}, "when it has expired"),
    ],
)
def test_a_key_that_could_not_serve_is_not_made(keys: KeyStore, arguments: dict, says: str) -> None:
    with pytest.raises(KeyStoreError, match=says):
        keys.generate("MARKET", now=NOW, **{"key": "p-256"} | arguments)
    assert keys.own_keys() == ()


def test_there_are_at_most_a_hundred_keys(keys: KeyStore, tmp_path: Path) -> None:
    made = keys.generate("MARKET", now=NOW, key="p-256")
    file = tmp_path / "keys" / f"{made.name}.pem"
    for number in range(module.KEYS_MAX - 2):
        os.link(file, file.with_name(f"copy-{number}.pem"))
    keys.generate("MARKET", now=NOW, key="p-256")
    with pytest.raises(KeyStoreError, match="holds 100 keys"):
        keys.generate("MARKET", now=NOW, key="p-256")


# --- the passphrase ------------------------------------------------------------------------------


def test_the_first_start_makes_a_passphrase_and_keeps_it(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    made = open_keys(config(data)).generate("MARKET", now=NOW, key="p-256")
    file = data / "key-passphrase"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text().strip()) >= 40
    assert open_keys(config(data)).own_keys() == (made,)


def test_a_lost_passphrase_is_not_replaced(tmp_path: Path) -> None:
    open_keys(config(tmp_path)).generate("MARKET", now=NOW, key="p-256")
    (tmp_path / "key-passphrase").unlink()
    with pytest.raises(KeyStoreError, match="nothing opens them; set EDI_GATEWAY_KEY_PASSPHRASE"):
        open_keys(config(tmp_path))
    assert not (tmp_path / "key-passphrase").exists()


def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    given = config(tmp_path, EDI_GATEWAY_KEY_PASSPHRASE=PASSPHRASE.decode(), EDI_GATEWAY_KEY_FILE="/absent")
    assert passphrase(given) == PASSPHRASE
    assert not (tmp_path / "key-passphrase").exists()


def test_a_key_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(PASSPHRASE + b"\r\n")
    file.chmod(0o600)
    assert passphrase(config(tmp_path, EDI_GATEWAY_KEY_FILE=str(file))) == PASSPHRASE
    file.chmod(0o644)
    with pytest.raises(KeyStoreError, match="chmod 600"):
        passphrase(config(tmp_path, EDI_GATEWAY_KEY_FILE=str(file)))


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match=r"/absent: cannot be read: No such file"):
        passphrase(config(tmp_path, EDI_GATEWAY_KEY_FILE="/absent"))


@pytest.mark.parametrize(("length", "good"), [(11, False), (12, True), (4096, True), (4097, False)])
def test_a_passphrase_has_bounds(tmp_path: Path, length: int, good: bool) -> None:
    text = ("correct horse " * 300)[:length]
    given = config(tmp_path, EDI_GATEWAY_KEY_PASSPHRASE=text)
    if good:
        assert passphrase(given) == text.encode()
    else:
        with pytest.raises(KeyStoreError, match="12 to 4096"):
            passphrase(given)


@pytest.mark.parametrize(("text", "good"), [("x" * 40, False), ("1234" * 5, False), ("12345" * 4, True)])
def test_a_passphrase_that_repeats_itself_is_refused(tmp_path: Path, text: str, good: bool) -> None:
    file = tmp_path / "secret"
    file.write_text(text)
    file.chmod(0o600)
    for given in (
        config(tmp_path, EDI_GATEWAY_KEY_PASSPHRASE=text),
        config(tmp_path, EDI_GATEWAY_KEY_FILE=str(file)),
    ):
        if good:
            assert passphrase(given) == text.encode()
        else:
            with pytest.raises(KeyStoreError, match="at least 5 different characters") as refused:
                passphrase(given)
            assert text not in str(refused.value)


@pytest.mark.parametrize("size", [SECRET_BYTES_MAX, SECRET_BYTES_MAX + 1])
def test_a_secret_file_is_read_only_so_far(tmp_path: Path, size: int) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"x" * size)
    file.chmod(0o600)
    if size <= SECRET_BYTES_MAX:
        assert len(read_private(file)) == size
    else:
        with pytest.raises(SecretError, match="longer than"):
            read_private(file)


def test_secrets_are_never_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by the value of anything that holds them, not in an error, not in the log of a start."""
    given = config(tmp_path, EDI_GATEWAY_KEY_PASSPHRASE=PASSPHRASE.decode())
    store = open_keys(given)
    made = store.generate("MARKET", now=NOW, key="p-256")
    (tmp_path / "keys" / f"{made.name}.pem").write_bytes(b"use-from: no key at all\n")
    with pytest.raises(KeyStoreError) as refused:
        store.own_keys()
    logs.configure("debug")
    structlog.get_logger("test").warning("start", config=given, keys=store, key=made, why=str(refused.value))
    structlog.reset_defaults()
    shown = "".join(capsys.readouterr()) + f"{given!r}{store!r}{made!r}{refused.value}"
    assert "MARKET" in shown
    assert PASSPHRASE.decode() not in shown
    assert "PRIVATE KEY" not in shown


# --- keys made elsewhere, and what each is for ---------------------------------------------------


def foreign(kind: str = "p-256", days: int = 365, made: datetime = NOW) -> PrivateKey:
    return generate("Made elsewhere", made, days, kind)


@pytest.fixture(scope="module")
def chained() -> tuple[PrivateKey, Certificate]:
    """A key whose certificate another one issued."""
    issuer = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Test CA", "Test CA", issuer.public_key(), issuer)
    return PrivateKey(key, _certificate("MARKET", "Test CA", key.public_key(), issuer)), ca


def _certificate(
    subject: str, issuer: str, public: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey
) -> Certificate:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(public)
    builder = builder.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=90))
    made = builder.sign(signer, hashes.SHA256())
    return Certificate.from_der(made.public_bytes(serialization.Encoding.DER))


def p12(key: PrivateKey, ca: Certificate, password: bytes) -> bytes:
    own, other = (x509.load_der_x509_certificate(c.der) for c in (key.certificate, ca))
    encryption = serialization.BestAvailableEncryption(password)
    return pkcs12.serialize_key_and_certificates(b"us", key.key, own, [other], encryption)


def test_120_a_key_in_p12_is_imported_with_its_chain(
    keys: KeyStore, tmp_path: Path, chained: tuple[PrivateKey, Certificate]
) -> None:
    key, ca = chained
    own = keys.import_key(p12(key, ca, b"of the other program"), password=b"of the other program", now=NOW)
    assert (own.private_key, own.chain, own.use_from) == (key, (ca,), NOW)
    assert KeyStore(tmp_path, PASSPHRASE).own_keys() == (own,)
    stored = (tmp_path / "keys" / f"{own.name}.pem").read_bytes()
    assert b"ENCRYPTED" in stored
    assert b"of the other program" not in stored


@pytest.mark.parametrize("password", [b"of the other program", None])
def test_120_a_key_in_pem_is_imported_encrypted_or_not(keys: KeyStore, password: bytes | None) -> None:
    key = foreign()
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem = key.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    own = keys.import_key(pem + key.certificate.pem.encode(), password=password, now=NOW)
    assert own.certificate == key.certificate
    assert keys.all() == (key,)


def test_120_a_key_is_imported_with_its_certificate_from_a_file_beside(
    keys: KeyStore, chained: tuple[PrivateKey, Certificate]
) -> None:
    key, ca = chained
    pem = key.to_pem(b"of the other program").partition(b"-----BEGIN CERTIFICATE")[0]
    beside = (ca.pem + key.certificate.pem).encode()
    own = keys.import_key(pem, password=b"of the other program", certificates=beside, now=NOW)
    assert (own.certificate, own.chain) == (key.certificate, (ca,))


@pytest.mark.parametrize(
    ("make", "password", "says"),
    [
        (lambda: foreign().to_p12(b"right"), b"wrong", "does not open with this password"),
        (lambda: foreign().to_p12(b"right"), None, "does not open with this password"),
        (lambda: foreign().to_pem(b"right"), b"wrong", "does not open with this password"),
        (lambda: foreign().certificate.pem.encode(), None, "no private key in the file"),
        (lambda: foreign().certificate.der, None, "not a PKCS #12 store"),
        (lambda: b"rubbish", None, "no private key in the file"),
        (lambda: b"", None, "no private key in the file"),
        (lambda: foreign(days=10, made=NOW - timedelta(days=20)).to_pem(b"right"), b"right", "it expired on"),
    ],
)
def test_120_a_key_that_cannot_serve_is_not_imported(
    keys: KeyStore, make: Callable[[], bytes], password: bytes | None, says: str
) -> None:
    with pytest.raises(KeyStoreError, match=says):
        keys.import_key(make(), password=password, now=NOW)
    assert keys.own_keys() == ()


def test_120_a_weak_key_is_not_imported(keys: KeyStore) -> None:
    weak = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "weak")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(weak.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=9))
    pem = builder.sign(weak, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    key = weak.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    with pytest.raises(KeyStoreError, match="RSA-1024; RSA of 2048 bits"):
        keys.import_key(key + pem, now=NOW)


def test_120_a_certificate_of_another_key_is_said(keys: KeyStore) -> None:
    with pytest.raises(KeyStoreError, match="does not belong to the certificate"):
        keys.import_key(foreign().to_pem(b"right"), password=b"right", certificates=foreign().certificate.der, now=NOW)


def test_the_same_key_is_not_imported_twice(keys: KeyStore) -> None:
    key = foreign()
    first = keys.import_key(key.to_p12(b"right"), password=b"right", now=NOW)
    with pytest.raises(KeyStoreError, match=f"here already: {first.name}"):
        keys.import_key(key.to_pem(b"right"), password=b"right", now=NOW + timedelta(days=1))


def test_a_key_that_is_not_valid_yet_serves_from_the_day_it_is(keys: KeyStore) -> None:
    begins = NOW + timedelta(days=30)
    own = keys.import_key(foreign(made=begins).to_pem(b"right"), password=b"right", now=NOW)
    assert begins - timedelta(hours=1) < own.use_from <= begins
    late = NOW + timedelta(days=500)
    with pytest.raises(KeyStoreError, match="before it would begin to serve"):
        keys.import_key(foreign().to_pem(b"right"), password=b"right", now=NOW, use_from=late)


def test_119_each_key_does_what_it_is_for(keys: KeyStore, tmp_path: Path) -> None:
    signing, encryption, tls = (
        keys.generate("MARKET", now=NOW, key="p-256", uses=frozenset({use}))
        for use in (KeyUse.SIGNING, KeyUse.ENCRYPTION, KeyUse.TLS)
    )
    again = KeyStore(tmp_path, PASSPHRASE)
    assert {own.name: own.uses for own in again.own_keys()} == {o.name: o.uses for o in (signing, encryption, tls)}
    assert {dated.uses for dated in again.dated()} == {signing.uses, encryption.uses}
    chosen = [again.chosen(use, NOW) for use in KeyUse]
    assert chosen == [signing, encryption, tls]
    assert again.chosen(KeyUse.TLS, NOW - timedelta(days=1)) is None


def test_what_a_key_is_for_is_read_strictly(keys: KeyStore, tmp_path: Path) -> None:
    file = tmp_path / "keys" / f"{keys.generate('MARKET', now=NOW, key='p-256').name}.pem"
    text = file.read_bytes()
    file.write_bytes(text.replace(b"used-for: encryption, signing", b"used-for: everything"))
    with pytest.raises(KeyStoreError, match="some of signing, encryption, tls"):
        keys.own_keys()
    file.write_bytes(text.replace(b"used-for: encryption, signing\n", b""))  # as keys were written once
    assert keys.own_keys()[0].uses == AS2_USES


def test_a_subject_cannot_pass_for_a_line_of_ours(keys: KeyStore) -> None:
    crafted = generate("MARKET\nuse-from: 2099-01-01T00:00:00+00:00\nused-for: tls", NOW, 365, "p-256")
    own = keys.import_key(crafted.to_pem(b"right"), password=b"right", now=NOW)
    assert keys.own_keys() == (own,)
    assert (own.use_from, own.uses) == (NOW, AS2_USES)
