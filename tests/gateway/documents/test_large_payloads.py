"""Large payloads: verdicts first, then the messages in several transactions, without holding them all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edi_gateway.gateway.survey import KEPT_BYTES_MAX
from edi_gateway.gateway.take_in import replay
from edi_gateway.gateway.unpack import MESSAGES_MAX, unpack
from edi_gateway.store.documents import InterchangeState, MessageState
from edi_gateway.store.transmissions import TransmissionState
from tests.core.marketplace.documents import BUYER, SUPPLIER
from tests.gateway.documents.desk import Desk, ordrsp

ROOT = Path(__file__).parents[3]
MEMORY_MB_MAX = 80
"""Beyond what the process had before; a payload of 50 MB held as messages takes some 2,000."""


class Crash(BaseException):
    """The process is gone."""


def reports(count: int, reference: str = "BIG", *, padding: int = 0, unz: int | None = None) -> str:
    """An interchange of so many stock reports."""
    line = f"LIN+{{}}++3760123450010:EN'IMD+F++:::{'X' * 35}'QTY+145:148'"
    lines = "".join(line.format(number) for number in range(1, padding + 2))
    bodies = "".join(
        f"UNH+{number}+INVRPT:D:96A:UN:EAN004'BGM+35+{reference}-{number}+9'DTM+137:202611220600:203'"
        f"NAD+SU+{SUPPLIER}::9'{lines}UNT+{8 + 3 * padding}+{number}'"
        for number in range(1, count + 1)
    )
    head = f"UNA:+.? 'UNB+UNOC:3+{SUPPLIER}:14+{BUYER}:14+261122:0915+{reference}++++1+EANCOM'"
    return head + bodies + f"UNZ+{unz or count}+{reference}'"


def desk_with(folder: Path, handler: Callable[[Any, Any], list[Any]]) -> Desk:
    return Desk(folder, handlers={"INVRPT": handler})


def failing_at(number: str, fault: BaseException) -> Callable[[Any, Any], list[Any]]:
    """A handler that fails once, at the report of this number."""
    pending = [fault]

    def handle(context: Any, record: Any) -> list[Any]:
        if record.number.endswith(f"-{number}") and pending:
            raise pending.pop()
        return []

    return handle


@pytest.mark.parametrize("padding", [0, 17], ids=["kept", "read again"])
def test_what_was_interrupted_goes_on_where_it_stood(tmp_path: Path, padding: int) -> None:
    text = reports(2 * MESSAGES_MAX + 1, padding=padding)
    assert (len(text) > KEPT_BYTES_MAX) is bool(padding)
    desk = desk_with(tmp_path, failing_at(str(MESSAGES_MAX + 50), Crash()))
    with pytest.raises(Crash):
        desk.arrive(text)
    (book,) = desk.interchanges()
    assert (book.state, book.complete) == (InterchangeState.PROCESSED, False)
    assert len(desk.received("INVRPT")) == MESSAGES_MAX  # what was committed before the crash
    transmission = book.transmission_id
    assert desk.transmission(transmission).state is TransmissionState.RECEIVED
    unpack(desk.gateway, transmission)
    (book,) = desk.interchanges()
    assert book.complete
    taken = desk.received("INVRPT")
    assert sorted(message.ordinal for message in taken) == list(range(1, 2 * MESSAGES_MAX + 2))
    assert {message.state for message in taken} == {MessageState.APPLIED}
    assert len(desk.sent("CONTRL")) == 1
    assert desk.transmission(transmission).state is TransmissionState.UNPACKED
    assert desk.transmission(transmission).document_types == "INVRPT"
    desk.close()


def test_a_fault_of_ours_leaves_what_was_taken_in_and_the_rest_after_a_replay(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, failing_at(str(MESSAGES_MAX + 1), ZeroDivisionError()))
    first, second = reports(MESSAGES_MAX + 1, "ONE"), reports(2, "TWO")
    identifier = desk.arrive(first + second)
    assert desk.transmission(identifier).state is TransmissionState.PARKED
    assert len(desk.received("INVRPT")) == MESSAGES_MAX
    with desk.gateway.database.write() as uow:
        row = uow.session.merge(desk.transmission(identifier))
        row.state, row.reason = TransmissionState.RECEIVED, ""
        uow.commit()
    unpack(desk.gateway, identifier)
    assert [book.complete for book in desk.interchanges()] == [True, True]
    numbers = Counter(message.document_number for message in desk.received("INVRPT"))
    assert len(numbers) == MESSAGES_MAX + 3
    assert set(numbers.values()) == {1}
    desk.close()


def test_a_wrong_unz_at_the_end_of_a_large_payload_processes_nothing(tmp_path: Path) -> None:
    """UNZ is read last, and is known before the first message takes effect (UCI 4, 29)."""
    handled: list[str] = []
    desk = desk_with(tmp_path, lambda context, record: handled.append(record.number) or [])
    desk.arrive(reports(MESSAGES_MAX + 1, padding=40, unz=7))
    assert handled == []
    assert {message.state for message in desk.received("INVRPT")} == {MessageState.REJECTED}
    assert "+4+29+UNZ+2'UNT" in desk.sent("CONTRL")[0]
    desk.close()


def test_a_large_payload_again_is_answered_again_and_done_once(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, lambda context, record: [])
    text = reports(MESSAGES_MAX + 1, padding=40)
    desk.arrive(text)
    desk.arrive(text)
    assert [book.state for book in desk.interchanges()] == [InterchangeState.PROCESSED, InterchangeState.REPEATED]
    assert len(desk.received("INVRPT")) == MESSAGES_MAX + 1
    first, second = desk.sent("CONTRL")
    assert first == second
    desk.close()


def test_a_message_of_a_large_payload_is_tried_again(desk: Desk) -> None:
    note = f"FTX+AAI+++{'X' * 70}'"
    text = ordrsp("29", order="NOBODYS").replace("DTM+137:20261122:102'", "DTM+137:20261122:102'" + note * 50)
    desk.arrive(text.replace("UNT+10+", "UNT+60+"))
    (message,) = desk.received("ORDRSP")
    assert message.state is MessageState.EXCEPTION
    assert replay(desk.gateway, message.id) is MessageState.EXCEPTION


@pytest.mark.once
@pytest.mark.parametrize(
    ("kind", "megabytes", "unz", "state", "messages"),
    [
        ("REMADV", 50, "7", "rejected", "rejected"),  # a type that was not agreed: read, and not looked into
        ("INVRPT", 3, "", "processed", "applied"),
    ],
)
def test_memory_stays_flat(
    tmp_path: Path, kind: str, megabytes: int, unz: str, state: str, messages: str
) -> None:  # fmt: skip
    command = [sys.executable, "-m", "tests.gateway.documents.large", str(tmp_path), kind, str(megabytes), unz]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["size"] > megabytes * 1024**2
    assert seen["mb"] < MEMORY_MB_MAX
    assert (seen["state"], set(seen["messages"])) == (state, {messages})
    assert ("+4+29+UNZ+2'UNT" in seen["sent"][0]) is bool(unz)
