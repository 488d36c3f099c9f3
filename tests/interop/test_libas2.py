"""npm libas2 0.8.2 as a trading partner, both ways, over HTTP on loopback.

It is installed once, with the versions of `libas2/package-lock.json`: newer ones of what it stands on break it. Its
quirks are named here where they show:

- sending, it folds HTTP headers, writes base64 everywhere, and moves the content's headers (its file name among them)
  out to the signed entity's; its key transport is always OAEP with SHA-512 and MGF1 with SHA-512;
- its "GCM" is GCM inside of EnvelopedData, without a tag that anybody could check: refused with decryption-failed;
- receiving, it leaves decryption to Node, which since 2024 opens no RSAES-PKCS1-v1_5: it is sent OAEP;
- its MDN is signed over other bytes than those that it sends (it leaves out the CRLF that ends the signed
  part), and `openssl cms` refuses it as we do. So what we sent it counts as delivered and not as acknowledged.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from edi_gateway.as2.algorithms import Cipher, KeyTransport
from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.settlement import Outcome
from edi_gateway.partnership import Compression, MdnMode
from edi_gateway.store.transmissions import TransmissionState
from edi_gateway.transport.http import HttpClient
from tests.house import House
from tests.interop.peers import left_out
from tests.partner import MARKETPLACE, ORDERS, VENDOR
from tests.serving import serving

pytestmark = pytest.mark.interop

HERE = Path(__file__).parent / "libas2"
INSTALL_SECONDS_MAX = 120
SECONDS_MAX = 60
FITTING = {"key_transport": "oaep-sha-512"}  # of what we send it


# --- the installation -----------------------------------------------------------------------------------------------


def home() -> Path:
    """Where it is installed: in the environment, or a temporary folder if the tests run outside of one."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    base = Path(sys.prefix) if sys.prefix != sys.base_prefix else Path(tempfile.gettempdir())
    return base / f"libas2-{lock}"


@cache
def missing() -> str:
    """Why the peer cannot take part, or ""; installs it the first time."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    if (folder / "installed").exists():
        return ""
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm ci did not end within {INSTALL_SECONDS_MAX} s"
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "code" in line] or done.stderr.splitlines()
        return f"npm ci failed: {lines[0] if lines else 'without a word'}"
    (folder / "installed").touch()
    return ""


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    if why := missing():
        pytest.skip(left_out("libas2", why))


# --- the partner ----------------------------------------------------------------------------------------------------


def plain(key: PrivateKey) -> bytes:
    """PKCS#8 PEM, the only form that it reads."""
    return key.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass(frozen=True)
class Node:
    """The partner's scripts, in a folder with the partner's keys."""

    folder: Path
    house: House

    def options(self, **options: Any) -> str:
        partner = self.house.partner
        (self.folder / "partner.key").write_bytes(plain(partner.key))
        (self.folder / "partner.crt").write_text(partner.key.certificate.pem)
        (self.folder / "gateway.crt").write_text(partner.gateway_key.certificate.pem)
        (self.folder / "content.edi").write_bytes(ORDERS)
        named = {"from": VENDOR, "to": MARKETPLACE, "keys": str(self.folder), "content": f"{self.folder}/content.edi"}
        file = self.folder / "options.json"
        file.write_text(json.dumps(named | options))
        return str(file)

    def command(self, script: str, options: str) -> list[str]:
        return ["node", str(home() / script), options]

    def sends(self, **options: Any) -> dict[str, Any]:
        """What the partner tells of one transmission to the gateway."""
        with serving(self.house.gateway) as server:
            command = self.command("send.js", self.options(url=f"{server.url}/as2", **options))
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    @contextmanager
    def waits(self, **options: Any) -> Iterator[Receiver]:
        command = self.command("receive.js", self.options(**options))
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            receiver = Receiver(process)
            yield receiver
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)


