"""What a kind of object is to novaops: how it is read, written, changed and dropped.

A kind is one module and one `.sql` file of the same name. Everything else (differ, graph, closure,
comments, owners, privileges, output) is generic and asks the kind through the methods below.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, ClassVar

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.db.identifiers import quote_ident
from novaops.kinds.placement import Phase as Phase
from novaops.kinds.placement import Placement as Placement
from novaops.kinds.risk import Risk as Risk
from novaops.kinds.scene import Scene as Scene
from novaops.kinds.secrecy import masked_attributes
from novaops.kinds.words import in_words
from novaops.kinds.work import Work


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, without its semicolon.

    `effects` names what PostgreSQL refuses while certain dependants exist (`Kind.refuses`).
    """

    sql: str
    effects: frozenset[str] = frozenset()
    placement: Placement = Placement.TRANSACTION
    secrets: tuple[str, ...] = ()
    """Literals within `sql` that are never shown."""
    mask: str = "'********'"
    """The literal that is shown in place of each, which PostgreSQL takes there."""
    phase: Phase = Phase.MAIN
    index: str | None = None
    """Index that it builds concurrently; one that is not valid remains when it fails."""
    patient: bool = False
    """Whether it locks nobody out, nor does it while it waits, so that it may wait for its locks.

    That is so where its mode conflicts with none that reading and writing take (documentation,
    section 13.3.1, SHARE UPDATE EXCLUSIVE).
    """
    work: tuple[Work, ...] = ()
    """What keeps others waiting where the relations are large."""
    exposes: str | None = None
    """What happens until the object gets back, by a later step of the same change, what this one takes from it."""


ASIDE = "__novaops_old"
"""What is added to the name of an object that is set aside until nothing needs it."""
LAST = 90
"""Kinds of this rank are changed, and dropped, after everything else: it must not feel them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A contained object that is written inside the statement that creates its container."""

    object: Object
    sql: str


