"""What real files do: one test a quirk. The reader goes on wherever anything can be made out, and says what it did."""

from __future__ import annotations

import pytest

from edi_gateway.edifact.reader import ReaderLimits
from tests.core.edifact.readings import BODY, ORDER, UNB, UNH, codes, order, read_file, read_order

BGM = 1  # index of the segment behind UNH


def number_of(data: bytes | str) -> str:
    """The order number (BGM 1004) of the only message."""
    return read_order(data).segments[BGM].get(2)


# Between segments


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\r\n\r\n", "  \r\n", "\n\t\n"])
def test_line_ends_and_blanks_between_segments_are_skipped_and_not_counted(line_end: str) -> None:
    message = read_order(ORDER.replace("'", "'" + line_end))
    assert [segment.tag for segment in message.segments] == ["UNH", "BGM", "DTM", "UNT"]
    assert message.findings == []


def test_line_ends_of_different_styles_in_one_file() -> None:
    assert read_order(ORDER.replace("+9'", "+9'\r\n").replace("102'", "102'\n")).findings == []


def test_a_blank_before_a_tag_is_skipped_with_a_warning() -> None:
    message = read_order(ORDER.replace("BGM", " BGM"))
    assert message.segments[BGM].tag == "BGM"
    assert codes(message.findings) == ["S234"]


def test_a_tag_in_lower_case_is_read_as_capitals_with_a_warning() -> None:
    message = read_order(ORDER.replace("BGM", "bgm"))
    assert message.segments[BGM].tag == message.segments[BGM].elements[0][0] == "BGM"
    assert codes(message.findings) == ["S233"]
    assert message.findings[0].value == "bgm"


def test_envelope_tags_in_lower_case_are_understood() -> None:
    file = read_file(ORDER.replace("UN", "un"))
    assert [message.header.type for message in file.interchanges[0].messages] == ["ORDERS"]


def test_an_empty_segment_is_skipped_and_not_counted() -> None:
    message = read_order(ORDER.replace("+9'", "+9''"))
    assert codes(message.findings) == ["S232"]
    assert [segment.position for segment in message.segments] == [1, 2, 3, 4]


def test_a_tag_without_data_is_a_segment() -> None:
    assert read_order(order("BGM+220+PO1+9'UNS'")).segments[2].elements == [["UNS"]]


# Line breaks inside segments


def test_a_line_break_inside_data_is_data_with_a_warning() -> None:
    message = read_order(ORDER.replace("PO1", "PO\n1"))
    assert message.segments[BGM].get(2) == "PO\n1"
    assert codes(message.findings) == ["S221"]
    assert (message.findings[0].element, message.findings[0].component) == (3, 1)


def test_a_line_break_before_the_terminator_belongs_to_the_text() -> None:
    assert read_order(ORDER.replace("+9'", "+9\n'")).segments[BGM].get(3) == "9\n"


@pytest.mark.parametrize("width", [20, 40, 72, 80, 128])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_a_hard_wrapped_file_is_unwrapped(width: int, line_end: str) -> None:
    body = BODY + "FTX+AAI+++Sonner ?: deux fois, puis attendre à la porte du quai 7'" * 8 + "FTX+PUR+++fin'"
    text = order(body)
    wrapped = line_end.join(text[begin : begin + width] for begin in range(0, len(text), width))
    file = read_file(wrapped)
    assert file.interchanges[0].codes == ["S215"]
    assert [segment.elements for segment in file.interchanges[0].messages[0].segments] == [
        segment.elements for segment in read_order(text).segments
    ]


def test_a_file_wrapped_between_release_and_released_terminator_is_unwrapped() -> None:
    text = order("BGM+220+PO1+9'" + "FTX+AAI+++L?'entrée'" * 6)
    width = text.index("?'entrée") + 1
    wrapped = "\n".join(text[begin : begin + width] for begin in range(0, len(text), width))
    assert read_order(wrapped).segments[2].get(4) == "L'entrée"


