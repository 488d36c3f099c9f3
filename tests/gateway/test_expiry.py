"""Certificates that are about to end: each alert once, for ours and theirs, for signing, encryption and TLS."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from edi_gateway.as2.certificates import KeyUse
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.expiry import ALERT_DAYS, EXPIRED, alert_expiring, of_partnership
from edi_gateway.gateway.keys import KeyStore
from edi_gateway.partnership import AccessPolicy, TlsPolicy, TlsTrust
from edi_gateway.store.certificates import CertificateAlert
from edi_gateway.store.partnerships import PartnershipState
from tests.house import NAME, House
from tests.partner import NOW, key_of, pinned

ENDS = NOW + timedelta(days=335)  # of the partner's key in these tests


def days_before(days: int, **more: float) -> datetime:
    return ENDS - timedelta(days=days, **more)


@pytest.fixture
def gateway(house: House) -> Gateway:
    """Without keys of its own, so that only the partner's certificates are watched."""
    return replace(house.gateway, keys=KeyStore(house.folder / "own", b"correct horse battery"))


def alerts(house: House, gateway: Gateway, at: datetime) -> list[tuple[str, int]]:
    """The alerts that are given at a moment, in their kind and days."""
    house.now = at
    before = len(house.events("alert."))
    given = alert_expiring(gateway)
    found = [(event.kind.removeprefix("alert.certificate-"), event.details["days"]) for event in house.events("alert.")]
    assert len(found) == before + given
    return found[before:]


def test_122_the_days_of_alerts() -> None:
    assert (ALERT_DAYS, EXPIRED) == ((30, 14, 7, 1), 0)


def test_122_each_alert_is_given_once_on_its_day(house: House, gateway: Gateway) -> None:
    """A walk by the hour through the last weeks of a partner's certificate, restarts included."""
    seen: list[tuple[timedelta, tuple[str, int]]] = []
    moment = days_before(40)
    while moment < ENDS + timedelta(days=10):
        seen += [(ENDS - moment, alert) for alert in alerts(house, gateway, moment)]
        moment += timedelta(hours=6)
    house.restart()
    again = replace(house.gateway, keys=gateway.keys)
    assert alerts(house, again, ENDS + timedelta(days=11)) == []
    assert [alert for _, alert in seen] == [("expiring", days) for days in ALERT_DAYS] + [("expired", 0)]
    assert [left for left, _ in seen[:-1]] == [timedelta(days=days) for days in ALERT_DAYS]
    assert -timedelta(hours=6) <= seen[-1][0] < timedelta()


@pytest.mark.parametrize("days", ALERT_DAYS)
def test_122_each_side_of_each_bound(house: House, gateway: Gateway, days: int) -> None:
    given = dict(alerts(house, gateway, days_before(days) - timedelta(seconds=1)))
    assert days not in given.values()
    assert alerts(house, gateway, days_before(days)) == [("expiring", days)]


def test_122_a_certificate_that_is_seen_late_gives_the_one_alert_that_fits(house: House, gateway: Gateway) -> None:
    assert alerts(house, gateway, days_before(5)) == [("expiring", 7)]
    assert alerts(house, gateway, days_before(5) + timedelta(minutes=1)) == []
    assert alerts(house, gateway, days_before(1)) == [("expiring", 1)]


def test_122_118_an_expired_certificate_is_said_once(house: House, gateway: Gateway) -> None:
    assert alerts(house, gateway, ENDS) == [("expiring", 1)]
    assert alerts(house, gateway, ENDS + timedelta(seconds=1)) == [("expired", 0)]
    assert alerts(house, gateway, ENDS + timedelta(days=1)) == []


def test_122_the_event_says_what_an_operator_needs(house: House, gateway: Gateway) -> None:
    alerts(house, gateway, days_before(14))
    (event,) = house.events("alert.")
    certificate = house.partner.key.certificate
    assert (event.kind, event.subject) == ("alert.certificate-expiring", f"partnership:{NAME}")
    assert event.reason == "CN=VENDOR (encryption, signing) expires on 2027-10-23 12:00 UTC, in 14 days"
    assert event.details == {
        "fingerprint": certificate.fingerprint,
        "not_after": certificate.not_after.isoformat(),
        "days": 14,
        "uses": ["encryption", "signing"],
        "successor": None,
    }


def test_122_a_successor_that_stands_beside_it_is_named(house: House, gateway: Gateway) -> None:
    new = key_of("them next", days=700)
    both = pinned(house.partner.key.certificate, new.certificate)
    house.agree(signing_certificates=both, encryption_certificates=both)
    alerts(house, gateway, days_before(7))
    (event,) = house.events("alert.")
    assert event.details["successor"] == new.certificate.fingerprint
    assert event.reason.endswith(f"; {new.certificate.fingerprint[:16]} stands beside it, until 2028-09-22")


def test_122_every_certificate_of_a_partner_is_watched_each_once(house: House) -> None:
    """Signing, encryption, the server's TLS certificate, the client's; one that does two things is one."""
    names = ("them signing", "them encryption", "them tls", "them client")
    signing, encryption, tls, client = (key_of(name).certificate for name in names)
    house.agree(
        signing_certificates=pinned(signing, tls),
        encryption_certificates=pinned(encryption),
        tls=TlsPolicy(trust=TlsTrust.PINNED, certificates=pinned(tls)),
        access=AccessPolicy(client_certificates=pinned(client)),
    )
    assert {each.certificate: each.uses for each in of_partnership(house.partnership)} == {
        signing: {KeyUse.SIGNING},
        encryption: {KeyUse.ENCRYPTION},
        tls: {KeyUse.SIGNING, KeyUse.TLS},
        client: {KeyUse.TLS},
    }


def test_122_our_own_keys_are_watched_by_name(house: House, gateway: Gateway) -> None:
    house.agree(PartnershipState.SUSPENDED)  # whose certificates matter to nobody
    signing = gateway.keys.generate("MARKET", now=NOW, days=20, key="p-256")
    tls = gateway.keys.generate("MARKET", now=NOW, days=400, key="p-256", uses=frozenset({KeyUse.TLS}))
    assert alert_expiring(gateway) == 1
    house.now = NOW + timedelta(days=395)
    assert alert_expiring(gateway) == 2
    found = {(event.subject, event.kind, *event.details["uses"]) for event in house.events("alert.")}
    assert found == {
        (f"key:{signing.name}", "alert.certificate-expiring", "encryption", "signing"),
        (f"key:{tls.name}", "alert.certificate-expiring", "tls"),
        (f"key:{signing.name}", "alert.certificate-expired", "encryption", "signing"),
    }


def test_122_of_two_processes_one_gives_the_alert(house: House, gateway: Gateway) -> None:
    """The key of the table decides, not the look before."""
    house.now = days_before(7)
    assert alert_expiring(gateway) == 1
    with house.gateway.database.write() as uow:
        row = uow.session.query(CertificateAlert).one()
        uow.session.expunge(row)
        same = {"subject": row.subject, "fingerprint": row.fingerprint, "days": row.days, "at": house.now}
        assert not uow.insert_once(CertificateAlert, same)
        uow.session.add(CertificateAlert(**same | {"days": -1}))
        with pytest.raises(IntegrityError):
            uow.session.flush()
