"""What a message says wrongly is a finding with its place; the rest of it is read all the same."""

from __future__ import annotations

from decimal import Decimal

import pytest

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment
from edi_gateway.messages.rules import SEGMENT_MISSING
from edi_gateway.messages.tree import Group
from edi_gateway.translators import DecodeContext, Decoded, rules, translator
from edi_gateway.translators._machinery import FINDINGS_MAX
from edi_gateway.translators.rows.packing import SSCCS_MAX

from .wire import decoded

ORDER = """
BGM+220+PO1+9
DTM+137:20261122:102
NAD+BY+3760000000017::9
CUX+2:EUR:9
LIN+1++3760123450010:EN
QTY+21:10
UNS+S
"""
ANSWER = """
BGM+231+OR1+4
DTM+137:20261122:102
RFF+ON:PO1
NAD+BY+3760000000017::9
LIN+1+5+3760123450010:EN
QTY+21:10
UNS+S
"""
DESPATCH = """
BGM+351+DA1+9
DTM+137:20261125:102
CPS+1
PAC+1++CT
PCI+33E
GIN+BJ+337601234500000011
LIN+1++3760123450010:EN
QTY+12:10
"""
INVOICE = """
BGM+380+FA1+9
DTM+137:20261126:102
NAD+SU+3760000001014::9
CUX+2:EUR:4
LIN+1++3760123450010:EN
QTY+47:10
PRI+AAA:12.50
TAX+7+VAT+++:::20+S
UNS+S
MOA+86:150
"""
STOCK = """
BGM+35+INV1+9
DTM+137:202611220600:203
LIN+1++3760123450010:EN
QTY+145:148
"""
BODIES = {"ORDERS": ORDER, "ORDRSP": ANSWER, "DESADV": DESPATCH, "INVOIC": INVOICE, "INVRPT": STOCK}


def places(found: Decoded[object]) -> list[tuple[str, str | None, int | None, int | None, int | None]]:
    return [(f.code, f.segment, f.position, f.element, f.component) for f in found.findings]


@pytest.mark.parametrize("message_type", BODIES)
def test_the_messages_of_this_file_are_sound(message_type: str) -> None:
    found = decoded(message_type, BODIES[message_type])
    assert found.valid
    assert found.unmapped == []


