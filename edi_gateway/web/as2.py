"""`POST /as2`: the message URL and the MDN URL of our partners. No session, no admin code, nothing but AS2.

The body is read as a stream, never as a whole. Only the headers of the table below go further: what a proxy or a
browser adds (cookies) is neither interpreted nor kept. Credentials, and a client certificate that a trusted proxy hands
on, become a `Caller`, which is compared with what the partnership asks for and not kept either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, cast

from flask import Blueprint, Response, request

from edi_gateway.config import ReverseProxy
from edi_gateway.failpoints import reach
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.connections import Caller, certificate_in_header
from edi_gateway.gateway.receive import HttpAnswer, receive
from edi_gateway.transport.http import Login

# What AS2 and MIME give a meaning (RFC 4130 §6, RFC 6017, RFC 3798), besides all AS2-… and Content-… headers.
_HEADERS = frozenset(
    {
        "date",
        "disposition-notification-options",
        "disposition-notification-to",
        "ediint-features",
        "from",
        "message-id",
        "mime-version",
        "original-message-id",
        "receipt-delivery-option",
        "recipient-address",
        "subject",
        "user-agent",
    }
)
_HEADER_PREFIXES = ("as2-", "content-")
_EXPLANATION = (
    "This is an AS2 endpoint (RFC 4130). It takes POST requests of trading partners;\n"
    "there is nothing to read here. The health of the server is at /healthz.\n"
)


def blueprint(gateway: Gateway) -> Blueprint:
    """The routes of AS2."""
    routes = Blueprint("as2", __name__)

    @routes.post("/as2")
    def post() -> Response:
        headers, body = allowed(request.headers.items()), cast(BinaryIO, request.stream)
        answer = receive(gateway, headers, body, _caller(gateway.config.reverse_proxy))
        reach("answer:ready")
        return _response(answer)

    @routes.route("/as2", methods=["GET", "HEAD", "PUT", "DELETE", "PATCH"])
    def anything_else() -> Response:
        return Response(_EXPLANATION, 405, {"Allow": "POST", "Content-Type": "text/plain; charset=utf-8"})

    return routes


def _caller(proxy: ReverseProxy) -> Caller:
    """Who POSTs. A client certificate counts only from a proxy that is configured: any client can write a header."""
    shown, login = request.authorization, None
    if shown is not None and shown.type == "basic" and shown.username is not None and shown.password is not None:
        login = Login(shown.username, shown.password)
    header = proxy.client_certificate_header
    if not header or not proxy.believes(request.remote_addr or ""):
        return Caller(login)
    return Caller(login, certificate_in_header(request.headers.get(header, "")))


def allowed(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that have a meaning here, in their order."""
    return [(name, value) for name, value in headers if _has_meaning(name.lower())]


def _has_meaning(name: str) -> bool:
    return name in _HEADERS or name.startswith(_HEADER_PREFIXES)


def _response(answer: HttpAnswer) -> Response:
    response = Response(answer.body, answer.status)
    if not any(name.lower() == "content-type" for name, _ in answer.headers):
        del response.headers["Content-Type"]
    for name, value in answer.headers:
        response.headers[name] = value
    return response
