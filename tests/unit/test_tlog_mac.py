"""Our HMAC-SHA256 is that of the standard library."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.mac import hmac_sha256


@given(key=st.binary(max_size=64), message=st.binary(max_size=300))
def test_it_is_the_standard_librarys(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


def test_a_long_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 64"):
        hmac_sha256(b"k" * 65, b"")
