"""The grammar of header values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.as2.fields import (
    AS2_NAME_LENGTH_MAX,
    FILENAME_BYTES_MAX,
    MESSAGE_ID_LENGTH_MAX,
    FieldMalformed,
    Parameterised,
    check_message_id,
    decoded_words,
    has_control_character,
    parse_as2_name,
    received_filename,
    render_as2_name,
    render_filename,
    safe_filename,
    unfolded,
)

NAMES = [
    ("MARKETPLACE", "MARKETPLACE"),
    ("4012345000009", "4012345000009"),
    ("a-b_c.d@e!#", "a-b_c.d@e!#"),
    ("The Vendor", '"The Vendor"'),
    ('with "quotes"', '"with \\"quotes\\""'),
    ("back\\slash", '"back\\\\slash"'),
    ("x" * AS2_NAME_LENGTH_MAX, "x" * AS2_NAME_LENGTH_MAX),
]


@pytest.mark.parametrize(("name", "value"), NAMES)
def test_011_names_are_written_and_read_with_their_quotes(name, value):
    """RFC 4130 §6.2."""
    assert render_as2_name(name) == value
    assert parse_as2_name(value) == name


@pytest.mark.parametrize(
    "value",
    [
        "",
        '""',
        "x" * (AS2_NAME_LENGTH_MAX + 1),
        '"' + "x" * (AS2_NAME_LENGTH_MAX + 1) + '"',
        '"not closed',
        '"quote " inside"',
        '"ends in a backslash\\"',
        'a"b',
        "a\\b",
        "caf\u00e9",
        "a\tb",
        "a\x00b",
    ],
)
def test_011_what_is_no_name_is_refused(value):
    with pytest.raises(FieldMalformed):
        parse_as2_name(value)


@pytest.mark.parametrize("name", ["", "x" * 129, "caf\u00e9", "two\r\nlines"])
def test_011_a_name_that_cannot_be_sent_is_refused(name):
    with pytest.raises(FieldMalformed):
        render_as2_name(name)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=AS2_NAME_LENGTH_MAX))
@settings(deadline=None, max_examples=200)
def test_011_every_name_survives(name):
    # Blank space at the ends is inside of the quotes, so it stays.
    assert parse_as2_name(render_as2_name(name)) == name


def test_012_names_keep_their_case():
    assert parse_as2_name("Vendor") != parse_as2_name("VENDOR")


@pytest.mark.parametrize(
    "value", ["<1@gateway.example>", "no-brackets@x", "<a>", "<" + "x" * (MESSAGE_ID_LENGTH_MAX - 2) + ">"]
)
def test_014_015_usable_message_ids(value):
    """Draft rfc4130bis §5.3.3; missing brackets are not rejected."""
    check_message_id(value)


@pytest.mark.parametrize(
    "value",
    ["", "<>", "<a b@c>", "<a\tb>", "<a\r\nX: y>", "<\u00e9@x>", "<" + "x" * (MESSAGE_ID_LENGTH_MAX - 1) + ">"],
)
def test_014_malformed_message_ids_are_refused(value):
    with pytest.raises(FieldMalformed):
        check_message_id(value)


@pytest.mark.parametrize(
    ("value", "main", "parameters"),
    [
        ("application/edifact", "application/edifact", {}),
        ("Application/EDIFACT;Charset=UTF-8", "application/edifact", {"charset": "UTF-8"}),
        (
            'multipart/signed; boundary="a;b=\\"c"; micalg = sha1 ;',
            "multipart/signed",
            {"boundary": 'a;b="c', "micalg": "sha1"},
        ),
        ("a/b; n*0=one; n*1=two", "a/b", {"n": "onetwo"}),
        ("a/b; n*=UTF-8'en'caf%C3%A9", "a/b", {"n": "caf\u00e9"}),
        ("a/b; n*0*=UTF-8''caf%C3%A9; n*1=' noir'", "a/b", {"n": "caf\u00e9' noir'"}),
        ("a/b; n=plain; n*=UTF-8''extended", "a/b", {"n": "extended"}),
        ("a/b; n=first; n=second", "a/b", {"n": "first"}),
        ("", "", {}),
        (";;;=;", "", {"": ""}),
    ],
)
def test_parameters_are_read_in_every_form(value, main, parameters):
    """RFC 2045 §5.1, RFC 2231 §3 and §4."""
    read = Parameterised.parse(value)
    assert (read.main, dict(read.parameters)) == (main, parameters)


@given(st.text(max_size=300))
@settings(deadline=None, max_examples=200)
def test_no_value_breaks_the_reader(value):
    Parameterised.parse(value)
    decoded_words(value)
    assert len(safe_filename(received_filename(value, value)).encode()) <= FILENAME_BYTES_MAX


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?caf=C3=A9_noir?=", "caf\u00e9 noir"),
        ("=?ISO-8859-1?B?Y2Fm6Q==?=", "caf\u00e9"),
        ("=?utf-8?b?Y2Fmw6k=?= =?utf-8?b?IG5vaXI=?=", "caf\u00e9 noir"),
        ("=?utf-8*fr?q?caf=C3=A9?= au lait", "caf\u00e9 au lait"),
        ("=?unknown?q?caf=E9?=", "caf\u00e9"),
        ("=?utf-8?x?what?=", "=?utf-8?x?what?="),
    ],
)
def test_encoded_words_are_read(value, text):
    """RFC 2047."""
    assert decoded_words(value) == text


@pytest.mark.parametrize(
    ("disposition", "content_type", "name"),
    [
        ('attachment; filename="orders.edi"', "", "orders.edi"),
        ("attachment; filename=orders.edi", "", "orders.edi"),
        ("", 'application/edifact; name="orders.edi"', "orders.edi"),
        ("attachment; filename*=UTF-8''caf%C3%A9.edi", "", "caf\u00e9.edi"),
        ('attachment; filename="=?utf-8?q?caf=C3=A9.edi?="', "", "caf\u00e9.edi"),
        ('attachment; filename="caf\u00c3\u00a9.edi"', "", "caf\u00e9.edi"),
        ('attachment; filename="a\x85b"', "", "ab"),
        ("attachment", "application/edifact", ""),
    ],
)
def test_file_names_are_read_in_every_form(disposition, content_type, name):
    assert received_filename(disposition, content_type) == name


@pytest.mark.parametrize(
    ("received", "safe"),
    [
        ("orders.edi", "orders.edi"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system32\\config", "config"),
        ("/absolute/path.edi", "path.edi"),
        ("C:\\autorun.inf", "autorun.inf"),
        ("..", ""),
        ("...", ""),
        (".bashrc", "bashrc"),
        ("a\x00b.edi", "a_b.edi"),
        ("CON", "_CON"),
        ("con.edi", "_con.edi"),
        ("lpt1", "_lpt1"),
        ('a:b|c?d*e<f>g"h.edi', "a_b_c_d_e_f_g_h.edi"),
        ("$(reboot).edi", "_(reboot).edi"),
        ("`id`;rm -rf.edi", "_id__rm -rf.edi"),
        ("\u202egnp.edi", "_gnp.edi"),
        ("cafe\u0301.edi", "caf\u00e9.edi"),
        ("trailing. ", "trailing"),
        ("", ""),
        ("///", ""),
    ],
)
def test_125_a_file_name_is_never_a_path(received, safe):
    """OpenAS2 was overwritten through `../` (2020); a name is data for display and download."""
    assert safe_filename(received) == safe


def test_125_a_long_file_name_keeps_its_extension():
    name = safe_filename("\u00e9" * 400 + ".edi")
    assert name.endswith(".edi")
    assert len(name.encode()) <= FILENAME_BYTES_MAX
    assert len(safe_filename("x." + "y" * 400).encode()) <= FILENAME_BYTES_MAX


@pytest.mark.parametrize("name", ["orders.edi", 'say "hello".edi', "caf\u00e9 \u20ac.edi"])
def test_file_names_are_written_and_read(name):
    assert received_filename(f"attachment; {render_filename(name)}") == name


@pytest.mark.parametrize(
    ("value", "text"), [("a\r\n b", "a b"), ("a\n\tb", "a\tb"), ("a", "a"), ("a\r\nb", "a\r\nb"), ("a\rb", "a\rb")]
)
def test_013_folds_are_undone_and_nothing_else(value, text):
    assert unfolded(value) == text


@pytest.mark.parametrize(
    ("value", "found"),
    [("a\tb", False), ("caf\u00c3\u00a9", False), ("a\rb", True), ("a\nb", True), ("\x00", True), ("\x7f", True)],
)
def test_control_characters_are_found(value, found):
    assert has_control_character(value) is found
