"""The tokens of the API: what each role may do, and for whom.

A token is 256 random bits, shown once; the store keeps its SHA-256. The token of the configuration (`api_token`) is the
bootstrap administrator: with it, or with the command line, the others are made.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.store import api as store
from edi_gateway.store.api import ApiToken, TokenRole

PREFIX = "edig_"
"""Begins every token, so that a scanner of leaked secrets knows it."""

RANDOM_BYTES = 32
NAME_CHARACTERS_MAX = 80
DAYS_MAX = 3660
BOOTSTRAP = "configuration"
"""The name of the administrator whose token stands in the configuration."""

USE_NOTED_EVERY = timedelta(minutes=10)
"""How exact `last_used_at` is: a write for each request would cost more than the request."""


class Scope(StrEnum):
    """What a route asks for."""

    ORDERS_READ = "orders:read"
    ORDERS_PLACE = "orders:place"  # place, change, cancel, decide the payment
    ORDERS_ANSWER = "orders:answer"  # as the vendor
    INVENTORY_READ = "inventory:read"
    INVENTORY_REPORT = "inventory:report"  # as the vendor
    SHIPMENTS_READ = "shipments:read"
    INVOICES_READ = "invoices:read"
    CYCLES_READ = "cycles:read"
    CYCLES_RUN = "cycles:run"
    TRAFFIC_READ = "traffic:read"  # messages with their findings, transmissions
    EVENTS_READ = "events:read"
    WEBHOOKS = "webhooks"  # add, remove, test, retry
    METRICS_READ = "metrics:read"  # /metrics: numbers of all partners


_TRADE = frozenset({Scope.ORDERS_READ, Scope.INVENTORY_READ, Scope.SHIPMENTS_READ})
_MONEY = frozenset({Scope.INVOICES_READ, Scope.CYCLES_READ})
_READ = _TRADE | _MONEY | {Scope.TRAFFIC_READ, Scope.EVENTS_READ}
_AS_VENDOR = frozenset({Scope.ORDERS_ANSWER, Scope.INVENTORY_REPORT})

ROLES: Mapping[TokenRole, frozenset[Scope]] = {
    TokenRole.ADMIN: frozenset(Scope),
    TokenRole.MARKETPLACE: _READ | {Scope.ORDERS_PLACE, Scope.WEBHOOKS},
    TokenRole.OPERATOR: _READ | _AS_VENDOR | {Scope.WEBHOOKS, Scope.METRICS_READ},
    TokenRole.FINANCE: _MONEY | {Scope.ORDERS_READ, Scope.SHIPMENTS_READ, Scope.EVENTS_READ, Scope.CYCLES_RUN},
    TokenRole.VENDOR: _READ | _AS_VENDOR | {Scope.WEBHOOKS},
    TokenRole.READ_ONLY: _READ,
    TokenRole.MONITOR: frozenset({Scope.METRICS_READ}),
}
"""What each role may do. `docs/api.md` shows this table."""


class TokenRefused(Exception):
    """A token that cannot be made or revoked; the text says why."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: its name, its role, and the only partner that exists for it (None: all)."""

    name: str
    role: TokenRole
    partner: str | None = None

    def may(self, scope: Scope) -> bool:
        return scope in ROLES[self.role]

    def sees(self, partner: str) -> bool:
        return self.partner in (None, partner)


