"""The catalogue of this room: structure (D3xx), code lists (C4xx), identifiers (I5xx), and what a partner agreed.

One row a rule: code, level, severity by default, 0085 code of the CONTRL, texts and hints in English
and French. A partnership may grade a rule otherwise; the catalogue says what holds without it. A
finding without a 0085 code is answered by APERAK, never by CONTRL.
"""

from __future__ import annotations

from edi_gateway.edifact.findings import Level, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


def _structure(code: str, severity: Severity, contrl: str | None, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.STRUCTURE, severity, en, fr, hint_en, hint_fr, contrl)


def _code_list(code: str, severity: Severity, contrl: str | None, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.CODE_LIST, severity, en, fr, hint_en, hint_fr, contrl)


def _identifier(code: str, severity: Severity, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.IDENTIFIER, severity, en, fr, hint_en, hint_fr)


def _agreement(code: str, contrl: str, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.SYNTAX, _ERROR, en, fr, hint_en, hint_fr, contrl)


# Segments and groups

SEGMENT_MISSING = _structure(
    "D301",
    _ERROR,
    "13",
    "The mandatory segment {segment} is missing after segment {position}",
    "Le segment obligatoire {segment} manque après le segment {position}",
    "Add {segment} after segment {position}",
    "Ajoutez {segment} après le segment {position}",
)
GROUP_MISSING = _structure(
    "D302",
    _ERROR,
    "13",
    "The mandatory segment group {expected}, which begins with {segment}, is missing after segment {position}",
    "Le groupe de segments obligatoire {expected}, qui commence par {segment}, manque après le segment {position}",
    "Add the group, beginning with {segment}, after segment {position}",
    "Ajoutez le groupe, en commençant par {segment}, après le segment {position}",
)
SEGMENT_TOO_LATE = _structure(
    "D303",
    _ERROR,
    "13",
    "The segment {segment} belongs after segment {position} but stands at position {value}",
    "Le segment {segment} doit suivre le segment {position} mais se trouve en position {value}",
    "Move {segment} to its place after segment {position}",
    "Déplacez {segment} à sa place, après le segment {position}",
)
SEGMENT_UNKNOWN = _structure(
    "D304",
    _ERROR,
    "15",
    "The segment {segment} at position {position} does not exist in this message",
    "Le segment {segment} en position {position} n'existe pas dans ce message",
    "Remove {segment}, or send its content in a segment of the message. Possible here: {expected}",
    "Retirez {segment} ou portez son contenu dans un segment du message. Possibles ici : {expected}",
)
SEGMENT_OUT_OF_PLACE = _structure(
    "D305",
    _ERROR,
    "15",
    "The segment {segment} may not stand at position {position}",
    "Le segment {segment} ne peut pas se trouver en position {position}",
    "Put {segment} into its group and order. Possible here: {expected}",
    "Placez {segment} dans son groupe et dans l'ordre. Possibles ici : {expected}",
)
SEGMENT_TOO_OFTEN = _structure(
    "D306",
    _ERROR,
    "35",
    "The segment {segment} at position {position} goes beyond the {expected} that the message allows",
    "Le segment {segment} en position {position} dépasse le nombre permis par le message : {expected}",
    "Send no more than {expected} of it in a row",
    "N'en envoyez pas plus de {expected} à la suite",
)
GROUP_TOO_OFTEN = _structure(
    "D307",
    _ERROR,
    "36",
    "The group {value}, begun by {segment} at position {position}, goes beyond the {expected} that the message allows",
    "Le groupe {value}, ouvert par {segment} en position {position}, dépasse le nombre permis : {expected}",
    "Send the group no more than {expected} times",
    "N'envoyez pas le groupe plus de {expected} fois",
)
NESTING_INDICATOR = _structure(
    "D308",
    _WARNING,
    "34",
    "The tag {segment} carries the nesting indicator {value}, which this message does not use",
    "L'étiquette {segment} porte l'indicateur d'imbrication {value}, que ce message n'utilise pas",
    "Write the tag alone",
    "Écrivez l'étiquette seule",
)

