"""Stock reports (INVRPT): the newest counts, a bad item does not spoil the others."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.marketplace.parties import ItemIdentity
from edi_gateway.marketplace.stock import FUTURE_TOLERANCE, StockKey, StockLevel, read_report

from .documents import NOW, item

D = Decimal


def report(*items, **changes):
    fields = {"number": "INV-1", "issued": NOW, **changes}
    return InventoryReport(items=items, **fields)


def stock(line, actual, **more):
    fields = {"number": line, "item": item(line), **more}
    return InventoryItem(actual=None if actual is None else D(actual), **fields)


def key(line, location=""):
    return StockKey(article_key(item(line)), location)


def codes(read):
    return [finding.code for finding in read.findings]


def test_available_is_actual_less_committed_reserved_and_despatched():
    level = StockLevel(actual=D(148), committed=D(10), reserved=D(6), despatched=D(2), as_of=NOW)
    assert level.available == 130


def test_nothing_below_zero_can_be_sold():
    assert StockLevel(actual=D(1), committed=D(10), as_of=NOW).available == 0


def test_a_report_replaces_what_is_older():
    read = read_report(report(stock(1, 148), stock(2, 6)), {key(1): NOW - timedelta(hours=1)}, NOW)
    assert {k: item.actual for k, (item, _) in read.items.items()} == {key(1): 148, key(2): 6}


def test_an_older_report_changes_nothing():
    """G15."""
    read = read_report(report(stock(1, 148)), {key(1): NOW + timedelta(seconds=1)}, NOW)
    assert (dict(read.items), codes(read)) == ({}, ["Q704"])


def test_the_same_moment_again_replaces():
    assert read_report(report(stock(1, 148)), {key(1): NOW}, NOW).items


def test_the_newest_item_of_one_report_counts():
    older = stock(1, 5, as_of=NOW - timedelta(hours=2))
    newer = stock(1, 7, as_of=NOW - timedelta(hours=1))
    for items in ((older, newer), (newer, older)):
        read = read_report(report(*items), {}, NOW)
        assert read.items[key(1)][0].actual == 7


def test_places_are_kept_apart():
    read = read_report(report(stock(1, 5, location="A"), stock(1, 7, location="B")), {}, NOW)
    assert {k.location: item.actual for k, (item, _) in read.items.items()} == {"A": 5, "B": 7}


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ((stock(1, -1),), "Q703"),
        ((stock(1, 1, committed=D(-1)),), "Q703"),
        ((stock(1, 1, item=ItemIdentity()),), "Q707"),
    ],
)
def test_a_bad_item_is_a_finding_and_the_others_count(items, code):
    read = read_report(report(*items, stock(2, 6)), {}, NOW)
    assert codes(read) == [code]
    assert list(read.items) == [key(2)]


def test_a_report_may_be_a_little_in_the_future():
    just = report(stock(1, 1), issued=NOW + FUTURE_TOLERANCE)
    over = report(stock(1, 1), issued=NOW + FUTURE_TOLERANCE + timedelta(seconds=1))
    assert codes(read_report(just, {}, NOW)) == []
    assert codes(read_report(over, {}, NOW)) == ["Q705"]


def test_movements_are_not_agreed():
    assert codes(read_report(report(stock(1, 1), type="78"), {}, NOW)) == ["Q706"]


def test_an_item_without_actual_stock_says_nothing():
    read = read_report(report(stock(1, None, in_transit=D(40))), {}, NOW)
    assert (dict(read.items), codes(read)) == ({}, [])
