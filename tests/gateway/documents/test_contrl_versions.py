"""CONTRL in the version that the sender uses (2:2, D:3, 4:1), both ways: positive, partial, negative, code by code."""

from __future__ import annotations

import re

import pytest

from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.messages.judge import judge
from edi_gateway.partnership import Direction
from edi_gateway.store.documents import InterchangeState, Message, MessageState
from tests.core.marketplace.documents import BUYER, SUPPLIER
from tests.gateway.documents.desk import Desk, invrpt

UCI = f"UCI+VEN0004+{SUPPLIER}:14+{BUYER}:14"
VERSIONS = {
    # syntax: (CONTRL in UNH, how D.01B's INVRPT or D.96A's is named)
    "2": ("CONTRL:2:2:UN:EAN002", "INVRPT:D:96A:UN:EAN004"),
    "3": ("CONTRL:D:3:UN", "INVRPT:D:96A:UN"),
    "4": ("CONTRL:4:1:UN", "INVRPT:D:96A:UN:EAN004"),
}


def arrived(syntax: str, asked: str = "") -> str:
    """Two stock reports, of syntax 2, 3 or 4."""
    _, kind = VERSIONS[syntax]
    one = invrpt().replace("INVRPT:D:96A:UN:EAN004", kind).replace("++EANCOM", f"+{asked}+EANCOM")
    body = one[one.index("UNH+1+") : one.index("UNZ+")]
    second = body.replace("UNH+1+", "UNH+2+").replace("+1'UNZ", "+2'").replace("INV-1122-01", "INV-1122-02")
    second = second[: second.rindex("+1'")] + "+2'"
    text = one.replace(body, body + second).replace("UNZ+1+", "UNZ+2+").replace("UNOC:3", f"UNOC:{syntax}")
    return text.replace("+261122:", "+20261122:") if syntax == "4" else text


def answer(desk: Desk) -> str:
    """Our CONTRL; its own checker finds nothing wrong with it."""
    (text,) = desk.sent("CONTRL")
    (verdict,) = judge([text.encode("latin-1")])
    assert [finding.text() for finding in verdict.all_findings()] == []
    return text


CASES = [
    ("", "", "+7'UNT"),
    ("LIN+1++", "LIN+X++", "+7'UCM+{0}+4'UCS+6'UCD+37+2'UNT"),
    ("BGM+35+INV-1122-01+9'", "", "+7'UCM+{0}+4'UCS+1+13'UNT"),
    ("QTY+145:148'", "QTY+145:148:PCE:X'", "+7'UCM+{0}+4'UCS+8'UCD+16+2:4'UNT"),
    ("QTY+145:148'", "QTY+999:148'", "+7'UCM+{0}+4'UCS+8'UCD+12+2:1'UNT"),
    ("PIA+5+SKU-1:SA'", "PIA+5+SKU-1:SA'CPS+1'", "+7'UCM+{0}+4'UCS+8+15'UNT"),
    ("UNH+1+INVRPT:D:96A", "UNH+1+ORDERS:D:96A", "+7'UCM+{0}+4+17+UNH+3'UNT"),
    ("UNZ+2+", "UNZ+3+", "+4+29+UNZ+2'UNT"),
    ("UNZ+2+VEN0004", "UNZ+2+VEN0005", "+4+28+UNZ+3'UNT"),
    (f":14+{BUYER}:14+2", f":14+{SUPPLIER}:14+2", "+4+7+UNB+4'UNT"),
]
EVERY_VERSION = (CASES[0], CASES[1], CASES[7])  # positive, partial, negative


@pytest.mark.parametrize(
    ("syntax", "old", "new", "said"),
    [
        *(("3", *case) for case in CASES),
        *((syntax, *case) for syntax in ("2", "4") for case in EVERY_VERSION),
    ],
)
def test_what_we_answer(desk: Desk, syntax: str, old: str, new: str, said: str) -> None:
    text = arrived(syntax)
    assert old in text
    text = text.replace(old, new, 1)
    count = text[: text.index("UNT+")].count("'") - text[: text.index("UNH+1+")].count("'") + 1
    desk.arrive(re.sub(r"UNT\+[0-9]+\+1'", f"UNT+{count}+1'", text))
    contrl, kind = VERSIONS[syntax]
    expected = said.format(f"1+{kind.replace('INVRPT', 'ORDERS') if 'ORDERS' in new else kind}")
    found = answer(desk)
    assert f"UNH+1+{contrl}'" in found
    assert f"UNOC:{syntax}+{BUYER if '+4+7' not in said else SUPPLIER}" in found
    assert expected in found
    of_all = said.startswith("+4")
    states = [message.state is MessageState.APPLIED for message in desk.messages(Message.direction == Direction.IN)]
    assert states == [not old, not of_all]  # the neighbour of a bad message is processed


def test_where_only_a_receipt_is_asked_it_is_a_receipt(desk: Desk) -> None:
    """0031 = 2, from syntax 4 on: UCI 8."""
    desk.arrive(arrived("4", "2"))
    assert f"{UCI}+8'UNT" in answer(desk)


def test_what_is_wrong_is_said_though_only_a_receipt_is_asked(desk: Desk) -> None:
    desk.arrive(arrived("4", "2").replace("LIN+1++", "LIN+X++", 1))
    assert f"{UCI}+7'UCM+1+" in answer(desk)


@pytest.mark.parametrize("version", ["2:2:UN:EAN002", "D:3:UN:EAN004", "4:1:UN"])
@pytest.mark.parametrize(
    ("said", "message", "interchange", "order"),
    [
        ("7", MessageState.ACKNOWLEDGED, InterchangeState.ACKNOWLEDGED, OrderState.ACKNOWLEDGED),
        ("8", MessageState.SENT, InterchangeState.SENT, OrderState.EMITTED),
        ("4+12+UNB+3", MessageState.REJECTED, InterchangeState.REJECTED, OrderState.INCIDENT),
        (
            "7'UCM+1+ORDERS:D:96A:UN:EAN008+4'UCS+10'UCD+37+2:2",
            MessageState.REJECTED,
            InterchangeState.REJECTED,
            OrderState.INCIDENT,
        ),
        ("7'UCM+1+ORDERS:D:96A:UN:EAN008+7", MessageState.ACKNOWLEDGED, InterchangeState.ACKNOWLEDGED, None),
    ],
)
def test_what_we_are_answered(
    desk: Desk,
    version: str,
    said: str,
    message: MessageState,
    interchange: InterchangeState,
    order: OrderState | None,
) -> None:
    desk.place()
    syntax = version[0] if version[0].isdigit() else "3"
    body = f"UNH+1+CONTRL:{version}'UCI+000000001+{BUYER}:14+{SUPPLIER}:14+{said}'"
    date = "20261122" if syntax == "4" else "261122"
    desk.arrive(
        f"UNB+UNOC:{syntax}+{SUPPLIER}:14+{BUYER}:14+{date}:0915+V1'{body}UNT+{body.count(chr(39)) + 1}+1'UNZ+1+V1'"
    )
    (theirs,) = desk.received("CONTRL")
    assert theirs.state is MessageState.APPLIED
    (ours,) = [each for each in desk.messages() if each.type == "ORDERS"]
    assert ours.state is message
    assert desk.interchanges(Direction.OUT)[0].state is interchange
    assert order is None or desk.order().state is order
    assert desk.sent("CONTRL") == []  # never a CONTRL for a CONTRL
    assert [alert.kind for alert in desk.alerts()] == (["alert.refused"] if message is MessageState.REJECTED else [])
