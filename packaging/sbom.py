"""The software bill of materials: CycloneDX 1.5 JSON of what requirements.lock names, on stdout.

    python packaging/sbom.py requirements.lock

Versions and hashes come from the lock; licences from the packages where they are installed.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

_ENTRY = re.compile(r"^([a-z0-9.-]+)==([^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(lock: str) -> dict[str, Any]:
    """The document for the text of a lock file."""
    starts = [*_ENTRY.finditer(lock)]
    ends = [*(found.start() for found in starts[1:]), len(lock)]
    components = [
        _component(found[1], found[2], _HASH.findall(lock[found.start() : end]))
        for found, end in zip(starts, ends, strict=True)
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "edi-gateway", "bom-ref": "edi-gateway"}},
        "components": components,
    }


def _component(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version}"
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if licence := _licence(name):
        component["licenses"] = [{"license": {"name": licence}}]
    component["hashes"] = [{"alg": "SHA-256", "content": content} for content in hashes]  # of its files
    return component


def _licence(name: str) -> str:
    """One line, as the package says it; "" where it is not installed or says nothing."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return ""
    classifiers = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier", []) if each.startswith("License")]
    plain = (said.get("License") or "").strip().partition("\n")[0][:100]
    return said.get("License-Expression") or "; ".join(classifiers) or plain


if __name__ == "__main__":
    json.dump(bill(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.stdout, indent=2)
    sys.stdout.write("\n")
