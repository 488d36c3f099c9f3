"""What the vendor shipped (DESADV)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from edi_gateway.marketplace.confirmation import Remainder
from edi_gateway.marketplace.parties import ItemIdentity, Moment, Note, Party, QualifiedDate, Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentLine:
    """One LIN within a package: what of which order line is in it."""

    number: int  # LIN 1082
    item: ItemIdentity
    quantity: Decimal  # QTY 12
    unit: str = "PCE"
    ordered: Decimal | None = None  # QTY 21
    free_quantity: Decimal | None = None  # QTY 192
    order_number: str = ""  # RFF ON of the line
    order_line: int | None = None  # RFF ON 1156
    difference: Decimal | None = None  # QVR 6064
    remainder: Remainder | None = None  # QVR 4221
    reason: str = ""  # QVR 4295
    batch: str = ""  # GIN BX
    best_before: Moment | None = None  # DTM 361
    expiry: Moment | None = None  # DTM 36
    references: tuple[Reference, ...] = ()
    description: str = ""  # IMD F
    pack_size: Decimal | None = None  # QTY 59
    serials: tuple[str, ...] = ()  # GIN BN
    notes: tuple[Note, ...] = ()
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM
    other_quantities: tuple[tuple[str, Decimal], ...] = ()  # (6063, quantity) of any other


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """A further PAC of one CPS: packages of another kind, such as the cartons beside the pallets."""

    count: int | None = None  # PAC 7224
    packing_level: str = ""  # PAC 7075
    type: str = ""  # PAC 7065
    marked: str = ""  # PAC 7233
    gross_weight_kg: Decimal | None = None  # MEA PD AAB KGM
    length_cm: Decimal | None = None  # MEA PD LN CMT
    width_cm: Decimal | None = None  # MEA PD WD CMT
    height_cm: Decimal | None = None  # MEA PD HT CMT
    handling: str = ""  # HAN 4079
    ssccs: tuple[str, ...] = ()  # PCI 33E, GIN BJ; ranges expanded


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """EQD and its group: a container or another transport unit."""

    type: str  # EQD 8053, such as CN
    identifier: str = ""  # C237 8260
    size: str = ""  # C224 8155
    gross_weight_kg: Decimal | None = None  # MEA PD AAB KGM
    length_cm: Decimal | None = None
    width_cm: Decimal | None = None
    height_cm: Decimal | None = None
    seals: tuple[str, ...] = ()  # SEL 9308


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One CPS with its PAC, marks and contents. `parent` is the `number` of the enclosing package."""

    number: str  # CPS 7164
    parent: str = ""  # CPS 7166
    level: str = ""  # CPS 7075
    count: int | None = None  # PAC 7224
    type: str = ""  # PAC 7065: 201 pallet, PK package, CT carton
    marked: str = ""  # PAC 7233: 52 marked with SSCC
    gross_weight_kg: Decimal | None = None  # MEA PD AAB KGM
    handling: str = ""  # HAN 4079
    ssccs: tuple[str, ...] = ()  # PCI 33E, GIN BJ; ranges expanded
    lines: tuple[ShipmentLine, ...] = ()
    packing_level: str = ""  # PAC 7075
    length_cm: Decimal | None = None  # MEA PD LN CMT
    width_cm: Decimal | None = None  # MEA PD WD CMT
    height_cm: Decimal | None = None  # MEA PD HT CMT
    further: tuple[Packing, ...] = ()  # any PAC after the first

    @property
    def all_ssccs(self) -> tuple[str, ...]:
        return self.ssccs + tuple(sscc for packing in self.further for sscc in packing.ssccs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """One DESADV."""

    number: str  # BGM 1004
    type: str = "351"  # BGM 1001
    function: str = "9"  # BGM 1225
    issued: Moment  # DTM 137
    shipped: Moment | None = None  # DTM 11
    estimated_arrival: Moment | None = None  # DTM 132, else 17
    order_number: str = ""  # header RFF ON
    delivery_note: str = ""  # RFF DQ
    bill_of_lading: str = ""  # RFF BM
    tracking: str = ""  # RFF CN
    previous: str = ""  # RFF AAK: the despatch advice that this one changes or cancels
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
    transport_mode: str = ""  # TDT 8067
    transport_means: str = ""  # TDT 8179
    carrier: str = ""  # TDT C040 3127
    carrier_name: str = ""  # TDT C040 3128
    packages: tuple[Package, ...] = ()
    total_quantity: Decimal | None = None  # CNT 1
    order_date: Moment | None = None  # DTM 171 of RFF ON
    previous_date: Moment | None = None  # DTM 171 of RFF AAK
    conveyance: str = ""  # TDT 8028
    carrier_agency: str = ""  # TDT C040 3055
    vehicle: str = ""  # TDT C222 8213
    equipment: tuple[Equipment, ...] = ()
    dates: tuple[QualifiedDate, ...] = ()  # any other DTM

    def lines(self) -> tuple[ShipmentLine, ...]:
        return tuple(line for package in self.packages for line in package.lines)
