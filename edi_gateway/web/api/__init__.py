"""The REST API of the marketplace and its tools, under /api/v1; its description is /api/v1/openapi.json.

Reading order: `app` (the blueprint), `routes` (how one is declared), `access` (who may), `orders`, `documents`,
`cycles` (the views), `bodies` (how a request is read), `models` (what goes in), `answers` (what comes out),
`errors` and `texts` (how it says no), `versions` (ETags), `description` (OpenAPI).
"""

from __future__ import annotations

from edi_gateway.web.api.app import blueprint

__all__ = ["blueprint"]
