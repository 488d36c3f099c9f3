"""The catalogue of syntax findings (S2xx): bytes, service characters, envelopes.

One row a rule: code, severity by default, 0085 code of the CONTRL, texts and hints in English and
French. A partnership may grade a rule otherwise; the catalogue says what holds without it.
"""

from __future__ import annotations

from edi_gateway.edifact.findings import Level, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


def _rule(code: str, severity: Severity, contrl: str | None, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.SYNTAX, severity, en, fr, hint_en, hint_fr, contrl)


# The file around the interchanges

FILE_EMPTY = _rule(
    "S201",
    _ERROR,
    None,
    "The file is empty",
    "Le fichier est vide",
    "Send the interchange again; nothing arrived of it",
    "Renvoyez l'interchange : rien n'en est arrivé",
)
NOT_EDIFACT = _rule(
    "S202",
    _ERROR,
    None,
    "No interchange begins in the first {expected} bytes; the file begins with {value}",
    "Aucun interchange ne commence dans les {expected} premiers octets ; le fichier commence par {value}",
    "An interchange begins with UNA and UNB, or with UNB; check that this is the right file",
    "Un interchange commence par UNA puis UNB, ou par UNB ; vérifiez que c'est le bon fichier",
)
JUNK_BEFORE = _rule(
    "S203",
    _WARNING,
    None,
    "{expected} bytes before the interchange were skipped: {value}",
    "{expected} octets devant l'interchange ont été ignorés : {value}",
    "Send nothing before UNA or UNB",
    "N'envoyez rien devant UNA ou UNB",
)
JUNK_AFTER = _rule(
    "S204",
    _WARNING,
    None,
    "{expected} bytes after the interchange were skipped: {value}",
    "{expected} octets après l'interchange ont été ignorés : {value}",
    "Send nothing after UNZ but another interchange",
    "N'envoyez rien après UNZ, sinon un autre interchange",
)
BYTE_ORDER_MARK = _rule(
    "S205",
    _WARNING,
    None,
    "A byte order mark before the interchange was skipped",
    "Une marque d'ordre des octets devant l'interchange a été ignorée",
    "Write the file without a byte order mark",
    "Écrivez le fichier sans marque d'ordre des octets",
)
UTF_16 = _rule(
    "S206",
    _WARNING,
    None,
    "The file is written in {value}; it was read as such",
    "Le fichier est écrit en {value} ; il a été lu ainsi",
    "Write the interchange in the character set that UNB declares",
    "Écrivez l'interchange dans le jeu de caractères que UNB annonce",
)
TYPOGRAPHIC_QUOTE = _rule(
    "S207",
    _ERROR,
    None,
    "A typographic quote stands at byte {offset} where the segment terminator ' was expected",
    "Une apostrophe typographique se trouve à l'octet {offset} à la place du terminateur de segment '",
    "A word processor changed the file; write the plain apostrophe (hexadecimal 27)",
    "Un traitement de texte a modifié le fichier ; écrivez l'apostrophe droite (hexadécimal 27)",
)
READING_STOPPED = _rule(
    "S208",
    _ERROR,
    None,
    "From byte {offset} on the file goes on and on without anything to keep; the rest of it is not read",
    "À partir de l'octet {offset}, le fichier continue sans rien à retenir ; la suite n'est pas lue",
    "Check what the file holds there, and send only interchanges, each with its UNZ",
    "Vérifiez ce que le fichier contient à cet endroit, et n'envoyez que des interchanges, chacun avec son UNZ",
)
TOO_MANY_INTERCHANGES = _rule(
    "S209",
    _ERROR,
    None,
    "The file holds more than {expected} interchanges; it is not read beyond byte {offset}",
    "Le fichier contient plus de {expected} interchanges ; il n'est pas lu après l'octet {offset}",
    "Send the interchanges in several files",
    "Envoyez les interchanges dans plusieurs fichiers",
)

# Service characters

