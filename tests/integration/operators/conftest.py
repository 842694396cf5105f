"""Fixtures of the tests of what operators do."""

from collections.abc import AsyncIterator

import pytest

from core import own_schema
from core.database import Pool, open_pool
from core.settings import Settings


@pytest.fixture
async def primary(settings: Settings) -> AsyncIterator[Pool]:
    """The primary of the module's place, with the service's own schema."""
    async with open_pool(settings.database_url, application="disco tests") as pool:
        await own_schema.migrate(pool)
        yield pool
