"""partner.toml: what it may say, and how each fault of it is named."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway import partner_connection, partner_file
from edi_gateway.as2.certificates import Certificate
from edi_gateway.messages.guideline import SHIPPED
from edi_gateway.partner_file import Folder, Ours, Reading, conflicts, read
from edi_gateway.partnership import (
    AccessPolicy,
    As2Policy,
    Credentials,
    DatedCertificate,
    Direction,
    EdifactPolicy,
    GuidelineRow,
    HttpPolicy,
    MessageAgreement,
    Partnership,
    TlsPolicy,
    TlsTrust,
    Tolerances,
    TradingPartner,
)
from tests.partner_folders import NOW, OURS, folder, gln, partnership, vendor_key

PARTNERS = Path(__file__).parents[2] / "partners"


def reading(**changes: object) -> Reading:
    return read(folder(**changes), OURS, NOW)


def faults(**changes: object) -> dict[str, str]:
    """key -> reason (and what is expected) of every problem of a changed folder."""
    read_so = reading(**changes)
    assert read_so.partnership is None
    assert {problem.file for problem in read_so.problems} == {"acme/partner.toml"}
    return {problem.key: f"{problem.reason} | {problem.expected}" for problem in read_so.problems}


def good(**changes: object) -> Partnership:
    read_so = reading(**changes)
    assert read_so.problems == ()
    assert read_so.partnership is not None
    return read_so.partnership


def test_the_least_file_gives_every_default() -> None:
    pem = vendor_key().certificate.pem
    assert good() == Partnership(
        partner=TradingPartner(name="acme", legal_name="Vendor 2 SAS", gln=gln(2)),
        as2=As2Policy(
            their_id="VENDOR-2",
            our_id="MARKET",
            url="https://vendor2.example/as2",
            signing_certificates=(partner_file.DatedCertificate(pem=pem),),
            encryption_certificates=(partner_file.DatedCertificate(pem=pem),),
        ),
        edifact=EdifactPolicy(their_id=gln(2), our_id="9521321000018"),
        messages=(
            MessageAgreement(type="ORDERS", direction=Direction.OUT),
            MessageAgreement(type="ORDRSP", direction=Direction.IN),
        ),
    )


@pytest.mark.parametrize(
    ("section", "value", "elsewhere"),
    [
        (partner_file.PartnerSection, TradingPartner, {"name"}),
        (partner_file.As2Section, As2Policy, set()),
        (partner_file.EdifactSection, EdifactPolicy, set()),
        (partner_file.GuidelineSection, GuidelineRow, set()),
        (partner_file.MessageSection, MessageAgreement, set()),
        (partner_file.TolerancesSection, Tolerances, set()),
        (partner_connection.TlsSection, TlsPolicy, set()),
        (partner_connection.HttpSection, HttpPolicy, set()),
        (partner_connection.AccessSection, AccessPolicy, set()),
        (partner_connection.CredentialsSection, Credentials, set()),
    ],
)
def test_every_field_of_a_partnership_can_be_said_in_the_file(section, value, elsewhere) -> None:
    assert set(section.model_fields) == {field.name for field in dataclasses.fields(value)} - elsewhere


def test_the_sample_is_good_and_names_every_key() -> None:
    path = PARTNERS / "demo-vendor"
    sample = Folder(
        name=path.name,
        text=(path / "partner.toml").read_text(encoding="utf-8"),
        files={file.name: file.read_bytes() for file in path.glob("*.pem")},
    )
    read_so = read(sample, Ours("MARKETPLACE"), datetime(2026, 12, 1, tzinfo=UTC))
    assert (read_so.problems, read_so.warnings) == ((), ())
    assert read_so.partnership is not None
    assert read_so.partnership.commission_rate == Decimal("0.12")
    # Every section and key is there, be it commented out.
    for section in (
        partner_file.PartnerSection,
        partner_file.As2Section,
        partner_connection.TlsSection,
        partner_connection.HttpSection,
        partner_connection.AccessSection,
        partner_file.EdifactSection,
        partner_file.GuidelineSection,
    ):
        for key in section.model_fields:
            said = (f"\n{key} =", f"\n# {key} =", f"[edifact.{key}]", f"[as2.{key}]", f"[[edifact.{key}]]")
            assert any(text in sample.text for text in said), key


def test_the_guideline_that_the_sample_shows_can_be_agreed() -> None:
    text = (PARTNERS / "demo-vendor" / "partner.toml").read_text(encoding="utf-8")
    begin, end = text.index("# [[edifact.guideline]]"), text.index("# What travels")
    shown = "\n".join(line.removeprefix("# ") for line in text[begin:end].splitlines())
    read_so = good(new=shown.replace('"DESADV"', '"ORDRSP"').replace("CPS/LIN", "LIN")).edifact.guideline
    assert [(row.path, row.status, row.length_max, row.codes, row.severity) for row in read_so] == [
        ("LIN/PIA+5", "mandatory", 0, (), "error"),
        ("BGM/1004", "", 17, (), "error"),
        ("LIN/QTY/6063", "", 0, ("12", "21"), "warning"),
    ]


def test_every_guideline_that_is_shipped_can_be_agreed() -> None:
    assert good(new=f"[edifact]\nguidelines = {list(SHIPPED)}").edifact.guidelines == tuple(SHIPPED)


@pytest.mark.parametrize(
    ("country", "said", "speaks"), [("FR", "", "fr"), ("DE", "", "en"), ("FR", "en", "en"), ("BE", "fr", "fr")]
)
def test_a_partner_is_told_in_its_language(country: str, said: str, speaks: str) -> None:
    new = f"[partner]\ncountry = '{country}'\nlanguage = '{said}'"
    assert good(old="[partner]", new=new).partner.speaks == speaks


def test_what_the_sample_comments_out_is_the_default() -> None:
    lines = (PARTNERS / "demo-vendor" / "partner.toml").read_text(encoding="utf-8").splitlines()
    commented = {
        key.removeprefix("# "): value.split("#")[0].strip()
        for key, found, value in (line.partition(" = ") for line in lines)
        if found and key.startswith("# ") and key.count(" ") == 1
    }
    flat = {**partner_file.As2Section.model_fields, **partner_file.EdifactSection.model_fields}
    flat |= partner_file.TolerancesSection.model_fields
    explained = {"encryption_certificates", "their_id"}  # their defaults are other keys
    checked = 0
    for key in commented.keys() & flat.keys() - explained:
        said = partner_file.strict_toml.parse(f"{key} = {commented[key]}", "sample")[key]
        default = flat[key].default
        if isinstance(default, timedelta):
            said = partner_file.strict_toml.parse(f'v = "{said}"', "sample")["v"]
            assert partner_file.strict_toml.validate(
                {"deadline": said, "their_id": "x"}, _Durations, "sample"
            ).deadline == default  # fmt: skip
        else:
            assert (sorted(said) == sorted(default)) if isinstance(said, list) else (said == default), key
        checked += 1
    assert checked > 40


class _Durations(partner_file.Section):
    their_id: str
    deadline: partner_file.Duration


def test_the_committed_schema_is_the_model() -> None:
    committed = json.loads((PARTNERS / "partner.schema.json").read_text(encoding="utf-8"))
    assert committed == partner_file.schema()


# --- what is refused -----------------------------------------------------------------------------

_ROW = "edifact.guideline[1]"


def _rows(*rows: str) -> str:
    return "".join(f"\n[[edifact.guideline]]\n{row}" for row in rows)


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('their_id = "VENDOR-2"', "their_id = 7", "as2.their_id", "a valid string"),
        ('their_id = "VENDOR-2"', 'their_id = "A\\"B"', "as2.their_id", "RFC 4130 §6.2"),
        ('their_id = "VENDOR-2"', f'their_id = "{"A" * 129}"', "as2.their_id", "RFC 4130 §6.2"),
        ('their_id = "VENDOR-2"', 'their_id = "MARKET"', "as2", "two different AS2 names"),
        ('their_id = "VENDOR-2"\n', "", "as2.their_id", "missing | their AS2 name"),
        ("[as2]", "[as2]\ndigset = 'sha-256'", "as2.digset", "unknown key | did you mean digest?"),
        ("[as2]", "[as2]\nzzz = 1", "as2.zzz", "unknown key | one of accept_canonicalised"),
        ("[as2]", "[as2]\ndigest = 'sha-3'", "as2.digest", "'sha-256'"),
        ("[as2]", "[as2]\ndigest = 'sha-1'", "as2.digest", "weak"),
        ("[as2]", "[as2]\naccepted_digests = ['md5']", "as2.accepted_digests", "md5 is accepted from nobody"),
        ("[as2]", "[as2]\nversion = '1.4'", "as2.version", "'1.3'"),
        (
            "[as2]",
            "[as2]\nversion = '1.3'\naccepted_digests = ['sha-256', 'sha-1']",
            "as2.version",
            "1.3 forbids sha-1",
        ),
        ("[as2]", "[as2]\nversion = '1.3'\nkey_transport = 'oaep-sha-1'", "as2.version", "1.3 forbids oaep-sha-1"),
        ("[as2]", "[as2]\nasync_status = 201", "as2.async_status", "0, 200, 202 or 204"),
        ("[as2]", "[as2]\naccepted_digests = []", "as2.accepted_digests", "at least 1 item"),
        ("[as2]", "[as2]\ncipher = 'rot13'", "as2.cipher", "'aes-128-cbc'"),
        ("[as2]", "[as2]\ncipher = '3des-cbc'", "as2.cipher", "never sent"),
        ("[as2]", "[as2]\nkey_transport = 'ecdh'", "as2", "does not fit vendor.pem, RSA-2048"),
        ("[as2]", "[as2]\nsign = 'yes'", "as2.sign", "a valid boolean"),
        ("[as2]", "[as2]\nattempts_max = '8'", "as2.attempts_max", "a valid integer"),
        ("[as2]", "[as2]\nattempts_max = 0", "as2.attempts_max", "greater than or equal to 1"),
        ("[as2]", "[as2]\nattempts_max = 101", "as2.attempts_max", "less than or equal to 100"),
        ("[as2]", "[as2]\ndeadline = '24 hours'", "as2.deadline", "a number and s, m, h or d"),
        ("[as2]", "[as2]\ndeadline = '0s'", "as2.deadline", "more than 0"),
        ("[as2]", "[as2]\ndeadline = '367d'", "as2.deadline", "at most 366d"),
        ("[as2]", "[as2]\nretry_first = '3h'", "as2", "retry_first is longer than retry_longest"),
        ("[as2]", "[as2]\nmdn_mode = 'mail'", "as2.mdn_mode", "'sync', 'async' or 'none'"),
        ("https://vendor2.example/as2", "vendor2.example/as2", "as2.url", "http or https"),
        ("https://vendor2.example/as2", "file:///etc/passwd", "as2.url", "http or https"),
        ("https://vendor2.example/as2", "https://u:p@vendor2.example/as2", "as2.url", "without user"),
        ("https://vendor2.example/as2", "https://vendor2.example:99999/as2", "as2.url", "http or https"),
        ("https://vendor2.example/as2", "https://vendor2.example/a\\u000ab", "as2.url", "http or https"),
        (gln(2), "9521321000024", "partner.gln", "is not a GLN | 13 digits with a right check digit"),
        ("[partner]", "[partner]\nsiren = '123456789'", "partner.siren", "is not a SIREN"),
        ("[partner]", "[partner]\nvat_number = 'FR00123456782'", "partner.vat_number", "is not a VAT number"),
        (
            "[partner]",
            "[partner]\nsiren = '123456782'\nvat_number = 'FR40303265045'",
            "partner",
            "belongs to SIREN 303265045",
        ),
        ("[partner]", "[partner]\niban = 'FR7630006000011234567890188'", "partner.iban", "is not an IBAN"),
        ("[partner]", "[partner]\ncountry = 'France'", "partner.country", "ISO 3166-1"),
        ("[partner]", "[partner]\nstreet = 12", "partner.street", "a valid string"),
        ('type = "ORDERS"', 'type = "ORDERZ"', "messages[1].type", "is no message of D.96A that we know | one of"),
        ('type = "ORDERS"', 'type = "ORDERS"\ndirectory = "D.99Z"', "messages[1].directory", "no directory 'D.99Z'"),
        ('direction = "out"', 'direction = "up"', "messages[1].direction", "'in' or 'out'"),
        ('type = "ORDRSP"\ndirection = "in"', 'type = "ORDERS"\ndirection = "out"', "messages", "stands twice"),
        ("", "[edifact]\ntimezone = 'Paris'", "edifact.timezone", "an IANA name"),
        ("", "[edifact]\ntimezone = '../../etc/passwd'", "edifact.timezone", "an IANA name"),
        ("", "[edifact]\ntheir_id = 'VENDOR'", "edifact", "is not a GLN"),
        ("", "[edifact]\nsyntax_identifier = 'UTF8'", "edifact.syntax_identifier", "'UNOA'"),
        ("", "[edifact.severities]\nS201 = 'fatal'", "edifact.severities.S201", "'error', 'warning', 'info' or 'off'"),
        ("", "[edifact.severities]\nsyntax = 'off'", "edifact.severities.syntax.[key]", "pattern"),
        ("", "[tolerances]\nprice_percent = 101", "tolerances.price_percent", "less than or equal to 100"),
        ("", "[tolerances]\nprice_absolute = -1", "tolerances.price_absolute", "greater than or equal to 0"),
        ("", "[tolerances]\nprice_absolute = nan", "tolerances.price_absolute", "finite"),
        (
            "",
            "[tolerances]\nabsent_line = 'ignored'",
            "tolerances.absent_line",
            "'unanswered', 'accepted' or 'refused'",
        ),
        ("", "[commission]\nrate = 12", "commission.rate", "less than or equal to 1"),
        ("", "[commission]\nrate = true", "commission.rate", "not a number"),
        ("", "[partnr]\n", "partnr", "did you mean partner?"),
        ("[partner]", "[partner]\nlanguage = 'de'", "partner.language", "'fr' or 'en'"),
        ("", "[edifact]\ncontrl_wait = '0m'", "edifact.contrl_wait", "more than 0"),
        ("", "[edifact]\nguidelines = ['odette']", "edifact.guidelines[1]", "'eancom'"),
        ("", _rows("message = 'ORDERS'\npath = 'BGM'\nstatus = 'mandatory'"), f"{_ROW}.message", "not agreed"),
        ("", _rows("message = 'ORDRSP'\npath = 'bgm'\nstatus = 'mandatory'"), _ROW, "'bgm' is no segment tag"),
        ("", _rows("message = 'ORDRSP'\npath = 'BGM'"), _ROW, "nothing is demanded of BGM | status, length_max or"),
        ("", _rows("message = 'ORDRSP'\npath = 'BGM'\nstatus = 'needed'"), f"{_ROW}.status", "'mandatory',"),
        ("", _rows("message = 'ORDRSP'\npath = 'BGM'\nlength_max = 3"), _ROW, "are of a data element"),
        ("", _rows("message = 'ORDRSP'\npath = 'BGM/1004'\nlength_max = -1"), f"{_ROW}.length_max", "greater than"),
        ("", _rows("message = 'ORDRSP'\npath = 'CPS'\nstatus = 'mandatory'"), f"{_ROW}.path", "ORDRSP of D.96A has no"),
        ("", _rows("message = 'ORDRSP'\npath = 'CPS/LIN'\nstatus = 'mandatory'"), f"{_ROW}.path", "begins with CPS"),
        ("", _rows("message = 'ORDRSP'\npath = 'BGM/6060'\nlength_max = 3"), f"{_ROW}.path", "no data element 6060"),
        (
            "",
            _rows(*["message = 'ORDRSP'\npath = 'CUX'\nstatus = 'forbidden'"] * 2),
            "edifact.guideline[2].path",
            "CUX of ORDRSP stands twice",
        ),
    ],
)
def test_a_fault_is_named_with_its_key_and_what_is_expected(old: str, new: str, key: str, says: str) -> None:
    found = faults(old=old, new=new)
    assert list(found) == [key]
    assert says in found[key]


@pytest.mark.parametrize(
    "line",
    ["attempts_max = 1", "attempts_max = 100", "deadline = '366d'", "deadline = '1s'", "payload_bytes_max = 1024"],
)
def test_a_bound_itself_is_good(line: str) -> None:
    assert good(old="[as2]", new=f"[as2]\n{line}")


def test_all_faults_are_named_at_once() -> None:
    found = faults(old="[as2]", new="[as2]\ndigest = 'sha-3'\nsign = 1\nfoo = 2\n[partner.contacts]")
    assert set(found) >= {"as2.digest", "as2.sign", "as2.foo", "partner.contacts"}


@pytest.mark.parametrize("name", ["", "Acme", "acme corp", "-acme", "acme-", "../acme", "a" * 64])
def test_a_folder_has_a_plain_name(name: str) -> None:
    read_so = read(folder(name), OURS, NOW)
    assert "is not a partner's name" in read_so.problems[0].reason


def test_what_is_not_toml_is_said_so() -> None:
    assert "not TOML" in faults(new="\n[partner")[""]


def test_a_file_of_a_million_characters_is_too_long() -> None:
    longest = partner_file.strict_toml.TEXT_CHARACTERS_MAX
    room = longest - len(folder().text)
    assert good(new="#" * room)
    assert "too long" in faults(new="#" * (room + 1))[""]


def test_deep_nesting_is_no_crash() -> None:
    read_so = reading(new="x = " + "[" * 5000 + "]" * 5000)
    assert read_so.partnership is None
    assert read_so.problems


def test_without_our_identity_the_addresses_must_be_in_the_file() -> None:
    read_so = read(folder(), Ours(as2_id="MARKET"), NOW)
    assert [(problem.key, problem.reason) for problem in read_so.problems] == [("edifact.our_id", "missing")]
    assert read(folder(new="[edifact]\nour_id = '9521321000018'"), Ours(as2_id="MARKET"), NOW).partnership


_SCALARS = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=20) | st.dates()
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_SECTIONS = ("partner", "as2", "edifact", "messages", "tolerances", "commission", "other")


@given(text=st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_gives_problems_and_never_a_crash(text: str) -> None:
    assert read(Folder(name="acme", text=text), OURS, NOW).problems


@given(
    key=st.sampled_from([(section, key) for section in _SECTIONS for key in ("", "url", "digest", "deadline", "type")]),
    value=_ANYTHING,
)
@settings(max_examples=200, deadline=None)
def test_any_value_anywhere_gives_problems_or_a_partnership(key: tuple[str, str], value: object) -> None:
    section, name = key
    data = partner_file.strict_toml.parse(folder().text, "acme")
    assert isinstance(data, dict)
    if name and isinstance(data.get(section), dict):
        data[section][name] = value
    else:
        data[section] = value
    surroundings = partner_file._Surroundings(folder().files, OURS, NOW)
    checked = partner_file.strict_toml.validate(data, partner_file.PartnerFile, "acme", surroundings)
    assert isinstance(checked, partner_file.PartnerFile) or all(str(problem) for problem in checked)


@given(data=st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_any_bytes_as_certificate_are_a_problem(data: bytes) -> None:
    read_so = read(Folder(name="acme", text=folder().text, files={"vendor.pem": data}), OURS, NOW)
    assert [problem.key for problem in read_so.problems] == [CERTIFICATE]


# --- certificates --------------------------------------------------------------------------------


def certificate(bits: int, digest: hashes.HashAlgorithm) -> bytes:
    """What `generate` refuses to make."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=100))
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)


