"""The pages about hazards."""

from __future__ import annotations

from dataclasses import asdict
from importlib.resources import files

from rich.markdown import Markdown
from rich.text import Text

from novaops.output.json import dumps
from novaops.output.terminal import console, write_data, write_lines
from novaops.planning.hazard_codes import HAZARDS, HazardCode, hazard_code


def page(hazard: HazardCode) -> str:
    """The hazard's page, in Markdown."""
    return files("novaops.explanations").joinpath(f"{hazard.code}.md").read_text(encoding="utf-8")


def write_hazards(form: str) -> None:
    """Print all hazards, a line each."""
    if form == "json":
        write_data(dumps({"format_version": 1, "hazards": [asdict(h) for h in HAZARDS.values()]}))
        return
    width = max(len(name) for name in HAZARDS)
    write_lines(
        Text.assemble(h.code, "  ", (f"{h.name:{width}}", "bold"), f"  {h.title}") for h in HAZARDS.values()
    )


def write_explanation(text: str, form: str) -> None:
    """Print the page of the hazard with that name or code: rendered on a terminal, else as it is."""
    hazard = hazard_code(text)
    to = console()
    if form == "json":
        write_data(dumps({"format_version": 1, **asdict(hazard), "page": page(hazard)}))
    elif to.is_terminal and to.color_system is not None:
        to.print(Markdown(page(hazard)), soft_wrap=False)
    else:
        write_data(page(hazard))
