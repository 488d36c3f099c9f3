"""The REST API of the marketplace and its tools, under /api/v1; its description is /api/v1/openapi.json.

Reading order: `app` (the blueprint), `orders`, `documents`, `cycles` (the views), `access` (who may), `bodies`
(how a request's body is read), `models` (what goes in), `errors` (what comes back when it does not).
"""

from __future__ import annotations

from edi_gateway.web.api.app import blueprint

__all__ = ["blueprint"]