FAULTS = [
    # message, what stands there, what stands there instead, the finding, whether there is still a record
    ("ORDERS", "DTM+137:20261122:102", "DTM+137:20261131:102", ("B651", "DTM", 3, 2, 2), False),
    ("ORDERS", "CUX+2:EUR:9\n", "CUX+2:EUR:9\nPAT+1\n", None, True),
    ("ORDERS", "DTM+137:20261122:102", "DTM+137:20261122:102\nDTM+61:99:102", ("B651", "DTM", 4, 2, 2), True),
    ("ORDERS", "DTM+137:20261122:102", "DTM+137:20261122:203", ("B652", "DTM", 3, 2, 2), True),
    ("ORDERS", "DTM+137:20261122:102", "DTM+137:202648:616", ("B653", "DTM", 3, 2, 2), True),
    ("ORDERS", "BGM+220", "BGM+226", ("B654", "BGM", 2, 2, 1), True),
    ("ORDERS", "BGM+220+PO1+9", "BGM+220+PO1+9+ZZ", ("B654", "BGM", 2, 5, 1), True),
    ("ORDERS", "BGM+220+PO1+9", "BGM+220++9", ("B650", "BGM", 2, None, None), False),
    ("ORDERS", "DTM+137:20261122:102\n", "", ("B650", "DTM", 1, None, None), False),
    ("ORDERS", "CUX+2:EUR:9\n", "", ("B650", "CUX", 1, None, None), False),
    ("ORDERS", "LIN+1++", "LIN+1B++", ("B655", "LIN", 6, 2, 1), False),
    ("ORDERS", "LIN+1++", "LIN+++", ("B656", "LIN", 6, 2, 1), True),
    ("ORDERS", "3760123450010:EN", "3760123450010:EN+1:X", ("B655", "LIN", 6, 5, 2), True),
    ("ORDERS", "QTY+21:10", "QTY+21:ten", ("Q750", "QTY", 7, 2, 2), False),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nQTY+59:x", ("Q750", "QTY", 8, 2, 2), True),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nMOA+203:1.2.3", ("F850", "MOA", 8, 2, 2), True),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nPRI+AAA:-", ("F850", "PRI", 8, 2, 2), True),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nPRI+AAA:1:::0", ("F850", "PRI", 8, 2, 5), True),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nPRI+AAA:1:::10\nPRI+AAB:2", ("F852", "PRI", 9, 2, 5), True),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nPRI+AAA:1\nPRI+AAB:2:::10", ("F852", "PRI", 9, 2, 5), True),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nPRI+AAA:1:::10\nPRI+AAB:2:::10", None, True),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nTAX+7+VAT++++S", ("F851", "TAX", 8, 6, 4), True),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nTAX+7+VAT+++:::x+S", ("F850", "TAX", 8, 6, 4), True),
    ("ORDRSP", "BGM+231+OR1+4", "BGM+230+OR1+4", ("B654", "BGM", 2, 2, 1), True),
    ("ORDRSP", "BGM+231+OR1+4", "BGM+231+OR1+5", ("B654", "BGM", 2, 4, 1), False),
    ("ORDRSP", "BGM+231+OR1+4", "BGM+231+OR1", ("B650", "BGM", 2, None, None), False),
    ("ORDRSP", "RFF+ON:PO1", "RFF+VN:PO1", ("B650", "RFF", 4, None, None), False),
    ("ORDRSP", "LIN+1+5", "LIN+1+10", ("B654", "LIN", 6, 3, 1), False),
    ("ORDRSP", "QTY+21:10", "QTY+21:10\nRFF+ON:PO1:A", ("B655", "RFF", 8, 2, 3), False),
    ("ORDRSP", "QTY+21:10", "QTY+21:10\nQVR+two:21+BP", ("Q750", "QVR", 8, 2, 1), True),
    ("DESADV", "GIN+BJ+337601234500000011", "GIN+BJ+337601234500000028:337601234500000011",
     ("Q751", "GIN", 7, 3, 2), True),
    ("DESADV", "PAC+1++CT", "PAC+one++CT", ("B655", "PAC", 5, 2, 1), True),
    ("DESADV", "PAC+1++CT", "PAC+1++CT\nMEA+PD+AAB+KGM:x", ("Q750", "MEA", 6, 4, 2), True),
    ("DESADV", "CPS+1", "CPS++1", ("B650", "CPS", 4, None, None), False),
    ("DESADV", "QTY+12:10", "QTY+21:10", ("B650", "QTY", 9, None, None), False),
    ("DESADV", "QTY+12:10", "QTY+12:10\nCNT+1:x", ("Q750", "CNT", 10, 2, 2), True),
    ("INVOIC", "MOA+86:150", "MOA+86:x", ("F850", "MOA", 11, 2, 2), True),
    ("INVOIC", "MOA+86:150\n", "", ("B650", "MOA", 1, None, None), False),
    ("INVOIC", "LIN+1++", "ALC+X++++FC\nLIN+1++", ("B654", "ALC", 6, 2, 1), False),
    ("INVOIC", "LIN+1++", "ALC+C++++FC\nPCD+2:x\nLIN+1++", ("F850", "PCD", 7, 2, 2), True),
    ("INVOIC", "LIN+1++", "PAT+1++5:7:D:x\nLIN+1++", ("B655", "PAT", 6, 4, 4), True),
    ("INVRPT", "QTY+145:148", "QTY+145:148\nQTY+145:2", ("Q752", "QTY", 6, 2, 2), True),
    ("INVRPT", "QTY+145:148", "QTY+145:1O8", ("Q750", "QTY", 5, 2, 2), True),
]  # fmt: skip


@pytest.mark.parametrize(("message_type", "here", "instead", "finding", "has_record"), FAULTS)
def test_a_fault_is_a_finding_at_its_place(
    message_type: str, here: str, instead: str, finding: tuple[object, ...] | None, has_record: bool
) -> None:
    assert here in BODIES[message_type]
    found = decoded(message_type, BODIES[message_type].replace(here, instead, 1))

    assert places(found) == ([] if finding is None else [finding])
    assert (found.record is not None) is has_record


def test_every_rule_is_provoked_and_has_its_texts() -> None:
    provoked = {finding[0] for *_, finding, _ in FAULTS if finding} | {"B657", "B658", "B659"}

    assert provoked == {rule.code for rule in rules.RULES}
    for rule in rules.RULES:
        finding = Finding(rule, "QTY", 7, 2, 2, value="x", expected="y")
        assert {finding.text("en"), finding.text("fr"), finding.hint("en"), finding.hint("fr")} != {""}
        assert finding.text("en") != finding.text("fr")


def test_several_faults_give_several_findings_and_say_their_path() -> None:
    body = ORDER.replace("QTY+21:10", "QTY+21:x\nMOA+203:y\nPRI+AAA:z").replace("137:20261122", "137:20269999")

    found = decoded("ORDERS", body)

    assert [(f.code, f.path) for f in found.findings] == [
        ("B651", "DTM"),
        ("Q750", "SG25[1]/QTY"),
        ("F850", "SG25[1]/MOA"),
        ("F850", "SG25[1]/SG28[1]/PRI"),
    ]
    assert found.record is None


