"""Partnerships as data: `partners/<name>/partner.toml` and its certificates become a `Partnership`, or every error.

Pure: the text, the certificate files and the time come in. What the file may say is the model below, and the
JSON Schema in `partners/partner.schema.json` is made from it. Every key is optional unless it has no default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from pydantic import Field, ValidationInfo, field_validator, model_validator

from edi_gateway import strict_toml
from edi_gateway.as2.algorithms import (
    LEGACY_CIPHERS,
    LEGACY_DIGESTS,
    Cipher,
    Digest,
    KeyTransport,
    SignatureScheme,
    weak_names,
)
from edi_gateway.as2.certificates import (
    Certificate,
    CertificateError,
    WeaknessKind,
    holds_private_key,
    leaf_of,
    load_certificates,
    weaknesses,
)
from edi_gateway.checked_fields import (
    Amount,
    As2Name,
    Country,
    Duration,
    Flag,
    Gln,
    HttpUrl,
    OptionalAs2Name,
    OptionalBic,
    OptionalHttpUrl,
    OptionalIban,
    OptionalSiren,
    OptionalVatNumber,
    Whole,
)
from edi_gateway.marketplace import identifiers
from edi_gateway.marketplace.calendars import WEEKDAYS, is_known
from edi_gateway.marketplace.parties import PartyRole
from edi_gateway.messages import UnknownDirectoryError, directory, specification
from edi_gateway.messages.guideline import ROWS_MAX, SHIPPED, Guideline, GuidelineError, demands, misplaced
from edi_gateway.partner_connection import AccessSection, CredentialsSection, HttpSection, TlsSection, bundle, leaves
from edi_gateway.partnership import (
    OVERDUE_POLICIES,
    AccessPolicy,
    As2Policy,
    Compression,
    Credentials,
    DatedCertificate,
    DeadlineKind,
    Deadlines,
    DeadlineTerms,
    Direction,
    EdifactPolicy,
    GuidelineRow,
    Habits,
    HttpPolicy,
    MdnMode,
    MessageAgreement,
    OverduePolicy,
    Partnership,
    Sign,
    TlsPolicy,
    TlsTrust,
    Tolerances,
    TradingPartner,
)
from edi_gateway.strict_toml import Problem, Section

FILE = "partner.toml"
CERTIFICATES_MAX = 10
"""Certificates for one purpose: the present one, the next one, and some history."""
MESSAGES_MAX = 100
SEVERITIES_MAX = 500
GUIDELINE_CODES_MAX = 500

_NameT = TypeVar("_NameT", bound=StrEnum)

EXPIRY_WARNING_DAYS = 30

_TIME_OF_DAY = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ours:
    """What a partner's file may leave out, because it is the same for all: who we are."""

    as2_id: str
    gln: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A partner's folder as it was read: its name, the text of partner.toml, and the other files."""

    name: str
    text: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    above: str = ""  # the folder that it was found in, for messages: "partners/"

    @property
    def path(self) -> str:
        return f"{self.above}{self.name}/{FILE}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A partnership, or the complete list of what is wrong with its file; and what should be looked at soon."""

    partnership: Partnership | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the validators below may look at."""

    files: Mapping[str, bytes]
    ours: Ours
    now: datetime

    def certificate(self, file: str) -> Certificate:
        """The certificate that a file of the folder is about: the leaf of its chain. Raises ValueError."""
        try:
            return leaf_of(self.certificates(file))
        except CertificateError as error:
            raise ValueError(f"{file} {error}; the partner's own, alone or with its chain") from None

    def certificates(self, file: str) -> tuple[Certificate, ...]:
        """Every certificate in a file of the folder, in any form. Raises ValueError: reason; expected."""
        if not _FILE_NAME.fullmatch(file):
            raise ValueError(f"{file!r} is not a file name; letters, digits, . _ - and no folder")
        if file not in self.files:
            there = ", ".join(sorted(self.files)) or "no other files"
            raise ValueError(f"no file {file!r} in the partner's folder; a certificate there ({there})")
        data = self.files[file]
        try:
            if holds_private_key(data):
                raise ValueError(
                    f"{file} holds a private key, which belongs to nobody's partner; the certificate alone"
                )
            return load_certificates(data)
        except CertificateError as error:
            raise ValueError(f"{file} is not a certificate: {error}; X.509 as PEM, DER, P7B or P12") from None


# --- the model of the file -----------------------------------------------------------------------


class CertificateEntry(Section):
    """A certificate of theirs, and since when it is used."""

    file: str = Field(description="a file in this folder: X.509 as PEM, DER, P7B or P12, alone or with its chain")
    use_from: date | datetime | None = Field(
        default=None, description="the date, or date and time with offset, from which it may be used; default: at once"
    )

    @field_validator("file")
    @classmethod
    def _is_usable(cls, file: str, info: ValidationInfo) -> str:
        surroundings = _surroundings(info)
        faults = weaknesses(surroundings.certificate(file), surroundings.now)
        # The next certificate of a partner is pinned before its time has come; As2Section decides on expired ones.
        grave = [fault.text for fault in faults if fault.fatal and fault.kind not in _DATES]
        if grave:
            raise ValueError(f"{file} is weak: {', '.join(grave)}; a stronger certificate")
        return file

    @field_validator("use_from")
    @classmethod
    def _is_aware(cls, use_from: date | datetime | None) -> date | datetime | None:
        if isinstance(use_from, datetime) and use_from.tzinfo is None:
            raise ValueError("a time of day without offset; such as 2027-01-31T08:00:00Z, or a date alone")
        return use_from

    @model_validator(mode="after")
    def _begins_before_it_ends(self, info: ValidationInfo) -> CertificateEntry:
        certificate = _surroundings(info).certificate(self.file)
        if self.use_from and _moment(self.use_from) >= certificate.not_after:
            raise ValueError(
                f"{self.file} expires on {certificate.not_after:%Y-%m-%d}, before use_from; an earlier use_from"
            )
        return self


_DATES = frozenset({WeaknessKind.EXPIRED, WeaknessKind.NOT_YET_VALID})

Certificates = Annotated[tuple[CertificateEntry, ...], Field(max_length=CERTIFICATES_MAX)]
Text = Annotated[str, Field(max_length=35)]


class PartnerSection(Section):
    """The other company: its legal identity and its EDI identity."""

    legal_name: str = Field(description="the company's name, as on its invoices", min_length=1, max_length=175)
    gln: Gln = Field(description="its GLN, 13 digits")
    country: Country = Field(default="FR", description="ISO 3166-1 alpha-2")
    siren: OptionalSiren = Field(default="", description="its SIREN, 9 digits")
    vat_number: OptionalVatNumber = Field(default="", description="its VAT number with the country")
    street: str = Field(default="", max_length=140)
    postcode: Annotated[str, Field(max_length=17)] = ""
    city: Text = ""
    iban: OptionalIban = Field(default="", description="account that it is paid to, electronic form")
    bic: OptionalBic = Field(default="", description="bank of that account")
    language: Literal["", "fr", "en"] = Field(
        default="", description="of the texts that they are sent; default: fr in France, en elsewhere"
    )

    @model_validator(mode="after")
    def _is_one_company(self) -> PartnerSection:
        of_vat = identifiers.siren_of_vat_number(self.vat_number)
        if self.siren and of_vat and of_vat != self.siren:
            raise ValueError(f"vat_number belongs to SIREN {of_vat}, siren says {self.siren}; both of one company")
        return self


class As2Section(Section):
    """What is agreed about AS2."""

    their_id: As2Name = Field(description="their AS2 name, case-sensitive")
    our_id: OptionalAs2Name = Field(
        default="", validate_default=True, description="our AS2 name towards them; default: identity.as2_id"
    )
    url: HttpUrl = Field(description="where we POST")
    mdn_url: OptionalHttpUrl = Field(default="", description="where we POST asynchronous MDNs; theirs must match it")
    # These two stand first because the certificates are judged by them.
    accepted_digests: frozenset[Digest] = Field(
        default=frozenset({Digest.SHA256, Digest.SHA384, Digest.SHA512}),
        min_length=1,
        description="digests of their signatures; sha-1 only for a legacy partner",
    )
    accept_expired_certificates: Flag = Field(default=False, description="verify also with an expired certificate")
    signing_certificates: Certificates = Field(description="theirs: verify their messages and MDNs", min_length=1)
    encryption_certificates: Certificates = Field(
        default=(), description="theirs: encrypt for them; default: the signing certificates"
    )
    require_signature: Flag = Field(default=True, description="refuse what is not signed")
    require_encryption: Flag = Field(default=True, description="refuse what is not encrypted")
    accepted_ciphers: frozenset[Cipher] = Field(
        default=frozenset(
            {Cipher.AES_128_CBC, Cipher.AES_192_CBC, Cipher.AES_256_CBC, Cipher.AES_128_GCM, Cipher.AES_256_GCM}
        ),
        min_length=1,
        description="ciphers of what they send; 3des-cbc only for a legacy partner",
    )
    sign: Flag = Field(default=True, description="sign what we send")
    encrypt: Flag = Field(default=True, description="encrypt what we send")
    digest: Digest = Field(default=Digest.SHA256, description="of our signatures, and the MIC that we ask for")
    signature_scheme: SignatureScheme = SignatureScheme.PKCS1V15
    cipher: Cipher = Cipher.AES_256_CBC
    key_transport: KeyTransport = KeyTransport.PKCS1V15
    compression: Compression = Field(default=Compression.NONE, description="of what we send (RFC 5402)")
    mdn_mode: MdnMode = Field(default=MdnMode.SYNC, description="how we ask for their receipt")
    mdn_signed: Flag = Field(default=True, description="ask for a signed receipt")
    async_status: Literal[0, 200, 202, 204] = Field(
        default=0, description="HTTP status before our asynchronous receipt; 0: 204 from AS2 1.3 on, 200 before"
    )
    mic_by_request: Flag = Field(
        default=False, description="answer with the MIC under the micalg they ask for, not the message's digest"
    )
    content_type: str = Field(
        default="application/edifact", pattern=r"^[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}$"
    )
    transfer_encoding: Literal["binary", "base64"] = "binary"
    version: Literal["1.0", "1.1", "1.2", "1.3"] = Field(
        default="1.2", description="AS2-Version that we announce; 1.3 only if they run it too"
    )
    attachments: Flag = Field(default=False, description="several documents in one transmission are agreed (RFC 6362)")
    certificate_exchange: Flag = Field(
        default=False, description="certificates are exchanged by messages (CEM); none is trusted before you accept it"
    )
    copy_to_ourselves: Flag = Field(default=False, description="encrypt the content key for our certificate too")
    mdn_mic_required: Flag = Field(default=True, description="a positive MDN without MIC is no success")
    accept_canonicalised: Flag = Field(default=False, description="verify also over the content with bare LF made CRLF")
    connections_max: Whole = Field(
        default=2, ge=1, le=64, description="attempts at the same time, over all our machines"
    )
    ordered: Flag = Field(default=False, description="documents take effect one after the other, in both directions")
    attempts_max: Whole = Field(default=40, ge=1, le=100)
    retry_first: Duration = timedelta(minutes=5)
    retry_longest: Duration = timedelta(hours=2)
    deadline: Duration = Field(default=timedelta(hours=48), description="after this a transmission is parked")
    mdn_wait: Duration = Field(default=timedelta(minutes=15), description="an asynchronous MDN is overdue after this")
    timeout: Duration = timedelta(seconds=60)
    inflate_ratio_max: Whole = Field(default=200, ge=2, le=2000)
    payload_bytes_max: Whole = Field(default=2 * 1024**3, ge=1024, le=64 * 1024**3)
    tls: TlsSection = TlsSection.model_construct()
    http: HttpSection = HttpSection()
    access: AccessSection = AccessSection()

    @field_validator("our_id")
    @classmethod
    def _or_identity(cls, our_id: str, info: ValidationInfo) -> str:
        return our_id or _surroundings(info).ours.as2_id

    @field_validator("signing_certificates", "encryption_certificates")
    @classmethod
    def _may_be_relied_on(
        cls, entries: tuple[CertificateEntry, ...], info: ValidationInfo
    ) -> tuple[CertificateEntry, ...]:
        surroundings = _surroundings(info)
        for entry in entries:
            certificate = surroundings.certificate(entry.file)
            if certificate.not_after < surroundings.now and not info.data.get("accept_expired_certificates"):
                ended = f"{certificate.not_after:%Y-%m-%d}"
                raise ValueError(f"{entry.file} expired on {ended}; a valid certificate, or no entry for it")
            signed_with = certificate.signature_digest
            if signed_with and signed_with.weak and signed_with not in info.data.get("accepted_digests", ()):
                raise ValueError(
                    f"{entry.file} is weak: it is signed with {signed_with}; a certificate signed with SHA-2"
                )
        return entries

    @field_validator("accepted_digests")
    @classmethod
    def _no_broken_digest(cls, digests: frozenset[Digest]) -> frozenset[Digest]:
        return _within(digests, LEGACY_DIGESTS)

    @field_validator("accepted_ciphers")
    @classmethod
    def _no_broken_cipher(cls, ciphers: frozenset[Cipher]) -> frozenset[Cipher]:
        return _within(ciphers, LEGACY_CIPHERS)

    @field_validator("digest")
    @classmethod
    def _signs_with_a_strong_digest(cls, digest: Digest, info: ValidationInfo) -> Digest:
        if digest.weak and digest not in info.data.get("accepted_digests", ()):
            strong = ", ".join(sorted(other for other in Digest if not other.weak))
            raise ValueError(f"{digest} is weak; {strong}, or accepted_digests that say the partner is legacy")
        return digest

    @field_validator("cipher")
    @classmethod
    def _encrypts_with_a_strong_cipher(cls, cipher: Cipher) -> Cipher:
        if cipher.weak:
            strong = ", ".join(sorted(other for other in Cipher if not other.weak))
            raise ValueError(f"{cipher} is never sent; {strong}")
        return cipher

    @field_validator("version")
    @classmethod
    def _modern_without_weakness(cls, version: str, info: ValidationInfo) -> str:
        said = info.data
        if version < "1.3" or not {"accepted_digests", "accepted_ciphers", "digest", "key_transport"} <= said.keys():
            return version
        weak = weak_names({said["digest"], *said["accepted_digests"]}, said["accepted_ciphers"], said["key_transport"])
        if weak:
            raise ValueError(f"AS2 1.3 forbids {', '.join(weak)}; others, or version 1.2")
        return version

    @model_validator(mode="after")
    def _agrees_with_itself(self, info: ValidationInfo) -> As2Section:
        if self.their_id == self.our_id:
            raise ValueError(f"their_id and our_id are both {self.our_id!r}; two different AS2 names")
        if self.retry_first > self.retry_longest:
            raise ValueError("retry_first is longer than retry_longest; the first pause is the shortest")
        surroundings = _surroundings(info)
        for entry in self.recipients if self.encrypt else ():
            check_transport(self.key_transport, surroundings.certificate(entry.file), entry.file)
        return self

    @property
    def recipients(self) -> tuple[CertificateEntry, ...]:
        """The certificates that we encrypt for."""
        return self.encryption_certificates or self.signing_certificates


class GuidelineSection(Section):
    """One demand of the partner's own guideline: a place in what they send, and what was agreed there."""

    message: str = Field(description="message type, one that they send")
    path: str = Field(max_length=200, description="such as NAD+SU/RFF+VA, LIN/QTY+21 or BGM/1225")
    status: Literal["", "mandatory", "dependent", "forbidden"] = ""
    length_max: Whole = Field(default=0, ge=0, le=9999, description="characters of the data element")
    codes: tuple[Annotated[str, Field(min_length=1, max_length=35)], ...] = Field(
        default=(), max_length=GUIDELINE_CODES_MAX, description="the values of the data element that are agreed"
    )
    severity: Literal["error", "warning", "info"] = "error"

    @model_validator(mode="after")
    def _can_be_understood(self) -> GuidelineSection:
        row = GuidelineRow(**_values(self))
        if not demands(row):
            raise ValueError(f"nothing is demanded of {self.path}; status, length_max or codes")
        try:
            Guideline.read("", {self.message: {self.path: demands(row)}})
        except GuidelineError as error:
            raise ValueError(str(error).removeprefix(", ")) from None
        return self


