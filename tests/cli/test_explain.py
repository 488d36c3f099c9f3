"""`edi-gateway explain`, seen from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from edi_gateway.cli import main
from tests.core.messages.provocations import interchange
from tests.core.messages.texts import ORDER

GOOD = interchange()
BAD = interchange(ORDER.replace("QTY+21:10'", "QTY+21:1O'"))


def run(*arguments: str, code: int = 0, data: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["explain", *arguments], input=data)
    assert result.exit_code == code, result.output
    return result


def test_an_interchange_in_words() -> None:
    lines = run("-", data=GOOD).output.splitlines()
    assert "ORDERS D.96A: Purchase order" in lines
    assert "    4   NAD  party  [SG2[1]]" in lines
    assert any(line.split() == ["3035", "role", "of", "the", "party", "BY", "(buyer)"] for line in lines)
    tags = [line.split()[-2:][0] for line in lines if "UNB" in line or "UNZ" in line]
    assert len(tags) == 2


def test_in_french() -> None:
    output = run("--language", "fr", "-", data=GOOD).output
    assert "ORDERS D.96A: Commande" in output
    assert "(acheteur)" in output


def test_what_is_wrong_stands_beneath_its_segment() -> None:
    lines = run("-", code=1, data=BAD).output.splitlines()
    quantity = next(number for number, line in enumerate(lines) if line.endswith("1O"))
    assert "error D321" in lines[quantity + 1]


def test_findings_of_the_envelope_stand_at_their_segment() -> None:
    output = run("-", code=1, data=GOOD.replace(b"UNZ+1", b"UNZ+2")).output
    assert output.index("UNZ  end of the interchange") < output.index("error S262")


def test_json() -> None:
    (file,) = json.loads(run("--json", "-", code=1, data=BAD).stdout)["files"]
    quantity = next(entry for entry in file["segments"] if entry["tag"] == "QTY")
    assert (quantity["name"], quantity["position"], quantity["groups"]) == ("quantity", 8, ["SG25[1]"])
    assert quantity["values"][0] == {
        "element": 2, "component": 1, "id": "6063", "name": "which quantity", "value": "21", "meaning": "ordered",
    }  # fmt: skip
    assert [finding["code"] for finding in quantity["findings"]] == ["D321"]


def test_groups_are_shown() -> None:
    group = b"UNG+ORDERS+A+B+261122:0915+G1+UN+D:96A'"
    grouped = GOOD.replace(b"UNH+1", group + b"UNH+1").replace(b"UNZ+1", b"UNE+1+G1'UNZ+1")
    output = run("-", data=grouped).output
    assert "UNG  begin of a functional group" in output
    assert "UNE  end of the functional group" in output


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert "No such file" in run(str(tmp_path / "missing"), code=2).stderr
    assert "this is a directory" in run(str(tmp_path), code=2).stderr
    assert "S202" in run("-", code=2, data=b"\x7fELF" * 100).output
    (missing,) = json.loads(run("--json", str(tmp_path / "missing"), code=2).stdout)["files"]
    assert missing["segments"] == []
    assert missing["problem"] == "No such file or directory"
