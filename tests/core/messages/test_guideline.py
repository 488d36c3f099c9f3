"""Guidelines: rows read or refused, and what they find."""

from __future__ import annotations

from pathlib import Path

import pytest

from edi_gateway.edifact.findings import Severity
from edi_gateway.messages import JudgingPolicy, specification
from edi_gateway.messages.guideline import ROWS_MAX, SHIPPED, Guideline, GuidelineError, misplaced, shipped
from edi_gateway.messages.judge import judge
from tests.core.messages.texts import ORDER, codes, judged


def found(path: str, text: str = ORDER, **row: object) -> list[tuple[str, int | None, int | None, int | None]]:
    """(code, position, element, component) of what a guideline of this one row finds."""
    guideline = Guideline.read("mig", {"ORDERS": {path: row}})
    findings = judged(text, JudgingPolicy(guidelines=(guideline,))).findings
    assert all(finding.contrl is None for finding in findings)
    return [(finding.code, finding.position, finding.element, finding.component) for finding in findings]


@pytest.mark.parametrize(
    "path, row, expected",
    [
        ("RFF+CT", {"status": "mandatory"}, [("D361", 1, None, None)]),
        ("NAD+SU", {"status": "mandatory"}, []),
        ("NAD+DP", {"status": "mandatory"}, [("D361", 1, None, None)]),
        ("NAD+SU/RFF+VA", {"status": "mandatory"}, [("D361", 5, None, None)]),
        ("LIN/PIA", {"status": "mandatory"}, [("D361", 7, None, None), ("D361", 10, None, None)]),
        ("LIN/QTY+21", {"status": "mandatory"}, []),
        ("CUX", {"status": "forbidden"}, [("D362", 6, None, None)]),
        ("LIN/PRI+AAA", {"status": "forbidden"}, [("D362", 9, None, None), ("D362", 12, None, None)]),
        ("LIN/PRI+AAB", {"status": "forbidden"}, []),
        ("BGM/1225", {"status": "mandatory"}, []),
        ("BGM/4343", {"status": "mandatory"}, [("D361", 2, 5, None)]),
        ("NAD/C080", {"status": "mandatory"}, [("D361", 4, 5, None), ("D361", 5, 5, None)]),
        ("NAD+BY/3036", {"status": "mandatory"}, [("D361", 4, 5, 1)]),
        ("NAD+BY/3036", {"status": "dependent"}, []),
        ("DTM+137/2379", {"status": "dependent"}, []),
        ("NAD+BY/1131", {"status": "dependent"}, [("D361", 4, 3, 2)]),
        ("LIN/1229", {"status": "forbidden"}, []),
        ("LIN/7140", {"status": "forbidden"}, [("D362", 7, 4, 1), ("D362", 10, 4, 1)]),
        ("BGM/1004", {"length_max": 3}, []),
        ("BGM/1004", {"length_max": 2}, [("D363", 2, 3, None)]),
        ("BGM/1001", {"codes": ["220", "224"]}, []),
        ("BGM/1001", {"codes": "221 224"}, [("C403", 2, 2, 1)]),
        ("LIN/QTY+21/6063", {"codes": ["12"]}, [("C403", 8, 2, 1), ("C403", 11, 2, 1)]),
        ("ZZZ/1001", {"status": "mandatory"}, []),
        ("BGM/9999", {"status": "mandatory"}, []),
    ],
)
def test_what_a_row_finds(path: str, row: dict[str, object], expected: list[object]) -> None:
    assert found(path, **row) == expected


def test_other_message_types_are_not_touched() -> None:
    guideline = Guideline.read("mig", {"INVOIC": {"RFF+ON": {"status": "mandatory"}}})
    assert judged(ORDER, JudgingPolicy(guidelines=(guideline,))).findings == []


def test_a_guideline_of_another_directory_is_not_asked() -> None:
    rows = {"ORDERS": {"RFF+CT": {"status": "mandatory"}}}
    assert judged(ORDER, JudgingPolicy(guidelines=(Guideline.read("mig", rows, directory="D.01B"),))).findings == []


def test_severities_are_the_guidelines_and_can_be_graded() -> None:
    guideline = Guideline.read("mig", {"ORDERS": {"RFF+CT": {"status": "mandatory"}}}, Severity.WARNING)
    assert judged(ORDER, JudgingPolicy(guidelines=(guideline,))).valid
    assert not judged(ORDER, JudgingPolicy(guidelines=(guideline,), severities={"D361": "error"})).valid


