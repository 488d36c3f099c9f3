"""`python -m edi_gateway.store.migrations "what changes"`: draft the next migration from the tables.

It compares the tables with a fresh database at the newest migration. Read what it writes, and keep to expand first,
contract later: an old node may still be working while a new one migrates.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from edi_gateway.store.migration_runs import draft


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit('usage: python -m edi_gateway.store.migrations "what changes"')
    with tempfile.TemporaryDirectory() as folder:
        print(draft(f"sqlite:///{Path(folder) / 'draft.sqlite'}", sys.argv[1]))


main()
