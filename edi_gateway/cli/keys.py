"""`edi-gateway keys`: our own private keys, and their certificates for partners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from edi_gateway.as2.certificates import AS2_USES, KEY_KINDS, KeyUse
from edi_gateway.cli.frame import (
    UserError,
    json_option,
    load_config,
    open_database,
    print_json,
    print_table,
    user_errors,
)
from edi_gateway.config import Config
from edi_gateway.gateway.keys import KeyStore, KeyStoreError, OwnKey, open_keys
from edi_gateway.gateway.secret_files import SECRET_BYTES_MAX, SecretError, read_private
from edi_gateway.store.partnerships import PartnershipState, in_force

_HEADERS = ("Name", "Key", "For", "Subject", "Serves from", "Valid until", "Days left", "SHA-256")
_DATE_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]
_USES = {
    "as2": AS2_USES,
    "signing": frozenset({KeyUse.SIGNING}),
    "encryption": frozenset({KeyUse.ENCRYPTION}),
    "tls": frozenset({KeyUse.TLS}),
}

_common_name = click.option("--common-name", help="Subject of the certificate; default: our AS2 name.")
_days = click.option("--days", type=click.IntRange(1), default=1095, show_default=True, help="How long it is valid.")
_kind = click.option(
    "--key", type=click.Choice(list(KEY_KINDS)), default="rsa-3072", show_default=True, help="Kind of key."
)
_use_from = click.option(
    "--use-from", type=click.DateTime(_DATE_FORMATS), help="When it begins to serve (UTC); default: now."
)
_purpose = click.option(
    "--for",
    "purpose",
    type=click.Choice(list(_USES)),
    default="as2",
    show_default=True,
    help="What it is for: as2 signs and decrypts; tls is shown to https servers that ask for a certificate.",
)


@click.group()
def keys() -> None:
    """Make, import, rotate and list our own keys, export their certificates.

    To roll over without a gap: `rotate` makes the next key and says which partners need its certificate, who add it to
    the present one; from its date on it signs, and both decrypt.
    """


@keys.command()
@_common_name
@_days
@_kind
@_use_from
@_purpose
@json_option
def generate(
    common_name: str | None, days: int, key: str, use_from: datetime | None, purpose: str, as_json: bool
) -> None:
    """Make a private key with a self-signed certificate."""
    config = load_config()
    now = datetime.now(UTC)
    with user_errors(KeyStoreError):
        own = open_keys(config).generate(
            common_name or config.identity.as2_id,
            now=now,
            days=days,
            key=key,
            use_from=_utc(use_from),
            uses=_USES[purpose],
        )
    if as_json:
        print_json(_as_json(own, now))
        return
    _say(own)
    click.echo(f"partners need its certificate: edi-gateway keys export-certificate {own.name}")


ROTATION_DAYS = 30
"""How long partners have to take up the next certificate, unless told otherwise."""


@keys.command()
@_common_name
@_days
@_kind
@click.option("--use-from", type=click.DateTime(_DATE_FORMATS), help="When it begins to serve (UTC).")
@click.option(
    "--in",
    "in_days",
    type=click.IntRange(0, 3650),
    default=ROTATION_DAYS,
    show_default=True,
    help="Days until it begins to serve, where --use-from does not say.",
)
@_purpose
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write the certificate there.")
@json_option
def rotate(
    common_name: str | None,
    days: int,
    key: str,
    use_from: datetime | None,
    in_days: int,
    purpose: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Make the next key, which begins to serve some weeks ahead, and say which partners need its certificate.

    Until then the present key signs; both decrypt. Refused while another key waits for its day.
    """
    config = load_config()
    now = datetime.now(UTC)
    uses = _USES[purpose]
    with user_errors(KeyStoreError):
        store = open_keys(config)
        if waiting := [own.name for own in store.own_keys() if own.use_from > now and own.uses & uses]:
            raise UserError(f"{waiting[0]} waits for its day; the partners need that one: see `edi-gateway keys list`")
        partners = _to_tell(config, uses)
        own = store.generate(
            common_name or config.identity.as2_id,
            now=now,
            days=days,
            key=key,
            use_from=_utc(use_from) or now + timedelta(days=in_days),
            uses=uses,
        )
    if output is not None:
        _write(output, own.certificate.pem.encode("ascii"))
    if as_json:
        print_json(_as_json(own, now) | {"certificate": own.certificate.pem, "partners": partners})
        return
    _say(own)
    _print_letter(own, partners, output)


