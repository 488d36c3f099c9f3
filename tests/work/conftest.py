"""What the runners log is printed, whatever an earlier test has set up for the process."""

from __future__ import annotations

import pytest
import structlog

from edi_gateway.work import distributed, embedded


@pytest.fixture(autouse=True)
def _logs_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    structlog.reset_defaults()
    for module in (distributed, embedded):
        monkeypatch.setattr(module, "_log", structlog.get_logger())  # the module's own may be bound to another output
