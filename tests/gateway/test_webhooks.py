"""Webhooks: signed, in order, again after a failure or a crash, never with another content; parked when too late."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edi_gateway.config import Webhooks
from edi_gateway.gateway import webhooks
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.gateway.sweep import sweep
from edi_gateway.gateway.webhooks import TASK, WebhookRefused, add, deliver, remove, retry, trial
from edi_gateway.store.api import EndpointState, WebhookEndpoint
from edi_gateway.store.business import BusinessEvent
from edi_gateway.store.events import Event
from edi_gateway.transport.http import Answer, HttpClient, Outgoing, TransportError
from tests.gateway.documents.desk import Desk, desadv, invrpt, other_vendor, partial
from tests.house import Crash
from tests.servers import Request, Server, answering, server

URL = "https://shop.example/hooks"


def verifies(headers: dict[str, str], body: bytes, secret: str, now: float, seconds_max: int = 300) -> bool:
    """What the receiver does: docs/api.md has the same lines."""
    fields = dict(part.split("=", 1) for part in headers["edi-gateway-signature"].split(","))
    expected = hmac.new(secret.encode(), fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, fields["v1"]) and abs(now - int(fields["t"])) <= seconds_max


class Shop:
    """A desk whose network is the shop's endpoint: it answers as told, and keeps what came."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.answers: list[int | BaseException] = []
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.desk.gateway = self.gateway_with(self.take)

    def gateway_with(self, send, **changes) -> Gateway:
        config = self.desk.gateway.config.model_copy(update={"webhooks": Webhooks(**changes)})
        return replace(self.desk.gateway, send=send, config=config, jitter=lambda: 0.5)

    def take(self, request: Outgoing) -> Answer:
        headers = {name.lower(): value for name, value in request.headers}
        self.came.append((request.url, headers, request.body.read()))
        act = self.answers.pop(0) if self.answers else 200
        if isinstance(act, BaseException):
            raise act
        return Answer(act, (), b"")

    def trade(self) -> None:
        """An order with stock, an answer and a shipment: four events."""
        self.desk.arrive(invrpt())
        self.desk.place()
        for text in (partial(), desadv()):
            self.desk.arrive(text)

    def row(self, endpoint_id: str) -> WebhookEndpoint:
        return self.desk.rows(WebhookEndpoint, WebhookEndpoint.id == endpoint_id)[0]

    def newest(self) -> int:
        return self.desk.rows(BusinessEvent)[-1].number

    @property
    def kinds(self) -> list[str]:
        return [json.loads(body)["kind"] for _, _, body in self.came]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    desk = Desk(tmp_path)
    yield Shop(desk)
    desk.close()


def listen(shop: Shop, **more) -> tuple[WebhookEndpoint, str]:
    """An endpoint for payments and stock, whatever else happens with an order."""
    return add(shop.desk.gateway, URL, kinds=FOUR, **more)


FOUR = ["payment.refund_requested", "stock.reserved", "stock.released", "payment.capturable"]


def test_events_come_in_order_each_once_and_signed(shop: Shop) -> None:
    row, secret = listen(shop)
    shop.trade()
    deliver(shop.desk.gateway, row.id)
    deliver(shop.desk.gateway, row.id)
    assert shop.kinds == FOUR
    for url, headers, body in shop.came:
        assert url == URL
        assert headers["edi-gateway-event"] == json.loads(body)["id"]
        now = shop.desk.now.timestamp()
        assert verifies(headers, body, secret, now)
        assert not verifies(headers, body + b" ", secret, now)
        assert not verifies(headers, body, "whsec_other", now)
        assert not verifies(headers, body, secret, now + 301)


def test_what_happens_wakes_the_work(shop: Shop) -> None:
    row, _ = add(shop.desk.gateway, URL)
    shop.desk.woken.clear()
    shop.trade()
    assert (TASK, "", None) in shop.desk.woken
    shop.desk.woken.clear()
    deliver(shop.desk.gateway, "")
    assert shop.desk.woken == [(TASK, row.id, None)]


def test_only_from_now_on_or_from_a_number_on(shop: Shop) -> None:
    shop.trade()
    late, _ = add(shop.desk.gateway, URL)
    deliver(shop.desk.gateway, late.id)
    assert shop.came == []
    second = shop.desk.shop_events()[1].number
    early, _ = listen(shop, after=second)
    deliver(shop.desk.gateway, early.id)
    assert shop.kinds == FOUR[2:]
    beyond, _ = add(shop.desk.gateway, URL, after=10**9)
    assert shop.row(beyond.id).position == shop.newest()


