"""The files of packaging/, read: pins, users, secrets, hardening. Nothing of them is run here."""

from __future__ import annotations

import configparser
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edi_gateway import config
from edi_gateway.cli import COMMANDS
from edi_gateway.gateway.secure_start import refuse_unsafe

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "packaging"
UNITS = sorted((PACKAGING / "systemd").glob("*.service"))
TIMERS = sorted((PACKAGING / "systemd").glob("*.timer"))
_HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "SystemCallFilter": "@system-service",
    "StateDirectoryMode": "0700",
    "UMask": "0077",
    "User": "edi",
}


def dockerfile() -> list[tuple[str, str]]:
    text = (PACKAGING / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def compose() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((PACKAGING / "compose.yaml").read_text(encoding="utf-8"))
    return read


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(path, encoding="utf-8")
    return parser


def test_the_image_is_pinned_healthy_and_not_of_root() -> None:
    lines = dockerfile()
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-[a-z-]+", dict(lines[:1])["ARG"])
    assert all(text.split()[0] == "${BASE}" for word, text in lines if word == "FROM")
    users = [text for word, text in lines if word == "USER"]
    assert users
    assert not users[-1].startswith(("0", "root"))
    assert any(word == "HEALTHCHECK" and "/healthz" in text for word, text in lines)
    assert "--require-hashes" in str(lines)
    assert not [text for word, text in lines if word in ("ADD", "ENV", "ARG") and re.search("TOKEN|PASS|SECRET", text)]


def test_what_the_image_copies_exists() -> None:
    for word, text in dockerfile():
        if word == "COPY" and not text.startswith("--from"):
            assert all((ROOT / source).exists() for source in text.split()[:-1])


def test_the_services_are_pinned_confined_and_hold_no_secret() -> None:
    services = compose()["services"]
    assert {"proxy", "gateway", "worker", "database"} <= services.keys()
    for name, service in services.items():
        assert re.search(r":\d+\.\d+", service["image"]), name
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        assert "ports" not in service or name == "proxy"
    text = (PACKAGING / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"PASSWORD[\"']?\s*[:=]", text)
    declared = compose()["secrets"].keys()
    assert all(secret in declared for service in services.values() for secret in service.get("secrets", ()))
    assert compose()["networks"]["back"]["internal"] is True
    ours = [service["command"][0] for service in services.values() if service["image"].startswith("edi-gateway:")]
    assert set(ours) <= COMMANDS.keys()


def test_the_variables_of_the_compose_file_are_a_configuration_that_starts() -> None:
    lines = (PACKAGING / "gateway.env").read_text(encoding="utf-8").split()
    read = config.read(
        "", "gateway.toml", {**dict(line.split("=", 1) for line in lines), "EDI_GATEWAY_HOST": "0.0.0.0"}
    )
    assert read.work_is_distributed
    refuse_unsafe(read)
    assert read.reverse_proxy.believes(compose()["services"]["proxy"]["networks"]["front"]["ipv4_address"])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_hardened_and_runs_a_command_of_ours(path: Path) -> None:
    service = unit(path)["Service"]
    assert {name: service[name] for name in _HARDENED} == _HARDENED
    assert service["ExecStart"].split()[1] in COMMANDS
    if service["Type"] == "exec":
        assert int(service["TimeoutStopSec"]) >= 60


@pytest.mark.parametrize("path", TIMERS, ids=lambda path: path.name)
def test_a_timer_has_its_service(path: Path) -> None:
    assert path.with_suffix(".service") in UNITS
    assert unit(path)["Timer"]["OnCalendar"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for path in (*UNITS, *TIMERS):
        text = path.read_text(encoding="utf-8").replace("/opt/edi-gateway/bin/edi-gateway", "/bin/true")
        (tmp_path / path.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    wrong = [line for line in said.stderr.splitlines() if str(tmp_path) in line or "edi-gateway" in line]
    assert not wrong, said.stderr


def test_the_bill_of_materials_names_all_that_is_locked() -> None:
    found = importlib.util.spec_from_file_location("sbom", PACKAGING / "sbom.py")
    assert found is not None
    assert found.loader is not None
    sbom = importlib.util.module_from_spec(found)
    found.loader.exec_module(sbom)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    document = sbom.bill(lock)
    names = {component["name"]: component for component in document["components"]}
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert len(names) == len(re.findall(r"^[a-z0-9.-]+==", lock, re.MULTILINE))
    assert sum(len(each["hashes"]) for each in names.values()) == lock.count("--hash=")
    assert "BSD" in names["flask"]["licenses"][0]["license"]["name"]


def test_it_is_said_that_none_of_this_is_run() -> None:
    assert "None of this is run by the tests" in (PACKAGING / "README.md").read_text(encoding="utf-8")