def pem(key: object) -> bytes:
    return key.certificate.pem.encode()


NEXT = 'file = "vendor.pem"'
CERTIFICATE = "as2.signing_certificates[1].file"


@pytest.mark.parametrize(
    ("data", "key", "says"),
    [
        (lambda: certificate(1024, hashes.SHA256()), CERTIFICATE, "its key is RSA-1024"),
        (
            lambda: pem(vendor_key(days=10, made=NOW - timedelta(days=20))),
            "as2.signing_certificates",
            "next.pem expired on 2026-10-22",
        ),
        (lambda: b"not a certificate", CERTIFICATE, "next.pem is not a certificate"),
        (lambda: b"", CERTIFICATE, "next.pem is not a certificate"),
        (lambda: pem(vendor_key()) + pem(vendor_key("p-256")), CERTIFICATE, "holds 2 certificates"),
        (lambda: vendor_key().to_pem(b"secret of the vendor"), CERTIFICATE, "holds a private key"),
    ],
)
def test_a_certificate_that_cannot_be_relied_on_is_refused(data, key: str, says: str) -> None:
    found = faults(old=NEXT, new='file = "next.pem"', next_pem=data())
    assert list(found) == [key]
    assert says in found[key]


@pytest.mark.parametrize("name", ["../vendor.pem", "/etc/ssl/cert.pem", "a/b.pem", ".pem", "", "absent.pem"])
def test_a_certificate_is_a_file_of_the_folder(name: str) -> None:
    assert list(faults(old=NEXT, new=f'file = "{name}"')) == [CERTIFICATE]