def test_only_the_kinds_and_the_partner_asked_for(shop: Shop) -> None:
    shop.desk.agree(other_vendor())
    some, _ = add(shop.desk.gateway, URL, kinds=["stock.reserved", "payment.capturable"])
    others, _ = add(shop.desk.gateway, URL, partner="other")
    shop.trade()
    for row in (some, others):
        deliver(shop.desk.gateway, row.id)
    assert shop.kinds == ["stock.reserved", "payment.capturable"]
    assert shop.row(others.id).position == shop.newest()  # what was not for it does not wait


def test_a_failure_holds_the_rest_back_and_the_same_bytes_go_again(shop: Shop) -> None:
    row, _ = listen(shop)
    shop.trade()
    shop.answers = [200, 500, TransportError("no answer", sent=True), 200]
    deliver(shop.desk.gateway, row.id)
    assert shop.kinds == FOUR[:2]
    waiting = shop.row(row.id)
    assert (waiting.attempts, waiting.reason) == (1, "the endpoint answered with 500")
    assert waiting.due_at == shop.desk.now + webhooks.FIRST_PAUSE
    deliver(shop.desk.gateway, row.id)  # too early
    assert len(shop.came) == 2
    shop.desk.later(seconds=10)
    deliver(shop.desk.gateway, row.id)
    assert shop.row(row.id).due_at == shop.desk.now + 2 * webhooks.FIRST_PAUSE
    shop.desk.later(seconds=20)
    deliver(shop.desk.gateway, row.id)
    assert shop.kinds == [FOUR[0], FOUR[1], FOUR[1], FOUR[1], FOUR[2], FOUR[3]]
    assert len({body for _, _, body in shop.came}) == 4
    signatures = {headers["edi-gateway-signature"] for _, headers, _ in shop.came}
    assert len(signatures) == 6  # each attempt has its own time
    assert shop.row(row.id).reason == ""


def test_a_crash_while_it_is_sent_sends_it_again_when_the_lease_is_over(shop: Shop) -> None:
    row, _ = listen(shop)
    shop.trade()
    shop.answers = [Crash()]
    with pytest.raises(Crash):
        deliver(shop.desk.gateway, row.id)
    deliver(shop.desk.gateway, row.id)  # somebody may still be sending
    assert len(shop.came) == 1
    shop.desk.later(seconds=webhooks.LEASE.total_seconds())
    shop.desk.woken.clear()
    sweep(shop.desk.gateway)
    assert (TASK, row.id, None) in shop.desk.woken
    deliver(shop.desk.gateway, row.id)
    assert shop.kinds == [FOUR[0], *FOUR]
    assert shop.came[0][2] == shop.came[1][2]


def test_after_the_deadline_it_is_parked_and_says_so_and_goes_on_when_asked(shop: Shop) -> None:
    shop.desk.gateway = shop.gateway_with(shop.take, deadline_hours=1)
    row, _ = listen(shop)
    shop.trade()
    shop.answers = [500] * 100
    for _ in range(60):
        deliver(shop.desk.gateway, row.id)
        due = shop.row(row.id).due_at
        if shop.row(row.id).state is EndpointState.PARKED:
            break
        shop.desk.now = due
    parked = shop.row(row.id)
    assert parked.state is EndpointState.PARKED
    assert shop.desk.now - parked.first_attempt_at == timedelta(hours=1)
    (alert,) = [event for event in shop.desk.alerts() if event.kind == "alert.webhook"]
    assert alert.subject == f"webhook:{row.id}"
    sent = len(shop.came)
    deliver(shop.desk.gateway, row.id)
    assert len(shop.came) == sent
    shop.answers = []
    retry(shop.desk.gateway, row.id)
    deliver(shop.desk.gateway, row.id)
    assert shop.kinds[sent:] == FOUR


def test_an_endpoint_that_is_gone_is_parked_at_once(shop: Shop) -> None:
    row, _ = listen(shop)
    shop.trade()
    shop.answers = [410]
    deliver(shop.desk.gateway, row.id)
    assert shop.row(row.id).state is EndpointState.PARKED


def test_a_removed_endpoint_hears_nothing_and_its_secret_is_forgotten(shop: Shop) -> None:
    row, _ = listen(shop)
    shop.trade()
    remove(shop.desk.gateway, row.id)
    deliver(shop.desk.gateway, row.id)
    assert shop.came == []
    assert shop.row(row.id).secret == ""
    with pytest.raises(webhooks.UnknownEndpoint):
        retry(shop.desk.gateway, row.id)


