"""Guessing a password is slowed down, each side of the bound; who guesses locks nobody else out."""

from __future__ import annotations

import pytest

from edi_gateway.gateway.failed_logins import CALLERS_MAX, FAILURE_SECONDS, FAILURES_MAX, FailedLogins

PARTNER = "vendor"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failed(clock: Clock) -> FailedLogins:
    return FailedLogins(clock)


def fail(failed: FailedLogins, times: int, address: str = "192.0.2.1") -> None:
    for _ in range(times):
        failed.note(address, PARTNER)


def test_ten_wrong_passwords_are_free_and_the_next_try_waits(failed: FailedLogins, clock: Clock) -> None:
    fail(failed, FAILURES_MAX - 1)
    assert failed.wait_seconds("192.0.2.1", PARTNER) == 0
    fail(failed, 1)
    assert failed.wait_seconds("192.0.2.1", PARTNER) == FAILURE_SECONDS
    clock.now += FAILURE_SECONDS
    assert failed.wait_seconds("192.0.2.1", PARTNER) == 0
    fail(failed, 1)
    assert failed.wait_seconds("192.0.2.1", PARTNER) == FAILURE_SECONDS, "one at a time from then on"


def test_all_is_forgotten_after_a_while(failed: FailedLogins, clock: Clock) -> None:
    fail(failed, FAILURES_MAX)
    clock.now += FAILURES_MAX * FAILURE_SECONDS
    fail(failed, FAILURES_MAX - 1)
    assert failed.wait_seconds("192.0.2.1", PARTNER) == 0


def test_another_address_or_partner_is_not_concerned(failed: FailedLogins) -> None:
    fail(failed, 5 * FAILURES_MAX)
    assert failed.wait_seconds("192.0.2.2", PARTNER) == 0
    assert failed.wait_seconds("192.0.2.1", "other") == 0


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_an_ipv6_address_counts_with_its_network(failed: FailedLogins, one: str, other: str, together: bool) -> None:
    fail(failed, FAILURES_MAX, one)
    assert (failed.wait_seconds(other, PARTNER) > 0) is together


def test_the_memory_is_bounded(failed: FailedLogins) -> None:
    fail(failed, FAILURES_MAX, "first")
    for number in range(CALLERS_MAX):
        failed.note(str(number), PARTNER)
    assert failed.wait_seconds("first", PARTNER) == 0
    assert len(failed._full_until) == CALLERS_MAX
