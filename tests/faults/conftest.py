"""The fixtures of tests/transport."""

from serving import closed_port, connect, loop_time, server

__all__ = ["closed_port", "connect", "loop_time", "server"]
