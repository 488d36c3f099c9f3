"""What each message carries in practice, row by row: the segment gives the field, and the field gives the segment.

One row a line of the tables of practice (EANCOM 1997 and 2002): message, where the segments stand, the segments, and
what they say by its path in the record. Each is read and written in both directories.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from edi_gateway.translators import DecodeContext, EncodeContext, translator
from edi_gateway.translators.json_form import to_json

from .test_decode import BODIES
from .wire import decoded, judged, message_of, segments

Row = tuple[str, str, str, dict[str, Any]]

ORDERS: list[Row] = [
    *(("ORDERS", "BGM", f"BGM+{code}+PO1+9", {"type": kind}) for code, kind in (("224", "rush"), ("221", "blanket"))),
    *(("ORDERS", "BGM", f"BGM+220+PO1+{code}", {"function": code}) for code in ("6", "7", "16", "31", "42", "46")),
    *(("ORDERS", "BGM", f"BGM+220+PO1+9+{code}", {"response_required": code}) for code in ("AC", "AI", "NA")),
    ("ORDERS", "+DTM", "DTM+2:20261125:102", {"requested_delivery": "2026-11-25"}),
    ("ORDERS", "+DTM", "DTM+64:20261124:102", {"delivery_window/start": "2026-11-24"}),
    ("ORDERS", "+DTM", "DTM+63:20261127:102", {"delivery_window/end": "2026-11-27"}),
    ("ORDERS", "+DTM", "DTM+61:20261201:102", {"cancel_after": "2026-12-01"}),
    *(
        ("ORDERS", "+DTM", f"DTM+{code}:20261125:102", {"dates[0]/qualifier": code, "dates[0]/date": "2026-11-25"})
        for code in ("10", "11", "37", "38", "69", "200", "X14")
    ),
    *(
        ("ORDERS", "+DTM", f"FTX+{code}+++TEXTE", {"notes[0]/subject": code, "notes[0]/text[0]": "TEXTE"})
        for code in ("AAI", "PUR", "DEL")
    ),
    *(
        ("ORDERS", "+DTM", f"RFF+{code}:R1\nDTM+171:20261101:102", {"references[0]/date": "2026-11-01"})
        for code in ("CT", "PL", "VN", "PD", "ADE")
    ),
    *(
        ("ORDERS", "+NAD", f"NAD+{code}+3760000000024::9", {"parties[1]/role": code})
        for code in ("SU", "DP", "IV", "ST", "SN", "UC", "UD")
    ),
    ("ORDERS", "+NAD", "RFF+VA:FR11123456782", {"parties[0]/vat_id": "FR11123456782"}),
    ("ORDERS", "+NAD", "RFF+XA:123456782", {"parties[0]/registration": "123456782"}),
    ("ORDERS", "+NAD", "CTA+IC+:NOM\nCOM+a@b.example:EM", {"parties[0]/contacts[0]/email": "a@b.example"}),
    ("ORDERS", "+LIN", "PIA+5+SKU-1:SA", {"lines[0]/item/supplier_article": "SKU-1"}),
    ("ORDERS", "+LIN", "PIA+5+B00X:IN", {"lines[0]/item/buyer_article": "B00X"}),
    ("ORDERS", "+LIN", "PIA+5+9782070360024:IB", {"lines[0]/item/isbn": "9782070360024"}),
    ("ORDERS", "+LIN", "PIA+1+X9:MF", {"lines[0]/item/others[0][0]": "MF", "lines[0]/item/others[0][1]": "X9"}),
    ("ORDERS", "+LIN", "IMD+F++:::TAILLE-HAIE", {"lines[0]/description": "TAILLE-HAIE"}),
    ("ORDERS", "+QTY", "QTY+59:6", {"lines[0]/pack_size": "6"}),
    ("ORDERS", "+QTY", "QTY+192:1", {"lines[0]/free_quantity": "1"}),
    *(("ORDERS", "+QTY", f"QTY+{code}:3", {"lines[0]/other_quantities[0][0]": code}) for code in ("1", "37E")),
    ("ORDERS", "+QTY", "MOA+203:125.00", {"lines[0]/net_amount": "125.00"}),
    ("ORDERS", "+QTY", "MOA+128:125.00", {"lines[0]/other_amounts[0][0]": "128"}),
    ("ORDERS", "+QTY", "PRI+AAA:12.50", {"lines[0]/unit_price": "12.50"}),
    ("ORDERS", "+QTY", "PRI+AAB:15.00", {"lines[0]/list_price": "15.00"}),
    ("ORDERS", "+QTY", "PRI+AAE:19.90", {"lines[0]/retail_price": "19.90"}),
    ("ORDERS", "+QTY", "PRI+AAF:16.00", {"lines[0]/other_prices[0][0]": "AAF"}),
    ("ORDERS", "+QTY", "PRI+AAA:1250:::100", {"lines[0]/unit_price": "1250", "lines[0]/price_basis": "100"}),
    ("ORDERS", "+QTY", "TAX+7+VAT+++:::5.5+S", {"lines[0]/vat/rate": "5.5"}),
    *(("ORDERS", "+QTY", f"TAX+7+VAT+++:::0+{code}", {"lines[0]/vat/category": code}) for code in ("Z", "E", "AE")),
    ("ORDERS", "+UNS", "MOA+79:125.00", {"total_net": "125.00"}),
    ("ORDERS", "+UNS", "MOA+86:150.00", {"total": "150.00"}),
]

ORDRSP: list[Row] = [
    *(("ORDRSP", "BGM", f"BGM+231+OR1+{code}", {"response": code}) for code in ("4", "12", "27", "28", "29", "34")),
    *(("ORDRSP", "LIN", f"LIN+1+{code}+3760123450010:EN", {"lines[0]/action": code}) for code in "13457"),
    ("ORDRSP", "QTY", "QTY+12:8", {"lines[0]/quantity": "8"}),
    ("ORDRSP", "+QTY", "QTY+83:2", {"lines[0]/backordered": "2"}),
    ("ORDRSP", "+QTY", "QTY+182:2", {"lines[0]/cancelled": "2"}),
    ("ORDRSP", "+QTY", "QTY+185:2", {"lines[0]/rejected": "2"}),
    ("ORDRSP", "+QTY", "QVR+-2:21+BP", {"lines[0]/difference": "-2", "lines[0]/remainder": "BP"}),
    ("ORDRSP", "+QTY", "QVR+-2:21+CP+AUE", {"lines[0]/remainder": "CP", "lines[0]/reason": "AUE"}),
    ("ORDRSP", "+QTY", "DTM+69:20261126:102", {"lines[0]/promised_delivery": "2026-11-26"}),
    ("ORDRSP", "+QTY", "DTM+11:20261126:102", {"lines[0]/promised_ship": "2026-11-26"}),
    *(
        ("ORDRSP", "+QTY", f"DTM+{code}:20261126:102", {"lines[0]/dates[0]/qualifier": code})
        for code in ("76", "67", "223", "266", "63", "64")
    ),
    ("ORDRSP", "+QTY", "RFF+ON:PO2:3", {"lines[0]/order_number": "PO2", "lines[0]/order_line": 3}),
    ("ORDRSP", "+RFF", "RFF+VN:V1", {"references[0]/qualifier": "VN"}),
    ("ORDRSP", "+QTY", "PRI+AAA:12.50", {"lines[0]/unit_price": "12.50"}),
    ("ORDRSP", "+QTY", "PRI+AAE:19.90", {"lines[0]/retail_price": "19.90"}),
]

DESADV: list[Row] = [
    *(("DESADV", "BGM", f"BGM+{code}+DA1+9", {"type": code}) for code in ("35E", "345")),
    *(("DESADV", "BGM", f"BGM+351+DA1+{code}", {"function": code}) for code in ("1", "4", "7", "31", "42")),
    ("DESADV", "+DTM", "DTM+11:202611251430:203", {"shipped": "2026-11-25T13:30:00Z"}),
    ("DESADV", "+DTM", "DTM+132:20261126:102", {"estimated_arrival": "2026-11-26"}),
    *(("DESADV", "+DTM", f"DTM+{code}:20261126:102", {"dates[0]/qualifier": code}) for code in ("2", "35", "358")),
    ("DESADV", "+DTM", "RFF+DQ:BL1", {"delivery_note": "BL1"}),
    ("DESADV", "+DTM", "RFF+BM:B1", {"bill_of_lading": "B1"}),
    ("DESADV", "+DTM", "RFF+CN:6A1", {"tracking": "6A1"}),
    ("DESADV", "+DTM", "RFF+AAK:DA0\nDTM+171:20261120:102", {"previous": "DA0", "previous_date": "2026-11-20"}),
    *(("DESADV", "+DTM", f"RFF+{code}:X1", {"references[0]/qualifier": code}) for code in ("AAS", "AWB", "VN")),
    *(
        (
            "DESADV",
            "-CPS",
            f"NAD+{code}+3760000001021::9++++++69002+FR",
            {"parties[0]/role": code, "parties[0]/postcode": "69002"},
        )
        for code in ("SF", "CA", "WH", "UC", "ST", "DP")
    ),
    ("DESADV", "-CPS", "TDT+20++30+31", {"transport_mode": "30", "transport_means": "31"}),
    ("DESADV", "-CPS", "TDT+20++30+31+DHL:::DHL EXPRESS", {"carrier": "DHL", "carrier_name": "DHL EXPRESS"}),
    ("DESADV", "-CPS", "EQD+CN+MSKU1\nMEA+PD+AAB+KGM:12\nSEL+S1", {"equipment[0]/seals[0]": "S1"}),
    ("DESADV", "+CPS", "PAC+2++201", {"packages[0]/count": 2, "packages[0]/type": "201"}),
    ("DESADV", "+CPS", "PAC+1+:52+CT", {"packages[0]/marked": "52", "packages[0]/type": "CT"}),
    ("DESADV", "+CPS", "PAC+1++PK\nMEA+PD+AAB+KGM:12", {"packages[0]/gross_weight_kg": "12"}),
    ("DESADV", "+CPS", "PAC+1++PK\nMEA+PD+LN+CMT:40", {"packages[0]/length_cm": "40"}),
    ("DESADV", "+CPS", "PAC+1++PK\nHAN+BIG", {"packages[0]/handling": "BIG"}),
    (
        "DESADV",
        "+CPS",
        "PAC+1++PK\nPCI+33E\nGIN+BJ+337601234500000011",
        {"packages[0]/ssccs[0]": "337601234500000011"},
    ),
    *(
        ("DESADV", "+QTY", f"QTY+{code}:5", {f"packages[0]/lines[0]/{name}": "5"})
        for code, name in (("21", "ordered"), ("192", "free_quantity"), ("59", "pack_size"))
    ),
    *(
        ("DESADV", "+QTY", f"QTY+{code}:5", {"packages[0]/lines[0]/other_quantities[0][0]": code})
        for code in ("61", "121", "193", "45E", "11")
    ),
    (
        "DESADV",
        "+QTY",
        "RFF+ON:PO2:3",
        {"packages[0]/lines[0]/order_number": "PO2", "packages[0]/lines[0]/order_line": 3},
    ),
    (
        "DESADV",
        "+QTY",
        "QVR+-2:21+BP",
        {"packages[0]/lines[0]/difference": "-2", "packages[0]/lines[0]/remainder": "BP"},
    ),
    ("DESADV", "+QTY", "DTM+36:20271231:102", {"packages[0]/lines[0]/expiry": "2027-12-31"}),
    ("DESADV", "+QTY", "DTM+361:20271231:102", {"packages[0]/lines[0]/best_before": "2027-12-31"}),
]

INVOIC: list[Row] = [
    *(
        ("INVOIC", "BGM", f"BGM+{code}+FA1+9", {"type_code": code})
        for code in ("381", "382", "383", "384", "385", "386", "389", "390", "393", "325", "82", "83", "84", "130")
    ),
    *(("INVOIC", "BGM", f"BGM+380+FA1+{code}", {"function": code}) for code in ("1", "5", "7", "31", "43")),
    ("INVOIC", "+DTM", "DTM+35:20261126:102", {"delivered": "2026-11-26"}),
    ("INVOIC", "+DTM", "DTM+11:20261126:102", {"despatched": "2026-11-26"}),
    ("INVOIC", "+DTM", "DTM+263:2026111120261120:718", {"period/start": "2026-11-11", "period/end": "2026-11-20"}),
    *(("INVOIC", "+DTM", f"DTM+{code}:20261126:102", {"dates[0]/qualifier": code}) for code in ("50", "325")),
    *(
        ("INVOIC", "+DTM", f"FTX+{code}+++TEXTE", {"notes[0]/subject": code})
        for code in ("REG", "SUR", "AAI", "PMT", "PMD", "AAB", "TXD")
    ),
    ("INVOIC", "+DTM", "RFF+ON:PO1\nDTM+171:20261101:102", {"order_number": "PO1", "order_date": "2026-11-01"}),
    ("INVOIC", "+DTM", "RFF+AAK:DA1", {"despatch_number": "DA1"}),
    ("INVOIC", "+DTM", "RFF+IV:FA0\nDTM+171:20261101:102", {"corrected_invoice/number": "FA0"}),
    *(
        ("INVOIC", "+DTM", f"RFF+{code}:X1", {"references[0]/qualifier": code})
        for code in ("VN", "DQ", "CD", "DL", "AAB", "AAJ", "PL", "CT", "ALL", "CR")
    ),
    *(
        ("INVOIC", "+NAD", f"NAD+{code}+3760000000024::9", {"parties[1]/role": code})
        for code in ("BY", "IV", "DP", "SE", "II", "PE", "RE", "SN", "SR", "ST", "BS", "CN", "BO", "CS")
    ),
    ("INVOIC", "+NAD", "RFF+AHP:X1", {"parties[0]/references[0]/qualifier": "AHP"}),
    ("INVOIC", "+NAD", "FII+BF+FR7630006000011234567890189:NOM+AGRIFRPP", {"account/bic": "AGRIFRPP"}),
    ("INVOIC", "+CUX", "PAT+1\nDTM+13:20270125:102", {"due": "2027-01-25"}),
    (
        "INVOIC",
        "+CUX",
        "PAT+1++5:7:D:60\nDTM+171:20261126:102\nPCD+12:3",
        {"terms[0]/periods": 60, "terms[0]/percent": "3", "terms[0]/dates[0]/qualifier": "171"},
    ),
    *(
        ("INVOIC", "+CUX", f"PAT+1\nDTM+{code}:20270125:102", {"terms[0]/dates[0]/qualifier": code})
        for code in ("140", "209", "7")
    ),
    ("INVOIC", "+CUX", "PAT+22\nDTM+12:20261210:102", {"terms[0]/discount_until": "2026-12-10"}),
    *(
        ("INVOIC", "+CUX", f"ALC+A+++1+{code}\nPCD+1:5", {"allowances[0]/service": code, "allowances[0]/percent": "5"})
        for code in ("AJ", "CAC", "COD", "EAB", "FC", "FI", "HD", "QD", "ADS", "ADT", "TD", "DI", "PC", "ABH", "IN")
    ),
    *(
        ("INVOIC", "+CUX", f"ALC+C++{code}++FC\nMOA+8:120", {"allowances[0]/settlement": code})
        for code in ("1", "2", "5", "6")
    ),
    ("INVOIC", "+CUX", "ALC+C++++FC\nQTY+1:3\nRTE+2:4", {"allowances[0]/quantity": "3", "allowances[0]/rate": "4"}),
    ("INVOIC", "+CUX", "ALC+C++++FC\nMOA+8:120\nTAX+7+VAT+++:::19+S", {"allowances[0]/vat/rate": "19"}),
    ("INVOIC", "+QTY", "QTY+46:9", {"lines[0]/delivered": "9"}),
    ("INVOIC", "+QTY", "QTY+192:1", {"lines[0]/free_quantity": "1"}),
    *(("INVOIC", "+QTY", f"QTY+{code}:1", {"lines[0]/other_quantities[0][0]": code}) for code in ("61", "59")),
    ("INVOIC", "+QTY", "QVR+-1:21+CP+AJT", {"lines[0]/difference": "-1", "lines[0]/reason": "AJT"}),
    *(("INVOIC", "+QTY", f"MOA+{code}:5", {"lines[0]/other_amounts[0][0]": code}) for code in ("66", "131", "8", "23")),
    ("INVOIC", "+QTY", "PRI+AAB:15", {"lines[0]/list_price": "15"}),
    *(("INVOIC", "+QTY", f"PRI+{code}:15", {"lines[0]/other_prices[0][0]": code}) for code in ("AAE", "AAF")),
    ("INVOIC", "+PRI", "RFF+AAK:DA1", {"lines[0]/despatch_number": "DA1"}),
    *(
        ("INVOIC", "+PRI", f"RFF+{code}:X1:2", {"lines[0]/references[0]/line": "2"})
        for code in ("VN", "ALO", "DQ", "CT", "PL", "CR", "IV")
    ),
    ("INVOIC", "TAX", "TAX+7+VAT+++:::20+S\nMOA+124:25", {"lines[0]/vat_amount": "25"}),
    *(
        ("INVOIC", "+UNS", f"MOA+{code}:5", {f"totals/{name}": "5"})
        for code, name in (
            ("9", "due"),
            ("79", "lines"),
            ("77", "total_alternative"),
            ("113", "prepaid"),
            ("125", "taxable"),
            ("131", "allowances"),
            ("176", "vat"),
        )
    ),
    *(("INVOIC", "+UNS", f"MOA+{code}:5", {"totals/others[0][0]": code}) for code in ("53", "129", "11E", "26E")),
    (
        "INVOIC",
        "$",
        "TAX+7+VAT+++:::21+S\nMOA+125:2160\nMOA+124:453.60",
        {"vat_breakdown[-1]/vat/rate": "21", "vat_breakdown[-1]/amount": "453.60"},
    ),
]

INVRPT: list[Row] = [
    *(("INVRPT", "BGM", f"BGM+{code}+INV1+9", {"type": code}) for code in ("78", "85E")),
    ("INVRPT", "+DTM", "DTM+366:202611220545:203", {"reported": "2026-11-22T04:45:00Z"}),
    *(("INVRPT", "+DTM", f"DTM+{code}:20261122:102", {"dates[0]/qualifier": code}) for code in ("91", "179")),
    *(
        ("INVRPT", "-LIN", f"NAD+{code}+3760000001014::9", {"parties[0]/role": code})
        for code in ("SU", "GY", "CO", "WH", "DP", "BY", "MF")
    ),
    *(
        ("INVRPT", "+QTY", f"QTY+{code}:5", {f"items[0]/{name}": "5"})
        for code, name in (
            ("66", "committed"),
            ("198", "in_transit"),
            ("124", "damaged"),
            ("89", "quality_held"),
            ("97", "minimum"),
            ("98", "maximum"),
            ("197", "reorder_level"),
        )
    ),
    *(
        ("INVRPT", "+QTY", f"QTY+{code}:5", {"items[0]/others[0][0]": code})
        for code in ("81", "96", "146", "157", "199", "31E", "32E", "35E", "212", "249", "257", "93E", "98E", "X14")
    ),
    *(
        ("INVRPT", "+LIN", f"ALI+++{code}", {f"items[0]/{name}": True})
        for code, name in (("130", "discontinued"), ("X14", "suspended"), ("X15", "no_reorder"))
    ),
]

ROWS = [*ORDERS, *ORDRSP, *DESADV, *INVOIC, *INVRPT]
DIRECTORIES = ("D.96A", "D.01B")


def placed(message_type: str, where: str, row: str, directory: str) -> str:
    """The body with the row's segments: for its first segment of that tag, after (+) or before (-) it, or last ($)."""
    lines = BODIES[message_type].strip().splitlines()
    tag = where.lstrip("+-")
    at = len(lines) if where == "$" else next(index for index, line in enumerate(lines) if line.startswith(tag))
    begin = at + (where[0] == "+")
    body = "\n".join([*lines[:begin], row, *lines[at + (where[0] not in "-$") :]])
    return re.sub(r"(LIN\+.*):EN", r"\1:SRV", body) if directory == "D.01B" else body


