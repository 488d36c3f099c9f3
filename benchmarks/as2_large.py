"""Large transmissions, disk to disk: a file is sealed into a file, and opened into a file, at 10 MB, 100 MB and 1 GiB.

    send_mb_s, receive_mb_s                         the largest size, signed with SHA-256 and encrypted with AES-256-CBC
    send_compressed_mb_s, receive_compressed_mb_s   the same, compressed before that
    peak_rss_mb                                     of the processes that did it, the highest
    http_receive_mb_s, http_peak_rss_mb             POSTed to a server process, until its MDN: durable twice, as it came
                                                    and opened; and the highest resident memory of that server
    …_at_10_mb, …_at_100_mb                         the smaller sizes

Each is a process of its own, whose memory is read at its end. A MB is a million bytes of the payload.

The peer is `openssl cms` on the same files, in the form in which it is quickest: detached signature in DER, encryption
as a stream, decryption of the very envelope that we open, verification of the very part that we verify. It is spared
the MIME around them. Neither takes digests under other algorithms: ours come when an MDN names one (docs/adr/0011).
Nobody waits for the disk (no fsync). Ours and the peer take turns; on a busy machine only their ratio counts.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import serialization

from benchmarks.as2_file import PAYLOAD, RECEIVER, SEALED, SENDER
from benchmarks.as2_posted import posted
from benchmarks.result import Result, Say, WrongArguments, left_out, median_of
from edi_gateway.as2.certificates import generate
from edi_gateway.as2.mime import Multipart, chunks_of, multipart_boundary, read_entity
from edi_gateway.partnership import Compression

KEY = "rsa-2048"
SIZES = {"10_mb": 10 * 10**6, "100_mb": 100 * 10**6, "1_gib": 1024**3}
ROUNDS = {"10_mb": 5, "100_mb": 3, "1_gib": 2}
LINES = 50_000  # of the text that the payload repeats: 4 MB, far beyond what zlib looks back to

Figures = dict[str, float]


def run(arguments: Sequence[str], say: Say) -> Result:
    """Measure; the arguments are sizes out of `SIZES`, all of them by default."""
    unknown = [name for name in arguments if name not in SIZES]
    if unknown:
        raise WrongArguments(f"no size {', '.join(unknown)}; there are {', '.join(SIZES)}")
    sizes = {name: SIZES[name] for name in arguments or SIZES}
    with tempfile.TemporaryDirectory(prefix="as2-large-") as name:
        folder = Path(name)
        for who in (SENDER, RECEIVER):
            write_key(folder, who)
        found = [_measured(folder, size, say) for size in sizes.items()]
    return _result(sizes, found)


# --- files ----------------------------------------------------------------------------------------------------------


def write_key(folder: Path, name: str) -> None:
    """A key and its certificate, for us and for openssl."""
    made = generate(name, datetime.now(UTC), 30, KEY)
    plain = made.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.pem").write_bytes(plain + made.certificate.pem.encode())
    (folder / f"{name}.crt").write_text(made.certificate.pem, encoding="ascii")


def write_payload(path: Path, size: int) -> None:
    """Exactly that many bytes of inventory lines with figures that differ; zlib makes about a quarter of them."""
    chosen = random.Random(3274)
    lines = [
        f"LIN+{number}++{chosen.randrange(10**13):013}:SRV'QTY+145:{chosen.randrange(500)}:PCE'"
        f"PRI+AAA:{chosen.randrange(900)}.{chosen.randrange(100):02}'DTM+137:202611{chosen.randrange(1, 31)}:102'\r\n"
        for number in range(1, LINES + 1)
    ]
    text = "".join(lines).encode("ascii")
    with path.open("wb") as file:
        left = size
        while left > 0:
            left -= file.write(text[:left])


def write_parts(folder: Path, mime: str, part: str, signature: str) -> None:
    """Take a multipart/signed file apart: what was signed, and the signature in DER."""
    with (folder / mime).open("rb") as stream:
        entity = read_entity(chunks_of(stream))
        parts = Multipart(entity.decoded(), multipart_boundary(entity.content_type)).parts()
        _write(folder / part, next(parts))
        _write(folder / signature, read_entity(next(parts)).decoded())


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(chunks)


# --- one size -------------------------------------------------------------------------------------------------------


def _measured(folder: Path, size: tuple[str, int], say: Say) -> dict[str, Figures]:
    """Medians of one size: who -> figure -> value."""
    name, length = size
    write_payload(folder / PAYLOAD, length)
    rounds = []
    for number in range(ROUNDS[name]):
        say(f"{name}, round {number + 1} of {ROUNDS[name]}")
        rounds.append({"ours": _ours(folder, length), "openssl": _openssl(folder, length)})
    return {
        who: {figure: median_of([one[who][figure] for one in rounds]) for figure in figures}
        for who, figures in rounds[0].items()
    }


def _ours(folder: Path, size: int) -> Figures:
    """Compressed first, so that the uncompressed envelope is what the peer finds."""
    figures, memory = {}, []
    for compression, suffix in ((Compression.BEFORE_SIGNING, "_compressed"), (Compression.NONE, "")):
        for what, arguments in (("send", [compression.value]), ("receive", [])):
            done = _child(what, folder, arguments)
            figures[f"{what}{suffix}_mb_s"] = size / 1e6 / done["seconds"]
            memory.append(done["peak_rss_mb"])
    over_http = posted(folder, folder / PAYLOAD)
    return figures | {
        "peak_rss_mb": max(memory),
        "http_receive_mb_s": size / 1e6 / over_http["seconds"],
        "http_peak_rss_mb": over_http["peak_rss_mb"],
        "http_idle_rss_mb": over_http["idle_rss_mb"],
    }


def _child(what: str, folder: Path, arguments: Sequence[str]) -> Figures:
    command = [sys.executable, "-m", "benchmarks.as2_file", what, str(folder), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return cast(Figures, json.loads(done.stdout))


_DECRYPT = f"-decrypt -binary -inform DER -in {SEALED} -recip {RECEIVER}.crt -inkey {RECEIVER}.pem -out peer.mime"
_VERIFY = (
    f"-verify -binary -inform DER -in peer.p7s -content peer.part -certfile {SENDER}.crt -nointern -noverify "
    "-out peer.payload"
)
_SIGN = f"-sign -binary -md sha256 -in peer.part -signer {SENDER}.crt -inkey {SENDER}.pem -outform DER -out peer.p7s"
_ENCRYPT = f"-encrypt -binary -stream -aes-256-cbc -in peer.mime -outform DER -out peer.p7m -recip {RECEIVER}.crt"


def _openssl(folder: Path, size: int) -> Figures:
    """The same bytes through the peer; nothing where it is not installed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return {}
    decrypted = _took(openssl, _DECRYPT, folder)
    write_parts(folder, "peer.mime", "peer.part", "peer.p7s")
    verified = _took(openssl, _VERIFY, folder)
    sent = _took(openssl, _SIGN, folder) + _took(openssl, _ENCRYPT, folder)
    return {"send_mb_s": size / 1e6 / sent, "receive_mb_s": size / 1e6 / (decrypted + verified)}


