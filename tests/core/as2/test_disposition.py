"""Dispositions both ways: one table for what we write, one for what others write (RFC 4130 §7.5)."""

import pytest

from edi_gateway.as2 import disposition as d
from edi_gateway.as2.disposition import (
    ActionMode,
    Disposition,
    DispositionMalformed,
    DispositionType,
    Modifier,
    SendingMode,
)

AUTOMATIC = "automatic-action/MDN-sent-automatically; "

CASES = [
    (d.PROCESSED, "processed"),
    (d.AUTHENTICATION_FAILED, "processed/error: authentication-failed"),
    (d.DECOMPRESSION_FAILED, "processed/error: decompression-failed"),
    (d.DECRYPTION_FAILED, "processed/error: decryption-failed"),
    (d.INSUFFICIENT_MESSAGE_SECURITY, "processed/error: insufficient-message-security"),
    (d.INTEGRITY_CHECK_FAILED, "processed/error: integrity-check-failed"),
    (d.UNEXPECTED_PROCESSING_ERROR, "processed/error: unexpected-processing-error"),
    (d.DUPLICATE_FILENAME, "processed/error: duplicate-filename"),
    (d.ILLEGAL_FILENAME, "processed/error: illegal-filename"),
    (d.INVALID_MESSAGE_ID, "processed/error: invalid-message-id"),
    (d.UNKNOWN_TRADING_RELATIONSHIP, "processed/error: unknown-trading-relationship"),
    (d.DUPLICATE_DOCUMENT, "processed/warning: duplicate-document"),
    (d.UNSUPPORTED_FORMAT, "failed/Failure: unsupported format"),
    (d.UNSUPPORTED_MIC_ALGORITHMS, "failed/Failure: unsupported MIC-algorithms"),
    (d.SENDER_EQUALS_RECEIVER, "failed/Failure: sender-equals-receiver"),
    (Disposition(DispositionType.PROCESSED, Modifier.ERROR), "processed/error"),
    (Disposition(DispositionType.FAILED), "failed"),
    (Disposition(DispositionType.PROCESSED, Modifier.OTHER, "superseded"), "processed/superseded"),
    (Disposition(DispositionType.DENIED), "denied"),
]


@pytest.mark.parametrize(("value", "status"), CASES, ids=[status for _, status in CASES])
def test_092_every_disposition_is_written_and_read_the_same(value, status):
    assert value.render() == AUTOMATIC + status
    assert Disposition.parse(AUTOMATIC + status) == value


def test_every_disposition_of_the_catalogue_is_in_the_table():
    assert set(d.CATALOGUE) <= {value for value, _ in CASES}


@pytest.mark.parametrize(
    "text",
    [
        "Automatic-Action/mdn-sent-automatically;PROCESSED/Error:Decryption-Failed",
        "automatic-action / MDN-sent-automatically ;  processed / error :  decryption-failed ",
        "automatic-action/MDN-sent-automatically; processed/Error: decryption-failed",
        "processed/error: decryption-failed",
    ],
)
def test_091_any_case_and_spacing_is_read(text):
    """RFC 4130 §7.5.4: historic constructions."""
    assert Disposition.parse(text).agrees_with(d.DECRYPTION_FAILED)


def test_091_modes_are_read():
    read = Disposition.parse("manual-action/MDN-sent-manually; processed")
    assert (read.action, read.sending) == (ActionMode.MANUAL, SendingMode.MANUALLY)


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("processed/error", {"errors": ("authentication-failed", "more")}, d.AUTHENTICATION_FAILED),
        ("processed/warning", {"warnings": ("duplicate-document",)}, d.DUPLICATE_DOCUMENT),
        ("failed", {"failures": ("sender-equals-receiver",)}, d.SENDER_EQUALS_RECEIVER),
        ("processed/error: decryption-failed", {"errors": ("The block is no PKCS#1 block",)}, d.DECRYPTION_FAILED),
        ("processed", {"errors": ("ignored",)}, d.PROCESSED),
    ],
)
def test_091_the_extension_may_stand_in_a_field_of_its_own(text, fields, expected):
    """RFC 4130 §7.5.4, pure RFC 3798 modifiers."""
    told = {"errors": (), "warnings": (), "failures": ()} | fields
    assert Disposition.parse(text).explained_by(**told) == expected


@pytest.mark.parametrize(
    ("text", "positive", "warning"),
    [
        ("processed", True, False),
        ("processed/warning: duplicate-document", True, True),
        ("processed/error: decryption-failed", False, False),
        ("processed/superseded", False, False),
        ("processed/: x", False, False),
        ("failed", False, False),
        ("displayed", False, False),
        ("dispatched", False, False),
    ],
)
def test_093_only_processed_without_error_is_success(text, positive, warning):
    """RFC 4130 §7.5.3: a warning is success; RFC 3798 types that AS2 does not use never are."""
    read = Disposition.parse(text)
    assert (read.is_positive, read.is_warning) == (positive, warning)


@pytest.mark.parametrize("text", ["", "automatic-action/MDN-sent-automatically;", "ok", "sent/by-pigeon; processed"])
def test_what_is_no_disposition_is_refused(text):
    with pytest.raises(DispositionMalformed):
        Disposition.parse(text)


def test_a_long_extension_is_cut():
    read = Disposition.parse("processed/error: " + "x" * 10_000)
    assert len(read.extension) <= d.EXTENSION_LENGTH_MAX