def test_an_expired_certificate_stays_pinned_where_the_partnership_says_so() -> None:
    expired = pem(vendor_key(days=10, made=NOW - timedelta(days=20)))
    entries = '[{ file = "vendor.pem" }, { file = "next.pem" }]'
    line = 'signing_certificates = [{ file = "vendor.pem" }]'
    assert faults(old=line, new=f"signing_certificates = {entries}", next_pem=expired)
    allowed = f"accept_expired_certificates = true\nsigning_certificates = {entries}"
    assert len(good(old=line, new=allowed, next_pem=expired).as2.signing_certificates) == 2


def test_a_certificate_signed_with_sha_1_is_for_legacy_partners_only() -> None:
    # generate() and the library's builder make none; openssl does: `req -x509 -newkey rsa:2048 -sha1`.
    old = (Path(__file__).parent / "certificates" / "signed-with-sha-1.pem").read_bytes()
    assert "is weak: it is signed with sha-1" in faults(old=NEXT, new='file = "next.pem"', next_pem=old)[
        "as2.signing_certificates"
    ]  # fmt: skip
    legacy = reading(old="[as2]", new="[as2]\naccepted_digests = ['sha-1', 'sha-256']", vendor_pem=old)
    assert legacy.partnership
    assert any("sha-1" in warning.reason for warning in legacy.warnings)


