"""ETags (RFC 9110 §8.8.3, §13): what a client has read already is not sent again, what has changed not overwritten."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Response, request

from edi_gateway.store.base import canonical_json
from edi_gateway.web.api import texts
from edi_gateway.web.api.errors import ApiRefusal
from edi_gateway.web.api.texts import Filled


def etag_of(document: Any) -> str:
    """The version of a JSON document, without its quotes."""
    return sha256(canonical_json(document).encode()).hexdigest()


def require_match(etag: str) -> None:
    """Raises ApiRefusal (412) where the request's If-Match names another version."""
    if request.if_match and not request.if_match.contains(etag):
        raise ApiRefusal(412, Filled(texts.CHANGED_MEANWHILE, {"etag": f'"{etag}"'}))


def conditional(response: Response) -> Response:
    """An answer to GET with its ETag; 304 where the client has this version."""
    if request.method != "GET" or response.status_code != 200 or response.is_streamed:
        return response
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Accept-Language", "Authorization"))
    response.make_conditional(request)  # changes the response itself
    return response