SEPARATOR_ALPHANUMERIC = _rule(
    "S211",
    _ERROR,
    "20",
    "UNA declares the letter or digit {expected} as a service character: {value}",
    "UNA déclare la lettre ou le chiffre {expected} comme caractère de service : {value}",
    "Declare characters that do not occur in the data, such as :+.? '",
    "Déclarez des caractères absents des données, par exemple :+.? '",
)
SEPARATORS_EQUAL = _rule(
    "S212",
    _ERROR,
    "22",
    "UNA gives two roles to one character, {expected}: {value}",
    "UNA donne deux rôles au même caractère, {expected} : {value}",
    "Give every role a character of its own, such as :+.? '",
    "Donnez à chaque rôle son propre caractère, par exemple :+.? '",
)
SEPARATOR_NOT_USABLE = _rule(
    "S213",
    _ERROR,
    "20",
    "UNA declares {expected}, which cannot serve as a service character",
    "UNA déclare {expected}, qui ne peut pas servir de caractère de service",
    "Declare printable ASCII characters, such as :+.? '",
    "Déclarez des caractères ASCII imprimables, par exemple :+.? '",
)
LINE_FEED_TERMINATES = _rule(
    "S214",
    _WARNING,
    None,
    "Segments end with a line feed and not with the terminator {expected}; they were read so",
    "Les segments se terminent par un saut de ligne et non par le terminateur {expected} ; ils ont été lus ainsi",
    "End each segment with {expected}, or declare the line feed in UNA",
    "Terminez chaque segment par {expected}, ou déclarez le saut de ligne dans UNA",
)
HARD_WRAPPED = _rule(
    "S215",
    _WARNING,
    None,
    "The file is broken into lines of {value} characters, inside segments too; the lines were joined",
    "Le fichier est coupé en lignes de {value} caractères, même dans les segments ; les lignes ont été jointes",
    "Send the interchange without line breaks, or with breaks after terminators only",
    "Envoyez l'interchange sans sauts de ligne, ou seulement après les terminateurs",
)

# Characters

NEWLINE_IN_DATA = _rule(
    "S221",
    _WARNING,
    "21",
    "A line break stands inside the data of {segment}; it was kept",
    "Un saut de ligne se trouve dans les données de {segment} ; il a été conservé",
    "Send texts of several lines as repeated elements or segments",
    "Envoyez les textes de plusieurs lignes en répétant l'élément ou le segment",
)
UTF_8_UNDECLARED = _rule(
    "S222",
    _WARNING,
    "21",
    "The text {value} is UTF-8, though UNB declares {expected}; it was read as UTF-8",
    "Le texte {value} est en UTF-8, alors que UNB annonce {expected} ; il a été lu en UTF-8",
    "Declare UNOY, or write the character set that UNB declares",
    "Annoncez UNOY, ou écrivez dans le jeu de caractères que UNB annonce",
)
WINDOWS_1252_UNDECLARED = _rule(
    "S223",
    _WARNING,
    "21",
    "The text {value} is Windows-1252, though UNB declares {expected}; it was read so",
    "Le texte {value} est en Windows-1252, alors que UNB annonce {expected} ; il a été lu ainsi",
    "Replace typographic characters, or declare a set that has them",
    "Remplacez les caractères typographiques, ou annoncez un jeu qui les contient",
)
OUTSIDE_CHARACTER_SET = _rule(
    "S224",
    _WARNING,
    "21",
    "The text {value} has characters outside the set {expected} that UNB declares; they were kept",
    "Le texte {value} a des caractères étrangers au jeu {expected} que UNB annonce ; ils ont été conservés",
    "Declare UNOC or a wider set, or send only characters of {expected}",
    "Annoncez UNOC ou un jeu plus large, ou n'envoyez que des caractères de {expected}",
)
UNDECODABLE = _rule(
    "S225",
    _WARNING,
    "21",
    "The bytes of {value} are not {expected}, which UNB declares; they were read as Western European",
    "Les octets de {value} ne sont pas {expected}, que UNB annonce ; ils ont été lus en europe de l'Ouest",
    "Write the character set that UNB declares",
    "Écrivez dans le jeu de caractères que UNB annonce",
)
RELEASE_OF_DATA = _rule(
    "S226",
    _WARNING,
    None,
    "The release character stands before {value}, which is no service character; the release was dropped",
    "Le caractère de libération précède {value}, qui n'est pas un caractère de service ; il a été ôté",
    "Release only the service characters in force",
    "Ne libérez que les caractères de service en vigueur",
)
RELEASE_DANGLING = _rule(
    "S227",
    _ERROR,
    "22",
    "The release character at the end of {segment} releases nothing",
    "Le caractère de libération à la fin de {segment} ne libère rien",
    "The file was cut, or a text ends in {value}: write it twice",
    "Le fichier a été coupé, ou un texte finit par {value} : écrivez-le deux fois",
)

