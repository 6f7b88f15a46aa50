from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert

CREATE = "CONVERSION c FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", f"CREATE {CREATE}"),
        ("", f"CREATE DEFAULT {CREATE}"),
        (f"CREATE {CREATE}", f"CREATE DEFAULT {CREATE}"),
        (f"CREATE {CREATE}", ""),
    ],
)
def test_create_rebuild_and_drop(convert: Convert, old: str, new: str) -> None:
    convert("conversion", old, new)
