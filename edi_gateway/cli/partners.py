"""`edi-gateway partners`: trading partners as data, from their folders into force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from edi_gateway import partner_export, partner_file
from edi_gateway.as2.certificates import load_certificates
from edi_gateway.cli.frame import (
    UserError,
    json_option,
    load_config,
    open_database,
    print_json,
    print_table,
    user_errors,
)
from edi_gateway.cli.partner_folders import new
from edi_gateway.config import Config
from edi_gateway.gateway import certificate_exchange, expiry, onboarding
from edi_gateway.gateway.app import Gateway, open_gateway
from edi_gateway.gateway.certificate_exchange import CannotDecide, Decision
from edi_gateway.gateway.keys import KeyStoreError
from edi_gateway.gateway.onboarding import Change, ChangeKind, Checked
from edi_gateway.gateway.partner_examples import Outcome, run
from edi_gateway.partner_file import Ours
from edi_gateway.partnership import Partnership
from edi_gateway.store import partnerships as store
from edi_gateway.store.certificates import CertificateProposal, ProposalState, proposals
from edi_gateway.store.partnerships import PartnershipRevision
from edi_gateway.strict_toml import Problem

_names = click.argument("names", nargs=-1, metavar="[NAME]...")
_directory = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the partners' folders; default: partners_dir of the configuration.",
)
_HEADERS = ("Name", "State", "AS2 name", "EDIFACT address", "Messages", "Revision", "Since", "Days left")
_SIGNS = {
    ChangeKind.ADDED: "+",
    ChangeKind.CHANGED: "~",
    ChangeKind.RESUMED: "+",
    ChangeKind.UNCHANGED: "=",
    ChangeKind.MISSING: "?",
    ChangeKind.SUSPENDED: "-",
}


@click.group()
def partners() -> None:
    """Check, apply, list and show trading partners.

    A partner is a folder: partners/NAME/partner.toml and its certificates. `check` reads the folders, `apply` puts
    them in force, `list` and `show` say what is in force.
    """


partners.add_command(new)


@partners.command()
@_names
@_directory
@click.option("--accept", is_flag=True, help="Write what the examples give now, in place of what they should give.")
@json_option
def check(names: Sequence[str], directory: Path | None, accept: bool, as_json: bool) -> None:
    """Read the folders (all, or those named), run their examples, and print everything that is wrong.

    An example is NAME/examples/TITLE.edi beside TITLE.json, the records of its messages: what they send is read,
    what we send is written from them. Touches no database. Exit code 1 if something is wrong.
    """
    config = load_config()
    checked = _check(config, directory, names)
    folders = directory or config.partners_dir
    examples = [each for agreed in checked.partnerships for each in run(folders / agreed.name, agreed, accept=accept)]
    good = not checked.problems and all(example.ok for example in examples)
    if as_json:
        print_json(
            {
                "partners": [partnership.name for partnership in checked.partnerships],
                "problems": [problem.as_json() for problem in checked.problems],
                "warnings": [warning.as_json() for warning in checked.warnings],
                "examples": [example.as_json() for example in examples],
                "ok": good,
            }
        )
    else:
        _print_examples(examples)
        _print_check(checked)
    if not good:
        click.get_current_context().exit(1)


@partners.command()
@_names
@_directory
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--suspend-missing", is_flag=True, help="Suspend partners in force whose folder is gone.")
@click.option("--no-examples", is_flag=True, help="Do not run the examples of the folders.")
@json_option
def apply(
    names: Sequence[str],
    directory: Path | None,
    *,
    dry_run: bool,
    suspend_missing: bool,
    no_examples: bool,
    as_json: bool,
) -> None:
    """Put the folders (all, or those named) in force, and print what changes: field: old -> new.

    All or nothing: if one folder is wrong, nothing changes. Applying twice changes nothing the second time.
    A partner whose folder is gone is reported and stays in force, unless --suspend-missing. Certificates that were
    accepted by message stay too, whether a folder names them or not. Examples that no longer give what they should
    are warnings; `check` shows all their differences.
    """
    if names and suspend_missing:
        raise UserError("--suspend-missing looks at all folders; leave the names out")
    config = load_config()
    folders = directory or config.partners_dir
    with open_database(config) as database, database.write() as uow:
        rows = store.in_force(uow.session)
        others = [row.partnership for row in rows if row.name not in names] if names else []
        checked = _check(config, directory, names, others)
        if checked.problems:
            raise UserError(_refusal(checked.problems))
        wanted, problems = certificate_exchange.keep_accepted(
            uow.session, checked.partnerships, rows, datetime.now(UTC)
        )
        if problems:
            raise UserError(_refusal(problems))
        changes = onboarding.plan(wanted, rows, only=names, suspend_missing=suspend_missing)
        if not dry_run:
            onboarding.apply(uow, changes, datetime.now(UTC))
            uow.commit()
    failing = () if no_examples else _failing_examples(folders, checked.partnerships)
    _report(changes, (*checked.warnings, *failing), dry_run=dry_run, as_json=as_json)


def _failing_examples(folders: Path, partnerships: Sequence[Partnership]) -> list[Problem]:
    outcomes = [outcome for agreed in partnerships for outcome in run(folders / agreed.name, agreed)]
    return [
        Problem(f"{each.partner}/examples/{each.example}", "", _printable(each.differences[0]), "what it should give")
        for each in outcomes
        if not each.ok
    ]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


@partners.command(name="list")
@json_option
def list_partners(as_json: bool) -> None:
    """List the partnerships in force, with the days until the first certificate that is needed expires."""
    now = datetime.now(UTC)
    with open_database(load_config()) as database, database.read() as reading:
        rows = store.in_force(reading.session)
    if as_json:
        print_json([_summary(row) | _certificates(row, now) for row in rows])
        return
    empty = "No partner is in force; `edi-gateway partners apply` reads the folders."
    print_table(_HEADERS, [_row(row, now) for row in rows], empty=empty)


@partners.command()
@click.argument("name")
@click.option("--history", is_flag=True, help="Every revision with what it changed, the newest first.")
@json_option
def show(name: str, history: bool, as_json: bool) -> None:
    """Show one partnership in force, every field."""
    with open_database(load_config()) as database, database.read() as reading:
        rows = store.history(reading.session, name)
    if not rows:
        raise UserError(f"no partner {name!r} was ever applied; `edi-gateway partners list` shows those that were")
    if as_json:
        print_json([_whole(row) for row in rows] if history else _whole(rows[0]))
    elif history:
        _print_history(rows)
    else:
        _print_fields(rows[0])


@partners.command()
@click.argument("name")
@_directory
def export(name: str, directory: Path | None) -> None:
    """Write the folder of a partnership in force: partner.toml and certificates. Overwrites nothing."""
    config = load_config()
    with open_database(config) as database, database.read() as reading:
        rows = [row for row in store.in_force(reading.session) if row.name == name]
    if not rows:
        raise UserError(f"no partner {name!r} is in force; `edi-gateway partners list` shows those that are")
    folder = partner_export.export(rows[0].partnership)
    path = (directory or config.partners_dir) / name
    with user_errors(OSError):
        path.mkdir(parents=True)
        for file, data in {partner_file.FILE: folder.text.encode("utf-8"), **folder.files}.items():
            (path / file).write_bytes(data)
            click.echo(str(path / file))


@partners.group()
def certificates() -> None:
    """Certificates that partners propose to us by message (CEM), and that we propose to them.

    A proposed certificate is trusted by nobody before `accept`.
    """


_STATES = tuple(state.value for state in ProposalState)
_PROPOSAL_HEADERS = ("Id", "Direction", "Partner", "State", "For", "Subject", "Valid until", "Respond by", "SHA-256")


@certificates.command(name="list")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--partner", default="", help="Only those of this partner.")
@json_option
def list_certificates(state: str | None, partner: str, as_json: bool) -> None:
    """List the proposals, the oldest first. `in` are theirs, `out` are ours."""
    with open_database(load_config()) as database, database.read() as view:
        rows = proposals(view.session, state=ProposalState(state) if state else None, partnership=partner)
    if as_json:
        print_json([_proposal_json(row) for row in rows])
        return
    print_table(_PROPOSAL_HEADERS, map(_proposal_row, rows), empty="No certificate was proposed by message.")


@certificates.command()
@click.argument("proposal_id", metavar="ID")
@click.option(
    "--use-from",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="When we begin to encrypt for it (UTC); default: now. It verifies at once.",
)
@json_option
def accept(proposal_id: str, use_from: datetime | None, as_json: bool) -> None:
    """Trust a proposed certificate: compare its SHA-256 with the partner, by telephone, before.

    It joins the certificates of the partnership as a new revision and stays there through every later `apply`; the
    response is queued. `withdraw` takes it out again.
    """
    moment = use_from.replace(tzinfo=UTC) if use_from else None
    with _opened_gateway(load_config()) as gateway, user_errors(CannotDecide):
        decided = certificate_exchange.accept(gateway, proposal_id, moment)
    if as_json:
        print_json(_decided_json(decided))
        return
    _report(decided.changes, (), dry_run=False, as_json=False)
    click.echo(f"the response is queued; {decided.proposal.partnership} is told that we trust it")


@certificates.command()
@click.argument("proposal_id", metavar="ID")
@click.option("--reason", required=True, help="Why, for the event log; no message is sent.")
@json_option
def withdraw(proposal_id: str, reason: str, as_json: bool) -> None:
    """No longer trust a certificate that was accepted. One that partner.toml names as well, `apply` puts back."""
    with _opened_gateway(load_config()) as gateway, user_errors(CannotDecide):
        decided = certificate_exchange.withdraw(gateway, proposal_id, reason)
    if as_json:
        print_json(_decided_json(decided))
    else:
        _report(decided.changes, (), dry_run=False, as_json=False)


@certificates.command()
@click.argument("proposal_id", metavar="ID")
@click.option("--reason", required=True, help="Why, as the partner reads it.")
@json_option
def reject(proposal_id: str, reason: str, as_json: bool) -> None:
    """Refuse a proposed certificate; the response is queued with the reason."""
    with _opened_gateway(load_config()) as gateway, user_errors(CannotDecide):
        decided = certificate_exchange.reject(gateway, proposal_id, reason)
    if as_json:
        print_json(_proposal_json(decided.proposal))
    else:
        click.echo(f"rejected; the response to {decided.proposal.partnership} is queued")


@contextmanager
def _opened_gateway(config: Config) -> Iterator[Gateway]:
    with open_database(config):
        pass  # it exists and is up to date
    with user_errors(KeyStoreError):
        gateway = open_gateway(config)
    try:
        yield gateway
    finally:
        gateway.close()


def _decided_json(decided: Decision) -> dict[str, Any]:
    return _proposal_json(decided.proposal) | {"changes": [change.as_json() for change in decided.changes]}


def _proposal_json(row: CertificateProposal) -> dict[str, Any]:
    certificate = load_certificates(row.pem)[0]
    return {
        "id": row.id,
        "direction": row.direction.value,
        "partner": row.partnership,
        "state": row.state.value,
        "reason": row.reason,
        "request_id": row.request_id,
        "usages": row.usages,
        "subject": certificate.subject,
        "fingerprint": row.fingerprint,
        "key": certificate.key_description,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "respond_by": row.respond_by.isoformat() if row.respond_by else None,
        "at": row.created_at.isoformat(),
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "transmission": row.transmission_id,
        "answer": row.answer_id,
    }


def _proposal_row(row: CertificateProposal) -> tuple[str, ...]:
    certificate = load_certificates(row.pem)[0]
    until = f"{row.respond_by:%Y-%m-%d}" if row.respond_by else ""
    ends, usages = f"{certificate.not_after:%Y-%m-%d}", " ".join(row.usages)
    state, direction = row.state.value, row.direction.value
    return row.id, direction, row.partnership, state, usages, certificate.subject, ends, until, row.fingerprint


def _check(config: Config, directory: Path | None, names: Sequence[str], others: Sequence[Partnership] = ()) -> Checked:
    folders, problems = onboarding.read_folders(directory or config.partners_dir, names)
    ours = Ours(config.identity.as2_id, config.identity.gln)
    checked = onboarding.check(folders, ours, datetime.now(UTC), others)
    return Checked(checked.partnerships, (*problems, *checked.problems), checked.warnings)


def _refusal(problems: Sequence[Problem]) -> str:
    lines = "\n".join(f"  {problem}" for problem in problems)
    return f"nothing was applied, {len(problems)} to mend:\n{lines}"


def _print_check(checked: Checked) -> None:
    for problem in checked.problems:
        click.echo(f"error: {problem}")
    for warning in checked.warnings:
        click.echo(f"warning: {warning}")
    click.echo(f"{len(checked.partnerships)} good, {len(checked.problems)} errors, {len(checked.warnings)} warnings")


def _print_examples(examples: Sequence[Outcome]) -> None:
    for example in examples:
        if not example.ok:
            click.echo(f"error: {example.partner}/examples/{example.example} does not give what it should:")
        for line in example.differences:
            click.echo(f"  {_printable(line)}")
    if examples:
        click.echo(f"{sum(example.ok for example in examples)} of {len(examples)} examples give what they should")


def _report(changes: Sequence[Change], warnings: Sequence[Problem], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "applied": not dry_run,
                "partners": [change.as_json() for change in changes],
                "warnings": [warning.as_json() for warning in warnings],
            }
        )
        return
    for change in changes:
        click.echo(f"{_SIGNS[change.kind]} {change.name}: {change.kind}")
        for field in change.fields if change.kind is not ChangeKind.ADDED else ():
            click.echo(f"    {field.field}: {field.old or '(nothing)'} -> {field.new or '(nothing)'}")
        if change.kind is ChangeKind.MISSING:
            click.echo("    its folder is gone, and it stays in force; --suspend-missing suspends it")
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    written = sum(change.kind.writes for change in changes)
    click.echo(f"{written} {'would change' if dry_run else 'changed'}, {len(changes) - written} left as they are")


def _summary(row: PartnershipRevision) -> dict[str, Any]:
    partnership = row.partnership
    return {
        "name": row.name,
        "state": row.state.value,
        "revision": row.revision,
        "valid_from": row.valid_from.isoformat(),
        "as2_id": partnership.as2.their_id,
        "edifact_id": partnership.edifact.their_id,
        "gln": partnership.partner.gln,
        "messages": [{"type": m.type, "direction": m.direction.value} for m in partnership.messages],
        "certificates": row.fingerprints,
    }


def _certificates(row: PartnershipRevision, now: datetime) -> dict[str, Any]:
    """What its certificates are for, and how long each lasts; the days of the first one that has no successor."""
    watched = expiry.of_partnership(row.partnership)
    return {
        "days_left": min(each.certificate.days_left(now) for each in watched if each.successor is None),
        "expiry": [
            {
                "fingerprint": each.certificate.fingerprint,
                "subject": each.certificate.subject,
                "uses": sorted(use.value for use in each.uses),
                "not_after": each.certificate.not_after.isoformat(),
                "days_left": each.certificate.days_left(now),
            }
            for each in watched
        ],
    }


def _row(row: PartnershipRevision, now: datetime) -> tuple[str, ...]:
    agreed = row.partnership
    messages = " ".join(f"{message.type}:{message.direction}" for message in agreed.messages)
    since = f"{row.valid_from:%Y-%m-%d %H:%M}Z"
    days = str(_certificates(row, now)["days_left"])
    address, revision = agreed.edifact.their_id, str(row.revision)
    return row.name, row.state.value, agreed.as2.their_id, address, messages, revision, since, days


def _whole(row: PartnershipRevision) -> dict[str, Any]:
    ended = row.valid_to.isoformat() if row.valid_to else None
    return {**_summary(row), "valid_to": ended, "document": row.document}


def _print_fields(row: PartnershipRevision) -> None:
    click.echo(f"{row.name}, {row.state}, revision {row.revision} since {row.valid_from:%Y-%m-%d %H:%M}Z")
    for field, value in onboarding.flat_fields(row.document).items():
        click.echo(f"  {field} = {value}")


def _print_history(rows: Sequence[PartnershipRevision]) -> None:
    for row, before in zip(rows, [*rows[1:], None], strict=True):
        ended = f" to {row.valid_to:%Y-%m-%d %H:%M}Z" if row.valid_to else ""
        click.echo(f"revision {row.revision}, {row.state}, {row.valid_from:%Y-%m-%d %H:%M}Z{ended}")
        for field in onboarding.differences(before.document, row.document) if before else ():
            click.echo(f"    {field.field}: {field.old or '(nothing)'} -> {field.new or '(nothing)'}")
