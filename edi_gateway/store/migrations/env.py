"""How alembic runs here: on the connection of `edi_gateway.store.migrate`, in its transaction, in batch mode.

Batch mode, because SQLite cannot alter a table in place.
"""

from alembic import context

from edi_gateway.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
    compare_type=True,
)
context.run_migrations()