def test_one_break_at_column_80_is_a_wrapped_file() -> None:
    text = order(una="UNA:+.? '")
    assert read_file(f"{text[:80]}\n{text[80:]}").interchanges[0].codes == ["S215"]


def test_texts_of_several_lines_do_not_make_a_wrapped_file() -> None:
    text = order("BGM+220+PO1+9'FTX+AAI+++" + "\n".join(["une ligne de texte"] * 9) + "'", una="UNA:+.? '\n")
    assert codes(read_order(text).findings) == ["S221"]


# Service characters


@pytest.mark.parametrize("una", ["UNA:+.? '", "UNA:+,? '", "UNA:+.?*'", "UNA:+.\\*'", "UNA:+./*'"])
def test_a_usual_service_string_advice_is_honoured(una: str) -> None:
    text = order(una=una)
    file = read_file(text)
    assert file.interchanges[0].started.una == una
    assert file.interchanges[0].codes == []
    assert len(file.interchanges[0].messages) == 1


def test_odd_but_legal_separators_are_honoured() -> None:
    una = "UNA*@.? #"
    text = una + ORDER.replace(":", "*").replace("+", "@").replace("'", "#")
    assert number_of(text) == "PO1"


@pytest.mark.parametrize("gap", ["\r\n", "\n", " ", "\r\n\r\n"])
def test_a_line_end_between_una_and_unb_is_skipped(gap: str) -> None:
    file = read_file(order(una="UNA:+.? '" + gap))
    assert file.codes == file.interchanges[0].codes == []


def test_una4_blank_means_no_release_character() -> None:
    text = order("BGM+220+PO1??+9'", una="UNA:+.  '")
    assert read_order(text).segments[BGM].elements == [["BGM"], ["220"], ["PO1??"], ["9"]]


def test_una5_asterisk_before_syntax_4_leaves_the_asterisk_data() -> None:
    message = read_order(order("BGM+220+5*5+9'", una="UNA:+.?*'"))
    assert message.segments[BGM].get(2) == "5*5"
    assert message.segments[BGM].repeats is None


UNB_4 = UNB.replace("UNOC:3", "UNOC:4").replace("261122", "20261122")


def test_una5_asterisk_in_syntax_4_separates_repetitions() -> None:
    message = read_order(order("RFF+ON:1*CT:2'", una="UNA:+.?*'", unb=UNB_4))
    assert message.segments[1].elements == [["RFF"], ["ON", "1"]]
    assert message.segments[1].repeats == {1: [["CT", "2"]]}


def test_without_una_the_asterisk_separates_in_syntax_4() -> None:
    assert read_order(order("RFF+ON:1*CT:2'", unb=UNB_4)).segments[1].repeats == {1: [["CT", "2"]]}


def test_una5_blank_in_syntax_4_means_no_repetition() -> None:
    message = read_order(order("RFF+ON:5*5'", una="UNA:+.? '", unb=UNB_4))
    assert message.segments[1].get(1, 2) == "5*5"


def test_a_partner_that_declares_repetition_and_means_data() -> None:
    (interchange,) = read_file(order("RFF+ON:5*5'", una="UNA:+.?*'", unb=UNB_4), repetition=False).interchanges
    assert interchange.messages[0].segments[1].get(1, 2) == "5*5"


def test_a_released_repetition_separator_is_data() -> None:
    message = read_order(order("RFF+ON:5?*5*CT:2'", una="UNA:+.?*'", unb=UNB_4))
    assert message.segments[1].get(1, 2) == "5*5"
    assert message.segments[1].repeats == {1: [["CT", "2"]]}


def test_without_una_the_byte_behind_unb_says_level_b() -> None:
    text = ORDER.replace("UNOC", "UNOB").replace("PO1", "PO+1:?").translate({43: 29, 58: 31, 39: 28})
    data = text.replace("PO\x1d1\x1f?", "PO+1:?").encode("ascii")
    assert number_of(data) == "PO+1:?"


