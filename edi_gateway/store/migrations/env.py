"""How alembic runs here: on the connection of `edi_gateway.store.migration_runs`, in its transaction, in batch mode.

Batch mode, because SQLite cannot alter a table in place.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from edi_gateway.store.schema import metadata


def render(kind: str, item: Any, autogen: object) -> str | Literal[False]:
    """A migration names the column type that a database knows, not ours, which may move later."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
    compare_type=True,
    render_item=render,
)
context.run_migrations()
