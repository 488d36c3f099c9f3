"""What becomes of a folder of files: `python -m benchmarks corpus DIR`. No file may crash the reader or the judge.

read      files in which an interchange was found
valid     of those, files without any error
faulty    of those, files with one or more
crashed   files at which an exception came up; each is named
unread    files that are no EDIFACT, or that may not be read
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.result import Result, Say
from edi_gateway.messages.judge import judge

CHUNK_BYTES = 64 * 1024


def run(arguments: Sequence[str], say: Say) -> Result:
    if len(arguments) != 1:
        raise SystemExit("usage: python -m benchmarks corpus DIR")
    if not Path(arguments[0]).is_dir():
        raise SystemExit(f"corpus: {arguments[0]} is no folder; name one whose files are to be read")
    counts: Counter[str] = Counter(read=0, valid=0, faulty=0, crashed=0, unread=0)
    files = sorted(path for path in Path(arguments[0]).rglob("*") if path.is_file())
    for path in files:
        for outcome in _outcomes(path, say):
            counts[outcome] += 1
    return Result(benchmark="corpus", input={"folder": arguments[0], "files": len(files)}, ours=dict(counts))


def _outcomes(path: Path, say: Say) -> tuple[str, ...]:
    try:
        verdicts = list(judge(_chunks(path)))
    except OSError as error:
        say(f"{path}: {error.strerror}")
        return ("unread",)
    except Exception as error:  # noqa: BLE001 - what comes up here is what this benchmark looks for
        say(f"{path}: {error!r}")
        return ("crashed",)
    if not any(verdict.header for verdict in verdicts):
        return ("unread",)
    valid = all(verdict.valid for verdict in verdicts)
    return ("read", "valid" if valid else "faulty")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
