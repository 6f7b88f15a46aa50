from __future__ import annotations

from tests.integration.convergence.conftest import Converge

SERVER = "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"


def test_a_column_far_away_changes_its_type_without_conversion(converge: Converge) -> None:
    wide = SERVER + "CREATE FOREIGN TABLE far (k bigint, v text DEFAULT 'x') SERVER s"
    narrow = SERVER + "CREATE FOREIGN TABLE far (k integer, v varchar(9)) SERVER s"
    converge(wide, narrow)
    converge(narrow, wide)
