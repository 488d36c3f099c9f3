"""Who may use the API: whoever shows the configured bearer token (RFC 6750). Without one configured, nobody."""

from __future__ import annotations

import hmac

from flask import request

from edi_gateway.config import Config
from edi_gateway.web.api.errors import ApiRefusal

SCHEME = "bearer"
NOT_CONFIGURED = "the API has no token: set api_token in gateway.toml or EDI_GATEWAY_API_TOKEN, and restart"


def require_token(config: Config) -> None:
    """Raises ApiRefusal unless the request carries the token. The comparison takes the same time for any other."""
    if config.api_token is None:
        raise ApiRefusal(503, "unavailable", NOT_CONFIGURED)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = config.api_token.get_secret_value().encode()
    if scheme.lower() != SCHEME or not hmac.compare_digest(token.strip().encode(), expected):
        raise ApiRefusal(401, "unauthorised", "send the header `Authorization: Bearer <token>`")
