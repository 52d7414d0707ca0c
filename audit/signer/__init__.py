"""The signer: the one process that holds the key, and signs only what extends what it signed before."""

from audit.signer.key import KeyRefused
from audit.signer.lease import LeaseHeld
from audit.signer.process import StateLost, create, run
from audit.signer.state import StateInUse, StateUnreadable

__all__ = ["KeyRefused", "LeaseHeld", "StateInUse", "StateLost", "StateUnreadable", "create", "run"]