def test_the_next_certificate_is_pinned_before_its_time() -> None:
    coming = pem(vendor_key(made=NOW + timedelta(days=30)))
    entries = '[{ file = "vendor.pem" }, { file = "next.pem", use_from = 2026-12-15 }]'
    line = 'signing_certificates = [{ file = "vendor.pem" }]'
    partnership = good(old=line, new=f"signing_certificates = {entries}", next_pem=coming)
    assert [entry.use_from for entry in partnership.as2.signing_certificates] == ["", "2026-12-15T00:00:00+00:00"]
    assert partnership.as2.encryption_certificates == partnership.as2.signing_certificates


@pytest.mark.parametrize(
    ("use_from", "says"),
    [
        ("2026-12-15T08:00:00", "without offset"),
        ("2028-01-01", "before use_from"),
        ('"soon"', "use_from"),
    ],
)
def test_a_date_of_use_is_within_the_certificate(use_from: str, says: str) -> None:
    found = faults(old=NEXT, new=f"{NEXT}, use_from = {use_from}")
    assert all(says in f"{key} {text}" for key, text in found.items())


def test_der_and_elliptic_curves_are_read() -> None:
    vendor = vendor_key("p-256")
    line = 'signing_certificates = [{ file = "vendor.pem" }]'
    new = 'key_transport = "ecdh"\nsigning_certificates = [{ file = "next.der" }]'
    partnership = good(old=line, new=new, next_der=vendor.certificate.der)
    assert partnership.as2.signing_certificates[0].pem == vendor.certificate.pem
    assert "does not fit next.der, P-256" in faults(
        old=line, new=new.replace("ecdh", "oaep-sha-256"), next_der=vendor.certificate.der
    )["as2"]  # fmt: skip


