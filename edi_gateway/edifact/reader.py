"""Bytes to segments, messages and interchanges, in pieces of any size, one message at a time.

Theory of operation. The reader stands in one of these states:

    BEGIN   at the first bytes of the file: byte order mark, UTF-16
    SEEK    looks for the next ``UNA`` or ``UNB`` and skips what stands before it
    OPEN    has found one and settles the service characters
    READ    inside an interchange: cuts the bytes at the terminator and splits the segments
    SKIP    inside a segment that is longer than the limit: waits for its terminator
    DONE    this is no EDIFACT, or it goes on without end: the rest is not looked at

Rule 1: what is reported depends on the bytes alone, never on how they were cut into pieces. Where the
reader must look ahead, it waits for a fixed number of bytes or for the end of the file.
Rule 2: nothing raises. What is wrong becomes a finding of the message, the group, the interchange or
the file; reading goes on as far as there is anything to make out.
Rule 3: memory is bounded by one message, one block and the limits, not by the file.

Bytes are viewed as ISO 8859-1 text, one character a byte (see characters.py), so that `str.split` does
the work. In READ the plain segments of a message (known tags, nothing odd about the block) become one
`Run` of texts; everything else goes through `_read_segment`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import Enum, auto
from operator import itemgetter
from typing import Any

from edi_gateway.edifact import characters, rules, tokens
from edi_gateway.edifact.characters import CharacterSet
from edi_gateway.edifact.events import (
    Event,
    FileFinding,
    GroupEnded,
    GroupStarted,
    InterchangeEnded,
    InterchangeStarted,
    MessageRead,
)
from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.interchange import INTERCHANGE_HEADER, SERVICE_TAGS, OpenInterchange
from edi_gateway.edifact.limits import DEFAULT_LIMITS, ReaderLimits
from edi_gateway.edifact.oddities import oddities
from edi_gateway.edifact.run import Run
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.separators import UNA_LENGTH, can_split, default_separators, in_force, read_una
from edi_gateway.edifact.verdict import Message
from edi_gateway.edifact.wrapping import wrap_column

__all__ = [
    "DEFAULT_LIMITS",
    "Event",
    "FileFinding",
    "GroupEnded",
    "GroupStarted",
    "InterchangeEnded",
    "InterchangeReader",
    "InterchangeStarted",
    "MessageRead",
    "ReaderLimits",
    "read",
]

FEED_BYTES = 8 * 1024
"""How much is cut up at a time: enough for `str.split` to pay, little enough for the processor's cache."""

SEEK_BYTES = 4096
"""How far from the beginning of the file an interchange may begin."""

TERMINATOR_WITHIN_BYTES = 500
"""Where the first terminator should stand; beyond it the reader looks for a line feed or a quote instead."""

WRAP_WINDOW_BYTES = 4096
"""How far the reader looks ahead to tell a hard-wrapped file from a line break in a text."""

KNOWN_BEGINNINGS_MAX = 3 * 1024
"""How many beginnings of segments the short path remembers, three a tag; more than that are garbage."""

PREVIEW_BYTES = 20
"""How much of what was skipped a finding shows."""

_BLANKS = " \t\r\n"
_BLANK_BYTES = b" \t\r\n"
_LINE_ENDS = "\r\n"
_UTF_8_MARK = b"\xef\xbb\xbf"
# By the first four bytes: the codec, and how many bytes the mark has.
_UTF_16_BEGINNINGS = (
    (b"\xff\xfe", "utf-16-le", 2),
    (b"\xfe\xff", "utf-16-be", 2),
    (b"U\x00N\x00", "utf-16-le", 0),
    (b"\x00U\x00N", "utf-16-be", 0),
)
_TYPOGRAPHIC_QUOTES = ("\u2019".encode(), "\u2019".encode("cp1252"))
_LINES_OF_SEGMENTS = re.compile(rb"(?:[A-Z]{3}[^A-Za-z0-9\r\n][^\r\n]*\r?\n){2}")

# ISO 9735 annex B: UNA stands directly before UNB; line ends between them are seen, and harmless.
_UNA_TO_UNB = rb"UNA.(.).{4}[ \t\r\n]{0,64}UNB\1"
# At the very beginning a file may lack UNB: messages or groups that were taken out of their interchange.
_START = re.compile(rb"(?si)UNA.(.).{4}[ \t\r\n]{0,64}(UN[BGH])\1|(UN[BGH])[+\x1d]")
_START_AMID_JUNK = re.compile(rb"(?s)" + _UNA_TO_UNB + rb"|UNB[+\x1d](?:UNO|[A-Z]{4}[:\x1f])")
_START_BYTES_MAX = UNA_LENGTH + 64 + 4

_NEVER = "\ud800"  # occurs in no text: stands for a service character that is not in force
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
_BEGINNING = itemgetter(slice(4))
_BEGINNINGS = frozenset({"UNA", INTERCHANGE_HEADER})

_CONTENTS = frozenset({"UNG", "UNH"})

# Marks a piece of a block for the long way; no clean text begins with a control character.
_ODD = "\x00"


