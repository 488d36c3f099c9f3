"""The interchanges of samples/, each held to the records, or the findings, that stand beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from edi_gateway.edifact import contrl
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.verdict import InterchangeVerdict, MessageVerdict
from edi_gateway.marketplace.inventory import InventoryReport
from edi_gateway.marketplace.order import Order
from edi_gateway.messages.judge import judge
from edi_gateway.messages.tree import Group
from edi_gateway.translators import MESSAGE_TYPES, DecodeContext, Decoded, EncodeContext, Translator, translator
from edi_gateway.translators.json_form import from_json, to_json

from .wire import judged, through_the_wire

SAMPLES = Path(__file__).parents[3] / "samples"
GOOD = sorted(path for path in SAMPLES.glob("*.edi") if not path.name.startswith("contrl"))
BROKEN = sorted((SAMPLES / "broken").glob("*.edi"))


def interchange(path: Path) -> InterchangeVerdict:
    verdicts = list(judge([path.read_bytes()]))
    assert len(verdicts) == 1
    return verdicts[0]


def decoded(message: MessageVerdict) -> tuple[Translator[Any], Decoded[Any]]:
    found = translator(message.header.type)
    assert found is not None
    assert isinstance(message.tree, Group)
    context = DecodeContext(directory=message.header.directory)
    return found, found.decode(message.tree, context, message.findings)


def beside(path: Path, suffix: str) -> Any:
    return json.loads(path.with_suffix(suffix).read_text("utf-8"))


def records_beside(path: Path) -> list[Any]:
    found = beside(path, ".json")
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_sample_gives_the_record_beside_it(path: Path) -> None:
    verdict = interchange(path)
    assert verdict.valid

    for message, expected in zip(verdict.messages, records_beside(path), strict=True):
        kind, found = decoded(message)
        assert found.valid
        assert found.unmapped == []
        assert found.record == from_json(kind.record_type, expected)
        assert to_json(found.record) == expected


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_sample_written_anew_gives_the_same_record(path: Path) -> None:
    for message in interchange(path).messages:
        kind, found = decoded(message)
        directory = message.header.directory

        body = kind.encode(found.record, EncodeContext(directory=directory))
        tree, errors = judged(through_the_wire(kind.message_type, body, directory))

        assert errors == []
        assert kind.decode(tree, DecodeContext(directory=directory)).record == found.record


def findings_of(path: Path) -> Iterator[Finding]:
    verdict = interchange(path)
    yield from verdict.findings
    for message in verdict.messages:
        yield from message.findings
        yield from decoded(message)[1].findings


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_sample_gives_the_findings_beside_it(path: Path) -> None:
    keys = ("code", "position", "element", "component", "contrl")

    found = [{key: finding.as_json()[key] for key in keys} for finding in findings_of(path)]

    assert sorted(found, key=str) == sorted(beside(path, ".findings.json"), key=str)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("contrl-*.edi")), ids=lambda path: path.stem)
def test_a_contrl_gives_the_acknowledgement_beside_it(path: Path) -> None:
    verdict = interchange(path)
    assert verdict.valid

    acknowledgement = asdict(contrl.read(verdict.messages[0].message))

    assert json.loads(json.dumps(acknowledgement)) == beside(path, ".json")


def types(paths: list[Path]) -> set[tuple[str, str]]:
    return {(message.header.type, message.header.directory) for path in paths for message in interchange(path).messages}


def test_each_translator_has_samples_that_conform_and_one_that_does_not() -> None:
    assert types(GOOD) >= {(kind, directory) for kind in MESSAGE_TYPES for directory in ("D.96A", "D.01B")}
    assert {kind for kind, _ in types(BROKEN)} >= set(MESSAGE_TYPES)


def test_samples_hold_accents_and_released_characters() -> None:
    raw = b"".join(path.read_bytes() for path in GOOD)

    for released in (b"?'", b"?+", b"?:", b"??", "é".encode("latin-1")):
        assert released in raw


def test_the_orders_of_the_demo_can_be_sent_and_have_two_rates_of_vat() -> None:
    found = translator("ORDERS")
    assert found is not None
    rates = set()
    for name in ("order-1", "order-2", "order-3"):
        order = from_json(Order, json.loads((SAMPLES / "demo" / f"{name}.json").read_text("utf-8")))
        assert judged(through_the_wire("ORDERS", found.encode(order, EncodeContext())))[1] == []
        rates |= {line.vat.rate for line in order.lines if line.vat}
    assert len(rates) == 2


def test_the_stock_of_the_demo_can_be_sent() -> None:
    report = from_json(InventoryReport, json.loads((SAMPLES / "demo" / "inventory.json").read_text("utf-8")))

    found = translator("INVRPT")
    assert found is not None
    assert judged(through_the_wire("INVRPT", found.encode(report, EncodeContext())))[1] == []
