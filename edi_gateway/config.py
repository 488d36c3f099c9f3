"""The configuration: `gateway.toml` and `EDI_GATEWAY_...` variables, checked as a whole before anything starts.

Every key has a default, so that an empty folder gives a gateway that runs on loopback with SQLite. A variable
wins over the file. `variables()` is the one table of them; `docs/configuration.md` is made from it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from edi_gateway import strict_toml
from edi_gateway.checked_fields import (
    As2Name,
    Country,
    DatabaseUrl,
    HttpUrl,
    OptionalBic,
    OptionalGln,
    OptionalIban,
    OptionalSiren,
    OptionalVatNumber,
    Whole,
)
from edi_gateway.partnership import PARTNER_VARIABLES
from edi_gateway.strict_toml import SECRET_KEYS, Problem, Section

FILE = "gateway.toml"
PREFIX = "EDI_GATEWAY_"
CONFIG_VARIABLE = PREFIX + "CONFIG"
"""Names the configuration file, where it is not `./gateway.toml`."""

API_TOKEN_CHARACTERS_MIN = 20
API_TOKEN_DIFFERENT_MIN = 8
"""Different characters in it: a word said again and again is long, and guessed first."""


class ConfigError(Exception):
    """The configuration is refused; `problems` is the whole list."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Role(StrEnum):
    """Which side of the trade this gateway stands on."""

    MARKETPLACE = "marketplace"
    VENDOR = "vendor"


def _long_enough(token: SecretStr) -> SecretStr:
    if len(token.get_secret_value()) < API_TOKEN_CHARACTERS_MIN:
        raise ValueError(f"too short for a secret; at least {API_TOKEN_CHARACTERS_MIN} random characters")
    if len(set(token.get_secret_value())) < API_TOKEN_DIFFERENT_MIN:
        raise ValueError(f"too simple for a secret; at least {API_TOKEN_DIFFERENT_MIN} different characters")
    return token


class Identity(Section):
    """Who we are, as documents and AS2 headers say it."""

    name: str = Field(default="Marketplace", description="our legal name")
    as2_id: As2Name = Field(default="MARKETPLACE", description="our AS2 name, case-sensitive")
    gln: OptionalGln = Field(default="", description="our GLN, 13 digits: EDIFACT address and buyer of orders")
    siren: OptionalSiren = Field(default="", description="our SIREN, 9 digits")
    vat_number: OptionalVatNumber = Field(
        default="", description="our VAT number with its country, such as FR40303265045"
    )
    street: str = Field(default="", description="street and number")
    postcode: str = Field(default="", description="postcode")
    city: str = Field(default="", description="city")
    country: Country = Field(default="FR", description="ISO 3166-1 alpha-2")
    iban: OptionalIban = Field(default="", description="account that commission invoices name")
    bic: OptionalBic = Field(default="", description="bank of that account")


class Commission(Section):
    """What the marketplace takes, unless a partnership says otherwise."""

    rate: Decimal = Field(default=Decimal("0.12"), ge=0, le=1, description="fraction of the net amount: 0.12 is 12 %")
    vat_rate: Decimal = Field(default=Decimal(20), ge=0, le=100, description="VAT on the commission, in percent")


class Runner(StrEnum):
    """Who hands out the work."""

    AUTO = "auto"
    EMBEDDED = "embedded"
    PROCRASTINATE = "procrastinate"


class Work(Section):
    """The runner of the work in this process."""

    runner: Runner = Field(
        default=Runner.AUTO, description="embedded, procrastinate (needs PostgreSQL), or auto: what the database allows"
    )
    lease_seconds: Whole = Field(
        default=300, ge=1, le=3600, description="beyond an attempt's own time, until its process is taken for dead"
    )
    stalled_seconds: Whole = Field(
        default=30, ge=1, le=3600, description="a worker that has not been heard of for so long is taken for dead"
    )
    threads: Whole = Field(default=4, ge=1, le=64, description="jobs at the same time")
    sweep_seconds: Whole = Field(default=30, ge=1, le=3600, description="how often lost wake-ups are looked for")


class Limits(Section):
    """Bounds of what is taken in."""

    body_bytes_max: Whole = Field(default=2 * 1024**3, ge=1024, description="largest body of POST /as2")
    api_body_bytes_max: Whole = Field(default=10 * 1024**2, ge=1024, description="largest body of an API request")
    web_threads: Whole = Field(default=8, ge=1, le=256, description="requests at the same time")


