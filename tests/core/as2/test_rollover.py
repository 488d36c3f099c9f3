"""Both sides change their certificates without a gap: a day at a time, through all six look-ups.

The calendar of these tests, in days after NOW. The partner's new certificate serves from day 10 and the old one ends on
day 20; ours changes on day 12, the old one ends on day 22. Neither side changes at the minute that it announced.
"""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from edi_gateway.as2.certificates import KeyUse, PrivateKey
from edi_gateway.as2.disposition import PROCESSED
from edi_gateway.as2.errors import RelationshipFault
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_report, open_transmission
from edi_gateway.as2.mdn import compose
from edi_gateway.as2.opened import Opened, OpenedReport, Refused, Trust
from edi_gateway.as2.outbound import Sealed, seal
from edi_gateway.as2.relationship import DatedKey, Relationship
from edi_gateway.partnership import As2Policy, DatedCertificate
from tests.partner import NOW, ORDERS, key_of

DAY = timedelta(days=1)
THEIRS_CHANGE, OURS_CHANGE = NOW + 10 * DAY, NOW + 12 * DAY

THEIRS_OLD = key_of("them old", days=50)  # made 30 days before NOW: ends on day 20
THEIRS_NEW = key_of("them new", start=NOW + 8 * DAY)
OURS_OLD = key_of("us old", days=52)
OURS_NEW = key_of("us new", start=NOW)


def pin(key: PrivateKey, use_from: str = "") -> DatedCertificate:
    return DatedCertificate(pem=key.certificate.pem, use_from=use_from)


def relationship(
    our_id: str, their_id: str, keys: list[DatedKey], pins: tuple[DatedCertificate, ...], **policy: object
) -> Relationship:
    agreed: dict[str, object] = {"signing_certificates": pins, "encryption_certificates": pins}
    names = {"our_id": our_id, "their_id": their_id, "url": "http://partner.example/as2"}
    return Relationship.of(As2Policy(**names | agreed | policy), keys)  # type: ignore[arg-type]


def gateway(**policy: object) -> Relationship:
    """Our side: both certificates of theirs pinned, ours dated."""
    keys = [DatedKey(OURS_NEW, OURS_CHANGE), DatedKey(OURS_OLD, NOW - 30 * DAY)]
    return relationship("MARKETPLACE", "VENDOR", keys, (pin(THEIRS_OLD), pin(THEIRS_NEW, "2026-12-02")), **policy)


def partner(signs_new_from: timedelta = 10 * DAY, encrypts_new_from: str = "2026-12-04") -> Relationship:
    """Their side, changing at a moment of their own choice."""
    keys = [DatedKey(THEIRS_NEW, NOW + signs_new_from), DatedKey(THEIRS_OLD, NOW - 30 * DAY)]
    return relationship("VENDOR", "MARKETPLACE", keys, (pin(OURS_OLD), pin(OURS_NEW, encrypts_new_from)))


def sent(sender: Relationship, day: int) -> Sealed:
    moment = NOW + day * DAY
    return seal(io.BytesIO(ORDERS), sender, message_id="<1@sender.example>", now=moment, filename="", spool=io.BytesIO)


def opened(receiver: Relationship, sealed: Sealed, day: int) -> Opened:
    headers = Headers(sealed.headers)
    moment = NOW + day * DAY
    outcome = open_transmission(read_request(headers), headers, sealed.body, receiver, io.BytesIO, moment)
    assert isinstance(outcome, Opened), outcome
    return outcome


def receipt(receiver: Relationship, sender: Relationship, sealed: Sealed, found: Opened, day: int) -> OpenedReport:
    """The MDN of `receiver`, as `sender` opens it."""
    request, moment = read_request(Headers(sealed.headers)), NOW + day * DAY
    mdn = compose(request, receiver, PROCESSED, found.mic, "", message_id="<2@receiver.example>", now=moment)
    report = open_report(Headers(mdn.headers), io.BytesIO(mdn.body), sender, io.BytesIO, moment)
    assert isinstance(report, OpenedReport), report
    return report


