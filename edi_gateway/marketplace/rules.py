"""The catalogue of business findings: B6xx documents and orders, Q7xx quantities and inventory, F8xx invoices.

What a record says wrong about the trade is a finding here, never an exception. `path` of such a finding
is the place in the record, such as ``lines[2]/quantity``; `value` is what was found.
"""

from __future__ import annotations

from edi_gateway.edifact.findings import Level, Rule, Severity

DUPLICATE, COPY = "7", "31"
"""BGM 1225 of a document that is sent again: a duplicate counts if the original never came, a copy never does."""


def _rule(code: str, severity: Severity, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.BUSINESS, severity, en, fr, hint_en, hint_fr)


UNKNOWN_ORDER = _rule(
    "B601",
    Severity.ERROR,
    "Order {value} is not known for this partner",
    "La commande {value} est inconnue pour ce partenaire",
    "Quote the order number of our ORDERS (BGM 1004) in RFF+ON",
    "Indiquez dans RFF+ON le numéro de notre ORDERS (BGM 1004)",
)
MISSING_ORDER_REFERENCE = _rule(
    "B602",
    Severity.ERROR,
    "No order is named for this line",
    "Aucune commande n'est indiquée pour cette ligne",
    "Send RFF+ON in the header or under the line",
    "Envoyez RFF+ON dans l'en-tête ou sous la ligne",
)
UNKNOWN_LINE = _rule(
    "B603",
    Severity.ERROR,
    "Line {value} is not a line of the order",
    "La ligne {value} n'existe pas dans la commande",
    "Quote our line number in RFF+ON (1156) or the article of the order",
    "Indiquez notre numéro de ligne dans RFF+ON (1156) ou l'article commandé",
)
ARTICLE_DIFFERS = _rule(
    "B604",
    Severity.WARNING,
    "The article {value} is not the one ordered on this line ({expected})",
    "L'article {value} n'est pas celui commandé sur cette ligne ({expected})",
    "Quote the GTIN of the order line",
    "Indiquez le GTIN de la ligne de commande",
)
HEADER_DISAGREES = _rule(
    "B605",
    Severity.WARNING,
    "The response code {value} of the header does not agree with the lines; the lines count",
    "Le code de réponse {value} de l'en-tête contredit les lignes ; les lignes font foi",
    "Send 29 only if every line is accepted as ordered, 27 only if every line is refused, else 4",
    "N'envoyez 29 que si tout est accepté, 27 que si tout est refusé, sinon 4",
)
LINE_NOT_ANSWERED = _rule(
    "B606",
    Severity.ERROR,
    "Line {value} is not answered, though the order asks for every line (AC)",
    "La ligne {value} est sans réponse alors que la commande les exige toutes (AC)",
    "Send one LIN for each line of the order",
    "Envoyez un LIN par ligne de commande",
)
REMAINDER_UNEXPLAINED = _rule(
    "B607",
    Severity.WARNING,
    "Of the {expected} ordered, {value} are neither confirmed, back-ordered, cancelled nor refused",
    "Sur {expected} commandés, {value} ne sont ni confirmés, ni en reliquat, ni annulés, ni refusés",
    "Say with QVR BP or CP, or QTY 83, 182 or 185, what becomes of the rest",
    "Précisez le sort du reste par QVR BP ou CP, ou QTY 83, 182 ou 185",
)
CONFIRMED_TOO_MUCH = _rule(
    "B608",
    Severity.ERROR,
    "The answer adds up to {value}, more than the {expected} ordered",
    "La réponse totalise {value}, plus que les {expected} commandés",
    "A quantity may be lowered, never raised",
    "Une quantité peut être réduite, jamais augmentée",
)
ALREADY_SHIPPED = _rule(
    "B609",
    Severity.WARNING,
    "Line {value} has already been shipped; the new answer changes nothing",
    "La ligne {value} est déjà expédiée ; la nouvelle réponse est sans effet",
    "An answer may be replaced only until the goods are shipped",
    "Une réponse n'est remplaçable que jusqu'à l'expédition",
)
PRICE_PROPOSED = _rule(
    "B610",
    Severity.WARNING,
    "The price {value} is not the ordered price {expected}; it is not accepted by itself",
    "Le prix {value} diffère du prix commandé {expected} ; il n'est pas accepté automatiquement",
    "Agree on the price with the marketplace before invoicing it",
    "Convenez du prix avec la place de marché avant de le facturer",
)
PRICE_NOT_POSITIVE = _rule(
    "B611",
    Severity.ERROR,
    "The price {value} is not greater than zero",
    "Le prix {value} n'est pas supérieur à zéro",
    "Send the agreed net price in PRI+AAA",
    "Envoyez le prix net convenu dans PRI+AAA",
)
LATE_PROMISE = _rule(
    "B612",
    Severity.WARNING,
    "The promised delivery {value} is after the end of the delivery window {expected}",
    "La livraison promise le {value} dépasse la fin de la fenêtre de livraison {expected}",
    "Promise a date within the window, or refuse the line",
    "Promettez une date dans la fenêtre, ou refusez la ligne",
)
AFTER_CANCEL_DATE = _rule(
    "B613",
    Severity.ERROR,
    "The answer of {value} comes after the order's cancel date {expected}",
    "La réponse du {value} arrive après la date d'annulation {expected}",
    "The order has lapsed; nothing of the answer was applied",
    "La commande est caduque ; la réponse n'a pas été appliquée",
)
ORDER_CLOSED = _rule(
    "B614",
    Severity.ERROR,
    "Order {value} is {expected}: it can no longer be answered or shipped",
    "La commande {value} est à l'état {expected} : elle n'accepte plus de réponse ni d'expédition",
    "Ask the marketplace for a new order",
    "Demandez une nouvelle commande à la place de marché",
)
DUPLICATE_DOCUMENT = _rule(
    "B615",
    Severity.ERROR,
    "The document {value} was received before with other content",
    "Le document {value} a déjà été reçu avec un autre contenu",
    "Give a changed document a number of its own",
    "Donnez au document modifié son propre numéro",
)
REPEATED_DOCUMENT = _rule(
    "B616",
    Severity.INFO,
    "The document {value} was received before; it was not applied again",
    "Le document {value} a déjà été reçu ; il n'a pas été appliqué à nouveau",
    "Nothing needs to be done",
    "Aucune action n'est nécessaire",
)
UNMAPPED_RECORD = _rule(
    "B617",
    Severity.ERROR,
    "The message cannot be read as a record: {value}",
    "Le message ne peut être lu comme un enregistrement : {value}",
    "See the findings of the message's fields",
    "Voyez les anomalies des champs du message",
)
NOT_YET_ANSWERED = _rule(
    "B618",
    Severity.WARNING,
    "Order {value} has not been answered yet; the document waits for the answer",
    "La commande {value} est encore sans réponse ; le document attend cette réponse",
    "Send the ORDRSP; the document is applied when it arrives",
    "Envoyez l'ORDRSP ; le document sera appliqué à son arrivée",
)
FUNCTION_NOT_SUPPORTED = _rule(
    "B619",
    Severity.ERROR,
    "The function {value} of this document is not processed here",
    "La fonction {value} de ce document n'est pas traitée ici",
    "Send an original ({expected})",
    "Envoyez un original ({expected})",
)
COPY_IGNORED = _rule(
    "B620",
    Severity.INFO,
    "The document {value} says that it is a copy (1225 = 31); it is kept and not applied",
    "Le document {value} se déclare copie (1225 = 31) ; il est conservé sans être appliqué",
    "Nothing needs to be done",
    "Aucune action n'est nécessaire",
)

