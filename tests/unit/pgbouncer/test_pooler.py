"""What the console shows against what the files say, for versions of pgbouncer that are not at hand as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from novaops.pgbouncer.grammar import read_ini
from novaops.pgbouncer.graph import mermaid, svg
from novaops.pgbouncer.inventory import Alias, Inventory, Settings, Target
from novaops.pgbouncer.pooler import Served, client_host, client_port, compare

INI = read_ini(
    Path("p.ini"),
    "[databases]\na = host=h port=5433 dbname=d pool_mode=session pool_size=3\ntheirs = host=x\n"
    "[pgbouncer]\nlisten_port = 6432\nunix_socket_mode = 0777\ndefault_pool_size = 8\n",
)
OLD = {
    "name": "a", "host": "h", "port": "5433", "database": "d", "force_user": "", "pool_size": "3", "min_pool_size": "0",
    "reserve_pool": "0", "pool_mode": "session", "max_connections": "0", "current_connections": "0", "paused": "0",
    "disabled": "0",
}  # fmt: skip
# 1.25 has other columns, in another order.
NEW = {
    "name": "a", "host": "h", "port": "5433", "database": "d", "force_user": "", "pool_size": "3", "min_pool_size": "0",
    "reserve_pool_size": "0", "server_lifetime": "3600", "pool_mode": "session", "load_balance_hosts": "",
    "max_connections": "0", "current_connections": "0", "max_client_connections": "0",
    "current_client_connections": "0", "paused": "0", "disabled": "0",
}  # fmt: skip
CONFIG = {
    "listen_port": {"key": "listen_port", "value": "6432", "changeable": "no"},
    "unix_socket_mode": {"key": "unix_socket_mode", "value": "511", "changeable": "no"},
}


def found(
    row: dict[str, str], config: dict[str, dict[str, str]] = CONFIG, users: set[str] | None = None
) -> list[str]:
    served = Served({"a": row, "theirs": {**row, "name": "theirs"}}, frozenset(users or {"u"}), config)
    return [
        f"{m.name} {m.message}{' [restart]' if m.restart else ''}" for m in compare(INI, served, ["a"], ["u"])
    ]


@pytest.mark.parametrize("row", [OLD, NEW])
def test_as_written(row: dict[str, str]) -> None:
    assert found(row) == []


@pytest.mark.parametrize("row", [OLD, NEW])
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("host", "other", "a has host other, and h in the file"),
        ("port", "1", "a has port 1, and 5433 in the file"),
        ("database", "x", "a has database x, and d in the file"),
        ("pool_size", "9", "a has pool_size 9, and 3 in the file"),
        ("pool_mode", "transaction", "a has pool_mode transaction, and session in the file"),
        ("disabled", "1", "a is disabled"),
        ("paused", "1", "a is paused"),
    ],
)
def test_what_differs(row: dict[str, str], column: str, value: str, message: str) -> None:
    assert found({**row, column: value}) == [message]


def test_what_takes_a_restart() -> None:
    (lost,) = found({**OLD, "force_user": "nova"})
    assert lost.endswith("taking user= away needs that [restart]")
    (port,) = found(OLD, {**CONFIG, "listen_port": {**CONFIG["listen_port"], "value": "7000"}})
    assert port == "listen_port is 7000 until pgbouncer restarts; the file says 6432 [restart]"


def test_what_is_missing_or_too_much() -> None:
    assert [m.message for m in compare(INI, Served({}, frozenset(), {}), ["a"], ["u"])] == [
        "is not served", "is not served", "is no user to the pooler",
    ]  # fmt: skip
    served = Served({"a": OLD, "theirs": OLD, "old": OLD}, frozenset({"u"}), {})
    assert [(m.name, m.message) for m in compare(INI, served, ["a"], ["u"])] == [
        ("old", "is served, and in no file")
    ]


def test_where_clients_connect() -> None:
    def host(listen: str, settings: Settings | None = None) -> str:
        text = f"[pgbouncer]\nunix_socket_dir = /run/p\nlisten_addr = {listen}\n"
        return client_host(settings or Settings(), read_ini(Path("p.ini"), text))

    assert [host(listen) for listen in ("*", "10.0.0.5,127.0.0.1", "")] == ["127.0.0.1", "10.0.0.5", "/run/p"]
    assert host("*", Settings(host="pool.example")) == "pool.example"
    assert client_port(Settings(port=7), INI) == 7
    assert client_port(Settings(), INI) == 6432


def test_pictures_let_no_name_out() -> None:
    target = Target('x"] --> y', "h", 1)
    inventory = Inventory(
        Path("n"), Settings(), None, (Alias("a", "<script>", target), Alias("b", "u", target))
    )
    drawn = mermaid(inventory)
    assert drawn.startswith("flowchart LR\n")
    assert drawn.count("-->") == 4
    assert "script>" not in drawn
    picture = svg(inventory)
    assert "<script>" not in picture
    assert "&lt;script&gt;" in picture
    assert picture.count("<line") == 4