def _names(text: str) -> str:
    if any(not part.strip() for part in text.split(",")) and text.strip():
        raise ValueError("an empty name between the commas; such as vendor-a, vendor-b, or * for all")
    return text


class Retention(Section):
    """How long what is kept stays. Invoices and what proves them have a term of their own, which nothing shortens."""

    payload_days: Whole = Field(
        default=730, ge=0, le=36_500, description="payloads and receipts as they travelled; 0: for ever"
    )
    record_days: Whole = Field(
        default=1825, ge=0, le=36_500, description="records, findings and reasons of events; 0: for ever"
    )
    personal_data_days: Whole = Field(
        default=730, ge=0, le=36_500, description="names, addresses, phones, e-mails in records; 0: for ever"
    )
    fiscal_years: Whole = Field(
        default=10, ge=1, le=100, description="whole calendar years for invoices and their proof (France: 6 fiscal, 10)"
    )
    legal_hold: Annotated[str, AfterValidator(_names)] = Field(
        default="", description="partnerships of which nothing is removed, with commas between them; * for all"
    )

    @model_validator(mode="after")
    def _bytes_go_before_their_names(self) -> Retention:
        if self.personal_data_days and not 0 < self.payload_days <= self.personal_data_days:
            raise ValueError("payload_days must be from 1 to personal_data_days: the payloads hold the same data")
        return self

    @property
    def held(self) -> frozenset[str]:
        """The partnerships under legal hold."""
        return frozenset(part.strip() for part in self.legal_hold.split(",") if part.strip())


class Webhooks(Section):
    """How events are sent to the URLs that ask for them (`edi-gateway webhooks`)."""

    addresses: Literal["public", "any"] = Field(
        default="public", description="public: https to public addresses only; any: also http and private networks"
    )
    deadline_hours: Whole = Field(
        default=72, ge=1, le=720, description="an endpoint that takes an event no sooner is parked"
    )


def _payload_place(url: str) -> str:
    parts = urlsplit(url)
    options = parse_qs(parts.query, keep_blank_values=True)
    known = url == "" or (
        parts.scheme == "s3"
        and parts.hostname
        and "@" not in parts.netloc
        and {"endpoint_url", "region"} >= set(options)
    )
    if not known:
        raise ValueError("not a place for payloads; s3://bucket/prefix?endpoint_url=https://…&region=…, no credentials")
    return url


def _networks(text: str) -> str:
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            ip_network(part)
        except ValueError as error:
            raise ValueError(f"{part[:60]!r} is not an address or network: {error}; such as 10.0.0.0/8, ::1") from None
    return text


FORWARDED_HOPS_MAX = 20
"""Proxies before us that are looked through; a request has one or two."""

_FORWARDED_FOR = re.compile(r'(?:^|;)\s*for="?([^";]*)"?', re.IGNORECASE)
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


def _hop(text: str) -> str:
    """The address of one hop, of X-Forwarded-For or of Forwarded (RFC 7239 §4); "" where it says none."""
    named = _FORWARDED_FOR.search(text)
    found = (named[1] if named else text).strip()
    if with_port := _WITH_PORT.fullmatch(found):
        found = with_port[1] or with_port[2]
    try:
        return str(ip_address(found))
    except ValueError:
        return ""


class ReverseProxy(Section):
    """What stands in front of us and ends TLS there."""

    addresses: Annotated[str, AfterValidator(_networks)] = Field(
        default="", description="addresses or networks of proxies that we believe, with commas between them"
    )
    client_certificate_header: str = Field(
        default="",
        pattern="^([A-Za-z0-9-]{1,100})?$",
        description="header in which they hand on a client's TLS certificate, such as Client-Cert (RFC 9440)",
    )

    forwarded_header: Literal["", "X-Forwarded-For", "Forwarded"] = Field(
        default="", description="header to which they add the address of the caller; who guesses passwords waits by it"
    )

    def caller(self, peer: str, forwarded: str) -> str:
        """The address of who called: the rightmost in the value of `forwarded_header` that is no proxy of ours.

        `peer` is where the connection comes from. It is the caller, if it is no proxy that is believed, and stands for
        it where the header says nothing that is an address: what lies left of that anybody may have written.
        """
        address = peer
        for hop in reversed(forwarded.split(",")[-FORWARDED_HOPS_MAX:]):
            if not self.believes(address):
                return address
            named = _hop(hop)
            if not named:
                return address
            address = named
        return address

    def believes(self, address: str) -> bool:
        """Whether a request from this address comes from a proxy that is believed."""
        try:
            caller = ip_address(address)
        except ValueError:
            return False
        if isinstance(caller, IPv6Address) and caller.ipv4_mapped:
            caller = caller.ipv4_mapped
        return any(caller in ip_network(part.strip()) for part in self.addresses.split(",") if part.strip())