# Elements and components

ELEMENT_MISSING = _structure(
    "D311",
    _ERROR,
    "13",
    "{segment} lacks the mandatory element {expected}",
    "Il manque à {segment} l'élément obligatoire {expected}",
    "Fill element {element} of {segment}, the tag being 1",
    "Remplissez l'élément {element} de {segment}, l'étiquette étant le 1",
)
COMPONENT_MISSING = _structure(
    "D312",
    _ERROR,
    "13",
    "{segment} lacks the mandatory component {expected} in element {element}",
    "Il manque à {segment} le composant obligatoire {expected} dans l'élément {element}",
    "Fill component {component} of element {element}",
    "Remplissez le composant {component} de l'élément {element}",
)
TOO_MANY_ELEMENTS = _structure(
    "D313",
    _ERROR,
    "16",
    "{segment} has more than the {expected} elements of its definition; beyond them stands {value}",
    "{segment} a plus que les {expected} éléments de sa définition ; au-delà se trouve {value}",
    "Check that no element separator is left unreleased in a text, and remove the surplus",
    "Vérifiez qu'aucun séparateur d'élément n'est resté non libéré dans un texte, et retirez le surplus",
)
TOO_MANY_COMPONENTS = _structure(
    "D314",
    _ERROR,
    "16",
    "Element {element} of {segment} has more than the {expected} components of its definition; beyond stands {value}",
    "L'élément {element} de {segment} a plus que les {expected} composants de sa définition ; au-delà : {value}",
    "Check that no component separator is left unreleased in a text, and remove the surplus",
    "Vérifiez qu'aucun séparateur de composant n'est resté non libéré dans un texte, et retirez le surplus",
)
EMPTY_ELEMENTS_AT_END = _structure(
    "D315",
    _WARNING,
    "16",
    "{segment} ends in empty elements beyond the {expected} of its definition; they were ignored",
    "{segment} finit par des éléments vides au-delà des {expected} de sa définition ; ils ont été ignorés",
    "Write no separators after the last element with a value",
    "N'écrivez pas de séparateurs après le dernier élément qui a une valeur",
)
ELEMENT_TOO_OFTEN = _structure(
    "D316",
    _WARNING,
    "35",
    "Element {element} of {segment} occurs {value} times; {expected} allowed",
    "L'élément {element} de {segment} figure {value} fois ; {expected} au plus",
    "Remove the surplus repetitions, or release the repetition separator in a text",
    "Retirez les répétitions en trop, ou libérez le séparateur de répétition dans un texte",
)
WRONG_CHARACTER_TYPE = _structure(
    "D321",
    _ERROR,
    "37",
    "The value {value} in {segment} does not fit the representation {expected}",
    "La valeur {value} dans {segment} ne convient pas à la représentation {expected}",
    "n: digits, with a minus before and a decimal mark between digits at most; a: no digits",
    "n : des chiffres, au plus un moins devant et une marque décimale entre des chiffres ; a : pas de chiffres",
)
TOO_LONG = _structure(
    "D322",
    _ERROR,
    "39",
    "The value {value} in {segment} is longer than {expected}",
    "La valeur {value} dans {segment} dépasse {expected}",
    "Shorten the value, or spread a text over further elements or segments",
    "Raccourcissez la valeur, ou répartissez un texte sur d'autres éléments ou segments",
)
TOO_SHORT = _structure(
    "D323",
    _ERROR,
    "40",
    "The value {value} in {segment} is shorter than {expected}",
    "La valeur {value} dans {segment} est plus courte que {expected}",
    "Write the value at its full, fixed length",
    "Écrivez la valeur à sa longueur fixe",
)
NO_DIGIT_BEFORE_MARK = _structure(
    "D324",
    _ERROR,
    "38",
    "The number {value} in {segment} has no digit before its decimal mark",
    "Le nombre {value} dans {segment} n'a pas de chiffre devant la marque décimale",
    "Write 0 before the decimal mark",
    "Écrivez 0 devant la marque décimale",
)
NO_DIGIT_AFTER_MARK = _structure(
    "D325",
    _ERROR,
    "19",
    "The number {value} in {segment} has no digit after its decimal mark",
    "Le nombre {value} dans {segment} n'a pas de chiffre après la marque décimale",
    "Leave the decimal mark out, or write 0 after it",
    "Omettez la marque décimale, ou écrivez 0 après elle",
)
OTHER_DECIMAL_MARK = _structure(
    "D326",
    _WARNING,
    "19",
    "The number {value} in {segment} uses another decimal mark than UNA declares; it was read",
    "Le nombre {value} dans {segment} utilise une autre marque décimale que celle de UNA ; il a été lu",
    "Write the decimal mark that UNA declares",
    "Écrivez la marque décimale que UNA déclare",
)
LEADING_ZEROS = _structure(
    "D327",
    _WARNING,
    None,
    "The number {value} in {segment} has leading zeros; they were ignored",
    "Le nombre {value} dans {segment} a des zéros en tête ; ils ont été ignorés",
    "Write the number without them",
    "Écrivez le nombre sans eux",
)
NUMBER_PADDED = _structure(
    "D328",
    _WARNING,
    "37",
    "The number {value} in {segment} has blanks or a plus sign; they were ignored",
    "Le nombre {value} dans {segment} contient des blancs ou un signe plus ; ils ont été ignorés",
    "Write the digits alone",
    "Écrivez les chiffres seuls",
)
DATE_IMPOSSIBLE = _structure(
    "D331",
    _ERROR,
    "12",
    "{value} in {segment} is no date or time of the format {expected}",
    "{value} dans {segment} n'est ni une date ni une heure au format {expected}",
    "Write an existing date as {expected}, or name the format used in 2379",
    "Écrivez une date existante au format {expected}, ou indiquez en 2379 le format utilisé",
)
DATE_OF_OTHER_FORMAT = _structure(
    "D332",
    _WARNING,
    None,
    "{value} in {segment} has not the format {expected} that 2379 names",
    "{value} dans {segment} n'a pas le format {expected} que 2379 indique",
    "Write the date as {expected}, or name the format used in 2379",
    "Écrivez la date au format {expected}, ou indiquez en 2379 le format utilisé",
)
DATE_FORMAT_MISSING = _structure(
    "D335",
    _WARNING,
    None,
    "The date {value} in {segment} names no format ({expected}); it is read by its length",
    "La date {value} dans {segment} n'indique pas son format ({expected}) ; elle est lue d'après sa longueur",
    "Name the format in {expected}, such as 102 for CCYYMMDD",
    "Indiquez le format en {expected}, par exemple 102 pour SSAAMMJJ",
)
SECTION_CONTROL = _structure(
    "D333",
    _WARNING,
    "12",
    "UNS says {value} where {expected} separates the sections of this message",
    "UNS indique {value} là où {expected} sépare les sections de ce message",
    "Write UNS+{expected}",
    "Écrivez UNS+{expected}",
)
DEPENDENCY = _structure(
    "D334",
    _ERROR,
    "12",
    "{segment} has element {value} without element {expected}, on which it depends",
    "{segment} a l'élément {value} sans l'élément {expected}, dont il dépend",
    "Send both, or neither",
    "Envoyez les deux, ou aucun",
)
CONTROL_TOTAL = _structure(
    "D341",
    _WARNING,
    None,
    "The control total CNT gives {value}; the message has {expected}",
    "Le total de contrôle CNT donne {value} ; le message a {expected}",
    "Compute the total anew; if it was right when sent, lines were lost",
    "Recalculez le total ; s'il était juste à l'envoi, des lignes se sont perdues",
)
FINDINGS_OMITTED = _structure(
    "D349",
    _WARNING,
    None,
    "The message has more than {expected} findings; further ones are not listed",
    "Le message a plus de {expected} constats ; les suivants ne sont pas listés",
    "Mend the ones listed, then check again",
    "Corrigez ceux de la liste, puis vérifiez à nouveau",
)