def value(record: Any, path: str) -> Any:
    found = to_json(record)
    for step in re.findall(r"[a-z_]+|-?\d+", path):
        found = found[int(step)] if step.lstrip("-").isdigit() else found[step]
    return found


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize(("message_type", "where", "row", "said"), ROWS, ids=lambda each: str(each)[:40])
def test_a_row_is_read_and_written(
    message_type: str, where: str, row: str, said: dict[str, Any], directory: str
) -> None:
    body = placed(message_type, where, row, directory)
    found = decoded(message_type, body, directory)
    assert found.record is not None
    assert [finding.code for finding in found.findings if finding.is_error] == []
    assert found.unmapped == []
    assert {path: value(found.record, path) for path in said} == said

    kind = translator(message_type)
    assert kind is not None
    written = kind.encode(found.record, EncodeContext(directory=directory))
    tree, _ = judged(message_of(message_type, written, directory))
    assert kind.decode(tree, DecodeContext(directory=directory)).record == found.record
    texts = {"+".join(":".join(parts) for parts in segment.elements) for segment in written}
    theirs = {"+".join(":".join(parts) for parts in segment.elements) for segment in segments(row)}
    if message_type != "ORDRSP" or not row.startswith("QTY+12"):
        assert {text for text in theirs if not text.startswith("LIN")} <= texts
