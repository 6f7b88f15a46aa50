"""Each hazard has a page, and all pages are of one form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from novaops.output.explanations import page
from novaops.planning.hazard_codes import HAZARDS, REFUSED_BY_ROWS, HazardCode

HEADINGS = ["When", "How it was found", "The safe way", "Consent"]
INDEX = Path(__file__).parents[2] / "docs" / "hazards.md"


@pytest.mark.parametrize("hazard", HAZARDS.values(), ids=lambda hazard: hazard.name)
def test_page(hazard: HazardCode) -> None:
    text = page(hazard)
    assert text.startswith(f"# {hazard.code} {hazard.name}: {hazard.title}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    before, _, consent = text.partition("## Consent")
    assert f"--allow {hazard.name}:" in consent
    assert "```sql" in before.partition("## How it was found")[2]
    assert ("`--allow all` does not cover it" in consent) == (hazard.name in REFUSED_BY_ROWS)


def test_no_page_is_left_over() -> None:
    pages = Path(__file__).parents[2] / "novaops" / "explanations"
    assert {file.stem for file in pages.iterdir()} == {hazard.code for hazard in HAZARDS.values()}


def test_the_documentation_links_every_page() -> None:
    linked = re.findall(r"\[(H\d+)\]\(\.\./novaops/explanations/(H\d+)\.md\)", INDEX.read_text())
    assert linked == [(hazard.code, hazard.code) for hazard in HAZARDS.values()]