def test_what_the_check_has_found_is_not_said_again() -> None:
    translate = translator("ORDERS")
    assert translate is not None
    segments = [Segment("BGM", [["BGM"], ["220"], ["PO1"]], 2), Segment("DTM", [["DTM"], ["137", "x", "102"]], 3)]
    tree = Group("", "UNH", 1, [Segment("UNH", [["UNH"]], 1), *segments])
    known = [Finding(rules.DATE_UNREADABLE, "DTM", 3, 2, 2), Finding(SEGMENT_MISSING, "NAD", 1)]

    before = translate.decode(tree, DecodeContext())
    after = translate.decode(tree, DecodeContext(), known)

    assert [(f.code, f.expected) for f in before.findings if f not in after.findings] == [
        ("B651", "102"),
        ("B650", "NAD"),
    ]


def test_a_message_full_of_faults_gives_a_bounded_number_of_findings() -> None:
    lines = "".join(f"LIN+{number}\nQTY+21:x\n" for number in range(1, FINDINGS_MAX + 10))

    found = decoded("ORDERS", ORDER.replace("LIN+1++3760123450010:EN\nQTY+21:10\n", lines))

    assert len(found.findings) == FINDINGS_MAX + 1
    assert found.findings[-1].code == "B659"
    assert found.record is None


def test_ranges_of_ssccs_name_a_bounded_number_of_packages() -> None:
    wide = "337601234500000011:337601234500099998"  # just under ten thousand
    marks = f"GIN+BJ+{wide}\n" * (SSCCS_MAX // 10_000 + 2)

    found = decoded("DESADV", DESPATCH.replace("GIN+BJ+337601234500000011\n", marks))

    assert {f.code for f in found.findings} == {"Q751"}
    assert found.record is not None
    assert len(found.record.packages[0].ssccs) <= SSCCS_MAX


UNMAPPED = [
    ("ORDERS", "CUX+2:EUR:9\n", "CUX+2:EUR:9\nPAT+1\n", [("PAT", None, None, "PAT+1")]),
    ("ORDERS", "NAD+BY", "NAD+XX+1\nRFF+VA:FR1\nNAD+BY",
     [("NAD", None, None, "NAD+XX+1"), ("RFF", None, None, "RFF+VA:FR1")]),
    ("ORDERS", "QTY+21:10", "QTY+21:10:KGM\nQTY+192:1:PCE", [("QTY", None, None, "QTY+192:1:PCE")]),
    ("ORDERS", "QTY+21:10", "QTY+192:1:CT\nQTY+21:10", [("QTY", None, None, "QTY+192:1:CT")]),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nQTY+21:5", [("QTY", None, None, "QTY+21:5")]),
    ("ORDERS", "QTY+21:10", "IMD+C++CU::9\nQTY+21:10", [("IMD", None, None, "IMD+C++CU::9")]),
    ("ORDERS", "QTY+21:10", "IMD+F++:::A:B:fr\nQTY+21:10", [("IMD", 4, 6, "fr")]),
    ("ORDERS", "QTY+21:10", "PIA+3+SUB:SA\nQTY+21:10", [("PIA", None, None, "PIA+3+SUB:SA")]),
    ("ORDERS", "QTY+21:10", "PIA+5+SKU:SA::91\nQTY+21:10", [("PIA", 3, 4, "91")]),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nPRI+AAA:1:XX:NTP", [("PRI", 2, 3, "XX")]),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nTAX+7+GST+++:::5+S", [("TAX", None, None, "TAX+7+GST+++:::5+S")]),
    ("ORDERS", "QTY+21:10", "QTY+21:10\nMOA+203:5:USD", [("MOA", None, None, "MOA+203:5:USD")]),
    ("ORDRSP", "QTY+21:10", "QTY+21:10\nQVR+-1:21+AC", [("QVR", 3, 1, "AC")]),
    ("DESADV", "PCI+33E", "PCI+17+FRAGILE", [("PCI", 2, 1, "17"), ("PCI", 3, 1, "FRAGILE")]),
    ("DESADV", "CPS+1\n", "TDT+10++30\nCPS+1\n", [("TDT", None, None, "TDT+10++30")]),
    ("INVRPT", "QTY+145:148", "QTY+145:148\nINV+2", [("INV", 2, 1, "2")]),
    ("INVRPT", "QTY+145:148", "QTY+66:1:PCE\nQTY+145:148:KGM", [("QTY", None, None, "QTY+66:1:PCE")]),
]  # fmt: skip