# Segments

LAST_TERMINATOR_MISSING = _rule(
    "S231",
    _WARNING,
    None,
    "The last segment, {segment}, has no terminator",
    "Le dernier segment, {segment}, n'a pas de terminateur",
    "End every segment with {expected}, UNZ too",
    "Terminez chaque segment par {expected}, UNZ aussi",
)
EMPTY_SEGMENT = _rule(
    "S232",
    _WARNING,
    None,
    "An empty segment was skipped; it was not counted",
    "Un segment vide a été ignoré ; il n'a pas été compté",
    "Write one terminator after each segment",
    "Écrivez un seul terminateur après chaque segment",
)
LOWER_CASE_TAG = _rule(
    "S233",
    _WARNING,
    None,
    "The segment tag {value} was read as {segment}",
    "L'étiquette de segment {value} a été lue {segment}",
    "Write segment tags in capitals",
    "Écrivez les étiquettes de segment en majuscules",
)
BLANK_BEFORE_TAG = _rule(
    "S234",
    _WARNING,
    None,
    "Blanks before the segment tag {segment} were skipped",
    "Des blancs devant l'étiquette de segment {segment} ont été ignorés",
    "Begin each segment with its tag",
    "Commencez chaque segment par son étiquette",
)
SEGMENT_TOO_LONG = _rule(
    "S235",
    _ERROR,
    "39",
    "The segment {segment} is longer than {expected} bytes; it was read up to there",
    "Le segment {segment} dépasse {expected} octets ; il a été lu jusque-là",
    "Send long texts in several segments, and files outside of EDIFACT",
    "Envoyez les longs textes en plusieurs segments, et les fichiers hors EDIFACT",
)
SEGMENT_CUT = _rule(
    "S236",
    _ERROR,
    "13",
    "The file ends inside the segment {segment}",
    "Le fichier se termine à l'intérieur du segment {segment}",
    "The transfer was cut: send the file again",
    "Le transfert a été coupé : renvoyez le fichier",
)
MESSAGE_TOO_LONG = _rule(
    "S237",
    _ERROR,
    "18",
    "The message has more than {expected} segments; the rest was not kept",
    "Le message a plus de {expected} segments ; la suite n'a pas été conservée",
    "Split the message",
    "Divisez le message",
)
FINDINGS_OMITTED = _rule(
    "S238",
    _WARNING,
    None,
    "{value} is found more than {expected} times here; further ones are not listed",
    "{value} se trouve ici plus de {expected} fois ; les suivants ne sont pas listés",
    "Mend the ones listed, then check again",
    "Corrigez ceux de la liste, puis vérifiez à nouveau",
)
MESSAGE_TOO_LARGE = _rule(
    "S239",
    _ERROR,
    "18",
    "The message has more than {expected} bytes; further segments are left out",
    "Le message a plus de {expected} octets ; les segments suivants sont ignorés",
    "Split the message into several",
    "Répartissez le contenu sur plusieurs messages",
)

# Message envelope

UNT_MISSING = _rule(
    "S241",
    _ERROR,
    "13",
    "The message {value} has no trailer UNT",
    "Le message {value} n'a pas de fin UNT",
    "Send the message again, complete",
    "Renvoyez le message complet",
)
UNT_COUNT = _rule(
    "S242",
    _ERROR,
    "29",
    "UNT says {value} segments; the message has {expected}, UNH and UNT included",
    "UNT annonce {value} segments ; le message en a {expected}, UNH et UNT compris",
    "Count every segment from UNH to UNT; if the count was right when sent, segments were lost",
    "Comptez chaque segment de UNH à UNT ; si le compte était juste à l'envoi, des segments se sont perdus",
)
UNT_REFERENCE = _rule(
    "S243",
    _ERROR,
    "28",
    "UNT refers to message {value}, UNH to {expected}",
    "UNT renvoie au message {value}, UNH au message {expected}",
    "Repeat in UNT the message reference of UNH",
    "Répétez dans UNT la référence de message de UNH",
)
REFERENCE_REPEATED = _rule(
    "S244",
    _ERROR,
    "26",
    "The message reference {value} occurs a second time in the interchange",
    "La référence de message {value} apparaît une deuxième fois dans l'interchange",
    "Give each message of an interchange its own reference (0062)",
    "Donnez à chaque message d'un interchange sa propre référence (0062)",
)

