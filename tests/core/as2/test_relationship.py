"""Whose key serves at which date: the six look-ups of a roll-over, and what a policy may not say."""

from dataclasses import replace
from datetime import timedelta

import pytest

from edi_gateway.as2.algorithms import SignatureScheme
from edi_gateway.as2.errors import RelationshipFault
from edi_gateway.as2.relationship import DatedKey, Relationship
from edi_gateway.partnership import DatedCertificate
from tests.partner import NOW, SimulatedPartner, key_of, pinned

DAY = timedelta(days=1)


def dated(name: str, use_from: str) -> DatedCertificate:
    return DatedCertificate(pem=key_of(name).certificate.pem, use_from=use_from)


def test_117_our_signing_key_is_switched_by_date(partner):
    old, new = key_of("us old"), key_of("us new")
    keys = [DatedKey(new, NOW + 10 * DAY), DatedKey(old, NOW - 100 * DAY)]
    relationship = Relationship.of(partner.policy(), keys)
    assert relationship.signing_key(NOW) == old
    assert relationship.signing_key(NOW + 10 * DAY - timedelta(seconds=1)) == old
    assert relationship.signing_key(NOW + 10 * DAY) == new


def test_115_every_key_of_ours_decrypts(partner):
    old, new = key_of("us old"), key_of("us new")
    relationship = Relationship.of(partner.policy(), [DatedKey(new, NOW + DAY), old])
    assert set(relationship.decryption_keys()) == {old, new}
    for key in (old, new):
        sender = SimulatedPartner(gateway_key=key)
        posted = sender.post(sender.encrypted(sender.signed(sender.entity())))
        reader = SimulatedPartner(gateway_key=key)
        assert reader.opened(posted).encrypted_with.fingerprint == key.certificate.fingerprint


def test_116_their_encryption_certificate_is_switched_by_date(partner):
    pins = (dated("them old", ""), dated("them new", "2026-12-01"))
    relationship = partner.relationship(encryption_certificates=pins)
    (before,) = relationship.encryption_certificates_at(NOW)
    (after,) = relationship.encryption_certificates_at(NOW + 30 * DAY)
    assert before == key_of("them old").certificate
    assert after == key_of("them new").certificate


def test_114_every_pinned_certificate_verifies_also_before_its_date(partner):
    """The partner may switch earlier than it said."""
    pins = (dated("them old", ""), dated("them new", "2026-12-01"))
    relationship = partner.relationship(signing_certificates=pins)
    assert len(relationship.verifying_certificates()) == 2


def test_062_the_originators_copy_of_the_content_key(partner):
    """Draft rfc4130bis §7.2."""
    theirs, ours = partner.relationship(copy_to_ourselves=True).encryption_certificates_at(NOW)
    assert (theirs, ours) == (partner.key.certificate, partner.gateway_key.certificate)


@pytest.mark.parametrize("days", [-31, 400])
def test_118_no_key_or_certificate_outside_of_its_validity(partner, days):
    relationship, moment = partner.relationship(), NOW + days * DAY
    with pytest.raises(RelationshipFault, match="key of ours"):
        relationship.signing_key(moment)
    with pytest.raises(RelationshipFault, match="encryption certificate of theirs"):
        relationship.encryption_certificates_at(moment)


def test_118_nothing_pinned_is_said_plainly(partner):
    relationship = partner.relationship(encryption_certificates=())
    with pytest.raises(RelationshipFault, match="there is no encryption certificate"):
        relationship.encryption_certificates_at(NOW)


def test_only_the_leaf_of_a_chain_is_pinned(partner):
    leaf, other = key_of("leaf").certificate, key_of("other").certificate
    chain = DatedCertificate(pem=leaf.pem + other.pem)
    assert partner.relationship(signing_certificates=(chain,)).verifying_certificates() == (leaf,)


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "md5"},
        {"accepted_digests": frozenset({"md5"})},
        {"cipher": "3des-cbc"},
        {"digest": "sha-0"},
        {"cipher": "rot13"},
        {"key_transport": "pigeon"},
        {"signature_scheme": "seal and wax"},
        {"version": "1.3", "digest": "sha-1"},
        {"version": "1.3", "accepted_digests": frozenset({"sha-256", "sha-1"})},  # our MDN would be signed with it
        {"version": "1.3", "accepted_ciphers": frozenset({"aes-128-cbc", "3des-cbc"})},
        {"version": "1.3", "key_transport": "oaep-sha-1"},
    ],
)
def test_064_what_must_not_be_agreed_is_refused(partner, change):
    """Draft rfc4130bis §6.1: weak algorithms are never generated between 1.3 peers."""
    with pytest.raises(RelationshipFault):
        partner.relationship(**change)


def test_064_sha_1_may_be_sent_to_a_legacy_partner_below_1_3(partner):
    assert partner.relationship(version="1.2", digest="sha-1")


def test_a_date_that_is_none_is_refused(partner):
    with pytest.raises(RelationshipFault, match="ISO date"):
        partner.relationship(signing_certificates=(dated("them old", "soon"),))


def test_an_elliptic_key_signs_in_its_own_scheme(partner):
    key = key_of("EC", "p-256")
    relationship = Relationship.of(partner.policy(), [key])
    assert relationship.scheme_for(key) is SignatureScheme.ECDSA
    assert relationship.scheme_for(partner.key) is SignatureScheme.PKCS1V15
    assert partner.relationship(signature_scheme="pss").scheme_for(partner.key) is SignatureScheme.PSS
    assert partner.relationship(signature_scheme="pss").scheme_for(key) is SignatureScheme.ECDSA


AGREED = "https://vendor.example/mdn"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://vendor.example/mdn", True),
        ("HTTPS://Vendor.Example:443/mdn", True),
        ("https://vendor.example/mdn?message=1", True),
        ("https://vendor.example/other", False),
        ("http://vendor.example/mdn", False),
        ("https://vendor.example:8443/mdn", False),
        ("https://vendor.example@169.254.169.254/mdn", False),
        ("https://user:pass@vendor.example/mdn", False),
        ("https://vendor.example.evil.example/mdn", False),
        ("https://[::ffff:127.0.0.1]/mdn", False),
        ("http://[::1", False),
        ("https://vendor.example:99999/mdn", False),
        ("file:///etc/passwd", False),
        ("mailto:mdn@vendor.example", False),
        ("", False),
    ],
)
def test_asynchronous_receipts_go_to_the_agreed_address_only(partner, url, allowed):
    """django-pyas2 posts them anywhere: a request from inside of the network, to whoever is named."""
    assert partner.relationship(mdn_url=AGREED).allows_delivery_to(url) is allowed


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://vendor.example/any", True),
        ("http://vendor.example:8080/as2", False),
        ("http://other.example/as2", False),
    ],
)
def test_without_an_agreed_mdn_address_the_host_of_the_message_address_counts(partner, url, allowed):
    assert partner.relationship(mdn_url="").allows_delivery_to(url) is allowed


def test_a_relationship_is_a_value(partner):
    relationship = partner.relationship()
    assert replace(relationship) == relationship
    assert pinned(partner.key.certificate)[0].pem in relationship.policy.signing_certificates[0].pem
