"""What a partnership says about the connection, made ready: the route to their server, and what they must show to ours.

TLS contexts are made once for what was agreed and the key of ours that serves at the time; passwords are read each
time, from the file or variable that the partnership names, so that a new one needs no restart.
"""

from __future__ import annotations

import hmac
import os
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from pathlib import Path
from urllib.parse import unquote

from edi_gateway.as2.certificates import CertificateError, KeyUse, load_certificates
from edi_gateway.gateway.failed_logins import FailedLogins
from edi_gateway.gateway.keys import KeyStore, KeyStoreError, OwnKey
from edi_gateway.gateway.secret_files import SecretError, read_private
from edi_gateway.partnership import Credentials, DatedCertificate, Partnership, TlsPolicy, TlsTrust
from edi_gateway.transport import tls
from edi_gateway.transport.http import Login, Route

PASSWORD_BYTES_MAX = 4096


class ConnectionFault(Exception):
    """The connection cannot be made as agreed, and the fault is ours; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who POSTs, as HTTP says it: basic authentication, and a client certificate that a trusted proxy hands on."""

    login: Login | None = None
    certificate: str = ""  # SHA-256, lower-case hex
    address: str = ""  # where the connection comes from: the caller, or the reverse proxy


NOBODY = Caller()


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a caller is not let in. `was_tried`: it showed something, and that was wrong."""

    status: int
    reason: str
    was_tried: bool
    headers: tuple[tuple[str, str], ...] = ()


_CHALLENGE = (("WWW-Authenticate", 'Basic realm="AS2", charset="UTF-8"'),)


@dataclass(frozen=True, slots=True)
class _Made:
    """A context, and what it was made for."""

    policy: TlsPolicy
    key: OwnKey | None
    context: ssl.SSLContext | None = field(repr=False)


class Connections:
    """The connections of one gateway. Safe to share between threads."""

    def __init__(self, keys: KeyStore, data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self._keys = keys
        self._data_dir = data_dir
        self._environment = os.environ if environment is None else environment
        self._lock = threading.Lock()
        self._made: dict[str, _Made] = {}
        self._failed_logins = FailedLogins()

    def route(self, partnership: Partnership, now: datetime) -> Route:
        """How to reach the partner's server. Raises ConnectionFault."""
        policy, http = partnership.as2.tls, partnership.as2.http
        return Route(
            tls=self._context(partnership.name, policy, now),
            pinned=frozenset(_fingerprints(policy.certificates)) if policy.trust is TlsTrust.PINNED else frozenset(),
            server_name=policy.server_name,
            login=self._login(http.credentials, "as2.http.credentials"),
            proxy=http.proxy,
            proxy_login=self._login(http.proxy_credentials, "as2.http.proxy_credentials"),
        )

    def denial(self, partnership: Partnership, caller: Caller) -> Denied | None:
        """Why what a caller shows is not what the partnership asks for; None if it is. Raises ConnectionFault."""
        access = partnership.as2.access
        wanted = self._login(access.credentials, "as2.access.credentials")
        wait = self._failed_logins.wait_seconds(caller.address, partnership.name) if wanted else 0
        if wait and caller.login is not None:
            headers = (("Retry-After", str(ceil(wait))),)
            return Denied(429, "too many wrong passwords from this address; this one was not looked at", False, headers)
        if wanted is not None and not _same(wanted, caller.login):
            if caller.login is not None:
                self._failed_logins.note(caller.address, partnership.name)
            reason = "a wrong user name or password" if caller.login else "no user name and password"
            return Denied(401, f"{reason} (as2.access.credentials)", caller.login is not None, _CHALLENGE)
        pinned = _fingerprints(access.client_certificates)
        if pinned and caller.certificate not in pinned:
            shown = f"the client certificate {caller.certificate}" if caller.certificate else "no client certificate"
            return Denied(403, f"{shown}, which as2.access.client_certificates does not name", True)
        return None

    # --- TLS ----------------------------------------------------------------------------------------------------

    def _context(self, name: str, policy: TlsPolicy, now: datetime) -> ssl.SSLContext | None:
        key = self._client_key(policy, now)
        with self._lock:
            made = self._made.get(name)
            if made is None or (made.policy, made.key) != (policy, key):
                made = self._made[name] = _Made(policy, key, self._new_context(policy, key))
            return made.context

    def _client_key(self, policy: TlsPolicy, now: datetime) -> OwnKey | None:
        if not policy.client_certificate:
            return None
        try:
            key = self._keys.chosen(KeyUse.TLS, now)
        except KeyStoreError as error:
            raise ConnectionFault(str(error)) from None
        if key is None:
            raise ConnectionFault(
                "their server asks for a certificate of ours (as2.tls.client_certificate), and no key of ours for TLS "
                "is valid and in use; `edi-gateway keys generate --for tls` makes one"
            )
        return key

    def _new_context(self, policy: TlsPolicy, key: OwnKey | None) -> ssl.SSLContext | None:
        """None where the context that all share does."""
        pems = [entry.pem for entry in policy.certificates]
        if policy.trust is TlsTrust.SYSTEM and policy.minimum_version == "1.2" and key is None:
            return None
        try:
            match policy.trust:
                case TlsTrust.SYSTEM:
                    context = tls.trusting_system(policy.minimum_version)
                case TlsTrust.AUTHORITIES:
                    context = tls.trusting_authorities(pems, policy.minimum_version)
                case TlsTrust.PINNED:
                    context = tls.trusting_pinned(pems, policy.minimum_version)
            if key is not None:
                self._keys.present(context, key)
        except (ssl.SSLError, KeyStoreError) as error:
            raise ConnectionFault(f"TLS cannot be set up as agreed: {error}") from None
        return context

    # --- passwords ----------------------------------------------------------------------------------------------

    def _login(self, credentials: Credentials | None, key: str) -> Login | None:
        if credentials is None:
            return None
        try:
            return Login(credentials.username, self._password(credentials))
        except (SecretError, UnicodeDecodeError) as error:
            reason = error if isinstance(error, SecretError) else "the password is not UTF-8"
            raise ConnectionFault(f"{key}: {reason}") from None

    def _password(self, credentials: Credentials) -> str:
        variable, file = credentials.password_variable, credentials.password_file
        if variable:
            password = self._environment.get(variable, "")
        else:
            password = read_private(self._data_dir / file).rstrip(b"\r\n").decode("utf-8")
        if not 0 < len(password.encode()) <= PASSWORD_BYTES_MAX:
            raise SecretError(f"{variable or file} holds no password of 1 to {PASSWORD_BYTES_MAX} bytes")
        return password


def certificate_in_header(value: str) -> str:
    """The SHA-256 of a client certificate as proxies hand it on; "" where there is none that can be read.

    `Client-Cert: :base64:` (RFC 9440), PEM with %-escapes (nginx's $ssl_client_escaped_cert), or base64 of the DER.
    """
    text = value.strip()
    text = text[1:-1] if len(text) > 1 and text[0] == text[-1] == ":" else unquote(text)
    try:
        return load_certificates(text)[0].fingerprint
    except CertificateError:
        return ""


def _fingerprints(entries: Sequence[DatedCertificate]) -> list[str]:
    return [load_certificates(entry.pem)[0].fingerprint for entry in entries]


def _same(wanted: Login, shown: Login | None) -> bool:
    """In a time that tells nothing about where they differ."""
    if shown is None:
        return False
    names = hmac.compare_digest(wanted.username.encode(), shown.username.encode())
    return hmac.compare_digest(wanted.password.encode(), shown.password.encode()) and names
