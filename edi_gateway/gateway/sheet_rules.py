"""The findings of uploaded sheets (T16x): what is wrong in which row and column, before any rule of the trade."""

from __future__ import annotations

from edi_gateway.edifact.findings import Level, Rule, Severity


def _rule(code: str, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.SYNTAX, Severity.ERROR, en, fr, hint_en, hint_fr)


UNREADABLE = _rule(
    "T160",
    "The sheet cannot be read: {value}",
    "La feuille est illisible : {value}",
    "Send CSV in UTF-8 or Windows-1252, or an XLSX workbook whose first sheet has the headings in its first row",
    "Envoyez un CSV en UTF-8 ou Windows-1252, ou un classeur XLSX dont la première feuille commence par les titres",
)
TOO_LARGE = _rule(
    "T161",
    "The sheet is larger than {expected}",
    "La feuille dépasse {expected}",
    "Split it",
    "Scindez-la",
)
COLUMN_UNKNOWN = _rule(
    "T162",
    "The heading {value} is not known here",
    "Le titre {value} est inconnu ici",
    "The headings are: {expected}",
    "Les titres sont : {expected}",
)
COLUMN_TWICE = _rule(
    "T163",
    "The column {value} is there twice",
    "La colonne {value} figure deux fois",
    "Remove one of them",
    "Supprimez l'une d'elles",
)
COLUMN_MISSING = _rule(
    "T164",
    "The column {value} is missing",
    "La colonne {value} manque",
    "Add it; one of these headings: {expected}",
    "Ajoutez-la ; un de ces titres : {expected}",
)
CELL_MISSING = _rule(
    "T165",
    "The cell is empty",
    "La cellule est vide",
    "Fill it in: {expected}",
    "Renseignez-la : {expected}",
)
NOT_A_NUMBER = _rule(
    "T166",
    "{value} is not a number",
    "{value} n'est pas un nombre",
    "Write digits with a comma or a point before the decimals",
    "Écrivez des chiffres, avec une virgule ou un point avant les décimales",
)
NOT_A_DATE = _rule(
    "T167",
    "{value} is not a date",
    "{value} n'est pas une date",
    "Write it as 31/12/2026 or 2026-12-31",
    "Écrivez-la 31/12/2026 ou 2026-12-31",
)
NOT_ONE_OF = _rule(
    "T168",
    "{value} is none of: {expected}",
    "{value} ne fait pas partie de : {expected}",
    "Write one of them",
    "Écrivez l'une de ces valeurs",
)
ROW_TWICE = _rule(
    "T169",
    "The row is about the same as row {expected}",
    "La ligne porte sur la même chose que la ligne {expected}",
    "Keep one of them",
    "Gardez l'une d'elles",
)
LINE_LEFT_OUT = _rule(
    "T170",
    "Line {value} of the order is not answered",
    "La ligne {value} de la commande est sans réponse",
    "Answer every line of an order, or none",
    "Répondez à toutes les lignes d'une commande, ou à aucune",
)
QUANTITY_CONTRADICTS = _rule(
    "T171",
    "The quantity {value} does not go with this answer; {expected} were ordered",
    "La quantité {value} ne va pas avec cette réponse ; {expected} sont commandés",
    "Leave it empty for accept and refuse; for change write what can be delivered",
    "Laissez vide pour accepter et refuser ; pour modifier, écrivez ce qui peut être livré",
)
CELL_TOO_LONG = _rule(
    "T172",
    "The cell holds more than {expected} characters, or one that no document can carry",
    "La cellule contient plus de {expected} caractères, ou un caractère qu'aucun document ne porte",
    "Shorten it",
    "Raccourcissez-la",
)
NOTHING_IN_IT = _rule(
    "T173",
    "No row says anything",
    "Aucune ligne ne dit quoi que ce soit",
    "Fill in at least one row below the headings",
    "Renseignez au moins une ligne sous les titres",
)
SSCC_WRONG = _rule(
    "T174",
    "{value} is not an SSCC",
    "{value} n'est pas un SSCC",
    "Write 18 digits with a right check digit, as text, or leave the cell empty",
    "Écrivez 18 chiffres avec une clé juste, en texte, ou laissez la cellule vide",
)

RULES: tuple[Rule, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
