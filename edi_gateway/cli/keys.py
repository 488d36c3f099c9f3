"""`edi-gateway keys`: our own private keys, and their certificates for partners."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from edi_gateway.as2.certificates import KEY_KINDS
from edi_gateway.cli.frame import UserError, json_option, load_config, print_json, print_table, user_errors
from edi_gateway.gateway.keys import KeyStore, KeyStoreError, OwnKey, open_keys

_HEADERS = ("Name", "Key", "Subject", "Signs from", "Valid until", "SHA-256")
_DATE_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]


@click.group()
def keys() -> None:
    """Make and list our own keys, export their certificates.

    To roll over without a gap: `generate --use-from` a date some weeks ahead, `export-certificate` and send it to
    the partners, who add it to the present one; from that date on it signs, and both decrypt.
    """


@keys.command()
@click.option("--common-name", help="Subject of the certificate; default: our AS2 name.")
@click.option("--days", type=click.IntRange(1), default=1095, show_default=True, help="How long it is valid.")
@click.option("--key", type=click.Choice(list(KEY_KINDS)), default="rsa-3072", show_default=True, help="Kind of key.")
@click.option("--use-from", type=click.DateTime(_DATE_FORMATS), help="When it begins to sign (UTC); default: now.")
@json_option
def generate(common_name: str | None, days: int, key: str, use_from: datetime | None, as_json: bool) -> None:
    """Make a private key with a self-signed certificate."""
    config = load_config()
    starts = use_from.replace(tzinfo=UTC) if use_from else None
    with user_errors(KeyStoreError):
        own = open_keys(config).generate(
            common_name or config.identity.as2_id, now=datetime.now(UTC), days=days, key=key, use_from=starts
        )
    if as_json:
        print_json(_as_json(own))
    else:
        click.echo(f"{own.name}: {own.certificate.key_description}, signs from {own.use_from:%Y-%m-%d %H:%M}Z")
        click.echo(f"partners need its certificate: edi-gateway keys export-certificate {own.name}")


@keys.command(name="list")
@json_option
def list_keys(as_json: bool) -> None:
    """List our keys, the one that began to sign last first."""
    with user_errors(KeyStoreError):
        owned = _open().own_keys()
    if as_json:
        print_json([_as_json(own) for own in owned])
        return
    print_table(_HEADERS, map(_row, owned), empty="No key; `edi-gateway keys generate` makes one.")


@keys.command(name="export-certificate")
@click.argument("name", required=False)
@click.option("--der", is_flag=True, help="Binary DER instead of PEM.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A file; default: stdout.")
def export_certificate(name: str | None, der: bool, output: Path | None) -> None:
    """Write a key's certificate (never the key): the one NAMEd, or the one that began to sign last."""
    with user_errors(KeyStoreError):
        own = _chosen(_open().own_keys(), name)
    data = own.certificate.der if der else own.certificate.pem.encode("ascii")
    if output is None:
        click.echo(data, nl=False)
        return
    with user_errors(OSError):
        output.write_bytes(data)


def _open() -> KeyStore:
    return open_keys(load_config())


def _chosen(owned: tuple[OwnKey, ...], name: str | None) -> OwnKey:
    now = datetime.now(UTC)
    fitting = [own for own in owned if own.name == name or (name is None and own.use_from <= now)]
    if not fitting:
        there = ", ".join(own.name for own in owned) or "none yet; `edi-gateway keys generate` makes one"
        raise UserError(f"no key {name or 'that signs now'}; there are: {there}")
    return fitting[0]


def _row(own: OwnKey) -> tuple[str, ...]:
    certificate = own.certificate
    starts, ends = f"{own.use_from:%Y-%m-%d %H:%M}Z", f"{certificate.not_after:%Y-%m-%d}"
    return own.name, certificate.key_description, certificate.subject, starts, ends, certificate.fingerprint[:16]


def _as_json(own: OwnKey) -> dict[str, Any]:
    certificate = own.certificate
    return {
        "name": own.name,
        "key": certificate.key_description,
        "subject": certificate.subject,
        "serial": str(certificate.serial),
        "use_from": own.use_from.isoformat(),
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "fingerprint": certificate.fingerprint,
    }
