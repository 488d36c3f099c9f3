"""`python -m tests.fuzz [TARGET…] [--seconds N] [--keep]`: fuzz each target for a while, and count.

Ends with a table of executions, and with 1 if anything was found; the inputs that did it stand in `--artifacts`. With
`--keep` the inputs that reach more of the code than the seeds do become seeds.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import TARGETS, Target

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
SECONDS_EACH = 50
INPUT_SECONDS_MAX = 10  # of one input; a slower one is a finding
MEMORY_MB_MAX = 2048
SEED_BYTES_MAX = 2048
SEEDS_MAX = 60  # kept for a target
LOG_CHARACTERS_MAX = 3000


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one target."""

    executions: int
    edges: int
    found: bool
    log: str


def fuzz(name: str, target: Target, seconds: int, corpus: Path, artifacts: Path) -> Ran:
    """Run one target; `corpus` takes what reaches new code."""
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = corpus.parent / f"{name}.dict"
    words.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens))
    command = [
        sys.executable, "-m", "tests.fuzz.run", name,
        f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS_MAX}", f"-rss_limit_mb={MEMORY_MB_MAX}",
        f"-max_len={target.length_max}", f"-dict={words}", f"-artifact_prefix={artifacts}/{name}-",
        "-print_final_stats=1", str(corpus), *([str(SEEDS / name)] if (SEEDS / name).is_dir() else []),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, errors="replace", check=False)
    log = done.stdout + done.stderr
    counted = re.search(r"number_of_executed_units: *(\d+)", log)
    edges = re.findall(r"\bcov: (\d+)", log)
    return Ran(int(counted[1]) if counted else 0, int(edges[-1]) if edges else 0, done.returncode != 0, log)


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


def keep(name: str, corpus: Path) -> int:
    """Add the smallest of the inputs that reached new code to the seeds; says how many."""
    folder = SEEDS / name
    folder.mkdir(parents=True, exist_ok=True)
    made = {hashlib.sha256(seed).hexdigest()[:16] for seed in TARGETS[name].seeds()}
    files = sorted((path for path in corpus.iterdir() if path.name not in made), key=lambda path: path.stat().st_size)
    room = max(0, SEEDS_MAX - len(list(folder.iterdir())))
    kept = [path for path in files if path.stat().st_size <= SEED_BYTES_MAX][:: max(1, len(files) // (room or 1))]
    for path in kept[:room]:
        (folder / path.name[:16]).write_bytes(path.read_bytes())
    return len(kept[:room])


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--seconds", type=int, default=SECONDS_EACH, help="for each target")
    parser.add_argument("--keep", action="store_true", help="make seeds of what reached new code")
    parser.add_argument("--artifacts", type=Path, default=Path(tempfile.gettempdir()) / "edi-gateway-fuzz")
    wanted = parser.parse_args()
    if unknown := set(wanted.targets) - TARGETS.keys():
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    wanted.artifacts.mkdir(parents=True, exist_ok=True)
    print(f"{'target':<10} {'executions':>12} {'edges':>8}  found", flush=True)
    total, found = 0, False
    for name in wanted.targets or TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            corpus = Path(folder) / name
            corpus.mkdir()
            ran = fuzz(name, TARGETS[name], wanted.seconds, corpus, wanted.artifacts)
            kept = f"  {keep(name, corpus)} seeds kept" if wanted.keep else ""
        total, found = total + ran.executions, found or ran.found
        print(
            f"{name:<10} {ran.executions:>12,} {ran.edges:>8,}  {'YES' if ran.found else 'nothing'}{kept}", flush=True
        )
        if ran.found:
            print(ran.log[ran.log.find("=== Uncaught") :][:LOG_CHARACTERS_MAX], file=sys.stderr)
    print(f"{'total':<10} {total:>12,}" + (f"; the inputs stand in {wanted.artifacts}" if found else ""))
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