_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")


def _mail_addresses(text: str) -> str:
    for part in filter(None, map(str.strip, text.split(","))):
        if not _MAIL_ADDRESS.fullmatch(part):
            raise ValueError(f"{part[:60]!r} is not an e-mail address; such as edi@marketplace.example")
    return text


class Alerts(Section):
    """Who is told of alerts, beside the log."""

    smtp_host: str = Field(default="", description="mail server that takes the alerts; empty: no mail")
    smtp_port: Whole = Field(default=587, ge=1, le=65535, description="its port")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls, tls from the first byte, or none: a server on this machine"
    )
    smtp_user: str = Field(default="", description="user name there, if it asks for one")
    smtp_password: SecretStr | None = Field(default=None, description="password there")
    smtp_password_file: Path | None = Field(
        default=None, description="file that holds the password, readable by its owner only"
    )
    sender: Annotated[str, AfterValidator(_mail_addresses)] = Field(default="", description="From of the mails")
    recipients: Annotated[str, AfterValidator(_mail_addresses)] = Field(
        default="", description="who gets the mails, with commas between them"
    )
    kinds: str = Field(default="", description="kinds that are told, with commas between them; empty: all")
    repeat_hours: Whole = Field(
        default=24, ge=1, le=720, description="the same alert is told once in a window of so many hours"
    )
    feed: Literal["no", "yes"] = Field(default="no", description="yes: webhooks and the API's feed hear of alerts too")

    @model_validator(mode="after")
    def _mails_have_ends(self) -> Alerts:
        if self.smtp_host and not (self.sender and self.recipients):
            raise ValueError("alerts.smtp_host is given; sender and recipients are needed with it")
        return self

    @property
    def recipient_list(self) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.recipients.split(",") if part.strip())

    def wants(self, kind: str) -> bool:
        """Whether alerts of this kind are told."""
        wanted = [part.strip() for part in self.kinds.split(",") if part.strip()]
        return not wanted or kind in wanted