def _took(openssl: str, arguments: str, folder: Path) -> float:
    begins = time.perf_counter()
    subprocess.run([openssl, "cms", *arguments.split()], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begins


# --- what came of it ------------------------------------------------------------------------------------------------


def _result(sizes: Mapping[str, int], found: Sequence[Mapping[str, Figures]]) -> Result:
    largest = max(sizes, key=lambda name: sizes[name])
    ours: Figures = {}
    peer: Figures = {}
    for name, figures in zip(sizes, found, strict=True):
        suffix = "" if name == largest else f"_at_{name}"
        ours |= {f"{figure}{suffix}": value for figure, value in figures["ours"].items()}
        peer |= {f"{figure}{suffix}": value for figure, value in figures["openssl"].items()}
    peers: dict[str, Mapping[str, Any]] = {"openssl": peer or left_out("there is no openssl in the PATH")}
    return Result(
        benchmark="as2-large",
        input={
            "sizes_bytes": dict(sizes),
            "figures_without_a_size_are_at": largest,
            "key": KEY,
            "signature": "sha-256 pkcs1v15",
            "cipher": "aes-256-cbc",
            "compression": "zlib, before signing",
            "rounds": {name: ROUNDS[name] for name in sizes},
        },
        ours=ours,
        peers=peers,
    )
