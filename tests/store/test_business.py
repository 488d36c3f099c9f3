"""What the database itself refuses, whoever writes: the invariants of order lines, and keys that are used once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from edi_gateway.store.business import OrderLineRow, OrderRow
from tests.core.marketplace.documents import an_order
from tests.gateway.documents.desk import Desk, desadv, invrpt, partial


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.place()
    desk.arrive(partial())
    desk.arrive(desadv())
    yield desk
    desk.close()


def execute(desk: Desk, statement: str) -> None:
    with desk.gateway.database.write() as uow:
        uow.session.execute(text(statement))
        uow.commit()


def change_line(desk: Desk, **values: str) -> None:
    """Line 1: 10 ordered, confirmed and shipped."""
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    with desk.gateway.database.write() as uow:
        uow.session.execute(text(f"UPDATE order_line SET {assignments} WHERE number = 1"), values)
        uow.commit()


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"backordered": "0.5"}, "answered_at_most_once"),
        ({"confirmed": "11"}, "answered_at_most_once"),
        ({"shipped": "10.5"}, "shipped_as_confirmed"),
        ({"confirmed": "9"}, "shipped_as_confirmed"),
        ({"invoiced": "10.01"}, "invoiced_as_shipped"),
        ({"credited": "1"}, "credited_as_invoiced"),
        ({"rejected": "-1"}, "rejected_not_negative"),
        ({"state": "lost"}, "state"),
    ],
)
def test_no_line_breaks_an_invariant(desk: Desk, values: dict[str, str], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        change_line(desk, **values)


def test_the_bound_itself_is_allowed(desk: Desk) -> None:
    change_line(desk, invoiced="10", credited="10")
    change_line(desk, overshipped="0.1", invoiced="10.1")


def test_fractions_that_floats_cannot_add_are_no_breach(desk: Desk) -> None:
    change_line(desk, ordered="10.3", confirmed="10.1", backordered="0.1", rejected="0.1")


def test_an_order_is_not_sent_before_it_is_paid(desk: Desk) -> None:
    with pytest.raises(IntegrityError, match="paid_before_sent"):
        execute(desk, "UPDATE purchase_order SET payment = 'pending'")


def test_an_order_number_is_used_once_per_partnership(desk: Desk) -> None:
    columns = "partnership, number, currency, state, payment, message, record, record_sha256, created_at, changed_at"
    with pytest.raises(IntegrityError):
        execute(desk, f"INSERT INTO purchase_order ({columns}) SELECT {columns} FROM purchase_order")


def test_quantities_are_kept_exactly(desk: Desk) -> None:
    exact = Decimal("12345678901234.5678")
    with desk.gateway.database.write() as uow:
        row = uow.session.get_one(OrderLineRow, 1)
        row.ordered = exact
        uow.commit()
    assert desk.order().lines[0].ordered == exact


def test_a_float_is_no_quantity(desk: Desk) -> None:
    with desk.gateway.database.write() as uow:
        uow.session.get_one(OrderLineRow, 1).ordered = 0.1
        with pytest.raises(StatementError):
            uow.commit()


def test_promised_dates_come_back_as_they_were(desk: Desk) -> None:
    moment = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    with desk.gateway.database.write() as uow:
        row = uow.session.get_one(OrderLineRow, 1)
        row.promised_delivery, row.promised_ship = moment, date(2026, 11, 23)
        uow.commit()
    line = desk.order().lines[0]
    assert (line.promised_delivery, line.promised_ship) == (moment, date(2026, 11, 23))


def test_a_shop_event_is_told_once(desk: Desk) -> None:
    before = len(desk.shop_events())
    columns = "key, kind, partnership, order_number, at, body"
    with pytest.raises(IntegrityError):
        execute(desk, f"INSERT INTO business_event ({columns}) SELECT {columns} FROM business_event")
    assert len(desk.shop_events()) == before


def test_stock_is_never_below_zero(desk: Desk) -> None:
    desk.arrive(invrpt())
    with pytest.raises(IntegrityError, match="reserved_not_negative"):
        execute(desk, "UPDATE stock_level SET reserved = '-1'")


def test_a_unit_of_work_without_commit_keeps_nothing(desk: Desk) -> None:
    with desk.gateway.database.write() as uow:
        uow.session.get_one(OrderRow, 1).number = "OTHER"
        uow.session.flush()
    assert desk.order().number == an_order().number
