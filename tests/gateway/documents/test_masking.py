"""Personal data of consumers, masked in stored orders and messages when its term is over."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from edi_gateway.config import Retention
from edi_gateway.gateway import retention
from edi_gateway.gateway.retention import Purged
from edi_gateway.marketplace.masking import MASK, masked
from edi_gateway.marketplace.parties import Contact, Note, Party, PartyRole
from edi_gateway.store.business import OrderRow
from edi_gateway.store.documents import Message
from tests.core.marketplace.documents import an_order
from tests.gateway.documents.desk import Desk

CONSUMER = Party(
    role=PartyRole.ULTIMATE_CONSIGNEE,
    name="Camille Exemple",
    street=("1 rue des Lilas",),
    city="Lyon",
    postcode="69001",
    country="FR",
    contacts=(Contact(function="IC", name="Camille", phone="+33600000000", email="camille@customer.example"),),
)
NAMING = ("Camille", "Lilas", "Lyon", "69001", "+336", "customer.example", "sonnez")


def _kept(desk: Desk) -> str:
    with desk.gateway.database.read() as view:
        rows = [row.record for row in view.session.query(OrderRow)]
        return json.dumps(rows + [row.record for row in view.session.query(Message)], ensure_ascii=False)


def purged(desk: Desk) -> Purged:
    chosen = Retention(payload_days=30, personal_data_days=30)
    config = desk.gateway.config.model_copy(update={"retention": chosen})
    return retention.purge(replace(desk.gateway, config=config))


def test_a_consumer_is_masked_after_the_term_and_the_trade_stays(desk: Desk) -> None:
    order = an_order()
    note = Note(subject="DEL", text=("sonnez deux fois",))
    desk.place(replace(order, parties=(*order.parties, CONSUMER), notes=(note,)))
    desk.now += timedelta(days=30)
    assert (purged(desk).orders_masked, purged(desk).messages_masked) == (0, 0)
    assert all(word in _kept(desk) for word in NAMING)
    desk.now += timedelta(days=1)
    done = purged(desk)
    assert (done.orders_masked, done.messages_masked) == (1, 1)
    kept = _kept(desk)
    assert not any(word in kept for word in NAMING)
    assert MASK in kept
    assert order.number in kept
    assert str(order.lines[0].item.gtin) in kept
    assert not purged(desk).orders_masked


def test_companies_stay_and_their_people_do_not() -> None:
    party = {
        "role": "SU",
        "name": "VENDEUR SARL",
        "street": ["1 rue"],
        "contacts": [{"name": "A", "phone": "", "email": "a@b"}],
    }
    found = masked({"parties": [party]})
    assert found["parties"][0]["name"] == "VENDEUR SARL"
    assert found["parties"][0]["contacts"] == [{"name": MASK, "phone": "", "email": MASK}]
    assert masked(found) == found
