"""`edi-gateway orders` and `edi-gateway messages`, on a store in which something has happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import main
from edi_gateway.store import migrate
from edi_gateway.store.documents import Interchange, Message
from tests.gateway.documents.desk import Desk, desadv, partial

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDI_GATEWAY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EDI_GATEWAY_KEY_PASSPHRASE", PASSPHRASE)
    migrate.upgrade(f"sqlite:///{tmp_path}/gateway.sqlite")
    desk = Desk(tmp_path)
    desk.arrive(partial("VEN0099", order="LATER", number="OR-9"))
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    desk.close()


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result


def as_json(*arguments: str, code: int = 0) -> dict:
    return json.loads(run(*arguments, "--json", code=code).stdout)


def exception_id() -> str:
    (message,) = as_json("messages", "list", "--state", "exception")["messages"]
    return message["id"]


def test_orders_are_listed_with_their_quantities() -> None:
    (order,) = as_json("orders", "list")["orders"]
    assert (order["number"], order["state"], order["quantities"]["shipped"]) == ("MP4K7QX1", "partially_shipped", "16")
    assert as_json("orders", "list", "--state", "invoiced")["orders"] == []
    assert as_json("orders", "list", "--partner", "nobody")["orders"] == []
    shown = run("orders", "list").output
    assert "MP4K7QX1" in shown
    assert "partially_shipped" in shown
    assert run("orders", "list", "--partner", "nobody").output == "no orders\n"


def test_one_order_line_by_line() -> None:
    shown = as_json("orders", "show", "MP4K7QX1")
    assert [line["state"] for line in shown["lines"]] == ["shipped", "shipped_part", "rejected"]
    text = run("orders", "show", "MP4K7QX1").output
    assert "MP4K7QX1 for vendor: partially_shipped" in text
    assert "3760123450027" in text
    assert "answer 1: OR-1001, code 4" in text


def test_an_order_that_does_not_exist() -> None:
    assert "there is no order NONE" in run("orders", "show", "NONE", code=2).output


def test_messages_are_listed() -> None:
    everything = as_json("messages", "list")["messages"]
    assert {message["type"] for message in everything} == {"ORDERS", "ORDRSP", "DESADV", "CONTRL"}
    assert len(as_json("messages", "list", "--type", "ORDRSP", "--direction", "in")["messages"]) == 2
    assert len(as_json("messages", "list", "--order", "MP4K7QX1")["messages"]) == 3
    assert len(as_json("messages", "list", "--limit", "1")["messages"]) == 1
    assert "ORDRSP" in run("messages", "list").output
    assert run("messages", "list", "--partner", "nobody").output == "no messages\n"


def test_one_message_with_its_findings() -> None:
    shown = as_json("messages", "show", exception_id())
    assert [finding["code"] for finding in shown["findings"]] == ["B601"]
    assert shown["record"]["order_number"] == "LATER"
    text = run("messages", "show", exception_id(), "--language", "fr").output
    assert "La commande LATER est inconnue" in text
    assert "interchange VEN0099 from 3760000001014:14" in text


def test_a_message_that_does_not_exist() -> None:
    assert "there is no message none" in run("messages", "show", "none", code=2).output
    assert "there is no message none" in run("messages", "replay", "none", code=2).output


def test_trying_again_says_what_came_of_it() -> None:
    """Exit code 1: it is still an exception."""
    assert as_json("messages", "replay", exception_id(), code=1)["state"] == "exception"
    assert "is exception now" in run("messages", "replay", exception_id(), code=1).output


def test_messages_whose_contrl_is_overdue(tmp_path: Path) -> None:
    assert as_json("messages", "list", "--overdue") == {"messages": []}
    desk = Desk(tmp_path)
    (sent,) = desk.messages(Message.type == "ORDERS")
    with desk.gateway.database.write() as uow:
        uow.session.get_one(Interchange, sent.interchange_id).overdue_at = desk.now
        uow.commit()
    desk.close()
    (listed,) = as_json("messages", "list", "--overdue")["messages"]
    assert listed["id"] == sent.id
    assert as_json("messages", "show", sent.id)["interchange"]["overdue_since"] is not None


# --- changes, and what is late --------------------------------------------------------------------------------------


def test_a_change_is_refused_in_words() -> None:
    """Neither is ORDCHG agreed, nor may what has been shipped be cancelled."""
    assert "Line 1 has been shipped" in run("orders", "cancel", "MP4K7QX1", code=2).output
    assert (
        "ORDCHG to vendor is not agreed"
        in run("orders", "change", "MP4K7QX1", "--line", "2", "--quantity", "6", code=2).output
    )
    assert "--line" in run("orders", "change", "MP4K7QX1", "--quantity", "6", code=2).output
    assert "is not a number" in run("orders", "change", "MP4K7QX1", "--line", "2", "--quantity", "six", code=2).output
    assert "is not a date" in run("orders", "change", "MP4K7QX1", "--latest", "tomorrow", code=2).output
    assert "there is no order" in run("orders", "cancel", "NOBODYS", code=2).output


def test_an_order_that_is_not_held_stays_as_it_is() -> None:
    assert as_json("orders", "release", "MP4K7QX1") == {"number": "MP4K7QX1", "state": "partially_shipped"}


def test_what_is_overdue_and_what_waits_for_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("overdue", "exceptions"):
        monkeypatch.setattr(f"edi_gateway.cli.{command}.utc_now", lambda: datetime(2026, 12, 24, tzinfo=UTC))
    overdue = as_json("overdue")["overdue"]
    assert {"kind", "partner", "order_number", "due_at", "late", "text", "hint"} <= set(overdue[0])
    assert [item["kind"] for item in as_json("overdue", "--kind", "ship")["overdue"]] == ["ship"]
    assert run("overdue", "--partner", "nobody").output == "nothing is overdue\n"
    assert "MP4K7QX1" in run("overdue", "--language", "fr").output
    kinds = {item["kind"] for item in as_json("exceptions")["exceptions"]}
    assert {"document", "late-ship"} <= kinds
    assert run("exceptions", "--partner", "nobody", "--language", "fr").output == "rien ne vous attend\n"
