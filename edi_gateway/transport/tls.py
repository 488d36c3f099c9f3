"""TLS towards partners: whom we trust is what the partnership says, and nothing that the environment says.

`SSL_CERT_FILE`, `SSL_CERT_DIR` and `REQUESTS_CA_BUNDLE` are not looked at: a variable that somebody set for another
program on this machine must not decide to whom orders are sent. The machine's own authorities are read from where its
OpenSSL was built to find them, or else from where distributions keep them.
"""

from __future__ import annotations

import hashlib
import ssl
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
# Debian, Fedora, SUSE, Alpine and BSD: for a Python that brings an OpenSSL of its own.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


@cache
def system_context() -> ssl.SSLContext:
    """TLS 1.2 or better, with the authorities of this machine. One for all who need no other."""
    return trusting_system()


def trusting_system(minimum: str = "1.2") -> ssl.SSLContext:
    """A new context with the authorities of this machine."""
    context = _context(minimum)
    context.hostname_checks_common_name = False  # a public authority has put the name where it belongs (RFC 9525)
    if sys.platform == "win32":
        context.load_default_certs()
        return context
    paths = ssl.get_default_verify_paths()
    for file in (paths.openssl_cafile, *_BUNDLES):
        if Path(file).is_file():
            context.load_verify_locations(cafile=file)
            break
    if Path(paths.openssl_capath).is_dir():
        context.load_verify_locations(capath=paths.openssl_capath)
    return context


def trusting_authorities(pems: Sequence[str], minimum: str = "1.2") -> ssl.SSLContext:
    """A new context with these authorities alone. An intermediate one needs no root beside it."""
    context = _context(minimum)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata="".join(pems))
    return context


def trusting_pinned(pems: Sequence[str], minimum: str = "1.2") -> ssl.SSLContext:
    """A new context for servers that show one of these very certificates, whatever name it bears.

    It does not do alone: what such a certificate has issued would pass too, so that the caller compares the
    fingerprint of what the server showed (`fingerprint`).
    """
    context = trusting_authorities(pems, minimum)
    context.check_hostname = False
    return context


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, lower-case hex."""
    return hashlib.sha256(der).hexdigest()


def _context(minimum: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = _VERSIONS[minimum]
    return context
