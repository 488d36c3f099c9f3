"""Reading, judging and translating one large interchange of ORDERS: `python -m benchmarks edifact [MESSAGES LINES]`.

Ours, each the median of several passes over the same bytes, nothing kept but the message at hand. Throughput is by
seconds of CPU, of one thread that never waits: what else the machine does takes less part in it than in the clock.

    segments_mb_s     events read: segments cut with releases, positions and byte offsets; counts and references checked
    tokenise_mb_s     the same, and each segment split into its elements, releases resolved (composites on demand)
    components_mb_s   the same, and every composite of every segment split into its components
    validated_mb_s    each message judged: structure, formats, code lists, identifiers
    records_mb_s      each message judged and translated into an Order
    peak_rss_mb       resident memory of a process that does the last, with all that it imports
    validate_3kb_s    `edi-gateway validate` on a file of 3 kB, the start of the process included

pydifact splits everything into components and checks nothing; it is measured here, in the same run. What no package
brings to this machine is quoted from measurements on the same input elsewhere, and says so.
"""

from __future__ import annotations

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
PYDIFACT_PASSES = 3
SMALL_MESSAGES = 1  # 3 kB
CHUNK_BYTES = 64 * 1024  # as a file or a socket gives them

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
    ours = {}
    for figure, work in WORK.items():
        ours[figure] = _megabytes_per_second(work, chunks, size, PASSES)
        say(f"{figure} {ours[figure]:.1f}")
    ours["peak_rss_mb"] = _peak_of_a_process(messages, lines)
    ours["validate_3kb_s"] = _seconds_of_validate()
    say(f"peak_rss_mb {ours['peak_rss_mb']:.0f}, validate_3kb_s {ours['validate_3kb_s']:.2f}")
    peers = {"pydifact": _pydifact(chunks, size, say), **QUOTED}
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


def _megabytes_per_second(work: Callable[[list[bytes]], None], chunks: list[bytes], size: int, passes: int) -> float:
    seconds = []
    for _ in range(passes):
        begins = time.process_time()
        work(chunks)
        seconds.append(time.process_time() - begins)
    return size / 1e6 / median_of(seconds)


def _peak_of_a_process(messages: int, lines: int) -> float:
    """The input is made message by message in the same process, so that it takes no memory of its own."""
    command = [sys.executable, "-m", "benchmarks.edifact", str(messages), str(lines)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _seconds_of_validate() -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "order.edi"
        path.write_bytes(b"".join(interchange(SMALL_MESSAGES, LINES)))
        command = [sys.executable, "-c", "from edi_gateway.cli import main; main()", "validate", str(path)]
        seconds = []
        for _ in range(PASSES):
            begins = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - begins)
    return median_of(seconds)


def _pydifact(chunks: list[bytes], size: int, say: Say) -> dict[str, Any]:
    if find_spec("pydifact") is None:
        return left_out("pydifact is not installed: it comes with the extra dev")
    from pydifact.parser import Parser

    def parse(pieces: list[bytes]) -> None:
        for _ in Parser().parse(b"".join(pieces).decode("latin-1")):
            pass

    say("pydifact, which takes a while")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tables that it does not find
        figure = _megabytes_per_second(parse, chunks, size, PYDIFACT_PASSES)
    return {"tokenise_mb_s": figure, "components_mb_s": figure}


def _main(messages: int, lines: int) -> None:
    """The process whose memory is measured."""
    import resource

    _translate(interchange(messages, lines))
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(kilobytes * 1024 / 1e6)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
