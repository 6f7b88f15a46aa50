"""`novaops replicate apply` as people run it: the steps, consent, the change, again; refusals; help."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.integration.replication.conftest import CHAT, for_servers  # noqa: F401

from .test_replicate import Site, site  # noqa: F401


@pytest.fixture
def running(site: Site) -> Site:  # noqa: F811
    """A replication that is set up, with a row."""
    done = site.run("--to", site.to)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(site.source, autocommit=True) as connection:
        connection.execute("INSERT INTO agent_chat (sender, message) VALUES ('nova', 'hello')")
    return site


def declare(folder: Path, before: str, after: str) -> None:
    (folder / "schema/schema.sql").write_text(CHAT.replace(before, after))


def test_a_column_comes_and_goes(running: Site, tmp_path: Path) -> None:
    assert running.run("apply", "--check").returncode == 0
    declare(tmp_path, "sender text NOT NULL,", "mood text,")
    plan = running.command("plan", "--check", "--quiet", "--url", running.source)
    assert plan.returncode == 4
    assert "replication:public.agent_chat.mood" in plan.stdout
    assert (
        f"novaops replicate apply --url {shlex.quote(running.source)} --to {running.to} changes both"
        in plan.stdout
    )
    assert plan.stdout.splitlines()[-1] == f"next     novaops replicate apply --url '{running.source}'"
    shown = running.run("apply", "--check")
    assert shown.returncode == 4, shown.stderr
    source = plan.stdout.split(" on ")[0]
    steps = [
        line.split()[1:]
        for line in shown.stdout.splitlines()
        if line[:2].strip().isdigit() and line[2] == " "
    ]
    assert [(words[0], words[1]) for words in steps] == [
        (running.to, "takes"), (source, "as"), (running.to, "what"), (running.to, "what"), (running.to, "rows"),
    ]  # fmt: skip
    assert "blocked  data-loss:public.agent_chat.sender\n" in shown.stdout
    assert "--allow data-loss:public.agent_chat.sender" in shown.stdout.splitlines()[-1]
    consent = ("--allow", "data-loss:public.agent_chat.sender")
    assert running.run("apply", "--check", *consent).returncode == 3
    asked = running.run("apply", *consent)
    assert (asked.returncode, "there is no terminal to ask on" in asked.stderr) == (2, True)
    done = running.run("apply", "--yes", *consent)
    assert done.returncode == 0, done.stderr
    assert " ✓ proof        1 row equal in " in done.stdout
    again = running.run("apply", "--yes")
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-1] == "nothing to do: both sides are as the files have them"
    for url in (running.source, running.target):
        assert running.command("plan", "--check", "--quiet", "--url", url).returncode == 0
    assert running.run("--check").returncode == 0
    assert running.run("compare").returncode == 0


def test_as_json(running: Site, tmp_path: Path) -> None:
    declare(tmp_path, "message text", "mood text, message text")
    planned = running.run("apply", "--check", "--format", "json")
    assert planned.returncode == 3, planned.stderr
    value = json.loads(planned.stdout)
    assert [step["name"] for step in value["steps"]] == ["relax", "source", "drain", "proof"]
    assert value["done"] is None
    done = json.loads(running.run("apply", "--yes", "--format", "json").stdout)
    assert ([step["name"] for step in done["done"]], done["proven"]) == (["relax", "source", "drain"], True)


def test_what_cannot_be_is_refused_with_the_way_that_works(running: Site, tmp_path: Path) -> None:
    declare(tmp_path, "message text NOT NULL", "note text NOT NULL -- novaops: renamed from message\n")
    refused = running.run("apply", "--yes")
    assert refused.returncode == 4, refused.stderr
    assert " ✗ public.agent_chat.message: rows are sent by the names of their columns" in refused.stdout
    assert "     → add a new column beside public.agent_chat.message" in refused.stdout
    assert refused.stderr.rstrip().endswith("nothing was done")


def test_where_nothing_is_set_up(site: Site, tmp_path: Path) -> None:  # noqa: F811
    declare(tmp_path, "message text", "mood text, message text")
    refused = site.run("apply", "--yes")
    assert refused.returncode == 4
    assert f"novaops replicate --url {shlex.quote(site.source)} --to {site.to}" in refused.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom novaops.cli import main\ntry:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'psycopg', 'sqlglot', 'rich', 'jinja2', 'tomlkit'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "replicate", "apply", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Change replicated tables as the files have them, on both sides." in done.stdout