def _to_tell(config: Config, uses: frozenset[KeyUse]) -> list[dict[str, Any]]:
    """The partners that have to take up a new certificate of ours."""
    with open_database(config) as database, database.read() as view:
        rows = [row for row in in_force(view.session) if row.state is PartnershipState.ACTIVE]
    agreed = [row.partnership for row in rows]
    return [
        {"name": p.name, "legal_name": p.partner.legal_name, "as2_id": p.as2.their_id, "our_as2_id": p.as2.our_id}
        for p in agreed
        if KeyUse.TLS not in uses or p.as2.tls.client_certificate
    ]


def _print_letter(own: OwnKey, partners: Sequence[dict[str, Any]], output: Path | None) -> None:
    certificate = own.certificate
    click.echo("")
    click.echo("To send to each partner:")
    click.echo(f"  our new certificate, valid until {certificate.not_after:%Y-%m-%d}, for {own.purpose}")
    click.echo(f"  to be added to the present one now; we use it from {own.use_from:%Y-%m-%d %H:%M} UTC on")
    click.echo(f"  SHA-256 fingerprint {certificate.fingerprint}")
    click.echo(f"  the file: {output or f'edi-gateway keys export-certificate {own.name}'}")
    click.echo("")
    click.echo(f"{len(partners)} partners need it:" if partners else "No partner in force needs it.")
    for partner in partners:
        click.echo(f"  {partner['name']}: {partner['legal_name']}, AS2 name {partner['as2_id']}")


@keys.command()
@click.argument("name", required=False)
@click.option("--partner", "names", multiple=True, help="Only to this partner; may be repeated.")
@click.option("--respond-by", type=click.DateTime(_DATE_FORMATS), help="Default: when the key begins to serve.")
@json_option
def announce(name: str | None, names: Sequence[str], respond_by: datetime | None, as_json: bool) -> None:
    """Propose a key's certificate to partners by message (CEM): the one NAMEd, or the one that began or begins last.

    To those who have certificate_exchange = true and were not asked before. The running server sends it; their answers
    stand in `edi-gateway partners certificates list`.
    """
    from edi_gateway.gateway.app import open_gateway
    from edi_gateway.gateway.certificate_exchange import announce as propose

    config = load_config()
    with open_database(config):
        pass  # it exists and is up to date
    with user_errors(KeyStoreError):
        gateway = open_gateway(config)
        try:
            owned = gateway.keys.own_keys()
            own = _chosen(owned, name or (owned[0].name if owned else None))
            known = gateway.partnerships.all()
            if unknown := [each for each in names if each not in [partnership.name for partnership in known]]:
                raise UserError(f"no partner {unknown[0]!r} is in force; see `edi-gateway partners list`")
            asked = [partnership for partnership in known if not names or partnership.name in names]
            made = propose(gateway, own, asked, _utc(respond_by))
        finally:
            gateway.close()
    partners = [row.partnership for row in made]
    if as_json:
        print_json({"key": own.name, "fingerprint": own.certificate.fingerprint, "announced_to": partners})
        return
    click.echo(f"{own.name} is announced to {', '.join(partners) or 'nobody'}")
    for partnership in asked:
        if partnership.name not in partners:
            agreed = partnership.as2.certificate_exchange
            click.echo(f"  not to {partnership.name}: {'it was before' if agreed else 'certificate_exchange = false'}")


