"""Collecting telemetry: one file a kind of target, and what they share."""

from audit.collectors.run import Collected, collect

__all__ = ["Collected", "collect"]
