"""What the API says to people, in English and French: by status, by case, by fault of a value.

The language is that of the request's Accept-Language; the codes beside the texts never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from edi_gateway.edifact.findings import Language


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages; {names} are filled in."""

    en: str
    fr: str

    def said(self, language: Language, values: Mapping[str, Any] | None = None) -> str:
        template = self.fr if language == "fr" else self.en
        return template.format(**values) if values else template


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with what it speaks of."""

    text: Text
    values: Mapping[str, Any]

    def said(self, language: Language) -> str:
        return self.text.said(language, self.values)


def language() -> Language:
    """The language that the client prefers; English if it prefers none of ours."""
    return "fr" if request.accept_languages.best_match(("en", "fr"), "en") == "fr" else "en"


TITLES: Mapping[int, tuple[str, Text]] = {
    400: ("malformed", Text("The request cannot be read", "La requête est illisible")),
    401: ("unauthorised", Text("No valid token", "Aucun jeton valable")),
    403: ("forbidden", Text("The token may not do this", "Le jeton n'y autorise pas")),
    404: ("not_found", Text("There is no such thing", "Rien de tel")),
    405: ("method_not_allowed", Text("The method is not for this path", "Méthode non admise pour ce chemin")),
    406: ("not_acceptable", Text("The answer has no such form", "Réponse indisponible sous cette forme")),
    409: ("conflict", Text("It contradicts what is known", "Contradiction avec ce qui est connu")),
    412: ("precondition_failed", Text("It has changed meanwhile", "Modifié entre-temps")),
    413: ("too_large", Text("The request is too large", "Requête trop volumineuse")),
    415: ("unsupported_media_type", Text("The body has another form", "Corps d'une autre forme")),
    422: ("invalid", Text("The request has errors", "La requête comporte des erreurs")),
    428: ("precondition_required", Text("Say which version you mean", "Indiquez la version visée")),
    500: ("error", Text("An error", "Une erreur")),
    503: ("unavailable", Text("Not possible now", "Impossible pour le moment")),
}
"""status -> (code, title)."""

NO_TOKEN = Text(
    "the API has no token: set api_token in gateway.toml or EDI_GATEWAY_API_TOKEN, or run `edi-gateway tokens create`",
    "l'API n'a aucun jeton : renseignez api_token dans gateway.toml ou EDI_GATEWAY_API_TOKEN, "
    "ou lancez `edi-gateway tokens create`",
)
SHOW_TOKEN = Text(
    "send the header `Authorization: Bearer <token>` with a token that is in force",
    "envoyez l'en-tête `Authorization: Bearer <jeton>` avec un jeton en vigueur",
)
MISSING_SCOPE = Text(
    "a token with the role {role} has no scope {scope}", "un jeton de rôle {role} n'a pas le droit {scope}"
)
NOTHING_THERE = Text("there is no {what} {name}", "il n'y a pas de {what} {name}")
SEVERAL_PARTNERS = Text(
    "several partners have one: add ?partner= with one of {partners}",
    "plusieurs partenaires en ont un : ajoutez ?partner= avec l'un de {partners}",
)
CHANGED_MEANWHILE = Text(
    "it is not the version of your If-Match any more: read it again, its ETag is {etag}",
    "ce n'est plus la version de votre If-Match : relisez, son ETag est {etag}",
)
CHANGED_NOW = Text("it has changed in this very moment: read it again", "modifié à l'instant même : relisez")
JSON_EXPECTED = Text("send the body as application/json", "envoyez le corps en application/json")
SHEET_EXPECTED = Text("send the sheet as {types}", "envoyez la feuille en {types}")
NOT_JSON = Text("the body is not JSON in UTF-8: {why}", "le corps n'est pas du JSON en UTF-8 : {why}")
TOO_LARGE = Text("the body is larger than {bytes} bytes", "le corps dépasse {bytes} octets")
ERRORS = Text("{count} error(s); see errors", "{count} erreur(s) ; voir errors")
AGAIN = Text(
    "this cannot be done now; please send it again", "impossible pour le moment ; veuillez renvoyer la requête"
)
BAD_CURSOR = Text("not a cursor that a page gave as `next`", "pas un curseur donné par une page comme `next`")
KEY_TWICE = Text("the key is given twice", "la clé est donnée deux fois")
PARAMETER_TWICE = Text("the parameter is given more than once", "le paramètre est donné plusieurs fois")
NUL = Text("the text holds a NUL character", "le texte contient un caractère NUL")

# pydantic's faults, by its type of error; what is not listed is told in its English.
_FAULTS_FR: Mapping[str, str] = {
    "missing": "champ obligatoire",
    "extra_forbidden": "champ inconnu",
    "unexpected_keyword_argument": "champ inconnu",
    "string_type": "du texte est attendu",
    "string_too_short": "au moins {min_length} caractère(s)",
    "string_too_long": "au plus {max_length} caractères",
    "string_pattern_mismatch": "ne correspond pas au modèle {pattern}",
    "int_type": "un entier est attendu",
    "int_parsing": "un entier est attendu",
    "int_parsing_size": "entier hors limites",
    "int_from_float": "un entier est attendu",
    "bool_type": "true ou false est attendu",
    "bool_parsing": "true ou false est attendu",
    "decimal_type": "un nombre est attendu",
    "decimal_parsing": "un nombre est attendu",
    "finite_number": "un nombre fini est attendu",
    "greater_than": "doit être supérieur à {gt}",
    "greater_than_equal": "doit être au moins {ge}",
    "less_than": "doit être inférieur à {lt}",
    "less_than_equal": "doit être au plus {le}",
    "enum": "une valeur parmi {expected} est attendue",
    "literal_error": "une valeur parmi {expected} est attendue",
    "date_type": "une date est attendue",
    "date_parsing": "une date AAAA-MM-JJ est attendue",
    "date_from_datetime_parsing": "une date AAAA-MM-JJ est attendue",
    "date_from_datetime_inexact": "une date sans heure est attendue",
    "datetime_type": "un horodatage est attendu",
    "datetime_parsing": "un horodatage est attendu",
    "dataclass_type": "un objet est attendu",
    "model_type": "un objet est attendu",
    "model_attributes_type": "un objet est attendu",
    "dict_type": "un objet est attendu",
    "list_type": "une liste est attendue",
    "tuple_type": "une liste est attendue",
    "too_short": "au moins {min_length} élément(s)",
    "too_long": "au plus {max_length} éléments",
}


def fault(kind: str, english: str, context: Mapping[str, Any]) -> str:
    """What is wrong with a value, in the client's language; `kind` and `context` are pydantic's."""
    template = _FAULTS_FR.get(kind)
    if language() == "en" or template is None:
        return english
    return template.format(**context)