CHANGE_AFTER_SHIPMENT = _rule(
    "B661",
    Severity.ERROR,
    "Line {value} has been shipped; it can no longer be cancelled or changed",
    "La ligne {value} est expédiée ; elle ne peut plus être annulée ni modifiée",
    "Agree on a return with the vendor",
    "Convenez d'un retour avec le vendeur",
)
QUANTITY_RAISED = _rule(
    "B662",
    Severity.ERROR,
    "The quantity {value} is not below the {expected} that are still ordered",
    "La quantité {value} n'est pas inférieure aux {expected} encore commandés",
    "A change may lower a quantity, never raise it: place a further order",
    "Une modification peut réduire une quantité, jamais l'augmenter : passez une autre commande",
)
QUANTITY_BELOW_SHIPPED = _rule(
    "B663",
    Severity.ERROR,
    "The quantity {value} is below the {expected} that have been shipped",
    "La quantité {value} est inférieure aux {expected} déjà expédiés",
    "Ask for at least what has been shipped",
    "Demandez au moins ce qui est expédié",
)
NOTHING_TO_CHANGE = _rule(
    "B664",
    Severity.ERROR,
    "The change asks for nothing that the order is not already",
    "La modification ne demande rien que la commande ne soit déjà",
    "Name a line with another quantity, price or window, or cancel the order",
    "Indiquez une ligne avec une autre quantité, un autre prix ou une autre fenêtre, ou annulez la commande",
)
CHANGE_CROSSED = _rule(
    "B665",
    Severity.WARNING,
    "The goods of order {value} had left before the cancellation was answered; it is refused",
    "La marchandise de la commande {value} était partie avant la réponse à l'annulation ; celle-ci est refusée",
    "Nothing needs to be done; the shipment counts",
    "Aucune action n'est nécessaire ; l'expédition fait foi",
)
PREVIOUS_UNKNOWN = _rule(
    "B666",
    Severity.ERROR,
    "The despatch advice {value} that is to be cancelled or changed is not known",
    "L'avis d'expédition {value} à annuler ou modifier est inconnu",
    "Name the earlier despatch advice in RFF+AAK",
    "Indiquez l'avis d'expédition antérieur dans RFF+AAK",
)
SHIPMENT_INVOICED = _rule(
    "B667",
    Severity.ERROR,
    "The despatch advice {value} can no longer be cancelled: its goods have been invoiced",
    "L'avis d'expédition {value} ne peut plus être annulé : la marchandise est facturée",
    "Send a credit note first",
    "Envoyez d'abord un avoir",
)
RECEIVED_DIFFERS = _rule(
    "Q720",
    Severity.WARNING,
    "{value} were received and accepted of the {expected} that were shipped",
    "{value} reçus et acceptés sur les {expected} expédiés",
    "Clear the difference with the carrier and the vendor; what was not accepted is not to be paid",
    "Réglez l'écart avec le transporteur et le vendeur ; ce qui n'est pas accepté n'est pas à payer",
)
OVER_SHIPPED = _rule(
    "Q701",
    Severity.WARNING,
    "{value} more than the {expected} confirmed were shipped",
    "{value} de plus que les {expected} confirmés ont été expédiés",
    "Ship what was confirmed; the excess is not paid without the marketplace's yes",
    "Expédiez la quantité confirmée ; l'excédent n'est pas payé sans accord",
)
QUANTITY_NOT_POSITIVE = _rule(
    "Q702",
    Severity.ERROR,
    "The quantity {value} is not greater than zero",
    "La quantité {value} n'est pas supérieure à zéro",
    "Leave the line out, or send its quantity",
    "Omettez la ligne, ou envoyez sa quantité",
)
QUANTITY_NEGATIVE = _rule(
    "Q710",
    Severity.ERROR,
    "The quantity {value} is below zero; the line is left as it was",
    "La quantité {value} est négative ; la ligne reste inchangée",
    "Only the difference (QVR 6064) may be negative",
    "Seul l'écart (QVR 6064) peut être négatif",
)
NEGATIVE_STOCK = _rule(
    "Q703",
    Severity.ERROR,
    "The stock {value} is below zero",
    "Le stock {value} est négatif",
    "Report stock as zero or more",
    "Déclarez un stock nul ou positif",
)
OLDER_REPORT = _rule(
    "Q704",
    Severity.INFO,
    "The report of {value} is older than the one of {expected} that is already known; it is kept and not applied",
    "L'état du {value} est antérieur à celui du {expected} déjà connu ; il est conservé sans être appliqué",
    "Nothing needs to be done",
    "Aucune action n'est nécessaire",
)
REPORT_FROM_THE_FUTURE = _rule(
    "Q705",
    Severity.ERROR,
    "The report of {value} lies in the future (now {expected})",
    "L'état du {value} est daté du futur (maintenant {expected})",
    "Check the clock and the time zone of the sending system",
    "Vérifiez l'horloge et le fuseau du système émetteur",
)
MOVEMENTS_NOT_AGREED = _rule(
    "Q706",
    Severity.ERROR,
    "An inventory report of type {value} is not agreed; only snapshots ({expected}) are",
    "Un état de stock de type {value} n'est pas convenu ; seuls les instantanés ({expected}) le sont",
    "Send BGM+35",
    "Envoyez BGM+35",
)
ARTICLE_NOT_NAMED = _rule(
    "Q707",
    Severity.ERROR,
    "Line {value} names no article",
    "La ligne {value} ne désigne aucun article",
    "Send a GTIN in LIN or an article number in PIA",
    "Envoyez un GTIN dans LIN ou un numéro d'article dans PIA",
)
SSCC_REUSED = _rule(
    "Q708",
    Severity.WARNING,
    "The SSCC {value} was already used by an earlier shipment",
    "Le SSCC {value} a déjà servi à une expédition antérieure",
    "An SSCC may not be used again within a year (GS1 General Specifications)",
    "Un SSCC ne peut être réutilisé avant un an (spécifications générales GS1)",
)
PACKAGE_TREE = _rule(
    "Q709",
    Severity.ERROR,
    "Package {value} lies in package {expected}, which does not exist or lies in it",
    "Le colis {value} est dans le colis {expected}, absent ou contenu dans le premier",
    "Name an earlier CPS as the parent (7166)",
    "Désignez comme parent (7166) un CPS antérieur",
)

