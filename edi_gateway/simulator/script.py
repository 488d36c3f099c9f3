"""The script of a scenario: what is sent, when, by whom, and what must come of it. Read from `scenario.toml`.

A scenario is a folder with `scenario.toml` and the documents that it names. `docs/scenarios.md` describes the form for
those who write one; the models below are what it is checked against, key by key, before anything is played.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from edi_gateway import strict_toml
from edi_gateway.checked_fields import Country, Duration, Flag, Gln, OptionalSiren, OptionalVatNumber, Whole
from edi_gateway.simulator.behaviours import Behaviour
from edi_gateway.simulator.companies import VENDOR
from edi_gateway.simulator.sight import KINDS
from edi_gateway.strict_toml import Problem, Section

FILE = "scenario.toml"
STEPS_MAX = 200
EXPECTATIONS_MAX = 500
VENDORS_MAX = 10
REPEATED_MAX = 100_000
DOCUMENT_BYTES_MAX = 64 * 1024**2
"""The largest document of a scenario."""
MARKETPLACE_NAME = "marketplace"
RECEIPTS = "receipts"
"""The kind that no store has: what came back where a document was sent again."""


class ScriptRefused(Exception):
    """A scenario that cannot be played; `problems` is the whole list."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def _is_file_name(name: str) -> str:
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or "\\" in name or "\x00" in name:
        raise ValueError(f"{name[:60]!r} is no file of the scenario; a name within its folder, such as ordrsp.edi")
    return name


def _is_aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without its zone; such as 2026-11-22T09:00:00Z")
    return moment


def _is_kind(kind: str) -> str:
    if kind not in (*KINDS, RECEIPTS):
        raise ValueError(f"{kind[:60]!r} cannot be looked at; one of {', '.join((*KINDS, RECEIPTS))}")
    return kind


FileName = Annotated[str, AfterValidator(_is_file_name)]
VendorName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Table = dict[str, Any]


class VendorSection(Section):
    """A vendor: who it is, what was agreed with it, and what it does by itself."""

    name: str = Field(default="", max_length=175, description="its legal name; default: that of the demo's vendor")
    gln: Gln = Field(default=VENDOR.gln, description="its GLN, also its EDIFACT address")
    siren: OptionalSiren = ""
    vat_number: OptionalVatNumber = ""
    country: Country = "FR"
    reads: Flag = Field(default=True, description="false: it gives its MDN, and looks at nothing: no CONTRL comes")
    behaviours: tuple[Behaviour, ...] | None = Field(
        default=None, description="how it answers orders by itself; default: it does only what the steps say"
    )
    stock: FileName = Field(default="", validate_default=False, description="an InventoryReport record: its shelves")
    agreement: Table = Field(default={}, description="laid over the partner.toml that the marketplace has of it")
    own_agreement: Table = Field(default={}, description="laid over the partner.toml that it has of the marketplace")


class PlaceOrder(Section):
    """The shop hands over an order."""

    file: FileName = Field(description="an Order record as JSON")
    vendor: VendorName = "vendor"
    payment: Literal["pending", "accepted"] = "accepted"


class DecidePayment(Section):
    """The payment provider decides."""

    order: str
    vendor: VendorName = "vendor"
    state: Literal["accepted", "refused"]


class Send(Section):
    """A vendor sends a document as it stands."""

    file: FileName = Field(default="", validate_default=False, description="an interchange")
    text: str = Field(default="", description="the interchange itself, instead of a file")
    vendor: VendorName = "vendor"
    signed_by: Literal["vendor", "stranger"] = Field(
        default="vendor", description="stranger: with a key that nobody was told of"
    )
    repeated: Whole = Field(
        default=1, ge=1, le=REPEATED_MAX, description="how often what stands between {{each}} and {{end}} comes"
    )

    @model_validator(mode="after")
    def _is_one_document(self) -> Send:
        if bool(self.file) == bool(self.text):
            raise ValueError("a document is a file or a text; one of file, text")
        return self


class Resend(Section):
    """A vendor's AS2 program sends the same bytes under the same Message-ID once more."""

    file: FileName = Field(description="a file that was sent before")
    vendor: VendorName = "vendor"


class Write(Section):
    """One side sends a record, written by its own translator."""

    file: FileName = Field(description="the record as JSON")
    type: str = Field(description="the message type, such as INVRPT", pattern="^[A-Z]{6}$")
    vendor: VendorName = "vendor"
    by: Literal["vendor", "marketplace"] = "vendor"


class Announce(Section):
    """A vendor reports what is on its shelves, by its own behaviours."""

    vendor: VendorName = "vendor"