def read(chunks: Iterable[bytes], limits: ReaderLimits = DEFAULT_LIMITS, *, repetition: bool = True) -> Iterator[Event]:
    """The events of a file that comes in pieces of any size."""
    reader = InterchangeReader(limits, repetition=repetition)
    for chunk in chunks:
        for start in range(0, len(chunk), FEED_BYTES):
            yield from reader.feed(chunk[start : start + FEED_BYTES])
        if reader.is_done:  # the file may have no end
            break
    yield from reader.close()


class InterchangeReader:
    """Reads incrementally: `feed` bytes, `close` at the end; each returns the events that came of it.

    `repetition` False reads the repetition separator of syntax 4 as data, for partners that declare it
    and do not mean it.
    """

    def __init__(self, limits: ReaderLimits = DEFAULT_LIMITS, *, repetition: bool = True) -> None:
        self._limits = limits
        self._repetition = repetition
        self._state: Callable[[], bool] = self._begin
        self._events: list[Event] = []
        self._final = False
        self._buffer = b""
        self._offset = 0  # in the file, of the first byte of the buffer
        self._wide = ""  # the codec, if the file is written in UTF-16; the buffer is UTF-8 then
        self._decoder: codecs.IncrementalDecoder | None = None
        self._junk = b""
        self._junk_bytes = 0
        self._junk_offset = 0
        self._barren_from: int | None = None  # the offset of a run of bytes that were dropped
        self._interchanges = 0
        self._interchange: OpenInterchange | None = None
        self._pending: list[Finding] = []  # findings of UNA, for the interchange that UNB opens
        self._prefix = b""  # of a segment that is too long
        self._released = False  # the next byte of that segment is released
        self._begin_interchange(Separators(), "", [], 0)

    def feed(self, data: bytes) -> list[Event]:
        """Read on; any number of bytes, none too."""
        for start in range(0, len(data), FEED_BYTES):
            self._receive(data[start : start + FEED_BYTES])
        return self._taken()

    def close(self) -> list[Event]:
        """The end of the file: what is still open ends here."""
        self._final = True
        self._receive(b"")
        return self._taken()

    @property
    def is_done(self) -> bool:
        """Whether nothing more is read, whatever is fed."""
        return self._state == self._done

    def _taken(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _receive(self, data: bytes) -> None:
        if self._decoder is not None:
            data = self._decoder.decode(data, self._final).encode("utf-8")
        self._buffer = self._buffer + data if self._buffer else data
        while self._state():
            pass

    def _drop(self, count: int) -> None:
        """Take bytes off the buffer."""
        self._offset += self._file_bytes(self._buffer[:count])
        self._buffer = self._buffer[count:]

    def _file_bytes(self, piece: bytes) -> int:
        """How many bytes of the file a piece of the buffer was."""
        return len(piece.decode("utf-8", "replace").encode(self._wide)) if self._wide else len(piece)

    def _report(self, rule: Rule, value: str = "", expected: str = "", offset: int | None = None) -> None:
        at = self._offset if offset is None else offset
        self._events.append(FileFinding(Finding(rule, offset=at, value=value or None, expected=expected or None)))

    # BEGIN and SEEK. Each state returns whether to go on with the bytes at hand.

    def _begin(self) -> bool:
        if len(self._buffer) < 4 and not self._final:
            return False
        self._state = self._seek
        for beginning, codec, mark_bytes in _UTF_16_BEGINNINGS:
            if self._buffer.startswith(beginning):
                self._transcode(codec, mark_bytes)
        return True

    def _transcode(self, codec: str, mark_bytes: int) -> None:
        self._report(rules.UTF_16, codec.upper())
        self._drop(mark_bytes)
        self._wide, self._decoder = codec, codecs.getincrementaldecoder(codec)(errors="replace")
        self._buffer = self._decoder.decode(self._buffer, self._final).encode("utf-8")

    def _seek(self) -> bool:
        if not self._junk_bytes:
            blanks = _blanks_before(self._buffer)
            if blanks and self._is_barren(blanks):
                return self._stop()
            self._drop(blanks)
            if self._buffer.startswith(_UTF_8_MARK):
                self._report(rules.BYTE_ORDER_MARK)
                self._drop(len(_UTF_8_MARK))
                return True
            if _START.match(self._buffer):
                return self._found(0)
            if len(self._buffer) < _START_BYTES_MAX and not self._final:
                return False
        return self._seek_amid_junk()

    def _seek_amid_junk(self) -> bool:
        first = not self._interchanges
        found = _START_AMID_JUNK.search(self._buffer)
        skipped = self._junk_bytes + (found.start() if found is not None else len(self._buffer) - _START_BYTES_MAX)
        if not first and skipped > self._limits.barren_bytes_max:
            self._skip_junk(self._limits.barren_bytes_max - self._junk_bytes)
            self._report_junk()
            self._barren_from = self._junk_offset
            return self._stop()
        if found is not None and (found.start() <= SEEK_BYTES or not first):
            return self._found(found.start())
        if self._final or (first and len(self._buffer) > SEEK_BYTES + _START_BYTES_MAX):
            self._give_up()
        elif not first:
            self._skip_junk(len(self._buffer) - _START_BYTES_MAX)
        return False

    def _found(self, start: int) -> bool:
        self._skip_junk(start)
        self._report_junk()
        self._barren_from = None
        if self._interchanges >= self._limits.file_interchanges_max:
            self._report(rules.TOO_MANY_INTERCHANGES, expected=str(self._limits.file_interchanges_max))
            self._state = self._done
        else:
            self._state = self._open
        return True

    def _skip_junk(self, count: int) -> None:
        if count <= 0:
            return
        if not self._junk_bytes:
            self._junk_offset, self._junk = self._offset, b""
        self._junk += self._buffer[: min(count, PREVIEW_BYTES - len(self._junk))]
        self._junk_bytes += self._file_bytes(self._buffer[:count])
        self._drop(count)

    def _report_junk(self) -> None:
        if self._junk_bytes:
            rule = rules.JUNK_AFTER if self._interchanges else rules.JUNK_BEFORE
            self._report(rule, _preview(self._junk), str(self._junk_bytes), self._junk_offset)
            self._junk_bytes = 0

    def _give_up(self) -> None:
        """No interchange begins here."""
        if self._interchanges:
            self._skip_junk(len(self._buffer))
            self._report_junk()
        elif self._buffer:
            self._report(rules.NOT_EDIFACT, _preview(self._buffer), str(SEEK_BYTES))
        else:
            self._report(rules.FILE_EMPTY)
        self._state = self._done

    def _stop(self, *, was_said: bool = False) -> bool:
        """The file goes on without anything to read: what is open ends here, and the rest is not looked at."""
        self._break_off()
        if not was_said:
            self._report(rules.READING_STOPPED, offset=self._barren_from)
        self._state = self._done
        return False

    def _done(self) -> bool:
        self._buffer = b""
        return False

    # OPEN

    def _open(self) -> bool:
        """Settle the service characters. The buffer begins with UNA or UNB, or without them: `_seek` has seen to it."""
        una, unb_at, findings = "", 0, list[Finding]()
        if self._buffer[:3].upper() == b"UNA":
            una = self._buffer[:UNA_LENGTH].decode("latin-1")
            unb_at = self._buffer.upper().index(b"UN", UNA_LENGTH)
        behind_unb = chr(self._buffer[unb_at + 3])
        separators = default_separators(behind_unb)
        if una:
            declared, findings = read_una(una[3:])
            findings = [replace(finding, offset=self._offset) for finding in findings]
            if not findings or (behind_unb != separators.element and can_split(declared)):
                separators = declared
        head = self._buffer[unb_at : unb_at + TERMINATOR_WITHIN_BYTES]
        if separators.terminator.encode("latin-1") not in head:
            if len(head) < TERMINATOR_WITHIN_BYTES and not self._final:
                return False
            if self._quote_terminates(head, unb_at):
                return True
            if separators.terminator == Separators().terminator and _LINES_OF_SEGMENTS.match(head):
                findings.append(self._line_feed_terminates(separators))
                separators = replace(separators, terminator="\n")
        self._drop(unb_at)
        self._begin_interchange(separators, una, findings, unb_at)
        self._interchanges += 1
        self._state = self._read
        return True

    def _line_feed_terminates(self, separators: Separators) -> Finding:
        return Finding(rules.LINE_FEED_TERMINATES, "UNB", offset=self._offset, expected=separators.terminator)

    def _quote_terminates(self, head: bytes, unb_at: int) -> bool:
        """Whether typographic quotes stand where the terminator should: then nothing can be made out."""
        places = [head.find(quote) for quote in _TYPOGRAPHIC_QUOTES if quote in head]
        if places:
            self._drop(unb_at)
            self._report(rules.TYPOGRAPHIC_QUOTE, offset=self._offset + min(places))
            self._state = self._done
        return bool(places)

    def _begin_interchange(self, separators: Separators, una: str, findings: list[Finding], line_bytes: int) -> None:
        """Fresh for each interchange: service characters, character set, what was learned of its lines."""
        self._separators = separators
        self._terminator = separators.terminator.encode("latin-1")
        self._trailer_sign = b"UNZ" + separators.element.encode("latin-1")
        self._view_bytes = -1
        self._known_beginnings: dict[str, str] = {}  # how a segment may begin -> its tag
        self._service_beginnings = {tag + separators.element: tag for tag in SERVICE_TAGS - _BEGINNINGS}
        self._una = una
        self._pending = findings
        self._interchange = None
        self._wrapped: bool | None = None
        self._line_bytes = line_bytes  # of the line that the buffer goes on with
        self._scanned = 0  # so much of the buffer holds no terminator
        self._empty_from = self._empty_to = -1  # the offsets of a run of empty segments
        self._empty_count = 0
        self._wanted = 0  # so much of the buffer must be there before anything is decided
        self._declare(characters.UNKNOWN)

    def _declare(self, declared: CharacterSet) -> None:
        self._declared = characters.TRANSCODED if self._wide else declared
        separators = self._separators
        service = separators.component + separators.element + separators.release + separators.repetition
        self._splitter = tokens.Splitter(separators)
        self._cutter = tokens.Cutter(separators)
        self._is_printable = tokens.are_printable(separators)
        self._classes = characters.byte_classes(self._declared, service + separators.terminator)

    # READ

    def _read(self) -> bool:
        """Cut what is complete of the buffer into segments."""
        if len(self._buffer) < self._wanted and not self._final:
            return False
        self._wanted = 0
        shown = self._shown()
        end = self._block_end(shown)
        if end < 0:
            return self._wait_for_terminator()
        if self._barren_from is not None and self._is_barren(_blanks_before(self._buffer)):
            return self._stop()
        self._barren_from = None
        self._take_block(end + 1)
        self._read_block(shown[:end])
        return True

    def _take_block(self, count: int) -> None:
        self._block, self._buffer = self._buffer[:count], self._buffer[count:]
        self._block_offset = self._offset
        self._mark = (0, self._offset)
        self._scanned = 0

    def _shown(self) -> bytes:
        """The buffer as far as its bytes may be separators."""
        if self._declared.is_stateful and b"\x1b" in self._buffer:
            return characters.mask_escaped(self._buffer)
        return self._buffer

    def _block_end(self, shown: bytes) -> int:
        """Where a block of complete segments ends; -1 if no segment is complete.

        Not beyond the first UNB, which declares the character set of the rest, nor beyond a UNZ, after
        which other separators may hold.
        """
        if self._interchange is None:
            return shown.find(self._terminator, self._scanned)
        end = shown.rfind(self._terminator, self._scanned)
        trailer = shown.find(self._trailer_sign, 0, end) if end >= 0 else -1
        if trailer >= 0:
            return shown.find(self._terminator, max(trailer, self._scanned))
        return self._unreleased_end(shown, end)

    def _unreleased_end(self, shown: bytes, end: int) -> int:
        """The last terminator up to this one that is not released; -1 if all that are new here are."""
        release = self._separators.release.encode("latin-1")
        while end >= 0 and _run_before(shown, end, release, 0) % 2:
            end = shown.rfind(self._terminator, self._scanned, end)
        return end

    def _is_barren(self, count: int) -> bool:
        """Whether too much in a row is dropped, with so many bytes of the buffer that hold nothing either."""
        if self._barren_from is None:
            self._barren_from = self._offset
        end = self._offset + self._file_bytes(self._buffer[:count])
        return end - self._barren_from > self._limits.barren_bytes_max

    def _wait_for_terminator(self) -> bool:
        if self._drop_blanks():
            return self._stop()
        if len(self._buffer.lstrip(_BLANK_BYTES)) > self._limits.segment_bytes_max:
            self._begin_skipping()
            return True
        if self._final:
            self._read_last()
            return True
        self._scanned = len(self._buffer)
        return False

    def _drop_blanks(self) -> bool:
        """Blanks before a segment do not count for its length: the last one is kept. Whether they are too many."""
        blanks = _blanks_before(self._buffer)
        if blanks > 1:
            if self._is_barren(blanks):
                return True
            self._take_block(blanks - 1)
            self._pass(blanks - 1)
            self._offset = self._place(blanks - 1)
        return False

    def _read_block(self, shown: bytes) -> None:
        """Split a block at its terminators, and at the line ends behind them if it has one style of them."""
        view = self._block[:-1].decode("latin-1")
        terminator = self._separators.terminator
        if self._declared.is_stateful and b"\x1b" in self._block:
            self._read_pieces(self._look_closely(_cut(view, shown, self._terminator)), 0, terminator)
            return
        line_ends, trouble = characters.examine(self._block, self._classes)
        if not line_ends:
            self._read_pieces(self._pieces(view, terminator, trouble), 0, terminator)
            return
        body = view.lstrip(_LINE_ENDS)
        glue = self._glue(body)
        trouble = trouble or (glue == terminator and ("\n" in body or "\r" in body))
        self._read_pieces(self._pieces(body, glue, trouble), len(view) - len(body), glue)

    def _glue(self, view: str) -> str:
        """What stands between the segments of this block: the terminator, or that and a line end."""
        terminator = self._separators.terminator
        line_ends = view.count("\n") + view.count("\r")
        if line_ends and terminator not in _LINE_ENDS:
            for style in ("\r\n", "\n", "\r"):
                glued = view.count(terminator + style)
                if glued == view.count(terminator) and glued * len(style) == line_ends:
                    return terminator + style
        return terminator

    def _pieces(self, body: str, glue: str, trouble: bool) -> Iterator[str] | list[str]:
        """The texts of a block's segments, all at once if nothing in it is odd; see `_look_closely`."""
        self._view_bytes = -1  # the texts tell themselves
        if not trouble and self._is_clean(body, glue):
            text = body if self._declared.is_direct or body.isascii() else self._decoded(body)
            if text is not None:
                return self._cutter.cut(text) if glue == self._separators.terminator else text.split(glue)
        return self._look_closely(self._cutter.cut(body) if glue == self._separators.terminator else body.split(glue))

    def _is_clean(self, body: str, glue: str) -> bool:
        """Whether the block holds nothing that only the long way can read; its bytes have been examined."""
        separators = self._separators
        if self._interchange is None or self._wide or not self._is_printable:
            return False
        if len(body) > self._limits.segment_bytes_max:
            return False
        if glue != separators.terminator and separators.release and separators.release + separators.terminator in body:
            return False
        if separators.repetition and separators.repetition in body:
            return False
        return self._cutter.releases_plainly(body)

    def _decoded(self, view: str) -> str | None:
        text, odd = characters.decode(view, self._declared)
        return text if odd is None else None

    def _size(self, text: str) -> int:
        """How many bytes of the block the segment is that was cut last."""
        if self._view_bytes >= 0:
            return self._view_bytes
        return len(text) if text.isascii() or self._declared.is_direct else len(text.encode(self._declared.codec))

    def _look_closely(self, views: list[str]) -> Iterator[str]:
        """The texts of a block's segments one by one; of those that are odd, the bytes' view behind `_ODD`.

        How many bytes each was is told beside it: a text may be of another character set than was declared.
        """
        self._view_bytes = 0  # from now on
        return self._texts(views)

    def _texts(self, views: list[str]) -> Iterator[str]:
        for view in views:
            self._view_bytes = len(view)
            text = self._plain_text(view)
            yield _ODD + view if text is None else text

    def _plain_text(self, view: str) -> str | None:
        """The text of a piece if it is one whole segment and nothing is to be said of it, else None."""
        separators = self._separators
        if self._declared.is_stateful and "\x1b" in view:
            return None
        if (separators.repetition and separators.repetition in view) or len(view) > self._limits.segment_bytes_max:
            return None
        line_ends, trouble = characters.examine(view.encode("latin-1"), self._classes)
        if line_ends or not (self._is_printable and self._cutter.releases_plainly(view)):
            return None
        text, odd = characters.decode(view, self._declared)
        if odd is not None and not self._was_said(odd):
            return None
        if trouble and characters.outside(text, self._declared):
            return text if self._was_said(rules.OUTSIDE_CHARACTER_SET) and text.isprintable() else None
        return text

    def _was_said(self, rule: Rule) -> bool:
        """Whether a habit of the sender was reported of this message: it is not reported again."""
        return self._interchange is not None and self._interchange.has_said(rule)

    def _open_message(self) -> Message | None:
        """The message that plain segments go to; None where none is open, or where its limits may be near."""
        message = self._interchange.message if self._interchange else None
        if message is None or self._wide or message.count + FEED_BYTES > self._limits.message_segments_max:
            return None  # the interchange counts them itself, up to the limit
        ends = self._block_offset + len(self._block)
        return message if ends - message.first.offset <= self._limits.message_bytes_max else None

    def _read_pieces(self, texts: Iterator[str] | list[str], at: int, glue: str) -> None:
        """The segments of a block; `at` is where the first begins in it."""
        step = len(glue)
        at = self._read_clean(texts, at, step) if isinstance(texts, list) else self._read_one_by_one(texts, at, step)
        if at >= 0:
            self._pass(len(self._block))
            self._offset = self._place(len(self._block))

    def _read_one_by_one(self, texts: Iterator[str], at: int, step: int) -> int:
        """The segments of a block in which something is odd. Returns -1 if nothing more is read in it."""
        for text in texts:
            message, tag = self._open_message(), self._known_beginnings.get(text[:4])
            if message is not None and tag is not None:
                position, offset = message.count + 1, self._block_offset + at
                message.add(Segment.of_text(tag, text, self._splitter, position, offset))
                at += self._size(text) + step
            else:
                at = self._read_piece(text, at, texts, step)
                if at < 0:
                    break
        return at

    def _read_clean(self, texts: list[str], at: int, step: int) -> int:
        """The segments of a block in which nothing is odd: runs of known tags, and between them one by one.

        What is done here for each segment is done in C. Each text is a whole segment, so that none joins the
        following. Returns -1 if nothing more is read in the block.
        """
        known, begin, end = self._known_beginnings.get, 0, len(texts)
        beginnings = list(map(_BEGINNING, texts))
        tags: list[Any] = list(map(known, beginnings))
        sizes = list(map(len if self._declared.is_direct else self._size, texts))
        while begin < end:
            message = self._open_message()
            if message is not None:
                if tags[begin] is None and known(beginnings[begin]) is not None:  # learnt since
                    tags[begin:] = map(known, beginnings[begin:])
                stop = _next_unknown(tags, begin)
                if stop > begin:
                    offset, run = self._block_offset + at, slice(begin, stop)
                    message.add_run(
                        Run(tags[run], texts[run], sizes[run], step, message.count + 1, offset, self._splitter)
                    )
                    at += sum(sizes[run]) + step * (stop - begin)
                    begin = stop
                    continue
            at = self._read_piece(texts[begin], at, iter(()), step)
            if at < 0:
                break
            begin += 1
        return at

    def _read_piece(self, text: str, begin: int, following: Iterator[str], step: int) -> int:
        """One segment off the short path. Returns where the next begins in the block, -1 if none is read there."""
        if text in ("", _ODD) and self._interchange is not None and self._separators.terminator not in _LINE_ENDS:
            return self._pass_empty_segment(self._interchange, begin, step)
        end = begin + self._size(text)
        tag = self._service_beginnings.get(text[:4]) or self._proper_tag(text)
        if tag and self._interchange is not None:
            position, offset = self._interchange.next_position(tag), self._place(begin)
            outcome = self._take(Segment.of_text(tag, text, self._splitter, position, offset), [])
        else:
            end = self._segment_end(begin, end, following, step)
            if end < 0:
                return -1
            outcome = self._read_segment(self._block[begin:end].decode("latin-1"), self._place(begin))
        if outcome is _Outcome.GOES_ON:
            return end + step
        self._return_to_buffer(begin if outcome is _Outcome.BEGINS_ANOTHER else end + 1)
        self._end_by(outcome)
        return -1

    def _end_by(self, outcome: _Outcome) -> None:
        """The interchange is over, or nobody can say where it ends."""
        if outcome is _Outcome.GOES_ON_WITHOUT_END and self._interchange is not None:
            self._barren_from = self._interchange.barren_from
            self._stop(was_said=self._barren_from is None)
        else:
            self._state = self._seek

    def _pass_empty_segment(self, interchange: OpenInterchange, begin: int, step: int) -> int:
        """As `_read_piece`, for a segment that is empty; a file may consist of them."""
        offset = self._place(begin)
        interchange.note_empty_segment(offset)
        if offset != self._empty_to:
            self._empty_from, self._empty_count = offset, 0
        self._empty_to = self._place(begin + step)
        self._empty_count += 1
        if self._empty_count <= self._limits.barren_segments_max:
            return begin + step
        self._return_to_buffer(begin + step)
        self._barren_from = self._empty_from
        self._stop()
        return -1

    def _proper_tag(self, text: str) -> str:
        """The tag that a clean text begins with, "" if it is none; the long way finds out what is odd about it."""
        tag, following = text[:3], text[3:4]
        if following and following not in (self._separators.element, self._separators.component):
            return ""
        return tag if _TAG.match(tag) and tag not in _BEGINNINGS else ""

    def _segment_end(self, begin: int, end: int, following: Iterator[str], step: int) -> int:
        """Where a segment ends whose first piece ends at `end`: released terminators join it with the following.

        Returns -1 if that is not to be known yet, or if the segment is too long.
        """
        joined = begin
        tag_at = begin + self._blanks(begin, end)
        while True:
            if end - tag_at > self._limits.segment_bytes_max:
                self._return_to_buffer(begin)
                self._begin_skipping()
                return -1
            if not self._knows_wrapping(begin, joined, end):
                return -1
            if not self._is_open(begin, end):
                return end
            piece = next(following, None)
            if piece is None:
                self._return_to_buffer(begin)
                self._scanned = end - begin + 1
                return -1
            joined, end = end, end + step + self._size(piece)

    def _blanks(self, begin: int, end: int) -> int:
        """How many blanks and line ends stand before the tag of a segment of the block."""
        return _blanks_before(self._block[begin:end])

    def _is_open(self, begin: int, end: int) -> bool:
        """Whether the terminator here in the block was released, and is data: an odd run of releases is before it."""
        release, run = self._separators.release.encode("latin-1"), 0
        while release and end > begin:
            byte = self._block[end - 1 : end]
            if byte == release:
                run += 1
            elif not (self._wrapped and byte in b"\r\n"):
                break
            end -= 1
        return run % 2 == 1

    def _place(self, at: int) -> int:
        """The offset in the file of a place in the block; places are asked for in ascending order."""
        if not self._wide:
            return self._block_offset + at
        marked, offset = self._mark
        offset += self._file_bytes(self._block[marked:at])
        self._mark = (max(at, marked), offset)
        return offset

    def _return_to_buffer(self, at: int) -> None:
        """Give back the block from here on: it is read again, or otherwise, or later."""
        self._offset = self._place(at)
        self._pass(at)
        self._buffer = self._block[at:] + self._buffer

    def _pass(self, count: int) -> None:
        """So much of the block is done with: remember how long the line is that goes on behind it."""
        last = max(self._block.rfind(b"\n", 0, count), self._block.rfind(b"\r", 0, count))
        self._line_bytes = count - last - 1 if last >= 0 else self._line_bytes + count

    def _knows_wrapping(self, begin: int, at: int, end: int) -> bool:
        """Settle at the first line break inside a segment what it means; False: more bytes are needed.

        The segment begins at `begin` in the block; up to `at` it is known to hold no line break.
        """
        if self._wrapped is not None or self._separators.terminator in _LINE_ENDS:
            return True
        inner = self._inner_line_break(begin, at, end)
        if inner < 0:
            return True
        ahead = self._block[inner:] + self._buffer[:WRAP_WINDOW_BYTES]
        if len(ahead) < WRAP_WINDOW_BYTES and not self._final:
            self._return_to_buffer(begin)
            self._wanted = inner - begin + WRAP_WINDOW_BYTES
            return False
        column = wrap_column(self._line_width(inner), ahead[:WRAP_WINDOW_BYTES], self._terminator)
        self._wrapped = column is not None
        if column is not None:
            self._note_wrapping(Finding(rules.HARD_WRAPPED, offset=self._place(begin), value=str(column)))
        return True

    def _inner_line_break(self, begin: int, at: int, end: int) -> int:
        """Where the first line break inside a segment stands in the block, -1 if there is none."""
        if at == begin:
            at += self._blanks(begin, end)
        places = [place for place in (self._block.find(b"\n", at, end), self._block.find(b"\r", at, end)) if place >= 0]
        return min(places, default=-1)

    def _line_width(self, at: int) -> int:
        """How long the line is that ends here in the block."""
        last = max(self._block.rfind(b"\n", 0, at), self._block.rfind(b"\r", 0, at))
        return at - last - 1 if last >= 0 else self._line_bytes + at

    def _note_wrapping(self, finding: Finding) -> None:
        if self._interchange is None:
            self._pending.append(finding)
        else:
            self._interchange.note_envelope(finding)

    def _read_segment(self, view: str, offset: int, *, cut: bool = False, too_long: bool = False) -> _Outcome:
        """One segment, whatever is odd about it.

        `cut`: the file ends before its terminator. `too_long`: `view` is only its beginning.
        """
        text = view.lstrip(_BLANKS)
        lead = view[: len(view) - len(text)]
        offset += self._file_bytes(lead.encode("latin-1"))
        if self._separators.terminator in _LINE_ENDS:
            text = text.rstrip(_LINE_ENDS)
        elif self._wrapped:
            text = text.replace("\r", "").replace("\n", "")
        if not text:
            if not cut and self._interchange is not None and self._separators.terminator not in _LINE_ENDS:
                self._interchange.note_empty_segment(offset)
            return _Outcome.GOES_ON
        if self._interchange is None:
            self._declare_by(text)
            if text[:3].upper() in _CONTENTS:
                self._begin_without_header(offset)
        elif _begins_interchange(text, self._separators.element):
            self._events += self._interchange.break_off()
            return _Outcome.BEGINS_ANOTHER
        decoded, odd = characters.decode(text, self._declared)
        split = tokens.split(decoded, self._separators)
        segment = self._segment(split, decoded, offset)
        found = oddities(segment, split, decoded, odd, self._declared, self._separators)
        segment.elements[0][0] = segment.tag
        found += _damage(segment, self._separators, self._limits, cut=cut, too_long=too_long)
        if lead.endswith((" ", "\t")):
            found.append(Finding(rules.BLANK_BEFORE_TAG, segment.tag, segment.position or None, offset=offset))
        return self._take(segment, found)

    def _declare_by(self, unb: str) -> None:
        """The character set and the syntax version that UNB declares hold from UNB on; a file without one has none."""
        elements = tokens.split(unb, self._separators).elements
        declares = len(elements) > 1 and unb[:3].upper() not in _CONTENTS
        syntax = [*elements[1], "", "", "", ""] if declares else [""] * 4
        separators = in_force(self._separators, syntax[1], una=bool(self._una))
        self._separators = separators if self._repetition else replace(separators, repetition="")
        self._declare(characters.character_set(syntax[0], syntax[3]))

    def _begin_without_header(self, offset: int) -> None:
        """Messages outside of any interchange are read as if an empty UNB stood before them."""
        unb = Segment(INTERCHANGE_HEADER, [[INTERCHANGE_HEADER]], offset=offset)
        missing = Finding(rules.UNB_MISSING, INTERCHANGE_HEADER, offset=offset)
        self._take(unb, [missing])

    def _segment(self, split: tokens.Tokens, text: str, offset: int) -> Segment:
        # Where UNA cannot be honoured, UNB may be split wrongly; it still is the header.
        tag = split.elements[0][0].upper() if self._interchange else INTERCHANGE_HEADER
        position = self._interchange.next_position(tag) if self._interchange else 0
        return Segment(tag, split.elements, position, offset, split.repeats, text)

    def _take(self, segment: Segment, found: list[Finding]) -> _Outcome:
        """Hand a segment to the interchange; the first one, UNB, makes it."""
        if self._interchange is None:
            self._interchange = OpenInterchange(segment, self._separators, self._una, self._limits)
            self._events += self._interchange.start(self._pending + found)
            return _Outcome.GOES_ON
        self._learn_tag(segment.tag)
        self._events += self._interchange.take(segment, found)
        if self._interchange.ended:
            return _Outcome.ENDED
        return _Outcome.GOES_ON_WITHOUT_END if self._interchange.is_endless else _Outcome.GOES_ON

    def _learn_tag(self, tag: str) -> None:
        if tag not in SERVICE_TAGS and len(self._known_beginnings) < KNOWN_BEGINNINGS_MAX and _TAG.match(tag):
            for following in ("", self._separators.element, self._separators.component):
                self._known_beginnings[tag + following] = tag

    def _read_last(self) -> None:
        """What stands behind the last terminator of the file."""
        self._take_block(len(self._buffer))
        view = self._block.decode("latin-1")
        self._knows_wrapping(0, 0, len(view))
        outcome = self._read_segment(view, self._block_offset, cut=True)
        self._end_by(outcome)
        if outcome is _Outcome.BEGINS_ANOTHER:
            self._return_to_buffer(0)
        else:
            self._break_off()

    def _break_off(self) -> None:
        if self._interchange is not None and not self._interchange.ended:
            self._events += self._interchange.break_off()

    # SKIP

    def _begin_skipping(self) -> None:
        """Keep the beginning of a segment that is too long, and drop it: no terminator is in it."""
        self._drop(_blanks_before(self._buffer))
        self._prefix = self._buffer[: self._limits.segment_bytes_max]
        self._prefix_offset = self._offset
        self._drop(len(self._prefix))
        run = _run_before(self._prefix, len(self._prefix), self._separators.release.encode("latin-1"), 0)
        self._released = run % 2 == 1
        self._barren_from = self._offset
        self._state = self._skip

    def _skip(self) -> bool:
        """Drop the rest of a segment that is too long, up to its terminator.

        The first byte that may be one is taken, also amid ISO 2022's other sets, whose state is not kept.
        """
        end = self._find_terminator(self._buffer)
        found = end >= 0
        if self._is_barren(end if found else len(self._buffer)):
            self._state = self._read
            self._read_segment(self._prefix.decode("latin-1"), self._prefix_offset, too_long=True)
            return self._stop()
        self._drop(end + 1 if found else len(self._buffer))
        if not found and not self._final:
            return False
        self._line_bytes = 0
        self._scanned = 0
        self._barren_from = None
        self._state = self._read
        outcome = self._read_segment(self._prefix.decode("latin-1"), self._prefix_offset, cut=not found, too_long=True)
        if outcome is not _Outcome.GOES_ON:
            self._end_by(outcome)
        return True

    def _find_terminator(self, shown: bytes) -> int:
        """The first terminator that is not released; `_released` carries the parity from block to block."""
        release, begin = self._separators.release.encode("latin-1"), 0
        while True:
            end = shown.find(self._terminator, begin)
            stop = end if end >= 0 else len(shown)
            run = _run_before(shown, stop, release, begin)
            odd = (run + (self._released and run == stop)) % 2 == 1
            if end < 0:
                self._released = odd
                return -1
            if not odd:
                return end
            begin = end + 1


class _Outcome(Enum):
    """What became of a segment."""

    GOES_ON = auto()
    ENDED = auto()  # it was the UNZ
    BEGINS_ANOTHER = auto()  # it is the UNA or UNB of the next interchange
    GOES_ON_WITHOUT_END = auto()  # a limit of the interchange is passed


def _next_unknown(tags: list[Any], begin: int) -> int:
    """The index of the first None from here on; the length if there is none."""
    try:
        return tags.index(None, begin)
    except ValueError:
        return len(tags)


def _blanks_before(piece: bytes) -> int:
    """How many blanks and line ends a piece begins with."""
    return len(piece) - len(piece.lstrip(_BLANK_BYTES))


def _run_before(shown: bytes, stop: int, release: bytes, begin: int) -> int:
    """How many release characters stand directly before a place."""
    place = stop
    while release and place > begin and shown[place - 1 : place] == release:
        place -= 1
    return stop - place


def _cut(view: str, shown: bytes, terminator: bytes) -> list[str]:
    """The view, cut where its shown bytes hold terminators."""
    pieces, at = [], 0
    for piece in shown.split(terminator):
        pieces.append(view[at : at + len(piece)])
        at += len(piece) + 1
    return pieces


def _begins_interchange(text: str, element: str) -> bool:
    """Whether a segment inside an interchange is the UNA or UNB of the next one."""
    tag = text[:4].upper()
    return tag == INTERCHANGE_HEADER + element or (tag[:3] == "UNA" and not tag[3:].isalnum())


def _damage(
    segment: Segment, separators: Separators, limits: ReaderLimits, *, cut: bool, too_long: bool
) -> list[Finding]:
    """What the file's end, or the limit, took away from a segment."""
    position, found = segment.position or None, []
    if too_long:
        element, component = len(segment.elements), len(segment.elements[-1])
        longest = str(limits.segment_bytes_max)
        found.append(
            Finding(rules.SEGMENT_TOO_LONG, segment.tag, position, element, component, segment.offset, expected=longest)
        )
    if cut:
        rule = rules.LAST_TERMINATOR_MISSING if segment.tag == "UNZ" else rules.SEGMENT_CUT
        found.append(Finding(rule, segment.tag, position, offset=segment.offset, expected=separators.terminator))
    return found


def _preview(skipped: bytes) -> str:
    """How bytes that are no EDIFACT begin, for people; each byte is one character."""
    return skipped[:PREVIEW_BYTES].decode("latin-1")
