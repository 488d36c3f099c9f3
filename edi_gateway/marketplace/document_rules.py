"""What the shorter documents must not say: order changes, receiving advices, remittances, sales and prices.

B64x documents and lines, Q73x quantities, F83x amounts and prices. `path` of such a finding is the place in the
record; `value` is what was found, `expected` what would agree.
"""

from __future__ import annotations

from edi_gateway.edifact.findings import Level, Rule, Severity
from edi_gateway.marketplace.moments import instant
from edi_gateway.marketplace.parties import Period


def ends_too_early(period: Period | None) -> bool:
    """Whether a period ends before it begins; an open one does not."""
    if period is None or period.start is None or period.end is None:
        return False
    return instant(period.end) < instant(period.start)


def _rule(code: str, en: str, fr: str, hint_en: str, hint_fr: str, severity: Severity = Severity.ERROR) -> Rule:
    return Rule(code, Level.BUSINESS, severity, en, fr, hint_en, hint_fr)


LINE_TWICE = _rule(
    "B640",
    "Line {value} stands twice in the document",
    "La ligne {value} figure deux fois dans le document",
    "Say everything about a line in one LIN",
    "Dites tout ce qui concerne une ligne dans un seul LIN",
)
NOTHING_CHANGED = _rule(
    "B641",
    "{value} changes nothing",
    "{value} ne modifie rien",
    "Send a new quantity, price or date, or another action (LIN 1229)",
    "Envoyez une nouvelle quantité, un prix ou une date, ou une autre action (LIN 1229)",
    Severity.WARNING,
)
PERIOD_REVERSED = _rule(
    "B642",
    "The period ends before it begins",
    "La période se termine avant de commencer",
    "Send the start first: DTM 194 or 90, then 206 or 91",
    "Envoyez d'abord le début : DTM 194 ou 90, puis 206 ou 91",
)
ARTICLE_UNNAMED = _rule(
    "B643",
    "Line {value} does not name its article",
    "La ligne {value} ne nomme pas son article",
    "Send a GTIN in LIN, or an article number in PIA",
    "Envoyez un GTIN dans LIN ou un numéro d'article dans PIA",
)
DOCUMENT_TWICE = _rule(
    "B644",
    "Document {value} is settled twice in one payment",
    "Le document {value} est réglé deux fois dans un même paiement",
    "Name each document in one DOC",
    "Nommez chaque document dans un seul DOC",
)
ADDED_WITHOUT_QUANTITY = _rule(
    "Q730",
    "Line {value} is added without a quantity",
    "La ligne {value} est ajoutée sans quantité",
    "Send QTY+21",
    "Envoyez QTY+21",
)
QUANTITY_BELOW_ZERO = _rule(
    "Q731",
    "The quantity {value} is below zero",
    "La quantité {value} est négative",
    "Only QVR says differences; quantities are zero or more",
    "Seul QVR exprime des écarts ; une quantité vaut zéro ou plus",
)
ACCEPTED_NOT_RECEIVED = _rule(
    "Q732",
    "{value} accepted, but {expected} received",
    "{value} acceptés, mais {expected} reçus",
    "What was accepted, damaged and refused adds up to what came (QTY 48, 194; QVR 124, 195, 196)",
    "La somme de l'accepté, de l'avarié et du refusé est ce qui est arrivé (QTY 48, 194 ; QVR 124, 195, 196)",
)
PAYMENT_NOT_BALANCED = _rule(
    "F830",
    "{value} is paid, but the documents make up {expected}",
    "{value} est payé, mais la somme des documents est {expected}",
    "The total (MOA 12) is the sum of what is paid for each document, less deductions",
    "Le total (MOA 12) est la somme payée pour chaque document, déductions faites",
)
PAID_NOT_DUE = _rule(
    "F831",
    "{value} is paid for the document; due less what is deducted is {expected}",
    "{value} est payé pour le document ; le dû moins les déductions donne {expected}",
    "Say each deduction in an AJT with its MOA",
    "Indiquez chaque déduction dans un AJT avec son MOA",
)
CURRENCY_MISSING = _rule(
    "F832",
    "Amounts are sent without their currency",
    "Des montants sont envoyés sans leur devise",
    "Send CUX+2",
    "Envoyez CUX+2",
)
PRICE_BELOW_ZERO = _rule(
    "F833",
    "The price {value} is below zero",
    "Le prix {value} est négatif",
    "Send a price of zero or more",
    "Envoyez un prix nul ou positif",
)
RANGE_REVERSED = _rule(
    "F834",
    "The range of quantities goes from {value} down to {expected}",
    "La plage de quantités va de {value} à {expected}",
    "Send the smaller quantity first (RNG 6162)",
    "Envoyez d'abord la plus petite quantité (RNG 6162)",
)

RULES: tuple[Rule, ...] = (
    LINE_TWICE,
    NOTHING_CHANGED,
    PERIOD_REVERSED,
    ARTICLE_UNNAMED,
    DOCUMENT_TWICE,
    ADDED_WITHOUT_QUANTITY,
    QUANTITY_BELOW_ZERO,
    ACCEPTED_NOT_RECEIVED,
    PAYMENT_NOT_BALANCED,
    PAID_NOT_DUE,
    CURRENCY_MISSING,
    PRICE_BELOW_ZERO,
    RANGE_REVERSED,
)