class Kind:
    """Base of all kinds; the defaults fit an object with CREATE, DROP and COMMENT ON of its own."""

    name: ClassVar[str]
    """In words, as in `CREATE`'s keyword; module and .sql file have it with underscores."""
    types: ClassVar[tuple[str, ...]]
    """The address types (`pg_identify_object_as_address().type`) that the kind claims."""
    rank: ClassVar[int] = 50
    """Tie-break where dependencies leave the order open; smaller comes first."""
    acl_type: ClassVar[str | None] = None
    """First argument of `acldefault()` when objects of the kind carry privileges."""
    supplied: ClassVar[bool] = False
    """Whether the kind is about objects of the server and of extensions, which are nobody's otherwise."""
    owned: ClassVar[bool] = False
    """Whether the objects have an owner of their own (the .sql then selects `owner`)."""
    shares_owner: ClassVar[bool] = False
    """Whether PostgreSQL wants it to have the owner of what it comes to belong to (`late`)."""
    belongs: ClassVar[bool] = True
    """Whether it is the owner of what contains it who may make, change and drop it."""
    grantable: ClassVar[bool] = False
    """Whether there is a privilege to make one for those who are not."""
    data: ClassVar[bool] = False
    """Whether rebuilding or dropping it can lose what people stored."""
    refuses: ClassVar[frozenset[str]] = frozenset()
    """Effects on an object it depends on that PostgreSQL refuses while this one exists."""
    secret: ClassVar[frozenset[str]] = frozenset()
    """Attributes whose values are never shown."""
    late: ClassVar[frozenset[str]] = frozenset()
    """`pg_depend.deptype`s of dependencies that `finish`, not `create`, establishes."""
    stub_rank: ClassVar[int] = 0
    """Of the objects in a cycle, one of the smallest is made as its `stub` first."""
    swap: ClassVar[bool] = False
    """Whether it is rebuilt by renaming the old one aside (`aside`) until nothing needs it."""
    locks: ClassVar[int] = 1
    """How many locks making or dropping one takes, without those of contained objects."""
    rows: ClassVar[bool] = False
    """Whether it holds rows of this database that others read and write."""
    evaluates: ClassVar[bool] = False
    """Whether making it may run functions, on rows that are there."""
    joined: ClassVar[bool] = False
    """Whether `inline` may write it into the statement that creates its parent."""
    renames: ClassVar[bool] = True
    """Whether PostgreSQL has ALTER … RENAME for it."""
    words: ClassVar[Mapping[str, Mapping[Any, str]]] = {}
    """What people are told instead of the letters that the catalogs have, by attribute."""
    named_after: ClassVar[bool] = False
    """Whether PostgreSQL makes up its name from that of its table where nobody gives it one."""

    @classmethod
    def sql(cls) -> str:
        """The query that reads all objects of the kind: text of the .sql beside the module."""
        module = cls.__module__.rpartition(".")[2]
        return files("novaops.kinds").joinpath(f"{module}.sql").read_text()

    def keyword(self, obj: Object) -> str:
        """Keyword after CREATE, DROP, COMMENT ON, ALTER … OWNER TO."""
        return self.name.upper()

    def target(self, obj: Object) -> str:
        """What DROP, COMMENT ON and OWNER TO name: keyword and identity."""
        return f"{self.keyword(obj)} {obj.identity}"

    def create(self, obj: Object, parts: Sequence[Part], scene: Scene) -> list[Step]:
        """Statements that make the object; `parts` are the contained objects written inside."""
        raise NotImplementedError

    def inline(self, obj: Object, parts: Sequence[Part], scene: Scene) -> str | None:
        """Its text inside the CREATE of its parent; None when it needs a statement of its own."""
        return None

    def joins(self, obj: Object, scene: Scene) -> bool:
        """`joined` of this object, where some of its kind always need a statement of their own."""
        return self.joined

    def stub(self, obj: Object) -> list[Step] | None:
        """Make it exist enough for dependants that it depends on, until `create` completes it; None: nothing does."""
        return None

    def hollow(self, obj: Object) -> list[Step] | None:
        """Free it from what it depends on, so that its dependants among these can be dropped first, before `drop`."""
        return None

    def finish(self, obj: Object, scene: Scene) -> list[Step]:
        """Statements that wait until contained objects and `late` dependencies exist."""
        return []

    def alter(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> list[Step] | None:
        """Statements for the attributes in `changed`; None when it must be rebuilt."""
        return None

    def drop(self, obj: Object, scene: Scene) -> list[Step]:
        """Statements that drop it; never with CASCADE."""
        return [Step(f"DROP {self.target(obj)}")]

    def aside(self, obj: Object, scene: Scene) -> tuple[list[Step], Object]:
        """For `swap`: steps that rename it out of the way, and the object under that name."""
        raise NotImplementedError

    def fill(self, old: Object, new: Object, scene: Scene) -> list[Step]:
        """For `swap` with `rows`: what brings the rows of `old`, set aside, into `new`."""
        return []

    def conversion(self, old: Object, new: Object, value: str) -> str:
        """For types that `swap`: expression for `value`, of the type set aside, in the new one."""
        return f"{value}::text::{new.identity}"

    def fires(self, obj: Object) -> str | None:
        """Return at which event it runs for the DDL of others, and for which commands; None if it does not."""
        return None

    def missing(self, obj: Object) -> str:
        """Return what happens while it is dropped, and not yet created again."""
        return "statements that use it fail"

    def grant_target(self, obj: Object) -> tuple[str, str]:
        """For kinds with privileges: (columns suffix such as `(a)`, text after GRANT … ON)."""
        return "", self.target(obj)

    def comment_target(self, obj: Object) -> str:
        """Text after COMMENT ON (and SECURITY LABEL ON)."""
        return self.target(obj)

    def owner_target(self, obj: Object) -> str:
        """Text after ALTER in ALTER … OWNER TO."""
        return self.target(obj)

    def extension_target(self, obj: Object) -> str:
        """Text after ALTER in ALTER … DEPENDS ON EXTENSION."""
        return self.target(obj)

    def rename(self, obj: Object, name: str) -> list[Step]:
        """Statements that give it another name in its schema."""
        return [Step(f"ALTER {self.target(obj)} RENAME TO {quote_ident(name)}")]

    def move(self, obj: Object, schema: str) -> list[Step]:
        """Statements that bring it into another schema under the name that it has."""
        return [Step(f"ALTER {self.target(obj)} SET SCHEMA {quote_ident(schema)}")]

    def rename_part(self, obj: Object, before: str, after: str) -> list[Step]:
        """Statements that give another name to one of its `parts`."""
        raise NotImplementedError

    def names(self, obj: Object) -> Iterable[tuple[str, ...]]:
        """Keys of the name spaces it occupies, so that a name is freed before it is reused."""
        return ()

    def parts(self, obj: Object) -> Sequence[str]:
        """Names within it that can be changed and are no objects: the labels of an enum."""
        return ()

    def likeness(self, obj: Object, snapshot: Snapshot) -> Mapping[str, Any]:
        """What it is apart from its name: what two have in common of which one may be the other, renamed."""
        return obj.attributes

    def working_names(self, obj: Object, scene: Scene) -> Iterable[tuple[str, ...]]:
        """Keys of the names that its preparation uses; an earlier run may have left something there."""
        return ()

    def survives(self, obj: Object, lost: Object, scene: Scene) -> frozenset[str] | None:
        """How it outlives the rebuild, or the refused change, of `lost`, on which it depends.

        The attributes to set again: an empty set when it does not feel it. None (the default): it
        is rebuilt too.
        """
        return None

    def refused(self, obj: Object) -> frozenset[str]:
        """`refuses` of this object, with effects that PostgreSQL lets it feel and that it outlives by `survives`."""
        return self.refuses

    def undergoes(self, old: Object, new: Object, changed: frozenset[str], scene: Scene) -> frozenset[str]:
        """Effects that the change has on it where a statement about another object brings it."""
        return frozenset()

    def needs(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        """Objects that it depends on although `pg_depend` does not say so."""
        return ()

    def preceded_by(self, obj: Object, scene: Scene) -> Iterable[Address]:
        """Objects that are created before it, as its own creation would reach them."""
        return ()

    def awaits(self, obj: Object, snapshot: Snapshot) -> Iterable[Address]:
        """Objects whose `finish` comes before its `create`."""
        return ()

    def rivals(self, obj: Object, scene: Scene) -> Iterable[Address]:
        """Live objects that PostgreSQL would take for what it needs, were they there when it is made."""
        return ()

    def precedes(self, old: Object, scene: Scene) -> Iterable[Address]:
        """Live objects that are altered after its drop: PostgreSQL cannot keep it up with what they become."""
        return ()

    def successors(self, obj: Object, scene: Scene) -> Iterable[Address]:
        """Objects that take something over from it: it is dropped after they have."""
        return ()

    def known_by(self, obj: Object, snapshot: Snapshot) -> Hashable | None:
        """What it is recognised by where nobody chose its name; None: by its address."""
        return None

    def formerly(self, obj: Object, scene: Scene) -> Object | None:
        """The live object that the change of its container renames to this one."""
        return None

    def remnant(self, obj: Object, snapshot: Snapshot) -> bool:
        """Whether it is left of something else and no statement makes it: only what it hinders drops it."""
        return False

    def produced(self, obj: Object, scene: Scene) -> bool:
        """Whether it appears by itself when what it belongs to is created or altered."""
        return False

    def risks(self, old: Object, new: Object | None, changed: frozenset[str], scene: Scene) -> list[Risk]:
        """What is lost when `old` becomes `new` (None: it is dropped or rebuilt); an owner that differs is in `changed`."""
        return []

    def opens(self, new: Object, scene: Scene) -> Sequence[Risk]:
        """Access to rows that are there which making `new` gives."""
        return ()

    def instead(self, old: Object, new: Object, scene: Scene) -> Sequence[Risk]:
        """Access that changes where `new` takes the place of another object for those who use that."""
        return ()

    def reached(self, obj: Object) -> str | None:
        """Query that tells whether a right on it reaches something that is there; None: it does not."""
        return None

    def obstacles(self, new: Object, scene: Scene) -> list[Risk]:
        """Live data for which PostgreSQL will refuse to create or alter `new`; it alone can tell where `exists` is None."""
        return []

    def is_setting(self, obj: Object) -> bool:
        """Whether it is no more than a setting of what contains it, as a default is: a change of that takes it away."""
        return False

    def unread(self, obj: Object) -> frozenset[str]:
        """Attributes that the server or a file keeps from who reads them: they are named, and not compared."""
        return masked_attributes(obj, self.secret)

    def remakes(self, obj: Object, scene: Scene) -> Iterable[Address]:
        """Live objects that are to be made anew with it, as PostgreSQL does not add it to them as they are."""
        return ()

    def beyond(self, old: Object, new: Object) -> Mapping[str, str]:
        """Attributes that differ and that no statement changes, each with what people are told ("": nothing)."""
        return {}

    def opaque(self, obj: Object) -> bool:
        """Whether what it runs stands in a string that `pg_depend` does not look into."""
        return False

    def summary(self, obj: Object) -> str:
        """What is worth saying about a new one beside its name, for plans."""
        return ""

    def describe(self, old: Object, new: Object, attribute: str) -> str:
        """One change in words, for plans."""
        if attribute in self.secret:
            return f"{attribute.replace('_', ' ')} changed"
        return in_words(attribute, old[attribute], new[attribute], self.words.get(attribute, {}))
