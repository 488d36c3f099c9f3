"""The README of an evidence bundle, in French and English: what each file proves, and the commands that show it.

A command stands on a line that begins with `    $ `; what it must print follows on lines that begin with `    > `.
Without such lines it is its exit code 0 that counts. A test runs every one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edi_gateway.as2.algorithms import Digest
from edi_gateway.store.transmissions import Transmission, TransmissionDirection

COMMAND = "    $ "
OUTPUT = "    > "


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is shown: in words, and by commands with what they print."""

    fr: str
    en: str
    commands: tuple[tuple[str, str], ...] = ()  # command, output; "" where only the exit code counts

    @classmethod
    def payload(cls, sha256: str) -> Step:
        """The document is the one that the log speaks of."""
        return cls(
            "Le document est celui que nomment les événements (leur champ `payload` est son SHA-256).",
            "The document is the one that the events name (their field `payload` is its SHA-256).",
            (("openssl dgst -sha256 -r payload.bin", f"{sha256} *payload.bin"),),
        )

    @classmethod
    def signature(cls, folder: str, suffix: str, certificate: str, subject: str) -> Step:
        """The signature verifies by this certificate and no other."""
        command = f"openssl cms -verify -binary -inform DER -in {folder}/signature.{suffix}"
        content = "" if suffix == "p7m" else f" -content {folder}/part.bin"
        pinned = f" -certfile {certificate} -nointern -noverify -out verified.bin"
        return cls(
            f"{folder}/part.bin a été signé avec la clé du certificat {subject}. `-nointern` : seul ce certificat "
            "compte, "
            "non celui que la signature contient.",
            f"{folder}/part.bin was signed with the key of the certificate {subject}. `-nointern`: only this "
            "certificate "
            "counts, not the one inside of the signature.",
            ((command + content + pinned, ""), _same(folder)),
        )

    @classmethod
    def certificate(cls, certificate: str, fingerprint: str) -> Step:
        """The certificate is the one whose fingerprint was agreed."""
        return cls(
            "Le certificat est celui dont les parties ont échangé l'empreinte.",
            "The certificate is the one whose fingerprint the parties exchanged.",
            ((f"openssl x509 -in {certificate} -outform DER | openssl dgst -sha256 -r", f"{fingerprint} *stdin"),),
        )

    @classmethod
    def canonical(cls, folder: str) -> Step:
        """The part was signed with other line ends than it was sent with."""
        return cls(
            f"{folder}/part.bin porte des fins de ligne CRLF : le partenaire signe ainsi, et envoie des LF seuls.",
            f"{folder}/part.bin has CRLF line ends: so the partner signs it, and sends it with bare LF.",
        )

    @classmethod
    def mic(cls, name: str, digest: Digest, value: str) -> Step:
        """The MIC is the digest of these bytes."""
        return cls(
            f"Le MIC est l'empreinte {digest} de {name}, en base64.",
            f"The MIC is the {digest} digest of {name}, in base64.",
            ((f"openssl dgst -{digest.value.replace('-', '')} -binary {name} | openssl base64 -A", value),),
        )

    @classmethod
    def document(cls, size: int, sha256: str, *, in_base64: bool) -> Step:
        """The signed part ends with the document."""
        decode = "openssl base64 -d | " if in_base64 else ""
        return cls(
            "Ce qui a été signé est le document, après ses en-têtes MIME.",
            "What was signed is the document, behind its MIME headers.",
            ((f"tail -c {size} signed/part.bin | {decode}openssl dgst -sha256 -r", f"{sha256} *stdin"),),
        )

    @classmethod
    def packed(cls) -> Step:
        """The document stands in the signed part in another form."""
        return cls(
            "Le document se trouve dans signed/part.bin sous une autre forme (comprimé selon RFC 3274, ou dans "
            "un autre "
            "encodage MIME) ; `openssl cms -uncompress`, s'il est compilé avec zlib, ou tout logiciel S/MIME "
            "l'en tire.",
            "The document stands in signed/part.bin in another form (compressed as in RFC 3274, or in another MIME "
            "encoding); `openssl cms -uncompress`, if built with zlib, or any S/MIME software gets it out.",
        )

    @classmethod
    def receipt(cls, folder: str, disposition: str, mic: str, message_id: str) -> Step:
        """What the MDN says."""
        return cls(
            f"L'accusé {folder}/part.bin (du texte) dit : Disposition {disposition} ; Received-content-MIC {mic} ; "
            f"Original-Message-ID {message_id}.",
            f"The receipt {folder}/part.bin (text) says: Disposition {disposition}; Received-content-MIC {mic}; "
            f"Original-Message-ID {message_id}.",
        )

    @classmethod
    def events(cls, hashes: Sequence[tuple[str, str]]) -> Step:
        """Each event has the hash that the log keeps."""
        return cls(
            "Chaque événement du journal a l'empreinte qui figure dans events/events.json (`hash`, "
            "`content_sha256`). Le "
            "texte dont elle est prise commence par l'empreinte de l'événement précédent (`previous_hash`), qui peut "
            "concerner une autre transmission : l'exploitant prouve la chaîne entière avec `edi-gateway events "
            "verify`.",
            "Each event of the log has the hash that stands in events/events.json (`hash`, `content_sha256`). "
            "The text that "
            "it is taken of begins with the hash of the event before it (`previous_hash`), which may be about another "
            "transmission: the operator proves the whole chain with `edi-gateway events verify`.",
            tuple((f"openssl dgst -sha256 -r {name}", f"{value} *{name}") for name, value in hashes),
        )


