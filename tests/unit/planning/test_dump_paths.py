"""Files of a split dump stay below their folder, whatever a schema is called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from novaops.planning.dump import _path
from tests.unit.planning.made_up import made


@pytest.mark.parametrize("schema", [".", "..", "...", "a/b", "../x", "/etc"])
def test_no_file_leaves_the_folder(schema: str) -> None:
    path = _path(replace(made("box", "b"), schema=schema))
    assert len(path.split("/")) == 3
    assert path.split("/")[0].strip(".")
