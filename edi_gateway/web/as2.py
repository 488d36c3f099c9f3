"""`POST /as2`: the message URL and the MDN URL of our partners. No session, no admin code, nothing but AS2.

A POST is answered as plain WSGI, before Flask sees it: nothing that Flask does for a request is needed here, and it
would cost a fifth of the time. The other methods are a route of the application.

The body is read as a stream, never as a whole. Only the headers of the table below go further: what a proxy or a
browser adds (cookies) is neither interpreted nor kept. Credentials, and a client certificate that a trusted proxy hands
on, become a `Caller`, which is compared with what the partnership asks for and not kept either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO, cast

from flask import Blueprint, Response
from werkzeug.datastructures import Authorization
from werkzeug.wsgi import get_input_stream

from edi_gateway.config import ReverseProxy
from edi_gateway.failpoints import reach
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.connections import Caller, certificate_in_header
from edi_gateway.gateway.receive import HttpAnswer, receive
from edi_gateway.transport.http import Login

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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
_USUAL = ("as2-from", "as2-to", "as2-version", "content-type", "content-length", "content-disposition", "host")
_HEADER_PREFIXES = ("as2-", "content-")
PATH = "/as2"
_EXPLANATION = (
    "This is an AS2 endpoint (RFC 4130). It takes POST requests of trading partners;\n"
    "there is nothing to read here. The health of the server is at /healthz.\n"
)


def blueprint() -> Blueprint:
    """The answer to what is no POST."""
    routes = Blueprint("as2", __name__)

    @routes.route(PATH, methods=["GET", "HEAD", "PUT", "DELETE", "PATCH"])
    def anything_else() -> Response:
        return Response(_EXPLANATION, 405, {"Allow": "POST", "Content-Type": "text/plain; charset=utf-8"})

    return routes


def in_front_of(
    application: WSGIApplication, gateway: Gateway, failed: Callable[[Exception], HttpAnswer]
) -> WSGIApplication:
    """The application, with `POST /as2` answered before it. `failed` says what to answer where the fault is ours."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ.get("REQUEST_METHOD") != "POST":
            return application(environ, start_response)
        try:
            answer = _post(gateway, environ)
        except Exception as error:  # noqa: BLE001 - the boundary: nothing was promised, and the partner sends again
            answer = failed(error)
        length = [("Content-Length", str(len(answer.body)))] if answer.status != HTTPStatus.NO_CONTENT else []
        start_response(_status(answer.status), [*answer.headers, *length])
        return [answer.body]

    return serve


def _post(gateway: Gateway, environ: WSGIEnvironment) -> HttpAnswer:
    body = cast(BinaryIO, get_input_stream(environ))
    answer = receive(gateway, allowed(_headers(environ)), body, _caller(gateway.config.reverse_proxy, environ))
    reach("answer:ready")
    return answer


@cache
def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"


def _headers(environ: WSGIEnvironment) -> Iterable[tuple[str, str]]:
    """The request's headers, as WSGI spells them, in their order."""
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield _name(key[5:]), value
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield _name(key), value


def _name(key: str) -> str:
    """As2-From for AS2_FROM."""
    return _NAMES.get(key) or key.replace("_", "-").title()


_NAMES = {name.upper().replace("-", "_"): name.title() for name in (*_HEADERS, *_USUAL)}
"""Those that come with nearly every POST: looked up, not spelled anew."""


def _caller(proxy: ReverseProxy, environ: WSGIEnvironment) -> Caller:
    """Who POSTs. A client certificate counts only from a proxy that is configured: any client can write a header."""
    shown, login = Authorization.from_header(environ.get("HTTP_AUTHORIZATION")), None
    if shown is not None and shown.type == "basic" and shown.username is not None and shown.password is not None:
        login = Login(shown.username, shown.password)
    header = proxy.client_certificate_header
    peer = environ.get("REMOTE_ADDR") or ""
    address = proxy.caller(peer, _header(environ, proxy.forwarded_header)) if proxy.forwarded_header else peer
    if not header or not proxy.believes(peer):
        return Caller(login, address=address)
    return Caller(login, certificate_in_header(_header(environ, header)), address)


def _header(environ: WSGIEnvironment, name: str) -> str:
    found: str = environ.get("HTTP_" + name.upper().replace("-", "_"), "")
    return found


def allowed(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that have a meaning here, in their order."""
    return [(name, value) for name, value in headers if _has_meaning(name.lower())]


def _has_meaning(name: str) -> bool:
    return name in _HEADERS or name.startswith(_HEADER_PREFIXES)
