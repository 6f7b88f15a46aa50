from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

SETUP = 'CREATE SCHEMA "S s"; CREATE SCHEMA s; CREATE PUBLICATION p'
ADD = 'ALTER PUBLICATION p ADD TABLES IN SCHEMA "S s"'


@pytest.mark.parametrize(
    ("old", "new"), [("", ADD), (ADD, ""), (ADD, "ALTER PUBLICATION p ADD TABLES IN SCHEMA s")]
)
def test_add_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("publication namespace", old, new, setup=SETUP)
