"""The catalogue of findings: complete in both languages, each code once, each rule provoked by something."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

import edi_gateway
from edi_gateway.edifact.findings import Finding, Level, Rule
from edi_gateway.messages import rules
from tests.core.messages.provocations import PROVOCATIONS

CATALOGUES = sorted(path.parent.name for path in Path(edi_gateway.__file__).parent.glob("*/rules.py"))
ALL = [rule for room in CATALOGUES for rule in import_module(f"edi_gateway.{room}.rules").RULES]

PLACEHOLDERS = {"segment", "position", "element", "component", "value", "expected", "offset"}

# ISO 9735-1: the codes of 0085 that may be sent; 1, 3-6, 8-11 were withdrawn.
CODES_0085 = {"2", "7", *map(str, range(12, 44)), "45", "46", "47", "48"}

LEVELS = {
    "T": set(Level),  # what happened to a document on its way, whatever it is about
    "S": {Level.SYNTAX},
    "D": {Level.STRUCTURE},
    "C": {Level.CODE_LIST},
    "I": {Level.IDENTIFIER},
    "B": {Level.BUSINESS},
    "Q": {Level.BUSINESS},
    "F": {Level.BUSINESS},
    "R": {Level.BUSINESS},
}


def test_all_rooms_are_looked_at() -> None:
    assert {"edifact", "messages", "translators", "marketplace"} <= set(CATALOGUES)


def test_no_two_rules_share_a_code() -> None:
    codes = [rule.code for rule in ALL]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_rule_is_complete_and_can_be_shown(rule: Rule) -> None:
    assert re.fullmatch(r"[TSDCIBQFR][1-9]\d\d", rule.code)
    assert rule.level in LEVELS[rule.code[0]]
    assert rule.contrl is None or rule.contrl in CODES_0085
    texts = (rule.en, rule.fr, rule.hint_en, rule.hint_fr)
    for text in texts:
        assert text.strip() == text
        assert text
        assert {name for _, name, _, _ in Formatter().parse(text) if name} <= PLACEHOLDERS
    assert rule.en != rule.fr
    assert rule.hint_en != rule.hint_fr
    finding = Finding(rule, "QTY", 7, 2, 1, 120, "1OO", "n..15")
    for language in ("en", "fr"):
        assert "{" not in finding.text(language) + finding.hint(language)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_both_languages_name_the_same_facts(rule: Rule) -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert names(rule.en) == names(rule.fr)
    assert names(rule.hint_en) == names(rule.hint_fr)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_each_rule_of_this_room_is_provoked_by_a_sample(rule: Rule) -> None:
    found = [finding for finding in PROVOCATIONS[rule.code]() if finding.code == rule.code]
    assert found
    for language in ("en", "fr"):
        text = found[0].text(language) + found[0].hint(language)
        assert text.isprintable()
        assert not re.search(r"b['\"]|None", text), "a value as Python spells it, or an empty one"


def test_what_cannot_be_seen_is_named_and_nothing_is_said_to_be_nothing() -> None:
    seen = Finding(rules.CODE_UNKNOWN, "QTY", 7, 2, 1, 120, "a\nb\x00", None)
    assert seen.text("en") == "The code a<0A>b<00> in QTY is not in its code list ((none))"
    assert "(aucun)" in seen.text("fr")
    assert seen.as_json()["value"] == "a\nb\x00"


def test_no_provocation_without_its_rule() -> None:
    assert set(PROVOCATIONS) == {rule.code for rule in rules.RULES}
