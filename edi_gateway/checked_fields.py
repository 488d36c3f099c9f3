"""The kinds of value that configuration files hold: each says what it accepts, in its error and in the JSON Schema.

Shared by `config` and `partner_file`. An error is "reason; expected", as `strict_toml` splits it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema

from edi_gateway.marketplace import identifiers

AS2_NAME_CHARACTERS_MAX = 128
URL_CHARACTERS_MAX = 2000
DURATION_DAYS_MAX = 366

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)", re.ASCII)
_DURATION_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AS2_NAME = re.compile(r"[\x20-\x7e]{1,128}")
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


def _passing(accepts: Callable[[str], bool], what: str, expected: str) -> AfterValidator:
    """A validator that lets through what `accepts` takes; "" is for pydantic's defaults and `Optional...` kinds."""

    def check(value: str) -> str:
        if not accepts(value):
            raise ValueError(f"{value[:60]!r} is not {what}; {expected}")
        return value

    return AfterValidator(check)


def _or_empty(accepts: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda value: not value or accepts(value)


def _like(pattern: str) -> WithJsonSchema:
    """What an editor can check while one types; the validator knows more."""
    return WithJsonSchema({"type": "string", "pattern": pattern})


def _is_country(value: str) -> bool:
    return bool(_COUNTRY.fullmatch(value))


def _is_database_url(value: str) -> bool:
    return bool(_DATABASE_URL.fullmatch(value))


def _is_as2_name(value: str) -> bool:
    """RFC 4130 §6.2: 1 to 128 printable ASCII characters; no double quote or backslash, which need quoting."""
    return bool(_AS2_NAME.fullmatch(value)) and not set(value) & {'"', "\\"} and value == value.strip()


def _is_http_url(value: str) -> bool:
    if len(value) > URL_CHARACTERS_MAX or not value.isascii() or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    no_extras = not parts.username and not parts.password and not parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and no_extras


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{value!r} is not a duration; a number and s, m, h or d, such as "15m"')
    amount, unit = match.groups()
    duration = timedelta(**{_DURATION_UNITS[unit]: int(amount)})
    if not timedelta() < duration <= timedelta(days=DURATION_DAYS_MAX):
        raise ValueError(f"{value!r} is out of bounds; more than 0 and at most {DURATION_DAYS_MAX}d")
    return duration


def _number(value: object) -> object:
    # A TOML text is not a number, and neither is a truth value.
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number; a number")
    return value


def _plain(value: Decimal) -> Decimal:
    # 5, 5.0 and 5E+0 are one number; equal files must give equal partnerships.
    return Decimal(format(value.normalize(), "f"))


_DATABASE_URL = re.compile(r"(sqlite|postgresql)(\+[a-z0-9_]{1,30})?://[^\x00-\x1f]{0,2000}", re.ASCII)
_DATABASE = ("a database that we know", "sqlite:////absolute/path or postgresql://user@host/database")
_GLN = ("a GLN", "13 digits with a right check digit")
_SIREN = ("a SIREN", "9 digits with a right check digit")
_VAT_NUMBER = ("a VAT number of the EU", "country and number, such as FR40303265045")
_IBAN = ("an IBAN", "its electronic form, no spaces, with right check digits")
_BIC = ("a BIC", "8 or 11 characters")
_COUNTRY_CODE = ("a country code", "ISO 3166-1 alpha-2, such as FR")
_NAME = (
    "an AS2 name",
    f"1 to {AS2_NAME_CHARACTERS_MAX} printable ASCII characters without quotes and backslashes (RFC 4130 §6.2)",
)
_URL = ("a URL that can be posted to", "an absolute http or https URL without user, password and fragment")

DatabaseUrl = Annotated[str, _passing(_is_database_url, *_DATABASE), _like("^(sqlite|postgresql).*://.*$")]
Gln = Annotated[str, _passing(identifiers.is_gln, *_GLN), _like("^[0-9]{13}$")]
OptionalGln = Annotated[str, _passing(_or_empty(identifiers.is_gln), *_GLN), _like("^([0-9]{13})?$")]
OptionalSiren = Annotated[str, _passing(_or_empty(identifiers.is_siren), *_SIREN), _like("^([0-9]{9})?$")]
OptionalVatNumber = Annotated[
    str, _passing(_or_empty(identifiers.is_vat_number), *_VAT_NUMBER), _like("^([A-Z]{2}[0-9A-Z]{2,13})?$")
]
OptionalIban = Annotated[
    str, _passing(_or_empty(identifiers.is_iban), *_IBAN), _like("^([A-Z]{2}[0-9]{2}[0-9A-Z]{11,30})?$")
]
OptionalBic = Annotated[str, _passing(_or_empty(identifiers.is_bic), *_BIC), _like("^([0-9A-Z]{8}([0-9A-Z]{3})?)?$")]
Country = Annotated[str, _passing(_is_country, *_COUNTRY_CODE), _like("^[A-Z]{2}$")]
As2Name = Annotated[str, _passing(_is_as2_name, *_NAME), _like("^[ -~]{1,128}$")]
OptionalAs2Name = Annotated[str, _passing(_or_empty(_is_as2_name), *_NAME), _like("^[ -~]{0,128}$")]
HttpUrl = Annotated[str, _passing(_is_http_url, *_URL), _like("^https?://[^/?#@]+([/?][^#]*)?$")]
OptionalHttpUrl = Annotated[str, _passing(_or_empty(_is_http_url), *_URL), _like("^(https?://[^/?#@]+([/?][^#]*)?)?$")]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,9}[smhd]$", "examples": ["90s", "15m", "24h"]}),
]
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Amount = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(ge=0, max_digits=15),
    AfterValidator(_plain),
    WithJsonSchema({"type": "number", "minimum": 0}),
]