FINDINGS_NOT_KEPT = _structure(
    "D350",
    _WARNING,
    None,
    "The messages have more than {expected} findings; {value} of them were told, and are not kept for the answer",
    "Les messages ont plus de {expected} constats ; {value} ont été signalés sans être gardés pour la réponse",
    "The answer names every rejected message; mend the first ones, then check again",
    "La réponse nomme chaque message rejeté ; corrigez les premiers, puis vérifiez à nouveau",
)

# The message as a whole

MESSAGE_TYPE_UNKNOWN = _structure(
    "D351",
    _ERROR,
    "17",
    "Messages of type {value} are not known here",
    "Les messages de type {value} ne sont pas connus ici",
    "Send one of {expected}",
    "Envoyez l'un de ceux-ci : {expected}",
)
DIRECTORY_UNKNOWN = _structure(
    "D352",
    _ERROR,
    "14",
    "The directory {value} is not known here for this message type",
    "Le répertoire {value} n'est pas connu ici pour ce type de message",
    "Send the message by one of {expected}",
    "Envoyez le message selon l'un de ceux-ci : {expected}",
)
DIRECTORY_SUPPOSED = _structure(
    "D353",
    _WARNING,
    None,
    "The directory {value} is not known here; the message was judged by {expected}",
    "Le répertoire {value} n'est pas connu ici ; le message a été jugé selon {expected}",
    "Name in UNH the directory that the message follows",
    "Indiquez dans UNH le répertoire que suit le message",
)
MESSAGE_TYPE_NOT_AGREED = _structure(
    "D354",
    _ERROR,
    "17",
    "Messages of type {value} are not agreed with this partner",
    "Les messages de type {value} ne sont pas convenus avec ce partenaire",
    "Send one of {expected}, or agree on the type first",
    "Envoyez l'un de ceux-ci : {expected}, ou convenez d'abord du type",
)

