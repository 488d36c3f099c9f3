"""The partner that these tests trade with."""

import pytest

from tests.partner import SimulatedPartner


@pytest.fixture(scope="session")
def partner() -> SimulatedPartner:
    return SimulatedPartner()
