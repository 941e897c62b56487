"""Async SDK for the Hero Health Public API.

    from hero_async import AsyncHero

    async with AsyncHero.from_env() as hero:
        sent = await hero.messages.send(patient_id="123", message_type="sms", message_string="Your flu jab is due")

Names are loaded when first used: importing this package builds no model and loads no aiohttp.
"""

from __future__ import annotations

TYPE_CHECKING = False  # written out: importing typing would cost more than all of this module

if TYPE_CHECKING:
    from hero_async.calls import Call as Call
    from hero_async.calls import Response as Response
    from hero_async.client import AsyncHero as AsyncHero
    from hero_async.delivery import Delivery as Delivery
    from hero_async.errors import APIConnectionError as APIConnectionError
    from hero_async.errors import APIStatusError as APIStatusError
    from hero_async.errors import APITimeoutError as APITimeoutError
    from hero_async.errors import AuthenticationError as AuthenticationError
    from hero_async.errors import BadRequestError as BadRequestError
    from hero_async.errors import BookingError as BookingError
    from hero_async.errors import ConfigurationError as ConfigurationError
    from hero_async.errors import ConflictError as ConflictError
    from hero_async.errors import HeroError as HeroError
    from hero_async.errors import InternalServerError as InternalServerError
    from hero_async.errors import InvalidArgumentError as InvalidArgumentError
    from hero_async.errors import NotFoundError as NotFoundError
    from hero_async.errors import PermissionDeniedError as PermissionDeniedError
    from hero_async.errors import RateLimitError as RateLimitError
    from hero_async.errors import ResponseDecodeError as ResponseDecodeError
    from hero_async.errors import ResponseTooLargeError as ResponseTooLargeError
    from hero_async.errors import UnprocessableEntityError as UnprocessableEntityError
    from hero_async.errors import WebhookVerificationError as WebhookVerificationError
    from hero_async.fields import NULL as NULL
    from hero_async.fields import OpenEnum as OpenEnum
    from hero_async.pages import Page as Page
    from hero_async.pages import Pages as Pages
    from hero_async.registry import OPERATIONS as OPERATIONS
    from hero_async.retries import RetryPolicy as RetryPolicy
    from hero_async.settings import Settings as Settings
    from hero_async.throttle import RateLimit as RateLimit

_WHERE = {
    "client": ("AsyncHero",),
    "calls": ("Call", "Response"),
    "delivery": ("Delivery",),
    "errors": (
        "APIConnectionError",
        "APIStatusError",
        "APITimeoutError",
        "AuthenticationError",
        "BadRequestError",
        "BookingError",
        "ConfigurationError",
        "ConflictError",
        "HeroError",
        "InternalServerError",
        "InvalidArgumentError",
        "NotFoundError",
        "PermissionDeniedError",
        "RateLimitError",
        "ResponseDecodeError",
        "ResponseTooLargeError",
        "UnprocessableEntityError",
        "WebhookVerificationError",
    ),
    "fields": ("NULL", "OpenEnum"),
    "pages": ("Page", "Pages"),
    "registry": ("OPERATIONS",),
    "retries": ("RetryPolicy",),
    "settings": ("Settings",),
    "throttle": ("RateLimit",),
}

__all__ = [
    "NULL",
    "OPERATIONS",
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncHero",
    "AuthenticationError",
    "BadRequestError",
    "BookingError",
    "Call",
    "ConfigurationError",
    "ConflictError",
    "Delivery",
    "HeroError",
    "InternalServerError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpenEnum",
    "Page",
    "Pages",
    "PermissionDeniedError",
    "RateLimit",
    "RateLimitError",
    "Response",
    "ResponseDecodeError",
    "ResponseTooLargeError",
    "RetryPolicy",
    "Settings",
    "UnprocessableEntityError",
    "WebhookVerificationError",
]


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:

    def __getattr__(name):
        for module, names in _WHERE.items():
            if name in names:
                from importlib import import_module

                value = globals()[name] = getattr(import_module(f"hero_async.{module}"), name)
                return value
        raise AttributeError(f"module 'hero_async' has no attribute {name!r}")
