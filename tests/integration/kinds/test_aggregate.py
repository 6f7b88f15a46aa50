from __future__ import annotations

import pytest

from novaops.kinds import registry
from tests.integration.kinds.conftest import Connection, Convert, snapshot

SETUP = """
CREATE SCHEMA s;
CREATE FUNCTION s.add(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2';
CREATE FUNCTION s.add(text, int) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION s.twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
CREATE FUNCTION s.long(int) RETURNS bigint LANGUAGE sql AS 'SELECT $1::bigint';
CREATE OPERATOR s.<< (leftarg = int, rightarg = int, function = int4lt);
"""
PLAIN = "CREATE AGGREGATE s.g(int) (sfunc = s.add, stype = int)"
ORDERED = (
    "sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra"
)


def aggregate(more: str, arguments: str = "int") -> str:
    return f"CREATE AGGREGATE s.g({arguments}) (sfunc = s.add, stype = int{more})"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", PLAIN),
        (PLAIN, ""),
        ("", "CREATE AGGREGATE \"G g\"(*) (sfunc = int8inc, stype = bigint, initcond = '0')"),
        ("CREATE AGGREGATE s.g(*) (sfunc = int8inc, stype = bigint, initcond = '0')", ""),
        ("", f"CREATE AGGREGATE s.g(float8 ORDER BY anyelement) ({ORDERED})"),
        (f"CREATE AGGREGATE s.g(float8 ORDER BY anyelement) ({ORDERED})", ""),
        (
            "",
            'CREATE AGGREGATE s.g(VARIADIC "any" ORDER BY VARIADIC "any") (sfunc = ordered_set_transition_multi,'
            " stype = internal, finalfunc = rank_final, finalfunc_extra, finalfunc_modify = read_only, hypothetical)",
        ),
        ("", "CREATE AGGREGATE s.g(a int, b int) (sfunc = s.three, stype = int)"),
        (
            "",
            "CREATE AGGREGATE s.g(int8) (sfunc = int8_avg_accum, stype = internal, finalfunc = numeric_poly_sum,"
            " combinefunc = int8_avg_combine, serialfunc = int8_avg_serialize, deserialfunc = int8_avg_deserialize,"
            " sspace = 48, msfunc = int8_avg_accum, minvfunc = int8_avg_accum_inv, mstype = internal, msspace = 40,"
            " mfinalfunc = numeric_poly_sum, mfinalfunc_modify = shareable, parallel = safe)",
        ),
        ("", aggregate(", msfunc = int4pl, minvfunc = int4mi, mstype = int, minitcond = '3'")),
    ],
)
def test_create_and_drop(convert: Convert, old: str, new: str) -> None:
    three = "CREATE FUNCTION s.three(int, int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2'"
    convert("aggregate", old, new, setup=SETUP + three)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PLAIN, aggregate(", initcond = '4'")),
        (aggregate(", initcond = '4'"), PLAIN),
        (PLAIN, aggregate(", finalfunc = s.twice, finalfunc_modify = shareable, parallel = restricted")),
        (aggregate(", finalfunc = s.twice, finalfunc_modify = shareable, parallel = restricted"), PLAIN),
        (PLAIN, aggregate(", sortop = operator(s.<<), combinefunc = int4pl, sspace = 8")),
        (PLAIN, "CREATE AGGREGATE s.g(int) (sfunc = int4larger, stype = int)"),
    ],
)
def test_is_replaced(convert: Convert, old: str, new: str) -> None:
    (statement,) = convert("aggregate", old, new, setup=SETUP)
    assert statement.startswith("CREATE OR REPLACE AGGREGATE s.g(integer) (")


@pytest.mark.parametrize("new", [aggregate(", finalfunc = s.long"), aggregate("", "a int")])
def test_is_rebuilt(convert: Convert, new: str) -> None:
    drop, _ = convert("aggregate", PLAIN, new, setup=SETUP)
    assert drop == "DROP AGGREGATE s.g(integer)"


@pytest.mark.parametrize("arguments", ["*", "int", "float8 ORDER BY anyelement"])
def test_its_names_in_other_statements(database: Connection, arguments: str) -> None:
    text = ORDERED if "ORDER" in arguments else "sfunc = s.add, stype = int"
    text = "sfunc = int8inc, stype = bigint, initcond = '0'" if arguments == "*" else text
    database.execute(f"{SETUP} CREATE AGGREGATE s.g({arguments}) ({text})")
    (obj,) = (o for o in snapshot(database) if o.kind == "aggregate")
    kind = registry()["aggregate"]
    database.execute(f"COMMENT ON {kind.comment_target(obj)} IS 'x'")
    database.execute(f"ALTER {kind.owner_target(obj)} OWNER TO pg_monitor")
    database.execute(f"GRANT EXECUTE ON {kind.grant_target(obj)[1]} TO pg_read_all_data")
