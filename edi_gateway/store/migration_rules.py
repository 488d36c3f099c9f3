"""What a migration may do while an old node still works: expand first, contract later.

An expanding migration adds tables, columns that may be empty or have a default, and indexes; the version before it
goes on reading and writing as if nothing had happened. A contracting one takes away, renames or tightens: it loses what
stands there or fails the old version, so it says `phase = "contract"`, comes a version later, and is applied only when
an operator asks for it (`edi-gateway db upgrade --contract`).

The rules read the source of a migration, not its name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

EXPAND, CONTRACT = "expand", "contract"

_TAKES_AWAY = {"drop_table": "drops a table", "drop_column": "drops a column", "rename_table": "renames a table"}
_TIGHTENS = {"new_column_name": "renames a column", "type_": "changes the type of a column"}
_DESTRUCTIVE_SQL = re.compile(r"\b(DROP|DELETE|TRUNCATE|RENAME)\b", re.IGNORECASE)


def phase(source: str) -> str:
    """What the migration says it is; without a word, expanding."""
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="phase")], value=ast.Constant(value=said)):
                return str(said)
    return EXPAND


def losses(source: str) -> list[str]:
    """What its `upgrade` takes away or tightens, each with its line; empty is what an expanding one must be."""
    return [
        f"line {call.lineno}: {fault}"
        for function in ast.parse(source).body
        if isinstance(function, ast.FunctionDef) and function.name == "upgrade"
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        for fault in _faults(call, call.func.attr)
    ]


def _faults(call: ast.Call, name: str) -> Iterator[str]:
    if name in _TAKES_AWAY:
        yield _TAKES_AWAY[name]
    elif name == "alter_column":
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        yield from (fault for keyword, fault in _TIGHTENS.items() if keyword in given)
        if _is(given.get("nullable"), False):
            yield "forbids NULL in a column"
    elif name == "add_column":
        yield from (
            "adds a column that must be filled and has no server_default"
            for column in ast.walk(call)
            if isinstance(column, ast.Call) and _must_be_filled(column)
        )
    elif name == "execute":
        yield from _of_sql(call)


def _must_be_filled(column: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in column.keywords}
    return _is(given.get("nullable"), False) and "server_default" not in given


def _of_sql(call: ast.Call) -> Iterator[str]:
    texts = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if not texts:
        yield "executes SQL that cannot be judged here"
    elif _DESTRUCTIVE_SQL.search(" ".join(texts)):
        yield "executes SQL that drops, deletes or renames"


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
