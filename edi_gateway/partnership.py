"""Trading partners and partnerships: who trades with us, and what the two agreed.

A partnership is a value, read from `partners/<name>/partner.toml` (see `edi_gateway.partnership.read`)
and frozen; every rule that differs between partners is a field here, never code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal


class Direction(StrEnum):
    """Seen from us: `IN` is what the partner sends."""

    IN = "in"
    OUT = "out"


class MdnMode(StrEnum):
    """How we ask for the receipt of what we send."""

    SYNC = "sync"
    ASYNC = "async"
    NONE = "none"


class Compression(StrEnum):
    """Whether, and at which place, we compress what we send (RFC 5402)."""

    NONE = "none"
    BEFORE_SIGNING = "before-signing"
    AFTER_SIGNING = "after-signing"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingPartner:
    """The other company: its legal identity and its EDI identity."""

    name: str  # the folder's name; unique; lower-case letters, digits, hyphens
    legal_name: str
    gln: str
    country: str = "FR"
    siren: str = ""
    vat_number: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    iban: str = ""
    bic: str = ""
    language: str = ""  # fr | en, of the texts that they are sent; "": French in France, English elsewhere

    @property
    def speaks(self) -> Literal["en", "fr"]:
        """The language of the texts that they are sent."""
        return "fr" if self.language == "fr" or (not self.language and self.country == "FR") else "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedCertificate:
    """A certificate pinned for this partnership, PEM, with the time from which it may be used (ISO date or "")."""

    pem: str
    use_from: str = ""


class TlsTrust(StrEnum):
    """What a partner's https server is known by."""

    SYSTEM = "system"  # the authorities of this machine
    AUTHORITIES = "authorities"  # those of this partnership
    PINNED = "pinned"  # its very certificate, whatever name it bears


