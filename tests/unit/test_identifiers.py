"""What is quoted reads as it was meant, whatever it holds."""

from __future__ import annotations

import pytest

from novaops.db.identifiers import do_block


@pytest.mark.parametrize("name", ["plain", "$novaops$", "a $novaops$ b $novaops_$"])
def test_a_do_block_ends_where_it_is_meant_to(name: str) -> None:
    text = do_block([f'SET LOCAL ROLE "{name}";'])
    tag = text.split()[1]
    assert text.startswith(f"DO {tag} BEGIN\n")
    assert text.endswith(f"\nEND {tag}")
    assert text.count(tag) == 2
