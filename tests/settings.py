"""The product's settings, read from an environment that tests own, whatever the shell around them holds.

Addresses here are never connected to: tests/services points each connection to the database of its worker.
"""

import os

from tests.services.constants import ENVIRONMENT, READ_BY_SETTINGS

for _name in READ_BY_SETTINGS:
    os.environ.pop(_name, None)
    os.environ.pop(f"{_name}_FILE", None)
os.environ.update(ENVIRONMENT)

from config.settings import *

PASSWORD_HASHERS = ["tests.services.hashing.FewRounds"]