class Config(Section):
    """The whole configuration, checked."""

    role: Role = Field(default=Role.MARKETPLACE, description="marketplace or vendor")
    data_dir: Path = Field(default=Path("data"), description="database, payloads and keys")
    partners_dir: Path = Field(default=Path("partners"), description="one folder a trading partner")
    database_url: DatabaseUrl = Field(
        default_factory=lambda values: f"sqlite:///{values.get('data_dir', 'data')}/gateway.sqlite",
        description="sqlite:/// or postgresql:// URL; default: SQLite in data_dir",
    )
    payload_url: Annotated[str, AfterValidator(_payload_place)] = Field(
        default="",
        description="s3://bucket/prefix?endpoint_url=…&region=… for large payloads; default: files in data_dir",
    )
    host: str = Field(default="127.0.0.1", description="address that the server listens on", min_length=1)
    port: Whole = Field(default=8080, ge=0, le=65535, description="port; 0 takes a free one")
    public_url: HttpUrl = Field(
        default_factory=lambda values: f"http://{values.get('host', '127.0.0.1')}:{values.get('port', 8080)}",
        description="our URL as partners see it, for asynchronous MDNs",
    )
    api_token: Annotated[SecretStr, AfterValidator(_long_enough)] | None = Field(
        default=None, description="bearer token of the API's first administrator; see `edi-gateway tokens`"
    )
    key_passphrase: SecretStr | None = Field(default=None, description="opens our private keys")
    key_file: Path | None = Field(
        default=None, description="file that holds the passphrase, readable by its owner only"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least level that is logged"
    )
    identity: Identity = Identity()
    commission: Commission = Commission()
    work: Work = Work()
    limits: Limits = Limits()
    webhooks: Webhooks = Webhooks()
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    reverse_proxy: ReverseProxy = ReverseProxy()

    @model_validator(mode="after")
    def _runner_has_its_database(self) -> Config:
        if self.work.runner is Runner.PROCRASTINATE and not self.is_on_server:
            raise ValueError("work.runner = procrastinate needs a postgresql:// database_url")
        return self

    @property
    def is_on_server(self) -> bool:
        """Whether the database is a server's, for several machines, and not a file of ours."""
        return not self.database_url.startswith("sqlite")

    @property
    def work_is_distributed(self) -> bool:
        """Whether wake-ups go to all the workers on the database."""
        chosen = self.work.runner
        return self.is_on_server if chosen is Runner.AUTO else chosen is Runner.PROCRASTINATE


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the table of variables."""

    name: str  # EDI_GATEWAY_COMMISSION_RATE
    key: str  # commission.rate
    kind: type  # what its text is read as: int, or str
    default: str
    text: str  # what it says, in one line


def variables() -> tuple[Variable, ...]:
    """Every variable: one for each key of the configuration."""
    return tuple(_variables(Config, ()))


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Config:
    """The configuration of this process.

    The file is `path`, else what EDI_GATEWAY_CONFIG names, else `gateway.toml` where it exists; relative folders
    in the file stand beside it. Raises ConfigError with every fault.
    """
    environment = os.environ if environment is None else environment
    named = path or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    file = named or Path(FILE)
    text = _text(file, required=named is not None)
    config = read(text, str(file), environment, folder=file.parent)
    if _holds_secret(text, str(file)) and file.stat().st_mode & stat.S_IROTH:
        raise ConfigError([Problem(str(file), "", "holds a secret and everybody may read it", f"chmod 600 {file}")])
    return config


def read(text: str, file: str, environment: Mapping[str, str], folder: Path = Path()) -> Config:
    """The configuration in a TOML text and a set of variables; raises ConfigError with every fault."""
    data = strict_toml.parse(text, file)
    if isinstance(data, Problem):
        raise ConfigError([data])
    for key in ("data_dir", "partners_dir", "key_file"):
        if isinstance(data.get(key), str):
            data[key] = str(folder / data[key])
    if isinstance(told := data.get("alerts"), dict) and isinstance(told.get("smtp_password_file"), str):
        told["smtp_password_file"] = str(folder / told["smtp_password_file"])
    sources, problems = _overlay(data, environment)
    checked = strict_toml.validate(data, Config, file)
    if isinstance(checked, Config) and not problems:
        return checked
    faults = [] if isinstance(checked, Config) else checked
    raise ConfigError(problems + [_at_source(fault, sources) for fault in faults])


def _variables(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[Variable]:
    for name, info in model.model_fields.items():
        key = (*above, name)
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _variables(annotation, key)
            continue
        default = "" if info.default_factory or info.default is None else str(info.default)
        kind = int if annotation is int else str
        yield Variable(PREFIX + "_".join(key).upper(), ".".join(key), kind, default, info.description or "")


def _overlay(data: dict[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """Puts the variables into the data; gives (key -> variable) and the unknown variables."""
    table = {variable.name: variable for variable in variables()}
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    for name, text in environment.items():
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE or name.startswith(PARTNER_VARIABLES):
            continue
        variable = table.get(name)
        if variable is None:
            problems.append(Problem(name, "", "unknown variable", _nearest(name, list(table))))
        else:
            _put(data, variable, text)
            sources[variable.key] = name
    return sources, problems


def _put(data: dict[str, Any], variable: Variable, text: str) -> None:
    *sections, name = variable.key.split(".")
    for section in sections:
        inner = data.setdefault(section, {})
        if not isinstance(inner, dict):  # `identity = 3` in the file: the model says so
            return
        data = inner
    data[name] = int(text) if variable.kind is int and text.isdecimal() and text.isascii() else text


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else "a name from `edi-gateway config variables`"


def _at_source(problem: Problem, sources: Mapping[str, str]) -> Problem:
    """A fault in a value that came from a variable names the variable, not the file."""
    variable = sources.get(problem.key)
    return Problem(variable, "", problem.reason, problem.expected) if variable else problem


def _text(file: Path, *, required: bool) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        if not required:
            return ""
        raise ConfigError([Problem(str(file), "", "no such file", "a path to gateway.toml")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(file), "", f"cannot be read: {error}", "a UTF-8 text file")]) from None


def _holds_secret(text: str, file: str) -> bool:
    data = strict_toml.parse(text, file)
    if not isinstance(data, dict):
        return False
    sections = [section for section in data.values() if isinstance(section, dict)]
    return any(SECRET_KEYS & table.keys() for table in (data, *sections))
