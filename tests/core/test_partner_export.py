"""A partnership that is written as a folder and read again is the same partnership."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.partner_export import export
from edi_gateway.partner_file import Ours, read
from edi_gateway.partnership import (
    OVERDUE_POLICIES,
    AccessPolicy,
    As2Policy,
    Compression,
    Credentials,
    DatedCertificate,
    Deadlines,
    DeadlineTerms,
    Direction,
    EdifactPolicy,
    GuidelineRow,
    Habits,
    HttpPolicy,
    MdnMode,
    MessageAgreement,
    Partnership,
    Sign,
    TlsPolicy,
    TlsTrust,
    Tolerances,
    TradingPartner,
)
from tests.partner_folders import NOW, OURS, folder, gln, partnership, vendor_key

PEMS = (vendor_key().certificate.pem, vendor_key("rsa-2048", 900).certificate.pem)
flags = st.booleans()
durations = st.integers(1, 366 * 86400).map(lambda seconds: timedelta(seconds=seconds))
amounts = st.decimals(0, 100, places=4).map(lambda value: Decimal(format(value.normalize(), "f")))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=35)
as2_names = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"\\'), min_size=1)
pins = st.lists(
    st.builds(
        DatedCertificate,
        pem=st.sampled_from(PEMS),
        use_from=st.sampled_from(["", "2027-01-01T00:00:00+00:00", "2027-02-01T08:30:00+02:00"]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
habits = st.builds(
    Habits,
    gtin=st.sampled_from([("EN", "SRV", "UP"), ("UP",)]),
    buyer_article=st.sampled_from([("IN", "BP"), ("BP", "IN")]),
    gtin_in_pia=flags,
    confirmed_quantity=st.sampled_from([("21", "12"), ("12",)]),
    grand_total=st.sampled_from(["86", "77", "9"]),
    only_grand_total=flags,
    credit_note_sign=st.sampled_from(Sign),
    unit=st.sampled_from(["PCE", "CT"]),
    units=st.sampled_from([{}, {"EA": "PCE", "CS": "CT"}]),
    parties=st.sampled_from([{}, {"VN": "SU"}]),
    currency=st.sampled_from(["", "EUR"]),
)
partners = st.builds(
    TradingPartner,
    name=st.just("acme"),
    legal_name=texts.filter(bool),
    gln=st.integers(0, 99999).map(gln),
    country=st.sampled_from(["FR", "DE"]),
    siren=st.sampled_from(["", "123456782"]),
    street=texts,
    city=texts,
    language=st.sampled_from(["", "fr", "en"]),
)
credentials = st.none() | st.builds(
    Credentials, username=st.just('u"s'), password_file=st.sampled_from(["/run/secrets/x", "ü/x"])
)
undated = st.lists(st.sampled_from(PEMS), min_size=1, unique=True).map(
    lambda pems: tuple(DatedCertificate(pem=pem) for pem in pems)
)
tls_policies = st.builds(
    TlsPolicy,
    server_name=st.sampled_from(["", "edi.vendor.example"]),
    minimum_version=st.sampled_from(["1.2", "1.3"]),
    client_certificate=flags,
)
trusting = st.builds(
    replace, tls_policies, trust=st.sampled_from([TlsTrust.AUTHORITIES, TlsTrust.PINNED]), certificates=undated
)
policies = st.builds(
    As2Policy,
    their_id=as2_names.map(lambda name: "T" + name[:100]),
    our_id=as2_names.map(lambda name: "O" + name[:100]),
    url=st.just("https://vendor.example/as2?a=1"),
    mdn_url=st.sampled_from(["", "http://vendor.example/mdn"]),
    signing_certificates=pins,
    encryption_certificates=pins,
    require_signature=flags,
    encrypt=flags,
    accepted_digests=st.sets(st.sampled_from(["sha-1", "sha-256", "sha-512"]), min_size=1).map(frozenset),
    accepted_ciphers=st.sets(st.sampled_from(["3des-cbc", "aes-256-gcm"]), min_size=1).map(frozenset),
    digest=st.sampled_from(["sha-256", "sha-384"]),
    signature_scheme=st.sampled_from(["pkcs1v15", "pss"]),
    cipher=st.sampled_from(["aes-128-cbc", "aes-256-gcm"]),
    key_transport=st.sampled_from(["pkcs1v15", "oaep-sha-256"]),
    compression=st.sampled_from(Compression),
    mdn_mode=st.sampled_from(MdnMode),
    mdn_signed=flags,
    transfer_encoding=st.sampled_from(["binary", "base64"]),
    attempts_max=st.integers(1, 100),
    deadline=durations,
    timeout=durations,
    payload_bytes_max=st.integers(1024, 10**9),
    certificate_exchange=flags,
    tls=tls_policies | trusting,
    http=st.builds(HttpPolicy, credentials=credentials)
    | st.builds(HttpPolicy, proxy=st.just("http://proxy.example:3128"), proxy_credentials=credentials),
    access=st.builds(AccessPolicy, credentials=credentials, client_certificates=st.just(()) | undated),
)
edifact_policies = st.builds(
    EdifactPolicy,
    their_id=texts.filter(bool),
    their_qualifier=st.just("ZZ"),
    our_id=texts.filter(bool),
    our_qualifier=st.just("ZZ"),
    syntax_identifier=st.sampled_from(["UNOA", "UNOC", "UNOY"]),
    test=flags,
    severities=st.dictionaries(st.from_regex(r"[A-Z][0-9]{3}", fullmatch=True), st.sampled_from(["warning", "off"])),
    timezone=st.sampled_from(["Europe/Paris", "UTC"]),
    contrl_wait=durations,
    guidelines=st.sampled_from([(), ("eancom",)]),
)
guideline_rows = st.lists(
    st.builds(
        GuidelineRow,
        message=st.just("ORDRSP"),
        path=st.sampled_from(["BGM/1225", "NAD+SU/RFF+VA/1154", "LIN/QTY+21/6060"]),
        status=st.sampled_from(["mandatory", "forbidden"]),
        length_max=st.integers(0, 35),
        codes=st.lists(texts.filter(bool), max_size=3).map(tuple),
        severity=st.sampled_from(["error", "info"]),
    ),
    unique_by=lambda row: row.path,
).map(tuple)
SENT_BY_THEM = MessageAgreement(type="ORDRSP", direction=Direction.IN)
messages = st.lists(
    st.builds(
        MessageAgreement,
        type=st.sampled_from(["ORDERS", "INVOIC", "DESADV"]),
        direction=st.sampled_from(Direction),
        directory=st.sampled_from(["D.96A", "D.01B"]),
        association=st.sampled_from(["", "EAN008"]),
    ),
    min_size=1,
    unique_by=lambda message: (message.type, message.direction),
).map(tuple)
deadlines = st.builds(
    Deadlines,
    country=st.sampled_from(["", "FR", "DE"]),
    timezone=st.sampled_from(["", "Europe/Berlin"]),
    working_days=st.sampled_from([("mon",), ("mon", "tue", "sat"), Deadlines().working_days]),
    opens=st.sampled_from(["00:00", "08:30"]),
    closes=st.sampled_from(["24:00", "18:00"]),
    **{
        kind.value: st.builds(DeadlineTerms, within=durations, working=flags, then=st.sampled_from(policies))
        for kind, policies in OVERDUE_POLICIES.items()
    },
)
partnerships = st.builds(
    Partnership,
    partner=partners,
    as2=policies,
    habits=habits,
    edifact=st.builds(lambda policy, rows: replace(policy, guideline=rows), edifact_policies, guideline_rows),
    messages=messages.map(lambda agreed: (*agreed, SENT_BY_THEM)),
    deadlines=deadlines,
    tolerances=st.builds(Tolerances, price_absolute=amounts, quantity_percent=amounts),
    commission_rate=st.none() | amounts.map(lambda value: Decimal(format((value / 100).normalize(), "f"))),
)


@given(whole=partnerships)
@settings(max_examples=60, deadline=None)
def test_what_is_exported_reads_the_same(whole: Partnership) -> None:
    reading = read(export(whole), Ours("SOMEBODY-ELSE"), NOW)
    assert reading.problems == ()
    assert reading.partnership == whole


def test_defaults_are_left_out() -> None:
    text = export(partnership()).text
    assert "attempts_max" not in text
    assert "[tolerances]" not in text
    assert 'our_id = "MARKET"' in text
    assert 'our_id = "9521321000018"' in text


def test_certificates_come_as_files_each_once() -> None:
    coming = vendor_key("rsa-2048", 900).certificate
    line = 'signing_certificates = [{ file = "vendor.pem" }]'
    new = 'signing_certificates = [{ file = "vendor.pem" }, { file = "next.pem", use_from = 2027-01-01 }]'
    exported = export(partnership(old=line, new=new, next_pem=coming.pem.encode()))
    assert {file.removesuffix(".pem") for file in exported.files} == {
        coming.fingerprint[:16],
        vendor_key().certificate.fingerprint[:16],
    }


def test_an_exported_folder_of_the_least_file_is_read_by_anybody() -> None:
    whole = read(folder(), OURS, NOW).partnership
    assert whole is not None
    assert read(export(replace(whole)), Ours(""), NOW).partnership == whole
