"""The findings of this room: structure (D3xx), code lists (C4xx), identifiers (I5xx)."""

from __future__ import annotations

from edi_gateway.edifact.findings import Level, Rule, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

SEGMENT_MISSING = Rule(
    "D301",
    Level.STRUCTURE,
    _ERROR,
    "Mandatory segment {segment} is missing after segment {position}.",
    "Le segment obligatoire {segment} manque après le segment {position}.",
    "Add {segment} after segment {position}.",
    "Ajoutez {segment} après le segment {position}.",
    "13",
)
GROUP_MISSING = Rule(
    "D302",
    Level.STRUCTURE,
    _ERROR,
    "Mandatory segment group {expected}, which begins with {segment}, is missing after segment {position}.",
    "Le groupe de segments obligatoire {expected}, qui commence par {segment}, manque après le segment {position}.",
    "Add the group, beginning with {segment}, after segment {position}.",
    "Ajoutez le groupe, en commençant par {segment}, après le segment {position}.",
    "13",
)
SEGMENT_TOO_LATE = Rule(
    "D303",
    Level.STRUCTURE,
    _ERROR,
    "Segment {segment} belongs directly after segment {position} but stands at position {value}.",
    "Le segment {segment} doit suivre le segment {position} mais se trouve en position {value}.",
    "Move {segment} to its place after segment {position}.",
    "Déplacez {segment} à sa place, après le segment {position}.",
    "13",
)
SEGMENT_UNKNOWN = Rule(
    "D304",
    Level.STRUCTURE,
    _ERROR,
    "Segment {segment} at position {position} does not exist in this message.",
    "Le segment {segment} en position {position} n'existe pas dans ce message.",
    "Remove {segment}, or send its content in a segment of the message. Possible here: {expected}.",
    "Retirez {segment} ou portez son contenu dans un segment du message. Possibles ici : {expected}.",
    "15",
)
SEGMENT_OUT_OF_PLACE = Rule(
    "D305",
    Level.STRUCTURE,
    _ERROR,
    "Segment {segment} may not stand at position {position}.",
    "Le segment {segment} ne peut pas se trouver en position {position}.",
    "Put {segment} in its group and order. Possible here: {expected}.",
    "Placez {segment} dans son groupe et dans l'ordre. Possibles ici : {expected}.",
    "15",
)
SEGMENT_TOO_OFTEN = Rule(
    "D306",
    Level.STRUCTURE,
    _ERROR,
    "Segment {segment} at position {position} is repeated more than {expected} times.",
    "Le segment {segment} en position {position} est répété plus de {expected} fois.",
    "Send at most {expected} in a row.",
    "Envoyez-en au plus {expected} à la suite.",
    "35",
)
GROUP_TOO_OFTEN = Rule(
    "D307",
    Level.STRUCTURE,
    _ERROR,
    "Segment group {value}, begun by {segment} at position {position}, is repeated more than {expected} times.",
    "Le groupe {value}, ouvert par {segment} en position {position}, est répété plus de {expected} fois.",
    "Send the group at most {expected} times.",
    "Envoyez le groupe au plus {expected} fois.",
    "36",
)

RULES: tuple[Rule, ...] = (
    SEGMENT_MISSING,
    GROUP_MISSING,
    SEGMENT_TOO_LATE,
    SEGMENT_UNKNOWN,
    SEGMENT_OUT_OF_PLACE,
    SEGMENT_TOO_OFTEN,
    GROUP_TOO_OFTEN,
)
