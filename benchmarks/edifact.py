"""Reading, judging and translating one large interchange of ORDERS: `python -m benchmarks edifact [MESSAGES LINES]`.

Ours and pydifact take turns, several rounds over the same bytes, nothing kept but the message at hand; the figures are
medians. Throughput is by seconds of CPU, of one thread that never waits: what else the machine does takes less part in
it than in the clock, and as turns are short, it takes the same part in ours and in theirs.

    segments_mb_s     events read: segments cut with releases, positions and byte offsets; counts and references checked
    tokenise_mb_s     the same, and of each segment its offset and elements, releases resolved (composites on demand)
    components_mb_s   the same, and every composite of every segment split into its components
    validated_mb_s    each message judged: structure, formats, code lists, identifiers
    records_mb_s      each message judged and translated into an Order
    growth_100000     seconds a line to records, of a message of 100,000 lines by one of 20,000 lines: 1 is linear
    peak_rss_mb       resident memory of a process that does the last, with all that it imports
    validate_3kb_s    `edi-gateway validate` on a file of 3 kB by the clock, from the start of the process; also its CPU

pydifact splits everything into components and checks nothing; it reads the first tenth of the messages, and its time
grows with the bytes. `edifact-large` is the same for 500 MB. What no package brings to this machine is quoted from
measurements on the same input elsewhere, and says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.orders import LINES_MAX, MESSAGES_MAX, interchange, segment_count
from benchmarks.result import Result, Say, left_out, median_of
from edi_gateway.edifact.reader import MessageRead, read
from edi_gateway.edifact.verdict import MessageVerdict
from edi_gateway.messages.judge import stream
from edi_gateway.translators import DecodeContext, translator

MESSAGES, LINES = 2000, 16
PASSES = 5
PYDIFACT_PART = 10  # of this many messages it reads one
LONG_LINES, LONGER_LINES = 20_000, 100_000
SMALL_MESSAGES = 1  # 3 kB
CHUNK_BYTES = 64 * 1024  # as a file or a socket gives them

PYDIFACT = "pydifact"

_WARM = "on 5 MB of the same kind, warm, on a machine of this size"
QUOTED: Mapping[str, Mapping[str, Any]] = {
    "staedi": {
        "quoted": f"StAEDI, Java 17, {_WARM}; its events; judged by a full schema of ORDERS with codes",
        "tokenise_mb_s": 15.0,
        "validated_mb_s": 2.6,
    },
    "edifactlib": {
        "quoted": f"edifactlib 0.6.0, {_WARM}; lengths checked, no messages, no code lists",
        "tokenise_mb_s": 0.29,
        "validated_mb_s": 0.22,
    },
}


def run(arguments: Sequence[str], say: Say) -> Result:
    messages, lines = (int(arguments[0]), int(arguments[1])) if len(arguments) == 2 else (MESSAGES, LINES)
    if not (1 <= messages <= MESSAGES_MAX and 1 <= lines <= LINES_MAX):
        raise SystemExit(f"messages must be 1 to {MESSAGES_MAX}, lines 1 to {LINES_MAX}")
    data = b"".join(interchange(messages, lines))
    size = len(data)
    chunks = [data[begin : begin + CHUNK_BYTES] for begin in range(0, size, CHUNK_BYTES)]
    peer, missing = _pydifact(messages, lines)
    seconds: dict[str, list[float]] = {}
    for turn in range(PASSES):
        for figure, work in {**WORK, **peer}.items():
            seconds.setdefault(figure, []).append(_seconds(work, chunks))
        say(f"round {turn + 1} of {PASSES}")
    rates = {figure: size / 1e6 / median_of(taken) for figure, taken in seconds.items()}
    ours = {figure: rates[figure] for figure in WORK}
    # Before this process grows: a child's peak is at least what its parent held when it was started.
    ours["peak_rss_mb"] = _peak_of_a_process(messages, lines)
    ours["validate_3kb_s"], ours["validate_3kb_cpu_s"] = _seconds_of_validate()
    ours["growth_100000"] = _growth(LONGER_LINES) / _growth(LONG_LINES)
    say(f"growth_100000 {ours['growth_100000']:.2f}")
    say(f"peak_rss_mb {ours['peak_rss_mb']:.0f}, validate_3kb_s {ours['validate_3kb_s']:.2f}")
    theirs = rates.get(PYDIFACT, 0) * _part_of(messages, lines, size)
    figures = {"tokenise_mb_s": theirs, "components_mb_s": theirs}
    peers = {"pydifact": left_out(missing) if missing else figures, **QUOTED}
    return Result(
        benchmark="edifact",
        input={
            "kind": "one interchange of ORDERS D.96A, UNOC",
            "messages": messages,
            "lines": lines,
            "segments": segment_count(messages, lines),
            "megabytes": round(size / 1e6, 2),
            "passes": PASSES,
        },
        ours=ours,
        peers=peers,
        more_ratios={
            "records_mb_s/staedi.validated_mb_s": ours["records_mb_s"] / QUOTED["staedi"]["validated_mb_s"],
            "records_mb_s/edifactlib.validated_mb_s": ours["records_mb_s"] / QUOTED["edifactlib"]["validated_mb_s"],
        },
    )


def _read_segments(chunks: Iterable[bytes]) -> None:
    for _ in read(chunks):
        pass


def _split_elements(chunks: Iterable[bytes]) -> None:
    for event in read(chunks):
        if isinstance(event, MessageRead):
            for _ in event.message.elements():
                pass


def _split_components(chunks: Iterable[bytes]) -> None:
    for event in read(chunks):
        if isinstance(event, MessageRead):
            for _ in event.message.components():
                pass


def _judge(chunks: Iterable[bytes]) -> None:
    for verdict in _verdicts(chunks):
        _must(verdict.valid, "the input is faulty")


def _translate(chunks: Iterable[bytes]) -> None:
    orders = translator("ORDERS")
    for verdict in _verdicts(chunks):
        _must(verdict.valid and orders is not None, "the input is faulty, or ORDERS has no translator")
        decoded = orders.decode(verdict.tree, DecodeContext(directory=verdict.header.directory))
        _must(decoded.record is not None, "an order was not translated")


def _verdicts(chunks: Iterable[bytes]) -> Iterator[MessageVerdict]:
    return (judgement for judgement in stream(chunks) if isinstance(judgement, MessageVerdict))


def _must(holds: bool, otherwise: str) -> None:
    """A figure of work that was not done would mean nothing."""
    if not holds:
        raise SystemExit(otherwise)


WORK: Mapping[str, Callable[[Iterable[bytes]], None]] = {
    "segments_mb_s": _read_segments,
    "tokenise_mb_s": _split_elements,
    "components_mb_s": _split_components,
    "validated_mb_s": _judge,
    "records_mb_s": _translate,
}


def _seconds(work: Callable[[list[bytes]], None], chunks: list[bytes]) -> float:
    begins = time.process_time()
    work(chunks)
    return time.process_time() - begins


def _part_of(messages: int, lines: int, size: int) -> float:
    """How much of the bytes pydifact reads."""
    return sum(map(len, interchange(max(1, messages // PYDIFACT_PART), lines))) / size


def _growth(lines: int) -> float:
    """Seconds a line of one message with so many lines."""
    return _seconds(_translate, list(interchange(1, lines))) / lines


def _peak_of_a_process(messages: int, lines: int) -> float:
    """The input is made message by message in the same process, so that it takes no memory of its own."""
    command = [sys.executable, "-m", "benchmarks.edifact", str(messages), str(lines)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _seconds_of_validate() -> tuple[float, float]:
    """By the clock, and of CPU."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "order.edi"
        path.write_bytes(b"".join(interchange(SMALL_MESSAGES, LINES)))
        command = [sys.executable, "-c", "from edi_gateway.cli import main; main()", "validate", str(path)]
        clock, cpu = [], []
        for _ in range(PASSES):
            begins, used = time.perf_counter(), os.times()
            subprocess.run(command, check=True, capture_output=True)
            clock.append(time.perf_counter() - begins)
            now = os.times()
            cpu.append(now.children_user + now.children_system - used.children_user - used.children_system)
    return median_of(clock), median_of(cpu)


def _pydifact(messages: int, lines: int) -> tuple[dict[str, Callable[[Any], None]], str]:
    """What pydifact does in its turn, or why it cannot."""
    if find_spec("pydifact") is None:
        return {}, "pydifact is not installed: it comes with the extra dev"
    from pydifact.parser import Parser

    text = b"".join(interchange(max(1, messages // PYDIFACT_PART), lines)).decode("latin-1")

    def parse(_: object) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tables that it does not find
            for _segment in Parser().parse(text):
                pass

    return {PYDIFACT: parse}, ""


def _main(messages: int, lines: int) -> None:
    """The process whose memory is measured."""
    import resource

    _translate(interchange(messages, lines))
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(kilobytes * 1024 / 1e6)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
