"""Writes the statements of an ordered plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.privileges import GRANTS, OWNER, Grant, Privilege
from novaops.db.identifiers import do_block, quote_ident, quote_literal
from novaops.kinds.grants import grants, passed_on, revokes, taken_back
from novaops.kinds.kind import Part, Phase, Scene, Step
from novaops.planning import privileges
from novaops.planning.changes import Alter, Change, Create, Drop, Replace
from novaops.planning.diff import Comparison
from novaops.planning.faithful import faithful
from novaops.planning.missing import absences
from novaops.planning.nodes import Act, Node, heirs, kind_of, steps_in
from novaops.planning.order import Group
from novaops.planning.plan import Missing

PASSING = "novaops_passing"
"""The role that objects which need each other are dropped with, made and dropped in the same statement."""
OPERATIONS = {Create: "create", Drop: "drop", Alter: "alter", Replace: "replace"}


@dataclass(frozen=True, slots=True)
class Written:
    """A step, and the change that it is part of."""

    step: Step
    object: Object
    operation: str
    locks: int = 1
    """How many locks it takes, about; there may be fewer."""
    drops: tuple[Missing, ...] = ()
    restores: tuple[str, ...] = ()


def write(
    group: Group, changes: Mapping[Address, Change], scene: Scene, comparison: Comparison
) -> list[Written]:
    """Statements of the group in their order."""
    return list(_Writer(changes, scene, comparison).group(group))


@dataclass(frozen=True, slots=True)
class _Writer:
    changes: Mapping[Address, Change]
    scene: Scene
    comparison: Comparison

    def group(self, group: Group) -> Iterator[Written]:
        for node in group.succeeded:
            yield from self.group(Group(node, ()))
        change = self.changes[group.head.address]
        match change:
            case Create(new) | Replace(new=new) | Alter(new=new):
                shown = new
            case Drop(old):
                shown = old
        operation = OPERATIONS[type(change)]
        locks = self._locks(group, shown)
        steps = list(self._steps(group, change))
        drops, restores = absences(group, steps, self.changes, self.scene)
        for number, step in enumerate(steps, 1):
            yield Written(
                replace(step, sql=faithful(step.sql)),
                shown,
                operation,
                locks,
                drops if number == 1 else (),
                restores if number == len(steps) else (),
            )
            locks = 1  # what follows is about the same object

    def _locks(self, group: Group, head: Object) -> int:
        """Those on what it makes, changes or drops, and on all heirs of the table that it is about."""
        snapshot = self.scene.live if head.address in self.scene.live else self.scene.desired
        *_, root = head, *snapshot.ancestors(head)
        # Dropped and made, an object counts once; heirs are dropped by groups or members of their own.
        own = {node.address for node in (group.head, *group.members)}
        found = [kind_of(self._either(address)) for address in own]
        inherit = 0 if group.head.act is Act.DROP else sum(1 for _ in heirs(root.address, snapshot))
        return sum(kind.locks for kind in found) + inherit

    def _either(self, address: Address) -> Object:
        return self.scene.live.objects.get(address) or self.scene.desired[address]

    def _steps(self, group: Group, change: Change) -> Iterator[Step]:
        match group.head.act, change:
            case Act.DROP, Drop(old) | Replace(old) if group.circle:
                yield _dropped_at_once([old, *(self.scene.live[n.address] for n in group.circle)])
            case Act.DROP, Drop(old) | Replace(old):
                yield from self._drop(old, isinstance(change, Replace) and change.swap)
            case Act.ASIDE, Replace(old):
                yield from kind_of(old).aside(old, self.scene)[0]
            case Act.FILL, Replace(old, new):
                yield from kind_of(new).fill(old, new, self.scene)
            case Act.STUB, Create(new) | Replace(new=new):
                yield from kind_of(new).stub(new) or ()
            case Act.CREATE, Create(new) | Replace(new=new):
                yield from self._create(new, group)
            case Act.RELEASE, Drop(old) | Replace(old):
                yield from kind_of(old).hollow(old) or ()
            case Act.ALTER, Alter():
                steps = steps_in(Phase.MAIN, change, self.scene)
                yield from steps
                # OR REPLACE forgets them (deleteDependencyRecordsFor(), src/backend/catalog/pg_depend.c).
                replaced = any(step.sql.startswith("CREATE OR REPLACE ") for step in steps)
                yield from self._metadata(change, frozenset() if replaced else change.old.extensions)
            case act, _:
                yield from steps_in(Phase[act.name], change, self.scene)

    def _drop(self, old: Object, aside: bool) -> Iterator[Step]:
        kind = kind_of(old)
        if not kind.produced(old, self.scene):
            yield from kind.drop(kind.aside(old, self.scene)[1] if aside else old, self.scene)

    # -- creation -------------------------------------------------------------------------------

    def _create(self, new: Object, group: Group) -> Iterator[Step]:
        kind = kind_of(new)
        members = [self.scene.desired[m.address] for m in group.members if m.act is Act.CREATE]
        change = self.changes[new.address]
        if Node(Act.DROP, new.address) in group.members and isinstance(change, Replace):
            yield from self._drop(change.old, aside=False)
        if not kind.produced(new, self.scene):
            steps = kind.create(new, self._parts(new.address, members), self.scene)
            yield from (step for step in steps if step.phase is Phase.MAIN)
        for obj in (new, *members):
            yield from self._dress(obj)

    def _parts(self, parent: Address, members: Sequence[Object]) -> list[Part]:
        children = [m for m in members if m.parent == parent]
        parts = []
        for child in sorted(children, key=part_order):
            kind = kind_of(child)
            text = kind.inline(child, self._parts(child.address, members), self.scene)
            if text is not None:
                parts.append(Part(child, text))
        return parts

    def _dress(self, new: Object) -> Iterator[Step]:
        """What an object gets right after it was made: owner, comment, labels, privileges."""
        kind = kind_of(new)
        change = self.changes[new.address]
        old = change.old if isinstance(change, Replace) else None
        owner = new.owner if self.comparison.owners else old.owner if old else self._owner_to_share(new)
        if kind.owned and owner is not None and owner != self.scene.live.role:
            yield Step(f"ALTER {kind.owner_target(new)} OWNER TO {quote_ident(owner)}")
        renamed = kind.formerly(new, self.scene)
        if new.comment != (renamed.comment if renamed else None):
            yield _comment(new)
        for provider, label in new.labels.items():
            yield _label(new, provider, label)
        for extension in sorted(new.extensions):
            yield _depends(new, extension)
        if kind.acl_type is not None:
            goal = (
                privileges.wanted(
                    old or renamed,
                    new,
                    self.comparison.privileges,
                    self.comparison.ignored,
                    self.comparison.owners,
                    self.comparison.own,
                )
                or frozenset()
            )
            maker = new.owner or "" if kind.supplied else self._maker(new)
            start = privileges.initial(new, kind.acl_type, self.scene.live, maker)
            if renamed is not None:
                start = renamed.privileges or start
            given = new.facts.get(GRANTS, ()) if self.comparison.grantors else ()
            reached = {g.held for g in given if g.grantor != OWNER and g.reached}
            directly = {g.held for g in given if g.grantor == OWNER or not g.reached}
            giver = owner or maker or new.owner or ""
            yield from self._grants(new, start, goal - (reached - directly), giver)
            for sql in passed_on(kind.grant_target(new), given, giver):
                yield Step(sql, patient=True)

    def _maker(self, new: Object) -> str:
        """Whose it is at first: the applier's, or the owner's of a relation that is there already."""
        *_, root = new, *self.scene.desired.ancestors(new)
        there = None if self.scene.creates(root.address) else self.scene.live.objects.get(root.address)
        return (there.owner if there is not None and root is not new else None) or self.scene.live.role

    # -- alteration -----------------------------------------------------------------------------

    def _metadata(self, change: Alter, extensions: frozenset[str]) -> Iterator[Step]:
        old, new = change.old, change.new
        kind = kind_of(new)
        owner = new.owner if self.comparison.owners else self._owner_to_share(new)
        if owner is not None and owner != old.owner:
            yield Step(f"ALTER {kind.owner_target(new)} OWNER TO {quote_ident(owner)}")
        if change.comment:
            yield _comment(new)
        if change.labels:
            for provider in sorted(old.labels.keys() | new.labels.keys()):
                if old.labels.get(provider) != new.labels.get(provider):
                    yield _label(new, provider, new.labels.get(provider))
        for extension in sorted(extensions ^ new.extensions):
            yield _depends(new, extension, "" if extension in new.extensions else "NO ")
        if change.privileges is not None:
            given, columns = old.facts.get(GRANTS, ()), self._columns(change)
            for child, taken, _ in columns:
                yield from self._revokes(child, taken)
            left = tuple(g for g in given if g not in self._taken_with(change))
            yield from self._grants(new, self._before(old), change.privileges, old.owner, left)
            for child, _, lost in columns:
                yield from self._grants(child, frozenset(), frozenset(g.held for g in lost), child.owner)
            yield from self._granted_again(change)

    def _owner_to_share(self, new: Object) -> str | None:
        """The owner of what the object is to belong to, where that is there already."""
        kind = kind_of(new)
        edges = self.scene.desired.dependencies.get(new.address, ()) if kind.shares_owner else ()
        for whole in (self.scene.desired[edge.referenced] for edge in edges if edge.types <= kind.late):
            *_, root = whole, *self.scene.desired.ancestors(whole)
            # A table that is made anew gets its owner back.
            return self.scene.live[root.address].owner if root.address in self.scene.live else None
        return None

    def _columns(self, change: Alter) -> list[tuple[Object, list[Grant], list[Grant]]]:
        """Of each column of a table, the entries of others that go, and that are to be given again by the owner.

        Who grants on a column may do so by an option for the table, and so has to take it back as long as he has that; and
        what he takes back on the table he takes back on all of its columns (documentation, REVOKE).
        """
        goal = change.privileges
        mine = taken_back(change.old.facts.get(GRANTS, ()), goal) if goal is not None else []
        taken_here = {(g.grantee, g.privilege, g.grantor) for g in mine}
        found = []
        for child in self.scene.live.children.get(change.address, ()):
            given: tuple[Grant, ...] = child.facts.get(GRANTS, ())
            own = self.changes.get(child.address)
            if not given or not isinstance(own, Alter | None) or not _same_relation(change.old, child):
                continue
            wanted = own.privileges if own is not None and own.privileges is not None else child.privileges
            taken = taken_back(given, wanted or frozenset())
            lost = [g for g in given if g not in taken and (g.grantee, g.privilege, g.grantor) in taken_here]
            found.append((child, taken, lost))
        return found

    def _taken_with(self, change: Alter) -> Sequence[Grant]:
        """Entries on a column that are gone with what is done about its table."""
        container = self.changes.get(change.old.parent) if change.old.parent else None
        if not isinstance(container, Alter) or container.privileges is None:
            return ()
        columns = self._columns(container)
        return [
            g for child, taken, lost in columns if child.address == change.address for g in (*taken, *lost)
        ]

    def _revokes(self, obj: Object, taken: Sequence[Grant]) -> Iterator[Step]:
        for sql in revokes(kind_of(obj).grant_target(obj), taken, obj.owner or ""):
            yield Step(sql, patient=True)

    def _before(self, old: Object) -> frozenset[Privilege]:
        """Privileges right before its own change: revoking on a table takes its columns' away too."""
        container = self.changes.get(old.parent) if old.parent else None
        whole = isinstance(container, Alter) and _same_relation(container.old, old)
        lost = revoked(container) if isinstance(container, Alter) and whole else frozenset()
        return frozenset(p for p in old.privileges or () if (p.grantee, p.privilege) not in lost)

    def _granted_again(self, change: Alter) -> Iterator[Step]:
        if not revoked(change):
            return
        for child in self.scene.desired.children.get(change.address, ()):
            mine = self.scene.live.objects.get(child.address)
            if mine is None or not mine.privileges or not _same_relation(change.old, mine):
                continue
            if child.address not in self.changes:
                yield from self._grants(
                    child, self._before(mine), mine.privileges, mine.owner, mine.facts.get(GRANTS, ())
                )

    def _grants(
        self,
        obj: Object,
        before: frozenset[Privilege],
        after: frozenset[Privilege],
        owner: str | None,
        given: Sequence[Grant] = (),
    ) -> Iterator[Step]:
        for sql in grants(kind_of(obj).grant_target(obj), before, after, owner or "", given):
            yield Step(sql, patient=True)


