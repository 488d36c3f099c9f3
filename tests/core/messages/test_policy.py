"""What a partnership demands, as the judge takes it."""

from __future__ import annotations

from dataclasses import replace

from edi_gateway.edifact.findings import Severity
from edi_gateway.edifact.verdict import Address
from edi_gateway.messages import JudgingPolicy
from edi_gateway.messages.guideline import shipped
from edi_gateway.partnership import (
    As2Policy,
    Direction,
    EdifactPolicy,
    GuidelineRow,
    MessageAgreement,
    Partnership,
    TradingPartner,
)


def partnership() -> Partnership:
    return Partnership(
        partner=TradingPartner(name="vendor", legal_name="Vendor", gln="3760000001014"),
        as2=As2Policy(
            their_id="VENDOR", our_id="MARKET", url="https://vendor.example/as2",
            signing_certificates=(), encryption_certificates=(),
        ),
        edifact=EdifactPolicy(their_id="3760000001014", our_id="3760000000017", severities={"D341": "error"}),
        messages=(
            MessageAgreement(type="ORDRSP", direction=Direction.IN, directory="D.01B"),
            MessageAgreement(type="ORDERS", direction=Direction.OUT),
        ),
    )  # fmt: skip


def test_the_policy_of_a_partnership() -> None:
    policy = JudgingPolicy.of(partnership(), guidelines=shipped("eancom"), is_repeated=lambda header: False)
    assert [guideline.name for guideline in policy.guidelines] == [guideline.name for guideline in shipped("eancom")]
    assert policy.agreed_types == {"ORDRSP"}
    assert policy.directories == {"ORDRSP": "D.01B"}
    assert policy.known_senders == {Address("3760000001014", "14")}
    assert policy.our_addresses == {Address("3760000000017", "14")}
    assert not policy.accept_test
    assert policy.severities == {"D341": "error"}


def test_further_grades_win() -> None:
    policy = JudgingPolicy.of(partnership()).with_grades({"D341": "off", "I501": "warning"})
    assert policy.severities == {"D341": "off", "I501": "warning"}


def test_a_partners_guidelines_are_those_shipped_and_its_own_by_severity() -> None:
    agreed = partnership()
    rows = (
        GuidelineRow(message="ORDRSP", path="RFF+VN", status="mandatory"),
        GuidelineRow(message="ORDRSP", path="BGM/1004", length_max=17, severity="warning"),
        GuidelineRow(message="ORDRSP", path="CUX", status="forbidden"),
    )
    edifact = replace(agreed.edifact, guidelines=("eancom",), guideline=rows)
    guidelines = JudgingPolicy.of(replace(agreed, edifact=edifact)).guidelines
    own = guidelines[len(shipped("eancom")) :]
    assert guidelines[: -len(own)] == shipped("eancom")
    assert [(g.name, g.severity, [row.path for row in g.restrictions["ORDRSP"]]) for g in own] == [
        ("vendor", Severity.ERROR, ["RFF+VN", "CUX"]),
        ("vendor", Severity.WARNING, ["BGM/1004"]),
    ]
    assert JudgingPolicy.of(agreed).guidelines == ()
