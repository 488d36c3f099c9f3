"""What a simulated vendor can be ordered to do: one visible table.

Behaviours are combined freely; where two of them answer the same question, the one that stands later in the table
counts. A vendor without any does what its shelves say (`by-stock`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Behaviour(StrEnum):
    """The name of a behaviour, as `--behaviour` takes it."""

    BY_STOCK = "by-stock"
    ACCEPT = "accept"
    PARTIAL = "partial"
    BACK_ORDER = "back-order"
    REFUSE = "refuse"
    PRICE_CHANGE = "price-change"
    LATE = "late"
    SILENT = "silent"
    SPLIT_SHIPMENT = "split-shipment"
    OVER_SHIP = "over-ship"
    OVER_INVOICE = "over-invoice"
    DUPLICATE_INVOICE = "duplicate-invoice"
    CONFLICTING_INVOICE = "conflicting-invoice"
    WRONG_COUNTS = "wrong-counts"
    BAD_CHECK_DIGITS = "bad-check-digits"
    OLDER_INVENTORY = "older-inventory"
    D96A = "d96a"
    D01B = "d01b"
    WRONG_CERTIFICATE = "wrong-certificate"
    ASYNC_MDN = "async-mdn"


@dataclass(frozen=True, slots=True)
class Description:
    """What a behaviour does. `of_connection`: to everything that is sent, whatever order it is about."""

    en: str
    fr: str
    of_connection: bool = False


TABLE: dict[Behaviour, Description] = {
    Behaviour.BY_STOCK: Description(
        "answers by its shelves: accepts what is there, puts the rest on back order, refuses what it does not have",
        "répond selon son stock : accepte le disponible, met le reste en reliquat, refuse ce qu'il n'a pas",
    ),
    Behaviour.ACCEPT: Description(
        "accepts every line as ordered, whatever is on its shelves",
        "accepte chaque ligne telle que commandée, quel que soit son stock",
    ),
    Behaviour.PARTIAL: Description(
        "confirms half of each line, rounded up, and cancels the rest (QVR CP)",
        "confirme la moitié de chaque ligne, arrondie au-dessus, et annule le reste (QVR CP)",
    ),
    Behaviour.BACK_ORDER: Description(
        "confirms half of each line, puts the rest on back order (QVR BP), and ships it in a second DESADV",
        "confirme la moitié de chaque ligne, met le reste en reliquat (QVR BP) et l'expédie dans un second DESADV",
    ),
    Behaviour.REFUSE: Description(
        "refuses the whole order (BGM 27)",
        "refuse toute la commande (BGM 27)",
    ),
    Behaviour.PRICE_CHANGE: Description(
        "confirms and invoices at a price that is 10 % higher",
        "confirme et facture à un prix supérieur de 10 %",
    ),
    Behaviour.LATE: Description(
        "answers only after the time of --delay",
        "ne répond qu'après le délai de --delay",
    ),
    Behaviour.SILENT: Description(
        "never answers an order (its MDN and CONTRL come)",
        "ne répond jamais à une commande (son MDN et son CONTRL arrivent)",
    ),
    Behaviour.SPLIT_SHIPMENT: Description(
        "ships each line in two DESADV, the first with QVR BP, and invoices each",
        "expédie chaque ligne en deux DESADV, le premier avec QVR BP, et facture chacun",
    ),
    Behaviour.OVER_SHIP: Description(
        "ships one unit more than it confirmed of the first line",
        "expédie une unité de plus que confirmé sur la première ligne",
    ),
    Behaviour.OVER_INVOICE: Description(
        "invoices one unit more than it shipped of the first line, with totals that add up",
        "facture une unité de plus qu'expédié sur la première ligne, avec des totaux justes",
    ),
    Behaviour.DUPLICATE_INVOICE: Description(
        "sends each invoice a second time, the same in every field",
        "envoie chaque facture une seconde fois, identique en tout point",
    ),
    Behaviour.CONFLICTING_INVOICE: Description(
        "sends a second invoice under the same number, with other content",
        "envoie une seconde facture sous le même numéro, avec un autre contenu",
    ),
    Behaviour.WRONG_COUNTS: Description(
        "writes UNT and CNT one too high",
        "écrit UNT et CNT avec une unité de trop",
    ),
    Behaviour.BAD_CHECK_DIGITS: Description(
        "writes GTIN and SSCC with a wrong check digit",
        "écrit les GTIN et SSCC avec une clé de contrôle fausse",
    ),
    Behaviour.OLDER_INVENTORY: Description(
        "sends, after each stock report, one of the day before with other figures",
        "envoie, après chaque état de stock, celui de la veille avec d'autres chiffres",
    ),
    Behaviour.D96A: Description("writes D.96A (EANCOM 1997)", "écrit en D.96A (EANCOM 1997)"),
    Behaviour.D01B: Description("writes D.01B (EANCOM 2002)", "écrit en D.01B (EANCOM 2002)"),
    Behaviour.WRONG_CERTIFICATE: Description(
        "signs with a key that nobody was told of",
        "signe avec une clé que personne ne connaît",
        of_connection=True,
    ),
    Behaviour.ASYNC_MDN: Description(
        "asks for asynchronous MDNs",
        "demande des MDN asynchrones",
        of_connection=True,
    ),
}

DIRECTORIES: dict[Behaviour, str] = {Behaviour.D96A: "D.96A", Behaviour.D01B: "D.01B"}

ANSWERS: tuple[Behaviour, ...] = (
    Behaviour.BY_STOCK,
    Behaviour.ACCEPT,
    Behaviour.PARTIAL,
    Behaviour.BACK_ORDER,
    Behaviour.REFUSE,
)
"""Of these one counts for an order: the last of the table that was asked for."""


class BehaviourUnknown(ValueError):
    """No such behaviour."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The behaviours for the orders whose number begins with `prefix`."""

    prefix: str
    behaviours: frozenset[Behaviour]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a vendor behaves: in everything, and by rules for some orders, of which the longest that fits counts."""

    behaviours: frozenset[Behaviour] = frozenset()
    rules: tuple[Rule, ...] = ()

    def towards(self, order_number: str) -> frozenset[Behaviour]:
        """The behaviours that count for this order. A rule for it replaces those of everything but the connection's."""
        fitting = [rule for rule in self.rules if order_number.startswith(rule.prefix)]
        if not fitting:
            return self.behaviours
        chosen = max(fitting, key=lambda rule: len(rule.prefix))
        return chosen.behaviours | {each for each in self.behaviours if TABLE[each].of_connection}

    def with_rule(self, prefix: str, behaviours: Iterable[Behaviour]) -> Manner:
        """The same, with this rule in place of the one of the same prefix; "" is for everything."""
        if not prefix:
            return Manner(frozenset(behaviours), self.rules)
        kept = tuple(rule for rule in self.rules if rule.prefix != prefix)
        return Manner(self.behaviours, (*kept, Rule(prefix, frozenset(behaviours))))


def answering(behaviours: Iterable[Behaviour]) -> Behaviour:
    """Which way of answering counts."""
    asked = set(behaviours)
    return next((each for each in reversed(ANSWERS) if each in asked), Behaviour.BY_STOCK)


def behaviour(name: str) -> Behaviour:
    """The behaviour of that name. Raises BehaviourUnknown."""
    try:
        return Behaviour(name.strip())
    except ValueError:
        raise BehaviourUnknown(f"{name!r} is no behaviour; one of {', '.join(Behaviour)}") from None


def rule(text: str) -> Rule:
    """A rule as `--for` takes it: PREFIX=behaviour,behaviour. Raises BehaviourUnknown."""
    prefix, mark, names = text.partition("=")
    if not mark or not prefix:
        raise BehaviourUnknown(f"{text!r} is no rule; such as MP9=partial,late")
    return Rule(prefix, frozenset(behaviour(name) for name in names.split(",")))


def manner(names: Sequence[str], rules: Sequence[str] = ()) -> Manner:
    """How a vendor behaves that was given these options. Raises BehaviourUnknown."""
    return Manner(frozenset(behaviour(name) for name in names), tuple(rule(text) for text in rules))
