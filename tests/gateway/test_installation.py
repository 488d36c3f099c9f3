"""The looks that `edi-gateway doctor` takes at an installation."""

from __future__ import annotations

import os
import socket
import string
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edi_gateway.config import Config
from edi_gateway.gateway import tasks
from edi_gateway.gateway.app import Gateway, open_gateway
from edi_gateway.gateway.installation import FREE_BYTES_FEW, FREE_BYTES_MIN, look, room
from edi_gateway.gateway.installation_texts import TEXTS, Remark, Verdict
from edi_gateway.gateway.secure_start import UnsafeStart, refuse_unsafe
from edi_gateway.store import migrate
from tests.house import House, unreachable
from tests.serving import serving


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "passphrase").write_text("a passphrase for the tests")
    (tmp_path / "passphrase").chmod(0o600)
    (tmp_path / "partners").mkdir()
    return configured(tmp_path)


def configured(folder: Path, **more: Any) -> Config:
    return Config(
        data_dir=folder / "data",
        partners_dir=folder / "partners",
        key_file=folder / "passphrase",
        port=0,
        **more,
    )


@pytest.fixture
def gateway(config: Config) -> Iterator[Gateway]:
    config.data_dir.mkdir(mode=0o700)
    migrate.upgrade(config.database_url)
    gateway = open_gateway(config)
    gateway.keys.generate("MARKETPLACE", now=datetime.now(UTC), key="p-256")
    tasks.TASKS["sweep"](gateway, "")
    yield gateway
    gateway.close()


def looked(config: Config, **later: float) -> dict[str, Remark]:
    return {remark.code: remark for remark in look(config, datetime.now(UTC) + timedelta(**later))}


def failures(config: Config, **later: float) -> set[str]:
    return {code for code, remark in looked(config, **later).items() if remark.verdict is Verdict.FAIL}


def test_every_text_has_both_languages_with_the_same_places_and_says_what_to_do() -> None:
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text)} - {None}

    for code, text in TEXTS.items():
        assert places(text.english) == places(text.french), code
        assert places(text.advice) == places(text.conseil), code
        assert bool(text.advice) == bool(text.conseil) == (text.verdict is not Verdict.OK), code


def test_a_new_machine_has_nothing_wrong_and_nothing_is_made(config: Config) -> None:
    found = looked(config)
    assert not failures(config)
    assert {"data.absent", "database.absent", "keys.none"} <= found.keys()
    assert not config.data_dir.exists()


def test_a_good_installation(gateway: Gateway, config: Config) -> None:
    found = looked(config)
    assert not failures(config)
    good = {"data.private", "keys.open", "database.current", "payloads.kept", "clock.right", "work.turning"}
    assert good <= found.keys()
    assert "partners.none" in found
    assert "secret.no-token" in found


def test_a_new_database_file_is_its_owners_alone(gateway: Gateway, config: Config) -> None:
    for file in config.data_dir.glob("gateway.sqlite*"):
        assert file.stat().st_mode & 0o777 == 0o600, file


@pytest.mark.parametrize(
    ("path", "mode", "code"),
    [
        ("data", 0o755, "data.open"),
        ("data", 0o777, "data.everybody"),
        ("data/gateway.sqlite", 0o644, "database.open"),
        ("passphrase", 0o644, "secret.refused"),
    ],
)
def test_what_everybody_may_read(gateway: Gateway, config: Config, path: str, mode: int, code: str) -> None:
    (config.data_dir.parent / path).chmod(mode)
    remark = looked(config)[code]
    assert "chmod" in remark.advice("en") + remark.found("en")


def test_a_private_key_that_everybody_may_read_or_that_does_not_open(gateway: Gateway, config: Config) -> None:
    (file,) = (config.data_dir / "keys").glob("*.pem")
    file.chmod(0o644)
    assert "chmod 600" in looked(config)["keys.refused"].found("en")
    file.chmod(0o600)
    (config.data_dir.parent / "passphrase").write_text("another passphrase")
    assert "passphrase of the day" in looked(config)["keys.refused"].found("en")


def test_a_passphrase_beside_the_keys(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "key-passphrase").write_text("a passphrase for the tests")
    (tmp_path / "data" / "key-passphrase").chmod(0o600)
    assert "secret.beside" in looked(Config(data_dir=tmp_path / "data", port=0))


def test_a_clock_set_back(gateway: Gateway, config: Config) -> None:
    assert failures(config, days=-1) == {"clock.behind", "keys.none-serves"}


def test_a_sweep_that_has_stopped_and_what_waits(gateway: Gateway, config: Config) -> None:
    assert "work.still" not in failures(config, seconds=60)
    assert "work.still" in failures(config, minutes=5)


def test_another_interval_takes_no_turn_away(gateway: Gateway, config: Config) -> None:
    slower = config.model_copy(update={"work": config.work.model_copy(update={"sweep_seconds": 3600})})
    later = Gateway(
        config=slower,
        database=gateway.database,
        payloads=gateway.payloads,
        partnerships=gateway.partnerships,
        keys=gateway.keys,
        send=gateway.send,
        now=lambda: datetime.now(UTC) + timedelta(hours=1),
    )
    assert tasks._take_turn(later, "sweep")
    assert not tasks._take_turn(later, "sweep")


