"""How a text is cut into the pieces that an element can hold, and put together again."""

from __future__ import annotations

from collections.abc import Sequence

_FULL_PIECES = frozenset({35, 256})


def split_text(text: str, width: int) -> list[str]:
    """The text in pieces of at most `width`, none of them ending in a blank, which the wire may lose."""
    pieces = []
    while len(text) > width:
        kept = len(text[:width].rstrip(" ")) or width
        pieces.append(text[:kept])
        text = text[kept:]
    pieces.append(text)
    return pieces


def join_text(so_far: str, last_length: int, piece: str) -> str:
    """The pieces as one text again: full pieces were cut, shorter ones were words on lines of their own."""
    glue = "" if last_length in _FULL_PIECES or piece.startswith(" ") else " "
    return so_far + glue + piece


def without_empty_end(components: list[str]) -> list[str]:
    """The components up to the last one that says something."""
    kept = len(components)
    while kept and not components[kept - 1]:
        kept -= 1
    return components[:kept]


def join_pieces(pieces: Sequence[str]) -> str:
    """All pieces of one text, empty ones left out."""
    if len(pieces) == 1:
        return pieces[0]
    joined, last_length = "", 0
    for piece in pieces:
        if piece:
            joined = join_text(joined, last_length, piece) if joined else piece
            last_length = len(piece)
    return joined
