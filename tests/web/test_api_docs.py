"""docs/api.md says what the code does: its verifier, its table of scopes, its columns."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edi_gateway.gateway.sheet_upload import INVENTORY, ORDERS
from edi_gateway.gateway.tokens import ROLES, Scope
from edi_gateway.gateway.webhooks import signature

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_the_verifier_verifies() -> None:
    namespace: dict[str, Any] = {}
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    exec(code, namespace)
    is_genuine, body = namespace["is_genuine"], b'{"id": "1"}'
    fresh = signature(b"whsec_x", body, datetime.now(UTC))
    old = signature(b"whsec_x", body, datetime(2026, 1, 1, tzinfo=UTC))
    assert is_genuine(fresh, body, "whsec_x")
    assert not is_genuine(fresh, body + b" ", "whsec_x")
    assert not is_genuine(fresh, body, "whsec_y")
    assert not is_genuine(old, body, "whsec_x")


def test_the_table_of_scopes() -> None:
    assert f"| Scope | {' | '.join(role.value for role in ROLES)} |" in DOCUMENT
    for scope in Scope:
        marks = " | ".join("x" if scope in scopes else "" for scopes in ROLES.values())
        assert f"| `{scope.value}` | {marks} |" in DOCUMENT


def test_the_columns_of_the_sheets() -> None:
    for column in (*INVENTORY, *ORDERS):
        needed = "yes" if column.required else ""
        assert f"| `{column.name}` | {', '.join(column.others)} | {needed} |" in DOCUMENT
