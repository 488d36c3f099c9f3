"""The gateway as one value: what the services need, passed in. `open_gateway` is where it is put together.

Nothing here reads a clock, makes an id or opens a connection by itself: `now`, `new_id`, `jitter` and `send` are
arguments, so a test sets the clock and the network.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from edi_gateway.config import Config
from edi_gateway.gateway.connections import Connections
from edi_gateway.gateway.keys import KeyStore, open_keys
from edi_gateway.gateway.partnerships import Partnerships
from edi_gateway.store.database import Database, Wake, nobody_listens
from edi_gateway.store.payloads import PayloadStore
from edi_gateway.transport.http import HttpClient, Send

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock of a real gateway."""
    return datetime.now(UTC)


def new_id() -> str:
    """32 hex digits that sort by time: 12 of milliseconds, 20 of chance."""
    milliseconds = int(utc_now().timestamp() * 1000)
    return f"{milliseconds:012x}{secrets.token_hex(10)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One running gateway (or vendor simulator: the same engine in the other role)."""

    config: Config
    database: Database
    payloads: PayloadStore
    partnerships: Partnerships
    keys: KeyStore
    send: Send
    now: Clock = utc_now
    new_id: Callable[[], str] = new_id
    jitter: Callable[[], float] = random.random  # 0 <= x < 1, spreads retries
    handlers: Mapping[str, Any] = field(default_factory=dict)  # message type -> RecordHandler
    connections: Connections = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "connections", Connections(self.keys, self.config.data_dir))

    def message_id(self) -> str:
        """A new Message-ID of ours: bracketed, unique, without space (RFC 4130 §5.3.3)."""
        return f"<{self.new_id()}@{urlsplit(self.config.public_url).hostname or 'localhost'}>"

    @property
    def mdn_url(self) -> str:
        """Where partners POST their asynchronous MDNs to."""
        return f"{self.config.public_url.rstrip('/')}/as2"

    def close(self) -> None:
        self.payloads.close()
        self.database.close()


def payload_store(config: Config, database: Database) -> PayloadStore:
    """Where the configuration keeps large payloads: files in the data folder, or S3, which needs the extra `s3`."""
    folder = config.data_dir / "payloads"
    if not config.payload_url:
        return PayloadStore(folder, database)
    from edi_gateway.store.payloads_s3 import S3PayloadStore

    return S3PayloadStore(config.payload_url, folder, database)


def open_gateway(
    config: Config,
    *,
    handlers: Mapping[str, Any] | None = None,
    wake: Wake = nobody_listens,
    now: Clock = utc_now,
    send: Send | None = None,
) -> Gateway:
    """A gateway on the configuration's data folder and database. The caller closes it.

    The database must have been migrated (`edi_gateway.store.migrate.upgrade`, `edi-gateway db upgrade`).
    `wake` is the `Waker` of the process that runs the work; a CLI command leaves it to the server's sweep.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = open_keys(config)
    database = Database(config.database_url, wake)
    return Gateway(
        config=config,
        database=database,
        payloads=payload_store(config, database),
        partnerships=Partnerships(database, keys),
        keys=keys,
        send=send or HttpClient(),
        now=now,
        handlers=handlers or {},
    )
