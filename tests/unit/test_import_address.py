"""Which addresses begin with an allowed prefix, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.operations.importaddress import AddressNotAllowed, allowed, folder_of, read_prefixes

PREFIXES = read_prefixes(
    ["https://huggingface.co/", "https://Mirror.example:8443/models", "private+http://10.1.2.3/m/"]
)


@pytest.mark.parametrize(
    "word",
    [
        "http://mirror.example/", "ftp://host/", "huggingface.co", "https://", "https://user@host/",
        "https://host/a b/", "https://host/../", "https://host/%2e%2e/", "private+", "https://host/?q", "https://h\u00f6st/",
        "https://host:0/",
    ],
)  # fmt: skip
def test_what_is_no_prefix(word: str) -> None:
    with pytest.raises(AddressNotAllowed):
        read_prefixes([word])


@pytest.mark.parametrize(
    ("address", "url", "private"),
    [
        ("https://huggingface.co/Qwen/Qwen3-8B", "https://huggingface.co/Qwen/Qwen3-8B", False),
        ("https://HUGGINGFACE.co:443/a", "https://huggingface.co/a", False),
        ("https://mirror.example:8443/models", "https://mirror.example:8443/models", False),
        ("https://mirror.example:8443/models/a/b", "https://mirror.example:8443/models/a/b", False),
        ("http://10.1.2.3/m/x", "http://10.1.2.3/m/x", True),
    ],
)
def test_what_is_allowed(address: str, url: str, private: bool) -> None:
    found = allowed(address, PREFIXES)
    assert (found.url, found.private) == (url, private)


@pytest.mark.parametrize(
    "address",
    [
        "", "http://huggingface.co/a", "https://huggingface.co.evil.example/a", "https://huggingface.co@evil.example/a",
        "https://evil.example/huggingface.co/", "https://huggingface.co:444/a", "https://huggingface.co./a",
        "https://mirror.example:8443/modelsX", "https://mirror.example:8443/models/../x", "https://mirror.example/models/",
        "https://mirror.example:8443/models/./x", "https://mirror.example:8443/models//x", "https://huggingface.co\\@evil/",
        "https://mirror.example:8443/models/%2e%2e/x", "https://huggingface.co/a?x=1", "https://huggingface.co/a#b",
        "https://huggingface.co/a\n", "https://huggingface.co/\u30e2", "//huggingface.co/a", "file:///etc/passwd",
        "http://10.1.2.3:80@evil/m/", "http://10.1.2.3/", "http://[::ffff:10.1.2.3]/m/x", "http://167838211/m/x",
    ],
)  # fmt: skip
def test_what_is_not(address: str) -> None:
    with pytest.raises(AddressNotAllowed):
        allowed(address, PREFIXES)


def test_an_address_that_a_server_sent_may_have_a_query() -> None:
    assert allowed("https://huggingface.co/x/%C3%A4?sig=a%2Fb", PREFIXES, redirected=True).url.endswith("?sig=a%2Fb")
    for address in ("https://huggingface.co/%2e%2e/x", "https://huggingface.co/a%2fb", "http://169.254.169.254/latest"):
        with pytest.raises(AddressNotAllowed):
            allowed(address, PREFIXES, redirected=True)


@given(st.text(max_size=30))
def test_no_text_leads_out_of_its_prefix(text: str) -> None:
    try:
        found = allowed(f"https://mirror.example:8443/models/{text}", PREFIXES, redirected=True)
    except AddressNotAllowed:
        return
    assert found.url.startswith("https://mirror.example:8443/models/")
    assert ".." not in found.url.partition("?")[0].split("/")


def test_where_the_files_of_a_repository_lie() -> None:
    hub = "https://huggingface.co/Qwen/Qwen3-8B"
    assert folder_of(hub, "abc") == folder_of(f"{hub}/tree/abc", "x") == f"{hub}/resolve/abc/"
    assert folder_of("https://mirror.example/models/a", "abc") == "https://mirror.example/models/a/"
