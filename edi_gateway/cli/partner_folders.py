"""`edi-gateway partners new`: a partner's folder from a template."""

from __future__ import annotations

import re
from pathlib import Path

import click

from edi_gateway import partner_templates
from edi_gateway.cli.frame import UserError, load_config, user_errors
from edi_gateway.marketplace.identifiers import is_gln

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SAFE = re.compile(r'[^"\\\x00-\x1f]*')


@click.command()
@click.argument("name")
@click.option("--template", type=click.Choice(partner_templates.TEMPLATES), required=True, help="The profile.")
@click.option("--gln", required=True, help="Their GLN.")
@click.option("--legal-name", default="", help="Of the company; default: NAME.")
@click.option("--as2-id", default="", help="Their AS2 name; default: NAME in capitals.")
@click.option("--url", default="", help="Where we POST.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Their certificate, which is copied into the folder.",
)
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), help="Default: partners_dir.")
def new(
    name: str,
    template: str,
    gln: str,
    legal_name: str,
    as2_id: str,
    url: str,
    certificate: Path | None,
    directory: Path | None,
) -> None:
    """Begin a partner's folder: partner.toml with the habits of a profile, and examples of its messages.

    Overwrites nothing. `partners check NAME` says what is still to be filled in.
    """
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of a folder: lower-case letters, digits and hyphens")
    if not is_gln(gln):
        raise UserError(f"{gln!r} is not a GLN: 13 digits with a right check digit")
    config = load_config()
    values = {
        "name": name,
        "legal_name": legal_name or name,
        "their_gln": gln,
        "our_gln": config.identity.gln,
        "as2_id": as2_id or name.upper(),
        "url": url or f"https://{name}.example/as2",
        "certificate": certificate.name if certificate else f"{name}.pem",
    }
    if unsafe := [key for key, value in values.items() if not _SAFE.fullmatch(value)]:
        raise UserError(f"{', '.join(unsafe)} may hold no quotation marks, backslashes or control characters")
    folder = (directory or config.partners_dir) / name
    texts = {path: text.encode("utf-8") for path, text in partner_templates.files(template, values).items()}
    if certificate:
        texts[certificate.name] = certificate.read_bytes()
    with user_errors(OSError):
        folder.mkdir(parents=True)
        for path, data in texts.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(data)
            click.echo(str(folder / path))