@keys.command(name="import")
@click.argument("file", metavar="FILE")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Its certificate (PEM, DER, P7B; chain or not), where FILE holds none.",
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Holds the password of FILE, readable by its owner only; else it is asked for where one is needed.",
)
@_use_from
@_purpose
@json_option
def import_key(
    file: str,
    certificate: Path | None,
    password_file: Path | None,
    use_from: datetime | None,
    purpose: str,
    as_json: bool,
) -> None:
    """Take up a private key that was made elsewhere: PKCS #12 (.p12, .pfx) or PEM.

    It is stored encrypted under our own passphrase, with its certificate and chain. FILE is left as it is: remove it.
    """
    now = datetime.now(UTC)
    with user_errors(KeyStoreError, SecretError, OSError, ValueError):  # ValueError: a path with a null character
        data = _read_bounded(Path(file))
        own = _open().import_key(
            data,
            now=now,
            password=read_private(password_file).strip() if password_file else _asked(data),
            certificates=_read_bounded(certificate) if certificate else b"",
            use_from=_utc(use_from),
            uses=_USES[purpose],
        )
    if as_json:
        print_json(_as_json(own, now))
        return
    _say(own)
    click.echo(f"{len(own.chain)} certificates of its chain; remove {file}, which holds the key under another password")


def _asked(data: bytes) -> bytes | None:
    """The password of a file that needs one, from the terminal and never from the command line."""
    if data[:1] != b"\x30" and b"ENCRYPTED" not in data:
        return None
    typed: str = click.prompt("Password of the file", hide_input=True, default="", show_default=False, err=True)
    return typed.encode() or None


def _read_bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SECRET_BYTES_MAX + 1)


@keys.command(name="list")
@json_option
def list_keys(as_json: bool) -> None:
    """List our keys, the one that began to serve last first, with the days until each expires."""
    now = datetime.now(UTC)
    with user_errors(KeyStoreError):
        owned = _open().own_keys()
    if as_json:
        print_json([_as_json(own, now) for own in owned])
        return
    rows = [_row(own, now) for own in owned]
    print_table(_HEADERS, rows, empty="No key; `edi-gateway keys generate` makes one.")


@keys.command(name="export-certificate")
@click.argument("name", required=False)
@click.option("--der", is_flag=True, help="Binary DER instead of PEM.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A file; default: stdout.")
def export_certificate(name: str | None, der: bool, output: Path | None) -> None:
    """Write a key's certificate (never the key): the one NAMEd, or the one that signs now."""
    with user_errors(KeyStoreError):
        own = _chosen(_open().own_keys(), name)
    data = own.certificate.der if der else own.certificate.pem.encode("ascii")
    if output is None:
        click.echo(data, nl=False)
        return
    _write(output, data)


def _write(output: Path, data: bytes) -> None:
    with user_errors(OSError):
        output.write_bytes(data)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _say(own: OwnKey) -> None:
    description = f"{own.certificate.key_description} for {own.purpose}"
    click.echo(f"{own.name}: {description}, serves from {own.use_from:%Y-%m-%d %H:%M}Z")


def _open() -> KeyStore:
    return open_keys(load_config())


def _chosen(owned: tuple[OwnKey, ...], name: str | None) -> OwnKey:
    now = datetime.now(UTC)
    signing = [own for own in owned if own.use_from <= now and KeyUse.SIGNING in own.uses]
    fitting = [own for own in owned if own.name == name] if name is not None else signing
    if not fitting:
        there = ", ".join(own.name for own in owned) or "none yet; `edi-gateway keys generate` makes one"
        raise UserError(f"no key {name or 'that signs now'}; there are: {there}")
    return fitting[0]


def _row(own: OwnKey, now: datetime) -> tuple[str, ...]:
    certificate = own.certificate
    return (
        own.name,
        certificate.key_description,
        own.purpose,
        certificate.subject,
        f"{own.use_from:%Y-%m-%d %H:%M}Z",
        f"{certificate.not_after:%Y-%m-%d}",
        str(certificate.days_left(now)),
        certificate.fingerprint[:16],
    )


def _as_json(own: OwnKey, now: datetime) -> dict[str, Any]:
    certificate = own.certificate
    return {
        "name": own.name,
        "key": certificate.key_description,
        "uses": sorted(use.value for use in own.uses),
        "subject": certificate.subject,
        "serial": str(certificate.serial),
        "use_from": own.use_from.isoformat(),
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "days_left": certificate.days_left(now),
        "fingerprint": certificate.fingerprint,
    }