def test_what_will_need_care_is_a_warning() -> None:
    soon = pem(vendor_key(days=20))
    read_so = reading(old=NEXT, new='file = "next.pem"', next_pem=soon)
    assert read_so.partnership
    assert [warning.reason for warning in read_so.warnings] == ["next.pem: it expires on 2026-11-21"]
    open_line = reading(old='https://vendor2.example/as2"', new='http://vendor2.example/as2"\nencrypt = false')
    assert [warning.key for warning in open_line.warnings] == ["as2.encrypt"]


def test_at_most_ten_certificates_for_a_purpose() -> None:
    line = 'signing_certificates = [{ file = "vendor.pem" }]'
    ten = ", ".join(['{ file = "vendor.pem" }'] * partner_file.CERTIFICATES_MAX)
    assert good(old=line, new=f"signing_certificates = [{ten}]")
    assert "at most 10 items" in faults(old=line, new=f'signing_certificates = [{ten}, {{ file = "vendor.pem" }}]')[
        "as2.signing_certificates"
    ]  # fmt: skip


# --- certificates in every form -----------------------------------------------------------------


def issued() -> tuple[Certificate, Certificate, Certificate]:
    """A leaf, the authority that issued it, and the root."""
    root, middle, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    made = []
    for subject, issuer, key, signer in (
        ("vendor", "middle", leaf, middle),
        ("middle", "root", middle, root),
        ("root", "root", root, root),
    ):
        names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
        builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
        builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=100))
        done = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        made.append(Certificate.from_der(done))
    return made[0], made[1], made[2]