def _same(folder: str) -> tuple[str, str]:
    """What openssl verified is what lies beside the signature."""
    return f"cmp verified.bin {folder}/part.bin", ""


_TITLE = {
    TransmissionDirection.IN: (
        "Preuve d'une transmission AS2 reçue",
        "Evidence of an AS2 transmission that was received",
    ),
    TransmissionDirection.OUT: (
        "Preuve d'une transmission AS2 envoyée",
        "Evidence of an AS2 transmission that was sent",
    ),
}
_FILES = """\
raw/           ce qui a voyagé : en-têtes HTTP et corps / what travelled: HTTP headers and body
payload.bin    le document / the document
signed/        ce qui a été signé, et la signature / what was signed, and the signature
mdn/           les accusés (MDN) / the receipts (MDNs)
certificates/  les certificats qui vérifient / the certificates that verify
events/        le journal / the log
"""
_HOW = (
    "Chaque ligne `$` est une commande à lancer dans ce dossier ; les lignes `>` sont ce qu'elle doit afficher ; "
    "sans elles, "
    "seul compte son code de sortie 0. Il suffit d'openssl (3.0 ou plus récent) et d'un shell.",
    "Each line `$` is a command to run in this folder; the lines `>` are what it has to print; without them its "
    "exit code 0 "
    "is what counts. Nothing but openssl (3.0 or newer) and a shell is needed.",
)
_ENCRYPTED = {
    TransmissionDirection.IN: (
        "raw/body.bin est chiffré pour nous ; signed/part.bin en a été tiré avec notre clé.",
        "raw/body.bin is encrypted for us; signed/part.bin was taken from it with our key.",
    ),
    TransmissionDirection.OUT: (
        "raw/body.bin est chiffré pour le partenaire, qui seul peut l'ouvrir ; signed/ a été gardé lors de la "
        "signature.",
        "raw/body.bin is encrypted for the partner, who alone can open it; signed/ was kept when it was signed.",
    ),
}
_MISSING = ("Ce qui ne peut être montré :", "What cannot be shown:")


def readme(row: Transmission, steps: Iterable[Step], missing: Sequence[str]) -> str:
    """The whole text."""
    paragraphs = [
        " / ".join(_TITLE[row.direction]),
        f"Message-ID: {_line(row.message_id)}\nAS2-From: {_line(row.as2_from)}\nAS2-To: {_line(row.as2_to)}\n"
        f"{row.created_at.isoformat()}",
        _FILES.rstrip(),
        "\n".join(_HOW),
    ]
    if row.encrypted_with is not None:
        paragraphs.append("\n".join(_ENCRYPTED[row.direction]))
    for number, step in enumerate(steps, start=1):
        paragraphs.append(f"{number}. {_line(step.fr)}\n   {_line(step.en)}" + _commands(step))
    if missing:
        paragraphs.append("\n".join([" / ".join(_MISSING), *(f"- {_line(text)}" for text in missing)]))
    return "\n\n".join(paragraphs) + "\n"


def _commands(step: Step) -> str:
    lines = [""]
    for command, output in step.commands:
        lines.append(COMMAND + command)
        lines += [OUTPUT + output] if output else []
    return "\n".join(lines)


def _line(text: str | None) -> str:
    """What a partner wrote stays on its line: it must not pass for a command."""
    return "".join(c if c.isprintable() else "?" for c in text or "–")
