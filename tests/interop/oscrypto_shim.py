"""Lets oscrypto 1.3.0, and with it pyas2lib, be imported beside a present-day OpenSSL: take `pyas2lib` from here.

oscrypto asks OpenSSL for its version text and looks in it for a version of one digit each, so `3.0.19` is not found
and its import ends with LibraryNotFoundError. The repair in its repository was never released. While oscrypto is
imported here, that one search, and no other, may find numbers of any length.
"""

import re
from unittest import mock

NARROW = r"\b(\d\.\d\.\d[a-z]*)\b"
WIDE = r"\b(\d+\.\d+\.\d+[a-z]*)\b"

_search = re.search


def _wider_search(pattern, text, flags=0):
    return _search(WIDE if pattern == NARROW else pattern, text, flags)


with mock.patch("re.search", _wider_search):
    import oscrypto.asymmetric
    import oscrypto.symmetric
    import pyas2lib

__all__ = ["oscrypto", "pyas2lib"]
