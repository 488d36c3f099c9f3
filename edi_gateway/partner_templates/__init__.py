"""Profiles to begin a partner's folder with: a partner.toml to fill in, and examples of its messages.

A template is a folder here. Its files hold placeholders (`string.Template`): ``$name``, ``$legal_name``,
``$their_gln``, ``$our_gln``, ``$as2_id``, ``$url``, ``$certificate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template

TEMPLATES = ("amazon-like", "eancom-1997", "eancom-2002")
ENCODING = "utf-8"


def files(template: str, values: Mapping[str, str]) -> dict[str, str]:
    """The files of a template, filled in, by their path. Raises KeyError for a value that is not given."""
    root = resources.files(__name__) / template
    texts = {"partner.toml": root / "partner.toml"}
    texts |= {f"examples/{each.name}": each for each in _sorted(root / "examples")}
    return {path: Template(file.read_text(ENCODING)).substitute(values) for path, file in texts.items()}


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=lambda each: each.name)
