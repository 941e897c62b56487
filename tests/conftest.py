"""For all tests."""

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def anyio_backend() -> str:
    """The SDK is aiohttp, so it lives on asyncio."""
    return "asyncio"
