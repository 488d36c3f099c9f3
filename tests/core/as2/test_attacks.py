"""Attacks that other AS2 software fell to, or could; each one by name."""

import contextlib
import io
import zlib
from base64 import b64encode
from collections.abc import Callable

import pytest
from asn1crypto import cms as asn1
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_gateway.as2 import disposition as d
from edi_gateway.as2.algorithms import Cipher, Digest
from edi_gateway.as2.disposition import DECRYPTION_FAILED
from edi_gateway.as2.errors import As2Refusal
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_report, open_transmission
from edi_gateway.as2.opened import Opened, OpenedReport, Refused
from edi_gateway.as2.outbound import Sealed
from edi_gateway.as2.settlement import Outcome, judge
from tests.partner import NOW, ORDERS, Posted, SimulatedPartner, key_of

ENCRYPTED_ONLY = {"require_signature": False}
SIGNED_ONLY = {"require_encryption": False}
OPEN = {**ENCRYPTED_ONLY, **SIGNED_ONLY}


def altered(entity: bytes, change: Callable[[asn1.ContentInfo], None]) -> bytes:
    """A CMS entity with its structure changed."""
    head, _, body = entity.partition(b"\r\n\r\n")
    info = asn1.ContentInfo.load(body)
    change(info)
    return head + b"\r\n\r\n" + info.dump(force=True)


def without_signers(signature: bytes) -> bytes:
    info = asn1.ContentInfo.load(signature)
    info["content"]["signer_infos"] = asn1.SignerInfos([])
    return info.dump(force=True)


# --- forged signatures ------------------------------------------------------------------------------


def test_zero_signer_infos_in_a_message(partner):
    """S1: pyas2lib accepts a SignedData that nobody signed."""
    entity = partner.entity()
    forged = partner.signed(entity, signature=without_signers(partner.signature(entity)))
    refused = partner.refused(partner.post(partner.encrypted(forged)))
    assert refused.disposition == d.AUTHENTICATION_FAILED
    assert refused.signed_with is None


def test_zero_signer_infos_in_an_opaque_message(partner):
    def unsign(info: asn1.ContentInfo) -> None:
        info["content"]["signer_infos"] = asn1.SignerInfos([])

    refused = partner.refused(partner.post(altered(partner.opaque(partner.entity()), unsign)), **SIGNED_ONLY)
    assert refused.disposition == d.AUTHENTICATION_FAILED


def test_zero_signer_infos_in_an_mdn(partner):
    sealed = partner.sealed_by_gateway()
    report = partner.report(partner.notification(sealed.sent.message_id, mic=genuine_mic(sealed)))
    forged = partner.mdn(partner.signed(report, signature=without_signers(partner.signature(report))))
    assert judge(partner.settled_by_gateway(forged), sealed.sent).outcome is Outcome.UNTRUSTED


def genuine_mic(sealed: Sealed) -> str:
    return f"{b64encode(sealed.digests[Digest.SHA256]).decode()}, sha-256"


def test_a_second_signer_who_is_nobody_spoils_the_first(partner):
    """Every SignerInfo has to be verified, not only one of them."""
    entity = partner.entity()
    ours, stranger = partner.signature(entity), partner.signature(entity, key=key_of("STRANGER"))
    info = asn1.ContentInfo.load(ours)
    added = asn1.ContentInfo.load(stranger)["content"]["signer_infos"][0]
    info["content"]["signer_infos"].append(added)
    both = info.dump(force=True)
    refused = partner.refused(partner.post(partner.signed(entity, signature=both)), **SIGNED_ONLY)
    assert refused.disposition == d.AUTHENTICATION_FAILED


def test_a_certificate_inside_of_the_message_is_never_trusted(partner):
    """phase2 trusts embedded certificates by default; this one even bears the partner's name."""
    impostor = key_of("VENDOR", start=NOW.replace(hour=1))
    assert impostor.certificate.subject == partner.key.certificate.subject
    refused = partner.refused(partner.post(partner.signed(partner.entity(), key=impostor)), **SIGNED_ONLY)
    assert refused.disposition == d.AUTHENTICATION_FAILED