@pytest.mark.parametrize(
    ("una", "code", "contrl"),
    [
        ("UNA:A.? '", "S211", "20"),
        ("UNA:1.? '", "S211", "20"),
        ("UNA++.? '", "S212", "22"),
        ("UNA:+.+ '", "S212", "22"),
        ("UNA:+.?  ", "S213", "20"),
    ],
)
def test_separators_that_cannot_work_are_refused(una: str, code: str, contrl: str) -> None:
    """ISO 9735 annex B; 0085 = 20 or 22. UNB is read all the same, so that there is somebody to tell."""
    file = read_file(una + ORDER.replace("UNB+", "UNB" + una[4], 1))
    finding = file.interchanges[0].ended.findings[0]
    assert (finding.code, finding.contrl, finding.segment, finding.is_error) == (code, contrl, "UNA", True)


def test_a_line_feed_that_una_declares_terminates() -> None:
    file = read_file(ORDER.replace("'", "\n").replace("UNB", "UNA:+.? \nUNB", 1))
    assert len(file.interchanges[0].messages) == 1
    assert file.interchanges[0].codes == []


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_line_feed_in_place_of_the_terminator_is_recognised(line_end: str) -> None:
    file = read_file(ORDER.replace("'", line_end))
    assert file.interchanges[0].codes == ["S214"]
    assert [segment.tag for segment in file.interchanges[0].messages[0].segments] == ["UNH", "BGM", "DTM", "UNT"]


@pytest.mark.parametrize("quote", ["’".encode(), "’".encode("cp1252")])
def test_typographic_quotes_as_terminators_are_named_with_their_place(quote: bytes) -> None:
    data = ORDER.encode().replace(b"'", quote)
    file = read_file(data)
    assert file.interchanges == []
    assert file.codes == ["S207"]
    assert file.findings[0].offset == len(UNB) - 1


# Around the interchanges


def test_a_byte_order_mark_is_skipped_with_a_warning() -> None:
    file = read_file(b"\xef\xbb\xbf" + ORDER.encode())
    assert file.codes == ["S205"]
    assert file.interchanges[0].started.segment.offset == 3


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_transcoded_with_a_warning(codec: str) -> None:
    data = order("BGM+220+Größe 漢 😀+9'").encode(codec)
    file = read_file(data)
    assert file.codes == ["S206"]
    message = file.interchanges[0].messages[0]
    assert message.segments[BGM].get(2) == "Größe 漢 😀"
    assert message.findings == []
    begin = data.index("UNH".encode("utf-16-be" if codec.endswith("be") else "utf-16-le"))
    assert message.segments[0].offset == begin


def test_junk_before_the_interchange_is_skipped_and_its_bytes_reported() -> None:
    file = read_file("DOC+01=x'" + order(una="UNA:+.? '"))
    assert file.codes == ["S203"]
    assert (file.findings[0].offset, file.findings[0].expected) == (0, "9")
    assert file.interchanges[0].started.una == "UNA:+.? '"


def test_mail_headers_before_the_interchange_are_skipped() -> None:
    assert read_file("From: a@example.org\r\nSubject: UNB and more\r\n\r\n" + ORDER).codes == ["S203"]


def test_junk_ends_the_search_after_four_kilobytes() -> None:
    assert read_file("x" * 4096 + ORDER).codes == ["S203"]
    assert read_file("x" * 4097 + ORDER).codes == ["S202"]


@pytest.mark.parametrize("fill", ["\r\n", "   ", "\n\n \t"])
def test_blanks_after_the_interchange_mean_nothing(fill: str) -> None:
    assert read_file(ORDER + fill).codes == []


@pytest.mark.parametrize("fill", ["\x1a", "\r\n\x1a", "\x00\x00\x00", "rubbish", "\n\n-- \nSent by mail"])
def test_what_else_follows_the_interchange_is_a_warning(fill: str) -> None:
    file = read_file(ORDER + fill)
    assert file.codes == ["S204"]
    assert file.interchanges[0].codes == []


