"""gateway.toml and the variables: everything has a default, and every fault is named."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from edi_gateway import config
from edi_gateway.cli.config import markdown_table
from edi_gateway.config import Config, ConfigError, Role, load, read

TOKEN = "a-token-of-some-length"
DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def reasons(text: str = "", **variables: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(text, "gateway.toml", variables)
    return str(refused.value).splitlines()


def test_an_empty_folder_gives_a_gateway_on_loopback() -> None:
    found = read("", "gateway.toml", {})
    assert (found.host, found.port, found.role) == ("127.0.0.1", 8080, Role.MARKETPLACE)
    assert found.data_dir == Path("data")
    assert found.database_url == "sqlite:///data/gateway.sqlite"
    assert found.public_url == "http://127.0.0.1:8080"
    assert found.commission.rate == Decimal("0.12")
    assert found.api_token is None


def test_the_file_says_all_that_differs() -> None:
    text = """
        role = "vendor"
        data_dir = "/var/lib/edi"
        port = 9000
        [identity]
        as2_id = "MARKET"
        gln = "9521321000018"
        [commission]
        rate = 0.155
        [limits]
        body_bytes_max = 1048576
    """
    found = read(text, "gateway.toml", {})
    assert found.role is Role.VENDOR
    assert found.database_url == "sqlite:////var/lib/edi/gateway.sqlite"
    assert found.public_url == "http://127.0.0.1:9000"
    assert found.commission.rate == Decimal("0.155")  # never a float on the way
    assert (found.identity.as2_id, found.limits.body_bytes_max) == ("MARKET", 1048576)


def test_a_variable_wins_over_the_file() -> None:
    variables = {
        "EDI_GATEWAY_PORT": "9001",
        "EDI_GATEWAY_DATABASE_URL": "postgresql://db/edi",
        "EDI_GATEWAY_COMMISSION_RATE": "0.2",
        "EDI_GATEWAY_IDENTITY_GLN": "9521321000018",
        "EDI_GATEWAY_API_TOKEN": TOKEN,
        "UNRELATED": "1",
    }
    found = read("port = 9000\n[commission]\nvat_rate = 5.5", "gateway.toml", variables)
    assert (found.port, found.database_url, found.identity.gln) == (9001, "postgresql://db/edi", "9521321000018")
    assert (found.commission.rate, found.commission.vat_rate) == (Decimal("0.2"), Decimal("5.5"))
    assert found.api_token is not None
    assert found.api_token.get_secret_value() == TOKEN


def test_every_key_has_a_variable_and_every_variable_works() -> None:
    values = {
        "role": "vendor",
        "host": "::1",
        "api_token": TOKEN,
        "log_level": "debug",
        "work.runner": "embedded",
        "payload_url": "s3://bucket/prefix?endpoint_url=http://127.0.0.1:9000",
        "webhooks.addresses": "any",
        "public_url": "https://x.example",
    }
    values |= {"alerts.smtp_security": "none", "alerts.feed": "yes", "alerts.sender": "edi@x.example"}
    values |= {"alerts.recipients": "a@x.example, b@x.example"}
    values |= {"identity.gln": "9521321000018", "identity.siren": "123456782", "identity.vat_number": "FR40303265045"}
    values |= {"database_url": "sqlite:///x", "reverse_proxy.addresses": "10.0.0.0/8, ::1"}
    values |= {"reverse_proxy.forwarded_header": "Forwarded"}
    values |= {"identity.iban": "FR7630006000011234567890189", "identity.bic": "DEMOFRPPXXX", "identity.country": "DE"}
    given = {
        variable.name: values.get(variable.key, "2048" if variable.key.startswith("limits.") else "1")
        for variable in config.variables()
    }
    given["EDI_GATEWAY_LIMITS_WEB_THREADS"] = "2"
    found = read("", "gateway.toml", given)
    for variable in config.variables():
        value: object = found
        for step in variable.key.split("."):
            value = getattr(value, step)
        if value is not None and "Secret" not in type(value).__name__:
            assert str(value) == given[variable.name]


def test_024_only_the_addresses_that_are_named_are_believed() -> None:
    proxy = read("[reverse_proxy]\naddresses = '10.1.0.0/16, ::1,192.0.2.7'", "gateway.toml", {}).reverse_proxy
    believed = ["10.1.2.3", "::1", "192.0.2.7", "::ffff:10.1.0.9"]
    others = ["10.2.0.1", "192.0.2.8", "::2", "::ffff:10.2.0.1", "", "unix", "10.1.2.3, 10.2.0.1"]
    assert [proxy.believes(address) for address in [*believed, *others]] == [True] * 4 + [False] * 7
    assert not read("", "gateway.toml", {}).reverse_proxy.believes("127.0.0.1")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("addresses = '10.0.0.1/8'", "has host bits set"),
        ("addresses = 'localhost'", "not an address or network"),
        ("client_certificate_header = 'Client Cert'", "should match pattern"),
    ],
)
def test_a_reverse_proxy_that_cannot_be_is_refused(line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(f"[reverse_proxy]\n{line}", "gateway.toml", {})


def test_025_variables_for_secrets_of_partners_are_no_keys_of_ours() -> None:
    assert read("", "gateway.toml", {"EDI_GATEWAY_SECRET_ACME": "x"})
    with pytest.raises(ConfigError, match="unknown variable"):
        read("", "gateway.toml", {"EDI_GATEWAY_SECRETS": "x"})


def test_the_document_has_the_table_of_all_keys_and_variables() -> None:
    assert markdown_table() in DOCUMENT.read_text(encoding="utf-8")
    assert all(variable.text for variable in config.variables())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 1", "gateway.toml: prot: unknown key (expected: did you mean port?)"),
        ("port = '80'", "gateway.toml: port: '80' is refused (expected: a valid integer)"),
        ("port = -1", "gateway.toml: port: -1 is refused (expected: greater than or equal to 0)"),
        ("port = 65536", "gateway.toml: port: 65536 is refused (expected: less than or equal to 65535)"),
        ("role = 'buyer'", "gateway.toml: role: 'buyer' is refused (expected: 'marketplace' or 'vendor')"),
        ("identity = 3", "gateway.toml: identity: 3 is refused"),
        ("[identity]\ngln = '1'", "gateway.toml: identity.gln: '1' is not a GLN (expected: 13 digits"),
        ("[identity]\nas2_id = ''", "gateway.toml: identity.as2_id: '' is not an AS2 name"),
        ("[commission]\nrate = 12", "gateway.toml: commission.rate: 12 is refused (expected: less than or equal to 1)"),
        ("[commission]\nrate = inf", "gateway.toml: commission.rate: Infinity is refused"),
        ("public_url = 'gateway'", "gateway.toml: public_url: 'gateway' is not a URL"),
        (
            "database_url = 'mysql://x'",
            "gateway.toml: database_url: 'mysql://x' is not a database that we know",
        ),
        ("port = ", "gateway.toml: not TOML"),
        ("[limits]\nbody_bytes_max = 1023", "gateway.toml: limits.body_bytes_max: 1023 is refused"),
    ],
)
def test_a_fault_names_file_key_reason_and_what_is_expected(text: str, says: str) -> None:
    (line,) = reasons(text)
    assert line.startswith(says)


def test_all_faults_come_at_once_and_those_of_variables_name_them() -> None:
    found = reasons("prot = 1\n[identity]\ncountry = 'fr'", EDI_GATEWAY_PORT="x", EDI_GATEWAY_DATADIR="y")
    assert [line.partition(":")[0] for line in found] == [
        "EDI_GATEWAY_DATADIR",
        "EDI_GATEWAY_PORT",
        "gateway.toml",
        "gateway.toml",
    ]
    assert "did you mean EDI_GATEWAY_DATA_DIR?" in found[0]


def test_a_section_that_is_no_table_and_a_variable_for_it_are_one_fault() -> None:
    (line,) = reasons("identity = 3", EDI_GATEWAY_IDENTITY_GLN="9521321000018")
    assert line.startswith("gateway.toml: identity: 3")


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("abcdefghijklmnopqrs", "too short"),
        ("abcdefghijklmnopqrst", ""),
        ("abcdefg" * 3, "too simple"),
        ("abcdefgh" * 3, ""),
    ],
)
def test_an_api_token_is_no_short_or_simple_word(token: str, fault: str) -> None:
    if fault:
        assert fault in reasons(EDI_GATEWAY_API_TOKEN=token)[0]
    else:
        assert read("", "gateway.toml", {"EDI_GATEWAY_API_TOKEN": token}).api_token


def test_no_error_and_no_print_shows_a_secret() -> None:
    assert "sesame" not in "\n".join(reasons("api_token = 'sesame'\nkey_passphrase = ['sesame']"))
    found = read("", "gateway.toml", {"EDI_GATEWAY_KEY_PASSPHRASE": "sesame"})
    assert "sesame" not in repr(found) + found.model_dump_json()


# --- files ---------------------------------------------------------------------------------------


def test_folders_in_a_file_stand_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('data_dir = "store"\npartners_dir = "/etc/edi/partners"')
    found = load(file, {})
    assert found.data_dir == tmp_path / "store"
    assert found.partners_dir == Path("/etc/edi/partners")


def test_the_file_is_named_by_variable_or_stands_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text("port = 9002")
    monkeypatch.chdir(tmp_path)
    assert load(environment={}).port == 8080
    (tmp_path / "gateway.toml").write_text("port = 9001")
    assert load(environment={}).port == 9001
    assert load(environment={"EDI_GATEWAY_CONFIG": "other.toml"}).port == 9002


def test_a_file_that_is_named_must_be_there_and_readable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "gateway.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "latin.toml", {})


def test_a_file_with_a_secret_is_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'api_token = "{TOKEN}"')
    file.chmod(0o644)
    with pytest.raises(ConfigError, match=r"holds a secret and everybody may read it \(expected: chmod 600"):
        load(file, {})
    file.chmod(0o640)
    assert load(file, {}).api_token


def test_a_config_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("198.51.100.7", "203.0.113.5", "198.51.100.7"),  # no proxy of ours: what it says is not believed
        ("10.1.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.1.0.1", "192.0.2.66, 203.0.113.5, 10.1.0.2", "203.0.113.5"),  # the client wrote the first one
        ("10.1.0.1", "", "10.1.0.1"),
        ("10.1.0.1", "unknown", "10.1.0.1"),
        ("10.1.0.1", "203.0.113.5:4711", "203.0.113.5"),
        ("::ffff:10.1.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.1.0.1", 'for=192.0.2.66, for="[2001:db8::7]:4711";proto=https', "2001:db8::7"),
        ("10.1.0.1", "for=_hidden", "10.1.0.1"),
        ("10.1.0.1", "10.1.0.2, 10.1.0.3", "10.1.0.2"),
        ("10.1.0.1", ",".join(["203.0.113.5", *["10.1.0.2"] * 20]), "10.1.0.2"),
        ("10.1.0.1", ",".join(["203.0.113.5", *["10.1.0.2"] * 19]), "203.0.113.5"),
    ],
)
def test_the_caller_behind_a_reverse_proxy_rfc7239(peer: str, forwarded: str, caller: str) -> None:
    proxy = read("[reverse_proxy]\naddresses = '10.1.0.0/16'", "gateway.toml", {}).reverse_proxy
    assert proxy.caller(peer, forwarded) == caller
