"""What is declared to be replicated, from where to where, and how the triggers there behave."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from novaops.config import ConnectionSettings, Setting, run_password_command
from novaops.db.identifiers import quote_ident
from novaops.desired.overlay import Mode

TriggerMode = Mode
Direction = Literal["one-way", "both"]
CopyPolicy = Literal["data", "none"]

# What people mean, and what PostgreSQL calls it (documentation, ALTER TABLE, "ENABLE REPLICA/ALWAYS TRIGGER").
INTENTS: Mapping[str, TriggerMode] = {
    "always": "always",
    "origin": "origin",
    "replica": "replica",
    "disabled": "disabled",
    "replicated-too": "always",
    "local-only": "origin",
    "replicated-only": "replica",
    "never": "disabled",
}
LONGEST_NAME = 63
"""Bytes of an identifier that PostgreSQL keeps (`NAMEDATALEN` - 1)."""
SUFFIX = "_memory"
"""Left out of names that are made of a database's: agent_chat_from_nova."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A database, and how novaops reaches it.

    `parameters` are libpq's keywords without `dbname` and password. The password, where there is one,
    comes from where the configured connection has it, and belongs to the same server and role.
    """

    database: str
    parameters: Mapping[str, str]
    password: str | None = field(default=None, repr=False)
    password_command: Setting[str] | None = None

    @classmethod
    def configured(cls, settings: ConnectionSettings) -> Endpoint:
        """The database that commands work on."""
        known = {name: setting.value for name, setting in settings.parameters.items() if name != "dbname"}
        password = settings.password.value if settings.password else None
        return cls(settings["dbname"] or "", known, password, settings.password_command)

    @classmethod
    def of(cls, conninfo: Mapping[str, str]) -> Endpoint:
        """The database that libpq's keywords lead to."""
        known = {name: value for name, value in conninfo.items() if name not in ("dbname", "password")}
        return cls(conninfo.get("dbname", ""), known, conninfo.get("password"))

    def at(self, database: str, parameters: Mapping[str, str] | None = None) -> Endpoint:
        """Another database, on the same server or on the one that `parameters` name.

        A password goes along only to the same host and port, for the same role.
        """
        given = dict(parameters or {})
        command = given.pop("password_command", None)
        known = given if "service" in given else {**self.parameters, **given}
        kept = all(known.get(name) == self.parameters.get(name) for name in PLACE)
        return Endpoint(
            database,
            known,
            self.password if kept else None,
            Setting(command, "novaops.toml") if command else self.password_command if kept else None,
        )

    def conninfo(self) -> dict[str, str]:
        """The keywords for `novaops.db.connection.connect`; runs `password_command` if there is one."""
        known = {**self.parameters, **({"dbname": self.database} if self.database else {})}
        if self.password is not None:
            known["password"] = self.password
        elif self.password_command is not None:
            known["password"] = run_password_command(self.password_command)
        return known

    def __str__(self) -> str:
        place = self.parameters.get("service") or ":".join(
            self.parameters[name] for name in ("host", "port") if name in self.parameters
        )
        return f"{self.database} on {place}" if place else self.database


PLACE = ("service", "host", "hostaddr", "port", "user")


@dataclass(frozen=True, slots=True)
class ReplicatedTable:
    """A table, what of it is replicated, and the modes its triggers have on the target."""

    schema: str
    name: str
    columns: tuple[str, ...] | None = None
    """None: all of them, also those to come."""
    row_filter: str | None = None
    """An SQL expression, as in CREATE PUBLICATION … WHERE."""
    trigger_modes: Mapping[str, TriggerMode] = field(default_factory=dict)
    """By the trigger's name. Triggers that are not named keep the mode they have."""
    sentinel: str | None = None
    """SQL that writes one row of the source's table, for the proof that rows arrive."""

    @property
    def qualified(self) -> str:
        """The name for SQL, quoted where it has to be."""
        return f"{quote_ident(self.schema)}.{quote_ident(self.name)}"

    def __str__(self) -> str:
        return self.qualified.removeprefix("public.")


@dataclass(frozen=True, slots=True)
class Strides:
    """Keys that cannot meet, since each side counts in steps of two: `odd` numbers on one, even ones on the other."""

    step: int = 2
    odd: Literal["source", "target"] = "source"


