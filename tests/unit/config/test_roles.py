"""Addresses of other roles on the same server."""

import pytest

from config.env import Environment
from config.roles import address


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("postgresql://postgres:x@db:6432/postgres", "postgresql://a:p%40%2F@db:6432/n"),
        ("postgresql://postgres@[::1]:5432/postgres", "postgresql://a:p%40%2F@[::1]:5432/n"),
        ("postgresql://postgres@/postgres?host=/run/pg", "postgresql://a:p%40%2F@/n?host=/run/pg"),
        ("postgresql://postgres@/postgres?host=/run/pg&port=99", "postgresql://a:p%40%2F@/n?host=/run/pg&port=99"),
        ("postgresql://postgres@db/postgres?sslmode=require", "postgresql://a:p%40%2F@db/n?sslmode=require"),
    ],
)
def test_address_of_another_role_keeps_the_server(server: str, expected: str) -> None:
    url = Environment({"URL": server}).database("URL")
    assert url
    made = address(url, user="a", password="p@/", database="n")
    assert made == expected
    again = Environment({"URL": made}).database("URL")
    assert again
    assert (again.user, again.password, again.host, again.port) == ("a", "p@/", url.host, url.port)
