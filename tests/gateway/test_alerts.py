"""Alerts by mail and webhook: one for each kind and subject in a window, none lost, none twice."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from edi_gateway.config import Alerts, ConfigError, read
from edi_gateway.gateway.alerts import LINES_MAX, tell
from edi_gateway.gateway.app import Gateway
from edi_gateway.store.api import events_after
from edi_gateway.store.business import BusinessEvent
from tests.house import House


class MailHouse(socketserver.ThreadingTCPServer):
    """A mail server on loopback, and what it has taken."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[Message] = []
        self.refuses = False


class _Session(socketserver.StreamRequestHandler):
    server: MailHouse

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.say("220 mail.example")
        while line := self.rfile.readline():
            match line.split()[0].upper():
                case b"DATA":
                    self.say("354 go on")
                    taken = b"".join(iter(self.rfile.readline, b".\r\n"))
                    if self.server.refuses:
                        self.say("451 not now")
                        continue
                    self.server.mails.append(message_from_bytes(taken))
                    self.say("250 taken")
                case b"QUIT":
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 yes")


@pytest.fixture
def mails() -> Iterator[MailHouse]:
    with MailHouse() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def told(folder: Path, port: int, **more: Any) -> Iterator[tuple[House, Gateway]]:
    """A house, and its gateway as it is with alerts configured."""
    house = House(folder)
    alerts = Alerts(
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security="none",
        sender="edi@marketplace.example",
        recipients="ops@marketplace.example, night@marketplace.example",
        **more,
    )
    yield house, replace(house.gateway, config=house.gateway.config.model_copy(update={"alerts": alerts}))
    house.close()


def alert(house: House, subject: str = "transmission:1", kind: str = "alert.mdn-overdue", why: str = "late") -> None:
    with house.gateway.database.write() as uow:
        uow.record_event(kind, subject, None, None, why, {}, house.now)
        uow.commit()


def test_an_alert_is_mailed_once_and_again_in_the_next_window(tmp_path: Path, mails: MailHouse) -> None:
    with told(tmp_path, mails.server_address[1]) as (house, gateway):
        alert(house)
        tell(gateway)
        tell(gateway)
        (mail,) = mails.mails
        assert mail["Subject"] == "[MARKETPLACE] alert.mdn-overdue transmission:1"
        assert mail["To"] == "ops@marketplace.example, night@marketplace.example"
        assert "late" in str(mail.get_payload())
        alert(house)
        tell(gateway)
        assert len(mails.mails) == 1
        house.later(hours=24)
        alert(house)
        tell(gateway)
        assert len(mails.mails) == 2


def test_many_alerts_are_one_digest(tmp_path: Path, mails: MailHouse) -> None:
    with told(tmp_path, mails.server_address[1]) as (house, gateway):
        for number in range(LINES_MAX + 5):
            alert(house, f"transmission:{number}")
        tell(gateway)
        (mail,) = mails.mails
        assert mail["Subject"] == f"[MARKETPLACE] {LINES_MAX + 5} alerts"
        assert "and 5 more" in str(mail.get_payload())


def test_a_mail_server_that_refuses_gets_it_later(tmp_path: Path, mails: MailHouse) -> None:
    with told(tmp_path, mails.server_address[1]) as (house, gateway):
        mails.refuses = True
        alert(house)
        tell(gateway)
        assert mails.mails == []
        mails.refuses = False
        alert(house, "transmission:2")
        tell(gateway)
        assert [mail["Subject"] for mail in mails.mails] == ["[MARKETPLACE] 2 alerts"]


def test_after_a_crash_a_digest_comes_at_most_once_more_under_its_message_id(tmp_path: Path, mails: MailHouse) -> None:
    with told(tmp_path, mails.server_address[1]) as (house, gateway):
        alert(house)
        house.gateway.database.write, kept = _gone, house.gateway.database.write
        with pytest.raises(InterruptedError):
            tell(gateway)
        house.gateway.database.write = kept
        tell(gateway)
        tell(gateway)
        assert len({mail["Message-ID"] for mail in mails.mails}) == 1
        assert len(mails.mails) == 2


def _gone(step: str = "") -> Any:
    raise InterruptedError


def test_what_a_partner_wrote_makes_no_header(tmp_path: Path, mails: MailHouse) -> None:
    with told(tmp_path, mails.server_address[1]) as (house, gateway):
        alert(house, "transmission:1\r\nBcc: all@vendor.example", why="a\r\n.\r\nMAIL FROM:<x>")
        tell(gateway)
        (mail,) = mails.mails
        assert mail["Bcc"] is None


def test_only_the_kinds_that_are_wanted_and_nothing_but_alerts(tmp_path: Path, mails: MailHouse) -> None:
    with told(tmp_path, mails.server_address[1], kinds="alert.exception") as (house, gateway):
        alert(house)
        alert(house, "message:1", "alert.exception")
        house.post(house.message())
        tell(gateway)
        assert [mail["Subject"] for mail in mails.mails] == ["[MARKETPLACE] alert.exception message:1"]


def test_webhooks_hear_of_alerts_where_the_feed_has_them(tmp_path: Path, mails: MailHouse) -> None:
    with told(tmp_path, mails.server_address[1], feed="yes") as (house, gateway):
        alert(house)
        alert(house)
        tell(gateway)
        tell(gateway)
        with house.gateway.database.read() as view:
            (row,) = view.session.scalars(select(BusinessEvent))
            assert row.body["reason"] == "late"
            for kinds, found in (
                (["alert.*"], 1),
                (["alert.mdn-overdue"], 1),
                (["order.state"], 0),
                (["payment.*"], 0),
            ):
                assert len(list(view.session.scalars(events_after(0, kinds=kinds)))) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("smtp_host = 'mail.example'", "sender and recipients"),
        ("sender = 'nobody'", "not an e-mail address"),
        ("recipients = 'a@x.example, b'", "not an e-mail address"),
        ("repeat_hours = 0", "repeat_hours"),
    ],
)
def test_a_configuration_that_cannot_mail_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(f"[alerts]\n{text}", "gateway.toml", {})
