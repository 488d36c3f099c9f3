"""MICs both ways, and tables of digests."""

import base64

import pytest

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.mic import (
    SHARED_BYTES_MIN,
    TABLE_DIGESTS,
    DigestTable,
    Mic,
    MicMalformed,
    digests_from_text,
    digests_of,
    digests_to_text,
)

CONTENT = b"UNB+UNOC:3+A+B+261122:1200+1'UNZ+0+1'"
SHA1, SHA256 = Digest.SHA1.of(CONTENT), Digest.SHA256.of(CONTENT)
BASE64_1, BASE64_256 = (base64.b64encode(value).decode() for value in (SHA1, SHA256))

CASES = [
    (Mic(SHA256, Digest.SHA256, "sha-256"), f"{BASE64_256}, sha-256"),
    (Mic(SHA256, Digest.SHA256, "sha256"), f"{BASE64_256}, sha256"),
    (Mic(SHA256, Digest.SHA256, "SHA-256"), f"{BASE64_256}, SHA-256"),
    (Mic(SHA1, Digest.SHA1, "sha1"), f"{BASE64_1}, sha1"),
    (Mic(SHA1, None, "whirlpool"), f"{BASE64_1}, whirlpool"),
]


@pytest.mark.parametrize(("mic", "text"), CASES)
def test_072_mic_is_written_and_read_in_the_partners_spelling(mic, text):
    assert mic.render() == text
    assert Mic.parse(text) == mic


@pytest.mark.parametrize(
    "text",
    [
        f"{BASE64_256},sha256",
        f"  {BASE64_256} ,  Sha-256  ",
        f"{BASE64_256[:20]} {BASE64_256[20:]}, sha_256",
        f'"{BASE64_256}", "sha-256"',
        f"{BASE64_256}, rsa-sha256",
        BASE64_256,
    ],
)
def test_073_spelling_variants_are_read(text):
    mic = Mic.parse(text)
    assert (mic.value, mic.digest) == (SHA256, Digest.SHA256)


@pytest.mark.parametrize("text", ["", ", sha-256", "no base64!, sha-256", "YWJj=ZGVm, sha1", "A" * 5000])
def test_what_is_no_mic_is_refused(text):
    with pytest.raises(MicMalformed):
        Mic.parse(text)


def test_a_mic_without_spelling_is_written_with_the_registered_name():
    assert Mic(SHA256, Digest.SHA256).render() == f"{BASE64_256}, sha-256"


def test_074_a_mic_is_compared_under_the_algorithm_that_it_names():
    table = digests_of([CONTENT[:10], CONTENT[10:]], TABLE_DIGESTS)
    assert all(Mic(table[digest], digest).agrees_with(table) for digest in TABLE_DIGESTS)
    assert not Mic(SHA256, Digest.SHA512).agrees_with(table)
    assert not Mic(SHA256, None, "sha-3").agrees_with(table)


def test_the_table_never_holds_md5():
    """A partner that answers under MD5 proves nothing (RFC 8551 §2.1)."""
    assert Digest.MD5 not in TABLE_DIGESTS
    md5 = Mic(Digest.MD5.of(CONTENT), Digest.MD5, "md5")
    assert not md5.agrees_with(digests_of([CONTENT], TABLE_DIGESTS))


@pytest.mark.parametrize("digests", [TABLE_DIGESTS, TABLE_DIGESTS[:1], TABLE_DIGESTS[:2]])
@pytest.mark.parametrize("size", [1, SHARED_BYTES_MIN - 1, SHARED_BYTES_MIN, SHARED_BYTES_MIN + 1])
def test_two_threads_come_to_the_same_digests(digests, size):
    chunks = [bytes([number]) * size for number in range(5)] + [b"end"]
    assert digests_of(chunks, digests) == {digest: digest.of(b"".join(chunks)) for digest in digests}


def test_digests_survive_being_stored():
    table = digests_of([CONTENT], TABLE_DIGESTS)
    assert digests_from_text(digests_to_text(table)) == table
    assert digests_to_text(table)["sha-256"] == BASE64_256


def test_chunks_pass_through_a_table_unchanged():
    table = DigestTable([Digest.SHA256])
    assert b"".join(table.passing([CONTENT[:7], b"", CONTENT[7:]])) == CONTENT
    assert table.values() == {Digest.SHA256: SHA256}
