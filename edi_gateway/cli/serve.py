"""`edi-gateway serve`: the gateway, until it is told to stop."""

from __future__ import annotations

import click

from edi_gateway.cli.frame import UserError, load_config, user_errors


@click.command()
@click.option("--host", help="Address to listen on; default: `host` of the configuration.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one. Default: `port`.")
@click.option("--web-only", is_flag=True, help="Leave the work to `edi-gateway worker` (PostgreSQL).")
def serve(host: str | None, port: int | None, web_only: bool) -> None:
    """Run the gateway: AS2, API, and the work behind them, in one process.

    SIGTERM or Ctrl-C stop it gracefully: requests and work under way are finished. A SQLite database is migrated at the
    start; PostgreSQL by `edi-gateway db upgrade`. TLS is the reverse proxy's.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from edi_gateway.gateway.keys import KeyStoreError
    from edi_gateway.gateway.marketplace_side import HANDLERS
    from edi_gateway.gateway.secure_start import UnsafeStart, refuse_unsafe
    from edi_gateway.web import api
    from edi_gateway.web.process import DatabaseBehind, run

    config = load_config()
    if web_only and not config.work_is_distributed:
        raise UserError("--web-only needs workers elsewhere: work.runner = procrastinate on PostgreSQL")
    if host is not None or port is not None:
        changes = {"host": host or config.host, "port": config.port if port is None else port}
        config = config.model_copy(update=changes)
    with user_errors(KeyStoreError, DatabaseBehind, UnsafeStart):
        refuse_unsafe(config)
        try:
            run(
                config,
                with_work=not web_only,
                handlers=HANDLERS,
                blueprints=lambda gateway: [api.blueprint(gateway)],
                announce=click.echo,
            )
        except OSError as error:
            raise UserError(f"cannot listen on {config.host}:{config.port} or use {config.data_dir}: {error}") from None
        except SQLAlchemyError as error:
            raise UserError(f"the database does not answer: {error}; check database_url") from None
