"""The list of what is overdue, for people and programs: each with what it is, since when, and what to do.

Two indexed questions, whatever the store holds: the open deadlines, and the interchanges whose CONTRL is late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from edi_gateway.edifact.findings import Finding, Language, Level, Rule, Severity
from edi_gateway.partnership import DeadlineKind
from edi_gateway.store import deadlines
from edi_gateway.store.documents import Interchange, InterchangeState

Json = dict[str, Any]


def _rule(code: str, en: str, fr: str, hint_en: str, hint_fr: str) -> Rule:
    return Rule(code, Level.BUSINESS, Severity.WARNING, en, fr, hint_en, hint_fr)


CONTRL_LATE = _rule(
    "T130",
    "No CONTRL has come for {value}",
    "Aucun CONTRL n'est arrivé pour {value}",
    "Ask the partner whether the interchange was read; `edi-gateway messages list --overdue` shows what is in it",
    "Demandez au partenaire si l'interchange a été lu ; `edi-gateway messages list --overdue` montre son contenu",
)

TEXTS: Mapping[DeadlineKind, Rule] = {
    DeadlineKind.MDN: _rule(
        "T131",
        "{value} has not been delivered",
        "{value} n'a pas été remis",
        "`edi-gateway doctor` with the transmission says why; the same bytes are sent again by themselves",
        "`edi-gateway doctor` avec la transmission dit pourquoi ; les mêmes octets repartent d'eux-mêmes",
    ),
    DeadlineKind.ORDRSP: _rule(
        "T132",
        "{value} has not been answered",
        "{value} est sans réponse",
        "Ask the vendor for the ORDRSP, or cancel the order",
        "Réclamez l'ORDRSP au vendeur, ou annulez la commande",
    ),
    DeadlineKind.ORDCHG: _rule(
        "T133",
        "The change of {value} has not been answered",
        "La modification de {value} est sans réponse",
        "Ask the vendor; until the answer comes the order stands as it was",
        "Relancez le vendeur ; jusqu'à sa réponse la commande reste inchangée",
    ),
    DeadlineKind.SHIP: _rule(
        "T134",
        "{value} has not been shipped within its window",
        "{value} n'a pas été expédiée dans sa fenêtre",
        "Ask the vendor for a new date, or cancel what is open",
        "Demandez une nouvelle date au vendeur, ou annulez le reliquat",
    ),
    DeadlineKind.CANCEL_AFTER: _rule(
        "T135",
        "{value} is past its cancel date and not wholly shipped",
        "{value} a dépassé sa date d'annulation sans être soldée",
        "Cancel what is open, or place a new order",
        "Annulez le reliquat, ou passez une nouvelle commande",
    ),
    DeadlineKind.DESADV: _rule(
        "T136",
        "No DESADV has come for the despatch that was promised of {value}",
        "Aucun DESADV n'est arrivé pour l'expédition promise de {value}",
        "Ask the vendor whether the goods have left",
        "Demandez au vendeur si la marchandise est partie",
    ),
    DeadlineKind.INVOIC: _rule(
        "T137",
        "{value} was delivered and has not been invoiced",
        "{value} est livrée et n'est pas facturée",
        "Ask the vendor for the INVOIC",
        "Réclamez l'INVOIC au vendeur",
    ),
    DeadlineKind.INVRPT: _rule(
        "T138",
        "No stock report has come from {value}",
        "Aucun état de stock n'est arrivé de {value}",
        "Ask the vendor for the INVRPT; until then its stock may be out of date",
        "Réclamez l'INVRPT au vendeur ; d'ici là son stock peut être périmé",
    ),
    DeadlineKind.WAITING: _rule(
        "T139",
        "{value} still waits for another document",
        "{value} attend toujours un autre document",
        "Ask the vendor for what is missing: the ORDRSP before a DESADV, the DESADV before an INVOIC",
        "Réclamez la pièce manquante : l'ORDRSP avant un DESADV, le DESADV avant un INVOIC",
    ),
}
"""What is said of each kind of deadline."""

RULES: tuple[Rule, ...] = (CONTRL_LATE, *TEXTS.values())


def overdue_json(
    session: Session,
    now: datetime,
    *,
    partner: str | None = None,
    kind: DeadlineKind | None = None,
    limit: int,
    language: Language = "en",
) -> list[Json]:
    """What is overdue at `now`, the longest first, at most `limit`."""
    rows = deadlines.overdue(session, now, partnership=partner, kind=kind, limit=limit)
    found = [_item(row, now, language) for row in rows]
    if kind is None:
        found += [_late_contrl(row, now, language) for row in _without_contrl(session, partner, limit)]
    return sorted(found, key=lambda item: str(item["due_at"]))[:limit]


def _item(row: deadlines.DeadlineRow, now: datetime, language: Language) -> Json:
    finding = Finding(TEXTS[row.kind], value=named(row))
    return {
        **_said(finding, language),
        "kind": row.kind.value,
        "partner": row.partnership,
        "order_number": row.order_number,
        "subject": row.subject,
        "since": row.since.isoformat(),
        "due_at": row.due_at.isoformat(),
        "late": _duration(now - row.due_at),
        "told_at": row.overdue_at.isoformat() if row.overdue_at is not None else None,
    }


def named(row: deadlines.DeadlineRow) -> str:
    """What the deadline is about, in a sentence."""
    if row.kind is DeadlineKind.INVRPT:
        return row.partnership
    on_order = row.kind not in (DeadlineKind.MDN, DeadlineKind.WAITING)
    return row.order_number if on_order else row.subject


def _without_contrl(session: Session, partner: str | None, limit: int) -> list[Interchange]:
    statement = select(Interchange).where(
        Interchange.state == InterchangeState.SENT, Interchange.overdue_at.is_not(None)
    )
    if partner is not None:
        statement = statement.where(Interchange.partnership == partner)
    return list(session.scalars(statement.order_by(Interchange.overdue_at).limit(limit)))


def _late_contrl(row: Interchange, now: datetime, language: Language) -> Json:
    overdue_at = row.overdue_at or now
    return {
        **_said(Finding(CONTRL_LATE, value=f"interchange {row.control_reference}"), language),
        "kind": "contrl",
        "partner": row.partnership,
        "order_number": "",
        "subject": row.subject,
        "since": row.at.isoformat(),
        "due_at": overdue_at.isoformat(),
        "late": _duration(now - overdue_at),
        "told_at": overdue_at.isoformat(),
    }


def _said(finding: Finding, language: Language) -> Json:
    return {"code": finding.code, "text": finding.text(language), "hint": finding.hint(language)}


def _duration(late: timedelta) -> str:
    """3d 4h, 4h 12min, 12min."""
    minutes = int(late.total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes}min" if hours else f"{minutes}min"
