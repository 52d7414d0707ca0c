"""Names and keys that all tests share. None of them protects anything."""

import re
from pathlib import Path

from audit.tlog.note import SigningKey
from config.roles import Roles

ROLES = Roles("assay_test_owner", "assay_test_app", "assay_test_signer", "assay_test_reader")
PASSWORD = "assay-test"
ORIGIN = "assay.example/test/demo"  # the ending allows tampering
SIGNING_KEY = SigningKey.generate(ORIGIN, bytes(range(32)))

_NOWHERE = "@/unconnected?host=/nonexistent"
ENVIRONMENT = {
    "DEMO": "1",
    "SECRET_KEY": "test-" + "k" * 60,
    "LEDGER_ORIGIN": ORIGIN,
    "LEDGER_HMAC_KEY": bytes(range(32, 64)).hex(),
    "LEDGER_VKEY": SIGNING_KEY.verifier.to_text(),
    "DATABASE_URL": f"postgresql://{ROLES.app}:{PASSWORD}{_NOWHERE}",
    "DATABASE_OWNER_URL": f"postgresql://{ROLES.owner}:{PASSWORD}{_NOWHERE}",
    "DATABASE_SIGNER_URL": f"postgresql://{ROLES.signer}:{PASSWORD}{_NOWHERE}",
    "DATABASE_READER_URL": f"postgresql://{ROLES.reader}:{PASSWORD}{_NOWHERE}",
    "DATABASE_ADMIN_URL": f"postgresql://nobody:{_NOWHERE}",
    "LOG_LEVEL": "WARNING",
}
_SETTINGS = (Path(__file__).resolve().parents[2] / "config" / "settings.py").read_text(encoding="utf-8")
READ_BY_SETTINGS = {*ENVIRONMENT, *re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', _SETTINGS)}
"""Variables that may stand in the shell of whoever runs the tests."""
