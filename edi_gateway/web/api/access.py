"""Who asks, and what exists for him: a bearer token (RFC 6750), its role's scopes, its partner.

For a token that is bound to a partner, the things of all others do not exist: a list leaves them out, and one of them
by its name is 404, never 403, which would say that it is there.
"""

from __future__ import annotations

from typing import Any, cast

from flask import g, request
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from edi_gateway.gateway import tokens
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.tokens import Caller, Scope
from edi_gateway.web.api import texts
from edi_gateway.web.api.errors import ApiRefusal
from edi_gateway.web.api.texts import Filled

SCHEME = "bearer"
TOKEN_CHARACTERS_MAX = 500
_INSUFFICIENT = {"WWW-Authenticate": 'Bearer realm="edi-gateway", error="insufficient_scope"'}


def authenticate(gateway: Gateway) -> None:
    """Put down who asks. Raises ApiRefusal (401, or 503 where no token exists)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    shown = token.strip() if scheme.lower() == SCHEME else ""
    found = tokens.authenticate(gateway, shown) if 0 < len(shown) <= TOKEN_CHARACTERS_MAX else None
    if found is None:
        raise ApiRefusal(401, texts.SHOW_TOKEN) if tokens.is_possible(gateway) else ApiRefusal(503, texts.NO_TOKEN)
    g.caller = found


def caller() -> Caller:
    """Who asks."""
    return cast(Caller, g.caller)


def require(scope: Scope) -> None:
    """Raises ApiRefusal (403) unless the caller's role has the scope."""
    if not caller().may(scope):
        values = {"role": caller().role.value, "scope": scope.value}
        raise ApiRefusal(403, Filled(texts.MISSING_SCOPE, values), headers=_INSUFFICIENT)


def visible(column: InstrumentedAttribute[Any], partner: str | None) -> list[ColumnElement[bool]]:
    """The condition for what exists for the caller, narrowed to `partner` where the request names one."""
    wanted = {name for name in (caller().partner, partner) if name is not None}
    return [column == name for name in sorted(wanted)]