@pytest.mark.parametrize(
    "path, row, says",
    [
        ("bgm", {"status": "mandatory"}, "'bgm' is no segment tag"),
        ("BGM/12", {"status": "mandatory"}, "'12' is no segment tag"),
        ("1225", {"status": "mandatory"}, "no segment tag"),
        ("BGM", {}, "expected status, length_max or codes"),
        ("BGM", {"state": "mandatory"}, "not state"),
        ("BGM", {"status": "needed"}, "expected mandatory, dependent or forbidden"),
        ("BGM", {"status": "dependent"}, "is of a data element"),
        ("BGM", {"codes": ["1"]}, "are of a data element"),
        ("BGM", {"length_max": 3}, "are of a data element"),
        ("BGM/1004", {"length_max": 0}, "expected a number of characters"),
        ("BGM/1004", {"length_max": True}, "expected a number of characters"),
        ("BGM/1004", {"codes": []}, "expected a list of codes"),
        ("BGM/1004", {"codes": [1]}, "expected a list of codes"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_row(path: str, row: dict[str, object], says: str) -> None:
    with pytest.raises(GuidelineError, match=says) as refused:
        Guideline.read("mig", {"ORDERS": {path: row}})
    assert f"mig, ORDERS, {path}" in str(refused.value)


def test_the_number_of_rows_is_bounded() -> None:
    rows = {f"RFF+{number}": {"status": "mandatory"} for number in range(ROWS_MAX)}
    assert Guideline.read("mig", {"ORDERS": rows})
    with pytest.raises(GuidelineError, match="more than"):
        Guideline.read("mig", {"ORDERS": rows, "ORDRSP": {"BGM": {"status": "mandatory"}}})


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_speaks_of_places_and_codes_that_exist(name: str) -> None:
    for guideline in shipped(name):
        for kind, rows in guideline.restrictions.items():
            found = specification(kind, guideline.directory, guideline.syntax_version or "3")
            for row in rows:
                assert misplaced(row, found) == "", (guideline.name, kind, row.path)
                known = found.directory.codes(row.element) if row.codes else None
                assert known is None or row.codes <= known, (guideline.name, kind, row.path)


def test_eancom_covers_the_five_main_messages_in_both_directories_and_both_syntaxes() -> None:
    covered = {(each.directory, each.syntax_version): set(each.restrictions) for each in shipped("eancom")}
    main = {"ORDERS", "ORDRSP", "DESADV", "INVOIC", "INVRPT"}
    assert covered == {("D.96A", None): main, ("D.01B", None): main, ("D.01B", "3"): main, ("D.01B", "4"): main}


@pytest.mark.parametrize("syntax, expected", [("3", ["EANCOM 2002 S3"]), ("4", ["EANCOM 2002 S4"])])
def test_syntax_3_and_4_of_eancom_2002_are_told_apart(syntax: str, expected: list[str]) -> None:
    order = ORDER.replace("ORDERS:D:96A:UN:EAN008'", "ORDERS:D:01B:UN:EAN010+ACCESS'").replace(":EN", ":SRV")
    findings = judged(order, JudgingPolicy(guidelines=shipped("eancom")), syntax).findings
    assert [finding.expected for finding in findings] == expected


SAMPLES = Path(__file__).parents[3] / "samples"


@pytest.mark.parametrize(
    "name, old, new, expected",
    [
        ("ordrsp-partial", "OR-1001+4", "OR-1001+28", ("C403", "BGM")),
        ("ordrsp-partial", "LIN+1+5+", "LIN+1++", ("D361", "SG26[1]/LIN")),
        ("ordrsp-partial", "NAD+SU+3760000001014::9'", "", ("D361", "NAD")),
        ("ordrsp-partial", "EAN005", "EAN009", ("C403", "UNH")),
        ("ordrsp-d01b", "EAN009", "EAN005", ("C403", "UNH")),
        ("ordrsp-d01b", ":SRV", ":EN", ("C403", "SG26[1]/LIN")),
        ("desadv-cartons", "QTY+12:10", "QTY+12:9", None),
        ("desadv-cartons", "QTY+12:6", "QTY+21:6", ("D361", "SG10[3]/SG15[1]/QTY")),
        ("desadv-cartons", "NAD+BY+3760000000017::9'", "NAD+BY+3760000000017:1:9'", ("D362", "SG2[1]/NAD")),
        ("desadv-d01b", "QTY+12:", "QTY+46:", ("C403", "SG10[2]/SG17[1]/QTY")),
        ("invoic-goods", "DTM+137:20261126:102", "DTM+3:20261126:102", ("D361", "DTM")),
        ("invoic-goods", "TAX+7+", "TAX+6+", ("C403", "SG25[1]/SG33[1]/TAX")),
        ("invrpt-plain", "BGM+35+", "BGM+220+", ("C403", "BGM")),
        ("orders-plain", "QTY+21:4", "QTY+1:4", ("D361", "SG25[3]/QTY")),
        ("orders-plain", "NAD+BY+3760000000017::9", "NAD+BY+3760000000017", ("D361", "SG2[1]/NAD")),
    ],
)
def test_what_eancom_leaves_out_of_our_samples(name: str, old: str, new: str, expected: tuple[str, str] | None) -> None:
    text = (SAMPLES / f"{name}.edi").read_bytes().decode("latin-1")
    assert old in text
    (verdict,) = judge([text.replace(old, new, 1).encode("latin-1")], JudgingPolicy(guidelines=shipped("eancom")))
    found = [(f.code, f.path) for f in verdict.messages[0].findings if f.code in ("D361", "D362", "D363", "C403")]
    assert (expected in found) if expected else found == []


def test_eancom_warns_of_what_it_leaves_out() -> None:
    policy = JudgingPolicy(guidelines=shipped("eancom"))
    assert judged(ORDER, policy).findings == []
    verdict = judged(ORDER.replace("BGM+220", "BGM+105").replace("NAD+BY+3760000000017::9'", ""), policy)
    assert codes(verdict) == ["D361", "C403"]
    assert verdict.valid


def test_an_unknown_guideline_is_refused() -> None:
    with pytest.raises(GuidelineError, match="there are: eancom"):
        shipped("odette")
