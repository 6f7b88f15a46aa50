"""The made-up kinds stand in for the real ones."""

from __future__ import annotations

import pytest

from tests.unit.planning.made_up import KINDS


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry, wherever planning looks into it, has the made-up kinds only."""
    for module in ("nodes", "diff", "draft"):
        monkeypatch.setattr(f"novaops.planning.{module}.registry", lambda: KINDS)
