"""The text of one segment, split into elements, repetitions and components.

ISO 9735-1 §8: the release character takes away the service meaning of the character behind it. The
common segment holds none and is split in C; only one that holds a release or a repetition comes here.
"""

from __future__ import annotations

from dataclasses import dataclass

from edi_gateway.edifact.segment import Separators


@dataclass(frozen=True, slots=True)
class Tokens:
    """A segment split up; `released_data` is a released character that needed no release, or ""."""

    elements: list[list[str]]
    repeats: dict[int, list[list[str]]] | None = None
    released_data: str = ""
    dangling: bool = False


def is_open(text: str, release: str) -> bool:
    """Whether the text ends in an odd run of release characters: what follows was released."""
    run = 0
    while run < len(text) and text[-1 - run] == release:
        run += 1
    return run % 2 == 1


def split(text: str, separators: Separators) -> Tokens:
    """Split one segment's text, its terminator taken off."""
    release, element, component = separators.release, separators.element, separators.component
    if not release or release not in text:
        parts = text.split(element)
        elements = [part.split(component) for part in parts]
        return Tokens(elements, _repeats(parts, elements, separators))
    parts = _split_released(text, element, release)
    elements = [
        [_restore(value, release) for value in _split_released(part, component, release)]
        if release in part
        else part.split(component)
        for part in parts
    ]
    return Tokens(
        elements, _repeats(parts, elements, separators), _needless_release(text, separators), is_open(text, release)
    )


def _split_released(text: str, separator: str, release: str) -> list[str]:
    """Split at the separators that are not released; the release characters stay in the pieces."""
    pieces = text.split(separator)
    if release not in text or len(pieces) == 1:
        return pieces
    joined: list[str] = []
    held: list[str] = []
    for piece in pieces:
        held.append(piece)
        if piece.endswith(release) and is_open(piece, release):
            continue
        joined.append(separator.join(held) if len(held) > 1 else piece)
        held = []
    if held:
        joined.append(separator.join(held))
    return joined


def _restore(value: str, release: str) -> str:
    """Drop each release character and keep the character behind it."""
    if release not in value:
        return value
    pair = release + release
    if pair not in value:
        return value.replace(release, "")
    return release.join(half.replace(release, "") for half in value.split(pair))


def _repeats(parts: list[str], elements: list[list[str]], separators: Separators) -> dict[int, list[list[str]]] | None:
    """Split repeated elements (syntax 4): the first stays in `elements`, the others are returned."""
    repetition = separators.repetition
    if not repetition:
        return None
    found: dict[int, list[list[str]]] = {}
    for index, part in enumerate(parts):
        if repetition in part:
            occurrences = [
                [_restore(value, separators.release) for value in _pieces(occurrence, separators.component, separators)]
                for occurrence in _pieces(part, repetition, separators)
            ]
            elements[index] = occurrences[0]
            if len(occurrences) > 1:
                found[index] = occurrences[1:]
    return found or None


def _pieces(text: str, separator: str, separators: Separators) -> list[str]:
    return _split_released(text, separator, separators.release) if separators.release else text.split(separator)


def _needless_release(text: str, separators: Separators) -> str:
    """The first released character that is neither a service character nor the release itself."""
    service = {
        separators.component, separators.element, separators.release, separators.terminator, separators.repetition,
    }  # fmt: skip
    position = text.find(separators.release)
    while 0 <= position < len(text) - 1:
        if text[position + 1] not in service:
            return text[position + 1]
        position = text.find(separators.release, position + 2)
    return ""


def split_clean(text: str, separators: Separators) -> list[list[str]]:
    """The elements of a text with releases in it, or `[[""]]` if anything about the releases is odd.

    For the reader's short path: no repetition is in the text.
    """
    release, component = separators.release, separators.component
    if text.endswith(release) or _needless_release(text, separators):
        return [[""]]
    return [
        [_restore(value, release) for value in _split_released(part, component, release)]
        if release in part
        else part.split(component)
        for part in _split_released(text, separators.element, release)
    ]