@pytest.mark.parametrize("digest", [Digest.SHA1, Digest.MD5])
def test_digest_downgrade(partner, digest):
    """S5: pyas2lib accepts MD5 and SHA-1 whatever is agreed."""
    entity = partner.entity()
    if digest is Digest.SHA1:
        signature = partner.signature(entity, digest)
    else:
        info = asn1.ContentInfo.load(partner.signature(entity))
        info["content"]["digest_algorithms"][0]["algorithm"] = "md5"
        info["content"]["signer_infos"][0]["digest_algorithm"]["algorithm"] = "md5"
        signature = info.dump(force=True)
    refused = partner.refused(partner.post(partner.signed(entity, signature=signature, micalg="md5")), **SIGNED_ONLY)
    assert refused.disposition in (d.INSUFFICIENT_MESSAGE_SECURITY, d.AUTHENTICATION_FAILED)
    never = partner.delivered(
        partner.post(partner.signed(entity, signature=signature)),
        accepted_digests=frozenset({"sha-256", "sha-384"}),
        **SIGNED_ONLY,
    )
    assert isinstance(never, Refused)


def test_a_third_part_of_a_multipart_signed(partner):
    """RFC 1847 §2.1: exactly two; the payload of pyas2lib is the last leaf."""
    entity = partner.signed(partner.entity(), more_parts=[partner.entity(b"EVIL")])
    assert "two parts" in partner.refused(partner.post(entity), **SIGNED_ONLY).diagnosis


@pytest.mark.parametrize("place", ["preamble", "epilogue"])
def test_what_stands_around_the_parts_is_never_content(partner, place):
    evil = b"Content-Type: application/edifact\r\n\r\nEVIL\r\n"
    opened = partner.opened(partner.post(partner.signed(partner.entity(), **{place: evil})), **SIGNED_ONLY)
    assert opened.payload.read() == ORDERS


def test_a_signature_in_a_foreign_wrapping_does_not_count(partner):
    """A genuine signed part inside of a multipart/mixed with something else."""
    inner = partner.signed(partner.entity())
    body = b"--m\r\n" + inner + b"\r\n--m\r\n" + partner.entity(b"EVIL") + b"\r\n--m--\r\n"
    refused = partner.refused(partner.post(b"Content-Type: multipart/mixed; boundary=m\r\n\r\n" + body), **SIGNED_ONLY)
    assert refused.disposition == d.INSUFFICIENT_MESSAGE_SECURITY


# --- forged receipts ---------------------------------------------------------------------------------


def negative_signed(partner: SimulatedPartner, sealed: Sealed) -> bytes:
    return partner.report(partner.notification(sealed.sent.message_id, d.DECRYPTION_FAILED))


def positive(partner: SimulatedPartner, sealed: Sealed) -> bytes:
    return partner.notification(sealed.sent.message_id, d.PROCESSED, genuine_mic(sealed))


WRAPPINGS = {
    "a third part": lambda p, s: p.signed(negative_signed(p, s), more_parts=[positive(p, s)]),
    "a whole report as third part": lambda p, s: p.signed(negative_signed(p, s), more_parts=[p.report(positive(p, s))]),
    "the signed report inside of a report": lambda p, s: p.report(positive(p, s), p.signed(negative_signed(p, s))),
    "the signed report before": lambda p, s: p.report(p.signed(negative_signed(p, s)), positive(p, s)),
    "a mixed of both": lambda p, s: (
        b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n"
        + p.signed(negative_signed(p, s))
        + b"\r\n--m\r\n"
        + p.report(positive(p, s))
        + b"\r\n--m--\r\n"
    ),
    "in the preamble": lambda p, s: p.signed(negative_signed(p, s), preamble=p.report(positive(p, s))),
    "in the epilogue": lambda p, s: p.signed(negative_signed(p, s), epilogue=p.report(positive(p, s))),
    "swapped for the signed one": lambda p, s: p.signed(
        p.report(positive(p, s)), signature=p.signature(negative_signed(p, s))
    ),
    "in the part of the signature": lambda p, s: p.signed(
        negative_signed(p, s), signature=p.report(positive(p, s)), encoding="binary"
    ),
}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
def test_a_signed_negative_report_with_an_unsigned_positive_one(partner, wrap):
    """S2: pyas2lib takes the signature from the first report and the status from the last."""
    sealed = partner.sealed_by_gateway()
    forged = partner.mdn(wrap(partner, sealed))
    outcome = open_report(forged.headers, io.BytesIO(forged.body), partner.relationship(), io.BytesIO, NOW)
    if isinstance(outcome, OpenedReport):
        settlement = judge(outcome, sealed.sent)
        assert not settlement.outcome.is_positive
        assert settlement.outcome in (Outcome.REFUSED, Outcome.UNTRUSTED, Outcome.UNSIGNED)
    else:
        assert isinstance(outcome, Refused)
        assert outcome.is_report


