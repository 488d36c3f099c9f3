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

RULES: tuple[Rule, ...] = (NO_HANDLER, UNKNOWN_SUBJECT, REFUSED_BY_PARTNER)