# Group envelope

UNE_MISSING = _rule(
    "S251",
    _ERROR,
    "13",
    "The group {value} has no trailer UNE",
    "Le groupe {value} n'a pas de fin UNE",
    "Send the interchange again, complete",
    "Renvoyez l'interchange complet",
)
UNE_COUNT = _rule(
    "S252",
    _ERROR,
    "29",
    "UNE says {value} messages; the group has {expected}",
    "UNE annonce {value} messages ; le groupe en a {expected}",
    "Count the messages of the group; if the count was right when sent, messages were lost",
    "Comptez les messages du groupe ; si le compte était juste à l'envoi, des messages se sont perdus",
)
UNE_REFERENCE = _rule(
    "S253",
    _ERROR,
    "28",
    "UNE refers to group {value}, UNG to {expected}",
    "UNE renvoie au groupe {value}, UNG au groupe {expected}",
    "Repeat in UNE the group reference of UNG",
    "Répétez dans UNE la référence de groupe de UNG",
)
GROUP_EMPTY = _rule(
    "S254",
    _ERROR,
    "32",
    "The group {value} has no message",
    "Le groupe {value} n'a pas de message",
    "Leave an empty group out",
    "N'envoyez pas de groupe vide",
)
GROUP_REFERENCE_REPEATED = _rule(
    "S256",
    _ERROR,
    "26",
    "The group reference {value} occurs a second time in the interchange",
    "La référence de groupe {value} apparaît une deuxième fois dans l'interchange",
    "Give each group of an interchange its own reference (0048)",
    "Donnez à chaque groupe d'un interchange sa propre référence (0048)",
)
GROUP_MIXED_TYPES = _rule(
    "S255",
    _WARNING,
    "31",
    "A message of type {value} stands in a group of {expected}",
    "Un message de type {value} se trouve dans un groupe de {expected}",
    "Put each message type into a group of its own",
    "Mettez chaque type de message dans son propre groupe",
)

# Interchange envelope

UNZ_MISSING = _rule(
    "S261",
    _ERROR,
    "13",
    "The interchange {value} has no trailer UNZ",
    "L'interchange {value} n'a pas de fin UNZ",
    "The transfer was cut, or the trailer left out: send the interchange again",
    "Le transfert a été coupé ou la fin oubliée : renvoyez l'interchange",
)
UNZ_COUNT = _rule(
    "S262",
    _ERROR,
    "29",
    "UNZ says {value}; the interchange has {expected} messages (or groups, where there are any)",
    "UNZ annonce {value} ; l'interchange a {expected} messages (ou groupes, s'il y en a)",
    "Count the messages, or the groups if the interchange has groups",
    "Comptez les messages, ou les groupes si l'interchange en a",
)
UNZ_REFERENCE = _rule(
    "S263",
    _ERROR,
    "28",
    "UNZ refers to interchange {value}, UNB to {expected}",
    "UNZ renvoie à l'interchange {value}, UNB à l'interchange {expected}",
    "Repeat in UNZ the control reference of UNB",
    "Répétez dans UNZ la référence de contrôle de UNB",
)
INTERCHANGE_EMPTY = _rule(
    "S264",
    _ERROR,
    "32",
    "The interchange {value} has no message",
    "L'interchange {value} n'a pas de message",
    "Send an interchange only if there is a message",
    "N'envoyez d'interchange que s'il y a un message",
)
GROUPS_AND_MESSAGES_MIXED = _rule(
    "S265",
    _ERROR,
    "30",
    "The interchange mixes functional groups with messages outside of groups",
    "L'interchange mêle des groupes fonctionnels et des messages hors groupe",
    "Put all messages into groups, or none",
    "Mettez tous les messages dans des groupes, ou aucun",
)
STRAY_SEGMENTS = _rule(
    "S266",
    _ERROR,
    "33",
    "The segment {segment} stands outside of any message",
    "Le segment {segment} se trouve hors de tout message",
    "Put each segment between the UNH and the UNT of a message",
    "Mettez chaque segment entre le UNH et le UNT d'un message",
)
SYNTAX_IDENTIFIER_UNKNOWN = _rule(
    "S267",
    _ERROR,
    "2",
    "The syntax identifier {value} is unknown",
    "L'identifiant de syntaxe {value} est inconnu",
    "Use {expected}",
    "Utilisez {expected}",
)
SYNTAX_VERSION_UNKNOWN = _rule(
    "S268",
    _ERROR,
    "2",
    "The syntax version {value} is not supported",
    "La version de syntaxe {value} n'est pas prise en charge",
    "Use version {expected}",
    "Utilisez la version {expected}",
)

