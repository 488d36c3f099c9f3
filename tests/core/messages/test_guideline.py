"""Guidelines: rows read or refused, and what they find."""

from __future__ import annotations

import pytest

from edi_gateway.edifact.findings import Severity
from edi_gateway.messages import JudgingPolicy, directory, message_type
from edi_gateway.messages.guideline import ROWS_MAX, SHIPPED, Guideline, GuidelineError, shipped
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
        ("BGM", {"status": "needed"}, "expected mandatory or forbidden"),
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
            assert message_type(kind) is not None
            for row in rows:
                definition = directory(guideline.directory).segment(row.segment.tag)
                assert definition is not None, row.path
                if row.element:
                    elements = {component.id for element in definition.elements for component in element.components}
                    assert row.element in elements, row.path
                if row.codes:
                    assert row.codes <= directory(guideline.directory).codes(row.element), row.path


def test_eancom_warns_of_what_it_leaves_out() -> None:
    policy = JudgingPolicy(guidelines=shipped("eancom"))
    assert judged(ORDER, policy).findings == []
    verdict = judged(ORDER.replace("BGM+220", "BGM+105").replace("NAD+BY+3760000000017::9'", ""), policy)
    assert codes(verdict) == ["D361", "C403"]
    assert verdict.valid


def test_an_unknown_guideline_is_refused() -> None:
    with pytest.raises(GuidelineError, match="there are: eancom"):
        shipped("odette")