class Behave(Section):
    """From here on a vendor answers otherwise."""

    behaviours: tuple[Behaviour, ...]
    orders: str = Field(default="", max_length=35, description="only orders whose number begins so; default: all")
    vendor: VendorName = "vendor"


class CommissionOf(Section):
    """The marketplace invoices its commission for a cycle."""

    start: date
    end: date
    vendor: VendorName = "vendor"


class Cancel(Section):
    """The shop cancels an order: with the vendor's yes (ORDCHG) where it has left."""

    order: str
    vendor: VendorName = "vendor"
    reason: str = ""


class ChangeOrder(Section):
    """The shop changes an order: with the vendor's yes (ORDCHG) where it has left."""

    order: str
    file: FileName = Field(description="a ChangeRequest as JSON: lines, delivery_window, reason")
    vendor: VendorName = "vendor"


class Replay(Section):
    """An operator tries a message again."""

    type: str = Field(pattern="^[A-Z]{6}$")
    document: str = Field(description="its document number (BGM 1004)")


class ExpectSection(Section):
    """What must be seen of one kind of thing."""

    of: Annotated[str, AfterValidator(_is_kind)] = Field(description="the kind: orders, messages, events ...")
    at: str = Field(default=MARKETPLACE_NAME, description="at whose gateway; default: the marketplace's")
    where: Table = Field(default={}, description="which of them; default: all")
    count: Whole | None = Field(default=None, ge=0, description="how many there are; default: at least one")
    have: Table | tuple[Table, ...] = Field(
        default={}, description="what each of them has; a list: what the first has, the second, and no more of them"
    )
    why: str = Field(default="", max_length=500, description="shown where it is not so")

    @model_validator(mode="after")
    def _is_possible(self) -> ExpectSection:
        if isinstance(self.have, tuple) and self.count is not None:
            raise ValueError("a list in have says how many there are; count or a list")
        if self.count == 0 and self.have:
            raise ValueError("nothing can have anything where count is 0; count or have")
        return self


ACTIONS = (
    "order",
    "payment",
    "change",
    "cancel",
    "send",
    "resend",
    "write",
    "announce",
    "behave",
    "commission",
    "replay",
)
"""The keys of a step of which at most one stands in each."""


class StepSection(Section):
    """One step: time passes, somebody does something, something must be seen."""

    after: Duration = Field(default=timedelta(), validate_default=False, description='how much later, such as "20h"')
    note: str = Field(default="", max_length=500)
    order: PlaceOrder | None = None
    payment: DecidePayment | None = None
    change: ChangeOrder | None = None
    cancel: Cancel | None = None
    send: Send | None = None
    resend: Resend | None = None
    write: Write | None = None
    announce: Announce | None = None
    behave: Behave | None = None
    commission: CommissionOf | None = None
    replay: Replay | None = None
    refused: str | None = Field(
        default=None, description='what is done must be refused, with this in its reason; "" for any reason'
    )
    expect: tuple[ExpectSection, ...] = Field(default=(), max_length=EXPECTATIONS_MAX)

    @model_validator(mode="after")
    def _does_one_thing(self) -> StepSection:
        said = [name for name in ACTIONS if getattr(self, name) is not None]
        if len(said) > 1:
            raise ValueError(f"a step does one thing, this one {' and '.join(said)}; one step for each")
        if self.refused is not None and not said:
            raise ValueError("nothing is done here that could be refused; one of " + ", ".join(ACTIONS))
        if not said and not self.after and not self.expect:
            raise ValueError("an empty step; after, expect, or one of " + ", ".join(ACTIONS))
        return self

    @property
    def action(self) -> Section | None:
        """What is done in this step."""
        return next((found for name in ACTIONS if (found := getattr(self, name)) is not None), None)

    @property
    def said(self) -> str:
        """The step in a few words."""
        name = next((name for name in ACTIONS if getattr(self, name) is not None), "")
        if not name:
            return "time passes" if self.after else "look"
        values = {key: value for key, value in getattr(self, name).model_dump(exclude_defaults=True).items() if value}
        return f"{name} " + " ".join(str(value)[:40].replace("\n", " ") for value in values.values())


