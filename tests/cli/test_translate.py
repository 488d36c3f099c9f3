"""`edi-gateway translate`, seen from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import main

SAMPLES = Path(__file__).parents[2] / "samples"


def run(*arguments: str, code: int = 0, data: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["translate", *arguments], input=data)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json", code=code).stdout)["files"][0]
    return found


def sample(name: str) -> str:
    return str(SAMPLES / name)


def test_the_record_is_printed_for_people() -> None:
    output = run(sample("orders-plain.edi")).output

    assert "Interchange MKT0001 from 3760000000017 to 3760000001014" in output
    assert "ORDERS 1 (D.96A): Order" in output
    assert '"number": "MP4K7QX1"' in output


def test_the_record_is_printed_for_programs() -> None:
    found = document(sample("orders-plain.edi"))

    interchange = found["interchanges"][0]
    assert interchange["control_reference"] == "MKT0001"
    message = interchange["messages"][0]
    assert message["record"] == json.loads((SAMPLES / "orders-plain.json").read_text("utf-8"))
    assert message["valid"] is True
    assert message["findings"] == message["unmapped"] == []
    assert "lineage" not in message


def test_every_message_of_an_interchange_is_translated() -> None:
    messages = document(sample("several-messages.edi"))["interchanges"][0]["messages"]

    assert [message["type"] for message in messages] == ["INVRPT", "ORDRSP", "DESADV"]
    assert all(message["record"] for message in messages)


def test_what_is_wrong_is_told_with_its_place() -> None:
    output = run(sample("broken/ordrsp-unknown-codes.edi"), code=1).output

    assert "ORDRSP 1 (D.96A): no record" in output
    assert "error B654 segment 2, element 4, component 1: The code 5 cannot be processed here" in output
    assert "-> Send one of" in output


def test_in_french() -> None:
    output = run(sample("broken/ordrsp-unknown-codes.edi"), "--language", "fr", code=1).output

    assert "Le code 5 ne peut pas être traité ici" in output


def test_what_has_no_field_is_told() -> None:
    data = (SAMPLES / "orders-plain.edi").read_bytes()
    data = data.replace(b"LIN+1+", b"PAT+1'LIN+1+").replace(b"UNT+26", b"UNT+27")

    assert "no field: segment 12: PAT+1" in run("-", data=data).output


def test_lineage_says_where_each_value_came_from() -> None:
    found = document(sample("orders-plain.edi"), "--lineage")

    lineage = found["interchanges"][0]["messages"][0]["lineage"]
    assert lineage["lines[0]/quantity"] == {
        "segment": "QTY",
        "position": 14,
        "element": 2,
        "component": 2,
        "offset": (SAMPLES / "orders-plain.edi").read_bytes().index(b"10'\nPRI+AAA:12.50"),
    }
    assert (
        "lines[0]/quantity <- QTY at 14, element 2, component 2" in run(sample("orders-plain.edi"), "--lineage").output
    )


def test_a_message_without_a_translator_is_no_error() -> None:
    assert "no record is made of CONTRL" in run(sample("contrl-accepted.edi")).output
    assert document(sample("contrl-accepted.edi"))["interchanges"][0]["messages"][0]["record"] is None


@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 100, b"not EDIFACT at all", b"UNA:+.? 'UNB"])
def test_what_is_not_edifact(data: bytes) -> None:
    run("-", code=2, data=data)
    run("-", "--json", code=2, data=data)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert "this is a directory" in run(str(tmp_path), code=2).output
    assert "not read: No such file" in run(str(tmp_path / "absent.edi"), code=2).output
    assert document(str(tmp_path / "absent.edi"), code=2)["problem"].startswith("No such file")


def test_times_are_read_in_the_zone_that_is_named() -> None:
    found = document(sample("invrpt-plain.edi"), "--timezone", "UTC")

    assert found["interchanges"][0]["messages"][0]["record"]["issued"] == "2026-11-22T06:00:00Z"


def test_an_unknown_zone_is_refused() -> None:
    assert "no time zone" in run(sample("orders-plain.edi"), "--timezone", "Paris/Europe", code=2).output


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    data = (SAMPLES / "orders-plain.edi").read_bytes().replace(b"PLACE DE MARCHE", b"\x1b[31mRED")

    assert "\x1b[31m" not in run("-", data=data).output


@pytest.mark.parametrize("name", ["orders-plain", "orders-every-field"])
@pytest.mark.parametrize("directory", ["D.96A", "D.01B"])
def test_a_record_is_written_as_an_interchange(name: str, directory: str) -> None:
    options = ("--to", "edifact", "--type", "ORDERS", "--directory", directory, "--reference", "MKT7")
    written = run(sample(f"{name}.json"), *options).stdout_bytes

    assert written.startswith(b"UNA:+.? 'UNB+UNOC:3+3760000000017:14+3760000001014:14+261122:")
    assert b"+MKT7+++++EANCOM'" in written
    found = json.loads(run("-", "--json", data=written).stdout)["files"][0]
    expected = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    assert found["interchanges"][0]["messages"][0]["record"] == expected


def test_vendors_send_to_the_buyer() -> None:
    written = run(sample("invoic-goods.json"), "--to", "edifact", "--type", "INVOIC").stdout_bytes

    assert b"UNB+UNOC:3+3760000001014:14+3760000000017:14+" in written


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "Expecting property name"),
        (b"[" * 100_000, "recursion"),
        (b"\xff", "codec can't decode"),
        (b'{"number": 1}', "number: Input should be a valid string"),
        (b'{"number":"1","issued":"2026-11-22","currency":"EUR","parties":[],"lines":[]}', "names no party BY"),
    ],
)
def test_what_is_no_record_is_refused(data: bytes, said: str) -> None:
    assert said in run("-", "--to", "edifact", "--type", "ORDERS", code=2, data=data).output


def test_a_character_outside_the_set_is_refused() -> None:
    order = json.loads((SAMPLES / "orders-plain.json").read_text("utf-8"))
    order["notes"] = [{"subject": "AAI", "text": ["œuf"]}]

    output = run("-", "--to", "edifact", "--type", "ORDERS", code=2, data=json.dumps(order).encode()).output

    assert "œ" in output


def test_the_message_to_write_is_named() -> None:
    assert "needs --type" in run(sample("orders-plain.json"), "--to", "edifact", code=2).output
