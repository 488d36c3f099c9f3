"""Whatever bytes arrive, only a `CmsError` is raised, in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edi_gateway.as2 import cms
from edi_gateway.as2.algorithms import LEGACY_CIPHERS, LEGACY_DIGESTS, Cipher, Digest, KeyTransport, SignatureScheme
from edi_gateway.as2.cms import CmsError, ContentType, der
from tests.core.as2_cms.material import NOW, key, pieces

SMALL = b"UNB+UNOC:3'"


def read(data: bytes, size: int = 1 << 20) -> bytes:
    """Everything that the gateway would try with bytes of that content type; gives the content."""
    kind = cms.content_type_of(data[: cms.PREFIX_BYTES])
    return _READERS[kind](data, size)


def read_envelope(data: bytes, size: int) -> bytes:
    keys = [key(), key("us", "p-256")]
    return b"".join(cms.open_enveloped(pieces(data, size), keys, LEGACY_CIPHERS).chunks)


def read_signature(data: bytes, size: int) -> bytes:
    found = cms.read_signed_data(data)
    content = found.content if found.content is not None else SMALL
    cms.verify(found, lambda d: d.of(content), [key().certificate, key("us", "p-256").certificate], LEGACY_DIGESTS)
    if found.content is None:
        return content
    opaque = cms.open_signed(pieces(data, size))
    streamed = b"".join(opaque.chunks)
    cms.verify(opaque.signed, opaque.digest_of, [key().certificate, key("us", "p-256").certificate], LEGACY_DIGESTS)
    return streamed


def read_compressed(data: bytes, size: int) -> bytes:
    return b"".join(cms.inflate(pieces(data, size), bytes_max=1 << 20))


_READERS: dict[ContentType | None, Callable[[bytes, int], bytes]] = {
    ContentType.ENVELOPED: read_envelope,
    ContentType.AUTH_ENVELOPED: read_envelope,
    ContentType.SIGNED: read_signature,
    ContentType.COMPRESSED: read_compressed,
    ContentType.DATA: read_envelope,
    None: read_envelope,
}


@cache
def samples() -> dict[str, bytes]:
    """One small message of each kind."""
    rsa, elliptic = key(), key("us", "p-256")
    digest, options = Digest.SHA256, cms.SigningOptions(algorithm_protection=True, certificate=False)
    oaep = KeyTransport.OAEP_SHA256
    of = digest.of(SMALL)
    return {
        "cbc": b"".join(cms.encrypt([SMALL], [rsa.certificate], Cipher.AES_128_CBC, oaep)),
        "gcm": b"".join(cms.encrypt([SMALL], [rsa.certificate], Cipher.AES_256_GCM, by_key_identifier=True)),
        "ecdh": b"".join(cms.encrypt([SMALL], [elliptic.certificate], Cipher.AES_128_CBC, KeyTransport.ECDH)),
        "detached": cms.sign(of, digest, rsa, None, NOW, options),
        "pss": cms.sign(of, digest, rsa, SignatureScheme.PSS, NOW, options),
        "ecdsa": cms.sign(of, digest, elliptic, None, NOW, options),
        "opaque": b"".join(cms.sign_opaque([SMALL], digest, elliptic, None, NOW, options)),
        "compressed": b"".join(cms.compress([SMALL])),
    }


KINDS = ["cbc", "gcm", "ecdh", "detached", "pss", "ecdsa", "opaque", "compressed"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_samples_themselves_read(kind: str) -> None:
    assert read(samples()[kind]) == SMALL


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_truncated_at_any_byte_is_refused(kind: str) -> None:
    whole = samples()[kind]
    for end in range(len(whole)):
        with pytest.raises(CmsError):
            read(whole[:end])


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_changed_anywhere_never_breaks_the_reader(kind: str) -> None:
    whole = samples()[kind]
    for at in range(len(whole)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            changed = whole[:at] + bytes((whole[at] ^ flip,)) + whole[at + 1 :]
            refused_or_read(changed)


def refused_or_read(data: bytes, size: int = 1 << 20) -> None:
    """Anything but a `CmsError` fails the test by itself."""
    refused: CmsError | None = None
    try:
        read(data, size)
    except CmsError as error:
        refused = error
    if refused is not None:
        assert refused.diagnosis
        assert str(refused) == type(refused).public


@pytest.mark.parametrize("kind", ["detached", "pss", "ecdsa", "opaque", "gcm"])
def test_no_single_changed_byte_passes_as_another_content(kind: str) -> None:
    """What a signature or a tag covers cannot change unnoticed."""
    whole = samples()[kind]
    for at in range(len(whole)):
        changed = whole[:at] + bytes((whole[at] ^ 0x04,)) + whole[at + 1 :]
        try:
            assert read(changed) == SMALL
        except CmsError:
            continue


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A sample with pieces cut out, doubled, swapped or overwritten, or a length octet pushed to an extreme."""
    data = bytearray(samples()[draw(st.sampled_from(KINDS))])
    for _ in range(draw(st.integers(1, 4))):
        at, size = draw(st.integers(0, len(data))), draw(st.integers(0, 40))
        how = draw(st.sampled_from(["cut", "double", "overwrite", "insert", "extreme", "splice"]))
        if how == "cut":
            del data[at : at + size]
        elif how == "double":
            data[at:at] = data[at : at + size]
        elif how == "overwrite":
            data[at : at + size] = draw(st.binary(max_size=size))
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=40))
        elif how == "extreme":
            data[at : at + 1] = draw(
                st.sampled_from([b"\x80", b"\x84\xff\xff\xff\xff", b"\x88\x7f", b"\x00\x00", b"\x30\x80"])
            )
        else:
            other = samples()[draw(st.sampled_from(KINDS))]
            start = draw(st.integers(0, len(other)))
            data[at : at + size] = other[start : start + size]
    return bytes(data)


