"""What every test shares, and the README's Python as a test: what it shows is what happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_plugins = ["tests.conformance.plugin", "tests.databases", "tests.interop.peers"]


def _one_post(namespace: dict[str, Any]) -> None:
    """What the README takes as given: the headers and body of a POST, and what was agreed with its sender."""
    from tests.partner import SimulatedPartner, key_of

    since = datetime.now(UTC) - timedelta(days=1)
    partner = SimulatedPartner(key=key_of("readme-vendor", start=since), gateway_key=key_of("readme", start=since))
    orders = Path(__file__).with_name("samples") / "orders-plain.edi"
    entity = partner.entity(orders.read_bytes())
    posted = partner.post(partner.encrypted(partner.signed(entity)))
    namespace.update(pairs=list(posted.headers), body=BytesIO(posted.body), relationship=partner.relationship())


pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["README.md"], setup=_one_post).pytest()
