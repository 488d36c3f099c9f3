"""`python -m benchmarks NAME [ARGUMENTS] [--json]`: the table of benchmarks and the command line."""

from __future__ import annotations

import json
import sys
from importlib import import_module

from benchmarks.result import LEFT_OUT, Result

BENCHMARKS = {
    "edifact": "benchmarks.edifact",
    "corpus": "benchmarks.corpus",
    "as2": "benchmarks.as2",
    "as2-large": "benchmarks.as2_large",
}
"""Name -> module with `run(arguments: Sequence[str], say: Say) -> Result`."""


def main(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    rest = [argument for argument in arguments if argument != "--json"]
    if not rest or rest[0] not in BENCHMARKS:
        print(f"usage: python -m benchmarks {{{','.join(BENCHMARKS)}}} [ARGUMENTS] [--json]", file=sys.stderr)
        return 2
    result: Result = import_module(BENCHMARKS[rest[0]]).run(rest[1:], _say)
    print(json.dumps(result.as_json(), indent=2) if as_json else _table(result))
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _table(result: Result) -> str:
    document = result.as_json()
    lines = [f"{document['benchmark']} on {document['cores']} cores"]
    lines += [f"  {name}: {value}" for name, value in document["input"].items()]
    lines += [_row("ours", figure, value) for figure, value in document["ours"].items()]
    for name, figures in document["peers"].items():
        lines += [_row(name, "left out" if k == LEFT_OUT else k, v) for k, v in figures.items()]
    lines += [_row("ratio", name, value) for name, value in document["ratios"].items()]
    return "\n".join(lines)


def _row(who: str, figure: str, value: object) -> str:
    return f"{who:12} {figure:50} {value}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
