"""Status, proof, repair and teardown of a replication as people run them."""

from __future__ import annotations

import json
import shlex

import psycopg
import pytest

from tests.cli.test_replicate import Site, site  # noqa: F401
from tests.integration.replication.conftest import for_servers  # noqa: F401


@pytest.fixture
def running(site: Site) -> Site:  # noqa: F811
    done = site.run("--to", site.to)
    assert done.returncode == 0, done.stderr
    return site


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def test_before_anything_is_set_up(site: Site) -> None:  # noqa: F811
    seen = site.run("status")
    assert seen.returncode == 1
    assert "subscription-missing: " in seen.stdout
    assert f"→ novaops replicate --url {shlex.quote(site.source)} --to {site.to}\n" in seen.stdout


def test_status_and_verify(running: Site) -> None:
    seen = running.run("status")
    assert seen.returncode == 0, seen.stdout
    first, second, *_ = seen.stdout.splitlines()
    assert first.endswith("healthy")
    assert second.endswith("1 of 1 tables ready")
    value = json.loads(running.run("status", "--json").stdout)
    assert value["format_version"] == 1
    assert value["replications"][0]["healthy"] is True
    assert value["replications"][0]["tables"] == [{"schema": "public", "name": "agent_chat", "state": "r"}]

    proof = running.run("verify")
    assert proof.returncode == 0, proof.stdout
    words = [line.split()[1] for line in proof.stdout.splitlines()[1:]]
    assert words == ["health", "barrier", "rows", "sentinel"]
    assert "heard on agent_chat after" in proof.stdout
    value = json.loads(running.run("verify", "--format", "json").stdout)
    assert value["replications"][0]["proven"] is True


def test_rows_are_compared_and_repaired(running: Site) -> None:
    execute(
        running.source, "INSERT INTO agent_chat (sender, message) SELECT 'a', 'x' FROM generate_series(1, 30)"
    )
    running.run("verify")
    execute(running.target, "DELETE FROM agent_chat WHERE id > 5")
    seen = running.run("compare")
    assert seen.returncode == 1
    lines = seen.stdout.splitlines()
    assert lines[1].endswith("missing")
    assert sum(line.startswith("     missing   id = ") for line in lines) == 20
    compare = f"novaops replicate compare --url {shlex.quote(running.source)} --repair --to {running.to}"
    assert lines[-1] == f"next     {compare}"
    assert "more" in lines[-2]
    # Rows that are copied take the answer to a question, and nothing else.
    unasked = running.run("compare", "--repair")
    assert (unasked.returncode, unasked.stdout) == (2, "")
    assert " missing\n" in unasked.stderr
    assert "--yes" in unasked.stderr
    mended = running.run("compare", "--repair", "--yes")
    assert mended.returncode == 0, mended.stderr
    assert "repaired" in mended.stdout
    assert json.loads(running.run("compare", "--format", "json").stdout)["replications"][0]["tables"][0][
        "equal"
    ]


def test_rows_that_would_be_lost_are_named(running: Site) -> None:
    execute(running.source, "INSERT INTO agent_chat VALUES (101, 'a', 'x'), (102, 'b', 'y')")
    running.run("verify")
    execute(
        running.target,
        "DELETE FROM agent_chat WHERE id = 101",
        "UPDATE agent_chat SET message = 'mine' WHERE id = 102",
        "INSERT INTO agent_chat VALUES (900, 'c', 'mine')",
    )
    for command in (("compare", "--repair", "--yes"), ("rebuild", "--yes")):
        refused = running.run(*command)
        assert (refused.returncode, refused.stdout) == (4, "")
        assert "agent_chat: 1 row overwritten, 1 row deleted" in refused.stderr
        assert "overwritten: id 102" in refused.stderr
        assert "deleted: id 900" in refused.stderr
        name, *options, _ = command
        url = ("--url", running.source)
        words = [
            "novaops",
            "replicate",
            name,
            *url,
            *options,
            "--to",
            running.to,
            "--allow",
            "data-loss:public.agent_chat",
        ]
        assert shlex.join(words) in refused.stderr
    with psycopg.connect(running.target) as connection:
        assert connection.execute("SELECT array_agg(id ORDER BY id) FROM agent_chat").fetchone() == (
            [102, 900],
        )
    assert running.run("status").returncode == 0
    mended = running.run(
        "compare",
        "--repair",
        "--yes",
        "--allow",
        "data-loss:public.agent_chat",
        "--reason",
        "a test",
        "--format",
        "json",
    )
    assert mended.returncode == 0, mended.stderr
    ((table,),) = [each["tables"] for each in json.loads(mended.stdout)["replications"]]
    assert (table["missing"], table["different"], table["extra"], table["repaired"]) == (1, 1, 1, 3)
    with psycopg.connect(running.target) as connection:
        row = connection.execute(
            "SELECT consents FROM novaops.replication_run WHERE action = 'repair'"
        ).fetchone()
    assert row == ({"data-loss:public.agent_chat": "a test"},)
    assert running.run("compare").returncode == 0


def test_a_stopped_subscription_is_explained_and_mended(running: Site) -> None:
    execute(running.target, "INSERT INTO agent_chat VALUES (900, 'local', 'x')")
    execute(running.source, "INSERT INTO agent_chat VALUES (900, 'a', 'y')")
    while "disabled-by-error" not in (seen := running.run("status")).stdout:
        assert seen.stdout
    assert "duplicate key value" in seen.stdout
    asked = running.run("skip")
    assert asked.returncode == 2
    assert "stopped at the transaction at " in asked.stderr
    assert "--yes" in asked.stderr
    skipped = running.run("skip", "--yes")
    assert skipped.returncode == 0, skipped.stderr
    assert "left out the transaction at " in skipped.stdout
    again = running.run("skip", "--yes")
    assert (again.returncode, "nothing to leave out" in again.stderr) == (1, True)
    assert running.run("rebuild", "--yes").returncode == 4
    rebuilt = running.run("rebuild", "--yes", "--allow", "all")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "1 rows brought into line with the source" in rebuilt.stdout
    assert running.run("status").returncode == 0


def test_sequences(running: Site) -> None:
    execute(running.source, "INSERT INTO agent_chat (sender, message) VALUES ('a', 'x')")
    running.run("verify")
    assert running.run("sequences", "--check").returncode == 3
    assert running.run("sequences").returncode == 0
    assert running.run("sequences", "--check").returncode == 0


def test_teardown(running: Site) -> None:
    assert running.run("teardown").returncode == 2
    done = running.run("teardown", "--yes")
    assert done.returncode == 0, done.stderr
    assert [line.split()[2] for line in done.stdout.splitlines()[1:]] == [
        "subscription",
        "slot",
        "publication",
    ]
    assert "nothing to take down" in running.run("teardown", "--yes").stdout
