"""What an MDN means for what was sent: bound to the transmission, the partnership, the signer and the bytes."""

from base64 import b64encode

import pytest

from edi_gateway.as2 import disposition as d
from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.outbound import Sealed
from edi_gateway.as2.settlement import Outcome, Settlement, judge
from tests.partner import Posted, SimulatedPartner, key_of


def judged(partner: SimulatedPartner, sealed: Sealed, answer: Posted, **policy) -> Settlement:
    return judge(partner.settled_by_gateway(answer, **policy), sealed.sent)


@pytest.fixture
def sealed(partner):
    return partner.sealed_by_gateway()


def mic(sealed: Sealed, digest: Digest, spelling: str) -> str:
    return f"{b64encode(sealed.digests[digest]).decode()}, {spelling}"


def test_079_a_signed_mdn_with_the_right_mic_is_success(partner, sealed):
    settlement = judged(partner, sealed, partner.answer(sealed))
    assert settlement.outcome is Outcome.ACKNOWLEDGED
    assert settlement.outcome.is_positive
    assert settlement.outcome.is_terminal
    assert settlement.signer
    assert settlement.signer.fingerprint == partner.key.certificate.fingerprint


@pytest.mark.parametrize(
    ("digest", "spelling"),
    [
        (Digest.SHA1, "sha1"),
        (Digest.SHA1, "SHA-1"),
        (Digest.SHA256, "sha256"),
        (Digest.SHA384, "sha-384"),
        (Digest.SHA512, "SHA512"),
    ],
)
def test_074_the_mic_is_checked_under_the_algorithm_that_the_mdn_names(partner, sealed, digest, spelling):
    """OpenAS2 and phase2 answer under another algorithm; pyas2lib compares the string."""
    settlement = judged(partner, sealed, partner.answer(sealed, mic=mic(sealed, digest, spelling)))
    assert settlement.outcome is Outcome.ACKNOWLEDGED


def test_a_wrong_mic_is_no_success(partner, sealed):
    """phase2 #59 logged it and went on."""
    wrong = b64encode(Digest.SHA256.of(b"other")).decode() + ", sha-256"
    settlement = judged(partner, sealed, partner.answer(sealed, mic=wrong))
    assert settlement.outcome is Outcome.MIC_WRONG
    assert not settlement.outcome.is_positive
    assert wrong in settlement.explanation


def test_a_mic_under_a_wrong_name_is_diagnosed(partner, sealed):
    settlement = judged(partner, sealed, partner.answer(sealed, mic=mic(sealed, Digest.SHA1, "sha-256")))
    assert settlement.outcome is Outcome.MIC_WRONG
    assert "our sha-1 digest" in settlement.explanation


@pytest.mark.parametrize("name", ["md5", "whirlpool"])
def test_a_mic_under_an_algorithm_that_proves_nothing_is_no_success(partner, sealed, name):
    settlement = judged(partner, sealed, partner.answer(sealed, mic=f"{b64encode(b'x' * 16).decode()}, {name}"))
    assert settlement.outcome is Outcome.MIC_WRONG
    assert name in settlement.explanation


def test_a_missing_mic_is_no_success(partner, sealed):
    """pyas2lib #19."""
    settlement = judged(partner, sealed, partner.answer(sealed, mic=None))
    assert settlement.outcome is Outcome.MIC_MISSING
    assert "mdn_mic_required" in settlement.explanation


def test_a_missing_mic_is_success_where_the_partnership_says_so(partner):
    sealed = partner.sealed_by_gateway(mdn_mic_required=False)
    assert judged(partner, sealed, partner.answer(sealed, mic=None)).outcome is Outcome.ACKNOWLEDGED


def test_093_a_warning_is_success_with_a_warning(partner, sealed):
    """RFC 4130 §7.5.3."""
    settlement = judged(partner, sealed, partner.answer(sealed, disposition=d.DUPLICATE_DOCUMENT))
    assert settlement.outcome is Outcome.ACKNOWLEDGED_WITH_WARNING
    assert settlement.outcome.is_positive
    assert "duplicate-document" in settlement.explanation


def test_093_a_warning_without_the_right_mic_is_none(partner, sealed):
    settlement = judged(partner, sealed, partner.answer(sealed, disposition=d.DUPLICATE_DOCUMENT, mic=None))
    assert settlement.outcome is Outcome.MIC_MISSING


@pytest.mark.parametrize(
    "disposition",
    [
        d.DECRYPTION_FAILED,
        d.UNSUPPORTED_FORMAT,
        "automatic-action/MDN-sent-automatically; Processed/Error",
        "automatic-action/MDN-sent-automatically; deleted",
    ],
)
def test_a_negative_mdn_is_a_refusal_even_with_the_right_mic(partner, sealed, disposition):
    settlement = judged(partner, sealed, partner.answer(sealed, disposition=disposition))
    assert settlement.outcome is Outcome.REFUSED
    assert settlement.outcome.is_terminal
    assert "Received." in settlement.explanation


@pytest.mark.parametrize("disposition", [d.PROCESSED, d.DECRYPTION_FAILED])
def test_an_unsigned_mdn_decides_nothing_where_a_signed_one_was_asked_for(partner, sealed, disposition):
    settlement = judged(partner, sealed, partner.answer(sealed, disposition=disposition, signed=False))
    assert settlement.outcome is Outcome.UNSIGNED
    assert not settlement.outcome.is_terminal
    assert disposition.status in settlement.explanation


def test_078_an_unsigned_mdn_is_enough_where_none_signed_was_asked_for(partner):
    sealed = partner.sealed_by_gateway(mdn_signed=False)
    assert judged(partner, sealed, partner.answer(sealed, signed=False)).outcome is Outcome.ACKNOWLEDGED


def test_098_an_mdn_about_another_transmission_is_not_ours(partner, sealed):
    settlement = judged(partner, sealed, partner.answer(sealed, message_id="<other@gateway.example>"))
    assert settlement.outcome is Outcome.NOT_OURS
    assert not settlement.outcome.is_terminal


def test_015_brackets_that_the_partner_strips_do_not_matter(partner, sealed):
    stripped = sealed.sent.message_id.strip("<>")
    assert judged(partner, sealed, partner.answer(sealed, message_id=stripped)).outcome is Outcome.ACKNOWLEDGED


@pytest.mark.parametrize("name", ["AS2_From", "AS2_To"])
def test_010_names_of_another_partnership_are_not_ours(partner, sealed, name):
    settlement = judged(partner, sealed, partner.answer(sealed, **{name: "SOMEBODY ELSE"}))
    assert settlement.outcome is Outcome.NOT_OURS
    assert "SOMEBODY ELSE" in settlement.explanation


def test_a_synchronous_answer_may_lack_the_names(partner, sealed):
    answer = partner.answer(sealed, AS2_From=None, AS2_To=None)
    assert judged(partner, sealed, answer).outcome is Outcome.ACKNOWLEDGED


def test_a_wrong_signer_is_not_trusted(partner, sealed):
    answer = partner.answer(sealed, key=key_of("STRANGER"))
    settlement = judged(partner, sealed, answer)
    assert settlement.outcome is Outcome.UNTRUSTED
    assert not settlement.outcome.is_terminal
    assert settlement.signer is None


def test_an_mdn_signed_under_sha_1_is_not_trusted(partner, sealed):
    settlement = judged(partner, sealed, partner.answer(sealed, digest=Digest.SHA1))
    assert settlement.outcome is Outcome.UNTRUSTED
    assert "sha-1" in settlement.explanation
