"""The findings of the gateway's own doing (T1xx): what only the store can know of an interchange."""

from __future__ import annotations

from edi_gateway.edifact.findings import Level, Rule, Severity

NO_HANDLER = Rule(
    "T111",
    Level.BUSINESS,
    Severity.ERROR,
    "Messages of type {value} are not processed here",
    "Les messages de type {value} ne sont pas traités ici",
    "The message is kept; agree with the partner on what it is for",
    "Le message est conservé ; convenez de son usage avec le partenaire",
)
UNKNOWN_SUBJECT = Rule(
    "T112",
    Level.BUSINESS,
    Severity.ERROR,
    "The acknowledgement speaks of interchange {value}, which was not sent to this partner",
    "L'accusé concerne l'interchange {value}, qui n'a pas été envoyé à ce partenaire",
    "Quote in UCI the control reference of the interchange that was received",
    "Indiquez dans UCI la référence de contrôle de l'interchange reçu",
)
REFUSED_BY_PARTNER = Rule(
    "T113",
    Level.SYNTAX,
    Severity.WARNING,
    "The partner refused {value}: error {expected} of 0085",
    "Le partenaire a refusé {value} : erreur {expected} de 0085",
    "Mend the document and send it again under a new reference",
    "Corrigez le document et renvoyez-le sous une nouvelle référence",
)

UNKNOWN_DOCUMENT = Rule(
    "T114",
    Level.BUSINESS,
    Severity.ERROR,
    "The acknowledgement speaks of a document that was not sent to this partner: {value}",
    "L'accusé concerne un document qui n'a pas été envoyé à ce partenaire : {value}",
    "Quote in RFF the number of the document that was received, with its qualifier, such as ON or IV",
    "Indiquez dans RFF le numéro du document reçu, avec son qualifiant, tel que ON ou IV",
)
REFUSED_BY_APPLICATION = Rule(
    "T115",
    Level.BUSINESS,
    Severity.WARNING,
    "The partner's application refuses {value}: {expected}",
    "L'application du partenaire refuse {value} : {expected}",
    "Mend the document and send it again under a new number",
    "Corrigez le document et renvoyez-le sous un nouveau numéro",
)
REMARKED = Rule(
    "T116",
    Level.BUSINESS,
    Severity.WARNING,
    "The partner's application took in {value}, and remarks: {expected}",
    "L'application du partenaire a pris en charge {value}, avec une remarque : {expected}",
    "Look at what is remarked; the document may be held until it is settled",
    "Examinez la remarque ; le document peut rester bloqué jusqu'à son règlement",
)
TAKEN_IN = Rule(
    "T117",
    Level.BUSINESS,
    Severity.INFO,
    "The partner's application took in {value} {expected}",
    "L'application du partenaire a pris en charge {value} {expected}",
    "Nothing is to be done",
    "Il n'y a rien à faire",
)

RULES: tuple[Rule, ...] = (
    NO_HANDLER,
    UNKNOWN_SUBJECT,
    REFUSED_BY_PARTNER,
    UNKNOWN_DOCUMENT,
    REFUSED_BY_APPLICATION,
    REMARKED,
    TAKEN_IN,
)
