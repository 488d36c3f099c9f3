"""For each rule of this room, something that provokes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.verdict import Address, InterchangeVerdict, MessageVerdict
from edi_gateway.messages import JudgingPolicy
from edi_gateway.messages._check import FINDINGS_MAX
from edi_gateway.messages.guideline import Guideline
from edi_gateway.messages.judge import FINDINGS_KEPT_MAX, judge, stream
from tests.core.messages.texts import ORDER, judged

SENDER, RECIPIENT = "3760000000017", "3760000001014"


def interchange(body: str = ORDER, *, sender: str = SENDER, test: str = "", reference: str = "IC1") -> bytes:
    """An interchange of this one message."""
    unb = f"UNB+UNOC:3+{sender}:14+{RECIPIENT}:14+261122:0915+{reference}++++1+EANCOM{'+' + test if test else ''}'"
    return f"UNA:+.? '{unb}{body.strip()}UNZ+1+{reference}'".encode("latin-1")


def _changed(*change: str) -> Callable[[], Iterable[Finding]]:
    def provoke() -> Iterable[Finding]:
        assert change[0] in ORDER
        return judged(ORDER.replace(*change)).findings

    return provoke


def _line(text: str) -> Callable[[], Iterable[Finding]]:
    """A segment more under the first line, where its tag may stand or not."""
    return _changed("PRI+AAA:12.50'", f"PRI+AAA:12.50'{text}'")


def _guideline(path: str, **row: object) -> Callable[[], Iterable[Finding]]:
    def provoke() -> Iterable[Finding]:
        guideline = Guideline.read("the partner's", {"ORDERS": {path: row}})
        return judged(ORDER, JudgingPolicy(guidelines=(guideline,))).findings

    return provoke


def _file(policy: JudgingPolicy, body: str = ORDER, **header: str) -> Callable[[], Iterable[Finding]]:
    def provoke() -> Iterable[Finding]:
        (verdict,) = judge([interchange(body, **header)], policy)
        return verdict.all_findings()

    return provoke


def _too_many_findings() -> Iterable[Finding]:
    message = ORDER.replace("PRI+AAA:20'", "PRI+AAA:20'" + "PIA+QQ'" * FINDINGS_MAX).strip()
    (ended,) = (
        judgement
        for judgement in stream([interchange(message * (FINDINGS_KEPT_MAX // FINDINGS_MAX + 1))])
        if isinstance(judgement, InterchangeVerdict)
    )
    return ended.all_findings()


_ANY = JudgingPolicy()

PROVOCATIONS: dict[str, Callable[[], Iterable[Finding]]] = {
    "D301": _changed("BGM+220+PO1+9'", ""),
    "D302": lambda: judged("UNH+1+SLSRPT:D:96A:UN'BGM+73'DTM+137:20261122:102'UNT+4+1'").findings,
    "D303": _changed("BGM+220+PO1+9'\nDTM+137:20261122:102'", "DTM+137:20261122:102'BGM+220+PO1+9'"),
    "D304": _line("ZZZ+1"),
    "D305": _line("BGM+220"),
    "D306": _changed("BGM", "BGM+220'BGM"),
    "D307": _changed("CUX+2:EUR:9'", "CUX+2:EUR:9'" * 6),
    "D308": _changed("QTY+21:10", "QTY:1:1+21:10"),
    "D311": _changed("NAD+BY+", "NAD++"),
    "D312": _changed("DTM+137:", "DTM+:"),
    "D313": _changed("BGM+220+PO1+9", "BGM+220+PO1+9+AC+1"),
    "D314": _changed("20261122:102", "20261122:102:1"),
    "D315": _changed("BGM+220+PO1+9", "BGM+220+PO1+9+++"),
    "D316": lambda: _repeated().findings,
    "D321": _changed("QTY+21:10", "QTY+21:1O"),
    "D322": _changed("PO1", "P" * 36),
    "D323": lambda: judged("UNH+1+CONTRL:D:3:UN'UCI+1+A+B+4+29+UN'UNT+3+1'").findings,
    "D324": _changed("12.50", ".50"),
    "D325": _changed("12.50", "12."),
    "D326": lambda: next(judge([interchange(ORDER.replace("12.50", "12,50"))])).all_findings(),
    "D327": _changed("QTY+21:10", "QTY+21:010"),
    "D328": _changed("QTY+21:10", "QTY+21: 10"),
    "D331": _changed("20261122", "20261322"),
    "D332": _changed("20261122", "261122"),
    "D333": _changed("UNS+S", "UNS+D"),
    "D334": lambda: judged("UNH+1+CONTRL:D:3:UN'UCI+1+A+B+4++UNZ'UNT+3+1'").findings,
    "D335": _changed("20261122:102", "20261122"),
    "D341": _changed("CNT+2:2", "CNT+2:3"),
    "D349": _changed("PRI+AAA:20'", "PRI+AAA:20'" + "PIA+QQ'" * FINDINGS_MAX),
    "D350": _too_many_findings,
    "D351": _file(_ANY, ORDER.replace("ORDERS:D", "IFTMIN:D")),
    "D352": _file(_ANY, ORDER.replace(":96A:", ":93A:")),
    "D353": _file(JudgingPolicy(directories={"ORDERS": "D.96A"}), ORDER.replace(":96A:", "::")),
    "D354": _file(JudgingPolicy(agreed_types=frozenset({"INVOIC"}))),
    "D361": _guideline("RFF+CT", status="mandatory"),
    "D362": _guideline("LIN/PRI", status="forbidden"),
    "D363": _guideline("BGM/1004", length_max=2),
    "C403": _guideline("BGM/1001", codes=["224"]),
    "C401": _changed("DTM+137", "DTM+QQQ"),
    "C402": _changed("3760000000017::9", "3760000000017::QQ"),
    "I501": _changed("3760000000017::9", "3760000000018::9"),
    "I502": _changed("3760123450010:EN", "3760123450011:EN"),
    "I503": _line("PAC+1'PCI+33E'GIN+BJ+340455750695614955"),
    "I504": _line("PAC+1'PCI+33E'GIN+BJ+354123450000000106:354123450000000014"),
    "I505": _changed("CUX", "RFF+VA:FR12123456782'CUX"),
    "I506": _changed("CUX", "FII+BF+FR1420041010050500013M02607'CUX"),
    "I507": _file(_ANY, sender="3760000000018"),
    "S281": _file(JudgingPolicy(known_senders=frozenset({Address("9", "14")}))),
    "S282": _file(JudgingPolicy(our_addresses=frozenset({Address("9", "14")}))),
    "S283": _file(JudgingPolicy(accept_test=False), test="1"),
    "S284": _file(JudgingPolicy(is_repeated=lambda header: header.control_reference == "IC1")),
}


def _repeated() -> MessageVerdict:
    syntax_4 = interchange(ORDER.replace("CUX", "RFF+ON:1*CT:2'CUX").replace("UNT+15", "UNT+16"))
    text = syntax_4.replace(b"UNA:+.? '", b"UNA:+.?*'").replace(b"UNOC:3", b"UNOC:4").replace(b"261122", b"20261122")
    return next(judge([text])).messages[0]