def test_certificates_that_end(gateway: Gateway, config: Config) -> None:
    assert "certificate.good" in looked(config)
    assert "certificate.ending" in looked(config, days=1080)
    assert "certificate.ended" in failures(config, days=1100)


@pytest.mark.parametrize(
    ("free", "code"),
    [
        (FREE_BYTES_FEW, "disk.room"),
        (FREE_BYTES_FEW - 1, "disk.little"),
        (FREE_BYTES_MIN, "disk.little"),
        (FREE_BYTES_MIN - 1, "disk.full"),
    ],
)
def test_room_on_the_disk(free: int, code: str, tmp_path: Path) -> None:
    assert room(free, tmp_path).code == code


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(gateway: Gateway, config: Config) -> None:
    config.data_dir.chmod(0o500)
    assert "disk.refused" in failures(config)
    config.data_dir.chmod(0o700)


def test_a_port_that_another_has(config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        answering = threading.Thread(target=lambda: other.accept()[0].close())
        answering.start()
        taken = config.model_copy(update={"port": other.getsockname()[1]})
        assert "port.taken" in failures(taken)
        answering.join()


def test_a_port_that_is_ours(tmp_path: Path, config: Config) -> None:
    house = House(tmp_path / "house")
    with serving(house.gateway) as server:
        assert "port.ours" in looked(config.model_copy(update={"port": server.port}))
    house.close()


@pytest.mark.parametrize(
    ("host", "url", "code"),
    [
        ("127.0.0.1", "http://localhost:8080", "url.plausible"),
        ("0.0.0.0", "https://edi.marketplace.example", "url.plausible"),
        ("0.0.0.0", "http://localhost:8080", "url.local"),
        ("::", "https://[::1]/", "url.local"),
        ("127.0.0.1", "http://edi.marketplace.example", "url.plain"),
    ],
)
def test_our_url(tmp_path: Path, host: str, url: str, code: str) -> None:
    config = Config(data_dir=tmp_path / "data", host=host, public_url=url, port=0)
    assert [remark.code for remark in look(config, datetime.now(UTC)) if remark.check == "url"] == [code]


def test_a_database_that_does_not_answer_or_is_behind(gateway: Gateway, config: Config) -> None:
    away = config.model_copy(update={"database_url": "postgresql://edi:sesame@127.0.0.1:1/edi"})
    silent = looked(away)["database.silent"]
    assert "sesame" not in silent.found("en")
    (config.data_dir / "empty.sqlite").touch(mode=0o600)
    empty = config.model_copy(update={"database_url": f"sqlite:///{config.data_dir}/empty.sqlite"})
    assert "database.behind" in failures(empty)


def test_a_partners_folder_that_is_wrong(gateway: Gateway, config: Config) -> None:
    (config.partners_dir / "acme").mkdir()
    (config.partners_dir / "acme" / "partner.toml").write_text("nonsense = 1")
    assert "partners.refused" in failures(config)


def test_partners_in_force_without_a_folder_and_what_is_parked(tmp_path: Path) -> None:
    house = House(tmp_path / "data", migrated=True)
    (tmp_path / "partners").mkdir()
    house.network.answers = [unreachable]
    house.send()
    house.dispatch()
    config = house.gateway.config.model_copy(update={"port": 0, "partners_dir": tmp_path / "partners"})
    config = config.model_copy(update={"database_url": house.gateway.database.url})
    found = {remark.code: remark for remark in look(config, house.now + timedelta(hours=1))}
    assert found["partners.differ"].values == {"name": "vendor", "change": "missing"}
    assert found["work.waiting"].values == {"count": 1, "stage": "dispatch", "minutes": 60}
    house.close()


# --- what a gateway refuses to start with --------------------------------------------------------


def test_a_gateway_for_this_machine_alone_needs_no_secret_of_its_owner(tmp_path: Path) -> None:
    refuse_unsafe(Config(data_dir=tmp_path / "data"))


def test_one_that_others_reach_needs_one(tmp_path: Path) -> None:
    with pytest.raises(UnsafeStart, match="EDI_GATEWAY_KEY_FILE"):
        refuse_unsafe(Config(data_dir=tmp_path / "data", host="0.0.0.0"))
    refuse_unsafe(configured(tmp_path, host="0.0.0.0"))


def test_it_refuses_folders_that_everybody_writes_and_proxies_that_are_everybody(tmp_path: Path) -> None:
    (tmp_path / "data" / "keys").mkdir(parents=True)
    (tmp_path / "data" / "keys").chmod(0o777)
    config = configured(tmp_path, reverse_proxy={"addresses": "10.0.0.1, ::/0"})
    with pytest.raises(UnsafeStart) as refused:
        refuse_unsafe(config)
    assert [line.split()[-1] for line in str(refused.value).splitlines()] == [f"{tmp_path}/data/keys", "alone"]
