"""The catalogue of syntax findings: complete, bilingual, and every rule of it can be broken."""

from __future__ import annotations

import re
import string

import pytest

from edi_gateway.edifact import rules
from edi_gateway.edifact.findings import Finding, Level, Rule
from tests.core.edifact.provocations import BEYOND_SMALL, PROVOCATIONS, SMALL
from tests.core.edifact.readings import ReadFile, read_file

FIELDS = {"segment", "position", "element", "component", "value", "expected", "offset"}


def all_findings(file: ReadFile) -> list[Finding]:
    found = list(file.findings)
    for interchange in file.interchanges:
        found += interchange.ended.findings if interchange.ended else ()
        found += [finding for group in interchange.groups for finding in group.findings]
        found += [finding for message in interchange.messages for finding in message.findings]
    return found


def test_no_code_is_used_twice() -> None:
    assert len({rule.code for rule in rules.RULES}) == len(rules.RULES)


def test_every_rule_has_a_file_that_breaks_it() -> None:
    assert set(PROVOCATIONS) == {rule.code for rule in rules.RULES}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_the_file_that_breaks_a_rule_gives_its_finding(rule: Rule) -> None:
    limits = [SMALL] if rule.code in BEYOND_SMALL else []
    found = {finding.code: finding for finding in all_findings(read_file(PROVOCATIONS[rule.code], *limits))}
    assert rule.code in found
    for language in ("en", "fr"):
        text = found[rule.code].text(language) + found[rule.code].hint(language)
        assert "None" not in text
        assert text.isprintable(), "what cannot be seen is named"
        assert not re.search(r"b['\"]|\\\\[nrtx]|<[a-z_]+ |  ", text), "a value as Python spells it, or an empty one"
        assert "{" not in text
        assert "?" not in text.replace(":+.? '", "").replace(":X.? '", "").replace("in ?:", "").replace(
            "par ? :", ""
        ), "a field is missing"


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_every_rule_speaks_both_languages_and_names_known_fields(rule: Rule) -> None:
    assert rule.code.startswith("S2")
    assert rule.level is Level.SYNTAX
    assert rule.en != rule.fr
    assert rule.hint_en != rule.hint_fr
    for text in (rule.en, rule.fr, rule.hint_en, rule.hint_fr):
        assert text
        assert {name for _, name, _, _ in string.Formatter().parse(text) if name} <= FIELDS


def test_warnings_and_errors_of_one_file_are_all_reported() -> None:
    broken = PROVOCATIONS["S242"]
    assert isinstance(broken, str)
    three = broken.replace("BGM", "bgm").replace("PO1", "P?O1").replace("UNZ+1", "UNZ+9")
    assert sorted(finding.code for finding in all_findings(read_file(three))) == ["S226", "S233", "S242", "S262"]