def used(sealed: Sealed) -> tuple[str, str]:
    """The fingerprints of the keys that signed and were encrypted for."""
    assert sealed.signed_with
    assert sealed.encrypted_with
    return sealed.signed_with.fingerprint, sealed.encrypted_with.fingerprint


@pytest.mark.parametrize("day", [0, 7, 8, 9, 10, 11, 12, 13, 19, 21, 30])
@pytest.mark.parametrize(
    "other",
    [partner(), partner(8 * DAY, "2026-11-23"), partner(15 * DAY, "2026-12-11")],
    ids=["as announced", "earlier", "later"],
)
def test_114_115_no_day_of_a_rollover_has_a_gap(day: int, other: Relationship) -> None:
    """Out and in, each with its signed MDN, whichever side has changed and whenever it did."""
    ours = gateway()
    for sender, receiver in ((ours, other), (other, ours)):
        sealed = sent(sender, day)
        found = opened(receiver, sealed, day)
        assert found.payload.read() == ORDERS
        assert receipt(receiver, sender, sealed, found, day).trust is Trust.SIGNED


def test_114_both_certificates_verify_while_both_are_valid() -> None:
    """A partner that changes earlier or later than it said is understood, in messages and in MDNs."""
    ours = gateway()
    for signs_new_from, signer in ((timedelta(), THEIRS_OLD), (30 * DAY, THEIRS_OLD), (9 * DAY, THEIRS_NEW)):
        theirs = partner(signs_new_from)
        found = opened(ours, sent(theirs, 9), 9)
        assert found.signed_with is not None
        assert (
            found.signed_with.fingerprint
            == (THEIRS_NEW if signs_new_from <= 9 * DAY else signer).certificate.fingerprint
        )
        ours_sent = sent(ours, 9)
        assert receipt(theirs, ours, ours_sent, opened(theirs, ours_sent, 9), 9).signer is not None


def test_115_both_keys_of_ours_decrypt_also_after_the_old_one_has_expired() -> None:
    """What was on its way, or was encrypted by a partner who forgot: the key opens it as long as it is there."""
    theirs = partner(encrypts_new_from="2027-06-01")
    late = sent(theirs, 21)
    assert late.encrypted_with is not None
    assert late.encrypted_with.fingerprint == OURS_OLD.certificate.fingerprint
    for day in (21, 40):
        late.body.seek(0)
        found = opened(gateway(), late, day)
        assert found.encrypted_with is not None
        assert found.encrypted_with.fingerprint == OURS_OLD.certificate.fingerprint


@pytest.mark.parametrize(("day", "key"), [(0, THEIRS_OLD), (9, THEIRS_OLD), (10, THEIRS_NEW), (25, THEIRS_NEW)])
def test_116_we_encrypt_for_their_certificate_of_the_day(day: int, key: PrivateKey) -> None:
    assert used(sent(gateway(), day))[1] == key.certificate.fingerprint


def test_116_of_two_that_may_be_used_at_once_the_later_issued_one_counts() -> None:
    """A certificate put beside the present one without a date: once it is valid, it is the one."""
    pins = (pin(THEIRS_OLD), pin(THEIRS_NEW))
    both = relationship("MARKETPLACE", "VENDOR", [DatedKey(OURS_OLD)], pins)
    assert both.encryption_certificates_at(NOW) == (THEIRS_OLD.certificate,)
    assert both.encryption_certificates_at(NOW + 9 * DAY) == (THEIRS_NEW.certificate,)
    swapped = relationship("MARKETPLACE", "VENDOR", [DatedKey(OURS_OLD)], pins[::-1])
    assert swapped.encryption_certificates_at(NOW + 9 * DAY) == (THEIRS_NEW.certificate,)


@pytest.mark.parametrize(("day", "key"), [(0, OURS_OLD), (11, OURS_OLD), (12, OURS_NEW), (25, OURS_NEW)])
def test_117_we_sign_messages_and_mdns_with_our_key_of_the_day(day: int, key: PrivateKey) -> None:
    ours, theirs = gateway(), partner()
    assert used(sent(ours, day))[0] == key.certificate.fingerprint
    sealed = sent(theirs, day)
    report = receipt(ours, theirs, sealed, opened(ours, sealed, day), day)
    assert report.signer is not None
    assert report.signer.fingerprint == key.certificate.fingerprint