def test_several_interchanges_each_with_separators_of_its_own() -> None:
    other = "UNA;*,_ #" + ORDER.replace("+", "*").replace(":", ";").replace("'", "#").replace("REF1", "REF2")
    file = read_file(order(una="UNA:+.? '") + "\r\n" + other + ORDER)
    assert [interchange.started.separators.terminator for interchange in file.interchanges] == ["'", "#", "'"]
    assert [interchange.codes for interchange in file.interchanges] == [[], [], []]


def test_an_interchange_without_end_before_the_next_one() -> None:
    first, second = read_file(UNB + ORDER).interchanges
    assert first.codes == ["S261"]
    assert second.codes == []
    assert len(second.messages) == 1


def test_an_interchange_without_end_before_the_una_of_the_next_one() -> None:
    first, second = read_file(UNB + UNH + BODY + "UNA:+.? '" + ORDER).interchanges
    assert first.codes == ["S261"]
    assert codes(first.messages[0].findings) == ["S241"]
    assert second.codes == []


def test_an_empty_file_is_said_to_be_empty() -> None:
    assert read_file(b"").codes == read_file(b" \r\n").codes == ["S201"]


def test_x12_is_no_edifact() -> None:
    file = read_file("ISA*00*          *00*          *ZZ*A              *ZZ*B~")
    assert file.codes == ["S202"]
    assert "ISA" in (file.findings[0].value or "")


@pytest.mark.parametrize("tag", ["UBN", "UNC"])
def test_what_is_not_unb_behind_una_is_no_interchange(tag: str) -> None:
    assert read_file("UNA:+.? '" + ORDER.replace("UNB", tag)).codes == ["S202"]


@pytest.mark.parametrize("una", ["", "UNA:+.? '", "UNA:+.? '\n"])
def test_messages_without_an_interchange_are_read_and_the_missing_header_is_said(una: str) -> None:
    bare = ORDER.removeprefix(UNB).removesuffix("UNZ+1+REF1'")
    (interchange,) = read_file(una + bare).interchanges
    assert interchange.codes == ["S269"]
    assert interchange.messages[0].findings == []
    assert interchange.messages[0].segments[0].offset == len(una)
    assert interchange.started.header.sender.identifier == ""


def test_messages_behind_the_end_of_their_interchange_are_read_too() -> None:
    first, second = read_file(ORDER + UNH + BODY + "UNT+4+1'").interchanges
    assert (first.codes, second.codes) == ([], ["S269"])


# The end of the file


def test_the_last_terminator_may_be_missing_with_a_warning() -> None:
    file = read_file(ORDER[:-1])
    assert file.interchanges[0].codes == ["S231"]
    assert not file.interchanges[0].ended.findings[0].is_error


def test_a_file_cut_inside_a_segment() -> None:
    (interchange,) = read_file(ORDER[: ORDER.index(":102")]).interchanges
    assert codes(interchange.messages[0].findings) == ["S236", "S241"]
    assert interchange.codes == ["S261"]


def test_a_file_cut_behind_a_release_character() -> None:
    (interchange,) = read_file(UNB + UNH + "BGM+220+PO1?").interchanges
    assert codes(interchange.messages[0].findings) == ["S227", "S236", "S241"]
    assert interchange.messages[0].findings[0].contrl == "22"


def test_a_file_cut_inside_unb() -> None:
    (interchange,) = read_file(UNB[:20]).interchanges
    assert "S236" in interchange.codes
    assert "S261" in interchange.codes


# Releases


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("PO?+9", "PO+9"),
        ("PO?:9", "PO:9"),
        ("PO?'9", "PO'9"),
        ("PO??", "PO?"),
        ("PO???'9", "PO?'9"),
        ("PO????", "PO??"),
        ("?'?'?'", "'''"),
        ("?+??", "+?"),
    ],
)
def test_releases_restore_the_character_behind_them(written: str, read: str) -> None:
    message = read_order(order(f"BGM+220+{written}+9'DTM+137:20261122:102'", segments=4))
    assert message.segments[BGM].elements == [["BGM"], ["220"], [read], ["9"]]
    assert message.findings == []


