"""Every table, in one import: what migrations compare and tests create."""

from __future__ import annotations

from sqlalchemy import MetaData

from edi_gateway.store import (
    api,
    business,
    certificates,
    deadlines,
    documents,
    events,
    partnerships,
    payloads,
    transmissions,
)
from edi_gateway.store.base import Base

TABLE_MODULES = (
    api,
    business,
    certificates,
    deadlines,
    documents,
    events,
    partnerships,
    payloads,
    transmissions,
)

metadata: MetaData = Base.metadata
