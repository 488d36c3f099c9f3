"""Partners' folders for tests: a good one, and the same with a line changed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from edi_gateway.as2.certificates import PrivateKey, generate
from edi_gateway.marketplace.identifiers import with_check_digit
from edi_gateway.partner_file import Folder, Ours, read
from edi_gateway.partnership import Partnership

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
OURS = Ours(as2_id="MARKET", gln="9521321000018")


@cache
def vendor_key(kind: str = "rsa-2048", days: int = 365, made: datetime = NOW) -> PrivateKey:
    """A vendor's key; the same one for the same arguments, since making RSA keys takes a while."""
    return generate("vendor", made, days, kind)


def gln(number: int = 2) -> str:
    """A right GLN of the range that GS1 keeps for examples."""
    return with_check_digit(f"9521321{number:05d}")


def partner_toml(number: int = 2) -> str:
    """The least that a partner.toml says."""
    return f"""
[partner]
legal_name = "Vendor {number} SAS"
gln = "{gln(number)}"

[as2]
their_id = "VENDOR-{number}"
url = "https://vendor{number}.example/as2"
signing_certificates = [{{ file = "vendor.pem" }}]

[[messages]]
type = "ORDERS"
direction = "out"

[[messages]]
type = "ORDRSP"
direction = "in"
"""


def folder(name: str = "acme", number: int = 2, *, old: str = "", new: str = "", **files: bytes) -> Folder:
    """A good folder; with `old` of its text replaced by `new`, and `files` (`next_pem=...` is next.pem) beside."""
    text = partner_toml(number)
    assert old in text
    beside = {file.replace("_", "."): data for file, data in files.items()}
    return Folder(
        name=name,
        text=text.replace(old, new, 1) if old else text + new,
        files={"vendor.pem": vendor_key().certificate.pem.encode(), **beside},
    )


def write(directory: Path, *folders: Folder) -> Path:
    """The folders on disk, below `directory`."""
    for each in folders:
        path = directory / each.name
        path.mkdir(parents=True, exist_ok=True)
        (path / "partner.toml").write_text(each.text, encoding="utf-8")
        for file, data in each.files.items():
            (path / file).write_bytes(data)
    return directory


def partnership(name: str = "acme", number: int = 2, *, old: str = "", new: str = "", **files: bytes) -> Partnership:
    """What a good folder describes."""
    reading = read(folder(name, number, old=old, new=new, **files), OURS, NOW)
    assert reading.partnership is not None, reading.problems
    return reading.partnership