class ScriptFile(Section):
    """`scenario.toml`: one scenario."""

    title: str = Field(min_length=1, max_length=200, description="what it shows, in one line")
    about: str = Field(default="", max_length=5000)
    shows: tuple[str, ...] = Field(default=(), max_length=20, description="what it is an example of, such as G1")
    begins: Annotated[datetime, AfterValidator(_is_aware)] = Field(description="when, such as 2026-11-22T09:00:00Z")
    vendors: dict[VendorName, VendorSection] = Field(
        default={"vendor": VendorSection()}, max_length=VENDORS_MAX, min_length=1
    )
    step: tuple[StepSection, ...] = Field(min_length=1, max_length=STEPS_MAX, description="[[step]], in order")
    expect: tuple[ExpectSection, ...] = Field(
        default=(), max_length=EXPECTATIONS_MAX, description="[[expect]]: what must be seen at the end"
    )

    @model_validator(mode="after")
    def _expects_something(self) -> ScriptFile:
        if not self.expect and not any(step.expect or step.refused is not None for step in self.step):
            raise ValueError("nothing is expected; at least one [[expect]] or [[step.expect]]")
        return self


class Script:
    """A scenario that was read: its script, and its documents."""

    def __init__(self, folder: Path, file: ScriptFile, documents: dict[str, bytes]) -> None:
        self.folder = folder
        self.file = file
        self.documents = documents

    @property
    def name(self) -> str:
        return self.folder.name


def read(folder: Path) -> Script:
    """The scenario in a folder, checked as a whole. Raises ScriptRefused with every fault."""
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise ScriptRefused([Problem(str(path), "", reason, "a folder with scenario.toml, UTF-8")]) from None
    data = strict_toml.parse(text, str(path))
    if isinstance(data, Problem):
        raise ScriptRefused([data])
    checked = strict_toml.validate(data, ScriptFile, str(path))
    if isinstance(checked, list):
        raise ScriptRefused(checked)
    problems, documents = _documents(folder, checked, str(path))
    problems += _unknown_names(checked, str(path))
    if problems:
        raise ScriptRefused(problems)
    return Script(folder, checked, documents)


def _documents(folder: Path, file: ScriptFile, path: str) -> tuple[list[Problem], dict[str, bytes]]:
    problems: list[Problem] = []
    documents: dict[str, bytes] = {}
    for key, name in _file_names(file):
        if name in documents:
            continue
        found = folder / name
        try:
            if not found.resolve().is_relative_to(folder.resolve()):
                raise ValueError("it lies outside of the folder")
            if found.stat().st_size > DOCUMENT_BYTES_MAX:
                raise ValueError(f"it has more than {DOCUMENT_BYTES_MAX} bytes")
            documents[name] = found.read_bytes()
        except FileNotFoundError:
            problems.append(Problem(path, key, f"no file {name!r}", f"a file in {folder}"))
        except (OSError, ValueError) as error:
            problems.append(Problem(path, key, f"{name!r} cannot be read: {error}", f"a file in {folder}"))
    return problems, documents


def _file_names(file: ScriptFile) -> list[tuple[str, str]]:
    """(key, name) of every document that the script names."""
    named = [(f"vendors.{name}.stock", vendor.stock) for name, vendor in file.vendors.items()]
    for number, step in enumerate(file.step, 1):
        for action in ("order", "change", "send", "resend", "write"):
            section = getattr(step, action)
            if section is not None:
                named.append((f"step[{number}].{action}.file", section.file))
    return [(key, name) for key, name in named if name]


def _unknown_names(file: ScriptFile, path: str) -> list[Problem]:
    """Steps of vendors, and looks at gateways, that the script does not have; what was never sent and comes again."""
    vendors = ", ".join(file.vendors)
    problems: list[Problem] = []
    sent: set[str] = set()
    for number, step in enumerate(file.step, 1):
        name = getattr(step.action, "vendor", None)
        if name is not None and name not in file.vendors:
            problems.append(Problem(path, f"step[{number}]", f"there is no vendor {name!r}", f"one of {vendors}"))
        if step.resend is not None and step.resend.file not in sent:
            expected = "a file that an earlier step sends"
            problems.append(
                Problem(path, f"step[{number}].resend.file", f"{step.resend.file!r} was not sent", expected)
            )
        if step.send is not None:
            sent.add(step.send.file)
        problems += _unknown_places(step.expect, file, path, f"step[{number}].expect")
    return problems + _unknown_places(file.expect, file, path, "expect")


def _unknown_places(expected: tuple[ExpectSection, ...], file: ScriptFile, path: str, key: str) -> list[Problem]:
    places = (MARKETPLACE_NAME, *file.vendors)
    return [
        Problem(path, f"{key}[{number}].at", f"{section.at!r} is nobody here", f"one of {', '.join(places)}")
        for number, section in enumerate(expected, 1)
        if section.at not in places
    ]
