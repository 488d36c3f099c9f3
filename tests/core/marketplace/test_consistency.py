"""What a document says wrong of itself, of each kind that a vendor or a buyer sends, read from the samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from edi_gateway.messages.judge import judge
from edi_gateway.messages.tree import Group
from edi_gateway.translators import DecodeContext, translator
from edi_gateway.translators.business import aperak_for, read_for_business

SAMPLES = Path(__file__).parents[3] / "samples"


def found(name: str, old: str = "", new: str = "") -> list[tuple[str, str | None]]:
    """The code and the place of each finding that a sample gives after one change."""
    text = (SAMPLES / name).read_bytes().decode("latin-1")
    assert old in text
    (verdict,) = judge([text.replace(old, new, 1).encode("latin-1")])
    (message,) = verdict.messages
    assert message.valid, [finding.text() for finding in message.findings]
    reading = read_for_business(message, DecodeContext())
    assert reading is not None
    return [(finding.code, finding.path) for finding in reading.findings]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.edi")), ids=lambda path: path.stem)
def test_our_samples_agree_with_themselves(path: Path) -> None:
    for interchange in judge([path.read_bytes()]):
        for message in interchange.messages:
            reading = read_for_business(message, DecodeContext())
            if reading is not None:
                assert [finding.text() for finding in reading.findings if finding.is_error] == []
                assert aperak_for(reading.findings) is None


@pytest.mark.parametrize(
    "name, old, new, expected",
    [
        ("invoic-goods.edi", "MOA+86:294.00", "MOA+86:249.00", ("F801", "totals/total")),
        ("invoic-goods.edi", "MOA+79:245.00", "MOA+79:254.00", ("F801", "totals/lines")),
        ("invoic-goods.edi", "MOA+203:125.00", "MOA+203:152.00", ("F801", "lines[1]/net_amount")),
        ("invoic-goods.edi", "MOA+124:49.00", "MOA+124:94.00", ("F801", "vat_breakdown[20]")),
        ("invoic-goods.edi", "DTM+13:20270125", "DTM+13:20260125", ("F801", "due")),
        ("invoic-credit-note.edi", "RFF+IV:", "RFF+ACE:", ("F801", "corrected_invoice")),
        ("orders-plain.edi", "QTY+21:10", "QTY+21:0", ("Q702", "lines[0]/quantity")),
        ("orders-plain.edi", "LIN+2+", "LIN+1+", ("B638", "lines")),
        ("orders-plain.edi", "DTM+63:20261127", "DTM+63:20261101", ("B632", "delivery_window/end")),
        ("ordrsp-partial.edi", "OR-1001+4", "OR-1001+29", ("B605", "response")),
        ("desadv-cartons.edi", "CPS+3+1", "CPS+3+9", ("Q709", "packages")),
        ("invrpt-plain.edi", "QTY+145:148", "QTY+145:-1", ("Q703", "items[1]")),
    ],
)
def test_a_document_that_contradicts_itself(name: str, old: str, new: str, expected: tuple[str, str]) -> None:
    assert expected in found(name, old, new)


def test_a_message_that_is_wrong_in_form_is_not_read() -> None:
    (verdict,) = judge([(SAMPLES / "broken/orders-no-bgm.edi").read_bytes()])
    assert read_for_business(verdict.messages[0], DecodeContext()) is None
    assert isinstance(verdict.messages[0].tree, Group)
    assert translator("ORDERS") is not None
