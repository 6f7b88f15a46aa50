"""Connection aliases as people use them: novaops alias."""

from __future__ import annotations

import json
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.pooler import PoolerForTest, new_agent, pooler

__all__ = ["new_agent", "pooler"]

Agents = Callable[..., str]
Alias = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def alias(pooler: PoolerForTest, environment: dict[str, str], printed_texts: list[tuple[str, str]]) -> Alias:
    """`alias("add", "argus")` in the folder of the project, with the test server as a superuser."""

    def run(
        *arguments: str, input: str = "", url: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        given = [*arguments, *(["--url", pooler.url] if url else [])]
        result = subprocess.run(
            [sys.executable, "-m", "novaops", "alias", *given],
            input=input, capture_output=True, text=True, cwd=pooler.project, env={**environment, **variables}, timeout=60,
        )  # fmt: skip
        place = f"printed by novaops alias {shlex.join(given)}"
        printed_texts.extend((place, text) for text in (result.stdout, result.stderr))
        return result

    return run


def test_a_session(pooler: PoolerForTest, new_agent: Agents, alias: Alias) -> None:
    argus, target = new_agent(), pooler.base["dbname"]
    added = alias(
        "add", argus, "--rationale", "Security | agent", "--password-stdin", input=f"{argus}-password\n"
    )
    assert added.returncode == 0, added.stderr
    assert added.stderr == ""
    lines = added.stdout.splitlines()
    assert lines[0].startswith(f"{argus}_memory → {target} on ")
    assert lines[0].endswith(f"   user {argus}, session pooling, pool 3")
    assert f"+ {argus}_memory = host=" in added.stdout
    assert f'+ "{argus}" SCRAM-SHA-256$… (from the server)' in added.stdout
    assert "✓ validated by a scratch pgbouncer 1." in added.stdout
    assert "· backup kept · RELOAD · 2 databases served, as written" in added.stdout
    assert f"✓ logged in as {argus}: current_database() = {target}, LISTEN/NOTIFY " in added.stdout
    assert "connections: worst case " in lines[-1]

    again = alias("add", argus)
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stdout
    assert "no login was tried" in again.stdout

    listed = alias("list")
    assert listed.stdout.splitlines()[1].split()[:2] == [f"{argus}_memory", target]
    markdown = alias("list", "--format", "markdown").stdout
    assert f"| `{argus}_memory` | `{target}` | {argus} | session, 3 | Security \\| agent |\n" in markdown
    assert (
        json.loads(alias("list", "--format", "json").stdout)["aliases"][0]["rationale"] == "Security | agent"
    )

    tested = alias("test", argus, "--password-command", f"echo {argus}-password")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert tested.stdout.count("✓") == 5
    assert alias("test").returncode == 1  # no password is at hand

    checked = alias("check")
    assert (checked.returncode, checked.stdout) == (
        0,
        "✓ files, pooler and servers are as novaops.toml declares\n",
    )
    assert "Security | agent" in alias("explain", argus).stdout
    assert alias("graph").stdout.startswith("flowchart LR\n")
    assert alias("graph", "--format", "svg").stdout.startswith("<svg ")
    assert alias("reload").stdout == " ✓ RELOAD · 2 databases served, as written\n"

    renamed = alias("rename", argus, "findings")
    assert renamed.returncode == 0, renamed.stderr
    removed = alias("remove", "findings", "--format", "json")
    assert removed.returncode == 0, removed.stderr
    assert [c["operation"] for c in json.loads(removed.stdout)["changes"]] == ["-", "-"]
    assert pooler.served() == {"theirs"}


def test_drift_is_exit_3(pooler: PoolerForTest, new_agent: Agents, alias: Alias) -> None:
    agent = new_agent()
    alias("add", agent)
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {agent} PASSWORD 'another'")
    checked = alias("check", "--format", "json")
    assert checked.returncode == 3
    report = json.loads(checked.stdout)
    assert report["format_version"] == 1
    assert [f["code"] for f in report["findings"]] == ["verifier-differs"]
    assert alias("check", "--no-server", url=False).returncode == 0
    assert "not looked at: servers" in alias("check", "--no-server", url=False).stdout
    assert alias("apply").returncode == 0
    assert alias("check").returncode == 0


def test_dry_runs_change_nothing(pooler: PoolerForTest, new_agent: Agents, alias: Alias) -> None:
    agent = new_agent()
    files = (pooler.ini, pooler.userlist, pooler.toml)
    before = [(f.read_bytes(), f.stat().st_mtime_ns) for f in files]
    dry = alias("add", agent, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert f"+ {agent}_memory" in dry.stdout
    assert dry.stdout.endswith("dry run: nothing was changed\n")
    assert [(f.read_bytes(), f.stat().st_mtime_ns) for f in files] == before
    alias("add", agent)
    before = [(f.read_bytes(), f.stat().st_mtime_ns) for f in files]
    for call in (("remove", agent), ("rename", agent, "other"), ("apply",)):
        dry = alias(*call, "--dry-run")
        assert dry.returncode == 0, dry.stderr
        assert (f"- {agent}_memory" in dry.stdout) == (call[0] != "apply")
        assert ("nothing to do: files are as novaops.toml declares\n" in dry.stdout) == (call[0] == "apply")
        assert [(f.read_bytes(), f.stat().st_mtime_ns) for f in files] == before


REFUSED = [
    (("add", "a b"), "cannot read ' ' in the name of a database", 1),
    (("add", "x", "--alias", "a\nb"), "control character", 1),
    (("add", "no_such_role_here"), "the server has no role no_such_role_here", 1),
    (("remove", "nobody"), "declares no alias nobody", 2),
    (("rotate", "nobody"), "where the new password comes from is not said", 2),
    (("remove", "nobody", "--drain", "soon"), "--drain", 2),
]


def test_refusals_say_what_to_do(pooler: PoolerForTest, alias: Alias) -> None:
    before = (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes())
    for arguments, message, code in REFUSED:
        refused = alias(*arguments)
        assert refused.returncode == code, refused.stderr
        assert message in refused.stderr
        assert "hint: " in refused.stderr
        assert "Traceback" not in refused.stderr
        assert (pooler.ini.read_bytes(), pooler.userlist.read_bytes(), pooler.toml.read_bytes()) == before


def test_transaction_pooling_is_warned_of(pooler: PoolerForTest, new_agent: Agents, alias: Alias) -> None:
    added = alias("add", new_agent(), "--pool-mode", "transaction")
    assert added.returncode == 0, added.stderr
    assert "note     transaction pooling: " in added.stdout
    assert "LISTEN hears nothing" in added.stdout


def test_errors_as_json(alias: Alias) -> None:
    refused = alias("add", "no_such_role_here", "--format", "json")
    value = json.loads(refused.stdout)
    assert value["error"]["exit_code"] == refused.returncode == 1


def test_render_needs_neither_server_nor_pgbouncer(tmp_path: Path, environment: dict[str, str]) -> None:
    """As in CI on another machine: no server answers, no pgbouncer is found."""
    (tmp_path / "novaops.toml").write_text(
        '[pgbouncer]\nini = "/etc/pgbouncer/pgbouncer.ini"\ntarget = "nova_memory"\ntarget_host = "db1"\n'
        '[[alias]]\nname = "argus_memory"\nuser = "argus"\n'
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    program = (
        "import sys\n"
        "import novaops.pgbouncer.version as version\n"
        "version.PLACES = ()\n"
        "assert version.find_program() is None\n"
        "from novaops.cli import main\n"
        "main()\n"
    )
    variables = {**environment, "PATH": str(empty), "PGHOST": "nowhere.invalid"}
    ran = subprocess.run(
        [sys.executable, "-c", program, "alias", "render", "--output", "build"],
        capture_output=True, text=True, cwd=tmp_path, env=variables,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        f"build/{name}" for name in ("pgbouncer.ini", "userlist.txt", "pgbouncer.service", "reload.sh")
    ]
    assert "userlist.txt lacks the secrets of argus" in ran.stderr
    ini = (tmp_path / "build/pgbouncer.ini").read_text()
    assert "argus_memory = host=db1 port=5432 dbname=nova_memory pool_mode=session pool_size=3\n" in ini
    assert "auth_file = /etc/pgbouncer/userlist.txt\n" in ini
    modes = [stat.S_IMODE((tmp_path / "build" / n).stat().st_mode) for n in ("userlist.txt", "reload.sh")]
    assert modes == [0o640, 0o755]
    assert subprocess.run(["sh", "-n", tmp_path / "build/reload.sh"]).returncode == 0
    assert "ExecReload=/bin/kill -HUP $MAINPID" in (tmp_path / "build/pgbouncer.service").read_text()


def test_render_shows_no_password_of_lines_written_by_hand(pooler: PoolerForTest, alias: Alias) -> None:
    pooler.write(
        pooler.ini.read_text().replace("[pgbouncer]", "x = host=h password='ge heim' port=1\n[pgbouncer]")
    )
    shown = alias("render", url=False)
    assert "x = host=h password=******** port=1\n" in shown.stdout
    assert "heim" not in shown.stdout + alias("render", "--format", "json", url=False).stdout


def test_render_with_secrets(pooler: PoolerForTest, new_agent: Agents, alias: Alias) -> None:
    agent = new_agent()
    alias("add", agent)
    rendered = alias("render", "--output", "build", "--with-secrets")
    assert rendered.returncode == 0, rendered.stderr
    text = (pooler.project / "build/userlist.txt").read_text()
    assert text.split("\n")[1] in pooler.userlist.read_text()
    assert "SCRAM" not in rendered.stdout + rendered.stderr
    again = alias("render", "--output", "build", url=False)
    assert (again.returncode, again.stderr) == (0, "")
    assert (pooler.project / "build/userlist.txt").read_text() == text


def test_rotate(pooler: PoolerForTest, new_agent: Agents, alias: Alias) -> None:
    agent = new_agent()
    alias("add", agent)
    rotated = alias("rotate", agent, "--write-password", "argus.secret")
    assert rotated.returncode == 0, rotated.stderr
    secret = pooler.project / "argus.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text().strip() not in rotated.stdout + rotated.stderr
    assert "✓ logged in as" in rotated.stdout
    assert alias("test", agent, "--password-stdin", input=secret.read_text()).returncode == 0


def test_the_password_of_somebody_else_is_no_failure(
    pooler: PoolerForTest, new_agent: Agents, alias: Alias
) -> None:
    """PGPASSWORD is for the superuser that novaops connects as."""
    agent = new_agent()
    passfile = pooler.base.get("passfile")
    password = Path(passfile).read_text().strip().rpartition(":")[2] if passfile else "not that of the agent"
    added = alias("add", agent, PGPASSWORD=password)
    assert added.returncode == 0, added.stderr
    assert f"the password in PGPASSWORD or .pgpass is not that of {agent}" in added.stdout


def test_propose(pooler: PoolerForTest, new_agent: Agents, alias: Alias) -> None:
    agent = new_agent("quill")
    with psycopg.connect(pooler.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE agents (name text, unix_user text, description text)")
        connection.execute("INSERT INTO agents VALUES ('Quill', %s, 'Writes; and reads')", [agent])
    proposed = alias("propose")
    assert proposed.returncode == 0, proposed.stderr
    command = f"novaops alias add --url {shlex.quote(pooler.url)} {agent} --rationale 'Writes; and reads'"
    assert proposed.stdout.splitlines() == [f"+ {agent}_memory   Quill: Writes; and reads", f"    {command}"]


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from novaops.cli import main\n"
        "from novaops.cli.alias import command\n"
        "for name in command.list_commands(None):\n"
        "    sys.argv = ['novaops', 'alias', name, '--help']\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        assert end.code in (0, None), end.code\n"
        "heavy = {'psycopg', 'sqlglot', 'rich', 'jinja2', 'tomlkit'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("Usage: novaops alias") == 13