def test_117_a_new_key_that_has_ended_gives_the_old_one_back_its_place() -> None:
    short = key_of("us short", start=NOW, days=15)
    keys = [DatedKey(short, NOW + 12 * DAY), DatedKey(OURS_OLD, NOW - 30 * DAY)]
    ours = relationship("MARKETPLACE", "VENDOR", keys, (pin(THEIRS_OLD),))
    assert ours.signing_key(NOW + 14 * DAY) == short
    assert ours.signing_key(NOW + 16 * DAY) == OURS_OLD


def test_118_what_is_signed_with_an_expired_certificate_is_refused_with_its_dates() -> None:
    """The one that never changed: refused, and the diagnosis names certificate and switch."""
    forgetful = partner(signs_new_from=100 * DAY)
    sealed = sent(forgetful, 19)
    headers = Headers(sealed.headers)
    moment = NOW + 21 * DAY
    refused = open_transmission(read_request(headers), headers, sealed.body, gateway(), io.BytesIO, moment)
    assert isinstance(refused, Refused)
    assert "valid 2026-10-23 to 2026-12-12" in refused.diagnosis
    assert "accept_expired_certificates" in refused.diagnosis
    sealed.body.seek(0)
    assert opened(gateway(accept_expired_certificates=True), sealed, 21).notes


def test_118_without_a_certificate_of_the_day_nothing_is_sent() -> None:
    alone = relationship("MARKETPLACE", "VENDOR", [DatedKey(OURS_NEW)], (pin(THEIRS_OLD),))
    with pytest.raises(RelationshipFault, match=r"no encryption certificate of theirs .* CN=them old \(2026-10-23 to"):
        sent(alone, 21)


def test_119_signing_and_encryption_have_certificates_of_their_own() -> None:
    """On both sides: a key that signs opens nothing, a key that decrypts signs nothing (draft rfc4130bis §9)."""
    our_signing, our_encryption = key_of("us signing"), key_of("us encryption")
    their_signing, their_encryption = key_of("them signing"), key_of("them encryption")
    sides = []
    for name, other, own, pins in (
        ("MARKETPLACE", "VENDOR", (our_signing, our_encryption), (their_signing, their_encryption)),
        ("VENDOR", "MARKETPLACE", (their_signing, their_encryption), (our_signing, our_encryption)),
    ):
        keys = [
            DatedKey(own[0], None, frozenset({KeyUse.SIGNING})),
            DatedKey(own[1], None, frozenset({KeyUse.ENCRYPTION})),
        ]
        policy = As2Policy(
            our_id=name,
            their_id=other,
            url="http://partner.example/as2",
            signing_certificates=(pin(pins[0]),),
            encryption_certificates=(pin(pins[1]),),
            copy_to_ourselves=True,
        )
        sides.append(Relationship.of(policy, keys))
    ours, theirs = sides
    assert ours.decryption_keys() == (our_encryption,)
    assert ours.signing_key(NOW) == our_signing
    copies = ours.encryption_certificates_at(NOW)
    assert copies == (their_encryption.certificate, our_encryption.certificate)
    sealed = sent(ours, 0)
    assert used(sealed) == (our_signing.certificate.fingerprint, their_encryption.certificate.fingerprint)
    report = receipt(theirs, ours, sealed, opened(theirs, sealed, 0), 0)
    assert report.signer is not None
    assert report.signer.fingerprint == their_signing.certificate.fingerprint


def test_119_a_key_of_ours_for_tls_neither_signs_nor_decrypts() -> None:
    tls = DatedKey(key_of("us tls"), None, frozenset({KeyUse.TLS}))
    ours = relationship("MARKETPLACE", "VENDOR", [tls], (pin(THEIRS_OLD),))
    assert ours.decryption_keys() == ()
    with pytest.raises(RelationshipFault, match="there is no signing key of ours"):
        ours.signing_key(NOW)
