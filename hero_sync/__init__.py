"""Blocking shim over `hero_async`: the same surface, and nothing is written twice.

from hero_sync import Hero

with Hero.from_env() as hero:
    hero.messages.send(patient_id="123", message_type="sms", message_string="Your flu jab is due")
"""

from __future__ import annotations

TYPE_CHECKING = False  # written out: importing typing would cost more than all of this module

if TYPE_CHECKING:
    from hero_sync.client import Hero as Hero
    from hero_sync.pages import SyncPages as SyncPages

__all__ = ["Hero", "SyncPages"]


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module 'hero_sync' has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module("hero_sync.client" if name == "Hero" else "hero_sync.pages"), name)
        globals()[name] = value
        return value
