"""`edi-gateway validate`, seen from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edi_gateway.cli import main
from edi_gateway.messages.judge import judge
from tests.core.messages.provocations import interchange
from tests.core.messages.test_corpus import Row, rows
from tests.core.messages.texts import ORDER
from tests.partner_folders import folder, vendor_key, write

GOOD = interchange()
BAD = interchange(ORDER.replace("BGM+220+PO1+9'", "").replace("QTY+21:10'", "QTY+21:1O'").replace("UNT+15", "UNT+14"))

FINDING_KEYS = {
    "code", "severity", "level", "segment", "position", "element", "component", "offset",
    "value", "expected", "text", "hint", "contrl",
}  # fmt: skip


def run(*arguments: str, code: int = 0, data: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["validate", *arguments], input=data)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("good.edi").write_bytes(GOOD)
    Path("bad.edi").write_bytes(BAD)
    Path("binary").write_bytes(bytes(range(256)) * 40)
    Path("empty").write_bytes(b"")
    Path("folder").mkdir()


@pytest.mark.usefixtures("files")
def test_a_valid_file() -> None:
    result = run("good.edi")
    assert "ORDERS 1 (D.96A): valid" in result.output


@pytest.mark.usefixtures("files")
def test_what_is_wrong_where_and_what_to_do() -> None:
    output = run("bad.edi", code=1).output
    assert "ORDERS 1 (D.96A): 2 errors" in output
    assert "error D301  BGM, segment 1, byte" in output
    assert "error D321  SG25[1]/QTY, segment 7, element 2, component 2, byte" in output
    assert "found: 1O; expected: n..15" in output
    assert "-> Add BGM after segment 1" in output


@pytest.mark.usefixtures("files")
def test_in_french() -> None:
    output = run("--language", "fr", "bad.edi", code=1).output
    assert "ORDERS 1 (D.96A): 2 erreurs" in output
    assert "trouvé : 1O ; attendu : n..15" in output
    assert "-> Ajoutez BGM après le segment 1" in output


@pytest.mark.usefixtures("files")
def test_json_has_the_promised_shape() -> None:
    document = json.loads(run("--json", "good.edi", "bad.edi", code=1).stdout)
    good, bad = document["files"]
    assert good == {
        "path": "good.edi",
        "interchanges": [
            {
                "sender": "3760000000017",
                "recipient": "3760000001014",
                "control_reference": "IC1",
                "messages": [
                    {
                        "reference": "1",
                        "type": "ORDERS",
                        "directory": "D.96A",
                        "valid": True,
                        "business_valid": True,
                        "answers": {"contrl": "7", "aperak": None},
                        "findings": [],
                    }
                ],
                "findings": [],
                "contrl": ["UCI+IC1+3760000000017:14+3760000001014:14+7'"],
            }
        ],
    }
    findings = bad["interchanges"][0]["messages"][0]["findings"]
    assert [finding["contrl"] for finding in findings] == ["13", "37"]
    assert all(set(finding) >= FINDING_KEYS for finding in findings)
    assert (findings[1]["severity"], findings[1]["level"]) == ("error", "structure")
    assert (findings[1]["position"], findings[1]["element"], findings[1]["component"]) == (7, 2, 2)
    assert BAD[findings[1]["offset"] :].startswith(b"QTY+21:1O")


WRONG_TOTAL = Path("samples/invoic-goods.edi").read_bytes().replace(b"MOA+86:294.00", b"MOA+86:249.00")
NO_ORDER = Path("samples/broken/ordrsp-no-order.edi").read_bytes()


def test_what_contrl_accepts_an_aperak_may_refuse() -> None:
    result = run("-", data=NO_ORDER)
    assert "ORDRSP 1 (D.96A): valid in form, 1 error" in result.output
    assert "answer: CONTRL accepts it; APERAK 313 refuses it" in result.output
    assert "CONTRL UCI+VEN0102+3760000001014:14+3760000000017:14+7'" in result.output
    assert "valide dans la forme, 1 erreur" in run("-", "--language", "fr", data=NO_ORDER).output


def test_errors_of_the_business_are_findings_of_their_own_level() -> None:
    (message,) = json.loads(run("-", "--json", data=NO_ORDER).stdout)["files"][0]["interchanges"][0]["messages"]
    assert (message["valid"], message["business_valid"]) == (True, False)
    assert message["answers"] == {"contrl": "7", "aperak": "313"}
    assert [(f["code"], f["level"], f["severity"], f["contrl"]) for f in message["findings"]] == [
        ("B650", "business", "error", None)
    ]


def test_totals_that_do_not_add_up_hold_the_invoice() -> None:
    (message,) = json.loads(run("-", "--json", data=WRONG_TOTAL).stdout)["files"][0]["interchanges"][0]["messages"]
    assert message["answers"] == {"contrl": "7", "aperak": "312"}
    assert [(f["code"], f["path"]) for f in message["findings"]] == [("F801", "totals/total")]


def test_errors_of_the_business_count_where_that_is_asked_for_and_are_not_looked_for_where_not() -> None:
    run("-", "--business", "require", code=1, data=NO_ORDER)
    run("-", "--business", "require", data=GOOD)
    (message,) = json.loads(run("-", "--json", "--business", "off", data=NO_ORDER).stdout)["files"][0]["interchanges"][
        0
    ]["messages"]
    assert (message["findings"], message["business_valid"]) == ([], None)


def test_a_message_that_contrl_rejects_is_not_read_for_the_business() -> None:
    (message,) = json.loads(run("-", "--json", code=1, data=BAD).stdout)["files"][0]["interchanges"][0]["messages"]
    assert (message["business_valid"], message["answers"]) == (None, {"contrl": "4", "aperak": None})
    assert {finding["level"] for finding in message["findings"]} == {"structure"}


@pytest.mark.usefixtures("files")
def test_the_contrl_that_we_would_answer() -> None:
    answer = run("--contrl", "bad.edi", code=1).stdout
    assert answer.startswith("UNA:+.? 'UNB+UNOC:3+3760000001014:14+3760000000017:14+")
    assert "'UCI+IC1+3760000000017:14+3760000001014:14+7'" in answer
    assert "'UCM+1+ORDERS:D:96A:UN:EAN008+4'UCS+1+13'UCS+7'UCD+37+2:2'" in answer
    assert "'UCI+IC1+3760000000017:14+3760000001014:14+7'UNT" in run("--contrl", "good.edi").stdout


@pytest.mark.usefixtures("files")
def test_a_contrl_is_never_answered() -> None:
    contrl = run("--contrl", "good.edi").stdout_bytes
    assert run("--contrl", "-", data=contrl).stdout == ""


@pytest.mark.usefixtures("files")
def test_what_is_no_edifact_has_no_contrl() -> None:
    result = run("--contrl", "binary", code=2)
    assert result.stdout == ""
    assert "binary: not read: " in result.stderr


RESPONSE = (
    b"UNA:+.? 'UNB+UNOC:3+9521321000025:14+9521321000018:14+261122:0915+V1'UNH+1+ORDRSP:D:96A:UN:EAN005'"
    b"BGM+231+OR-1001+29'DTM+137:20261122:102'RFF+ON:PO1'NAD+BY+9521321000018::9'NAD+SU+9521321000025::9'"
    b"UNS+S'UNT+8+1'UNZ+1+V1'"
)
GUIDELINE = """
[edifact]
guidelines = ["eancom"]
[[edifact.guideline]]
message = "ORDRSP"
path = "BGM/1004"
length_max = 6
[[edifact.guideline]]
message = "ORDRSP"
path = "CUX"
status = "mandatory"
severity = "warning"
"""


@pytest.fixture
def partner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("gateway.toml").write_text('[identity]\nas2_id = "MARKET"\ngln = "9521321000018"\n')
    today = vendor_key(made=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    made = folder("acme", new=GUIDELINE)
    write(Path("partners"), replace(made, files={"vendor.pem": today.certificate.pem.encode()}))
    Path("response.edi").write_bytes(RESPONSE)


@pytest.mark.usefixtures("partner")
def test_judged_as_what_a_partner_sends() -> None:
    document = json.loads(run("--json", "--partner", "acme", "response.edi", code=1).stdout)
    (interchange_,) = document["files"][0]["interchanges"]
    found = interchange_["messages"][0]["findings"]
    assert [(each["code"], each["severity"], each["contrl"]) for each in found] == [
        ("D361", "warning", None),  # CUX, which has no place yet
        ("D363", "error", None),
    ]
    assert found[1]["expected"] == "an..6, acme"
    run("response.edi")  # by the directory alone it is right


@pytest.mark.usefixtures("partner")
def test_what_breaks_the_partners_guideline_is_no_matter_of_contrl() -> None:
    assert "+7'UNT" in run("--contrl", "--partner", "acme", "response.edi", code=1).stdout
    other = RESPONSE.replace(b"9521321000025:14", b"9521321000032:14")
    assert "+4+23+UNB+3'" in run("--contrl", "--partner", "acme", "-", data=other, code=1).stdout


@pytest.mark.usefixtures("partner")
def test_a_partner_that_is_not_there_or_whose_folder_is_wrong() -> None:
    assert "partners/nobody: no such partner (expected: one of acme)" in run("--partner", "nobody", "x", code=2).output
    write(Path("partners"), folder("acme", old="[as2]", new="[as2]\nx = 1"))
    assert "as2.x: unknown key" in run("--partner", "acme", "response.edi", code=2).output


def versions(text: bytes) -> list[tuple[bytes, str]]:
    """An interchange of syntax 3 in both syntaxes, and the version of CONTRL that answers each."""
    return [(text, "D.3"), (text.replace(b"UNOC:3", b"UNOC:4").replace(b"+261122", b"+20261122"), "4.1")]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_the_answer_names_code_and_place_and_is_itself_valid(row: Row) -> None:
    for data, version in versions(row.interchange.encode("latin-1")):
        answer = CliRunner().invoke(main, ["validate", "--contrl", "-"], input=data).stdout_bytes
        (verdict,) = judge([answer])
        assert [finding for finding in verdict.all_findings() if finding.is_error] == []
        assert verdict.messages[0].header.directory == version
        assert rejection(row) in answer.decode()


def rejection(row: Row) -> str:
    """What the CONTRL must hold for the fault of this row."""
    position, _, element = row.position.partition(" / ")
    match row.segment, row.contrl:
        case "", _:
            return "+7'UNT+3+1'"
        case "UNZ", code:
            return f"+4+{code}+UNZ+2'UNT"
        case "UNT", code:
            return f"+4+{code}+UNT+{2 if code == '29' else 3}'UNT"
        case _, code:
            return f"+4'UCS+{position}'UCD+{code}+{element}'UNT" if element else f"+4'UCS+{position}+{code}'UNT"


def test_a_guideline_on_request() -> None:
    data = interchange(ORDER.replace("BGM+220", "BGM+105"))
    assert "C403" not in run("-", data=data).output
    assert "warning C403" in run("--guideline", "eancom", "-", data=data).output


def test_one_output_at_a_time() -> None:
    assert "exclude each other" in run("--json", "--contrl", "-", code=2).output


def test_the_standard_input() -> None:
    document = json.loads(run("--json", "-", data=GOOD).stdout)
    assert document["files"][0]["path"] == "-"
    assert document["files"][0]["interchanges"][0]["messages"][0]["valid"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "path, says",
    [
        ("missing.edi", "No such file"),
        ("folder", "this is a directory"),
        ("binary", "S202"),
        ("empty", "The file is empty"),
    ],
)
def test_what_cannot_be_read_is_said_and_is_no_traceback(path: str, says: str) -> None:
    output = run(path, "good.edi", code=2).output
    assert says in output
    assert "ORDERS 1 (D.96A): valid" in output  # the other files are judged all the same
    assert "Traceback" not in output


def test_several_interchanges_and_messages_as_json() -> None:
    two = ORDER + ORDER.replace("UNH+1", "UNH+2").replace("UNT+15+1", "UNT+15+2")
    data = interchange(two, reference="IC1").replace(b"UNZ+1", b"UNZ+2").replace(b"\n", b"") + interchange(
        reference="IC2"
    )
    (file,) = json.loads(run("--json", "-", data=data + b"rubbish").stdout)["files"]
    assert [(one["control_reference"], len(one["messages"])) for one in file["interchanges"]] == [
        ("IC1", 2),
        ("IC2", 1),
    ]
    assert [finding["code"] for finding in file["findings"]] == ["S204"]


def test_findings_of_the_envelope_stand_with_the_interchange() -> None:
    data = GOOD.replace(b"UNZ+1", b"UNZ+2")
    assert "Envelope of IC1: 1 error" in run("-", code=1, data=data).output
    (file,) = json.loads(run("--json", "-", code=1, data=data).stdout)["files"]
    assert [finding["contrl"] for finding in file["interchanges"][0]["findings"]] == ["29"]


@pytest.mark.usefixtures("files")
def test_what_cannot_be_read_as_json() -> None:
    missing, binary = json.loads(run("--json", "missing.edi", "binary", code=2).stdout)["files"]
    assert missing == {"path": "missing.edi", "interchanges": [], "problem": "No such file or directory"}
    assert binary["interchanges"] == []
    assert [finding["code"] for finding in binary["findings"]] == ["S202"]


def test_a_missing_argument_is_said() -> None:
    assert "Missing argument" in run(code=2).output


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "sly.edi"
    file.write_bytes(GOOD.replace(b"PO1", b"PO\x1b[2J" + b"x" * 40))
    output = run(str(file), code=1).output
    assert "\x1b[2J" not in output
    assert "PO?[2J" in output


def test_a_long_value_is_shown_in_part_and_given_whole_as_json(tmp_path: Path) -> None:
    file = tmp_path / "long.edi"
    file.write_bytes(GOOD[: GOOD.index(b"UNH")].replace(b"UNB+", b"UNB+" + b"x" * 3_000))
    assert max(map(len, run(str(file), code=1).output.splitlines())) < 600
    assert "x" * 3_000 in run(str(file), "--json", code=1).output


def test_validate_imports_nothing_that_is_slow() -> None:
    slow = ("sqlalchemy", "pydantic", "rich", "flask", "cryptography", "stdnum", "alembic")
    program = (
        "import sys; from edi_gateway.cli import main, validate; main(['validate', '-'], standalone_mode=False)\n"
        f"print([name for name in {slow!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], input=GOOD, capture_output=True, check=False)
    assert result.stdout.decode().splitlines()[-1:] == ["[]"], result.stderr.decode()
