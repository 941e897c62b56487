"""For all tests."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The SDK is aiohttp, so it lives on asyncio."""
    return "asyncio"
