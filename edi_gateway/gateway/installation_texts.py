"""What `edi-gateway doctor` can say of an installation: one row for each, in English and in French."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edi_gateway.edifact.findings import Language


class Verdict(StrEnum):
    """How much a remark weighs."""

    OK = "ok"
    WARN = "warn"  # it works, and somebody should look
    FAIL = "fail"  # it does not work, or is not safe


@dataclass(frozen=True, slots=True)
class Text:
    """What was found and what to do, with places for values."""

    verdict: Verdict
    english: str
    french: str
    advice: str = ""
    conseil: str = ""


def _ok(english: str, french: str) -> Text:
    return Text(Verdict.OK, english, french)


def _warn(english: str, french: str, advice: str, conseil: str) -> Text:
    return Text(Verdict.WARN, english, french, advice, conseil)


def _fail(english: str, french: str, advice: str, conseil: str) -> Text:
    return Text(Verdict.FAIL, english, french, advice, conseil)


_CHMOD = ("chmod {mode} {path}", "chmod {mode} {path}")
_NOT_UP = ("start `edi-gateway serve`, or `worker`", "démarrez « edi-gateway serve », ou « worker »")

TEXTS: Mapping[str, Text] = {
    "configuration.read": _ok("read, every key known", "lue, toutes les clés sont connues"),
    "configuration.refused": _fail("{problem}", "{problem}", "correct it", "corrigez-la"),
    "data.private": _ok("{path} is private", "{path} est privé"),
    "data.absent": _warn(
        "{path} does not exist yet",
        "{path} n'existe pas encore",
        "the first `edi-gateway serve` makes it",
        "le premier « edi-gateway serve » le crée",
    ),
    "data.open": _warn(
        "others on this machine may look into {path} ({found})",
        "d'autres sur cette machine peuvent lire dans {path} ({found})",
        *_CHMOD,
    ),
    "data.everybody": _fail(
        "everybody may write to {path} ({found})", "tout le monde peut écrire dans {path} ({found})", *_CHMOD
    ),
    "secret.passphrase": _ok("the passphrase comes from {source}", "la phrase secrète vient de {source}"),
    "secret.beside": _warn(
        "the passphrase lies beside the keys, in {source}: a copy of the data opens them",
        "la phrase secrète est à côté des clés, dans {source} : une copie des données les ouvre",
        "move it out of data_dir and name it in key_file",
        "sortez-la de data_dir et nommez-la dans key_file",
    ),
    "secret.none": _warn(
        "no passphrase is configured; the first start makes one beside the keys",
        "aucune phrase secrète n'est configurée ; le premier démarrage en crée une à côté des clés",
        "name a file outside data_dir in key_file",
        "nommez dans key_file un fichier hors de data_dir",
    ),
    "secret.refused": _fail("{problem}", "{problem}", "correct it", "corrigez-la"),
    "secret.no-token": _warn(
        "no token: nobody can use the API",
        "aucun jeton : personne ne peut utiliser l'API",
        "`edi-gateway tokens create NAME --role admin`",
        "« edi-gateway tokens create NOM --role admin »",
    ),
    "secret.token": _ok("the API has a token", "l'API a un jeton"),
    "keys.open": _ok("{count} private keys, and every one opens", "{count} clés privées, et toutes s'ouvrent"),
    "keys.none": _warn(
        "no private key yet",
        "pas encore de clé privée",
        "`edi-gateway keys generate`; the first start makes one too",
        "« edi-gateway keys generate » ; le premier démarrage en crée une aussi",
    ),
    "keys.refused": _fail(
        "{problem}", "{problem}", "until then nothing can be decrypted", "d'ici là rien ne peut être déchiffré"
    ),
    "keys.none-serves": _fail(
        "no key is for {use} now",
        "aucune clé ne sert maintenant à : {use}",
        "`edi-gateway keys generate`",
        "« edi-gateway keys generate »",
    ),
    "certificate.good": _ok("{count} certificates, none ends soon", "{count} certificats, aucun n'expire bientôt"),
    "certificate.ending": _warn(
        "{subject}: {name} ({purpose}) ends in {days} days",
        "{subject} : {name} ({purpose}) expire dans {days} jours",
        "ours: `edi-gateway keys rotate`; a partner's: ask for the next one",
        "le nôtre : « edi-gateway keys rotate » ; celui d'un partenaire : demandez le suivant",
    ),
    "certificate.replaced": _ok(
        "{subject}: {name} ({purpose}) ends in {days} days, its successor is there",
        "{subject} : {name} ({purpose}) expire dans {days} jours, son successeur est là",
    ),
    "certificate.ended": _fail(
        "{subject}: {name} ({purpose}) has expired, and nothing stands beside it",
        "{subject} : {name} ({purpose}) a expiré, et rien ne le remplace",
        "ours: `edi-gateway keys generate`; a partner's: put the new one into its folder, `partners apply`",
        "le nôtre : « edi-gateway keys generate » ; celui d'un partenaire : mettez le nouveau dans son dossier, "
        "« partners apply »",
    ),
    "clock.right": _ok("{now} UTC agrees with what was written", "{now} UTC s'accorde avec ce qui est écrit"),
    "clock.behind": _fail(
        "it says {now} UTC, and the newest event is of {newest}",
        "elle indique {now} UTC, et le dernier événement est de {newest}",
        "set the clock by NTP; until it is past that time nothing recurs",
        "réglez l'horloge par NTP ; tant qu'elle n'a pas passé cette heure, rien ne se répète",
    ),
    "clock.apart": _fail(
        "this machine and the database server are {seconds} s apart",
        "cette machine et le serveur de la base ont {seconds} s d'écart",
        "set both by NTP",
        "réglez les deux par NTP",
    ),
    "port.free": _ok("{host}:{port} is free", "{host}:{port} est libre"),
    "port.ours": _ok("a gateway answers at {host}:{port}", "une passerelle répond sur {host}:{port}"),
    "port.taken": _fail(
        "{host}:{port} cannot be listened on: {reason}",
        "impossible d'écouter sur {host}:{port} : {reason}",
        "end what uses it, or set `port` or `host`",
        "arrêtez ce qui l'occupe, ou réglez « port » ou « host »",
    ),
    "disk.room": _ok("{free} GiB free, what is written is kept", "{free} Gio libres, ce qui est écrit est gardé"),
    "disk.little": _warn(
        "only {free} GiB free at {path}",
        "seulement {free} Gio libres dans {path}",
        "make room before it is full",
        "faites de la place avant qu'il ne soit plein",
    ),
    "disk.full": _fail(
        "only {free} GiB free at {path}: soon nothing can be received",
        "seulement {free} Gio libres dans {path} : bientôt plus rien ne pourra être reçu",
        "make room now",
        "faites de la place maintenant",
    ),
    "disk.refused": _fail(
        "{path} cannot be written: {reason}",
        "impossible d'écrire dans {path} : {reason}",
        "check its owner, its mount and the disk",
        "vérifiez son propriétaire, son montage et le disque",
    ),
    "database.current": _ok("answers, at {present}", "répond, à la version {present}"),
    "database.absent": _warn(
        "no database yet",
        "pas encore de base",
        "the first `edi-gateway serve` makes it",
        "le premier « edi-gateway serve » la crée",
    ),
    "database.behind": _fail(
        "at {present}, not {needed}",
        "à la version {present}, pas {needed}",
        "`edi-gateway db upgrade`",
        "« edi-gateway db upgrade »",
    ),
    "database.silent": _fail(
        "does not answer: {reason}", "ne répond pas : {reason}", "check database_url", "vérifiez database_url"
    ),
    "database.open": _fail("everybody may read {path} ({found})", "tout le monde peut lire {path} ({found})", *_CHMOD),
    "payloads.kept": _ok("keep what they are given", "gardent ce qu'on leur confie"),
    "payloads.refused": _fail(
        "cannot be kept: {reason}",
        "ne peuvent pas être gardées : {reason}",
        "check data_dir, or payload_url and its credentials",
        "vérifiez data_dir, ou payload_url et ses identifiants",
    ),
    "partners.agree": _ok("{count} in force, as in their folders", "{count} en vigueur, comme dans leurs dossiers"),
    "partners.none": _warn(
        "no partner is in force",
        "aucun partenaire n'est en vigueur",
        "`edi-gateway partners check`, then `partners apply`",
        "« edi-gateway partners check », puis « partners apply »",
    ),
    "partners.refused": _fail(
        "{problem}", "{problem}", "`edi-gateway partners check` says all", "« edi-gateway partners check » dit tout"
    ),
    "partners.differ": _warn(
        "{name}: its folder would be {change}",
        "{name} : son dossier serait « {change} »",
        "`edi-gateway partners apply --dry-run` shows it",
        "« edi-gateway partners apply --dry-run » le montre",
    ),
    "work.turning": _ok("the last sweep was {seconds} s ago", "le dernier balayage date de {seconds} s"),
    "work.never": _warn("nothing has worked here yet", "rien n'a encore travaillé ici", *_NOT_UP),
    "work.still": _fail(
        "no sweep for {seconds} s: nothing is sent again, no deadline is seen",
        "aucun balayage depuis {seconds} s : rien n'est renvoyé, aucune échéance n'est vue",
        *_NOT_UP,
    ),
    "work.waiting": _warn(
        "{count} wait for {stage}, the oldest for {minutes} min",
        "{count} attendent : {stage}, le plus ancien depuis {minutes} min",
        "look at `edi-gateway transmissions list` and the log",
        "regardez « edi-gateway transmissions list » et le journal",
    ),
    "work.parked": _warn(
        "{count} transmissions are parked",
        "{count} transmissions sont mises de côté",
        "`edi-gateway exceptions` names them, `doctor transmission ID` says why",
        "« edi-gateway exceptions » les nomme, « doctor transmission ID » dit pourquoi",
    ),
    "url.plausible": _ok("{url}", "{url}"),
    "url.local": _fail(
        "{url} leads partners to their own machine, and we listen on {host}",
        "{url} mène les partenaires à leur propre machine, et nous écoutons sur {host}",
        "set public_url to the address that partners use",
        "réglez public_url sur l'adresse qu'utilisent les partenaires",
    ),
    "url.plain": _warn(
        "{url} is not https",
        "{url} n'est pas en https",
        "let a reverse proxy end TLS, and say https here",
        "confiez TLS à un mandataire inverse, et dites https ici",
    ),
    "proxy.everybody": _fail(
        "reverse_proxy.addresses believes everybody ({network})",
        "reverse_proxy.addresses croit tout le monde ({network})",
        "name the proxies alone",
        "ne nommez que les mandataires",
    ),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at: a row of `TEXTS`, and its values."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def check(self) -> str:
        """What was looked at: keys, clock, port …"""
        return self.code.partition(".")[0]

    @property
    def verdict(self) -> Verdict:
        return TEXTS[self.code].verdict

    def found(self, language: Language) -> str:
        text = TEXTS[self.code]
        return (text.english if language == "en" else text.french).format_map(self.values)

    def advice(self, language: Language) -> str:
        text = TEXTS[self.code]
        return (text.advice if language == "en" else text.conseil).format_map(self.values)