# What a guideline demands beyond the directory

GUIDELINE_DEMANDS = _structure(
    "D361",
    _ERROR,
    None,
    "{value} is missing; the guideline {expected} demands it",
    "{value} manque ; le guide {expected} l'exige",
    "Send it as the guideline says",
    "Envoyez-le comme le guide le dit",
)
GUIDELINE_FORBIDS = _structure(
    "D362",
    _ERROR,
    None,
    "{segment} holds {value}, which the guideline {expected} leaves out",
    "{segment} porte {value}, que le guide {expected} exclut",
    "Leave it out",
    "Ne l'envoyez pas",
)
GUIDELINE_SHORTENS = _structure(
    "D363",
    _ERROR,
    None,
    "The value {value} in {segment} is longer than agreed ({expected})",
    "La valeur {value} dans {segment} est plus longue que convenu ({expected})",
    "Shorten the value",
    "Raccourcissez la valeur",
)

# Code lists

CODE_UNKNOWN = _code_list(
    "C401",
    _ERROR,
    "12",
    "The code {value} in {segment} is not in its code list ({expected})",
    "Le code {value} dans {segment} n'est pas dans sa liste de codes ({expected})",
    "Use a code of the list in this directory",
    "Utilisez un code de la liste de ce répertoire",
)
PARTNER_CODE = _code_list(
    "C402",
    _WARNING,
    None,
    "The code {value} in {segment} is not in the list of the directory ({expected}); other lists are in use there",
    "Le code {value} dans {segment} n'est pas dans la liste du répertoire ({expected}) ; d'autres listes ont cours",
    "Agree on the code, or use one of the list",
    "Convenez du code, ou utilisez-en un de la liste",
)
GUIDELINE_CODES = _code_list(
    "C403",
    _ERROR,
    None,
    "The code {value} in {segment} is none of those agreed ({expected})",
    "Le code {value} dans {segment} n'est pas de ceux qui sont convenus ({expected})",
    "Use one of the codes agreed",
    "Utilisez l'un des codes convenus",
)

# Identifiers and their check digits

