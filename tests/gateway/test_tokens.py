"""Tokens of the API: made once, kept as digests, good for a role, a partner and a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edi_gateway.gateway import tokens
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.gateway.tokens import ROLES, Scope, TokenRefused, authenticate, create, revoke
from edi_gateway.store.api import ApiToken, TokenRole
from edi_gateway.store.events import Event
from tests.gateway.documents.desk import TOKEN, VENDOR, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_a_token_says_who_asks(desk: Desk) -> None:
    _, token = create(desk.gateway, "the shop", TokenRole.MARKETPLACE)
    found = authenticate(desk.gateway, token)
    assert found == tokens.Caller("the shop", TokenRole.MARKETPLACE)
    assert found.may(Scope.ORDERS_PLACE)
    assert not found.may(Scope.CYCLES_RUN)


def test_the_store_and_the_log_hold_nothing_that_opens(desk: Desk) -> None:
    _, token = create(desk.gateway, "the shop", TokenRole.MARKETPLACE)
    (row,) = desk.rows(ApiToken)
    assert row.sha256 == tokens.digest(token)
    assert token not in str(vars(row))
    assert all(token not in str(event.content) for event in desk.rows(Event))


def test_two_tokens_are_never_the_same(desk: Desk) -> None:
    made = [create(desk.gateway, str(number), TokenRole.READ_ONLY)[1] for number in range(5)]
    assert len(set(made)) == 5
    assert all(token.startswith(tokens.PREFIX) and len(token) >= 43 for token in made)


def test_the_configured_token_is_the_first_administrator(desk: Desk) -> None:
    found = authenticate(desk.gateway, TOKEN)
    assert found == tokens.Caller(tokens.BOOTSTRAP, TokenRole.ADMIN)


@pytest.mark.parametrize("shown", ["", "x", TOKEN + " ", "edig_" + "A" * 43, "\udcff", "é" * 50])
def test_another_text_is_nobody(desk: Desk, shown: str) -> None:
    create(desk.gateway, "the shop", TokenRole.MARKETPLACE)
    assert authenticate(desk.gateway, shown) is None


def test_a_revoked_token_is_nobody_at_once_and_keeps_its_name(desk: Desk) -> None:
    _, token = create(desk.gateway, "the shop", TokenRole.MARKETPLACE)
    revoke(desk.gateway, "the shop")
    revoke(desk.gateway, "the shop")
    assert authenticate(desk.gateway, token) is None
    with pytest.raises(TokenRefused, match="already"):
        create(desk.gateway, "the shop", TokenRole.MARKETPLACE)
    kinds = [event.kind for event in desk.rows(Event, Event.kind.startswith("token."))]
    assert kinds == ["token.created", "token.revoked"]


def test_a_token_expires_to_the_second(desk: Desk) -> None:
    _, token = create(desk.gateway, "for a day", TokenRole.READ_ONLY, days=1)
    desk.later(days=1, seconds=-1)
    assert authenticate(desk.gateway, token) is not None
    desk.later(seconds=1)
    assert authenticate(desk.gateway, token) is None
    (row,) = desk.rows(ApiToken)
    assert tokens.token_json(row, desk.now)["state"] == "expired"


def test_its_last_use_is_noted_now_and_then(desk: Desk) -> None:
    _, token = create(desk.gateway, "the shop", TokenRole.MARKETPLACE)
    first = desk.now
    authenticate(desk.gateway, token)
    desk.later(minutes=9)
    authenticate(desk.gateway, token)
    assert desk.rows(ApiToken)[0].last_used_at == first
    desk.later(minutes=1)
    authenticate(desk.gateway, token)
    assert desk.rows(ApiToken)[0].last_used_at == desk.now


@pytest.mark.parametrize(
    ("name", "role", "more"),
    [
        ("", TokenRole.READ_ONLY, {}),
        ("x" * 81, TokenRole.READ_ONLY, {}),
        ("a\nb", TokenRole.READ_ONLY, {}),
        (tokens.BOOTSTRAP, TokenRole.ADMIN, {}),
        ("v", TokenRole.VENDOR, {}),
        ("a", TokenRole.ADMIN, {"partner": VENDOR}),
        ("d", TokenRole.READ_ONLY, {"days": 0}),
        ("d", TokenRole.READ_ONLY, {"days": tokens.DAYS_MAX + 1}),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(desk: Desk, name: str, role: TokenRole, more: dict) -> None:
    with pytest.raises(TokenRefused):
        create(desk.gateway, name, role, **more)
    assert desk.rows(ApiToken) == []


def test_a_token_is_for_a_partner_who_is_there(desk: Desk) -> None:
    with pytest.raises(UnknownPartner):
        create(desk.gateway, "v", TokenRole.VENDOR, partner="nobody")


def test_an_administrator_may_everything_and_nobody_else_does() -> None:
    assert ROLES[TokenRole.ADMIN] == frozenset(Scope)
    assert all(scopes < frozenset(Scope) for role, scopes in ROLES.items() if role is not TokenRole.ADMIN)
    assert set(ROLES) == set(TokenRole)
