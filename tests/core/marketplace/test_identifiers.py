"""Identifiers: the check digits of GS1, the SSCC range, and the national numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.marketplace import identifiers
from edi_gateway.marketplace.identifiers import (
    SSCC_RANGE_MAX,
    SsccRangeRefused,
    expand_sscc_range,
    gs1_check_digit,
    is_bic,
    is_gln,
    is_gtin,
    is_iban,
    is_siren,
    is_siret,
    is_sscc,
    is_vat_number,
    siren_of_vat_number,
    with_check_digit,
)


@pytest.mark.parametrize("gln", ["5450534000000", "5450534000024", "5450534005821", "5412345000013", "4012345500004"])
def test_gln_good(gln):
    assert is_gln(gln)


@pytest.mark.parametrize("gln", ["5450534000001", "545053400002", "54505340000240", "545053400002A", "５450534000000"])
def test_gln_bad(gln):
    assert not is_gln(gln)


@pytest.mark.parametrize("gtin", ["3760123450010", "3760123450027", "96385074", "036000291452", "10614141000415"])
def test_gtin_good(gtin):
    assert is_gtin(gtin)


@pytest.mark.parametrize("gtin", ["3760123450011", "376012345", "", "abc"])
def test_gtin_bad(gtin):
    assert not is_gtin(gtin)


def test_the_sscc_of_a_published_sample_has_a_wrong_check_digit():
    assert is_sscc("354123450000000014")
    assert not is_sscc("354123450000000015")


def test_sscc_range_recomputes_each_check_digit():
    # EANCOM 1997, GIN: the example of the manual names exactly ten packages.
    got = expand_sscc_range("354123450000000014", "354123450000000106")
    assert [sscc[-3:] for sscc in got] == ["014", "021", "038", "045", "052", "069", "076", "083", "090", "106"]


def test_sscc_range_of_one():
    assert expand_sscc_range("354123450000000014", "354123450000000014") == ("354123450000000014",)


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("354123450000000015", "354123450000000106", "is not an SSCC"),
        ("354123450000000014", "rubbish", "is not an SSCC"),
        ("354123450000000106", "354123450000000014", "before it starts"),
    ],
)
def test_sscc_range_refused(first, last, why):
    with pytest.raises(SsccRangeRefused, match=why):
        expand_sscc_range(first, last)


def test_sscc_range_bound_on_both_sides():
    first = 37601234500000000
    sscc = with_check_digit(str(first))
    assert len(expand_sscc_range(sscc, with_check_digit(str(first + SSCC_RANGE_MAX - 1)))) == SSCC_RANGE_MAX
    with pytest.raises(SsccRangeRefused, match="more than"):
        expand_sscc_range(sscc, with_check_digit(str(first + SSCC_RANGE_MAX)))


@settings(deadline=None, max_examples=100)
@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 17), st.integers(1, 9))
def test_one_altered_digit_is_always_seen(body, place, by):
    sscc = with_check_digit(body)
    altered = sscc[:place] + str((int(sscc[place]) + by) % 10) + sscc[place + 1 :]
    assert is_sscc(sscc)
    assert not is_sscc(altered)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=20))
def test_no_text_makes_a_predicate_raise(text):
    for name in ("is_gln", "is_gtin", "is_sscc", "is_siren", "is_siret", "is_vat_number", "is_iban", "is_bic"):
        assert getattr(identifiers, name)(text) in (True, False)


def test_check_digit_of_letters_is_refused():
    with pytest.raises(ValueError, match="digits only"):
        gs1_check_digit("54A")


def test_national_numbers():
    assert is_siren("123456782")
    assert not is_siren("123456789")
    assert is_siret("73282932000074")
    assert not is_siret("73282932000075")
    assert is_vat_number("FR11123456782")
    assert not is_vat_number("FR12123456782")
    assert not is_vat_number("11123456782")
    assert is_iban("FR1420041010050500013M02606")
    assert not is_iban("FR1420041010050500013M02607")
    assert not is_iban("FR14 2004 1010 0505 0001 3M02 606")
    assert is_bic("AGRIFRPP882")
    assert not is_bic("AGRIFR")


def test_siren_within_a_vat_number():
    assert siren_of_vat_number("FR11123456782") == "123456782"
    assert siren_of_vat_number("BE0697449992") is None


@pytest.mark.parametrize("siren", ["123456782", "552100554", "404833048", "000000000", "123456789", "732829320"])
def test_a_french_vat_number_is_judged_as_the_library_judges_it(siren):
    from stdnum.eu import vat

    for key in range(100):
        value = f"FR{key:02d}{siren}"
        assert is_vat_number(value) is vat.is_valid(value)
