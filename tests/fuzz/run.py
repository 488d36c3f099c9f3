"""One target, driven by atheris until its time is over: `python -m tests.fuzz.run TARGET [libFuzzer options] FOLDER…`.

Apart from `__main__` because libFuzzer owns its process: it ends it.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["edi_gateway"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]].run)
    atheris.Fuzz()
