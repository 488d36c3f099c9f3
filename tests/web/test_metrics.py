"""`GET /metrics`: for whom, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edi_gateway.gateway import tokens
from edi_gateway.store.api import TokenRole
from edi_gateway.store.events import Happened
from edi_gateway.web.app import create_app
from edi_gateway.web.metrics import Metrics
from tests.house import House, unreachable
from tests.partner import NOW

Sample = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def scraped(house: House, metrics: Metrics | None = None) -> Sample:
    """name and labels -> value, as Prometheus reads it."""
    _, token = tokens.create(house.gateway, f"prometheus {house.ids}", TokenRole.MONITOR)
    client = create_app(house.gateway, metrics=metrics).test_client()
    client.get("/healthz")
    client.get("/no-such-place")
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def of(samples: Sample, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_what_waits_is_counted_with_the_age_of_the_oldest(house: House) -> None:
    house.network.answers = [unreachable]
    house.send()
    house.later(minutes=2)
    house.send()
    house.post(house.message())
    samples = scraped(house)
    assert of(samples, "edi_gateway_waiting", stage="dispatch") == 2
    assert of(samples, "edi_gateway_oldest_waiting_seconds", stage="dispatch") == 120
    assert of(samples, "edi_gateway_waiting", stage="unpack") == 1
    assert of(samples, "edi_gateway_waiting", stage="parked") == 0
    assert of(samples, "edi_gateway_oldest_waiting_seconds", stage="parked") == 0
    assert of(samples, "edi_gateway_database_up") == 1


def test_the_days_of_every_certificate_are_there(house: House) -> None:
    samples = scraped(house)
    days = {labels: value for (name, labels), value in samples.items() if name == "edi_gateway_certificate_days_left"}
    owners = {dict(labels)["owner"] for labels in days}
    assert owners == {"key:own", "partnership:vendor"}
    left = (house.partner.key.certificate.not_after - NOW) / timedelta(days=1)
    assert set(days.values()) == {round(left, 2)}


def test_events_requests_and_work_are_counted_in_this_process(house: House) -> None:
    metrics = Metrics(house.gateway)
    metrics.hear(Happened("transmission.state", "transmission:1", None, "received", "", {}, NOW))
    metrics.timed("sweep", lambda key: None)("")

    def fail(key: str) -> None:
        raise OSError

    with pytest.raises(OSError):
        metrics.timed("sweep", fail)("")
    samples = scraped(house, metrics)
    assert of(samples, "edi_gateway_events_total", kind="transmission.state", to="received") == 1
    assert of(samples, "edi_gateway_stage_seconds_count", stage="sweep", outcome="done") == 1
    assert of(samples, "edi_gateway_stage_seconds_count", stage="sweep", outcome="failed") == 1
    assert of(samples, "edi_gateway_request_seconds_count", area="healthz", status="200") == 1
    assert of(samples, "edi_gateway_request_seconds_count", area="other", status="404") == 1


def test_it_is_not_for_everybody(house: House) -> None:
    client = create_app(house.gateway).test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    _, finance = tokens.create(house.gateway, "books", TokenRole.FINANCE)
    assert client.get("/metrics", headers={"Authorization": f"Bearer {finance}"}).status_code == 403


def test_a_database_that_does_not_answer_is_said_by_the_numbers(house: House) -> None:
    metrics = Metrics(house.gateway)
    with house.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE deadline RENAME TO elsewhere")
    assert b"edi_gateway_database_up 0.0" in metrics.text()