PARTNER_VARIABLES = "EDI_GATEWAY_SECRET_"
"""Variables that partnerships may name as the place of a password; no other can be named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user name, and the place of its password: a file, or a variable."""

    username: str
    password_file: str = ""
    password_variable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy:
    """How we know their https server, and how it knows us."""

    trust: TlsTrust = TlsTrust.SYSTEM
    certificates: tuple[DatedCertificate, ...] = ()
    server_name: str = ""  # in its certificate; "": the URL's host
    minimum_version: str = "1.2"  # 1.2 | 1.3
    client_certificate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """The way to their server."""

    credentials: Credentials | None = None
    proxy: str = ""
    proxy_credentials: Credentials | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """What they have to show when they POST to us, beyond the signature. Nothing: the signature is enough."""

    credentials: Credentials | None = None
    client_certificates: tuple[DatedCertificate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class As2Policy:
    """What is agreed about AS2 with this partner. Names are case-sensitive (RFC 4130 §6.2)."""

    their_id: str
    our_id: str
    url: str  # where we POST
    mdn_url: str = ""  # where we POST asynchronous MDNs to; theirs must match it
    signing_certificates: tuple[DatedCertificate, ...]  # theirs: verify messages and MDNs
    encryption_certificates: tuple[DatedCertificate, ...]  # theirs: encrypt for them
    # What we demand of what they send.
    require_signature: bool = True
    require_encryption: bool = True
    accepted_digests: frozenset[str] = frozenset({"sha-256", "sha-384", "sha-512"})
    accepted_ciphers: frozenset[str] = frozenset(
        {"aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-256-gcm"}
    )
    # What we send.
    sign: bool = True
    encrypt: bool = True
    digest: str = "sha-256"
    signature_scheme: str = "pkcs1v15"  # pkcs1v15 | pss | ecdsa
    cipher: str = "aes-256-cbc"
    key_transport: str = "pkcs1v15"  # pkcs1v15 | oaep-sha-1 | oaep-sha-256 | oaep-sha-384 | oaep-sha-512 | ecdh
    compression: Compression = Compression.NONE
    mdn_mode: MdnMode = MdnMode.SYNC
    mdn_signed: bool = True
    async_status: int = 0  # HTTP status before our asynchronous receipt; 0: 204 from AS2 1.3 on, 200 before
    mic_by_request: bool = False  # answer with the MIC under the requested micalg instead of the message digest
    content_type: str = "application/edifact"
    transfer_encoding: str = "binary"  # binary | base64
    version: str = "1.2"  # AS2-Version that we announce
    attachments: bool = False  # several documents in one transmission are agreed (RFC 6362), and announced
    certificate_exchange: bool = False  # certificates are exchanged by messages (CEM), and this is announced
    copy_to_ourselves: bool = False  # encrypt the content key for our own certificate too (draft rfc4130bis §7.2)
    # Peculiarities of their software, off unless a diagnosis names the switch.
    mdn_mic_required: bool = True  # a positive MDN without MIC is no success
    accept_canonicalised: bool = False  # verify also over the content with bare LF as CRLF
    accept_expired_certificates: bool = False  # verify also with a pinned certificate that has expired
    # Reliability.
    connections_max: int = 2  # attempts at the same time, over all our machines
    ordered: bool = False  # one document after the other, as they were made; what comes in, as it came
    attempts_max: int = 40  # with the pauses below, more than the deadline holds: time decides, not their number
    retry_first: timedelta = timedelta(minutes=5)
    retry_longest: timedelta = timedelta(hours=2)
    deadline: timedelta = timedelta(hours=48)  # a partner may be down for a day
    mdn_wait: timedelta = timedelta(minutes=15)  # an asynchronous MDN is overdue after this
    timeout: timedelta = timedelta(seconds=60)
    inflate_ratio_max: int = 200
    payload_bytes_max: int = 2 * 1024**3
    # The connection.
    tls: TlsPolicy = TlsPolicy()
    http: HttpPolicy = HttpPolicy()
    access: AccessPolicy = AccessPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineRow:
    """One demand of a partner's own guideline: a place in a message, and what was agreed there."""

    message: str  # such as ORDRSP
    path: str  # such as LIN/QTY+21, or BGM/1225 for a data element
    status: str = ""  # mandatory | dependent | forbidden | "": none of them
    length_max: int = 0  # characters of the data element; 0: as the directory has it
    codes: tuple[str, ...] = ()  # values of the data element; none: as the directory has it
    severity: str = "error"  # error | warning | info


@dataclass(frozen=True, slots=True, kw_only=True)
class EdifactPolicy:
    """How interchanges with this partner are addressed, written and judged."""

    their_id: str  # UNB S002/S003 identifier
    their_qualifier: str = "14"
    our_id: str
    our_qualifier: str = "14"
    syntax_identifier: str = "UNOC"
    syntax_version: str = "3"
    agreement: str = "EANCOM"  # 0032
    send_una: bool = True
    request_acknowledgement: bool = True  # 0031 on what we send
    contrl_wait: timedelta = timedelta(minutes=15)  # the CONTRL that we asked for is overdue after this
    answer_contrl: bool = True  # answer every interchange, also where 0031 does not ask
    test: bool = False  # 0035 on what we send
    accept_test: bool = False  # whether 0035 is accepted inbound
    severities: dict[str, str] = field(default_factory=dict)  # finding code -> error | warning | info | off
    timezone: str = "Europe/Paris"
    guidelines: tuple[str, ...] = ()  # that come with the gateway, such as eancom
    guideline: tuple[GuidelineRow, ...] = ()  # of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAgreement:
    """One agreed message type in one direction."""

    type: str
    direction: Direction
    directory: str = "D.96A"
    association: str = ""  # 0057 that we write


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """How far a document may be from what was ordered, confirmed and shipped."""

    price_absolute: Decimal = Decimal(0)  # per unit, in the order's currency
    price_percent: Decimal = Decimal(0)
    quantity_percent: Decimal = Decimal(0)  # of over-shipping
    absent_line: str = "unanswered"  # unanswered | accepted | refused, for ORDRSP without AC
    response_code: str = "lines"  # lines | header: which counts where an ORDRSP's 1225 and its lines disagree
    short_shipment: str = "backorder"  # backorder | cancel, where a DESADV is short without a QVR


class Sign(StrEnum):
    """How the amounts of a credit note are signed; its type (381) says what it is in any case."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How this partner fills its messages, both ways: what the standard leaves open, or they do otherwise.

    Where codes are listed the first is the one that is written, and counts most where several are read.
    """

    gtin: tuple[str, ...] = ("EN", "SRV", "UP")  # 7143 of the article's GTIN
    supplier_article: tuple[str, ...] = ("SA",)  # 7143 of the vendor's number
    buyer_article: tuple[str, ...] = ("IN", "BP")  # 7143 of our number
    isbn: tuple[str, ...] = ("IB",)
    gtin_in_pia: bool = False  # LIN without an article (C212 empty); the GTIN stands in PIA+5
    confirmed_quantity: tuple[str, ...] = ("21", "12")  # 6063 of the quantity that an ORDRSP confirms
    grand_total: str = "86"  # 5025 of the total of an invoice: 86, 77, 9
    only_grand_total: bool = False  # of the totals of an invoice, none but that one is sent
    credit_note_sign: Sign = Sign.POSITIVE
    unit: str = "PCE"  # 6411 that is meant where none is sent
    units: dict[str, str] = field(default_factory=dict)  # theirs -> ours, such as EA = PCE
    parties: dict[str, str] = field(default_factory=dict)  # 3035, theirs -> ours, such as VN = SU
    order_types: dict[str, str] = field(default_factory=dict)  # BGM 1001 of ORDERS, theirs -> ours, such as 105 = 220
    line_actions: dict[str, str] = field(default_factory=dict)  # LIN 1229, theirs -> ours, such as 6 = 3; only read
    currency: str = ""  # that is meant without a CUX; "": one must be sent


class DeadlineKind(StrEnum):
    """What is expected of the partner by a certain time. CONTRL is agreed in `EdifactPolicy.contrl_wait`."""

    MDN = "mdn"  # the delivery of what we send, with its receipt
    ORDRSP = "ordrsp"  # the answer to an order
    ORDCHG = "ordchg"  # the answer to a change, or to a cancellation that we asked for
    SHIP = "ship"  # the end of the delivery window
    CANCEL_AFTER = "cancel_after"  # the date after which the order lapses (DTM 61)
    DESADV = "desadv"  # the despatch advice, after the despatch that was promised
    INVOIC = "invoic"  # the invoice, after the delivery
    INVRPT = "invrpt"  # the next stock report
    WAITING = "waiting"  # the document that another one waits for


class OverduePolicy(StrEnum):
    """What happens when a deadline has passed; an event and the list of overdue items say so in any case."""

    REMIND = "remind"  # nothing more
    HOLD = "hold"  # the order waits for an operator
    CANCEL = "cancel"  # what is still open of the order is cancelled
    ACCEPT = "accept"  # silence counts as yes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineTerms:
    """How long something may take, whether only working time counts, and what happens then."""

    within: timedelta
    working: bool = False
    then: OverduePolicy = OverduePolicy.REMIND


_DAY, _HOLD, _CANCEL = timedelta(days=1), OverduePolicy.HOLD, OverduePolicy.CANCEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """By when the partner answers, and the calendar that the time is counted in."""

    country: str = ""  # whose public holidays count; "": the partner's
    subdivision: str = ""  # of the country, such as Alsace-Moselle
    timezone: str = ""  # "": that of their documents
    working_days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    opens: str = "00:00"
    closes: str = "24:00"
    mdn: DeadlineTerms = DeadlineTerms(within=timedelta(minutes=30))
    ordrsp: DeadlineTerms = DeadlineTerms(within=_DAY, working=True, then=_HOLD)
    ordchg: DeadlineTerms = DeadlineTerms(within=_DAY, working=True)
    ship: DeadlineTerms = DeadlineTerms(within=3 * _DAY, working=True)
    cancel_after: DeadlineTerms = DeadlineTerms(within=timedelta(hours=1), then=_CANCEL)
    desadv: DeadlineTerms = DeadlineTerms(within=timedelta(minutes=30))
    invoic: DeadlineTerms = DeadlineTerms(within=5 * _DAY, working=True)
    invrpt: DeadlineTerms = DeadlineTerms(within=_DAY, working=True)
    waiting: DeadlineTerms = DeadlineTerms(within=_DAY)

    def terms(self, kind: DeadlineKind) -> DeadlineTerms:
        found: DeadlineTerms = getattr(self, kind.value)
        return found


_REMIND, _ACCEPT = OverduePolicy.REMIND, OverduePolicy.ACCEPT

OVERDUE_POLICIES: Mapping[DeadlineKind, tuple[OverduePolicy, ...]] = {
    DeadlineKind.MDN: (_REMIND,),
    DeadlineKind.ORDRSP: (_REMIND, _HOLD, _CANCEL, _ACCEPT),
    DeadlineKind.ORDCHG: (_REMIND, _HOLD, _ACCEPT),
    DeadlineKind.SHIP: (_REMIND, _HOLD, _CANCEL),
    DeadlineKind.CANCEL_AFTER: (_REMIND, _HOLD, _CANCEL),
    DeadlineKind.DESADV: (_REMIND, _HOLD),
    DeadlineKind.INVOIC: (_REMIND,),
    DeadlineKind.INVRPT: (_REMIND,),
    DeadlineKind.WAITING: (_REMIND,),
}
"""Which policies make sense for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partnership:
    """Us and them: the unit of configuration."""

    partner: TradingPartner
    as2: As2Policy
    edifact: EdifactPolicy
    messages: tuple[MessageAgreement, ...]
    tolerances: Tolerances = Tolerances()
    habits: Habits = Habits()
    deadlines: Deadlines = Deadlines()
    commission_rate: Decimal | None = None  # overrides the gateway's, as a fraction: 0.12

    @property
    def name(self) -> str:
        return self.partner.name

    def agreement(self, message_type: str, direction: Direction) -> MessageAgreement | None:
        return next((m for m in self.messages if m.type == message_type and m.direction is direction), None)