INVOICE_HELD = _rule(
    "F801",
    Severity.WARNING,
    "The invoice does not agree with the order, the shipment or itself: {value}; expected {expected}",
    "La facture ne concorde pas avec la commande, l'expédition ou elle-même : {value} ; attendu {expected}",
    "The invoice is held until the marketplace approves it or a credit note arrives",
    "La facture est bloquée jusqu'à accord de la place de marché ou réception d'un avoir",
)
CREDIT_NOTE_UNREFERENCED = _rule(
    "F804",
    Severity.ERROR,
    "The credit note or corrected invoice {value} does not name the invoice that it corrects",
    "L'avoir ou la facture rectificative {value} ne cite pas la facture rectifiée",
    "Send RFF+IV with the number of the invoice: French law wants it (BR-FR-CO-05)",
    "Indiquez RFF+IV avec le numéro de la facture : le droit français l'exige (BR-FR-CO-05)",
)
INVOICE_TOO_EARLY = _rule(
    "F802",
    Severity.WARNING,
    "The invoice bills goods of order {value} that have not been shipped yet; it is matched again when they are",
    "La facture porte sur des marchandises de la commande {value} non encore expédiées ; elle sera rapprochée ensuite",
    "Send the DESADV",
    "Envoyez le DESADV",
)

