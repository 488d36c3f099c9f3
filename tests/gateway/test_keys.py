"""Our own keys: encrypted, readable by nobody else, and rolled over without a gap."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edi_gateway.config import Config, read
from edi_gateway.gateway import keys as module
from edi_gateway.gateway.keys import KeyStore, KeyStoreError, open_keys, passphrase

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
    given = config(tmp_path, EDI_GATEWAY_KEY_PASSPHRASE="x" * length)
    if good:
        assert passphrase(given) == b"x" * length
    else:
        with pytest.raises(KeyStoreError, match="12 to 4096"):
            passphrase(given)
