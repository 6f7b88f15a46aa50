"""Schemas of a table with two levels below it, in every way to write such a table, for test_levels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

ALL, ROOT, BELOW, LEAF = "pmc", "p", "mc", "c"
LAYOUTS = ("partition of", "attached", "inherits", "declared again")
PARENTS = {"m": "p", "c": "m", "d": "m"}
BOUNDS = {
    "m": "FOR VALUES IN (1)",
    "c": "FOR VALUES FROM (0) TO (100)",
    "d": "FOR VALUES FROM (100) TO (200)",
}
PARTITION_KEYS = {"p": "LIST (k)", "m": "RANGE (id)"}
BASE = {"id": "int", "k": "int", "a": "int", "t": "text"}


@dataclass(frozen=True, slots=True)
class Property:
    """What a column has in the tables that `tables` names, by their letters; its type is that of all tables."""

    column: str = "a"
    tables: str = ALL
    type: str = ""
    default: str = ""
    not_null: str | None = None
    """"": by the name that PostgreSQL makes up; else a name, in which {} stands for the table."""
    generated: str = ""
    check: str = ""
    storage: bool = False
    no_inherit: bool = False


PROPERTIES: Mapping[str, Property] = {
    "default": Property(default="1"),
    "default above": Property(tables=ROOT, default="2"),
    "default below": Property(tables=BELOW, default="3"),
    "default of the leaf": Property(tables=LEAF, default="4"),
    "not null": Property(not_null=""),
    "not null below": Property(tables=BELOW, not_null=""),
    "not null of the leaf": Property(tables=LEAF, not_null=""),
    "named not null": Property(not_null="{}_given"),
    "one name": Property(not_null="given"),
    "not null of the parent alone": Property(tables=ROOT, not_null="alone", no_inherit=True),
    "check": Property(check="a > 0"),
    "check below": Property(tables=BELOW, check="a < 1000"),
    "key": Property("id"),
    "type": Property(type="bigint"),
    "collation": Property("t", type='text COLLATE "C"'),
    "storage": Property("t", storage=True),
    "storage of the leaf": Property("t", tables=LEAF, storage=True),
    "one table more": Property("d"),
    "new column": Property("n", type="int"),
    "new default": Property("n", type="int", default="5"),
    "new default above": Property("n", ROOT, type="int", default="6"),
    "new default below": Property("n", BELOW, type="int", default="6"),
    "new not null": Property("n", type="int", default="7", not_null=""),
    "new not null below": Property("n", BELOW, type="int", default="7", not_null=""),
    "new named not null": Property("n", type="int", default="8", not_null="{}_new"),
    "new one name": Property("n", type="int", default="8", not_null="new"),
    "new generated": Property("n", type="int", generated="k + 1"),
    "new generated not null": Property("n", type="int", generated="k + 2", not_null=""),
    "new generated otherwise": Property("n", type="int", generated="k + 3", not_null="", check="n > 0"),
    "new check": Property("n", type="int", default="9", check="n > 0"),
    "new collation": Property("n", type='text COLLATE "C"', default="'x'"),
}

State = frozenset[str] | None
"""The names of properties; None: no tables at all."""


@dataclass(frozen=True, slots=True)
class Case:
    """From one state to another and back, with rows in each or without."""

    layout: str
    one: State
    other: State
    rows: bool
    names: str

    def __str__(self) -> str:
        states = (
            ", ".join(sorted(s)) if s else "nothing" if s is None else "plain" for s in (self.one, self.other)
        )
        return f"{self.layout}: {' - '.join(states)}{', rows' if self.rows else ''}"


def cases() -> Iterator[Case]:
    """Each property alone and in pairs, in each layout; by their names, tables come from above or from below."""
    number = 0
    for layout in LAYOUTS:
        for one, other in transitions():
            properties = [PROPERTIES[name] for name in (one or frozenset()) | (other or frozenset())]
            if layout in LAYOUTS[:2] and any(p.no_inherit for p in properties):
                continue
            if layout in ("attached", "declared again") and renamed(one, other):
                continue
            for rows in (False, True):
                yield Case(layout, one, other, rows, ("pmcd", "abcd")[number % 2])
            number += 1


def transitions() -> Iterator[tuple[State, State]]:
    plain = frozenset[str]()
    for name in PROPERTIES:
        for state in (None, plain):
            yield state, frozenset({name})
    for one, other in combinations(PROPERTIES, 2):
        yield frozenset({one}), frozenset({other})
        if compatible(PROPERTIES[one], PROPERTIES[other]):
            yield plain, frozenset({one, other})


def renamed(one: State, other: State) -> bool:
    """Whether a NOT NULL of the parent has another name while those below have names of their own (docs/limits.md)."""
    before, after = (
        {
            p.column: p.not_null
            for p in map(PROPERTIES.__getitem__, state or ())
            if ROOT in p.tables and p.not_null is not None
        }
        for state in (one, other)
    )
    return any(before[column] != after[column] for column in before.keys() & after.keys())


def compatible(one: Property, other: Property) -> bool:
    """Whether a column can have both."""
    if one.column != other.column:
        return True
    told = ("type", "default", "generated", "storage", "check")
    return not any(
        getattr(one, name) not in ("", None, False) and getattr(other, name) not in ("", None, False)
        for name in told
    ) and (one.not_null is None or other.not_null is None)


def tables(state: frozenset[str]) -> str:
    return "pmcd" if "one table more" in state else "pmc"


def schema(case: Case, state: State, version: int) -> str:
    """The statements that make the tables."""
    return (
        "SELECT"
        if state is None
        else "\n".join(_Writer(case.layout, state, version, case.names).statements())
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    layout: str
    state: frozenset[str]
    version: int
    names: str

    def name(self, table: str) -> str:
        return self.names["pmcd".index(table)]

    def statements(self) -> Iterator[str]:
        for table in tables(self.state):
            parent = PARENTS.get(table)
            partitioned = self.layout in LAYOUTS[:2]
            key = f" PARTITION BY {PARTITION_KEYS[table]}" if partitioned and table in PARTITION_KEYS else ""
            whole = parent is None or self.layout in ("attached", "declared again")
            body = self.whole(table) if whole else self.own(table)
            if partitioned and parent and self.layout == "partition of":
                inside = f" ({', '.join(body)})" if body else ""
                yield f"CREATE TABLE {self.name(table)} PARTITION OF {self.name(parent)}{inside} {BOUNDS[table]}{key};"
            elif partitioned or parent is None:
                yield f"CREATE TABLE {self.name(table)} ({', '.join(body)}){key};"
            else:
                yield f"CREATE TABLE {self.name(table)} ({', '.join(body)}) INHERITS ({self.name(parent)});"
                if not whole:
                    yield from self.altered(table)
        if self.layout == "attached":
            for table in reversed(tables(self.state)[1:]):
                yield f"ALTER TABLE ONLY {self.name(PARENTS[table])} ATTACH PARTITION {self.name(table)} {BOUNDS[table]};"
        for column in self.columns():
            for table in tables(self.state):
                if any(p.storage for p in self.of(column, table)):
                    yield f"ALTER TABLE ONLY {self.name(table)} ALTER COLUMN {column} SET STORAGE EXTERNAL;"

    def columns(self) -> dict[str, str]:
        """Their types."""
        given = {p.column: p.type for p in map(PROPERTIES.__getitem__, sorted(self.state)) if p.type}
        return BASE | given

    def of(self, column: str, table: str | None) -> list[Property]:
        """The properties of the column in the table; what the leaf has, one table more has too."""
        letter = "c" if table == "d" else table
        named = [PROPERTIES[name] for name in sorted(self.state)]
        return [p for p in named if p.column == column and letter and letter in p.tables]

    def default(self, column: str, table: str | None) -> str:
        return next((p.default for p in self.of(column, table) if p.default), "")

    def not_null(self, column: str, table: str | None) -> str | None:
        found = next((p for p in self.of(column, table) if p.not_null is not None), None)
        if found is None or table is None:
            return None
        name = f"CONSTRAINT {found.not_null.format(self.name(table))} " if found.not_null else ""
        return f"{name}NOT NULL{' NO INHERIT' if found.no_inherit and self.version >= 180000 else ''}"

    def whole(self, table: str) -> list[str]:
        parts = []
        for column, type_ in self.columns().items():
            words = [column, type_]
            generated = next((p.generated for p in self.of(column, table) if p.generated), "")
            heir = self.layout == "declared again" and table != "p"
            if generated and not (heir and self.version < 160000):
                words.append(f"GENERATED ALWAYS AS ({generated}) STORED")
            default, above = (self.default(column, t) for t in (table, PARENTS.get(table)))
            if default or (above and heir):
                words.append(f"DEFAULT {default or 'NULL'}")
            words.append(self.not_null(column, table) or "")
            parts.append(" ".join(words).strip())
        return [*parts, *self.constraints(table, None)]

    def constraints(self, table: str, above: str | None) -> list[str]:
        """Checks that the table above does not have, and the key."""
        parts = []
        for column in self.columns():
            inherited = self.of(column, above)
            parts += [
                f"CONSTRAINT {column}_ok CHECK ({p.check})"
                for p in self.of(column, table)
                if p.check and p not in inherited
            ]
        if "key" in self.state and (above is None or self.layout != "partition of"):
            parts.append("PRIMARY KEY (id, k)")
        return parts

    def own(self, table: str) -> list[str]:
        """What the table has besides what it inherits."""
        parts = self.constraints(table, PARENTS[table])
        if self.layout == "partition of":
            for column in self.columns():
                words = [column]
                default, above = (self.default(column, t) for t in (table, PARENTS[table]))
                if default != above:
                    words.append(f"DEFAULT {default or 'NULL'}")
                if (not_null := self.not_null(column, table)) and not self.not_null(column, PARENTS[table]):
                    words.append(not_null)
                parts += [" ".join(words)] if words[1:] else []
        return parts

    def altered(self, table: str) -> Iterator[str]:
        for column in self.columns():
            default, above = (self.default(column, t) for t in (table, PARENTS[table]))
            if default != above:
                clause = f"SET DEFAULT {default}" if default else "DROP DEFAULT"
                yield f"ALTER TABLE {self.name(table)} ALTER COLUMN {column} {clause};"
            if (not_null := self.not_null(column, table)) and not self.not_null(column, PARENTS[table]):
                named = not_null.startswith("CONSTRAINT") and self.version >= 180000
                clause = f"ADD {not_null} {column}" if named else f"ALTER COLUMN {column} SET NOT NULL"
                yield f"ALTER TABLE {self.name(table)} {clause};"


def rows(case: Case, state: State) -> str:
    """Two rows in the leaf, or in each table that may have some of its own."""
    if state is None:
        return "SELECT"
    plain = any(PROPERTIES[name].column == "n" and not PROPERTIES[name].generated for name in state)
    columns, value = ("id, k, a, t, n", ", '1'") if plain else ("id, k, a, t", "")
    filled = case.names[:1] if case.layout in LAYOUTS[:2] else case.names[:3]
    return "".join(
        f"INSERT INTO {table} ({columns}) VALUES ({2 * i + 1}, 1, 1, 'x'{value}), ({2 * i + 2}, 1, 2, 'y'{value});"
        for i, table in enumerate(filled)
    )


def known(case: Case, old: State, new: State) -> set[str]:
    """The hazards of a step that is really one: values of the column go, or it would have NULL in rows."""
    if old is None or new is None:
        return {"data-loss"} if case.rows and new is None else set()
    if not case.rows:
        return set()
    before, after = (
        [PROPERTIES[name] for name in state if PROPERTIES[name].column == "n"] for state in (old, new)
    )
    stored = any(not p.generated for p in before)
    computed = any(p.generated for p in after)
    # Where there are two levels below, PostgreSQL drops no expression.
    goes = stored if not after or computed else not stored
    lost = {"data-loss"} if before and goes else set()
    empty = case.layout != "declared again" and any(
        p.not_null is not None and p.tables == BELOW for p in after
    )
    return lost | ({"not-null"} if empty and (not before or not stored) else set())
