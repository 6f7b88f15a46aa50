"""Rows in the way of a table that is to be a partition, and those that go with one; not a kind itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from novaops.catalog.object import Object
from novaops.db.identifiers import quote_ident
from novaops.kinds.evaluation import Evaluation
from novaops.kinds.inheritance import origin
from novaops.kinds.kind import Risk, Scene
from novaops.kinds.obstacles import refusal
from novaops.kinds.work import Work, scan


def misplaced(table: Object, scene: Scene) -> list[Risk]:
    """For a table that is to be a partition, for the first time or with another bound."""
    if table["_partition_constraint"] is None or _stays(table, scene):
        return []
    constraint = table["_partition_constraint"]
    risks = []
    # A table that is rebuilt takes its rows along.
    keeps_rows = not scene.creates(table.address) or table.address in scene.moved
    if table.address in scene.live and keeps_rows:
        source, evaluation = f"FROM {table.identity} WHERE NOT ({constraint})", _bound(table, constraint)
        says = "would be outside of its bound"
        risks.append(refusal("check", table.identity, says, source, evaluation=evaluation))
    for default in _default_partitions(table, scene):
        source, evaluation = f"FROM {default.identity} WHERE {constraint}", _bound(default, constraint)
        says = f"in {default.identity} would belong there"
        risks.append(refusal("check", table.identity, says, source, evaluation=evaluation))
    return risks


def read_to_attach(table: Object, scene: Scene) -> tuple[Work, ...]:
    """For ATTACH PARTITION: the rows of the table, and of the partition that took what now belongs there."""
    if scene.replaced and any(parent.address in scene.moved for parent in _parents(table, scene)):
        return ()
    there = table.address in scene.live and not scene.creates(table.address)
    defaults = (scan(default.identity) for default in _default_partitions(table, scene))
    return (*([scan(table.identity)] if there else []), *defaults)


def homeless(table: Object, scene: Scene) -> list[Risk]:
    """For a partitioned table that is made anew and takes over rows."""
    leaves = list(_leaves(table, scene))
    constraints = [leaf.facts.get("partition_constraint") for leaf in leaves]
    if not table["partition_key"] or table.address not in scene.moved or None in constraints:
        return []
    places = " OR ".join(f"({constraint})" for constraint in constraints) or "false"
    only = "" if scene.live[table.address]["_partitioned"] else "ONLY "
    source = f"FROM {only}{table.identity} WHERE NOT ({places})"
    evaluation = replace(_bound(table, places), rows=f"{only}{table.identity}")
    return [refusal("check", table.identity, "would belong to no partition", source, evaluation=evaluation)]


def referred_to(table: Object, scene: Scene) -> list[Risk]:
    """For a partition that its parent loses: DETACH PARTITION refuses rows that a key to the parent refers to."""
    old = scene.live.objects.get(table.address)
    if old is None or not old["partition_of"] or scene.creates(table.address):
        return []
    if old["partition_of"] == table["partition_of"]:
        return []
    return [
        refusal(
            "foreign-key", key.identity, f"of {table.identity} are referred to", _referred_rows(table, key)
        )
        for parent in (scene.live[e.referenced] for e in scene.live.dependencies.get(table.address, ()))
        for key in _keys_to(parent, scene)
        if parent.identity == old["partition_of"]
    ]


def _bound(table: Object, constraint: str) -> Evaluation:
    """For expressions of a partition key, which are evaluated for the rows that are looked at."""
    return Evaluation(table.identity, quote_ident(table.name), (f"({constraint})",), table=table.identity)


def _keys_to(table: Object, scene: Scene) -> Iterator[Object]:
    """Foreign keys that refer to the table, and stay."""
    inside = [table.address, *(c.address for c in scene.live.children.get(table.address, ()))]
    users = {edge.dependent for address in inside for edge in scene.live.dependents.get(address, ())}
    for key in (scene.live[address] for address in sorted(users)):
        refers = key.attributes.get("type") == "f" and key["_referenced"] == table.identity
        if refers and not origin(key) and key.address in scene.desired and not scene.creates(key.address):
            yield key


def _referred_rows(table: Object, key: Object) -> str:
    pairs = zip(key["_key"], key["_referenced_key"], strict=True)
    same = " AND ".join(f"r.{a} = p.{b}" for a, b in pairs)
    return f"FROM {table.identity} AS p WHERE EXISTS (SELECT FROM {key['_relation']} AS r WHERE {same})"


def leaving(old: Object, new: Object) -> list[Risk]:
    """For a table that a parent loses: who reads that no longer finds its rows there."""
    lost = {old["partition_of"], *old["parents"]} - {new["partition_of"], *new["parents"], None}
    source = f"FROM {old.identity}"
    if old.kind == "foreign table":
        # Its rows are on another server, which is not asked.
        return [
            Risk("behaviour", old.identity, "rows", says=f"would leave {parent}") for parent in sorted(lost)
        ]
    return [
        Risk(
            "behaviour",
            old.identity,
            "rows",
            exists=f"SELECT EXISTS (SELECT {source})",
            count=f"SELECT count(*), count(*) {source}",
            lock=old.identity,
            says=f"would leave {parent}",
            query=f"SELECT * {source}",
        )
        for parent in sorted(lost)
    ]


def _stays(table: Object, scene: Scene) -> bool:
    """Whether it is that partition of that table already."""
    old = scene.live.objects.get(table.address)
    if old is None or scene.creates(table.address):
        return False
    same = all(old[name] == table[name] for name in ("partition_of", "partition_bound"))
    return same and not any(scene.creates(parent.address) for parent in _parents(table, scene))


def _default_partitions(table: Object, scene: Scene) -> Iterator[Object]:
    """What holds the rows that no other partition of its parent takes, if it is to stay that."""
    for parent in _parents(table, scene):
        if parent.address not in scene.live or scene.creates(parent.address):
            continue
        for edge in scene.live.dependents.get(parent.address, ()):
            old, new = (side.objects.get(edge.dependent) for side in (scene.live, scene.desired))
            if old is None or new is None or scene.drops(old.address) or old.address == table.address:
                continue
            states = [(o["partition_of"], o["partition_bound"]) for o in (old, new) if o.kind == table.kind]
            if states == [(parent.identity, "DEFAULT")] * 2:
                yield old


def _leaves(table: Object, scene: Scene) -> Iterator[Object]:
    for edge in scene.desired.dependents.get(table.address, ()):
        partition = scene.desired[edge.dependent]
        if partition.attributes.get("partition_of") == table.identity:
            parted = partition.attributes.get("partition_key")
            yield from _leaves(partition, scene) if parted else [partition]


def _parents(table: Object, scene: Scene) -> list[Object]:
    edges = scene.desired.dependencies.get(table.address, ())
    referenced = (scene.desired[edge.referenced] for edge in edges)
    return [o for o in referenced if o.kind == table.kind and o.identity == table["partition_of"]]