UNB_MISSING = _rule(
    "S269",
    _ERROR,
    "13",
    "The messages stand in no interchange: the header UNB is missing",
    "Les messages ne sont dans aucun interchange : l'en-tête UNB manque",
    "Send whole interchanges, from UNB to UNZ",
    "Envoyez des interchanges entiers, de UNB à UNZ",
)
TOO_MANY_MESSAGES = _rule(
    "S270",
    _ERROR,
    "18",
    "The interchange holds more messages or groups than UNZ can count, {expected}; the rest of the file is not read",
    "L'interchange a plus de messages ou de groupes que UNZ n'en peut compter, {expected} ; la suite n'est pas lue",
    "Send the messages in several interchanges",
    "Envoyez les messages dans plusieurs interchanges",
)

# Data elements of service segments

SERVICE_ELEMENT_MISSING = _rule(
    "S271",
    _ERROR,
    "13",
    "{segment} lacks the mandatory element {expected}",
    "Il manque à {segment} l'élément obligatoire {expected}",
    "Fill element {element} of {segment}",
    "Remplissez l'élément {element} de {segment}",
)
SERVICE_ELEMENT_TOO_LONG = _rule(
    "S272",
    _WARNING,
    "39",
    "The value {value} in {segment} is longer than {expected}",
    "La valeur {value} dans {segment} dépasse {expected}",
    "Shorten the value to {expected}",
    "Raccourcissez la valeur à {expected}",
)
SERVICE_ELEMENT_TOO_SHORT = _rule(
    "S273",
    _WARNING,
    "40",
    "The value {value} in {segment} is shorter than {expected}",
    "La valeur {value} dans {segment} est plus courte que {expected}",
    "Write the value as {expected}",
    "Écrivez la valeur selon {expected}",
)
SERVICE_ELEMENT_NOT_NUMERIC = _rule(
    "S274",
    _WARNING,
    "37",
    "The value {value} in {segment} is not numeric ({expected})",
    "La valeur {value} dans {segment} n'est pas numérique ({expected})",
    "Write digits only",
    "N'écrivez que des chiffres",
)

HEADER_INCOMPLETE = _rule(
    "S275",
    _WARNING,
    "13",
    "{segment} lacks {expected}, which is mandatory; the message was read without it",
    "Il manque à {segment} la donnée {expected}, obligatoire ; le message a été lu sans elle",
    "Write the message identifier in full, such as ORDERS:D:96A:UN",
    "Écrivez l'identifiant complet du message, par exemple ORDERS:D:96A:UN",
)
SERVICE_ELEMENT_TOO_MANY = _rule(
    "S276",
    _ERROR,
    "16",
    "{segment} has more than the {expected} parts of its definition; beyond them stands {value}",
    "{segment} a plus que les {expected} parties de sa définition ; au-delà se trouve {value}",
    "Remove what stands beyond the definition, or release a separator that is text",
    "Retirez ce qui dépasse la définition, ou libérez un séparateur qui fait partie du texte",
)
SERVICE_CODE_UNKNOWN = _rule(
    "S277",
    _WARNING,
    "12",
    "The code {value} in {segment} is not in the list of the syntax ({expected})",
    "Le code {value} dans {segment} n'est pas dans la liste de la syntaxe ({expected})",
    "Use a code of the list, or leave the element empty",
    "Utilisez un code de la liste, ou laissez l'élément vide",
)
SERVICE_DATE_IMPOSSIBLE = _rule(
    "S278",
    _WARNING,
    "12",
    "{value} in {segment} is no date or time ({expected})",
    "{value} dans {segment} n'est ni une date ni une heure ({expected})",
    "Write the moment of preparation as {expected}",
    "Écrivez le moment de préparation sous la forme {expected}",
)

RULES: tuple[Rule, ...] = tuple(value for value in globals().values() if isinstance(value, Rule))