class EdifactSection(Section):
    """How interchanges are addressed, written and judged."""

    their_id: str = Field(default="", max_length=35, description="their address in UNB; default: partner.gln")
    their_qualifier: str = Field(default="14", max_length=4, description="0007; 14 is GS1")
    our_id: str = Field(
        default="", max_length=35, validate_default=True, description="our address in UNB; default: identity.gln"
    )
    our_qualifier: str = Field(default="14", max_length=4, description="0007; 14 is GS1")
    syntax_identifier: Literal[
        "UNOA", "UNOB", "UNOC", "UNOD", "UNOE", "UNOF", "UNOG", "UNOH", "UNOI", "UNOJ", "UNOK", "UNOX", "UNOY"
    ] = Field(default="UNOC", description="0001: the character set that we write")
    syntax_version: Literal["1", "2", "3", "4"] = "3"
    agreement: str = Field(default="EANCOM", max_length=35, description="0032")
    send_una: Flag = True
    request_acknowledgement: Flag = Field(default=True, description="0031: ask for a CONTRL")
    contrl_wait: Duration = Field(default=timedelta(minutes=15), description="that CONTRL is overdue after this")
    answer_contrl: Flag = Field(default=True, description="send a CONTRL also where 0031 does not ask")
    test: Flag = Field(default=False, description="0035: what we send is a test")
    accept_test: Flag = Field(default=False, description="take what they mark as a test")
    severities: dict[Annotated[str, Field(pattern="^[A-Z][0-9]{3}$")], Literal["error", "warning", "info", "off"]] = (
        Field(default_factory=dict, max_length=SEVERITIES_MAX, description="finding code = severity with this partner")
    )
    timezone: str = Field(default="Europe/Paris", description="of the times in their documents (IANA)")
    guidelines: tuple[Literal["eancom"], ...] = Field(
        default=(), max_length=len(SHIPPED), description="that their messages are judged by, beside the directory"
    )
    guideline: tuple[GuidelineSection, ...] = Field(
        default=(), max_length=ROWS_MAX, description="[[edifact.guideline]], their own guideline row by row"
    )

    @field_validator("our_id")
    @classmethod
    def _or_identity(cls, our_id: str, info: ValidationInfo) -> str:
        ours = our_id or _surroundings(info).ours.gln
        if not ours:
            raise ValueError("missing; our address here, or identity.gln in gateway.toml")
        return ours

    @field_validator("timezone")
    @classmethod
    def _exists(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{timezone!r} is not a time zone; an IANA name such as Europe/Paris") from None
        return timezone

    @model_validator(mode="after")
    def _addresses_are_glns(self) -> EdifactSection:
        for whose, address, qualifier in (
            ("their", self.their_id, self.their_qualifier),
            ("our", self.our_id, self.our_qualifier),
        ):
            if address and qualifier == "14" and not identifiers.is_gln(address):
                raise ValueError(f"{whose}_id {address!r} is not a GLN; a GLN, or another {whose}_qualifier than 14")
        return self


class MessageSection(Section):
    """One agreed message type in one direction."""

    directory: str = Field(default="D.96A", validate_default=True, description="of the message type")
    type: str = Field(description="such as ORDERS")
    direction: Direction = Field(description="out: we send it; in: they do")
    association: str = Field(default="", pattern="^[A-Z0-9]{0,6}$", description="0057 that we write; default: EANCOM's")

    @field_validator("directory")
    @classmethod
    def _has_tables(cls, name: str) -> str:
        try:
            directory(name)
        except UnknownDirectoryError:
            raise ValueError(f"we have no directory {name[:20]!r}; such as D.96A or D.01B") from None
        return name

    @field_validator("type")
    @classmethod
    def _is_known(cls, message_type: str, info: ValidationInfo) -> str:
        name = info.data.get("directory")
        if name and message_type not in (known := directory(name).message_types):
            raise ValueError(f"{message_type[:20]!r} is no message of {name} that we know; one of {', '.join(known)}")
        return message_type


class TolerancesSection(Section):
    """How far a document may be from what was ordered, confirmed and shipped."""

    price_absolute: Amount = Field(default=Decimal(0), description="a unit, in the order's currency")
    price_percent: Annotated[Amount, Field(le=100)] = Decimal(0)
    quantity_percent: Annotated[Amount, Field(le=100)] = Field(default=Decimal(0), description="of over-shipping")
    absent_line: Literal["unanswered", "accepted", "refused"] = Field(
        default="unanswered", description="a line that an ORDRSP leaves out, unless our order asked for every line (AC)"
    )
    response_code: Literal["lines", "header"] = Field(
        default="lines", description="what counts where the code of an ORDRSP (BGM 1225) and its lines disagree"
    )
    short_shipment: Literal["backorder", "cancel"] = Field(
        default="backorder", description="the rest, where a DESADV is short without a QVR"
    )


Code = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")]
Codes = Annotated[tuple[Code, ...], Field(min_length=1, max_length=8)]
Translations = Annotated[dict[Code, Code], Field(max_length=32)]


class HabitsSection(Section):
    """How they fill their messages, read and written alike. Of several codes the first is written, and counts most."""

    gtin: Codes = Field(default=("EN", "SRV", "UP"), description="7143 of a GTIN, in LIN and PIA")
    supplier_article: Codes = Field(default=("SA",), description="7143 of the vendor's article number")
    buyer_article: Codes = Field(default=("IN", "BP"), description="7143 of our article number")
    isbn: Codes = ("IB",)
    gtin_in_pia: Flag = Field(default=False, description="the GTIN is written in PIA+5, and LIN without an article")
    confirmed_quantity: Annotated[tuple[Literal["21", "12"], ...], Field(min_length=1, max_length=2)] = Field(
        default=("21", "12"), description="QTY of an ORDRSP that confirms; the second counts where the first is absent"
    )
    grand_total: Literal["86", "77", "9"] = Field(default="86", description="MOA of the total of an invoice")
    only_grand_total: Flag = Field(default=False, description="no other total of an invoice is written")
    credit_note_sign: Sign = Field(default=Sign.POSITIVE, description="of the amounts and quantities of credit notes")
    unit: Code = Field(default="PCE", description="6411 that is meant where none is sent")
    units: Translations = Field(default={}, description="their code of a unit = ours")
    parties: Translations = Field(default={}, description="their code of a party (3035) = ours")
    order_types: Translations = Field(default={}, description="their code of an order (BGM 1001) = ours")
    line_actions: Translations = Field(default={}, description="their code of a line (LIN 1229) = ours; only read")
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = Field(
        default="", description='that is meant without a CUX; "": one must be sent'
    )

    @field_validator("parties")
    @classmethod
    def _are_known_roles(cls, parties: dict[str, str]) -> dict[str, str]:
        known = {role.value for role in PartyRole}
        if unknown := sorted(set(parties.values()) - known):
            raise ValueError(f"{', '.join(unknown)} is no party of our records; one of {', '.join(sorted(known))}")
        return parties

    @field_validator("units", "parties", "order_types")
    @classmethod
    def _mean_one_thing_each(cls, codes: dict[str, str]) -> dict[str, str]:
        if len(set(codes.values())) != len(codes):
            raise ValueError("two codes of theirs stand for one of ours; say the one that they are sent")
        return codes

    @model_validator(mode="after")
    def _name_each_code_once(self) -> HabitsSection:
        codes = [*self.gtin, *self.supplier_article, *self.buyer_article, *self.isbn]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"{', '.join(twice)} stands for two kinds of article number")
        return self