@dataclass(frozen=True, slots=True)
class Ranges:
    """Keys that cannot meet, since each side has its own range; first and last value."""

    source: tuple[int, int]
    target: tuple[int, int]


Keys = Strides | Ranges


@dataclass(frozen=True, slots=True)
class Replication:
    """Tables of one database that another one has as well, live."""

    name: str
    source: Endpoint
    target: Endpoint
    tables: tuple[ReplicatedTable, ...]
    direction: Direction = "one-way"
    copy: CopyPolicy = "data"
    """Whether the subscription begins with the rows that are there ("data")."""
    server_conninfo: Mapping[str, str] = field(default_factory=dict)
    """How the *target server* reaches the source, where that differs from how novaops does: libpq's
    keywords, among them `passfile` or `service`; never a password."""
    read_only: bool = False
    """Whether nothing but replication may change the tables of the target."""
    keys: Keys | None = None
    """How the keys of both sides keep apart; None exactly when the direction is one-way."""
    role: str | None = None
    """A role for the subscription's connection alone, which is made with the least privilege."""
    channel: str | None = None
    """Where listeners on the target hear of new rows (NOTIFY)."""
    names: Mapping[str, str] = field(default_factory=dict)
    """`publication`, `slot`, `subscription`, where they are not to be the default ones."""
    names_back: Mapping[str, str] = field(default_factory=dict)
    """Those of the other direction."""
    reverse: bool = False
    """Whether it is the way back of one that is declared in two directions."""
    in_file: bool = True
    """Whether a file declares it, and not the flags of a command."""

    @property
    def publication(self) -> str:
        """On the source: `agent_chat_pub`."""
        return self.names.get("publication") or _short(f"{self.name}_pub")

    @property
    def subscription(self) -> str:
        """On the target: `agent_chat_from_nova`."""
        return self.names.get("subscription") or _short(f"{self.name}_from_{stem(self.source.database)}")

    @property
    def slot(self) -> str:
        """On the source's server, where its name is unique among all databases: `agent_chat_from_nova_to_graybeard`."""
        given = self.names.get("slot")
        return given or slot_name(
            f"{self.name}_from_{stem(self.source.database)}_to_{stem(self.target.database)}"
        )

    def reversed(self) -> Replication:
        """The other direction, of the same name. Publications and subscriptions are each database's own.

        The modes of triggers hold on both sides, since each receives rows.
        """
        match self.keys:
            case Ranges(source, target):
                keys: Keys | None = Ranges(target, source)
            case Strides(step, odd):
                keys = Strides(step, "target" if odd == "source" else "source")
            case None:
                keys = None
        # Where a server is was said of one direction's source; how to log in is taken to be the same for both.
        server = {
            k: v for k, v in self.server_conninfo.items() if k not in ("host", "hostaddr", "port", "service")
        }
        return replace(
            self, source=self.target, target=self.source, keys=keys, server_conninfo=server, names=self.names_back,
            names_back=self.names, read_only=False, reverse=not self.reverse,
        )  # fmt: skip

    @property
    def options(self) -> tuple[str, ...]:
        """Return the options by which a command of novaops means this one."""
        ours = self.reversed() if self.reverse else self
        if ours.in_file:
            return ("--to", ours.target.database)
        tables = (word for table in ours.tables for word in ("--table", str(table)))
        return ("--from", ours.source.database, "--to", ours.target.database, *tables)

    def __str__(self) -> str:
        arrow = "↔" if self.direction == "both" else "→"
        return f"{self.name}   {self.source.database} {arrow} {self.target.database}"


def stem(database: str) -> str:
    """A database's name within other names: `nova` for `nova_memory`."""
    return database.removesuffix(SUFFIX) or database


def slot_name(text: str) -> str:
    """A name with the letters that slots may have: `[a-z0-9_]{1,63}` (documentation, "Replication Slots")."""
    return _short(re.sub(r"[^a-z0-9_]", "_", text.lower()), text)


def _short(name: str, meant: str | None = None) -> str:
    """The name, within PostgreSQL's length; one that had to be changed ends in a digest of what was meant."""
    if name == (meant or name) and len(name.encode()) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256((meant or name).encode()).hexdigest()[:8]
    room = LONGEST_NAME - 1 - len(digest)
    return f"{name.encode()[:room].decode(errors='ignore')}_{digest}"
