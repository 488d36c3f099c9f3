"""One interchange of 500 MB: `python -m benchmarks edifact-large [MEGABYTES]`. It takes minutes.

    records_mb_s              bytes to translated records, by seconds of CPU
    records_peak_rss_mb       resident memory of the process that does it, with all that it imports
    validate_mb_s             `edi-gateway validate` of the same bytes from a pipe
    validate_peak_rss_mb
    validate_json_mb_s        the same with --json
    validate_json_peak_rss_mb

There are no peers: those that can be installed keep the whole file.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.orders import MESSAGES_MAX, interchange
from benchmarks.result import Result, Say, WrongArguments

MEGABYTES, MEGABYTES_MAX = 500, 2_000
LINES = 16

_VALIDATE = [sys.executable, "-c", "from edi_gateway.cli import main; main()", "validate", "-"]
COMMANDS = {
    "records": [sys.executable, "-m", "benchmarks.edifact_large"],
    "validate": _VALIDATE,
    "validate_json": [*_VALIDATE, "--json"],
}


def run(arguments: Sequence[str], say: Say) -> Result:
    if len(arguments) > 1 or not all(one.isdecimal() and 1 <= int(one) <= MEGABYTES_MAX for one in arguments):
        raise WrongArguments(f"one number of megabytes, 1 to {MEGABYTES_MAX}")
    megabytes = int(arguments[0]) if arguments else MEGABYTES
    message_bytes = len(b"".join(interchange(1, LINES)))
    messages = min(MESSAGES_MAX, megabytes * 1_000_000 // message_bytes + 1)
    ours: dict[str, float] = {}
    for figure, command in COMMANDS.items():
        size, seconds, peak = _fed(command, messages)
        ours[f"{figure}_mb_s"], ours[f"{figure}_peak_rss_mb"] = size / 1e6 / seconds, peak
        say(f"{figure}: {ours[f'{figure}_mb_s']:.1f} MB/s, {peak:.0f} MB")
    return Result(
        benchmark="edifact-large",
        input={
            "kind": "one interchange of ORDERS D.96A, UNOC",
            "messages": messages,
            "lines": LINES,
            "megabytes": round(size / 1e6, 1),
        },
        ours=ours,
    )


def _fed(command: list[str], messages: int) -> tuple[int, float, float]:
    """A command that reads the interchange from a pipe: its bytes, its seconds of CPU, its peak of memory in MB."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    size = 0
    with process.stdin or open(os.devnull, "wb") as pipe:
        for piece in interchange(messages, LINES):
            size += pipe.write(piece)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return size, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    from functools import partial

    from benchmarks.edifact import CHUNK_BYTES, WORK

    WORK["records_mb_s"](iter(partial(sys.stdin.buffer.read, CHUNK_BYTES), b""))