def test_the_parity_of_a_run_decides_whether_a_terminator_is_data() -> None:
    assert number_of(order("BGM+220+PO??'")) == "PO?"
    assert number_of(order("BGM+220+PO???'x'", segments=3)) == "PO?'x"


def test_a_released_character_without_meaning_is_kept_without_its_release() -> None:
    message = read_order(ORDER.replace("PO1", "P?O1"))
    assert message.segments[BGM].get(2) == "PO1"
    assert codes(message.findings) == ["S226"]


def test_a_released_line_break_is_kept() -> None:
    message = read_order(ORDER.replace("PO1", "PO?\n1"))
    assert message.segments[BGM].get(2) == "PO\n1"
    assert codes(message.findings) == ["S221", "S226"]


# Character sets


def test_utf_8_under_unoc_is_recognised() -> None:
    message = read_order(ORDER.replace("PO1", "Straße é").encode())
    assert message.segments[BGM].get(2) == "Straße é"
    assert codes(message.findings) == ["S222"]


def test_windows_1252_under_unoc_is_recognised() -> None:
    message = read_order(ORDER.replace("PO1", "€ 5 – “q”").encode("cp1252"))
    assert message.segments[BGM].get(2) == "€ 5 – “q”"
    assert codes(message.findings) == ["S223"]


def test_unoc_as_declared_needs_no_word() -> None:
    assert read_order(ORDER.replace("PO1", "Müller n° 1")).findings == []


@pytest.mark.parametrize(
    ("identifier", "text", "codec"),
    [
        ("UNOD", "Żółć", "iso8859-2"),
        ("UNOE", "Привет", "iso8859-5"),
        ("UNOF", "Αθήνα", "iso8859-7"),
        ("UNOG", "Ĉirkaŭ", "iso8859-3"),
        ("UNOH", "ąčęė", "iso8859-4"),
        ("UNOI", "مرحبا", "iso8859-6"),
        ("UNOJ", "שלום", "iso8859-8"),
        ("UNOK", "İstanbul ğ", "iso8859-9"),
        ("UNOL", "12 €", "iso8859-15"),
        ("UNOW", "漢字 é", "utf-8"),
        ("UNOX", "漢字'+:かな", "iso2022_jp_2"),
        ("UNOY", "漢字 é Ж", "utf-8"),
        ("KECA", "한국어", "cp949"),
    ],
)
def test_the_declared_character_set_is_read(identifier: str, text: str, codec: str) -> None:
    released = text.replace("'", "?'").replace("+", "?+").replace(":", "?:")
    data = order(f"BGM+220+{released}+9'", segments=3).replace("UNOC", identifier).encode(codec)
    message = read_order(data)
    assert message.segments[BGM].get(2) == text
    assert message.findings == []


@pytest.mark.parametrize(
    ("identifier", "codec"),
    [
        ("UNOC", "utf-8"),
        ("UNOC", "cp1252"),
        ("UNOA", "latin-1"),
        ("UNOA", "utf-8"),
        ("UNOY", "utf-8"),
        ("UNOY", "cp1252"),
        ("UNOL", "iso8859-15"),
        ("UNOX", "utf-8"),
    ],
)
@pytest.mark.parametrize("line_end", ["", "\r\n"])
def test_offsets_count_bytes_whatever_the_characters_are(identifier: str, codec: str, line_end: str) -> None:
    body = "FTX+AAI+++5 € à l?'étage'" + "FTX+PUR+++café ?+ thé'" + "BGM+220'" + "FTX+AAI+++œuf'" * 3
    body = body.replace("€", "é").replace("œ", "æ") if codec == "latin-1" else body
    data = order(body, segments=8).replace("UNOC", identifier).replace("'", "'" + line_end).encode(codec)
    data = data.replace(b"?'" + line_end.encode(), b"?'")
    message = read_order(data)
    assert [segment.tag for segment in message.segments] == ["UNH", "FTX", "FTX", "BGM", "FTX", "FTX", "FTX", "UNT"]
    for segment in message.segments:
        assert data[segment.offset : segment.offset + 3].decode() == segment.tag


