"""The sections of partner.toml about the connection: TLS, the way to their server, and what they show to ours.

No secret stands in a partner's file: it names the file or the variable that holds one. Pure, as `partner_file` is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import Field, ValidationInfo, field_validator, model_validator

from edi_gateway.as2.certificates import Certificate, KeyUse, WeaknessKind, weaknesses
from edi_gateway.checked_fields import Flag, OptionalHttpUrl
from edi_gateway.partnership import PARTNER_VARIABLES, TlsTrust
from edi_gateway.strict_toml import Section

FILES_MAX = 10
"""Certificate files for one purpose."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?", re.ASCII)
_VARIABLE = re.compile(rf"{PARTNER_VARIABLES}[A-Z0-9_]{{1,100}}", re.ASCII)
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]{0,1000}")


class PartnersFolder(Protocol):
    """What the sections may look at: the certificate files of the folder. Its methods raise ValueError."""

    @property
    def now(self) -> datetime: ...

    def certificate(self, file: str) -> Certificate:
        """The leaf of the one chain in the file."""
        ...

    def certificates(self, file: str) -> tuple[Certificate, ...]:
        """Every certificate in the file."""
        ...


FileNames = Annotated[tuple[str, ...], Field(max_length=FILES_MAX)]


class CredentialsSection(Section):
    """A user name, and where its password stands."""

    username: str = Field(min_length=1, max_length=255, description="user name (RFC 7617), without a colon")
    password_file: str = Field(
        default="", max_length=1000, description="a file that holds the password, readable by its owner only"
    )
    password_variable: str = Field(default="", description=f"or the variable that holds it: {PARTNER_VARIABLES}…")

    @field_validator("username")
    @classmethod
    def _can_be_sent(cls, username: str) -> str:
        if ":" in username or not _PRINTABLE.fullmatch(username):
            raise ValueError("a colon or a control character in a user name; a name without (RFC 7617 §2)")
        return username

    @field_validator("password_file")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        if not _PRINTABLE.fullmatch(path):
            raise ValueError("a control character in a path; a path, relative ones below data_dir")
        return path

    @field_validator("password_variable")
    @classmethod
    def _is_ours(cls, variable: str) -> str:
        # Any other variable, such as the one with the passphrase of our keys, is none of a partner's business.
        if variable and not _VARIABLE.fullmatch(variable):
            raise ValueError(f"{variable[:60]!r} is not a variable for secrets; {PARTNER_VARIABLES} and A-Z 0-9 _")
        return variable

    @model_validator(mode="after")
    def _has_one_password(self) -> CredentialsSection:
        if bool(self.password_file) == bool(self.password_variable):
            raise ValueError("one place for the password; password_file or password_variable")
        return self


class TlsSection(Section):
    """How we know their https server, and how it knows us."""

    trust: TlsTrust = Field(
        default=TlsTrust.SYSTEM,
        validate_default=True,
        description="system: the authorities of this machine; authorities: those in `certificates`; "
        "pinned: the server's own certificate is in `certificates`, whatever name it bears",
    )
    certificates: FileNames = Field(
        default=(), description="files in this folder; while a server changes its certificate, both"
    )
    server_name: str = Field(default="", max_length=253, description="name in its certificate; default: the URL's host")
    minimum_version: Literal["1.2", "1.3"] = Field(default="1.2", description="of TLS")
    client_certificate: Flag = Field(default=False, description="show them our certificate for TLS")

    @field_validator("server_name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if name and not _HOST.fullmatch(name):
            raise ValueError(f"{name[:60]!r} is not a host name; such as edi.vendor.example")
        return name

    @model_validator(mode="after")
    def _agrees_with_itself(self, info: ValidationInfo) -> TlsSection:
        folder = folder_of(info)
        if self.trust is TlsTrust.SYSTEM:
            if self.certificates:
                raise ValueError('certificates that nothing looks at; trust = "authorities" or "pinned" with them')
            return self
        if not self.certificates:
            raise ValueError(f'trust = "{self.trust}" without certificates; their files in this folder')
        for file in self.certificates:
            if self.trust is TlsTrust.PINNED:
                check_pinned(folder, file)
            else:
                folder.certificates(file)
        return self


class HttpSection(Section):
    """The way to their server."""

    credentials: CredentialsSection | None = Field(
        default=None, description="what we answer with where their server asks for them (basic, RFC 7617)"
    )
    proxy: OptionalHttpUrl = Field(default="", description="an HTTP proxy, such as http://proxy.example:3128")
    proxy_credentials: CredentialsSection | None = Field(default=None, description="what the proxy wants")

    @model_validator(mode="after")
    def _is_a_way(self) -> HttpSection:
        if self.proxy.startswith("https:"):
            raise ValueError("a proxy is spoken to by http; http://host:port, and what passes it is encrypted by TLS")
        if self.proxy_credentials and not self.proxy:
            raise ValueError("proxy_credentials without a proxy; proxy = its URL")
        return self


class AccessSection(Section):
    """What they have to show when they POST to us, beyond the signature."""

    credentials: CredentialsSection | None = Field(default=None, description="basic authentication (RFC 7617)")
    client_certificates: FileNames = Field(
        default=(),
        description="one of these TLS certificates, as a trusted proxy hands it on (gateway.toml)",
    )

    @field_validator("client_certificates")
    @classmethod
    def _are_usable(cls, files: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for file in files:
            check_pinned(folder_of(info), file)
        return files


def check_pinned(folder: PartnersFolder, file: str) -> None:
    """Raise ValueError for a certificate that must not be relied on alone."""
    certificate = folder.certificate(file)
    faults = weaknesses(certificate, folder.now, KeyUse.TLS)
    if grave := [f.text for f in faults if f.fatal and f.kind is not WeaknessKind.NOT_YET_VALID]:
        raise ValueError(f"{file} is not to be relied on: {', '.join(grave)}; a valid and stronger certificate")


def folder_of(info: ValidationInfo) -> PartnersFolder:
    """The folder that is being read."""
    if info.context is None:
        raise TypeError("a partner's file is read by partner_file.read")
    folder: PartnersFolder = info.context
    return folder


def leaves(folder: PartnersFolder, files: Sequence[str]) -> tuple[Certificate, ...]:
    """The certificate that each file is about."""
    return tuple(folder.certificate(file) for file in files)


def bundle(folder: PartnersFolder, files: Sequence[str]) -> tuple[Certificate, ...]:
    """Every certificate of the files, each once."""
    return tuple(dict.fromkeys(certificate for file in files for certificate in folder.certificates(file)))
