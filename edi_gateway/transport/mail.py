"""One e-mail by SMTP (RFC 5321), bounded in time. With STARTTLS or TLS the server's certificate is checked."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

from edi_gateway.transport.tls import system_context

SECONDS_MAX = 10.0
"""For each answer of the server."""

Security = Literal["starttls", "tls", "none"]


class MailError(Exception):
    """The server did not take the mail; the text says why."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """What is handed in. The Message-ID names it, so that the same mail handed in twice can be known."""

    sender: str
    recipients: Sequence[str]
    subject: str
    text: str
    message_id: str


def hand_in(server: MailServer, mail: Mail) -> None:
    """Hand the mail in. Raises MailError; the server may have it all the same when its last answer was lost."""
    message = EmailMessage()
    message["From"], message["To"] = mail.sender, ", ".join(mail.recipients)
    message["Subject"], message["Message-ID"] = mail.subject, mail.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers, please
    message.set_content(mail.text)
    try:
        with _connected(server) as session:
            if server.user:
                session.login(server.user, server.password)
            session.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(f"{server.host}:{server.port}: {error}") from None


def _connected(server: MailServer) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS_MAX, context=system_context())
    session = smtplib.SMTP(server.host, server.port, timeout=SECONDS_MAX)
    if server.security == "starttls":
        try:
            session.starttls(context=system_context())
        except (OSError, smtplib.SMTPException):
            session.close()
            raise
    return session
