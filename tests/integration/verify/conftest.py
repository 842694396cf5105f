"""Fixtures of the tests of verification: the scene of the indexer's."""

from tests.integration.indexer.conftest import indexed, scene

__all__ = ["indexed", "scene"]