def digest(token: str) -> str:
    """What the store knows of a token."""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def create(
    gateway: Gateway, name: str, role: TokenRole, *, partner: str | None = None, days: int | None = None
) -> tuple[ApiToken, str]:
    """Make a token; gives its row and its text, which nobody can have again.

    Raises TokenRefused, and UnknownPartner where no active partnership has this name.
    """
    if not 1 <= len(name) <= NAME_CHARACTERS_MAX or not name.isprintable() or name == BOOTSTRAP:
        raise TokenRefused(f"a token has a name of 1 to {NAME_CHARACTERS_MAX} printable characters, not {BOOTSTRAP!r}")
    if role is TokenRole.VENDOR and partner is None:
        raise TokenRefused("a vendor's token is for one partner: say which")
    if role is TokenRole.ADMIN and partner is not None:
        raise TokenRefused("an administrator's token is for every partner; choose another role")
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise TokenRefused(f"a token is good for 1 to {DAYS_MAX} days")
    if partner is not None and gateway.partnerships.by_name(partner) is None:
        raise UnknownPartner(partner)
    token, now = PREFIX + secrets.token_urlsafe(RANDOM_BYTES), gateway.now()
    values = {
        "name": name,
        "role": role,
        "partnership": partner,
        "sha256": digest(token),
        "created_at": now,
        "expires_at": None if days is None else now + timedelta(days=days),
    }
    with gateway.database.write() as uow:
        if not uow.insert_once(ApiToken, values):
            raise TokenRefused(f"there is a token named {name!r} already; a revoked one keeps its name")
        row = store.token_named(uow.session, name)
        assert row is not None  # noqa: S101 - inserted a moment ago
        details = {"role": role.value, "partnership": partner}
        uow.record_event("token.created", row.subject, None, "active", "made by an operator", details, now)
        uow.commit()
        return row, token


def revoke(gateway: Gateway, name: str) -> ApiToken:
    """Put a token out of use, at once. Raises TokenRefused for an unknown one; a revoked one stays revoked."""
    with gateway.database.write() as uow:
        row = store.token_named(uow.session, name)
        if row is None:
            raise TokenRefused(f"there is no token named {name!r}; `edi-gateway tokens list` shows them")
        if row.revoked_at is None:
            row.revoked_at = gateway.now()
            uow.record_event("token.revoked", row.subject, "active", "revoked", "by an operator", {}, row.revoked_at)
            uow.commit()
        return row


def authenticate(gateway: Gateway, token: str) -> Caller | None:
    """Who shows this token; None where it is unknown, revoked or expired."""
    shown = digest(token)
    configured = gateway.config.api_token
    if configured is not None and hmac.compare_digest(shown, digest(configured.get_secret_value())):
        return Caller(BOOTSTRAP, TokenRole.ADMIN)
    now = gateway.now()
    with gateway.database.read() as view:
        row = store.token_of(view.session, shown)
    if row is None or not hmac.compare_digest(row.sha256, shown) or not is_in_force(row, now):
        return None
    if row.last_used_at is None or now - row.last_used_at >= USE_NOTED_EVERY:
        _note_use(gateway, row.id, now)
    return Caller(row.name, row.role, row.partnership)


def is_in_force(row: ApiToken, now: datetime) -> bool:
    """Whether the token may be used now."""
    return row.revoked_at is None and (row.expires_at is None or now < row.expires_at)


def is_possible(gateway: Gateway) -> bool:
    """Whether there is any token with which the API could be used."""
    if gateway.config.api_token is not None:
        return True
    with gateway.database.read() as view:
        return store.any_token(view.session)


def _note_use(gateway: Gateway, token_id: int, now: datetime) -> None:
    with gateway.database.write() as uow:
        row = uow.session.get(ApiToken, token_id)
        if row is not None:
            row.last_used_at = now
            uow.commit()


def token_json(row: ApiToken, now: datetime) -> dict[str, Any]:
    """A token as lists show it: everything but the token."""
    states = {
        "revoked": row.revoked_at is not None,
        "expired": row.expires_at is not None and now >= row.expires_at,
    }
    return {
        "name": row.name,
        "role": row.role.value,
        "partner": row.partnership,
        "state": next((state for state, holds in states.items() if holds), "active"),
        "scopes": sorted(scope.value for scope in ROLES[row.role]),
        **{name: _text(getattr(row, name)) for name in ("created_at", "expires_at", "revoked_at", "last_used_at")},
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
