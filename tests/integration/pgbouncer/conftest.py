"""The pooler of these tests."""

from tests.pooler import new_agent, pooler

__all__ = ["new_agent", "pooler"]