def revoked(change: Alter) -> frozenset[tuple[str, str]]:
    """(grantee, privilege) pairs that an alteration takes away."""
    if change.privileges is None:
        return frozenset()
    kept = {(p.grantee, p.privilege) for p in change.privileges}
    return frozenset((p.grantee, p.privilege) for p in change.old.privileges or ()) - kept


def _same_relation(table: Object, part: Object) -> bool:
    """Whether privileges on the two are granted ON the same: those of a column stand in its table."""
    return kind_of(table).grant_target(table)[1] == kind_of(part).grant_target(part)[1]


def part_order(obj: Object) -> tuple[object, ...]:
    """Columns in their order, then constraints and the rest by name."""
    return (obj.facts.get("position", 1 << 16), kind_of(obj).rank, obj.name)


def drops_at_once(sql: str) -> bool:
    """Whether it is the statement that drops objects which need each other."""
    return f"CREATE ROLE {PASSING};" in sql


def _dropped_at_once(objects: Sequence[Object]) -> Step:
    """The drop of objects that need each other, which PostgreSQL refuses as long as anything else needs one.

    Besides CASCADE only DROP OWNED drops objects of several kinds in one statement.
    """
    lines = [
        f"CREATE ROLE {PASSING};",
        *(f"ALTER {kind_of(obj).owner_target(obj)} OWNER TO {PASSING};" for obj in objects),
        f"DROP OWNED BY {PASSING} RESTRICT;",
        f"DROP ROLE {PASSING};",
    ]
    return Step(do_block(lines))


def _comment(obj: Object) -> Step:
    text = "NULL" if obj.comment is None else quote_literal(obj.comment)
    return Step(f"COMMENT ON {kind_of(obj).comment_target(obj)} IS {text}", patient=True)


def _label(obj: Object, provider: str, label: str | None) -> Step:
    text = "NULL" if label is None else quote_literal(label)
    target = kind_of(obj).comment_target(obj)
    return Step(f"SECURITY LABEL FOR {quote_ident(provider)} ON {target} IS {text}", patient=True)


def _depends(obj: Object, extension: str, no: str = "") -> Step:
    return Step(
        f"ALTER {kind_of(obj).extension_target(obj)} {no}DEPENDS ON EXTENSION {quote_ident(extension)}"
    )
