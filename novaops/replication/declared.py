"""`[[replication]]` in novaops.toml, and the same from the flags of a command.

    [[replication]]
    name = "agent_chat"
    from = "nova_memory"                  # or { database = "…", host = "…", port = 5440, user = "…" }
    to = "graybeard_memory"
    copy = "data"                         # or "none"
    direction = "one-way"                 # or "both", with keys = "strides" or { source = [1, 99], target = […] }
    server = { host = "db1", passfile = "/var/lib/postgresql/.pgpass" }

    [[replication.table]]
    name = "agent_chat"
    columns = ["id", "message"]           # all of them, if it is not given
    where = "recipients @> '{graybeard}'"
    triggers = { trg_notify_agent_chat = "always" }
    sentinel = "SELECT send_agent_message(…)"   # SQL that writes a row for the proof that rows arrive

`tables = ["a", "b"]` is short for tables about which there is nothing more to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from novaops.desired.names import name_at
from novaops.diagnostics import Diagnostic, DiagnosticsError
from novaops.errors import UsageError
from novaops.invocation import command_line
from novaops.replication.declaration import (
    INTENTS,
    CopyPolicy,
    Direction,
    Endpoint,
    Keys,
    Ranges,
    ReplicatedTable,
    Replication,
    Strides,
    TriggerMode,
)
from novaops.toml_file import TomlFile

SECTION, TABLE = "replication", "replication.table"
KEYS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "from": (str, dict),
    "to": (str, dict),
    "tables": (list,),
    "table": (list,),
    "direction": (str,),
    "copy": (str,),
    "server": (dict,),
    "read_only": (bool,),
    "keys": (str, dict),
    "role": (str,),
    "channel": (str,),
    "publication": (str,),
    "slot": (str,),
    "subscription": (str,),
}
TABLE_KEYS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "columns": (list,),
    "where": (str,),
    "triggers": (dict,),
    "sentinel": (str,),
}
CHOICES = {"direction": ("one-way", "both"), "copy": ("data", "none")}
WORDS = {str: "a text", dict: "a table { … }", list: "a list", bool: "true or false"}
NAMES = ("publication", "slot", "subscription")
# Keywords of libpq (documentation, "Parameter Key Words") that say where a server is and how to get in.
REACH = frozenset(
    ["host", "hostaddr", "port", "user", "service", "passfile", "sslmode", "sslrootcert", "sslcert",
     "sslkey", "require_auth", "channel_binding", "gssencmode", "connect_timeout"]
)  # fmt: skip
NOT_A_PASSWORD = "use a passfile or a service that the server may read"  # noqa: S105
NOT_OURS = "use password_command, ~/.pgpass, a service file or PGPASSWORD"


def declared(path: Path, base: Endpoint) -> tuple[Replication, ...]:
    """What the file declares, none where there is no file; `base` is the configured connection.

    Raises `DiagnosticsError` with everything that is wrong.
    """
    if not path.exists():
        return ()
    file = TomlFile.read(path)
    sections = file.data.get(SECTION, [])
    if not isinstance(sections, list):
        raise DiagnosticsError(
            [file.problem("replication is not a list", SECTION, hint="write [[replication]]")]
        )
    found: list[Replication] = []
    problems: list[Diagnostic] = []
    tables = 0
    for number, value in enumerate(sections):
        section = _Section(file, value, number, tables)
        found.extend(section.read(base))
        problems += section.problems
        given = value.get("table")
        tables += len(given) if isinstance(given, list) else 0
    problems += _repeated(file, found)
    if problems:
        raise DiagnosticsError(problems)
    return tuple(found)


def chosen(
    all_of_them: Sequence[Replication],
    base: Endpoint,
    to: str | None = None,
    source: str | None = None,
    tables: Sequence[str] = (),
) -> tuple[Replication, ...]:
    """The declared replications that `--to`, `--from` and `--table` mean, or one that they describe.

    Without flags all that are declared. Raises `UsageError` where the flags mean none.
    """
    wanted = [table_named(text) for text in tables]
    meant = tuple(
        r
        for r in all_of_them
        if to in (None, r.target.database)
        and source in (None, r.source.database)
        and all(any((t.schema, t.name) == (w.schema, w.name) for t in r.tables) for w in wanted)
    )
    if meant:
        return meant
    if to is None:
        what = "is declared for these flags" if all_of_them else "is declared"
        raise UsageError(
            f"no replication {what}",
            hint="add [[replication]] to novaops.toml, or name --to DATABASE and --table TABLE",
        )
    if not wanted:
        names = ", ".join(sorted({r.target.database for r in all_of_them}))
        raise UsageError(
            f"no replication to {to} is declared, and no --table is named",
            detail=f"declared are those to {names}" if names else None,
            hint=command_line("replicate", "--to", to, "--table", "TABLE"),
        )
    from_ = base.at(source) if source else base
    if from_.database == to:
        raise UsageError(
            f"{to} cannot be replicated to itself", hint="name the source with --from, or another --to"
        )
    name = "_".join(dict.fromkeys(table.name for table in wanted))
    return (Replication(name, from_, base.at(to), tuple(wanted), in_file=False),)


def reached_by(replication: Replication, conninfo: str | None) -> Replication:
    """The replication with what `--server` says of how the target's server reaches the source."""
    if conninfo is None:
        return replication
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    except ProgrammingError:
        # libpq's message repeats the text, and a password in it.
        raise UsageError(
            "--server is no connection string", hint="write it like 'host=db1 port=5432 passfile=/path'"
        ) from None
    if "password" in given:
        raise UsageError("--server must not hold a password", hint=NOT_A_PASSWORD)
    if unknown := sorted(given.keys() - REACH):
        raise UsageError(
            f"--server: {unknown[0]} cannot be given there", hint=f"there is: {', '.join(sorted(REACH))}"
        )
    return replace(replication, server_conninfo={**replication.server_conninfo, **given})