@pytest.mark.parametrize(("message_type", "here", "instead", "expected"), UNMAPPED)
def test_what_has_no_field_is_kept_with_its_place(
    message_type: str, here: str, instead: str, expected: list[tuple[str, int | None, int | None, str]]
) -> None:
    found = decoded(message_type, BODIES[message_type].replace(here, instead, 1))

    assert [(u.segment, u.element, u.component, u.text) for u in found.unmapped] == expected
    assert found.record is not None


@pytest.mark.parametrize(
    ("lin", "pia", "expected"),
    [
        ("LIN+1++3760123450010:EN", "", {"gtin": "3760123450010"}),
        ("LIN+1++3760123450010:SRV", "", {"gtin": "3760123450010"}),
        ("LIN+1++012345678905:UP", "", {"gtin": "012345678905"}),
        ("LIN+1++3760123450010", "", {"gtin": "3760123450010"}),
        ("LIN+1++ART1:BP", "", {"buyer_article": "ART1"}),
        ("LIN+1++ART1:XX", "", {"others": (("XX", "ART1"),)}),
        ("LIN+1", "PIA+5+3760123450010:EN+SKU:SA", {"gtin": "3760123450010", "supplier_article": "SKU"}),
        (
            "LIN+1",
            "PIA+1+ASIN:IN\nPIA+5+P:BP+2-07:IB",
            {"buyer_article": "ASIN", "isbn": "2-07", "others": (("BP", "P"),)},
        ),
    ],
)
def test_the_ladder_of_identities(lin: str, pia: str, expected: dict[str, object]) -> None:
    body = ORDER.replace("LIN+1++3760123450010:EN", f"{lin}\n{pia}" if pia else lin)

    item = decoded("ORDERS", body).record.lines[0].item

    assert {name: value for name, value in vars_of(item).items() if value} == expected


def vars_of(item: object) -> dict[str, object]:
    return {name: getattr(item, name) for name in ("gtin", "supplier_article", "buyer_article", "isbn", "others")}


def test_a_quantity_of_despatch_is_the_confirmed_one_where_no_other_is_sent() -> None:
    body = ANSWER.replace("QTY+21:10", "QTY+12:8\nQTY+83:2")

    line = decoded("ORDRSP", body).record.lines[0]

    assert (line.quantity, line.despatched, line.backordered) == (Decimal(8), None, Decimal(2))


def test_an_unstructured_address_gives_the_name_and_the_street() -> None:
    body = ORDER.replace("NAD+BY+3760000000017::9", "NAD+BY++MARCHE SA:1 rue A:75001 PARIS")

    party = decoded("ORDERS", body).record.parties[0]

    assert (party.name, party.street) == ("MARCHE SA", ("1 rue A", "75001 PARIS"))


def test_stock_is_read_whichever_segment_begins_its_group() -> None:
    newer = STOCK.replace("QTY+145:148", "INV++++1\nQTY+145:148")

    assert decoded("INVRPT", newer, "D.01B").record == decoded("INVRPT", STOCK).record


def test_a_finding_tells_the_value_that_it_is_about() -> None:
    found = decoded("ORDERS", ORDER, lineage=True)

    assert found.path_of(Finding(rules.QUANTITY_UNREADABLE, "QTY", 7, 2, 2)) == "lines[0]/quantity"
    assert found.path_of(Finding(rules.QUANTITY_UNREADABLE, "QTY", 7)) == "lines[0]/quantity"
    assert found.path_of(Finding(rules.QUANTITY_UNREADABLE, "UNS", 8)) is None


def test_the_place_of_a_stock_group_counts_before_that_of_the_line() -> None:
    body = STOCK.replace("QTY+145:148", "LOC+18+A::91\nQTY+145:148\nQTY+66:8\nLOC+18+B::91")

    items = decoded("INVRPT", body).record.items

    assert [(item.location, item.actual, item.committed) for item in items] == [
        ("A", Decimal(148), None),
        ("B", None, Decimal(8)),
    ]


def test_the_place_of_a_line_whose_stock_is_all_elsewhere_has_no_field() -> None:
    found = decoded("INVRPT", STOCK.replace("QTY+145:148", "LOC+18+A::91\nQTY+145:148\nLOC+18+B::91"))

    assert [item.location for item in found.record.items] == ["B"]
    assert [unmapped.text for unmapped in found.unmapped] == ["LOC+18+A::91"]


def test_stock_groups_of_one_place_that_disagree() -> None:
    body = STOCK.replace(
        "QTY+145:148",
        "QTY+145:148\nDTM+366:202611220500:203\nPRI+AAA:5\nQTY+66:8\nDTM+366:202611220400:203\nPRI+AAA:6",
    )

    found = decoded("INVRPT", body)

    assert found.record.items[0].unit_price == Decimal(5)
    assert [unmapped.text for unmapped in found.unmapped] == ["DTM+366:202611220400:203", "PRI+AAA:6"]