def test_separators_inside_the_two_byte_characters_of_iso_2022_are_no_separators() -> None:
    """In ISO-2022-JP the character 'ー' is 21 3C, and others hold 27, 2B and 3A: they cut nothing."""
    text = "".join(chr(code) for code in range(0x4E00, 0x4E80) if _in_jis(chr(code)))
    data = order(f"BGM+220+{text}+9'", segments=3).replace("UNOC", "UNOX").encode("iso2022_jp_2")
    assert any(byte in data.split(b"220")[1].split(b"\x1b(B")[0] for byte in b"+:'")
    assert number_of(data) == text


def _in_jis(character: str) -> bool:
    try:
        character.encode("iso2022_jp")
    except UnicodeEncodeError:
        return False
    return True


def test_bytes_that_the_declared_set_lacks_are_kept() -> None:
    message = read_order(ORDER.replace("UNOC", "UNOY").replace("PO1", "Müller"))
    assert message.segments[BGM].get(2) == "Müller"
    assert codes(message.findings) == ["S225"]


@pytest.mark.parametrize(("identifier", "text"), [("UNOA", "lower case"), ("UNOA", "A_B@C"), ("UNOB", "Müller")])
def test_characters_outside_levels_a_and_b_are_a_warning(identifier: str, text: str) -> None:
    message = read_order(ORDER.replace("UNOC", identifier).replace("PO1", text))
    assert message.segments[BGM].get(2) == text
    assert codes(message.findings) == ["S224"]
    assert not message.findings[0].is_error


def test_a_control_character_in_data_is_a_warning() -> None:
    message = read_order(ORDER.replace("PO1", "PO\x001"))
    assert message.segments[BGM].get(2) == "PO\x001"
    assert codes(message.findings) == ["S224"]


def test_a_habit_of_the_sender_is_said_once_a_message() -> None:
    one = UNH + BODY.replace("PO1", "é") * 3 + "UNT+8+1'"
    two = one.replace("UNH+1", "UNH+2").replace("+1'", "+2'")
    (interchange,) = read_file((UNB + one + two + "UNZ+2+REF1'").encode()).interchanges
    assert [codes(message.findings) for message in interchange.messages] == [["S222"], ["S222"]]


def test_an_unknown_syntax_identifier_is_refused_and_read_all_the_same() -> None:
    (interchange,) = read_file(ORDER.replace("UNOC", "UNOZ")).interchanges
    finding = interchange.ended.findings[0]
    assert (finding.code, finding.contrl, finding.segment, finding.element) == ("S267", "2", "UNB", 2)
    assert len(interchange.messages) == 1


def test_an_unknown_syntax_version_is_refused() -> None:
    (interchange,) = read_file(ORDER.replace("UNOC:3", "UNOC:9")).interchanges
    assert interchange.codes == ["S268"]
    assert interchange.ended.findings[0].contrl == "2"


@pytest.mark.parametrize("identifier", ["IATA", "IATB", "KECA"])
def test_syntax_identifiers_outside_the_standard_that_are_in_use(identifier: str) -> None:
    assert read_file(ORDER.replace("UNOC", identifier)).interchanges[0].codes == []


# Sizes


def test_a_segment_that_is_too_long_is_read_up_to_the_limit() -> None:
    (interchange,) = read_file(order(f"BGM+220+PO1+9'FTX+AAI+++{'x' * 100_000}'", segments=4)).interchanges
    (message,) = interchange.messages
    (finding,) = message.findings
    assert (finding.code, finding.contrl, finding.segment, finding.position) == ("S235", "39", "FTX", 3)
    assert (finding.element, finding.component) == (5, 1)
    assert len(message.segments[2].get(4)) < 64 * 1024
    assert [segment.tag for segment in message.segments] == ["UNH", "BGM", "FTX", "UNT"]


