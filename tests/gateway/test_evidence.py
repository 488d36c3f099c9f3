"""Evidence bundles: every command of their README is run, with the real openssl, and nothing else of ours."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.disposition import DECRYPTION_FAILED
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.mime import canonical_line_ends
from edi_gateway.gateway.evidence import Bundle, write_evidence
from edi_gateway.gateway.evidence_readme import COMMAND, OUTPUT
from edi_gateway.partnership import Compression, MdnMode
from edi_gateway.store.transmissions import TransmissionState
from tests.house import House, status
from tests.partner import ORDERS, Posted, key_of, pinned

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
COMMAND_SECONDS_MAX = 30


def unpacked(house: House, transmission_id: str, folder: Path) -> Bundle:
    target = io.BytesIO()
    bundle = write_evidence(house.gateway, transmission_id, target)
    assert bundle is not None
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert not [name for name in archive.namelist() if name.startswith("/") or ".." in name]
        archive.extractall(folder)
    return bundle


def commands(folder: Path) -> list[tuple[str, str]]:
    """The commands of the README with what each has to print."""
    found: list[tuple[str, str]] = []
    for line in (folder / "README.txt").read_text("utf-8").splitlines():
        if line.startswith(COMMAND):
            found.append((line.removeprefix(COMMAND), ""))
        elif line.startswith(OUTPUT):
            command, output = found.pop()
            found.append((command, output + line.removeprefix(OUTPUT)))
    return found


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False
    )


def verify(folder: Path) -> list[str]:
    """Run every command of the README; gives them."""
    found = commands(folder)
    for command, output in found:
        done = run(command, folder)
        assert done.returncode == 0, (command, done.stderr)
        if output:
            assert done.stdout.strip() == output, command
    return [command for command, _ in found]


def counted(commands: list[str], words: str) -> int:
    return sum(words in command for command in commands)


# --- received -------------------------------------------------------------------------------------------------------


@needs_openssl
def test_a_received_message_and_our_receipt(house: House, tmp_path: Path) -> None:
    house.post(house.message())
    folder = tmp_path / "evidence"
    bundle = unpacked(house, house.only().id, folder)
    ran = verify(folder)
    assert bundle.missing == ()
    # Their signature over the message, ours over the MDN.
    assert counted(ran, "openssl cms -verify") == 2
    assert counted(ran, "tail -c") == counted(ran, "base64 -A") == 1
    assert (folder / "payload.bin").read_bytes() == ORDERS
    assert (folder / "raw/body.bin").read_bytes() == house.kept(house.only().raw_sha256)
    assert b"AS2-From: VENDOR\r\n" in (folder / "raw/headers.txt").read_bytes()
    assert len(list((folder / "certificates").iterdir())) == 2


@needs_openssl
@pytest.mark.parametrize("file", ["signed/part.bin", "payload.bin", "mdn/1/part.bin", "signed/signature.p7s"])
def test_what_was_altered_does_not_verify(house: House, tmp_path: Path, file: str) -> None:
    house.post(house.message())
    folder = tmp_path / "evidence"
    unpacked(house, house.only().id, folder)
    altered = bytearray((folder / file).read_bytes())
    altered[-20] ^= 1
    (folder / file).write_bytes(bytes(altered))
    failed = [
        command
        for command, output in commands(folder)
        if (done := run(command, folder)).returncode != 0 or (output and done.stdout.strip() != output)
    ]
    assert failed


@needs_openssl
@pytest.mark.parametrize("digest", [Digest.SHA256, Digest.SHA384, Digest.SHA512])
@pytest.mark.parametrize("packing", ["binary", "base64", "opaque", "compressed", "quoted-printable"])
def test_every_packing_that_came_in(house: House, tmp_path: Path, digest: Digest, packing: str) -> None:
    partner = house.partner
    if packing == "opaque":
        inner = partner.opaque(partner.entity(), digest)
    elif packing == "compressed":
        inner = partner.signed(partner.compressed(partner.entity()), digest=digest)
    elif packing == "binary":
        inner = partner.signed(partner.entity(), digest=digest)
    else:
        encoded = {"base64": b"VU5CK1VOT0M=\r\n", "quoted-printable": b"UNB=2BUNOC\r\n"}[packing]
        inner = partner.signed(partner.entity(encoded, encoding=packing), digest=digest)
    house.post(partner.post(partner.encrypted(inner)))
    folder = tmp_path / "evidence"
    assert house.only().state is TransmissionState.RECEIVED
    assert unpacked(house, house.only().id, folder).missing == ()
    ran = verify(folder)
    assert counted(ran, "openssl cms -verify") == 2
    assert counted(ran, "base64 -A") == 1  # the MIC
    assert counted(ran, "tail -c") == (packing in ("binary", "base64", "opaque"))


@needs_openssl
def test_a_signature_over_canonical_text(house: House, tmp_path: Path) -> None:
    house.agree(accept_canonicalised=True)
    entity = house.partner.entity(b"UNB+UNOC:3'\nUNZ'\n")
    signature = house.partner.signature(b"".join(canonical_line_ends([entity])))
    house.post(house.partner.post(house.partner.encrypted(house.partner.signed(entity, signature=signature))))
    folder = tmp_path / "evidence"
    unpacked(house, house.only().id, folder)
    assert counted(verify(folder), "openssl cms -verify") == 2
    assert "CRLF" in (folder / "README.txt").read_text("utf-8")


@needs_openssl
def test_neither_signed_nor_encrypted(house: House, tmp_path: Path) -> None:
    house.agree(require_signature=False, require_encryption=False)
    house.post(house.partner.post(house.partner.entity()))
    folder = tmp_path / "evidence"
    unpacked(house, house.only().id, folder)
    ran = verify(folder)
    assert counted(ran, "content.bin") == 1
    assert (folder / "content.bin").read_bytes() == ORDERS


def test_a_refused_message_shows_what_there_is(house: House, tmp_path: Path) -> None:
    house.post(
        house.partner.post(house.partner.encrypted(house.partner.entity(), recipients=[key_of("X").certificate]))
    )
    folder = tmp_path / "evidence"
    bundle = unpacked(house, house.only().id, folder)
    assert [why.split(":")[0] for why in bundle.missing] == ["signed/part.bin"]
    assert not (folder / "payload.bin").exists()
    assert (folder / "raw/body.bin").exists()
    assert "mdn/1/part.bin" in bundle.files
    described = json.loads((folder / "transmission.json").read_text())
    assert (described["state"], described["disposition"]) == ("refused", DECRYPTION_FAILED.status)


def test_nobody_knows_it(house: House) -> None:
    assert write_evidence(house.gateway, "nothing", io.BytesIO()) is None


def test_a_certificate_that_nobody_pinned_is_not_passed_off_as_proof(house: House, tmp_path: Path) -> None:
    """The signature of a stranger holds by the certificate that it brings along; that proves nothing."""
    stranger = house.partner.signed(house.partner.entity(), key=key_of("STRANGER"))
    house.post(house.partner.post(house.partner.encrypted(stranger)))
    folder = tmp_path / "evidence"
    bundle = unpacked(house, house.only().id, folder)
    assert any("no certificate that is known here" in why for why in bundle.missing)
    assert key_of("STRANGER").certificate.fingerprint not in "".join(bundle.files)


# --- sent -----------------------------------------------------------------------------------------------------------


@needs_openssl
@pytest.mark.parametrize("encoding", ["binary", "base64"])
@pytest.mark.parametrize("compression", list(Compression))
def test_a_sent_message_and_their_receipt(
    house: House, tmp_path: Path, encoding: str, compression: Compression
) -> None:
    house.agree(transfer_encoding=encoding, compression=compression)
    sent = house.send()
    house.dispatch()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED
    folder = tmp_path / "evidence"
    bundle = unpacked(house, sent, folder)
    assert bundle.missing == ()
    ran = verify(folder)
    assert counted(ran, "openssl cms -verify") == 2
    assert counted(ran, "base64 -A") == 1
    assert counted(ran, "tail -c") == (compression is not Compression.BEFORE_SIGNING)
    # The MDN that the partner signed repeats the digest of exactly these bytes.
    part = (folder / "signed/part.bin").read_bytes()
    mic = house.row(sent).mic or ""
    assert f"Received-content-MIC: {mic}".encode() in (folder / "mdn/1/part.bin").read_bytes()
    assert Digest.SHA256.of(part) == hashlib.sha256(part).digest()


@needs_openssl
@pytest.mark.parametrize("policy", [{"signature_scheme": "pss"}, {"digest": "sha-512"}])
def test_other_algorithms(house: House, tmp_path: Path, policy: dict[str, str]) -> None:
    house.agree(**policy)
    sent = house.send()
    house.dispatch()
    folder = tmp_path / "evidence"
    unpacked(house, sent, folder)
    assert counted(verify(folder), "openssl cms -verify") == 2


@needs_openssl
@pytest.mark.parametrize("encrypt", [True, False])
@pytest.mark.parametrize("compression", [Compression.NONE, Compression.BEFORE_SIGNING])
def test_sent_without_signature(house: House, tmp_path: Path, encrypt: bool, compression: Compression) -> None:
    house.agree(sign=False, encrypt=encrypt, compression=compression)
    sent = house.send()
    house.network.answers = [status(200)]
    house.dispatch()
    folder = tmp_path / "evidence"
    unpacked(house, sent, folder)
    assert counted(verify(folder), "content.bin") == 1


@needs_openssl
def test_an_asynchronous_receipt(house: House, tmp_path: Path) -> None:
    house.agree(mdn_mode=MdnMode.ASYNC)
    sent = house.send()
    house.network.answers = [status(200)]
    house.dispatch()
    request, body = house.network.requests[0]
    mdn = house.network.mdn(request, body)
    names = [("AS2-From", "VENDOR"), ("AS2-To", "MARKETPLACE")]
    house.post(Posted(Headers([*names, *((n, v) for n, v in mdn.headers if not n.startswith("AS2-"))]), mdn.body))
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED
    folder = tmp_path / "evidence"
    unpacked(house, sent, folder)
    verify(folder)
    events = json.loads((folder / "events/events.json").read_text())
    assert len({event["subject"] for event in events}) == 2  # the message, and the POST that brought its receipt


@needs_openssl
def test_our_old_key_is_gone_and_the_evidence_still_holds(house: House, tmp_path: Path) -> None:
    sent = house.send()
    house.dispatch()
    house.partner.gateway_key = key_of("MARKETPLACE 2027")
    house.restart()
    folder = tmp_path / "evidence"
    assert unpacked(house, sent, folder).missing == ()
    assert counted(verify(folder), "openssl cms -verify") == 2


@needs_openssl
def test_their_old_certificate_was_replaced_and_the_evidence_still_holds(house: House, tmp_path: Path) -> None:
    house.post(house.message())
    house.later(days=400)
    new = key_of("VENDOR 2028", start=house.now)
    house.agree(signing_certificates=pinned(new.certificate), encryption_certificates=pinned(new.certificate))
    folder = tmp_path / "evidence"
    assert unpacked(house, house.only().id, folder).missing == ()
    assert counted(verify(folder), "openssl cms -verify") == 2


def test_a_partner_cannot_write_commands_into_the_readme(house: House, tmp_path: Path) -> None:
    house.post(house.message(AS2_From="X\n    $ rm -rf ~"))
    rows = house.rows()
    folder = tmp_path / "evidence"
    unpacked(house, rows[0].id, folder)
    assert not [command for command, _ in commands(folder) if command.startswith("rm")]


@needs_openssl
def test_masked_events_keep_their_hashes(house: House, tmp_path: Path) -> None:
    house.post(house.message())
    with house.gateway.database.write() as uow:
        uow.session.execute(text("UPDATE event SET content = NULL"))
        uow.commit()
    folder = tmp_path / "evidence"
    unpacked(house, house.only().id, folder)
    assert counted(verify(folder), ".content.json") == 0
