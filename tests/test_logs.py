"""Logs: one JSON object a line, no payloads, no values of variables in a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from edi_gateway import logs
from edi_gateway.store.events import Happened

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # The loggers of the modules are made at import; each test wants one that follows the configuration of its time.
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def happened(kind: str) -> Happened:
    return Happened(kind, "transmission:1", None, "refused", "the partner's words", {"size": 1}, NOW)


def test_an_event_is_a_line_without_its_reason_and_an_alert_with_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("info")
    monkeypatch.setattr(logs, "_log", structlog.get_logger())
    logs.happened(happened("transmission.state"))
    logs.happened(happened("alert.transmission-refused"))
    state, alert = lines(capsys)
    assert (state["event"], state["level"], state["after"]) == ("transmission.state", "info", "refused")
    assert "reason" not in state
    assert (alert["level"], alert["reason"]) == ("warning", "the partner's words")


def test_the_level_is_the_least_that_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("error")
    monkeypatch.setattr(logs, "_log", structlog.get_logger())
    logs.happened(happened("alert.transmission-refused"))
    assert lines(capsys) == []


def test_a_traceback_shows_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    passphrase = "correct horse battery"
    try:
        raise ValueError(len(passphrase))
    except ValueError:
        structlog.get_logger().exception("it failed", id="1")
    (line,) = lines(capsys)
    assert line["id"] == "1"
    assert "ValueError" in json.dumps(line["exception"])
    assert passphrase not in json.dumps(line)