@pytest.mark.parametrize(("length", "found"), [(200, []), (201, ["S235"])])
def test_the_limit_of_a_segment_from_both_sides(length: int, found: list[str]) -> None:
    segment = "FTX+" + "x" * (length - 4)
    (interchange,) = read_file(order(f"{segment}'"), ReaderLimits(segment_bytes_max=200)).interchanges
    assert codes(interchange.messages[0].findings) == found


def test_released_terminators_do_not_end_a_segment_that_is_too_long() -> None:
    text = "?'" * 500 + "???'" + "??"
    (interchange,) = read_file(
        order(f"FTX+{text}'BGM+220'", segments=4), ReaderLimits(segment_bytes_max=200)
    ).interchanges
    assert [segment.tag for segment in interchange.messages[0].segments] == ["UNH", "FTX", "BGM", "UNT"]


def test_a_message_of_too_many_segments_keeps_those_within_the_limit() -> None:
    limits = ReaderLimits(message_segments_max=10)
    (interchange,) = read_file(order("FTX+A'" * 9, segments=11), limits).interchanges
    assert interchange.messages[0].findings == []
    (interchange,) = read_file(order("FTX+A'" * 12, segments=14), limits).interchanges
    (message,) = interchange.messages
    assert codes(message.findings) == ["S237"]
    assert len(message.segments) == 11  # and UNT, which closes it
    assert message.segments[-1].position == 14


def test_findings_of_one_rule_are_listed_up_to_a_limit() -> None:
    message = read_order(order("'" * 150 + "BGM+220'", segments=3))
    found = codes(message.findings)
    assert found.count("S232") == 100
    assert found.count("S238") == 1


def test_references_are_opaque_and_may_be_too_long() -> None:
    long = "X" * 15
    (interchange,) = read_file(ORDER.replace("REF1", long)).interchanges
    assert interchange.started.header.control_reference == long
    assert interchange.codes == ["S272", "S272"]
    assert [finding.contrl for finding in interchange.ended.findings] == ["39", "39"]
    assert read_file(ORDER.replace("REF1", "00042")).interchanges[0].started.header.control_reference == "00042"


@pytest.mark.parametrize(("version", "date", "found"), [("3", "20261122", ["S272"]), ("4", "261122", ["S273"])])
def test_the_date_of_the_other_syntax_version_is_a_warning(version: str, date: str, found: list[str]) -> None:
    (interchange,) = read_file(ORDER.replace("UNOC:3", f"UNOC:{version}").replace("261122", date)).interchanges
    assert interchange.codes == found


def test_trailing_empties_are_accepted() -> None:
    message = read_order(order("BGM+220::+PO1+9+++'"))
    assert message.findings == []
    assert message.segments[BGM].get(3) == "9"


def test_both_decimal_marks_may_be_read_without_una_and_in_syntax_4() -> None:
    assert read_file(ORDER).interchanges[0].started.separators.decimal_marks == ".,"
    assert read_file(order(una="UNA:+,? '")).interchanges[0].started.separators.decimal_marks == ","
    assert read_file(order(una="UNA:+,? '", unb=UNB_4)).interchanges[0].started.separators.decimal_marks == ".,"


HEAD = f"{UNB}{UNH}"
FLOOD_BYTES = 100_000


@pytest.mark.parametrize(
    "flood",
    [
        "?'",
        "?",
        "??'",
        "'",
        "\n",
        " ",
        "FTX+a\n",
        "FTX+UNZ+1'",
        "UNZ+0+REF1'" + UNB,
        UNB,
        UNH,
        "UNT+1+1'",
        "+?+?:",
        "x",
    ],
)
def test_floods_are_read_in_time_that_grows_with_their_length_only(flood: str) -> None:
    """Each of these once took, or would take, time by the square of its length: minutes for what is here."""
    file = read_file(HEAD + flood * (FLOOD_BYTES // len(flood)))
    assert all(interchange.ended for interchange in file.interchanges)


def test_a_flood_of_escaped_sets_is_read_in_time() -> None:
    data = HEAD.replace("UNOC", "UNOX").encode() + b"FTX+\x1b$B'" * 10_000
    assert read_file(data).interchanges[0].ended
