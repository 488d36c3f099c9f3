"""Messages generated from the tables: the valid ones are valid, each single mutation gives its one finding."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.messages import DIRECTORIES, MESSAGE_TYPES, MessageSpecification, specification
from tests.core.messages import texts
from tests.core.messages.generator import Generator, mutations

SERVICE = {"CONTRL": ("2.2", "D.3", "4.1")}
ALL = [(name, directory) for name in MESSAGE_TYPES for directory in SERVICE.get(name, DIRECTORIES)]


def found(name: str, directory: str, syntax_version: str = "3") -> MessageSpecification:
    specified = specification(name, directory, syntax_version)
    assert specified is not None
    return specified


@pytest.mark.parametrize("name, directory", ALL)
@pytest.mark.parametrize("seed, optional", [(1, 0.0), (2, 0.2), (3, 0.35)])
def test_a_generated_message_is_valid_and_its_tree_holds_it(
    name: str, directory: str, seed: int, optional: float
) -> None:
    segments = Generator(found(name, directory), Random(seed), optional).message()
    verdict = texts.judged(texts.of(segments))
    assert texts.errors(verdict) == []
    assert list(verdict.tree.walk()) == segments


@pytest.mark.parametrize("name, directory", ALL)
@pytest.mark.parametrize("seed, syntax_version", [(0, "3"), (1, "4"), (2, "3"), (3, "4")])
def test_each_mutation_gives_its_code_and_place_and_no_other_error(
    name: str, directory: str, seed: int, syntax_version: str
) -> None:
    specified = found(name, directory, syntax_version)
    random = Random(seed)
    segments = Generator(specified, random, 0.3).message()
    for mutation in mutations(specified, segments, random):
        verdict = texts.judged(texts.of(mutation.segments), syntax_version=syntax_version)
        assert texts.errors(verdict) == [mutation.error], mutation.name
        assert list(verdict.tree.walk()) == mutation.segments


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ALL), st.integers(0, 2**32), st.sampled_from([0.1, 0.3, 0.6]))
def test_any_generated_message_is_valid(of: tuple[str, str], seed: int, optional: float) -> None:
    segments = Generator(found(*of), Random(seed), optional).message()[:3000]
    verdict = texts.judged(texts.of(segments))
    missing = {"13"} if segments[-1].tag != "UNT" else set()
    assert {error[0] for error in texts.errors(verdict)} <= missing


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([of for of in ALL if of[0] != "CONTRL"]), st.integers(0, 2**32))
def test_several_faults_are_all_found(of: tuple[str, str], seed: int) -> None:
    """Faults in the values of different segments do not hide one another."""
    specified, random = found(*of), Random(seed)
    segments = Generator(specified, random, 0.3).message()
    damaged = {}
    for mutation in mutations(specified, segments, random):
        position = mutation.error[2]
        if len(mutation.segments) == len(segments) and position not in damaged:
            damaged[position] = mutation
    for position, mutation in damaged.items():
        segments[position - 1] = mutation.segments[position - 1]
    errors = texts.errors(texts.judged(texts.of(segments)))
    assert errors == [damaged[position].error for position in sorted(damaged)]