def table_named(text: str) -> ReplicatedTable:
    """A table by a name written in PostgreSQL's way; in the schema public if it names none."""
    names = _names(text)
    if names is None:
        raise UsageError(f"{text!r} is not the name of a table", hint="write table or schema.table")
    return ReplicatedTable(*names)


def _names(text: str) -> tuple[str, str] | None:
    names, length = name_at(text, 0)
    if not names or length != len(text) or len(names) > 2:
        return None
    return ("public", names[0]) if len(names) == 1 else (names[0], names[1])


def _repeated(file: TomlFile, found: Sequence[Replication]) -> Iterator[Diagnostic]:
    seen: set[tuple[str, str]] = set()
    for number, replication in enumerate(found):
        key = (replication.name, str(replication.target))
        if key in seen:
            yield file.problem(
                f"{replication.name} to {replication.target.database} is declared twice", SECTION, "name",
                hint="give each its own name", number=number,
            )  # fmt: skip
        seen.add(key)


@dataclass
class _Section:
    """One `[[replication]]` while it is read."""

    file: TomlFile
    value: Mapping[str, Any]
    number: int
    first_table: int
    """How many `[[replication.table]]` come before its own."""
    problems: list[Diagnostic] = field(default_factory=list)

    def read(self, base: Endpoint) -> Iterator[Replication]:
        """The replication, unless something is wrong."""
        value = self.value
        self.check(value, KEYS, SECTION, self.number)
        for key in ("name", "from", "to"):
            if not value.get(key):
                self.wrong(f"a replication needs “{key}”", None)
        for key, choices in CHOICES.items():
            if value.get(key) is not None and value[key] not in choices:
                self.wrong(f"{key} is {value[key]!r}", key, f"one of: {', '.join(choices)}")
        tables = tuple(self.tables())
        if not tables and not self.problems:
            self.wrong("no table is named", None, 'write tables = ["…"] or [[replication.table]]')
        names = [table.qualified for table in tables]
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            self.wrong(
                f"{twice[0]} is named twice", None, "name each table once, with all that is said of it"
            )
        keys = self.keys()
        self.reach(value.get("server"), "server", NOT_A_PASSWORD)
        if self.problems:
            return
        source, target = self.endpoint("from", base), self.endpoint("to", base)
        if not self.problems and (source.database, source.parameters) == (target.database, target.parameters):
            self.wrong(f"{source} cannot be replicated to itself", "to")
        if self.problems:
            return
        yield Replication(
            name=value["name"],
            source=source,
            target=target,
            tables=tables,
            direction=cast(Direction, value.get("direction", "one-way")),
            copy=cast(CopyPolicy, value.get("copy", "data")),
            server_conninfo={key: str(text) for key, text in value.get("server", {}).items()},
            read_only=value.get("read_only", False),
            keys=keys,
            role=value.get("role"),
            channel=value.get("channel"),
            names={name: value[name] for name in NAMES if name in value},
        )

    def wrong(self, message: str, key: str | None, hint: str | None = None) -> None:
        self.problems.append(self.file.problem(message, SECTION, key, hint, self.number))

    def check(self, value: Any, known: Mapping[str, tuple[type, ...]], section: str, number: int) -> None:
        """Keys that mean nothing, and values of the wrong type."""
        for key, given in value.items():
            if key not in known:
                self.problems.append(self.file.unknown(section, key, known, number))
            elif not isinstance(given, known[key]):
                words = " or ".join(WORDS[kind] for kind in known[key])
                self.problems.append(self.file.problem(f"{key} must be {words}", section, key, number=number))

    def endpoint(self, key: str, base: Endpoint) -> Endpoint:
        value = self.value[key]
        if isinstance(value, str):
            return base.at(value)
        given = dict(value)
        database = given.pop("database", None)
        if not isinstance(database, str) or not database:
            self.wrong(f"“{key}” names no database", key, f'write {key} = {{ database = "…", host = "…" }}')
            return base
        self.reach({k: v for k, v in given.items() if k != "password_command"}, key, NOT_OURS)
        return base.at(database, {name: str(text) for name, text in given.items()})

    def reach(self, given: Mapping[str, Any] | None, key: str, instead: str) -> None:
        """Only libpq's keywords, and no password among them: the file is read by many."""
        for name in given or ():
            if name == "password":
                self.wrong(f"{self.file.path.name} must not hold a password", None, instead)
            elif name not in REACH:
                self.wrong(f"unknown key {name} in {key}", key, f"there is: {', '.join(sorted(REACH))}")

    def keys(self) -> Keys | None:
        value, both = self.value.get("keys"), self.value.get("direction") == "both"
        if not both:
            if value is not None:
                self.wrong("keys are for two directions", "keys", 'add direction = "both"')
            return None
        if value in (None, "strides"):
            return Strides()
        if isinstance(value, dict) and set(value) == {"source", "target"}:
            sides = [value["source"], value["target"]]
            if all(_is_range(side) for side in sides):
                (low, high), (other_low, other_high) = sides
                if high < other_low or other_high < low:
                    return Ranges((low, high), (other_low, other_high))
                self.wrong("the ranges of keys meet", "keys", "give each side keys that the other never uses")
                return None
        self.wrong(
            "keys are no ranges", "keys", 'write "strides" or { source = [1, 999], target = [1000, 1999] }'
        )
        return None

    def tables(self) -> Iterator[ReplicatedTable]:
        given = self.value.get("tables", [])
        for text in given if isinstance(given, list) else ():
            if (names := _names(text) if isinstance(text, str) else None) is None:
                self.wrong(f"{text!r} is not the name of a table", "tables", "write table or schema.table")
            else:
                yield ReplicatedTable(*names)
        detailed = self.value.get("table", [])
        for index, value in enumerate(detailed if isinstance(detailed, list) else ()):
            yield from self.table(value, self.first_table + index)

    def table(self, value: Any, number: int) -> Iterator[ReplicatedTable]:
        before = len(self.problems)

        def wrong(message: str, key: str | None, hint: str | None = None) -> None:
            self.problems.append(self.file.problem(message, TABLE, key, hint, number))

        if not isinstance(value, dict):
            return wrong("a table is not a section", None, "write [[replication.table]]")
        self.check(value, TABLE_KEYS, TABLE, number)
        name = value.get("name")
        names = _names(name) if isinstance(name, str) else None
        if names is None:
            return wrong(f"{name!r} is not the name of a table", "name", "write table or schema.table")
        columns = value.get("columns")
        if columns is not None and (not columns or not all(isinstance(c, str) for c in columns)):
            wrong("columns is not a list of names", "columns", "leave it out to replicate all columns")
        modes: dict[str, TriggerMode] = {}
        for trigger, word in (value.get("triggers") or {}).items():
            if word in INTENTS:
                modes[trigger] = INTENTS[word]
            else:
                hint = f"one of: {', '.join(INTENTS)}"
                wrong(f"the mode of trigger {trigger} is {word!r}", "triggers", hint)
        if len(self.problems) == before:
            yield ReplicatedTable(
                *names, tuple(columns) if columns else None, value.get("where"), modes, value.get("sentinel")
            )
        return None


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(number, int) for number in value)
        and 0 < value[0] < value[1]
    )