LEAF, MIDDLE, ROOT = issued()


def p7b(encoding: serialization.Encoding) -> bytes:
    chain = [x509.load_der_x509_certificate(c.der) for c in (ROOT, MIDDLE, LEAF)]
    return pkcs7.serialize_certificates(chain, encoding)


def p12_without_key() -> bytes:
    entries = [pkcs12.PKCS12Certificate(x509.load_der_x509_certificate(c.der), None) for c in (MIDDLE, LEAF)]
    return pkcs12.serialize_java_truststore(entries, serialization.NoEncryption())


FORMS = {
    "chain.pem": lambda: (ROOT.pem + LEAF.pem + MIDDLE.pem).encode(),
    "leaf.pem": lambda: LEAF.pem.encode(),
    "leaf.cer": lambda: LEAF.der,
    "chain.p7b": lambda: p7b(serialization.Encoding.DER),
    "armoured.p7b": lambda: p7b(serialization.Encoding.PEM),
    "store.p12": p12_without_key,
}


@pytest.mark.parametrize("name", FORMS)
def test_120_a_partners_certificate_comes_in_any_form_with_its_chain(name: str) -> None:
    """RFC 5652, RFC 7292: what partners send; the leaf alone is pinned, nobody else whom its issuer certified."""
    line = 'signing_certificates = [{ file = "vendor.pem" }]'
    new = f'key_transport = "ecdh"\nsigning_certificates = [{{ file = "{name}" }}]'
    changed = folder(old=line, new=new)
    read_so = read(dataclasses.replace(changed, files={name: FORMS[name]()}), OURS, NOW)
    assert read_so.partnership is not None, read_so.problems
    assert [entry.pem for entry in read_so.partnership.as2.signing_certificates] == [LEAF.pem]