ORDER_NUMBER_WRONG = _rule(
    "B630",
    Severity.ERROR,
    "{value} cannot be an order number",
    "{value} ne peut pas être un numéro de commande",
    "1 to 35 of A-Z a-z 0-9 + . _ -, the first a letter or digit",
    "1 à 35 caractères parmi A-Z a-z 0-9 + . _ -, le premier une lettre ou un chiffre",
)
NUMBER_TOO_LONG = _rule(
    "Q712",
    Severity.ERROR,
    "The number {value} is out of bounds: {expected}",
    "Le nombre {value} est hors limites : {expected}",
    "Send a number that the message can carry",
    "Envoyez un nombre que le message peut porter",
)
CURRENCY_UNKNOWN = _rule(
    "B631",
    Severity.ERROR,
    "{value} is not a currency code (ISO 4217)",
    "{value} n'est pas un code de devise (ISO 4217)",
    "Send three capital letters, such as EUR",
    "Envoyez trois majuscules, par exemple EUR",
)
DATE_BEFORE = _rule(
    "B632",
    Severity.ERROR,
    "The date {value} is before {expected}",
    "La date {value} précède le {expected}",
    "Put the dates into order: issue, earliest delivery, latest delivery, cancellation",
    "Ordonnez les dates : émission, livraison au plus tôt, au plus tard, annulation",
)
TIME_WITHOUT_ZONE = _rule(
    "B639",
    Severity.ERROR,
    "The time {value} has no zone",
    "L'heure {value} n'a pas de fuseau",
    "Send a date, or a time with its offset such as 2026-11-24T06:00:00Z",
    "Envoyez une date, ou une heure avec son décalage, par exemple 2026-11-24T06:00:00Z",
)
GLN_WRONG = _rule(
    "B633",
    Severity.ERROR,
    "{value} is not a GLN",
    "{value} n'est pas un GLN",
    "A GLN has 13 digits, the last one a check digit",
    "Un GLN a 13 chiffres, le dernier étant la clé",
)
GTIN_WRONG = _rule(
    "B634",
    Severity.ERROR,
    "{value} is not a GTIN",
    "{value} n'est pas un GTIN",
    "A GTIN has 8, 12, 13 or 14 digits, the last one a check digit",
    "Un GTIN a 8, 12, 13 ou 14 chiffres, le dernier étant la clé",
)
PARTY_MISSING = _rule(
    "B635",
    Severity.ERROR,
    "The party {value} is missing",
    "L'intervenant {value} manque",
    "An order names buyer (BY), supplier (SU) and delivery party (DP or ST)",
    "Une commande désigne l'acheteur (BY), le fournisseur (SU) et le lieu de livraison (DP ou ST)",
)
PARTY_DIFFERS = _rule(
    "B636",
    Severity.ERROR,
    "The party {segment} has the GLN {value}, but this order is for {expected}",
    "L'intervenant {segment} a le GLN {value}, mais cette commande est pour {expected}",
    "Send the order to the partner that it names",
    "Envoyez la commande au partenaire qu'elle désigne",
)
LINE_COUNT = _rule(
    "B637",
    Severity.ERROR,
    "{value} is out of bounds: {expected}",
    "{value} est hors limites : {expected}",
    "Split the order, or number its lines from 1",
    "Scindez la commande, ou numérotez ses lignes à partir de 1",
)
LINE_NUMBER_REPEATED = _rule(
    "B638",
    Severity.ERROR,
    "The line number {value} is used more than once",
    "Le numéro de ligne {value} est utilisé plusieurs fois",
    "Give each line a number of its own",
    "Donnez à chaque ligne son propre numéro",
)
QUANTITY_NOT_WHOLE = _rule(
    "Q711",
    Severity.ERROR,
    "The quantity {value} is not whole, though the unit is {expected}",
    "La quantité {value} n'est pas entière alors que l'unité est {expected}",
    "Send a whole number, or a unit of measure such as KGM",
    "Envoyez un nombre entier, ou une unité de mesure comme KGM",
)
AMOUNT_DIFFERS = _rule(
    "F803",
    Severity.ERROR,
    "The amount {value} is not what the order comes to: {expected}",
    "Le montant {value} n'est pas celui de la commande : {expected}",
    "Amount = quantity x price / price basis; total = sum of the lines",
    "Montant = quantité x prix / base de prix ; total = somme des lignes",
)

HELD = frozenset({ARTICLE_DIFFERS, PRICE_PROPOSED, OVER_SHIPPED, INVOICE_HELD})
"""Warnings after which something waits though the document was applied: the partner is told of them too."""

RULES: tuple[Rule, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
