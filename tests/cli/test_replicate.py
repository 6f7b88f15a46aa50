"""`novaops replicate` as people run it: set up, again, checked; the modes of triggers; what is refused."""

from __future__ import annotations

import json
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.integration.replication.conftest import CHAT, for_servers  # noqa: F401

Novaops = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Site:
    """Two databases of a server, and a novaops.toml that declares their replication."""

    source: str
    target: str
    to: str
    command: Novaops

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.command("replicate", *arguments, "--url", self.source, "--quiet")


@pytest.fixture
def site(
    novaops: Novaops,
    new_database: Callable[..., str],
    for_servers: Callable[[str], dict[str, str]],  # noqa: F811
    tmp_path: Path,
) -> Site:
    source, target = new_database("nova"), new_database("graybeard")
    for url in (source, target):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CHAT)
    names = [str(conninfo_to_dict(url)["dbname"]) for url in (source, target)]
    server = ", ".join(f'{key} = "{value}"' for key, value in for_servers(source).items())
    (tmp_path / "novaops.toml").write_text(
        f'[[replication]]\nname = "agent_chat"\nfrom = "{names[0]}"\nto = "{names[1]}"\nserver = {{ {server} }}\n'
        '[[replication.table]]\nname = "agent_chat"\ntriggers = { trg_notify_agent_chat = "always" }\n'
    )
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema/schema.sql").write_text(CHAT)
    return Site(source, target, names[1], novaops)


def test_set_up_then_nothing_to_do(site: Site) -> None:
    before = site.run("--to", site.to, "--check")
    assert before.returncode == 3, before.stderr
    assert "to do    publication agent_chat_pub; " in before.stdout
    next_line = f"next     novaops replicate --url {shlex.quote(site.source)} --to {site.to}"
    assert before.stdout.splitlines()[-1] == next_line
    done = site.run("--to", site.to)
    assert done.returncode == 0, done.stderr
    assert " ✓ triggers     trg_notify_agent_chat ALWAYS" in done.stdout
    assert f"a row heard at {site.to} after " in done.stdout
    again = site.run("--to", site.to)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("agent_chat: as declared, healthy; nothing to do (")
    assert site.run("--check").returncode == 0
    for url in (site.source, site.target):
        plan = site.command("plan", "--check", "--quiet", "--url", url, "--scope", "database")
        assert plan.returncode == 0, plan.stdout


def test_as_json(site: Site) -> None:
    (found,) = json.loads(site.run("--check", "--probe", "--format", "json").stdout)["replications"]
    assert (found["publication"], found["tried"], found["same_server"]) == (
        "agent_chat_pub",
        ["agent_chat"],
        True,
    )
    # Tests of other databases run on this server; their transactions concern a slot as well.
    own = [finding for finding in found["findings"] if finding["name"] != "open-transaction"]
    assert {finding["severity"] for finding in own} == {"note"}
    value = json.loads(site.run("--format", "json").stdout)
    assert value["format_version"] == 1
    assert value["replications"][0]["proven"] is True


def test_the_table_of_triggers(site: Site) -> None:
    done = site.run("triggers")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split() == [
        "schema",
        "|",
        "table",
        "|",
        "trigger",
        "|",
        "mode",
        "|",
        "on",
        "this",
        "side",
    ]
    assert lines[3].startswith(
        " public | agent_chat | trg_notify_agent_chat | ORIGIN | notifies for local rows"
    )
    assert "declared is always" in lines[4]
    assert site.run("triggers", "--check").returncode == 3
    (found,) = json.loads(site.run("triggers", "--format", "json").stdout)["replications"]
    assert (found["triggers"][0]["mode"], found["triggers"][0]["declared"]) == ("origin", "always")