def test_120_two_certificates_that_are_no_chain_are_refused() -> None:
    both = (MIDDLE.pem + vendor_key().certificate.pem).encode()
    assert "holds 2 certificates that are not one chain" in faults(old=NEXT, new='file = "next.pem"', next_pem=both)[
        CERTIFICATE
    ]  # fmt: skip


def test_120_a_store_that_does_not_open_or_holds_a_key_is_refused() -> None:
    key = vendor_key()
    own = x509.load_der_x509_certificate(key.certificate.der)
    plain = pkcs12.serialize_key_and_certificates(b"x", key.key, own, None, serialization.NoEncryption())
    for data, says in ((key.to_p12(b"secret"), "does not open"), (plain, "holds a private key")):
        assert says in faults(old=NEXT, new='file = "next.p12"', next_p12=data)[CERTIFICATE]


# --- the connection ------------------------------------------------------------------------------

EC_PEM = {"next_pem": LEAF.pem.encode()}


def test_the_connection_as_it_can_be_agreed() -> None:
    said = """
[as2.tls]
trust = "pinned"
certificates = ["next.pem", "vendor.pem"]
server_name = "edi.vendor.example"
minimum_version = "1.3"
client_certificate = true
[as2.http]
credentials = { username = "us", password_file = "secrets/acme" }
proxy = "http://proxy.example:3128"
proxy_credentials = { username = "me", password_variable = "EDI_GATEWAY_SECRET_PROXY" }
[as2.access]
credentials = { username = "them", password_variable = "EDI_GATEWAY_SECRET_ACME" }
client_certificates = ["next.pem"]
"""
    as2 = good(new=said, **EC_PEM).as2
    leaf, own = (DatedCertificate(pem=c.pem) for c in (LEAF, vendor_key().certificate))
    assert as2.tls == TlsPolicy(
        trust=TlsTrust.PINNED,
        certificates=(leaf, own),
        server_name="edi.vendor.example",
        minimum_version="1.3",
        client_certificate=True,
    )
    assert as2.http == HttpPolicy(
        credentials=Credentials(username="us", password_file="secrets/acme"),
        proxy="http://proxy.example:3128",
        proxy_credentials=Credentials(username="me", password_variable="EDI_GATEWAY_SECRET_PROXY"),
    )
    assert as2.access == AccessPolicy(
        credentials=Credentials(username="them", password_variable="EDI_GATEWAY_SECRET_ACME"),
        client_certificates=(leaf,),
    )


def test_a_bundle_of_authorities_is_taken_whole_and_a_pin_is_its_leaf() -> None:
    chain = {"next_pem": (LEAF.pem + MIDDLE.pem + ROOT.pem).encode()}
    for trust, kept in (("authorities", {LEAF.pem, MIDDLE.pem, ROOT.pem}), ("pinned", {LEAF.pem})):
        said = f'[as2.tls]\ntrust = "{trust}"\ncertificates = ["next.pem"]\n'
        assert {entry.pem for entry in good(new=said, **chain).as2.tls.certificates} == kept


