"""`edi-gateway doctor`: why something does not work, in words, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from edi_gateway.as2.diagnosis import Diagnosis, Language
from edi_gateway.cli.documents import language_option, say
from edi_gateway.cli.frame import UserError, json_option, load_config, open_database, print_json, user_errors
from edi_gateway.gateway.doctor import Examination, examine
from edi_gateway.gateway.installation_texts import Remark, Verdict
from edi_gateway.store.transmissions import Transmission

FAILED = 1
"""Exit code where something failed."""

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "expected": "expected: {}",
        "advice": "-> {}",
        "switch": "switch in partner.toml, [as2]: {}",
        "note": "note",
        "failed": "failed",
        "nothing": "Nothing failed.",
        "ok": "ok",
        "warn": "look",
        "fail": "wrong",
        "counts": "{} ok, {} to look at, {} wrong",
    },
    "fr": {
        "expected": "attendu : {}",
        "advice": "-> {}",
        "switch": "option dans partner.toml, [as2] : {}",
        "note": "remarque",
        "failed": "échec",
        "nothing": "Rien n'a échoué.",
        "ok": "bon",
        "warn": "à voir",
        "fail": "mauvais",
        "counts": "{} bons, {} à voir, {} mauvais",
    },
}
_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@click.group(invoke_without_command=True)
@json_option
@language_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, language: Language) -> None:
    """Say what is wrong with this installation, or with one transmission, and what to do about it.

    Without a command: `doctor installation`.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(installation, as_json=as_json, language=language)


@doctor.command()
@json_option
@language_option
def installation(as_json: bool, language: Language) -> None:
    """Look at this installation: secrets, keys, folders, port, disk, database, payloads, clock, work, partners.

    Changes nothing. Exit code 0: nothing is wrong, though some things may need a look; 1: something is.
    """
    remarks = _remarks()
    failed = any(remark.verdict is Verdict.FAIL for remark in remarks)
    if as_json:
        print_json({"ok": not failed, "checks": [_remark_json(remark, language) for remark in remarks]})
    else:
        _print_remarks(remarks, language)
    click.get_current_context().exit(FAILED if failed else 0)


def _remarks() -> list[Remark]:
    from edi_gateway import config
    from edi_gateway.gateway.installation import look

    try:
        read = config.load(click.get_current_context().find_root().obj)
    except config.ConfigError as error:
        return [Remark("configuration.refused", {"problem": problem}) for problem in error.problems]
    return look(read, datetime.now(UTC))


def _remark_json(remark: Remark, language: Language) -> dict[str, Any]:
    return {
        "check": remark.check,
        "code": remark.code,
        "verdict": remark.verdict.value,
        "found": remark.found(language),
        "advice": remark.advice(language),
    }


def _print_remarks(remarks: Sequence[Remark], language: Language) -> None:
    words = _WORDS[language]
    for remark in remarks:
        label = click.style(f"{words[remark.verdict.value]:<10}", fg=_COLOURS[remark.verdict])
        click.echo(label, nl=False)
        say(f" {remark.check}: {remark.found(language)}")
        if advice := remark.advice(language):
            say(" " * 11 + words["advice"].format(advice))
    counts = Counter(remark.verdict for remark in remarks)
    click.echo(words["counts"].format(*(counts[verdict] for verdict in Verdict)))


@doctor.command()
@click.argument("transmission_id", metavar="ID")
@json_option
@language_option
def transmission(transmission_id: str, as_json: bool, language: Language) -> None:
    """Say why a transmission failed, in or out, and which switch of the partnership would accept it, if any.

    The kept bytes are opened again and tried in other ways; nothing is changed. Exit code 0: nothing failed; 1: it
    failed, and this is why.
    """
    found = _examined(transmission_id)
    if as_json:
        print_json(_examination_json(found, language))
    else:
        _print(found, language)
    click.get_current_context().exit(FAILED if found.failed else 0)


def _examined(transmission_id: str) -> Examination:
    from edi_gateway.gateway.app import open_gateway
    from edi_gateway.gateway.keys import KeyStoreError

    config = load_config()
    with open_database(config):
        pass  # it exists and is up to date
    with user_errors(KeyStoreError):
        gateway = open_gateway(config)
        try:
            found = examine(gateway, transmission_id)
        finally:
            gateway.close()
    if found is None:
        raise UserError(f"no transmission {transmission_id}; `edi-gateway transmissions list` names them")
    return found


def _examination_json(found: Examination, language: Language) -> dict[str, Any]:
    row = found.row
    return {
        "transmission": row.id,
        "direction": row.direction.value,
        "kind": row.kind.value,
        "partner": row.partnership,
        "state": row.state.value,
        "reason": row.reason,
        "failed": found.failed,
        "diagnoses": [_diagnosis_json(diagnosis, language) for diagnosis in found.diagnoses],
    }


def _diagnosis_json(diagnosis: Diagnosis, language: Language) -> dict[str, Any]:
    return {
        "code": diagnosis.code.value,
        "note": diagnosis.is_note,
        "found": diagnosis.found(language),
        "expected": diagnosis.expected(language),
        "advice": diagnosis.advice(language),
        "switch": str(diagnosis.switch) if diagnosis.switch else None,
        "values": dict(diagnosis.values),
    }


def _print(found: Examination, language: Language) -> None:
    words = _WORDS[language]
    say(_title(found.row))
    for diagnosis in found.diagnoses:
        click.echo()
        _print_one(diagnosis, language)
    if not found.failed:
        click.echo(("" if not found.diagnoses else "\n") + words["nothing"])


def _title(row: Transmission) -> str:
    ends = f"{row.as2_from or '?'} > {row.as2_to or '?'}"
    return f"{row.id}  {row.direction.value}  {row.kind.value}  {ends}  {row.message_id or ''}  {row.state.value}"


def _print_one(diagnosis: Diagnosis, language: Language) -> None:
    words = _WORDS[language]
    label = click.style(words["note"], fg="blue") if diagnosis.is_note else click.style(words["failed"], fg="red")
    click.echo(f"{label} {diagnosis.code}")
    say(f"  {diagnosis.found(language)}")
    if expected := diagnosis.expected(language):
        say(f"  {words['expected'].format(expected)}")
    say(f"  {words['advice'].format(diagnosis.advice(language))}")
    if diagnosis.switch is not None:
        say(f"  {words['switch'].format(diagnosis.switch)}")
