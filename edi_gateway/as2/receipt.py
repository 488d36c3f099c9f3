"""What the sender of a transmission asks for by way of a receipt (RFC 4130 §7.3).

`Disposition-Notification-To` counts by its presence alone; `Disposition-Notification-Options` is read by name,
never by position; `Receipt-Delivery-Option` makes the receipt asynchronous.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.disposition import UNSUPPORTED_FORMAT, UNSUPPORTED_MIC_ALGORITHMS, Disposition

OPTIONS_LENGTH_MAX = 4096
SIGNED_RECEIPT_PROTOCOLS = frozenset({"pkcs7-signature", "x-pkcs7-signature"})
KNOWN_OPTIONS = frozenset({"signed-receipt-protocol", "signed-receipt-micalg"})


class Importance(StrEnum):
    """Whether a receipt may be made that does not honour the option (RFC 3798 §2.2)."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class ReceiptOption:
    """One parameter of Disposition-Notification-Options."""

    name: str  # lower case
    importance: Importance
    values: tuple[str, ...]  # as written

    def render(self) -> str:
        return f"{self.name}={self.importance.value}, {', '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class ReceiptRefusal:
    """Why the receipt that was asked for cannot be given; a `failed` disposition (RFC 4130 §7.5.3)."""

    disposition: Disposition
    explanation: str


@dataclass(frozen=True, slots=True)
class ReceiptRequest:
    """The receipt that is asked for."""

    notify: str  # Disposition-Notification-To, only its presence counts
    options: tuple[ReceiptOption, ...] = ()
    delivery_url: str | None = None  # Receipt-Delivery-Option

    @property
    def is_signed(self) -> bool:
        """Whether a signed receipt is asked for, in a protocol that we know."""
        protocol = self.option("signed-receipt-protocol")
        if protocol is None:
            # Some peers name only the algorithms: they mean a signed receipt.
            return bool(self.micalgs)
        return any(value.lower() in SIGNED_RECEIPT_PROTOCOLS for value in protocol.values)

    @property
    def is_asynchronous(self) -> bool:
        """Whether the receipt is to be POSTed to `delivery_url` instead of standing in the response."""
        return self.delivery_url is not None and self.delivery_url.lower().startswith(("http://", "https://"))

    @property
    def micalgs(self) -> tuple[str, ...]:
        """The algorithms that are listed, as written, in the order of preference."""
        option = self.option("signed-receipt-micalg")
        return option.values if option else ()

    def option(self, name: str) -> ReceiptOption | None:
        return next((option for option in self.options if option.name == name), None)

    def digest(self, accepted: Collection[Digest]) -> Digest | None:
        """The first listed algorithm that is supported (draft §8.3); None if the list holds none, or is empty."""
        return next((digest for name in self.micalgs if (digest := Digest.parse(name)) in accepted and digest), None)

    def spelling_of(self, digest: Digest) -> str:
        """How the sender spells the algorithm, or "" if he does not list it."""
        return next((name for name in self.micalgs if Digest.parse(name) is digest), "")

    def refusal(self, accepted: Collection[Digest]) -> ReceiptRefusal | None:
        """Why this receipt cannot be given, or None."""
        return self._protocol_refusal() or self._algorithm_refusal(accepted) or self._delivery_refusal()

    def _protocol_refusal(self) -> ReceiptRefusal | None:
        for option in self.options:
            if option.importance is not Importance.REQUIRED:
                continue
            if option.name not in KNOWN_OPTIONS:
                return ReceiptRefusal(UNSUPPORTED_FORMAT, f"The required option {option.name!r} is not supported.")
            if option.name == "signed-receipt-protocol" and not self.is_signed:
                return ReceiptRefusal(UNSUPPORTED_FORMAT, "Of the receipt protocols only pkcs7-signature is supported.")
        return None

    def _algorithm_refusal(self, accepted: Collection[Digest]) -> ReceiptRefusal | None:
        # An algorithm that is not listed must not be used (draft §8.3), whatever the importance.
        if not self.is_signed or not self.micalgs or self.digest(accepted):
            return None
        names = ", ".join(sorted(digest.value for digest in accepted))
        return ReceiptRefusal(UNSUPPORTED_MIC_ALGORITHMS, f"None of the listed algorithms is accepted; use {names}.")

    def _delivery_refusal(self) -> ReceiptRefusal | None:
        if self.delivery_url is None or self.is_asynchronous:
            return None
        return ReceiptRefusal(UNSUPPORTED_FORMAT, "Receipts are delivered by http or https only.")


def parse_options(text: str) -> tuple[ReceiptOption, ...]:
    """Read Disposition-Notification-Options: any order, case and spacing; a repeated name counts once."""
    options: dict[str, ReceiptOption] = {}
    for piece in text[:OPTIONS_LENGTH_MAX].split(";"):
        name, separator, rest = piece.partition("=")
        name = name.strip().lower()
        if separator and name:
            options.setdefault(name, _parse_option(name, rest))
    return tuple(options.values())


def _parse_option(name: str, rest: str) -> ReceiptOption:
    values = [value.strip().strip('"').strip() for value in rest.split(",")]
    importance = Importance.OPTIONAL
    if values and values[0].lower() in (Importance.REQUIRED, Importance.OPTIONAL):
        importance = Importance(values.pop(0).lower())
    return ReceiptOption(name, importance, tuple(value for value in values if value))


def render_options(options: tuple[ReceiptOption, ...]) -> str:
    """The value of Disposition-Notification-Options."""
    return "; ".join(option.render() for option in options)
