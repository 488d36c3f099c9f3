"""Reading disposition notifications (RFC 3798 §3, RFC 3462)."""

from base64 import encodebytes

import pytest

from edi_gateway.as2 import disposition as d
from edi_gateway.as2.errors import ReportMalformed
from edi_gateway.as2.mime import read_entity
from edi_gateway.as2.report import REPORT_BYTES_MAX, Report, parse_report

ID = "<9@gateway.example>"


def read(entity: bytes) -> Report:
    return parse_report(read_entity([entity]))


def test_089_a_report_of_two_parts(partner):
    report = read(partner.report(partner.notification(ID, mic="YWJj, sha-256")))
    assert report.original_message_id == ID
    assert report.disposition == d.PROCESSED
    assert report.text == "Received."
    assert report.mic is not None
    assert report.mic.value == b"abc"
    assert report.reporting_ua == "simulated"


def test_089_a_third_part_is_accepted(partner):
    third = b"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <other>\r\n"
    assert read(partner.report(partner.notification(ID), more_parts=[third])).original_message_id == ID


def test_089_a_fourth_part_is_not(partner):
    third = b"Content-Type: text/plain\r\n\r\nx\r\n"
    with pytest.raises(ReportMalformed, match="3 parts"):
        read(partner.report(partner.notification(ID), more_parts=[third, third]))


def test_a_bare_notification_is_accepted(partner):
    """django-pyas2 #48."""
    assert read(partner.notification(ID)).original_message_id == ID


def test_102_two_notifications_in_one_report_are_refused(partner):
    with pytest.raises(ReportMalformed, match="2 disposition notifications"):
        read(partner.report(partner.notification(ID), partner.notification(ID, d.DECRYPTION_FAILED)))


def test_102_a_report_without_notification_is_refused(partner):
    with pytest.raises(ReportMalformed, match="0 disposition notifications"):
        read(partner.report())


def test_102_a_multipart_inside_of_a_report_is_refused(partner):
    with pytest.raises(ReportMalformed, match="multipart"):
        read(partner.report(partner.notification(ID), more_parts=[partner.signed(partner.notification(ID))]))


@pytest.mark.parametrize("name", ["Disposition", "Received-content-MIC", "Original-Message-ID", "disposition"])
def test_102_a_field_that_decides_stands_once(partner, name):
    twice = partner.notification(ID, mic="YWJj, sha1") + f"{name}: YWJj, sha1\r\n".encode()
    with pytest.raises(ReportMalformed, match="2 times"):
        read(partner.report(twice))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Error": "authentication-failed"}, d.AUTHENTICATION_FAILED),
        ({"error": "authentication-failed"}, d.AUTHENTICATION_FAILED),
    ],
)
def test_091_the_extension_in_a_field(partner, fields, expected):
    disposition = "automatic-action/MDN-sent-automatically; processed/error"
    assert read(partner.notification(ID, disposition, fields=fields)).disposition == expected


def test_fields_in_base64_and_in_groups_with_blank_lines_are_read():
    modes = b"automatic-action/MDN-sent-automatically;\r\n"
    fields = b"Reporting-UA: x\r\n\r\nOriginal-Message-ID: <a>\r\nDisposition: " + modes + b" processed\r\n"
    head = b"Content-Type: message/disposition-notification\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    report = read(head + encodebytes(fields))
    assert (report.original_message_id, report.disposition) == ("<a>", d.PROCESSED)


@pytest.mark.parametrize(
    "entity",
    [
        b"\r\n",
        b"Content-Type: text/plain\r\n\r\nDisposition: processed",
        b"Content-Type: multipart/report\r\n\r\n",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n",
        b"Content-Type: message/disposition-notification\r\n\r\nnothing",
        b"Content-Type: message/disposition-notification\r\n\r\nDisposition: nonsense\r\n",
        b"Content-Type: message/disposition-notification\r\n\r\nDisposition: processed\r\nReceived-content-MIC: ?\r\n",
        b"Content-Type: message/disposition-notification\r\n\r\nDisposition: processed\r\nReporting-UA: a\x00b\r\n",
    ],
)
def test_what_is_no_report_is_refused(entity):
    with pytest.raises(ReportMalformed):
        read(entity)


def test_the_size_is_bounded(partner):
    text = "x" * REPORT_BYTES_MAX
    with pytest.raises(ReportMalformed, match="larger"):
        read(partner.report(partner.notification(ID), text=text))


def test_the_words_of_the_partner_are_cut(partner):
    assert len(read(partner.report(partner.notification(ID), text="x" * 100_000)).text) == 10_000