@pytest.mark.parametrize(
    ("said", "key", "says"),
    [
        ("[as2.tls]\ntrust = 'all'", "as2.tls.trust", "'system'"),
        ("[as2.tls]\ntrust = 'pinned'", "as2.tls", "without certificates"),
        ("[as2.tls]\ntrust = 'authorities'", "as2.tls", "without certificates"),
        ("[as2.tls]\ncertificates = ['vendor.pem']", "as2.tls", "that nothing looks at"),
        ("[as2.tls]\ntrust = 'pinned'\ncertificates = ['no.pem']", "as2.tls", "no file 'no.pem'"),
        ("[as2.tls]\ntrust = 'pinned'\ncertificates = ['../vendor.pem']", "as2.tls", "not a file name"),
        ("[as2.tls]\ntrust = 'pinned'\ncertificates = ['old.pem']", "as2.tls", "it expired on"),
        ("[as2.tls]\nminimum_version = '1.1'", "as2.tls.minimum_version", "'1.2' or '1.3'"),
        ("[as2.tls]\nserver_name = 'a b'", "as2.tls.server_name", "not a host name"),
        ("[as2.tls]\nverify = false", "as2.tls.verify", "unknown key"),
        ("[as2.http]\nproxy = 'socks5://x'", "as2.http.proxy", "http or https URL"),
        ("[as2.http]\nproxy = 'http://me:secret@x'", "as2.http.proxy", "without user, password"),
        ("[as2.http]\nproxy = 'https://x'", "as2.http", "spoken to by http"),
        ("[as2.http]\nproxy_credentials = {username = 'x', password_file = 'y'}", "as2.http", "without a proxy"),
        ("[as2.http]\ncredentials = {username = 'x'}", "as2.http.credentials", "one place for the password"),
        (
            "[as2.http]\ncredentials = {username='x', password_file='y', password_variable='EDI_GATEWAY_SECRET_Z'}",
            "as2.http.credentials",
            "one place for the password",
        ),
        ("[as2.http]\ncredentials = {username = 'x', password = 'y'}", "as2.http.credentials.password", "unknown key"),
        (
            "[as2.http]\ncredentials = {username = 'x:y', password_file = 'y'}",
            "as2.http.credentials.username",
            "RFC 7617 §2",
        ),
        (
            "[as2.access]\ncredentials = {username = 'x', password_variable = 'EDI_GATEWAY_KEY_PASSPHRASE'}",
            "as2.access.credentials.password_variable",
            "not a variable for secrets",
        ),
        ("[as2.access]\nclient_certificates = ['no.pem']", "as2.access.client_certificates", "no file 'no.pem'"),
    ],
)
def test_a_connection_that_cannot_be_is_refused(said: str, key: str, says: str) -> None:
    old = pem(vendor_key(days=10, made=NOW - timedelta(days=20)))
    found = faults(new=said, old_pem=old)
    assert says in found[key], found


def test_025_a_password_never_stands_in_the_file_and_no_fault_shows_one() -> None:
    said = "[as2.http]\ncredentials = {username = 'x', password = 'hunter2hunter2'}"
    assert all("hunter2" not in f"{key}{text}" for key, text in faults(new=said).items())


def test_what_a_connection_gives_away_is_a_warning() -> None:
    said = "[as2.http]\ncredentials = {username = 'x', password_file = 'y'}"
    plain = folder(new=said)
    read_so = read(dataclasses.replace(plain, text=plain.text.replace("https://", "http://")), OURS, NOW)
    assert [warning.key for warning in read_so.warnings] == ["as2.http.credentials"]
    soon = {"next_pem": pem(vendor_key(days=20))}
    pinned = '[as2.tls]\ntrust = "pinned"\ncertificates = ["next.pem"]\n'
    assert [(w.key, w.expected) for w in reading(new=pinned, **soon).warnings] == [
        ("as2.tls", "the next one beside it")
    ]


# --- across partners -----------------------------------------------------------------------------


def test_partners_that_differ_do_not_conflict() -> None:
    assert conflicts([partnership("acme", 2), partnership("bolt", 3)]) == []


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ('their_id = "VENDOR-3"', 'their_id = "VENDOR-2"', ["as2.their_id"]),
        (f'gln = "{gln(3)}"', f'gln = "{gln(2)}"', ["edifact.their_id", "partner.gln"]),
        ("", f"[edifact]\ntheir_id = '{gln(2)}'", ["edifact.their_id"]),
    ],
)
def test_names_and_addresses_belong_to_one_partner(old: str, new: str, keys: list[str]) -> None:
    found = conflicts([partnership("acme", 2), partnership("bolt", 3, old=old, new=new)])
    assert [problem.key for problem in found] == keys
    assert all(problem.file == "bolt/partner.toml" and "acme" in problem.reason for problem in found)


def test_the_same_as2_name_under_another_name_of_ours_is_another_pair() -> None:
    other = partnership("bolt", 3, old='their_id = "VENDOR-3"', new='their_id = "VENDOR-2"\nour_id = "MARKET-2"')
    assert conflicts([partnership("acme", 2), other]) == []
