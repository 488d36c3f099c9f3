"""A backup that is made while messages arrive, and what is restored from it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from edi_gateway.config import Config
from edi_gateway.gateway.backup import KEYS, MANIFEST, PAYLOADS, BackupFault, back_up, restore
from edi_gateway.store.database import Database
from edi_gateway.store.transmissions import Receipt, Transmission
from tests.databases import on_postgresql
from tests.house import House

pytestmark = pytest.mark.skipif(on_postgresql(), reason="PostgreSQL has its own backup")
LARGE = b"UNB+UNOC:3+3012345000004:14+3098765000002:14+261122:1200+%d'\r\n" + b"NAD+BY'\r\n" * 7_500 + b"UNZ+0+1'"


def _large(number: int) -> bytes:
    return LARGE % number


def _into(folder: Path) -> Config:
    return Config(data_dir=folder)


def _kept(folder: Path) -> set[str | None]:
    database = Database(f"sqlite:///{folder}/gateway.sqlite")
    with database.read() as view:
        found = {row.message_id for row in view.session.query(Transmission).join(Receipt)}
    database.close()
    return found


def test_every_receipt_given_before_a_backup_under_load_is_in_it(house: House, tmp_path: Path) -> None:
    posts = [house.message(_large(number), f"<{number}@vendor.example>") for number in range(1, 30)]
    given: list[str] = []
    begun, enough = threading.Event(), threading.Event()

    def receive() -> None:
        for number, posted in enumerate(posts, 1):
            assert house.post(posted).status == 200
            given.append(f"<{number}@vendor.example>")
            if number == 5:
                begun.set()
            if enough.is_set():
                return

    partner = threading.Thread(target=receive)
    partner.start()
    assert begun.wait(30)
    before = set(given)
    done = back_up(house.gateway.config, tmp_path / "backup", house.now)
    enough.set()
    partner.join(30)
    assert done.missing == ()
    verdict = restore(_into(tmp_path / "restored"), tmp_path / "backup")
    assert verdict.intact
    assert verdict.payloads >= 2 * len(before)
    assert before <= _kept(tmp_path / "restored")


@pytest.fixture
def backed_up(house: House, tmp_path: Path) -> Path:
    house.post(house.message(_large(1)))
    back_up(house.gateway.config, tmp_path / "backup", house.now)
    return tmp_path / "backup"


def test_a_folder_that_is_not_empty_is_refused_on_both_ways(backed_up: Path, house: House, tmp_path: Path) -> None:
    with pytest.raises(BackupFault, match="not empty"):
        back_up(house.gateway.config, backed_up, house.now)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(BackupFault, match="not empty"):
        restore(_into(tmp_path / "full"), backed_up)


def test_a_backup_that_was_not_finished_is_none(backed_up: Path, tmp_path: Path) -> None:
    (backed_up / MANIFEST).unlink()
    with pytest.raises(BackupFault, match="was not finished"):
        restore(_into(tmp_path / "restored"), backed_up)


def test_a_payload_that_was_altered_in_the_backup_is_refused(backed_up: Path, tmp_path: Path) -> None:
    named = json.loads((backed_up / MANIFEST).read_text())["payloads"]
    file = backed_up / PAYLOADS / named[0][:2] / named[0][2:4] / named[0]
    file.unlink()  # a link: the gateway's own file stays
    file.write_bytes(b"X")
    with pytest.raises(BackupFault, match="was altered"):
        restore(_into(tmp_path / "restored"), backed_up)
    assert not (tmp_path / "restored" / "gateway.sqlite").exists()


def test_keys_are_in_it_only_where_they_were_asked_for(house: House, tmp_path: Path) -> None:
    (house.folder / KEYS).mkdir()
    (house.folder / KEYS / "own.pem").write_text("a key")
    assert back_up(house.gateway.config, tmp_path / "without", house.now).keys == {}
    assert not (tmp_path / "without" / KEYS).exists()
    assert list(back_up(house.gateway.config, tmp_path / "with", house.now, with_keys=True).keys) == ["keys/own.pem"]
    restore(_into(tmp_path / "restored"), tmp_path / "with")
    assert (tmp_path / "restored" / KEYS / "own.pem").stat().st_mode & 0o077 == 0


def test_a_server_has_its_own_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupFault, match="pg_dump"):
        back_up(Config(data_dir=tmp_path, database_url="postgresql://db/edi"), tmp_path / "backup", None)  # type: ignore[arg-type]
