"""A partner's folder from a template, and its examples: a change of a switch, or of the translators, shows there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import main
from edi_gateway.gateway.partner_examples import EXAMPLE_BYTES_MAX, EXAMPLES_MAX
from edi_gateway.partner_templates import TEMPLATES
from tests.partner_folders import vendor_key

GLN = "9521321000025"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("gateway.toml").write_text('[identity]\nas2_id = "MARKET"\ngln = "9521321000018"\n')
    today = vendor_key(made=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    Path("vendor.pem").write_text(today.certificate.pem)


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["partners", *arguments])
    assert result.exit_code == code, result.output
    return result


def new(template: str, name: str = "acme", gln: str = GLN, code: int = 0) -> Result:
    return run("new", name, "--template", template, "--gln", gln, "--certificate", "vendor.pem", code=code)


def check(code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("check", "--json", code=code).stdout)
    return found


def differing() -> dict[str, list[str]]:
    return {each["example"]: each["differences"] for each in check(code=1)["examples"] if not each["ok"]}


def switch(old: str, new: str, name: str = "acme") -> None:
    file = Path("partners") / name / "partner.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def example(title: str, name: str = "acme") -> Path:
    return Path("partners") / name / "examples" / title


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_a_good_folder_whose_examples_hold(template: str) -> None:
    assert "partners/acme/partner.toml" in new(template).output
    found = check()
    assert found["ok"]
    assert len(found["examples"]) == 5
    assert all(each["ok"] for each in found["examples"])
    assert run("check").output.startswith("5 of 5 examples give what they should\n1 good, 0 errors")


@pytest.mark.parametrize(
    ("old", "new_text", "title", "says"),
    [
        (
            'confirmed_quantity = ["12"]',
            'confirmed_quantity = ["21"]',
            "ordrsp-lines-win",
            'lines[1]/quantity: expected "6", is nothing',
        ),
        (
            'grand_total = "77"',
            'grand_total = "86"',
            "invoic-total-in-77",
            'totals/total_alternative: expected nothing, is "61.2"',
        ),
        ('currency = "EUR"', "", "invoic-total-in-77", "error: CUX 6345 is missing"),
        ('units = { EA = "PCE" }', "", "invrpt", 'items[0]/unit: expected nothing, is "EA"'),
        ('I503 = "warning"\n', "", "desadv-two-orders", "error: 354123450000000015 in GIN is not an SSCC"),
        ('S262 = "warning"', 'S262 = "error"', "invoic-total-in-77", "error: UNZ says 0"),
        ('buyer_article = ["IN", "BP"]', 'buyer_article = ["BP"]', "orders", "+PIA+5+SKU-1:SA+B00EXAMPL1:BP"),
    ],
)
def test_a_change_of_a_switch_shows_in_the_examples(old: str, new_text: str, title: str, says: str) -> None:
    new("amazon-like")
    switch(old, new_text)
    found = differing()
    assert any(line.startswith(says) for line in found[title]), found[title]
    assert f"error: acme/examples/{title} does not give what it should:" in run("check", code=1).output


def test_what_an_example_gives_is_accepted_and_holds_from_then_on() -> None:
    new("amazon-like")
    switch('grand_total = "77"', 'grand_total = "86"')
    switch('buyer_article = ["IN", "BP"]', 'buyer_article = ["BP"]')
    assert set(differing()) >= {"invoic-total-in-77", "orders"}
    run("check", "--accept")
    assert check()["ok"]
    assert b"PIA+5+SKU-1:SA+B00EXAMPL1:BP'" in example("orders.edi").read_bytes()


def test_an_example_without_its_record_is_given_one() -> None:
    new("eancom-1997")
    for title in ("orders-plain", "ordrsp-partial"):
        before = example(f"{title}.json").read_text("utf-8")
        example(f"{title}.json").unlink()
        assert "json" in differing()[title][0]
        run("check", "--accept")
        assert json.loads(example(f"{title}.json").read_text("utf-8")) == json.loads(before)


@pytest.mark.parametrize(
    ("title", "data", "says"),
    [
        ("orders-plain.json", b"{", "orders-plain.json is not JSON"),
        ("orders-plain.json", b'{"number": 1}', "not a valid Order"),
        ("orders-plain.edi", b"no interchange", "holds 1 interchanges; one is expected"),
        ("orders-plain.edi", b"x" * (EXAMPLE_BYTES_MAX + 1), f"more than {EXAMPLE_BYTES_MAX} bytes"),
        ("alone.json", b"{}", "alone.edi is missing"),
    ],
)
def test_an_example_that_cannot_be_run_says_why(title: str, data: bytes, says: str) -> None:
    new("eancom-1997")
    example(title).write_bytes(data)
    (lines,) = differing().values()
    assert any(says in line for line in lines), lines


def test_examples_have_a_bound() -> None:
    new("eancom-1997")
    for number in range(EXAMPLES_MAX - 5):
        example(f"x{number}.json").write_bytes(b"{}")
    assert len(check(code=1)["examples"]) == EXAMPLES_MAX
    example("one-more.json").write_bytes(b"{}")
    assert differing() == {"examples": [f"{EXAMPLES_MAX + 1} examples; at most {EXAMPLES_MAX} are run"]}


def test_new_overwrites_nothing_and_refuses_what_cannot_be() -> None:
    new("eancom-2002")
    assert "File exists" in new("eancom-2002", code=2).output
    assert "no name of a folder" in new("eancom-2002", "../acme", code=2).output
    assert "is not a GLN" in new("eancom-2002", "bolt", gln="9521321000024", code=2).output
    quoted = ("new", "bolt", "--template", "eancom-2002", "--gln", GLN, "--legal-name", 'A"B')
    assert "legal_name may hold no quotation marks" in run(*quoted, code=2).output


def test_without_a_certificate_check_says_that_it_is_missing() -> None:
    run("new", "acme", "--template", "eancom-1997", "--gln", GLN)
    (problem,) = check(code=1)["problems"]
    assert "acme.pem" in str(problem)


# --- what else goes by the folder ----------------------------------------------------------------


def invoke(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result.stdout


def record_of(title: str, *options: str, code: int = 0) -> dict[str, Any]:
    found = json.loads(invoke("translate", str(example(title)), "--json", *options, code=code))
    message: dict[str, Any] = found["files"][0]["interchanges"][0]["messages"][0]
    return message


def test_a_file_is_translated_with_the_habits_and_severities_of_a_partner() -> None:
    new("amazon-like")
    plain = record_of("invoic-total-in-77.edi", code=1)
    assert "CUX 6345" in str(plain["findings"])
    theirs = record_of("invoic-total-in-77.edi", "--partner", "acme")
    assert theirs["record"] == json.loads(example("invoic-total-in-77.json").read_text("utf-8"))
    ours = record_of("orders.edi", "--partner", "acme")  # what we send, too
    assert ours["record"] == json.loads(example("orders.json").read_text("utf-8"))


def test_a_record_is_written_with_the_habits_of_a_partner() -> None:
    new("amazon-like")
    arguments = ("translate", str(example("orders.json")), "--to", "edifact", "--type", "ORDERS")
    assert "PIA+5+SKU-1:SA+B00EXAMPL1:IN'" in invoke(*arguments, "--partner", "acme")
    assert "B00EXAMPL1:IN'" in invoke(*arguments)
    switch('buyer_article = ["IN", "BP"]', 'buyer_article = ["BP"]')
    assert "PIA+5+SKU-1:SA+B00EXAMPL1:BP'" in invoke(*arguments, "--partner", "acme")
    assert "D:01B" in invoke(*arguments, "--partner", "acme", "--directory", "D.01B")


def test_a_file_is_validated_with_the_habits_of_a_partner() -> None:
    new("amazon-like")
    file = str(example("invoic-total-in-77.edi"))
    # No currency: by itself it is an error of the business; here EUR was agreed for that.
    assert "EUR was agreed" not in invoke("validate", file, "--business", "require", code=1)
    assert "EUR was agreed" in invoke("validate", file, "--partner", "acme", "--business", "require")


def test_apply_warns_of_examples_that_no_longer_hold() -> None:
    new("amazon-like")
    invoke("db", "upgrade")
    assert json.loads(invoke("partners", "apply", "--json"))["warnings"] == []
    switch('grand_total = "77"', 'grand_total = "86"')
    (warning,) = json.loads(invoke("partners", "apply", "--json"))["warnings"]
    assert warning["file"] == "acme/examples/invoic-total-in-77"
    assert warning["reason"].startswith("totals/")
    assert json.loads(invoke("partners", "apply", "--no-examples", "--json"))["warnings"] == []
