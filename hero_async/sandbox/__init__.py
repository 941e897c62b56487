"""A stateful Hero on your own machine, for demos and tests: never for real patients' data.

    async with Sandbox(patients=100) as sandbox:
        async with AsyncHero(api_key=sandbox.api_key, practice_group_id="1", base_url=sandbox.url) as hero:
            ...
        assert not sandbox.ledger.doubled()

It answers as the reference says; where the reference is silent, `Quirks` chooses between the likely answers.
`sandbox.faults` breaks connections and answers on demand, `sandbox.ledger` is the judge of what was really
accepted, `sandbox.clock` can be moved by hand, and `sandbox.webhooks` tells your service what happened.

To serve one more operation, write a function under `@serves("subject.method")` in `subjects/`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hero_async.sandbox.clock import SandboxClock, SettableClock
    from hero_async.sandbox.deliveries import Deliveries, Delivery
    from hero_async.sandbox.faults import (
        CutBody,
        Delay,
        Fault,
        FaultRule,
        Faults,
        Garbage,
        RateLimited,
        Reset,
        SlowDrip,
        Status,
    )
    from hero_async.sandbox.ledger import AcceptedBatch, AcceptedMessage, Arrival, BatchSend, Change, Ledger
    from hero_async.sandbox.quirks import Quirks
    from hero_async.sandbox.server import Sandbox, serve
    from hero_async.sandbox.synthetic import SyntheticPatient

__all__ = [
    "AcceptedBatch",
    "AcceptedMessage",
    "Arrival",
    "BatchSend",
    "Change",
    "CutBody",
    "Delay",
    "Deliveries",
    "Delivery",
    "Fault",
    "FaultRule",
    "Faults",
    "Garbage",
    "Ledger",
    "Quirks",
    "RateLimited",
    "Reset",
    "Sandbox",
    "SandboxClock",
    "SettableClock",
    "SlowDrip",
    "Status",
    "SyntheticPatient",
    "serve",
]

_HOMES = {
    "AcceptedBatch": "ledger",
    "AcceptedMessage": "ledger",
    "Arrival": "ledger",
    "BatchSend": "ledger",
    "Change": "ledger",
    "Deliveries": "deliveries",
    "Delivery": "deliveries",
    "Ledger": "ledger",
    "Quirks": "quirks",
    "Sandbox": "server",
    "serve": "server",
    "SandboxClock": "clock",
    "SettableClock": "clock",
    "SyntheticPatient": "synthetic",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'faults')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
