"""`edi-gateway worker`: the work without the web, on as many machines as there are."""

from __future__ import annotations

import click

from edi_gateway.cli.frame import UserError, load_config, user_errors


@click.command()
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    help="Jobs at the same time; default: `work.threads` of the configuration.",
)
@click.option(
    "--queues",
    default="",
    help="Names with commas between them: unpack, dispatch, webhooks, sweep, expiry, alerts. Default: all.",
)
def worker(concurrency: int | None, queues: str) -> None:
    """Unpack, send and sweep for the gateway of this configuration, beside other workers on the same PostgreSQL.

    SIGTERM or Ctrl-C stop it gracefully: the work under way is finished. The jobs of a worker that dies are taken over
    by the others after `work.stalled_seconds`.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from edi_gateway.gateway.keys import KeyStoreError
    from edi_gateway.gateway.marketplace_side import HANDLERS
    from edi_gateway.gateway.secure_start import UnsafeStart, refuse_unsafe
    from edi_gateway.gateway.tasks import TASKS
    from edi_gateway.web.process import DatabaseBehind, work_until_stopped

    config = load_config()
    if not config.work_is_distributed:
        raise UserError(
            "`serve` does the work of this configuration; workers of their own need database_url = postgresql://"
        )
    wanted = [name.strip() for name in queues.split(",") if name.strip()]
    if unknown := sorted(set(wanted) - set(TASKS)):
        raise UserError(f"unknown queue {', '.join(unknown)}; there are {', '.join(TASKS)}")
    with user_errors(KeyStoreError, DatabaseBehind, UnsafeStart):
        refuse_unsafe(config)
        try:
            work_until_stopped(config, handlers=HANDLERS, threads=concurrency, queues=wanted, announce=click.echo)
        except SQLAlchemyError as error:
            raise UserError(f"the database does not answer: {error}; check database_url") from None
