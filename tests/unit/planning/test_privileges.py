"""Which privileges an object ends with, and the statements that lead there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from novaops.catalog.privileges import OWNER, PUBLIC, Privilege, acl_items, parse_acl
from novaops.kinds.grants import grants
from novaops.planning.privileges import PrivilegeMode, initial, wanted
from tests.unit.planning.made_up import KINDS, drafted, made, snapshot, sql

SELECT, INSERT = Privilege("you", "SELECT"), Privilege("you", "INSERT")
GRANTABLE = Privilege("you", "SELECT", grantable=True)
OWN = Privilege(OWNER, "SELECT")


def privileges(*given: Privilege) -> frozenset[Privilege]:
    return frozenset(given)


@pytest.mark.parametrize(
    ("mode", "old", "new", "goal"),
    [
        (PrivilegeMode.MANAGED, {SELECT}, {INSERT}, {INSERT}),
        (PrivilegeMode.MANAGED, {SELECT}, set(), set()),
        (PrivilegeMode.AUTO, {SELECT}, {INSERT}, {INSERT}),
        (PrivilegeMode.AUTO, {SELECT}, set(), {SELECT}),
        (PrivilegeMode.ADDITIVE, {SELECT}, {INSERT}, {SELECT, INSERT}),
        (PrivilegeMode.ADDITIVE, {SELECT}, {GRANTABLE}, {GRANTABLE}),
        (PrivilegeMode.ADDITIVE, {GRANTABLE}, {SELECT}, {GRANTABLE}),
        (PrivilegeMode.IGNORE, {SELECT}, {INSERT}, {SELECT}),
    ],
)
def test_wanted(mode: PrivilegeMode, old: set[Privilege], new: set[Privilege], goal: set[Privilege]) -> None:
    before = made("box", "b", privileges=frozenset(old))
    after = made("box", "b", privileges=frozenset(new))
    assert wanted(before, after, mode) == goal


def test_a_new_object_gets_what_is_declared_in_every_mode() -> None:
    new = made("box", "b", privileges=privileges(SELECT))
    assert {wanted(None, new, mode) for mode in PrivilegeMode} == {privileges(SELECT)}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (set(), {SELECT, INSERT}, ["GRANT INSERT, SELECT ON BOX b TO you"]),
        ({SELECT, INSERT}, set(), ["REVOKE INSERT, SELECT ON BOX b FROM you"]),
        ({SELECT}, {GRANTABLE}, ["GRANT SELECT ON BOX b TO you WITH GRANT OPTION"]),
        ({GRANTABLE}, {SELECT}, ["REVOKE GRANT OPTION FOR SELECT ON BOX b FROM you"]),
        ({GRANTABLE}, set(), ["REVOKE SELECT ON BOX b FROM you"]),
        ({SELECT}, {SELECT}, []),
        ({OWN}, set(), ['REVOKE SELECT ON BOX b FROM "The Owner"']),
        (set(), {Privilege(PUBLIC, "SELECT")}, ["GRANT SELECT ON BOX b TO PUBLIC"]),
        (set(), {Privilege("sel ect", "SELECT")}, ['GRANT SELECT ON BOX b TO "sel ect"']),
        (
            {SELECT},
            {INSERT, GRANTABLE},
            ["GRANT INSERT ON BOX b TO you", "GRANT SELECT ON BOX b TO you WITH GRANT OPTION"],
        ),
    ],
)
def test_statements(before: set[Privilege], after: set[Privilege], expected: list[str]) -> None:
    box = made("box", "b")
    assert (
        grants(KINDS["box"].grant_target(box), frozenset(before), frozenset(after), "The Owner") == expected
    )


def test_default_privileges_are_where_a_new_object_starts() -> None:
    box = replace(made("box", "b"), default_privileges=privileges(OWN))
    live = snapshot()
    assert initial(box, "r", live, "me") == {OWN}
    for_schema = replace(live, default_acl={("me", "public", "r"): privileges(SELECT)})
    assert initial(box, "r", for_schema, "me") == {OWN, SELECT}
    assert initial(box, "r", for_schema, "someone else") == {OWN}
    everywhere = replace(
        live, default_acl={("me", "", "r"): privileges(INSERT), ("me", "public", "r"): privileges(SELECT)}
    )
    assert initial(box, "r", everywhere, "me") == {INSERT, SELECT}
    assert initial(box, "f", everywhere, "me") == {OWN}


@pytest.mark.usefixtures("kinds")
def test_a_new_object_is_corrected_for_default_privileges() -> None:
    box = made("box", "b", privileges=privileges(INSERT))
    live = replace(snapshot(), default_acl={("me", "public", "r"): privileges(SELECT)})
    assert sql(drafted(live, snapshot(box))) == [
        "CREATE BOX b ()",
        "REVOKE SELECT ON BOX b FROM you",
        "GRANT INSERT ON BOX b TO you",
    ]


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize("mode", PrivilegeMode)
def test_a_rebuilt_object_gets_its_own_back(mode: PrivilegeMode) -> None:
    square = made("box", "b", privileges=privileges(GRANTABLE), owner="me")
    declared = privileges(GRANTABLE) if mode is PrivilegeMode.MANAGED else privileges()
    round_ = made("box", "b", shape="round", privileges=declared)
    assert sql(drafted(snapshot(square), snapshot(round_), mode=mode)) == [
        "DROP BOX b",
        "CREATE BOX b ()",
        "GRANT SELECT ON BOX b TO you WITH GRANT OPTION",
    ]


# -- the text of an ACL -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "items",
    [
        ("=U/maker",),
        ("maker=arwdDxtm/maker", "you=r*w/maker"),
        ('"The ""user"""=X*/"The maker"', "=X/maker"),
        (),
    ],
)
def test_an_acl_is_written_as_it_is_read(items: tuple[str, ...]) -> None:
    privileges = parse_acl(items)
    assert parse_acl(acl_items(privileges, "maker")) == privileges


def test_a_name_is_quoted_in_an_acl() -> None:
    assert acl_items([Privilege("The user", "SELECT", True), Privilege(PUBLIC, "USAGE")], '"M"') == (
        '=U/"M"',
        '"The user"=r*/"M"',
    )