class DeadlineSection(Section):
    """One deadline; what is left out is as it comes with the gateway."""

    within: Duration = Field(description="how long it may take, such as 24h")
    working: Flag = Field(description="only working time counts: whole days as working days, the rest in hours")
    then: OverduePolicy = Field(description="remind: tell; hold: wait for an operator; cancel; accept: silence is yes")


def _deadline(kind: DeadlineKind, description: str) -> Any:
    """A deadline of which the file need say only what differs."""
    return Field(default_factory=lambda: DeadlineSection(**_values_of(kind)), description=description)


def _values_of(kind: DeadlineKind) -> dict[str, Any]:
    terms = Deadlines().terms(kind)
    return {"within": terms.within, "working": terms.working, "then": terms.then}


class DeadlinesSection(Section):
    """By when they answer, and the calendar that working time is counted in. CONTRL: edifact.contrl_wait."""

    country: Literal[""] | Country = Field(default="", description="whose public holidays count; default: partner's")
    subdivision: str = Field(default="", max_length=60, description="of that country, such as 57 (Moselle)")
    timezone: str = Field(default="", description="IANA; default: edifact.timezone")
    working_days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        default=("mon", "tue", "wed", "thu", "fri"), min_length=1, max_length=7
    )
    opens: str = Field(default="00:00", pattern=_TIME_OF_DAY, description="when a working day begins")
    closes: str = Field(default="24:00", pattern=_TIME_OF_DAY, description="and ends; 24:00: with the day")
    mdn: DeadlineSection = _deadline(DeadlineKind.MDN, "delivery and receipt of what we send")
    ordrsp: DeadlineSection = _deadline(DeadlineKind.ORDRSP, "their answer to an order")
    ordchg: DeadlineSection = _deadline(DeadlineKind.ORDCHG, "their answer to a change or cancellation of ours")
    ship: DeadlineSection = _deadline(DeadlineKind.SHIP, "the despatch; within: where order and answer name no date")
    cancel_after: DeadlineSection = _deadline(DeadlineKind.CANCEL_AFTER, "DTM 61 of the order; within says nothing")
    desadv: DeadlineSection = _deadline(DeadlineKind.DESADV, "their despatch advice, after the despatch")
    invoic: DeadlineSection = _deadline(DeadlineKind.INVOIC, "their invoice, after the delivery")
    invrpt: DeadlineSection = _deadline(DeadlineKind.INVRPT, "their next stock report")
    waiting: DeadlineSection = _deadline(DeadlineKind.WAITING, "the document that another one waits for")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, said: Any) -> Any:
        """What a deadline does not say stands as it comes with the gateway."""
        if not isinstance(said, dict):
            return said
        partly = {kind.value: said[kind.value] for kind in OVERDUE_POLICIES if isinstance(said.get(kind.value), dict)}
        return {**said, **{name: {**_values_of(DeadlineKind(name)), **terms} for name, terms in partly.items()}}

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, timezone: str) -> str:
        return EdifactSection._exists(timezone) if timezone else timezone

    @field_validator("working_days")
    @classmethod
    def _in_order(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(day for day in WEEKDAYS if day in days)

    @model_validator(mode="after")
    def _can_be(self) -> DeadlinesSection:
        if self.closes <= self.opens:
            raise ValueError(f"it closes at {self.closes}, before it opens at {self.opens}; a later time")
        if self.country and not is_known(self.country, self.subdivision):
            where = f"{self.country} {self.subdivision}".strip()
            raise ValueError(f"the public holidays of {where} are not known; a country code such as FR")
        for kind, policies in OVERDUE_POLICIES.items():
            then = getattr(self, kind.value).then
            if then not in policies:
                raise ValueError(f"{kind.value}.then {then.value!r} makes no sense; one of {', '.join(policies)}")
        return self


class CommissionSection(Section):
    """What the marketplace takes of this vendor's sales."""

    rate: Annotated[Amount, Field(le=1)] = Field(description="a fraction: 0.12 is 12 %")


def _nothing_said() -> Any:
    """A section that the file leaves out is validated like an empty one, so that its defaults see who we are."""
    return {}


class PartnerFile(Section):
    """`partner.toml`: one trading partner and what we agreed."""

    partner: PartnerSection
    as2: As2Section
    edifact: EdifactSection = Field(default_factory=_nothing_said, validate_default=True)
    messages: tuple[MessageSection, ...] = Field(
        min_length=1, max_length=MESSAGES_MAX, description="[[messages]], one a message type and direction"
    )
    tolerances: TolerancesSection = TolerancesSection()
    habits: HabitsSection = HabitsSection()
    deadlines: DeadlinesSection = DeadlinesSection()
    commission: CommissionSection | None = Field(default=None, description="default: the gateway's")

    @field_validator("messages")
    @classmethod
    def _are_agreed_once(cls, messages: tuple[MessageSection, ...]) -> tuple[MessageSection, ...]:
        seen: set[tuple[str, Direction]] = set()
        for message in messages:
            if (message.type, message.direction) in seen:
                raise ValueError(f"{message.type} {message.direction} stands twice; each type once a direction")
            seen.add((message.type, message.direction))
        return messages


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    made = PartnerFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


# --- reading -------------------------------------------------------------------------------------


def read(folder: Folder, ours: Ours, now: datetime) -> Reading:
    """The partnership that a folder describes, or every error in it. `now` is aware; certificates are judged by it."""
    if not _NAME.fullmatch(folder.name):
        named = Problem(folder.path, "", f"{folder.name!r} is not a partner's name", "lower-case letters, digits, -")
        return Reading(None, (named,))
    data = strict_toml.parse(folder.text, folder.path)
    if isinstance(data, Problem):
        return Reading(None, (data,))
    surroundings = _Surroundings(folder.files, ours, now)
    checked = strict_toml.validate(data, PartnerFile, folder.path, context=surroundings)
    if isinstance(checked, list):
        return Reading(None, tuple(checked))
    misplaced_rows = tuple(_misplaced_rows(checked, folder.path))
    if misplaced_rows:
        return Reading(None, misplaced_rows)
    warnings = tuple(_warnings(checked, folder.path, surroundings))
    return Reading(_partnership(folder.name, checked, surroundings), (), warnings)


def conflicts(partnerships: Sequence[Partnership], above: str = "") -> list[Problem]:
    """What two partners both claim: a pair of AS2 names, a pair of EDIFACT addresses, a GLN.

    `above` is the folder that theirs stand in, for messages.
    """
    return [problem for claim in _CLAIMS for problem in _claimed_twice(partnerships, claim, above)]


@dataclass(frozen=True, slots=True)
class _Claim:
    """Something that only one partner may have."""

    key: str
    what: str
    of: Callable[[Partnership], tuple[str, ...]]


_CLAIMS = (
    _Claim("as2.their_id", "the AS2 names", lambda p: (p.as2.their_id, p.as2.our_id)),
    _Claim("edifact.their_id", "the EDIFACT addresses", lambda p: (_their_address(p.edifact), _our_address(p.edifact))),
    _Claim("partner.gln", "the GLN", lambda p: (p.partner.gln,)),
)


def _claimed_twice(partnerships: Sequence[Partnership], claim: _Claim, above: str) -> Iterator[Problem]:
    first: dict[tuple[str, ...], str] = {}
    for partnership in partnerships:
        value = claim.of(partnership)
        owner = first.setdefault(value, partnership.name)
        if owner != partnership.name:
            said = " and ".join(value)
            yield Problem(
                f"{above}{partnership.name}/{FILE}", claim.key, f"{said}: {claim.what} of {owner} too", "its own"
            )


def _their_address(edifact: EdifactPolicy) -> str:
    return f"{edifact.their_id}:{edifact.their_qualifier}"


def _our_address(edifact: EdifactPolicy) -> str:
    return f"{edifact.our_id}:{edifact.our_qualifier}"


def _misplaced_rows(checked: PartnerFile, path: str) -> Iterator[Problem]:
    """Rows of the guideline about messages that they do not send, or places that these have not; rows said twice."""
    sent = {message.type: message.directory for message in checked.messages if message.direction is Direction.IN}
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(checked.edifact.guideline, 1):
        key = f"edifact.guideline[{number}]"
        if row.message not in sent:
            types = ", ".join(sent) or "none is agreed"
            yield Problem(path, f"{key}.message", f"{row.message!r} is not agreed as what they send", types)
        elif reason := _misplaced(row, sent[row.message]):
            yield Problem(path, f"{key}.path", reason, "a place of the message, such as LIN/QTY+21")
        elif (row.message, row.path) in seen:
            yield Problem(path, f"{key}.path", f"{row.path} of {row.message} stands twice", "one row a place")
        seen.add((row.message, row.path))


def _misplaced(row: GuidelineSection, directory_name: str) -> str:
    found = specification(row.message, directory_name)
    read_row = Guideline.read("", {row.message: {row.path: demands(GuidelineRow(**_values(row)))}})
    (restriction,) = read_row.restrictions[row.message]
    return misplaced(restriction, found) if found else f"{row.message} has no tables in {directory_name}"


def _partnership(name: str, checked: PartnerFile, surroundings: _Surroundings) -> Partnership:
    as2 = _values(checked.as2)
    as2["accepted_digests"] = frozenset(digest.value for digest in checked.as2.accepted_digests)
    as2["accepted_ciphers"] = frozenset(cipher.value for cipher in checked.as2.accepted_ciphers)
    as2["signing_certificates"] = _pinned(checked.as2.signing_certificates, surroundings)
    as2["encryption_certificates"] = _pinned(checked.as2.recipients, surroundings)
    as2["tls"] = _tls(checked.as2.tls, surroundings)
    as2["http"] = HttpPolicy(
        credentials=_credentials(checked.as2.http.credentials),
        proxy=checked.as2.http.proxy,
        proxy_credentials=_credentials(checked.as2.http.proxy_credentials),
    )
    access = checked.as2.access
    as2["access"] = AccessPolicy(
        credentials=_credentials(access.credentials),
        client_certificates=_undated(leaves(surroundings, access.client_certificates)),
    )
    edifact = _values(checked.edifact)
    edifact["their_id"] = checked.edifact.their_id or checked.partner.gln
    edifact["guideline"] = tuple(GuidelineRow(**_values(row)) for row in checked.edifact.guideline)
    return Partnership(
        partner=TradingPartner(name=name, **_values(checked.partner)),
        as2=As2Policy(**as2),
        edifact=EdifactPolicy(**edifact),
        messages=tuple(MessageAgreement(**_values(message)) for message in checked.messages),
        tolerances=Tolerances(**_values(checked.tolerances)),
        habits=Habits(**_values(checked.habits)),
        deadlines=_deadlines(checked.deadlines),
        commission_rate=checked.commission.rate if checked.commission else None,
    )


def _deadlines(section: DeadlinesSection) -> Deadlines:
    terms = {kind.value: DeadlineTerms(**_values(getattr(section, kind.value))) for kind in OVERDUE_POLICIES}
    return Deadlines(**_values(section) | terms)


# Algorithms are plain names in a Partnership, which knows nothing of the AS2 engine.
_NAMED = (Digest, Cipher, SignatureScheme, KeyTransport)


def _values(section: Section) -> dict[str, Any]:
    values = {name: getattr(section, name) for name in type(section).model_fields}
    return {name: value.value if isinstance(value, _NAMED) else value for name, value in values.items()}


def _pinned(entries: Iterable[CertificateEntry], surroundings: _Surroundings) -> tuple[DatedCertificate, ...]:
    return tuple(
        DatedCertificate(
            pem=surroundings.certificate(entry.file).pem,
            use_from=_moment(entry.use_from).isoformat() if entry.use_from else "",
        )
        for entry in entries
    )


def _undated(certificates: Iterable[Certificate]) -> tuple[DatedCertificate, ...]:
    return tuple(DatedCertificate(pem=certificate.pem) for certificate in certificates)


def _tls(section: TlsSection, surroundings: _Surroundings) -> TlsPolicy:
    found = leaves if section.trust is TlsTrust.PINNED else bundle
    values = _values(section)
    return TlsPolicy(**values | {"certificates": _undated(found(surroundings, section.certificates))})


def _credentials(section: CredentialsSection | None) -> Credentials | None:
    return Credentials(**_values(section)) if section else None


def _moment(use_from: date | datetime) -> datetime:
    """A date begins at midnight UTC."""
    return use_from if isinstance(use_from, datetime) else datetime.combine(use_from, time(), UTC)


def _surroundings(info: ValidationInfo) -> _Surroundings:
    if not isinstance(info.context, _Surroundings):
        raise TypeError("a partner's file is read by partner_file.read")
    return info.context


def _within(chosen: frozenset[_NameT], legacy: frozenset[_NameT]) -> frozenset[_NameT]:
    if refused := sorted(chosen - legacy):
        raise ValueError(f"{', '.join(refused)} is accepted from nobody; of {', '.join(sorted(legacy))}")
    return chosen


def check_transport(transport: KeyTransport, certificate: Certificate, file: str) -> None:
    """Raises ValueError where content keys cannot travel to this certificate as agreed: reason; expected."""
    elliptic = isinstance(certificate.public_key, EllipticCurvePublicKey)
    if elliptic != (transport is KeyTransport.ECDH):
        fitting = [other.value for other in KeyTransport if elliptic == (other is KeyTransport.ECDH)]
        raise ValueError(
            f"key_transport {transport} does not fit {file}, {certificate.key_description}; {', '.join(fitting)}"
        )


def _warnings(checked: PartnerFile, path: str, surroundings: _Surroundings) -> Iterator[Problem]:
    as2 = checked.as2
    judged = {entry.file: "as2" for entry in (*as2.signing_certificates, *as2.encryption_certificates)}
    judged |= dict.fromkeys(as2.tls.certificates if as2.tls.trust is TlsTrust.PINNED else (), "as2.tls")
    judged |= dict.fromkeys(as2.access.client_certificates, "as2.access")
    for file, key in sorted(judged.items()):
        certificate = surroundings.certificate(file)
        for weakness in weaknesses(certificate, surroundings.now):
            yield Problem(path, key, f"{file}: {weakness.text}")
        if 0 <= certificate.days_left(surroundings.now) <= EXPIRY_WARNING_DAYS:
            yield Problem(
                path, key, f"{file}: it expires on {certificate.not_after:%Y-%m-%d}", "the next one beside it"
            )
    if as2.url.startswith("http:"):
        if not as2.encrypt:
            yield Problem(path, "as2.encrypt", "what we send can be read on the way", "encryption, or an https URL")
        if as2.http.credentials:
            yield Problem(path, "as2.http.credentials", "the password can be read on the way", "an https URL")