def test_an_mdn_from_another_partner(partner):
    """S4: signed by a partner that we know, under its own name, about the transmission to somebody else."""
    sealed = partner.sealed_by_gateway()
    other = SimulatedPartner(name="OTHER VENDOR")
    answer = other.answer(sealed)
    assert judge(other.settled_by_gateway(answer), sealed.sent).outcome is Outcome.NOT_OURS
    under_a_false_name = answer.with_headers(AS2_From=partner.name)
    assert judge(partner.settled_by_gateway(under_a_false_name), sealed.sent).outcome is Outcome.UNTRUSTED


def test_an_mdn_of_an_older_transmission(partner):
    old = partner.sealed_by_gateway(message_id="<old@gateway.example>")
    new = partner.sealed_by_gateway(payload=b"other", message_id="<new@gateway.example>")
    assert judge(partner.settled_by_gateway(partner.answer(old)), new.sent).outcome is Outcome.NOT_OURS


def test_an_mdn_is_never_a_payload(partner):
    sealed = partner.sealed_by_gateway()
    outcome = partner.delivered(partner.answer(sealed), **OPEN)
    assert isinstance(outcome, OpenedReport)


def test_a_payload_is_never_an_mdn(partner):
    posted = partner.post(partner.signed(partner.entity()))
    outcome = open_report(posted.headers, io.BytesIO(posted.body), partner.relationship(**OPEN), io.BytesIO, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.is_report


# --- encryption ----------------------------------------------------------------------------------------


def test_compressed_only_where_encryption_is_demanded(partner):
    """S3: the demand is bypassed in pyas2lib; here it is checked before anything is inflated."""
    bomb = partner.compressed(partner.entity(b"\x00" * 10_000_000))
    for entity in (bomb, partner.signed(bomb)):
        refused = partner.refused(partner.post(entity), require_signature=False)
        assert refused.disposition == d.INSUFFICIENT_MESSAGE_SECURITY


def ciphertext_of(entity: bytes) -> bytes:
    info = asn1.ContentInfo.load(entity.partition(b"\r\n\r\n")[2])
    return info["content"]["encrypted_content_info"]["encrypted_content"].native


def with_ciphertext(entity: bytes, ciphertext: bytes) -> bytes:
    def change(info: asn1.ContentInfo) -> None:
        inner = info["content"]["encrypted_content_info"]
        inner["encrypted_content"] = ciphertext

    head, _, body = entity.partition(b"\r\n\r\n")
    old = ciphertext_of(entity)
    if len(old) == len(ciphertext):
        return head + b"\r\n\r\n" + body.replace(old, ciphertext)
    return altered(entity, change)


def answers(partner: SimulatedPartner, entities: list[bytes], **policy) -> set[tuple[str, str]]:
    """What the partner can tell apart: disposition and explanation."""
    refusals = [partner.refused(partner.post(entity), **policy) for entity in entities]
    return {(refusal.disposition.status, refusal.explanation) for refusal in refusals}


def test_cbc_bit_flips_never_deliver_altered_data(partner):
    """S8: pyas2lib delivers them from an encrypt-only message; here a signature is demanded by default."""
    entity = partner.encrypted(partner.signed(partner.entity()))
    ciphertext = ciphertext_of(entity)
    for place in range(0, len(ciphertext), 37):
        flipped = bytearray(ciphertext)
        flipped[place] ^= 0x01
        outcome = partner.delivered(partner.post(with_ciphertext(entity, bytes(flipped))))
        assert not isinstance(outcome, Opened) or outcome.payload.read() == ORDERS
    unsigned = partner.encrypted(partner.entity())
    assert answers(partner, [unsigned]) == {
        (d.INSUFFICIENT_MESSAGE_SECURITY.status, "The message is not signed, which this partnership demands.")
    }


def padding_oracle_queries(entity: bytes) -> list[bytes]:
    """The queries of Vaudenay's attack: a whole valid message, a block of our choice, and the block to be read."""
    ciphertext = ciphertext_of(entity)
    target = ciphertext[32:48]
    return [with_ciphertext(entity, ciphertext + b"\x00" * 15 + bytes([guess]) + target) for guess in range(256)]


def test_padding_and_content_errors_are_the_same_to_the_sender(partner):
    """One of the 256 guesses has a valid padding; the answer must not tell which."""
    found = answers(partner, padding_oracle_queries(partner.encrypted(partner.signed(partner.entity()))))
    assert found == {(DECRYPTION_FAILED.status, "The message could not be decrypted.")}


def test_a_padding_oracle_on_the_start_of_a_message_tells_nothing(partner):
    """The altered blocks come first: whatever they become, the answer is one."""
    entity = partner.encrypted(partner.signed(partner.entity()))
    ciphertext = ciphertext_of(entity)
    queries = [with_ciphertext(entity, b"\x00" * 15 + bytes([guess]) + ciphertext[16:32]) for guess in range(256)]
    assert answers(partner, queries) == {(DECRYPTION_FAILED.status, "The message could not be decrypted.")}


def with_iv(entity: bytes, iv: bytes) -> bytes:
    info = asn1.ContentInfo.load(entity.partition(b"\r\n\r\n")[2])
    old = info["content"]["encrypted_content_info"]["content_encryption_algorithm"]["parameters"].native
    return entity.replace(old, iv)


def iv_of(entity: bytes) -> bytes:
    info = asn1.ContentInfo.load(entity.partition(b"\r\n\r\n")[2])
    return info["content"]["encrypted_content_info"]["content_encryption_algorithm"]["parameters"].native


def test_a_padding_oracle_behind_a_rewritten_first_block_tells_nothing(partner):
    """The first block can be rewritten through the initialization vector: here into headers of unsigned content."""
    first, wanted = b"Content-Type: mu", b"X: yes\r\n\r\ncontent"[:16]
    for query in padding_oracle_queries(partner.encrypted(partner.signed(partner.entity())))[::5]:
        iv = bytes(a ^ b ^ c for a, b, c in zip(iv_of(query), first, wanted, strict=True))
        assert answers(partner, [with_iv(query, iv)]) == {
            (DECRYPTION_FAILED.status, "The message could not be decrypted.")
        }


def test_an_honest_unsigned_message_is_named_whatever_its_padding_is(partner):
    """Its headers come first and decide, so that the answer does not depend on the padding."""
    entity = partner.encrypted(partner.entity(b"x" * 2000))
    found = answers(partner, padding_oracle_queries(entity)[::5])
    assert found == {
        (d.INSUFFICIENT_MESSAGE_SECURITY.status, "The message is not signed, which this partnership demands.")
    }


def test_a_padding_oracle_behind_compressed_content_tells_nothing(partner):
    entity = partner.encrypted(partner.compressed(partner.signed(partner.entity())))
    assert answers(partner, padding_oracle_queries(entity)) == {
        (DECRYPTION_FAILED.status, "The message could not be decrypted.")
    }


def test_wrong_key_and_broken_content_are_the_same_to_the_sender(partner):
    entity = partner.encrypted(partner.signed(partner.entity()))

    def spoil_key(info: asn1.ContentInfo) -> None:
        recipient = info["content"]["recipient_infos"][0].chosen
        recipient["encrypted_key"] = bytes(256)

    spoiled = [
        altered(entity, spoil_key),
        with_ciphertext(entity, bytes(len(ciphertext_of(entity)))),
        with_ciphertext(entity, ciphertext_of(entity)[:-16]),
        partner.encrypted(b"no MIME at all"),
        partner.encrypted(b"Content-Type: multipart/signed; boundary=b\r\n\r\nno delimiter"),
        partner.encrypted(b"Content-Type: application/pkcs7-mime\r\n\r\nno CMS"),
    ]
    assert answers(partner, spoiled) == {(DECRYPTION_FAILED.status, "The message could not be decrypted.")}


def test_but_the_operator_is_told_what_was_wrong(partner):
    refused = partner.refused(partner.post(partner.encrypted(b"no MIME at all")))
    assert "blank line" in refused.diagnosis


def test_authenticated_encryption_tells_what_the_content_is(partner):
    """With GCM nobody but the sender made the content, so its errors may be named."""
    broken = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\nno CMS"
    refused = partner.refused(partner.post(partner.encrypted(broken, cipher=Cipher.AES_128_GCM)))
    assert refused.disposition == d.UNEXPECTED_PROCESSING_ERROR


def test_a_changed_gcm_tag_is_a_failed_decryption_even_around_a_good_signature(partner):
    entity = partner.encrypted(partner.signed(partner.entity()), cipher=Cipher.AES_256_GCM)
    refused = partner.refused(partner.post(entity[:-1] + bytes([entity[-1] ^ 1])))
    assert refused.disposition == d.DECRYPTION_FAILED


def test_authenticated_content_is_not_believed_before_its_tag(partner):
    """Cut off before the tag, nothing of what was decrypted so far decides the answer."""
    for content in (partner.signed(partner.entity()), partner.entity(), b"no MIME at all"):
        entity = partner.encrypted(content, cipher=Cipher.AES_256_GCM)
        found = answers(partner, [entity[:-cut] for cut in (1, 10, 18, 19, 40)], require_signature=False)
        assert found == {(DECRYPTION_FAILED.status, "The message could not be decrypted.")}


# --- bombs ----------------------------------------------------------------------------------------------


def bomb_of(partner: SimulatedPartner, size: int) -> bytes:
    """A CompressedData that inflates to that many zeros."""
    deflater = zlib.compressobj(9)
    chunk = bytes(1024 * 1024)
    deflated = b"".join(deflater.compress(chunk) for _ in range(size // len(chunk))) + deflater.flush()
    head = b"Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n\r\n"
    info = asn1.ContentInfo(
        {
            "content_type": "compressed_data",
            "content": {
                "version": "v0",
                "compression_algorithm": {"algorithm": "zlib"},
                "encap_content_info": {"content_type": "data", "content": deflated},
            },
        }
    )
    return head + info.dump()


def test_an_inflate_bomb_meets_the_ratio(partner):
    """S6: 292 kB to 300 MB took pyas2lib 3.2 GB; Camel CAMEL-24431."""
    bomb = bomb_of(partner, 300 * 1024 * 1024)
    assert len(bomb) < 350_000
    written: list[int] = []

    class Counting(io.BytesIO):
        def write(self, data) -> int:
            written.append(len(data))
            return super().write(data)

    posted = partner.post(bomb)
    outcome = open_transmission(
        read_request(posted.headers), posted.headers, io.BytesIO(bomb), partner.relationship(**OPEN), Counting, NOW
    )
    assert isinstance(outcome, Refused)
    assert sum(written) < 100 * 1024 * 1024


def test_an_inflate_bomb_meets_the_absolute_bound(partner):
    entity = partner.compressed(b"\r\n" + bytes(2_000_000))
    refused = partner.refused(partner.post(entity), payload_bytes_max=1_000_000, inflate_ratio_max=10_000_000, **OPEN)
    assert refused.disposition == d.DECOMPRESSION_FAILED
    assert "1000000" in refused.diagnosis


def test_a_bomb_inside_of_a_signature_is_not_touched_before_the_signature_holds(partner):
    entity = partner.signed(bomb_of(partner, 64 * 1024 * 1024), key=key_of("STRANGER"))
    assert partner.refused(partner.post(entity), **SIGNED_ONLY).disposition == d.AUTHENTICATION_FAILED


# --- data that wants to be more -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/cron.d/evil",
        "..\\..\\startup\\evil.bat",
        "/etc/passwd",
        "C:\\boot.ini",
        "\\\\host\\share\\evil",
        "con",
        "a/../../b",
        "file\x7f.edi",
        "%2e%2e%2fetc%2fpasswd",
    ],
)
def test_a_file_name_is_never_a_path(partner, name):
    """OpenAS2 PR #194: written outside of its folder."""
    entity = partner.entity(ORDERS, "application/edifact", f'Content-Disposition: attachment; filename="{name}"')
    opened = partner.opened(partner.post(partner.encrypted(partner.signed(entity))))
    assert not set(opened.filename) & set('/\\:\x00"%')
    assert opened.filename.lower() not in ("con", "..", ".")
    assert not opened.filename.startswith(".")


@pytest.mark.parametrize("message_id", ["<../../../etc/passwd>", "<..\\..\\x@y>", "<$(reboot)@x>", "<a;b|c@x>"])
def test_a_message_id_is_only_ever_text(partner, message_id):
    """OpenAS2 #564: traversal by Message-ID. It is kept to the byte; no path is ever made of it here."""
    request = read_request(partner.post(partner.entity(), message_id).headers)
    assert request.message_id == message_id


def test_a_header_cannot_set_anything_but_its_field(partner):
    """CrushFTP: AS2 headers became attributes of a session."""
    extra = {"__class__": "x", "require_signature": "false", "X-Policy": "open", "Relationship": "trusted"}
    posted = partner.post(partner.encrypted(partner.entity())).with_headers(**extra)
    assert partner.refused(posted).disposition == d.INSUFFICIENT_MESSAGE_SECURITY


# --- noise ------------------------------------------------------------------------------------------------------


def mutated(data: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    for place, piece in changes:
        at = place % (len(data) + 1)
        data = data[:at] + piece + data[at + len(piece) :]
    return data


CHANGES = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=3)), min_size=1, max_size=4)


