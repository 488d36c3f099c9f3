"""What a new machine gets: the wheel is whole, and the locks name the same versions with hashes and no server."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
EVERY_LOCK = (*LOCKS, "requirements-fuzz.lock")
_PIN = re.compile(r"^([a-z0-9.-]+)==([^\s;]+)", re.MULTILINE)
_REQUIREMENT = re.compile(r"^([A-Za-z0-9-]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(_PIN.findall((ROOT / lock).read_text(encoding="utf-8")))


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "edi_gateway", source / "edi_gateway", ignore=ignored)
    for name in ("setup.cfg", "pyproject.toml", "MANIFEST.in", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('..'))"
    built = subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, text=True)
    with zipfile.ZipFile(tmp_path / built.stdout.splitlines()[-1]) as wheel:
        packed = set(wheel.namelist())
    wanted = {str(file.relative_to(source)) for file in (source / "edi_gateway").rglob("*") if file.is_file()}
    assert wanted - packed == set()
    assert any(name.endswith("licenses/LICENSE") for name in packed)
    assert {name.split("/")[0] for name in packed} == {"edi_gateway", "edi_gateway-0.1.0.dist-info"}


@pytest.mark.parametrize("lock", EVERY_LOCK)
def test_a_lock_has_hashes_and_names_no_server(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"^(?=[a-z0-9.-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_locks_name_the_same_versions() -> None:
    run, development = (pins(lock) for lock in LOCKS)
    assert run.items() <= development.items()


def test_the_locks_hold_what_setup_cfg_asks_for() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = setup["options.extras_require"]
    needed = {name.lower() for name in _REQUIREMENT.findall(setup["options"]["install_requires"] + extras["build"])}
    assert needed <= pins("requirements.lock").keys()
    assert {name.lower() for name in _REQUIREMENT.findall(extras["dev"])} <= pins("requirements-dev.lock").keys()


def test_the_documented_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "serve", "test", "lint", "bench", "lock", "clean"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
        assert f"#   make {target} " in makefile
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
