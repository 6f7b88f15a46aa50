"""What the target is to be, in two steps: so that it takes the rows of both shapes, and then those of the new one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from novaops.catalog.address import Address
from novaops.catalog.object import Object
from novaops.catalog.snapshot import Snapshot
from novaops.kinds.type_change import readable
from novaops.replication.schema_change.edit import GOES_ALONG, Edit
from novaops.replication.schema_change.intents import Intent
from novaops.replication.schema_change.tables import KEY, NOT_NULL, States, restrains

OF_A_TYPE = frozenset({"type", "collation"})
MEANING = ("type", "definition", "predicate", "expression", "enforced")
"""Attributes that say what a constraint or index refuses."""


def tolerant(states: States, wanted: Sequence[Intent]) -> Snapshot:
    """The target, taking every row that the source sends before and after its change."""
    edit = Edit(states.target, states.after)
    for intent in wanted:
        address = intent.address
        there, new = states.target.objects.get(address), states.after.objects.get(address)
        match address.type:
            case "table column":
                _open(states, edit, intent)
            case "table" if there is None and new is not None:
                edit.take(address)
            case "type" if there is not None and new is not None:
                _open_type(edit, there, new)
            case _ if there is not None and not _alike(there, new) and restrains(there):
                if there.attributes.get("type") != KEY:
                    edit.remove(address)
    return edit.snapshot()


def final(states: States, wanted: Sequence[Intent]) -> Snapshot:
    """The target as the source is to be, as far as the change touches it."""
    edit = Edit(states.target, states.after)
    for intent in sorted(wanted, key=lambda intent: intent.address.type not in ("type", "table")):
        address = intent.address
        there, new = states.target.objects.get(address), states.after.objects.get(address)
        if new is None:
            if there is not None:
                edit.remove(address)
        elif address.type == "table column":
            _as_declared(states, edit, intent, new)
        elif there is not None and address.type == "type":
            edit.take(address)
        elif _alike(there, new) or _not_null_there(edit, new) or not _has_room(edit, new):
            continue
        else:
            edit.take(address)
    return edit.snapshot()


# -- columns --------------------------------------------------------------------------------


def _open(states: States, edit: Edit, intent: Intent) -> None:
    """The column takes what is sent now and what will be, or nothing where it will be sent no more."""
    address = intent.address
    there, new = edit.base.objects.get(address), states.after.objects.get(address)
    if there is None:
        # What is computed is not sent, and can wait.
        if new is not None and not new["generated"] and Address("table", address.names[:2]) in edit.base:
            edit.take(address)
            if not _has_default(edit.taken.values(), address, new):
                _nullable(edit, address)
        return
    if new is None or (new["generated"] and not there["generated"]):
        if not _has_default(edit.base.children.get(address, ()), address, there):
            _nullable(edit, address)
        for obj in [*edit.of_column(address, "constraint"), *edit.of_column(address, "index")]:
            if restrains(obj) and obj.attributes.get("type") != KEY:
                edit.remove(obj.address)
        return
    if there["generated"] and not new["generated"]:
        edit.alter(address, generated="", generation_expression=None)
        _nullable(edit, address)
    else:
        missing = not states.sent_before(address)
        missing = missing and not _has_default(edit.base.children.get(address, ()), address, there)
        if missing or ("not_null" in intent.attributes and not _refuses_null(states.after, new)):
            _nullable(edit, address)
    if "type" in intent.attributes and there["type"] != new["type"] and readable(there, new):
        _retype(edit, address)


def _as_declared(states: States, edit: Edit, intent: Intent, new: Object) -> None:
    address = intent.address
    there = edit.base.objects.get(address)
    if there is None:
        if Address("table", address.names[:2]) in edit:
            edit.take(address)
        return
    if OF_A_TYPE & set(intent.attributes):
        _retype(edit, address)
    others = {name: new[name] for name in intent.attributes if name not in OF_A_TYPE}
    if others:
        edit.alter(address, **others)
    if new["generated"] and not there["generated"]:
        # What is computed has no default, and it is made anew with what was about it.
        edit.remove(address)
        edit.take(address)
        for edge in states.after.dependents.get(address, ()):
            if edge.dependent.type in GOES_ALONG and restrains(states.after[edge.dependent]):
                edit.take(edge.dependent)
    elif "not_null" in intent.attributes:
        if not _refuses_null(states.after, new):
            _nullable(edit, address)
        for child in states.after.children.get(address, ()):
            if child.attributes.get("type") == NOT_NULL and not _not_null_there(edit, child):
                edit.take(child.address)


def _retype(edit: Edit, address: Address) -> None:
    """The column with the type that it has in the other snapshot, and everything else as it is."""
    there = edit[address]
    edit.take(address)
    kept = {name: value for name, value in there.attributes.items() if name not in OF_A_TYPE}
    edit.alter(address, **kept)
    for child in new_children(edit, address):
        if child.address not in edit.base:
            edit.taken.pop(child.address, None)


def new_children(edit: Edit, address: Address) -> tuple[Object, ...]:
    """What the column has in the other snapshot."""
    return edit.other.children.get(address, ())


def _nullable(edit: Edit, address: Address) -> None:
    """The column without NOT NULL, which is an attribute until PostgreSQL 17 and where it is inherited."""
    if edit[address]["not_null"]:
        edit.alter(address, not_null=False)
    for child in [*edit.base.children.get(address, ()), *new_children(edit, address)]:
        if child.attributes.get("type") == NOT_NULL and child.address in edit:
            edit.remove(child.address)


def _refuses_null(snapshot: Snapshot, column: Object) -> bool:
    children = snapshot.children.get(column.address, ())
    return bool(column["not_null"]) or any(c.attributes.get("type") == NOT_NULL for c in children)


def _has_default(objects: Iterable[Object], column: Address, obj: Object) -> bool:
    """Whether rows that come without the column have a value for it."""
    if obj["identity_options"] is not None or obj["generated"]:
        return True
    return any(o.kind == "default value" and o.address.names == column.names for o in objects)


# -- everything else ------------------------------------------------------------------------


def _open_type(edit: Edit, there: Object, new: Object) -> None:
    """An enumeration with the labels of both; a domain that refuses no NULL."""
    if there.kind == "enum" and new.kind == "enum":
        lacking = [label for label in new["labels"] if label not in there["labels"]]
        if lacking:
            in_place = [label for label in new["labels"] if label in there["labels"]] == list(there["labels"])
            edit.alter(there.address, labels=new["labels"] if in_place else [*there["labels"], *lacking])
    elif there.kind == "domain" and there.attributes.get("not_null") and not new.attributes.get("not_null"):
        edit.alter(there.address, not_null=False)


def _alike(there: Object | None, new: Object | None) -> bool:
    """Whether both refuse, or say, the same."""
    if there is None or new is None:
        return there is new
    return all(there.attributes.get(name) == new.attributes.get(name) for name in MEANING)


def _not_null_there(edit: Edit, new: Object) -> bool:
    """Whether it is a NOT NULL that the column has under another name."""
    if new.attributes.get("type") != NOT_NULL or new.parent is None:
        return False
    known = [*edit.base.children.get(new.parent, ()), *edit.taken.values()]
    return any(
        o.attributes.get("type") == NOT_NULL and o.parent == new.parent and o.address in edit for o in known
    )


def _has_room(edit: Edit, new: Object) -> bool:
    """Whether the target has what the object is a part of."""
    return new.parent is None or new.parent in edit
