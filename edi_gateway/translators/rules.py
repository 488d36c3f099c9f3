"""The findings of translation: what a message that is right in form still does not say rightly.

B65x dates, codes and what is missing; Q75x quantities and packages; F85x prices, amounts and VAT.
"""

from __future__ import annotations

from edi_gateway.edifact.findings import Level, Rule, Severity

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def _rule(code: str, severity: Severity, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    """Without a 0085 code: a CONTRL never speaks of the business."""
    return Rule(code, Level.BUSINESS, severity, en, fr, hint_en, hint_fr)


FIELD_MISSING = _rule(
    "B650",
    _ERROR,
    "{expected} is missing; without it the message cannot be processed.",
    "{expected} manque ; sans cette donnée le message ne peut pas être traité.",
    "Send {expected}.",
    "Envoyez {expected}.",
)
DATE_UNREADABLE = _rule(
    "B651",
    _ERROR,
    "{value} is not a date or time of format {expected}.",
    "{value} n'est pas une date ou une heure au format {expected}.",
    "Send a date that exists, in the format that 2379 names: 102 CCYYMMDD, 203 CCYYMMDDHHMM.",
    "Envoyez une date qui existe, au format indiqué en 2379 : 102 SSAAMMJJ, 203 SSAAMMJJHHMM.",
)
DATE_BY_LENGTH = _rule(
    "B652",
    _WARNING,
    "{value} does not fit the format {expected}; it was read by its length.",
    "{value} ne correspond pas au format {expected} ; la valeur a été lue d'après sa longueur.",
    "Send the format of the value in 2379.",
    "Indiquez en 2379 le format de la valeur.",
)
PERIOD_FOR_DAY = _rule(
    "B653",
    _INFO,
    "{value} is a period where one day is expected; {expected} was taken.",
    "{value} est une période là où un jour est attendu ; {expected} a été retenu.",
    "Send one date if one day is meant.",
    "Envoyez une date unique si un seul jour est visé.",
)
CODE_NOT_HANDLED = _rule(
    "B654",
    _ERROR,
    "The code {value} cannot be processed here. Possible: {expected}.",
    "Le code {value} ne peut pas être traité ici. Possibles : {expected}.",
    "Send one of {expected}.",
    "Envoyez l'un des codes {expected}.",
)
NOT_AN_INTEGER = _rule(
    "B655",
    _ERROR,
    "{value} is not a whole number.",
    "{value} n'est pas un nombre entier.",
    "Send digits only.",
    "N'envoyez que des chiffres.",
)
LINE_NUMBER_MISSING = _rule(
    "B656",
    _WARNING,
    "The line has no number (1082); it was counted as line {expected}.",
    "La ligne n'a pas de numéro (1082) ; elle a été comptée comme ligne {expected}.",
    "Number the lines in LIN 1082.",
    "Numérotez les lignes dans LIN 1082.",
)
CURRENCY_IMPLIED = _rule(
    "B657",
    _INFO,
    "No currency is sent; {value} was agreed for that.",
    "Aucune devise n'est envoyée ; {value} a été convenue pour ce cas.",
    "Send {expected} with the currency.",
    "Envoyez {expected} avec la devise.",
)
CURRENCY_OF_THE_ORDER = _rule(
    "B658",
    _INFO,
    "No currency is sent; it was read in {value}, that of the order.",
    "Aucune devise n'est envoyée ; le document a été lu en {value}, celle de la commande.",
    "Send {expected} with the currency.",
    "Envoyez {expected} avec la devise.",
)
FINDINGS_OMITTED = _rule(
    "B659",
    _WARNING,
    "The message has more than {expected} findings of translation; further ones are not listed.",
    "Le message a plus de {expected} constats de traduction ; les suivants ne sont pas listés.",
    "Mend the ones listed, then try again.",
    "Corrigez ceux de la liste, puis essayez à nouveau.",
)
QUANTITY_UNREADABLE = _rule(
    "Q750",
    _ERROR,
    "{value} is not a quantity.",
    "{value} n'est pas une quantité.",
    "Send digits with at most one decimal mark.",
    "Envoyez des chiffres avec au plus une marque décimale.",
)
SSCC_RANGE_REFUSED = _rule(
    "Q751",
    _ERROR,
    "{value} is not a range of SSCCs.",
    "{value} n'est pas une plage de SSCC.",
    "Send the first and the last SSCC of the range, each of 18 digits with its check digit, or each SSCC alone.",
    "Envoyez le premier et le dernier SSCC de la plage, de 18 chiffres avec leur clé, ou chaque SSCC séparément.",
)
QUANTITY_TWICE = _rule(
    "Q752",
    _WARNING,
    "A quantity of the same kind was given before for this article and place; {value} was added.",
    "Une quantité de même nature a déjà été donnée pour cet article et ce lieu ; {value} a été ajouté.",
    "Send one quantity of each kind for an article and a place.",
    "Envoyez une seule quantité de chaque nature par article et par lieu.",
)
AMOUNT_UNREADABLE = _rule(
    "F850",
    _ERROR,
    "{value} is not an amount, a price or a rate.",
    "{value} n'est pas un montant, un prix ou un taux.",
    "Send digits with at most one decimal mark.",
    "Envoyez des chiffres avec au plus une marque décimale.",
)
VAT_RATE_MISSING = _rule(
    "F851",
    _ERROR,
    "The tax says neither its rate (5278) nor a category (5305) without one.",
    "La taxe n'indique ni son taux (5278) ni une catégorie (5305) qui s'en passe.",
    "Send the rate in percent, or a category such as Z, E, AE, K, G or O.",
    "Envoyez le taux en pour cent ou une catégorie telle que Z, E, AE, K, G ou O.",
)
PRICE_BASES_DIFFER = _rule(
    "F852",
    _ERROR,
    "The prices of one line are per {value} and per {expected} units.",
    "Les prix d'une même ligne portent sur {value} et sur {expected} unités.",
    "Send all prices of a line on one basis (5284).",
    "Envoyez tous les prix d'une ligne sur une même base (5284).",
)

RULES: tuple[Rule, ...] = (
    FIELD_MISSING,
    DATE_UNREADABLE,
    DATE_BY_LENGTH,
    PERIOD_FOR_DAY,
    CODE_NOT_HANDLED,
    NOT_AN_INTEGER,
    LINE_NUMBER_MISSING,
    CURRENCY_IMPLIED,
    CURRENCY_OF_THE_ORDER,
    FINDINGS_OMITTED,
    QUANTITY_UNREADABLE,
    SSCC_RANGE_REFUSED,
    QUANTITY_TWICE,
    AMOUNT_UNREADABLE,
    VAT_RATE_MISSING,
    PRICE_BASES_DIFFER,
)
