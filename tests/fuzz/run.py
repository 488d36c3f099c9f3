"""One target, driven by atheris until its time is over: `python -m tests.fuzz.run TARGET [libFuzzer options] FOLDER…`.

Apart from `__main__` because libFuzzer owns its process: it ends it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random

import atheris

with atheris.instrument_imports(include=["edi_gateway"]):
    from tests.fuzz.targets import TARGETS


def mutator(change: Callable[[bytes, Random], bytes]) -> Callable[[bytes, int, int], bytes]:
    """Every other mutation is the target's own, the rest libFuzzer's."""

    def mutate(data: bytes, length_max: int, seed: int) -> bytes:
        random = Random(seed)
        if seed % 2 or not data:
            return bytes(atheris.Mutate(data, length_max))
        for _ in range(random.randint(1, 3)):
            data = change(data, random)
        return data[:length_max]

    return mutate


if __name__ == "__main__":
    target = TARGETS[sys.argv[1]]
    own = {"custom_mutator": mutator(target.mutate)} if target.mutate else {}
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.run, **own)
    atheris.Fuzz()