def test_what_is_in_the_way(site: Site) -> None:
    with psycopg.connect(site.target, autocommit=True) as connection:
        connection.execute("INSERT INTO agent_chat (sender, message) VALUES ('graybeard', 'mine')")
    checked = site.run("--check")
    assert checked.returncode == 4
    assert "data-loss: rows of " in checked.stdout
    assert "     deleted: id 1; " in checked.stdout
    refused = site.run()
    assert (refused.returncode, refused.stdout) == (4, "")
    allow = f"novaops replicate --url {shlex.quote(site.source)} --to {site.to} --allow data-loss:public.agent_chat"
    assert f"to let them go: {allow}\n" in refused.stderr
    assert refused.stderr.rstrip().endswith("nothing was done")
    with psycopg.connect(site.source) as connection:
        assert connection.execute("SELECT count(*) FROM pg_publication").fetchone() == (0,)
    allowed = site.run("--allow", "data-loss:public.agent_chat")
    assert allowed.returncode == 0, allowed.stderr
    assert " ✓ rows         agent_chat: 1 row deleted, as allowed\n" in allowed.stdout
    with psycopg.connect(site.target) as connection:
        assert connection.execute("SELECT count(*) FROM agent_chat").fetchone() == (0,)


def test_usage(site: Site) -> None:
    nothing = site.run("--to", "quill_memory")
    assert nothing.returncode == 2
    assert "no replication to quill_memory is declared, and no --table is named" in nothing.stderr
    secret = site.run("--server", "host=db1 password=hunter2")
    assert secret.returncode == 2
    assert "--server must not hold a password" in secret.stderr
    assert "hunter2" not in secret.stderr
    assert site.run("--probe").returncode == 2
    assert site.run("--wait", "long").returncode == 2


def test_what_is_wrong_in_the_file_is_shown_at_its_line(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "novaops.toml"
    file.write_text(file.read_text().replace('"always"', '"sometimes"'))
    for command in (("replicate",), ("plan",)):
        done = site.command(*command, "--url", site.source, "--quiet")
        assert done.returncode == 1
        assert "novaops.toml:8" in done.stderr
        assert "the mode of trigger trg_notify_agent_chat is 'sometimes'" in done.stderr


def test_what_flags_alone_have_set_up_can_be_declared(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "novaops.toml"
    server = " ".join(
        f"{key}={value}" for key, value in tomllib.loads(file.read_text())["replication"][0]["server"].items()
    )
    file.unlink()
    source = str(conninfo_to_dict(site.source)["dbname"])
    flags = ("--from", source, "--to", site.to, "--table", "agent_chat", "--server", server)
    done = site.command("replicate", *flags, "--url", site.source)
    assert done.returncode == 0, done.stderr
    _, _, toml = done.stderr.partition("novaops.toml does not declare it; ")
    assert toml.startswith("with these lines there plan and apply know of it:\n")
    lines = "\n".join(line.strip() for line in toml.splitlines()[1:])
    assert "password" not in lines.replace("passfile", "")
    file.write_text(lines)
    again = site.command("replicate", "--url", site.source)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("agent_chat: as declared, healthy; nothing to do (")
    assert "does not declare" not in again.stderr
    plan = site.command("plan", "--quiet", "--check", "--url", site.target, "--scope", "database")
    assert plan.returncode == 0, plan.stdout


def test_the_next_command_of_an_undeclared_replication_means_the_same_tables(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "novaops.toml").unlink()
    for url in (site.source, site.target):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute('CREATE TABLE "A b" (id int PRIMARY KEY)')
    source = site.source.rpartition("/")[2].partition("?")[0]
    checked = site.run(
        "--from", source, "--to", site.to, "--table", '"A b"', "--table", "agent_chat", "--check"
    )
    assert checked.returncode == 3, checked.stdout + checked.stderr
    words = shlex.split(checked.stdout.splitlines()[-1])
    assert words == [
        *("next", "novaops", "replicate", "--url", site.source, "--from", source, "--to", site.to),
        *("--table", '"A b"', "--table", "agent_chat"),
    ]
    again = site.command(*words[2:], "--check")
    assert again.returncode == 3
    assert again.stdout == checked.stdout
