"""`python -m benchmarks NAME [ARGUMENTS] [--json]`: the table of benchmarks and the command line."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from inspect import cleandoc

from benchmarks.result import LEFT_OUT, Result, WrongArguments

BENCHMARKS = {
    "edifact": "benchmarks.edifact",
    "edifact-large": "benchmarks.edifact_large",
    "corpus": "benchmarks.corpus",
    "as2": "benchmarks.as2",
    "nodes": "benchmarks.nodes",
    "growth": "benchmarks.growth",
    "as2-large": "benchmarks.as2_large",
}
"""Name -> module with `run(arguments: Sequence[str], say: Say) -> Result`."""


def main(arguments: list[str]) -> int:
    as_json, wants_help = "--json" in arguments, bool(_HELP & set(arguments))
    rest = [argument for argument in arguments if argument not in ("--json", *_HELP)]
    name = rest[0] if rest else ""
    if wants_help and not name:
        print(_usage())
        return 0
    if name not in BENCHMARKS:
        print(_usage(), file=sys.stderr)
        return 2
    module = import_module(BENCHMARKS[name])
    if wants_help:
        print(f"usage: python -m benchmarks {name} [ARGUMENTS] [--json]\n\n{cleandoc(module.__doc__ or '')}")
        return 0
    try:
        result: Result = module.run(rest[1:], _say)
    except WrongArguments as error:
        print(f"python -m benchmarks {name}: {error}; --help says what it takes", file=sys.stderr)
        return 2
    print(json.dumps(result.as_json(), indent=2) if as_json else _table(result))
    return 0


_HELP = frozenset({"--help", "-h"})


def _usage() -> str:
    """Every benchmark with the first line of what it says of itself."""
    lines = ["usage: python -m benchmarks NAME [ARGUMENTS] [--json]", "       python -m benchmarks NAME --help", ""]
    for name, module in BENCHMARKS.items():
        first = (import_module(module).__doc__ or "").strip().partition("\n")[0]
        lines.append(f"  {name:14} {first}")
    return "\n".join(lines)


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
