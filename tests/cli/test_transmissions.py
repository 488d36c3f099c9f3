"""`transmissions`, `events` and `db` on what a gateway left in its folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from edi_gateway.cli import main
from edi_gateway.store.transmissions import TransmissionState
from tests.house import NAME, House, status
from tests.partner import ORDERS


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """One transmission that came, one that was refused, one that went, one that is parked."""
    monkeypatch.chdir(tmp_path)
    house = House(tmp_path / "data", migrated=True)
    house.post(house.message())
    house.post(house.message(AS2_From="STRANGER"))
    house.send(ORDERS)
    house.dispatch()
    house.send(ORDERS + b"more")
    house.network.answers = [status(404)]
    house.dispatch()
    yield house
    house.close()


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert "Traceback" not in result.output
    return result


def read(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_list_newest_first(house: House) -> None:
    rows = read("transmissions", "list")
    assert [row["state"] for row in rows] == ["parked", "acknowledged", "refused", "received"]
    sent = rows[1]
    assert (sent["direction"], sent["partner"], sent["disposition"], sent["attempts"]) == ("out", NAME, "processed", 1)
    assert (sent["size"], sent["type"]) == (len(ORDERS), "")


@pytest.mark.parametrize(
    ("filters", "states"),
    [
        (("--direction", "in"), ["refused", "received"]),
        (("--state", "parked"), ["parked"]),
        (("--partner", NAME), ["parked", "acknowledged", "received"]),
        (("--partner", "nobody"), []),
        (("--limit", "1"), ["parked"]),
    ],
)
def test_list_with_filters(house: House, filters: tuple[str, ...], states: list[str]) -> None:
    assert [row["state"] for row in read("transmissions", "list", *filters)] == states


def test_list_as_a_table(house: House) -> None:
    lines = run("transmissions", "list").output.splitlines()
    assert len(lines) == 5
    assert "acknowledged" in lines[2]
    refused = next(line for line in lines if "processed/error" in line)
    assert refused.count("processed/error") == 1  # in its own column, and not again before the reason
    assert run("transmissions", "list", "--partner", "nobody").output == "No transmission.\n"


def test_show_has_headers_receipts_and_events(house: House) -> None:
    sent = next(row.id for row in house.rows() if row.state is TransmissionState.ACKNOWLEDGED)
    shown = read("transmissions", "show", sent)
    assert ["AS2-To", "VENDOR"] in shown["headers"]
    assert [receipt["disposition"] for receipt in shown["receipts"]] == ["processed"]
    assert [event["to"] for event in shown["events"] if event["kind"] == "transmission.state"] == house.steps(sent)
    words = run("transmissions", "show", sent).output
    assert "disposition: processed" in words
    assert "  AS2-To: VENDOR" in words


@pytest.mark.parametrize("command", ["show", "resend"])
def test_an_unknown_one_is_exit_2(house: House, command: str) -> None:
    result = run("transmissions", command, "nothing")
    assert (result.exit_code, "nothing" in result.stderr) == (2, True)


def test_resend_queues_it_again(house: House) -> None:
    parked = next(row for row in house.rows() if row.state is TransmissionState.PARKED)
    shown = read("transmissions", "resend", parked.id)
    assert (shown["id"], shown["state"], shown["message_id"]) == (parked.id, "queued", parked.message_id)
    again = run("transmissions", "resend", parked.id)
    assert (again.exit_code, "on its way already" in again.stderr) == (2, True)


def test_evidence_is_a_zip_beside_us(house: House, tmp_path: Path) -> None:
    sent = next(row for row in house.rows() if row.state is TransmissionState.ACKNOWLEDGED)
    written = read("transmissions", "evidence", sent.id)
    assert written["path"] == f"evidence-{sent.id}.zip"
    with zipfile.ZipFile(tmp_path / written["path"]) as archive:
        assert sorted(archive.namelist()) == sorted(written["files"])
        assert {"README.txt", "payload.bin", "signed/part.bin", "mdn/1/body.bin"} <= set(archive.namelist())
    other = tmp_path / "other.zip"
    assert "files; its README.txt" in run("transmissions", "evidence", sent.id, "--output", str(other)).output
    assert other.exists()


def test_evidence_that_cannot_be_written_leaves_nothing(house: House, tmp_path: Path) -> None:
    sent = next(row for row in house.rows() if row.state is TransmissionState.ACKNOWLEDGED)
    result = run("transmissions", "evidence", sent.id, "--output", str(tmp_path / "missing" / "e.zip"))
    assert (result.exit_code, "missing" in result.stderr) == (2, True)
    result = run("transmissions", "evidence", "nothing", "--output", str(tmp_path / "e.zip"))
    assert (result.exit_code, "no transmission nothing" in result.stderr) == (2, True)
    assert not list(tmp_path.glob("e.zip*"))


# --- events ---------------------------------------------------------------------------------------------------------


def test_events_newest_first_with_filters(house: House) -> None:
    numbers = [event["number"] for event in read("events", "list")]
    assert numbers == sorted(numbers, reverse=True)
    assert [event["kind"] for event in read("events", "list", "--kind", "alert.")] == ["alert.transmission-parked"]
    subject = house.events()[0].subject
    assert {event["subject"] for event in read("events", "list", "--subject", subject)} == {subject}
    assert len(read("events", "list", "--limit", "2")) == 2
    assert "alert.transmission-parked" in run("events", "list").output


def test_the_chain_verifies(house: House) -> None:
    assert read("events", "verify") == {
        "intact": True,
        "events": len(house.events()),
        "broken_at": None,
        "why": "",
    }
    assert "as they were written" in run("events", "verify").output


def test_a_changed_event_is_exit_1(house: House) -> None:
    with house.gateway.database.write() as uow:
        uow.session.execute(text("UPDATE event SET to_state = 'acknowledged' WHERE number = 2"))
        uow.commit()
    result = run("events", "verify", "--json")
    assert (result.exit_code, json.loads(result.output)["broken_at"]) == (1, 2)
    assert run("events", "verify").output.startswith("event 2: its fields were changed")


# --- db -------------------------------------------------------------------------------------------------------------


def test_upgrade_a_new_database_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = read("db", "upgrade")
    assert first["before"] is None
    assert read("db", "upgrade") == {"before": first["after"], "after": first["after"]}
    assert "already" in run("db", "upgrade").output


def test_a_database_that_cannot_be_opened_is_exit_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gateway.sqlite").write_bytes(b"this is no database" * 100)
    for command in (("db", "upgrade"), ("transmissions", "list"), ("events", "verify")):
        result = run(*command)
        assert (result.exit_code, "database" in result.stderr) == (2, True), command
