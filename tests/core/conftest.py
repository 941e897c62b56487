"""For the tests of the core."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No deadline of an example: a machine that is busy fails no test.
settings.register_profile("core", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("core")