def test_the_secret_is_kept_sealed_and_opens_in_its_own_row_only(shop: Shop) -> None:
    one, secret = add(shop.desk.gateway, URL)
    other, _ = add(shop.desk.gateway, URL)
    assert all(secret not in str(vars(row)) for row in shop.desk.rows(WebhookEndpoint))
    assert all(secret not in str(event.content) for event in shop.desk.rows(Event))
    with shop.desk.gateway.database.write() as uow:
        uow.session.get_one(WebhookEndpoint, other.id).secret = shop.row(one.id).secret
        uow.commit()
    outcome = trial(shop.desk.gateway, other.id)
    assert not outcome.delivered
    assert "does not open" in outcome.reason
    assert shop.came == []


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:169.254.169.254]/",
        "https://user:word@shop.example/",
        "ftp://shop.example/",
        "https://",
        "shop.example",
        "https://shop.example/\r\nX: y",
        "https://" + "a" * 3000,
    ],
)
def test_a_url_that_nothing_is_sent_to(shop: Shop, url: str) -> None:
    with pytest.raises(WebhookRefused):
        add(shop.desk.gateway, url)


def test_a_name_that_leads_into_our_own_network_gets_nothing(shop: Shop) -> None:
    """The name is looked up with each POST, and what was looked at is what is dialled."""
    gateway = shop.gateway_with(HttpClient())
    with server(answering(200)) as there:
        row, _ = add(gateway, f"https://localhost:{there.port}/")
        outcome = trial(gateway, row.id)
    assert "not a public address" in outcome.reason
    assert there.requests == []


def test_configured_metadata_addresses_stay_refused(shop: Shop) -> None:
    gateway = shop.gateway_with(shop.take, addresses="any")
    add(gateway, "http://127.0.0.1:9/")
    with pytest.raises(WebhookRefused):
        add(gateway, "http://169.254.169.254/")


def test_a_partner_who_is_not_there(shop: Shop) -> None:
    with pytest.raises(UnknownPartner):
        add(shop.desk.gateway, URL, partner="nobody")


def test_the_bounds_of_endpoints(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "seal", lambda config, secret, place: "sealed")  # a tenth of a second each
    shop.desk.agree(other_vendor())
    for _ in range(webhooks.ENDPOINTS_OF_PARTNER_MAX):
        add(shop.desk.gateway, URL, partner="vendor")
    with pytest.raises(WebhookRefused, match="vendor"):
        add(shop.desk.gateway, URL, partner="vendor")
    for _ in range(webhooks.ENDPOINTS_MAX - webhooks.ENDPOINTS_OF_PARTNER_MAX):
        add(shop.desk.gateway, URL)
    with pytest.raises(WebhookRefused, match="100"):
        add(shop.desk.gateway, URL)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 10), (2, 20), (5, 160), (10, 3600), (1000, 3600)])
def test_the_pauses_double_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert webhooks.pause(attempts, 0.5).total_seconds() == seconds
    assert webhooks.pause(attempts, 0.0).total_seconds() == seconds / 2


def test_over_http_with_a_verifier_that_knows_nothing_of_us(shop: Shop) -> None:
    """A real server: first it fails, then it takes; what it took is signed, in order, and nothing differs."""

    def behave(request: Request) -> bytes:
        status = 500 if len(there.requests) == 2 else 204
        return answering(status)(request)

    there: Server
    gateway = shop.gateway_with(HttpClient(), addresses="any")
    with server(behave) as there:
        row, secret = add(gateway, there.url("/hooks?shop=1"), kinds=FOUR)
        shop.trade()
        deliver(gateway, row.id)
        shop.desk.later(minutes=1)
        deliver(gateway, row.id)
        assert trial(gateway, row.id).status == 204
    bodies = [json.loads(request.body) for request in there.requests]
    assert [body["kind"] for body in bodies] == [FOUR[0], FOUR[1], FOUR[1], *FOUR[2:], "webhook.test"]
    contents = {(body["id"], request.body) for body, request in zip(bodies, there.requests, strict=True)}
    assert len(contents) == 5
    for request in there.requests:
        assert request.target == "/hooks?shop=1"
        assert request.headers["content-type"] == "application/json"
        assert verifies(request.headers, request.body, secret, shop.desk.now.timestamp())


def test_numbers_of_events_rise_with_each_commit(shop: Shop) -> None:
    shop.trade()
    numbers = [event.number for event in shop.desk.rows(BusinessEvent)]
    assert numbers == list(range(1, len(numbers) + 1))
