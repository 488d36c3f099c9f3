"""The request that HTTP headers make (RFC 4130 §6)."""

import pytest

from edi_gateway.as2 import disposition as d
from edi_gateway.as2.errors import As2Refusal
from edi_gateway.as2.headers import HEADER_COUNT_MAX, HEADER_LENGTH_MAX, PRODUCT, Feature, Headers, read_request

USUAL = {
    "AS2-Version": "1.2",
    "AS2-From": "VENDOR",
    "AS2-To": "MARKETPLACE",
    "Message-ID": "<1@vendor.example>",
    "Subject": "orders",
    "Date": "Sun, 22 Nov 2026 12:00:00 +0000",
    "Content-Type": "application/edifact",
    "Disposition-Notification-To": "mdn@vendor.example",
}


def headers(**changes: str | None) -> Headers:
    changed = USUAL | {name.replace("_", "-"): value for name, value in changes.items()}
    return Headers((name, value) for name, value in changed.items() if value is not None)


def refusal(given: Headers) -> As2Refusal:
    with pytest.raises(As2Refusal) as caught:
        read_request(given)
    return caught.value


def test_017_subject_date_and_names_are_read():
    request = read_request(headers(Subject="=?utf-8?q?caf=C3=A9?="))
    assert (request.as2_from, request.as2_to, request.message_id) == ("VENDOR", "MARKETPLACE", "<1@vendor.example>")
    assert (request.subject, request.date) == ("caf\u00e9", "Sun, 22 Nov 2026 12:00:00 +0000")
    assert request.receipt is not None
    assert request.notes == ()


def test_018_unknown_headers_are_ignored():
    assert read_request(headers(X_Unknown="what", Recipient_Address="http://x")) == read_request(headers())


def test_header_names_are_read_in_any_case():
    lower = Headers((name.lower(), value) for name, value in headers())
    assert read_request(lower) == read_request(headers())


@pytest.mark.parametrize("version", [None, "1.0", "1.1", "1.2", "1.3", "1.17"])
def test_009_any_1_x_is_accepted_and_absence_means_1_0(version):
    """RFC 4130 §6.1."""
    assert read_request(headers(AS2_Version=version)).version == (version or "1.0")


@pytest.mark.parametrize("version", ["2.0", "0.9", "one", "1", "1.x", "1.2.3", "\u0661.0", "1." + "0" * 50])
def test_009_another_version_is_refused_with_a_receipt(version):
    found = refusal(headers(AS2_Version=version))
    assert found.disposition == d.UNEXPECTED_PROCESSING_ERROR
    assert found.request is not None


@pytest.mark.parametrize("name", ["AS2_From", "AS2_To"])
@pytest.mark.parametrize("value", [None, "", "x" * 129, 'a"b', "caf\u00e9"])
def test_010_without_usable_names_no_receipt_is_possible(name, value):
    found = refusal(headers(**{name: value}))
    assert found.request is None
    assert "AS2" in found.explanation


@pytest.mark.parametrize("value", [None, "<>", "<a b>", "<" + "x" * 997 + ">"])
def test_014_an_invalid_message_id_is_refused_with_its_disposition(value):
    """Draft rfc4130bis §5.3.3."""
    found = refusal(headers(Message_ID=value))
    assert found.disposition == d.INVALID_MESSAGE_ID
    assert found.request is not None
    assert found.request.receipt is not None


def test_014_a_long_message_id_is_noted():
    assert "255" in read_request(headers(Message_ID="<" + "x" * 254 + ">")).notes[0]
    assert read_request(headers(Message_ID="<" + "x" * 253 + ">")).notes == ()


def test_015_missing_brackets_are_noted_and_kept_missing():
    request = read_request(headers(Message_ID="1@vendor.example"))
    assert request.message_id == "1@vendor.example"
    assert "brackets" in request.notes[0]


def test_094_sender_equals_receiver():
    """RFC 4130 §7.5.4."""
    assert refusal(headers(AS2_To="VENDOR")).disposition == d.SENDER_EQUALS_RECEIVER
    read_request(headers(AS2_To="vendor"))  # names have case


@pytest.mark.parametrize("name", sorted(USUAL))
@pytest.mark.parametrize("value", ["a\r\nX-Injected: yes", "a\nb", "a\rb", "a\x00b", "\x1b[2J"])
def test_crlf_in_any_header_value_is_refused(name, value):
    """pyas2lib turns a CRLF in the subject into a header."""
    found = refusal(headers(**{name.replace("-", "_"): value}))
    assert found.request is None
    assert "\r" not in str(found)


def test_013_a_folded_http_header_is_unfolded():
    """libas2 folds HTTP headers."""
    folded = "multipart/signed;\r\n boundary=b;\r\n\tmicalg=sha1"
    assert read_request(headers(Content_Type=folded)).content_type == "multipart/signed; boundary=b;\tmicalg=sha1"


@pytest.mark.parametrize("name", ["AS2-From", "Message-ID", "Content-Type", "Receipt-Delivery-Option"])
def test_two_different_values_of_a_header_that_decides_are_refused(name):
    twice = Headers([*headers(**{name.replace("-", "_"): "one"}), (name.upper(), "two")])
    assert "different values" in refusal(twice).explanation


def test_the_same_value_twice_is_no_conflict():
    assert read_request(Headers([*headers(), ("AS2-From", "VENDOR")])).as2_from == "VENDOR"


@pytest.mark.parametrize(
    ("value", "features"),
    [
        ("", set()),
        ("CEM", {Feature.CEM}),
        ("cem, Multiple-Attachments ,AS2-RELIABILITY", set(Feature)),
        ("CMS, whatever", set()),
    ],
)
def test_020_registered_features_are_read_and_others_ignored(value, features):
    """RFC 6017 §3; pyas2lib sends the unregistered `CMS`."""
    assert read_request(headers(EDIINT_Features=value)).features == features


def test_019_the_product_of_the_peer_is_kept():
    assert read_request(headers(AS2_Product="other-product:2.1")).product == "other-product:2.1"


def test_019_our_product_has_the_form_of_the_draft():
    """Draft rfc4130bis §6.2."""
    name, _, version = PRODUCT.partition(":")
    assert name == "edi-gateway"
    assert [part.isdecimal() for part in version.split(".")] == [True] * 3


def test_no_receipt_without_disposition_notification_to():
    assert read_request(headers(Disposition_Notification_To=None)).receipt is None


@pytest.mark.parametrize(
    "content_type",
    ["multipart/report; report-type=disposition-notification; boundary=b", "message/disposition-notification"],
)
def test_096_an_mdn_never_asks_for_an_mdn(content_type):
    """RFC 3798 §2.1."""
    assert read_request(headers(Content_Type=content_type)).receipt is None


def test_the_number_and_length_of_headers_are_bounded():
    read_request(headers(Subject="x" * HEADER_LENGTH_MAX))
    assert "long" in refusal(headers(Subject="x" * (HEADER_LENGTH_MAX + 1))).explanation
    filling = [("X-Filling", "x")] * (HEADER_COUNT_MAX - len(headers()))
    read_request(Headers([*headers(), *filling]))
    assert str(HEADER_COUNT_MAX) in refusal(Headers([*headers(), *filling, ("X-More", "x")])).explanation


def test_headers_keep_order_and_repetition():
    found = Headers([("A", "1"), ("b", "2"), ("a", "3")])
    assert found.all("A") == ("1", "3")
    assert found.get("B") == "2"
    assert "B" in found
    assert list(found.without("a")) == [("b", "2")]