class Receiver:
    """The partner's server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{self.told()['port']}/as2"

    def told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.gateway = replace(house.gateway, send=HttpClient())
    yield house
    house.close()


@pytest.fixture
def node(tmp_path: Path, house: House) -> Node:
    folder = tmp_path / "node"
    folder.mkdir()
    return Node(folder, house)


def refusal(told: dict[str, Any]) -> str:
    """The modifier of our receipt; it keeps the whole of it as the type."""
    return str(told["notification"]["disposition"]["description"]["type"])


# --- it sends, we receive -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", ["aes128-CBC", "aes192-CBC", "aes256-CBC"])
@pytest.mark.parametrize("digest", ["sha-256", "sha-384", "sha-512"])
def test_030_what_libas2_signs_and_encrypts_is_taken(node: Node, house: House, digest: str, cipher: str) -> None:
    """It verifies our signed receipt, and finds the MIC that it computed itself in it."""
    told = node.sends(sign=digest, encrypt=cipher)
    assert (told["status"], told["signed"]) == (200, True)
    assert told["notification"]["disposition"]["processed"] is True
    assert "description" not in told["notification"]["disposition"]
    row = house.only()
    assert (row.state, row.message_id) == (TransmissionState.RECEIVED, told["messageId"])
    assert house.kept(row.payload_sha256) == ORDERS
    assert told["notification"]["originalMessageId"] == row.message_id
    mic = told["notification"]["receivedContentMic"]
    assert f"{mic['mic']}, {mic['algorithm']}" == row.mic
    assert mic["algorithm"] == digest


def test_059_libas2_transports_keys_by_oaep_with_sha_512(node: Node, house: House) -> None:
    node.sends(sign="sha-256", encrypt="aes128-CBC")
    used = house.only().encrypted_with or ""
    assert KeyTransport.OAEP_SHA512 in used
    assert Cipher.AES_128_CBC in used


def test_013_libas2_folds_http_headers(node: Node, house: House) -> None:
    told = node.sends(sign="sha-256", encrypt="aes256-CBC")
    assert told["folded"]
    assert house.only().state is TransmissionState.RECEIVED


def test_004_libas2_writes_base64(node: Node, house: House) -> None:
    told = node.sends(sign="sha-256", encrypt="aes256-CBC")
    assert "content-transfer-encoding: base64" in told["head"].lower()
    assert house.kept(house.only().payload_sha256) == ORDERS


@pytest.mark.parametrize("cipher", ["aes128-GCM", "aes256-GCM"])
def test_056_the_gcm_of_libas2_is_refused(node: Node, house: House, cipher: str) -> None:
    """GCM in EnvelopedData authenticates nothing (RFC 5084 §1: it belongs into AuthEnvelopedData)."""
    told = node.sends(sign="sha-256", encrypt=cipher)
    assert (told["status"], told["signed"]) == (200, True)
    assert refusal(told) == "error: decryption-failed"
    assert house.only().state is TransmissionState.REFUSED


def test_028_a_signed_message_of_libas2(node: Node, house: House) -> None:
    house.agree(require_encryption=False)
    told = node.sends(sign="sha-256", encrypt=False)
    assert told["notification"]["disposition"]["processed"] is True
    assert house.kept(house.only().payload_sha256) == ORDERS


def test_083_libas2_reads_our_refusal(node: Node, house: House) -> None:
    told = node.sends(sign="sha-256", encrypt=False)
    assert told["signed"] is True
    assert refusal(told) == "error: insufficient-message-security"


def test_051_sha_1_of_libas2_is_refused(node: Node, house: House) -> None:
    told = node.sends(sign="sha-1", encrypt="aes256-CBC")
    assert told["notification"]["disposition"]["processed"] is False
    assert house.only().state is TransmissionState.REFUSED


# --- we send, it receives -------------------------------------------------------------------------------------------


def test_we_send_and_its_signed_receipt_is_refused(node: Node, house: House) -> None:
    """It takes the message; nothing that it says of it can be relied on, so the outcome stays open."""
    with node.waits(decrypt=True, verify=True, sign="sha-256") as receiver:
        house.agree(url=receiver.url, **FITTING)
        sent = house.send()
        assert house.dispatch()
        told = receiver.told()
    assert told["notification"]["disposition"]["processed"] is True
    assert base64.b64decode(told["content"]).rstrip() == ORDERS.rstrip()
    mic = told["notification"]["receivedContentMic"]
    row = house.row(sent)
    assert f"{mic['mic']}, sha-256" == row.mic  # it read exactly what we signed
    assert row.state is TransmissionState.QUEUED
    assert "signature" in row.reason


def test_we_send_and_its_unsigned_receipt_is_taken_where_that_was_agreed(node: Node, house: House) -> None:
    with node.waits(decrypt=True, verify=True) as receiver:
        house.agree(url=receiver.url, mdn_signed=False, **FITTING)
        sent = house.send()
        assert house.dispatch()
        receiver.told()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED
    (receipt,) = house.receipts()
    assert receipt.outcome == Outcome.ACKNOWLEDGED


def test_we_send_without_wanting_a_receipt(node: Node, house: House) -> None:
    with node.waits(decrypt=True, verify=True) as receiver:
        house.agree(url=receiver.url, mdn_mode=MdnMode.NONE, **FITTING)
        sent = house.send()
        assert house.dispatch()
        assert base64.b64decode(receiver.told()["content"]).rstrip() == ORDERS.rstrip()
    assert house.row(sent).attempts == 1


@pytest.mark.parametrize(
    "policy", [{"sign": False}, {"compression": Compression.BEFORE_SIGNING}], ids=["unsigned", "compressed"]
)
def test_we_send_what_it_cannot_read_and_the_outcome_stays_open(
    node: Node, house: House, policy: dict[str, Any]
) -> None:
    """It fails on a message without the signature that it expects, and knows no compression: no receipt that counts."""
    with node.waits(decrypt=True, verify=True, sign="sha-256") as receiver:
        house.agree(url=receiver.url, **FITTING, **policy)
        sent = house.send()
        assert house.dispatch()
        receiver.told()
    assert house.row(sent).state is TransmissionState.QUEUED