GLN_WRONG = _identifier(
    "I501",
    _ERROR,
    "{value} in {segment} is not a GLN: 13 digits with a right check digit",
    "{value} dans {segment} n'est pas un GLN : 13 chiffres avec une clé juste",
    "Check the location number for a typing error",
    "Vérifiez que le code lieu ne comporte pas de faute de frappe",
)
GTIN_WRONG = _identifier(
    "I502",
    _ERROR,
    "{value} in {segment} is not a GTIN: 8, 12, 13 or 14 digits with a right check digit",
    "{value} dans {segment} n'est pas un GTIN : 8, 12, 13 ou 14 chiffres avec une clé juste",
    "Check the article number for a typing error, or send it under another qualifier",
    "Vérifiez que le code article ne comporte pas de faute de frappe, ou envoyez-le sous un autre qualifiant",
)
SSCC_WRONG = _identifier(
    "I503",
    _ERROR,
    "{value} in {segment} is not an SSCC: 18 digits with a right check digit",
    "{value} dans {segment} n'est pas un SSCC : 18 chiffres avec une clé juste",
    "Check the number on the label of the package",
    "Vérifiez le numéro sur l'étiquette du colis",
)
SSCC_RANGE_WRONG = _identifier(
    "I504",
    _ERROR,
    "The SSCC range {value} in {segment} ends before it begins, or is longer than {expected}",
    "La plage de SSCC {value} dans {segment} finit avant de commencer, ou dépasse {expected}",
    "Send the lower number first, or the numbers one by one",
    "Envoyez d'abord le plus petit numéro, ou les numéros un par un",
)
VAT_NUMBER_WRONG = _identifier(
    "I505",
    _WARNING,
    "{value} in {segment} is not a VAT number of a member state of the European Union",
    "{value} dans {segment} n'est pas un numéro de TVA d'un État membre de l'Union européenne",
    "Write it with its country prefix and without blanks, such as FR11123456782",
    "Écrivez-le avec le préfixe du pays et sans blancs, par exemple FR11123456782",
)
IBAN_WRONG = _identifier(
    "I506",
    _WARNING,
    "{value} in {segment} looks like an IBAN but its check digits are wrong",
    "{value} dans {segment} ressemble à un IBAN mais sa clé est fausse",
    "Check the account number, and write it without blanks",
    "Vérifiez le numéro de compte, et écrivez-le sans blancs",
)
INTERCHANGE_GLN_WRONG = _identifier(
    "I507",
    _WARNING,
    "{value} in {segment} has the qualifier of a GLN but is none",
    "{value} dans {segment} a le qualifiant d'un GLN mais n'en est pas un",
    "Check the check digit, or name the right qualifier (0007)",
    "Vérifiez la clé, ou indiquez le bon qualifiant (0007)",
)

# What was agreed about interchanges; the S28x of the catalogue are kept for these

SENDER_UNKNOWN = _agreement(
    "S281",
    "23",
    "The sender {value} is not known here",
    "L'expéditeur {value} est inconnu ici",
    "Send under the identification and qualifier that were agreed",
    "Envoyez sous l'identification et le qualifiant convenus",
)
RECIPIENT_NOT_US = _agreement(
    "S282",
    "7",
    "The interchange is addressed to {value}, which is not us",
    "L'interchange est adressé à {value}, ce qui n'est pas nous",
    "Address it to {expected}",
    "Adressez-le à {expected}",
)
TEST_NOT_AGREED = _agreement(
    "S283",
    "25",
    "The interchange says that it is a test ({value}); tests are not agreed",
    "L'interchange se déclare comme test ({value}) ; les tests ne sont pas convenus",
    "Leave the test indicator (0035) out, or agree on tests first",
    "Omettez l'indicateur de test (0035), ou convenez d'abord de tests",
)
INTERCHANGE_REPEATED = _agreement(
    "S284",
    "26",
    "An interchange with the control reference {value} was received from this sender before",
    "Un interchange avec la référence de contrôle {value} a déjà été reçu de cet expéditeur",
    "Give each interchange a reference of its own (0020)",
    "Donnez à chaque interchange sa propre référence (0020)",
)

RULES: tuple[Rule, ...] = tuple(value for value in globals().values() if isinstance(value, Rule))
