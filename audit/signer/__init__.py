"""The signer: the one process that holds the key, and signs only what extends what it signed before."""

from audit.signer.key import KeyRefused
from audit.signer.lease import LeaseHeld
from audit.signer.process import StateLost, create, run
from audit.signer.rotation import RotationRefused, retire, rotate
from audit.signer.state import StateExposed, StateInUse, StateUnreadable
from audit.signer.thawing import NotAcknowledged, Recovered, ThawRefused, recover, thaw

__all__ = [
    "KeyRefused",
    "LeaseHeld",
    "NotAcknowledged",
    "Recovered",
    "RotationRefused",
    "StateExposed",
    "StateInUse",
    "StateLost",
    "StateUnreadable",
    "ThawRefused",
    "create",
    "recover",
    "retire",
    "rotate",
    "run",
    "thaw",
]
