from __future__ import annotations

import pytest

from tests.integration.kinds.conftest import Convert


@pytest.mark.parametrize(
    ("old", "new", "statements"),
    [
        (
            "",
            'CREATE ACCESS METHOD "My heap" TYPE TABLE HANDLER heap_tableam_handler',
            ['CREATE ACCESS METHOD "My heap" TYPE TABLE HANDLER heap_tableam_handler'],
        ),
        (
            "CREATE ACCESS METHOD mine TYPE INDEX HANDLER bthandler",
            "CREATE ACCESS METHOD mine TYPE INDEX HANDLER gisthandler",
            ["DROP ACCESS METHOD mine", "CREATE ACCESS METHOD mine TYPE INDEX HANDLER gisthandler"],
        ),
        ("CREATE ACCESS METHOD mine TYPE INDEX HANDLER bthandler", "", ["DROP ACCESS METHOD mine"]),
    ],
)
def test_create_rebuild_and_drop(convert: Convert, old: str, new: str, statements: list[str]) -> None:
    assert convert("access method", old, new) == statements