@settings(max_examples=400, deadline=None)
@given(mutations(), st.sampled_from([1, 7, 1 << 20]))
def test_a_mutated_message_never_breaks_the_reader(data: bytes, size: int) -> None:
    refused_or_read(data, size)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
@example(b"")
@example(b"\x30")
@example(b"\x30\x80" * 200)
def test_any_bytes_never_break_a_reader(data: bytes) -> None:
    for reader in (read_envelope, read_signature, read_compressed):
        with pytest.raises(CmsError):
            reader(data, 3)
    cms.content_type_of(data)


# --- bombs of structure --------------------------------------------------------------------------

HEAD = der.indefinite(0x30)
OF_KIND = {kind: HEAD + der.oid(kind.value) + der.indefinite(0xA0) + HEAD for kind in ContentType}
EXTREMES = {
    "nested sequences": HEAD * 200_000,
    "nested definite": b"\x30\x84\x7f\xff\xff\xff" * 100_000,
    "nested sets": der.indefinite(0x31) * 200_000,
    "nested strings": der.indefinite(0x24) * 200_000,
    "a length of eight octets": b"\x02\x88" + b"\x7f" * 8 + b"\x00" * 1000,
    "a length of 126 octets": b"\x02\xfe" + b"\x01" * 126,
    "a large integer": der.element(2, b"\x7f" * 500_000),
    "a large identifier": der.integer(1) + der.element(0x31, der.element(6, b"\x81" * 500_000 + b"\x01")),
    "a million nulls in a set": der.integer(0) + der.element(0x31, der.NULL * 500_000),
    "many empty sequences": der.integer(0) + der.indefinite(0x31) + b"\x30\x00" * 500_000,
    "a large set": der.integer(0) + b"\x31\x84\x00\x20\x00\x00" + bytes(2_097_152),
    "high tag numbers": b"\x1f" + b"\xff" * 100_000,
    "zeros": bytes(1_000_000),
    "ones": b"\xff" * 1_000_000,
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize(
    "kind", [ContentType.SIGNED, ContentType.ENVELOPED, ContentType.AUTH_ENVELOPED, ContentType.COMPRESSED]
)
def test_bombs_of_structure_are_malformed_in_bounded_time_and_memory(name: str, kind: ContentType) -> None:
    data = OF_KIND[kind] + EXTREMES[name]
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(cms.Malformed):
        read(data)
    peak, elapsed = tracemalloc.get_traced_memory()[1], time.perf_counter() - start
    tracemalloc.stop()
    assert peak < 3 * len(data) + 8_000_000
    assert elapsed < 2


@pytest.mark.parametrize(
    "prefix", [b"", b"\x30", b"\x30\x80\x06", b"MIME-Version: 1.0\r\n", HEAD + der.oid("1.2.3.4"), b"\xff" * 40]
)
def test_042_a_prefix_that_is_no_content_info_has_no_type(prefix: bytes) -> None:
    assert cms.content_type_of(prefix) is None


@pytest.mark.parametrize("kind", KINDS)
def test_042_the_content_type_is_told_by_the_first_bytes(kind: str) -> None:
    expected = {"cbc": ContentType.ENVELOPED, "ecdh": ContentType.ENVELOPED, "gcm": ContentType.AUTH_ENVELOPED}
    found = cms.content_type_of(samples()[kind][: cms.PREFIX_BYTES])
    assert found is expected.get(kind, ContentType.COMPRESSED if kind == "compressed" else ContentType.SIGNED)
    assert found is not None
    assert found.encrypted is (kind in expected)
