"""Identifiers of companies, articles, packages and accounts: pure predicates, and the SSCC range.

GS1 keys (GLN, GTIN, SSCC) are checked here, by the mod-10 rule of the GS1 General Specifications
§7.9: weights 3, 1, 3, ... from the rightmost data digit. SIREN, SIRET, VAT, IBAN and BIC are
`python-stdnum`'s, imported when first asked for, because the command line must start fast.

Every predicate takes the identifier in its electronic form: no spaces, no separators.
"""

from __future__ import annotations

import re
from importlib import import_module

GTIN_LENGTHS = (8, 12, 13, 14)
SSCC_RANGE_MAX = 10_000
"""How many SSCCs one `GIN+BJ+from:to` may name. A full truck holds some hundred packages."""

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_ELECTRONIC = re.compile(r"[0-9A-Z]+", re.ASCII)
_FRENCH = re.compile(r"FR[0-9]{11}", re.ASCII)
_GLN_LENGTH = 13
_SSCC_LENGTH = 18


class SsccRangeRefused(ValueError):
    """A range of SSCCs that names no packages: which bound is wrong, and why."""


def gs1_check_digit(body: str) -> str:
    """The check digit of a GS1 key without its last digit. `body` must be ASCII digits.

    >>> gs1_check_digit("541234500001")
    '3'
    """
    if not _DIGITS.fullmatch(body):
        raise ValueError(f"a GS1 key is digits only, not {body!r}")
    total = sum(int(digit) * (3 if index % 2 == 0 else 1) for index, digit in enumerate(reversed(body)))
    return str(-total % 10)


def with_check_digit(body: str) -> str:
    """The whole key: the body and its check digit."""
    return body + gs1_check_digit(body)


def is_gln(value: str) -> bool:
    """Whether this is a Global Location Number: 13 digits, the last one right."""
    return _is_gs1_key(value, (_GLN_LENGTH,))


def is_gtin(value: str) -> bool:
    """Whether this is a GTIN-8, -12, -13 or -14 with a right check digit."""
    return _is_gs1_key(value, GTIN_LENGTHS)


def is_sscc(value: str) -> bool:
    """Whether this is a Serial Shipping Container Code: 18 digits, the last one right."""
    return _is_gs1_key(value, (_SSCC_LENGTH,))


def expand_sscc_range(first: str, last: str) -> tuple[str, ...]:
    """All SSCCs that `GIN+BJ+first:last` names, both bounds included (EANCOM 1997, GIN).

    The range counts on the 17-digit body; each check digit is computed anew. Raises SsccRangeRefused
    where a bound is no SSCC, the bounds stand the wrong way round, or more than SSCC_RANGE_MAX are named.
    """
    for bound in (first, last):
        if not is_sscc(bound):
            raise SsccRangeRefused(f"{bound!r} is not an SSCC: 18 digits with a right check digit expected")
    start, end = int(first[:-1]), int(last[:-1])
    if end < start:
        raise SsccRangeRefused(f"the range ends at {last}, before it starts at {first}")
    if end - start + 1 > SSCC_RANGE_MAX:
        raise SsccRangeRefused(f"the range {first} to {last} names more than {SSCC_RANGE_MAX} packages")
    width = _SSCC_LENGTH - 1
    return tuple(with_check_digit(str(body).zfill(width)) for body in range(start, end + 1))


def is_siren(value: str) -> bool:
    """Whether this is a French company number (SIREN, 9 digits, Luhn)."""
    return _is_standard("stdnum.fr.siren", value)


def is_siret(value: str) -> bool:
    """Whether this is a French establishment number (SIRET, 14 digits)."""
    return _is_standard("stdnum.fr.siret", value)


def is_vat_number(value: str) -> bool:
    """Whether this is a VAT number of a member state of the European Union, with its country prefix."""
    if _is_usual_in_france(value):
        return True
    return value[:2].isalpha() and _is_standard("stdnum.eu.vat", value)


def _is_usual_in_france(value: str) -> bool:
    """A French number with a key of digits, as nearly all are: judged here, because the library is slow to import.

    The key is the SIREN times 100 plus 12, modulo 97 (CGI, annex; the other keys are the library's to judge), and
    the SIREN ends in the check digit of Luhn.
    """
    if not _FRENCH.fullmatch(value):
        return False
    siren = value[4:]
    doubled = (2 * int(digit) for digit in siren[-2::-2])
    luhn = sum(map(int, siren[::-2])) + sum(number // 10 + number % 10 for number in doubled)
    return luhn % 10 == 0 and int(siren + "12") % 97 == int(value[2:4])


def is_iban(value: str) -> bool:
    """Whether this is an IBAN (ISO 13616), electronic form."""
    return _is_standard("stdnum.iban", value)


def is_bic(value: str) -> bool:
    """Whether this is a BIC (ISO 9362), 8 or 11 characters."""
    return _is_standard("stdnum.bic", value)


def siren_of_vat_number(value: str) -> str | None:
    """The SIREN within a French VAT number, or None for any other."""
    if value.startswith("FR") and is_vat_number(value) and is_siren(value[4:]):
        return value[4:]
    return None


def _is_gs1_key(value: str, lengths: tuple[int, ...]) -> bool:
    if len(value) not in lengths or not (value.isascii() and value.isdigit()):
        return False
    # A key is right when its digits, weighed 1, 3, 1, ... from the right, add up to a multiple of ten. Summed as
    # bytes, in C: every line of every message comes here. 48 is the byte of the digit 0.
    digits = value.encode("ascii")
    ones, threes = digits[-1::-2], digits[-2::-2]
    return (sum(ones) + 3 * sum(threes) - 48 * (len(ones) + 3 * len(threes))) % 10 == 0


def _is_standard(module: str, value: str) -> bool:
    # stdnum forgives separators; an interchange does not.
    return bool(_ELECTRONIC.fullmatch(value)) and bool(import_module(module).is_valid(value))
