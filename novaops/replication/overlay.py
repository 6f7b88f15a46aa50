"""What `[[replication]]` says of one database, as an overlay on its schema: plan, apply and replicate agree by it.

The database may be the target of some replications, the source of others, and both where the direction is both.
Publications and subscriptions are made and altered by `replicate` alone, in the order that keeps rows from
being lost, so a plan leaves them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from novaops.catalog.address import Address
from novaops.desired.overlay import Counting, Overlay, Refusing, TriggerMode
from novaops.replication.declaration import Endpoint, Ranges, ReplicatedTable, Replication, Strides
from novaops.replication.set_up.read_only import GUARD

LOCAL = frozenset(["localhost", "127.0.0.1", "::1"])


def overlay(declared: Iterable[Replication], database: Endpoint) -> Overlay | None:
    """The overlay of a database; None where nothing is declared of it."""
    modes: dict[tuple[str, str, str], TriggerMode] = {}
    counting: list[Counting] = []
    own: set[tuple[str, str]] = set()
    refusing: list[Refusing] = []
    given: set[tuple[Address, str, str]] = set()
    for replication, receives in sides(declared, database):
        own.add(
            ("subscription", replication.subscription)
            if receives
            else ("publication", replication.publication)
        )
        if replication.role is not None and not receives:
            given |= {grant for table in replication.tables for grant in _given(table, replication.role)}
        for table in replication.tables if receives else ():
            for trigger, mode in table.trigger_modes.items():
                key = (table.schema, table.name, trigger)
                modes[key] = TriggerMode(*key, mode)
            if replication.keys is not None:
                counting.append(_counting(replication, table.schema, table.name))
            if replication.read_only:
                own.add(("trigger", GUARD))
                refusing.append(Refusing(table.schema, table.name))
    if not (modes or counting or own):
        return None
    return Overlay(
        modes=tuple(modes.values()),
        counting=tuple(counting),
        own=frozenset(own),
        refusing=tuple(refusing),
        given=frozenset(given),
    )


def _given(table: ReplicatedTable, role: str) -> Iterator[tuple[Address, str, str]]:
    """What `set_up.role.make` grants on the source."""
    yield Address("schema", (table.schema,)), role, "USAGE"
    yield Address("table", (table.schema, table.name)), role, "SELECT"
    for column in table.columns or ():
        yield Address("table column", (table.schema, table.name, column)), role, "SELECT"


def same_place(one: Endpoint, other: Endpoint) -> bool:
    """Whether two endpoints name one database, as far as names tell without connecting."""
    return one.database == other.database and _place(one.parameters) == _place(other.parameters)


def _place(parameters: Mapping[str, str]) -> tuple[str | None, ...]:
    if "service" in parameters:
        return (parameters["service"], parameters.get("host"), parameters.get("port"))
    host = parameters.get("hostaddr") or parameters.get("host")
    return (None, "localhost" if host in LOCAL else host, parameters.get("port", "5432"))


def sides(declared: Iterable[Replication], database: Endpoint) -> Iterator[tuple[Replication, bool]]:
    """The replications that the database takes part in, and whether it receives rows from each."""
    for replication in declared:
        both = (replication, replication.reversed()) if replication.direction == "both" else (replication,)
        for each in both:
            if same_place(each.target, database):
                yield each, True
            if same_place(each.source, database):
                yield each, False


def _counting(replication: Replication, schema: str, table: str) -> Counting:
    match replication.keys:
        case Strides(step=step):
            return Counting(schema, table, increment=step)
        case Ranges(target=target):
            return Counting(schema, table, limits=target)
        case None:
            raise AssertionError("one-way")
