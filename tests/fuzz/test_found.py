"""What the fuzzer found, each by its smallest input. What was wrong is said in a word; it stays mended."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import TARGETS

CONTRL = b"UNB+UNOC:3+A+B+261122:0915+1'UNH+1+CONTRL:2:2:UN:EAN002'UCI+1+B+A+7'%s'UNT+4+1'UNZ+1+1'"
FOUND = {
    "a charset with NUL in a file name (RFC 2231) was no LookupError": (
        "headers",
        b"Content-Disposition: a; filename*0*=\0u'x'y\r\n",
    ),
    "an encoded word (RFC 2047) in base64 with letters beyond ASCII was no binascii.Error": (
        "headers",
        b"Subject: =?utf-8?B?\xe9?=\r\n",
    ),
    "idna is a codec of Python, slow and with errors of its own": (
        "mime",
        b"Content-Type: application/edifact\r\nContent-Disposition: a; filename*=idna''xn--%2e%2e\r\n\r\nUNB'",
    ),
    "an element that depends on one which its syntax version does not have": (
        "edifact",
        CONTRL % b"UCM+1+ORDERS:D:96A:UN:EAN008+4+13++++1",
    ),
    "a date that cannot be read was passed over in silence, because the judge had warned of it": (
        "edifact",
        b"UNB+UNOC:3+A+B+261122:0915+1'UNH+1+INVRPT:D:96A:UN'BGM+35+1+9'DTM+137:4:203'NAD+SU+1'NAD+BY+2'"
        b"LIN+1++3:SA'QTY+145:7'UNT+8+1'UNZ+1+1'",
    ),
    "a NUL in the sender's address was repeated in the UNB of the answer": (
        "edifact",
        b"UNB+UNOC:3+A\x001+B+261122:0915+1'UNH+1+ORDERS:D:96A:UN'UNT+2+1'UNZ+1+1'",
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_it_stays_mended(what: str) -> None:
    target, data = FOUND[what]
    TARGETS[target].run(data)