@given(changes=CHANGES, layers=st.sampled_from(["signed", "encrypted", "both", "compressed", "opaque"]))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_altered_transmission_raises_or_passes_with_other_content(partner, changes, layers):
    entity = {
        "signed": lambda: partner.signed(partner.entity()),
        "encrypted": lambda: partner.encrypted(partner.signed(partner.entity())),
        "both": lambda: partner.encrypted(partner.compressed(partner.signed(partner.entity()))),
        "compressed": lambda: partner.signed(partner.compressed(partner.entity())),
        "opaque": lambda: partner.opaque(partner.entity()),
    }[layers]()
    posted = partner.post(entity)
    outcome = partner.delivered(Posted(posted.headers, mutated(posted.body, changes)), **SIGNED_ONLY)
    assert not isinstance(outcome, Opened) or outcome.payload.read() == ORDERS


@given(changes=CHANGES)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_altered_mdn_raises_or_turns_positive(partner, changes):
    sealed = partner.sealed_by_gateway()
    answer = partner.answer(sealed, disposition=d.DECRYPTION_FAILED)
    body = io.BytesIO(mutated(answer.body, changes))
    outcome = open_report(answer.headers, body, partner.relationship(), io.BytesIO, NOW)
    assert isinstance(outcome, Refused) or not judge(outcome, sealed.sent).outcome.is_positive


@given(st.lists(st.tuples(st.sampled_from(["AS2-From", "AS2-To", "Message-ID", "Content-Type", "X"]), st.text())))
@settings(deadline=None, max_examples=150)
def test_no_headers_raise_anything_but_a_refusal(pairs):
    with contextlib.suppress(As2Refusal):
        read_request(Headers(pairs))
